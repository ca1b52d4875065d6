"""What becomes of each tool and bundled skill of OpenClaw: it works here, or the model is not offered it.

A tool that the model is offered and that does nothing here makes it promise what nobody keeps. The compatibility
test holds this table to what the gateway knows (`tools.catalog`) and to the tools of a real model call: a new name
fails it until somebody decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bridge.openclaw.bundled import WORKS as WORKING_SKILLS

Json = dict[str, Any]
OUTBOX_TESTS = "tests/integration/outbox"
TOOLS_TEST = "tests/integration/openclaw/test_openclaw_tools.py"


@dataclass(frozen=True)
class Decision:
    """`shown_by`: the test that shows what the tool does; empty for a tool that is not offered, because of `why`."""

    why: str
    shown_by: str = ""

    @property
    def works(self) -> bool:
        return bool(self.shown_by)


def _works(why: str, test: str = f"{TOOLS_TEST}::test_a_tool_that_is_offered_works") -> Decision:
    return Decision(why, test)


_NO_SCREEN = Decision("there is no screen, browser, phone or other node in a container")
_CONSOLE = Decision("it is for OpenClaw's own console: nothing of it reaches the chat")
_CHANNELS = Decision("OpenClaw has no channels here: this service carries every message")
_NO_PROVIDER = Decision("no provider of it is set up")
_UNSEEN = Decision("nothing of it reaches the person yet")

DECISIONS: dict[str, Decision] = {
    # Files and commands of the workspace.
    "read": _works("reads files"),
    "write": _works("writes files"),
    "edit": _works("changes files"),
    "apply_patch": _works("changes several files"),
    "exec": _works("runs commands in the agent's own container, as its own user"),
    "process": _works("looks after background commands"),
    "view_image": _works("looks at a picture in the workspace"),
    # Memory and conversations.
    "memory_search": _works("finds notes"),
    "memory_get": _works("reads notes"),
    "sessions": _works("groups, names and archives conversations inside OpenClaw"),
    "sessions_list": _works("lists conversations"),
    "sessions_history": _works("reads a conversation"),
    "sessions_search": _works("searches conversations"),
    "session_status": _works("model, time and context of the conversation"),
    "sessions_yield": _works("waits for helpers that it has started"),
    "subagents": _works("looks after helpers"),
    "create_goal": _works("sets a goal"),
    "get_goal": _works("reads the goal"),
    "update_goal": _works("closes the goal"),
    "skill_workshop": _works("proposes skills"),
    # The web.
    "web_fetch": _works("reads a web page"),
    "web_search": _NO_PROVIDER,
    "x_search": _NO_PROVIDER,
    # How the model finds the tools of this table (toolSearch).
    "tool_search": _works("finds a tool"),
    "tool_describe": _works("shows a tool's parameters"),
    "tool_call": _works("calls a tool"),
    # What reaches a person outside of an answer.
    "message": _works(
        "says something at once, outside of the answer", f"{OUTBOX_TESTS}/test_said.py::test_the_message_tool"
    ),
    "automations": _works(
        "reminds and repeats, also while nobody is there",
        f"{OUTBOX_TESTS}/test_wake.py::test_a_reminder_wakes_a_sleeping_agent",
    ),
    "sessions_spawn": _works(
        "starts a helper that reports when it is done",
        f"{OUTBOX_TESTS}/test_said.py::test_a_helper_that_ends_after_the_turn",
    ),
    "intent": _UNSEEN,
    "sessions_send": _UNSEEN,
    "progress_card": _works("shows how far it is", f"{TOOLS_TEST}::test_the_progress_card_stands_at_its_answer"),
    "ask_user": _works(
        "asks the person, with buttons on the page and in Telegram",
        "tests/integration/turns/test_questions.py::test_a_choice_on_the_page_reaches_the_model",
    ),
    "suggest_task": _CONSOLE,
    "dismiss_task": _CONSOLE,
    "heartbeat_respond": Decision("a heartbeat says what it has to say in words, and those arrive"),
    # What cannot work in a container of ours.
    "computer": _NO_SCREEN,
    "nodes": _NO_SCREEN,
    "mobile_ui": _NO_SCREEN,
    "screen": _NO_SCREEN,
    "browser": _NO_SCREEN,
    "canvas": _NO_SCREEN,
    "dashboard": _CONSOLE,
    "terminal": _CONSOLE,
    "portal": _CONSOLE,
    "show_widget": _CONSOLE,
    "secrets": Decision("secrets belong to the deployment, and the agent gets none"),
    "transcripts": _CONSOLE,
    "gateway": Decision("this service starts, configures and stops OpenClaw"),
    "openclaw": Decision("setup and repair belong to the deployment"),
    "github_identity_status": Decision("nobody has signed in to GitHub here"),
    "agents_list": Decision("there is one agent"),
    "conversations_list": _CHANNELS,
    "conversations_send": _CHANNELS,
    "conversations_turn": _CHANNELS,
    "code_execution": _NO_PROVIDER,
    "image_generate": _NO_PROVIDER,
    "music_generate": _NO_PROVIDER,
    "video_generate": _NO_PROVIDER,
    "tts": _NO_PROVIDER,
}

# Plugins that make OpenClaw whole. Measured on one CPU (4 starts each): no later hello, 15 MB more.
PLUGINS = ("memory-core", "document-extract", "web-readability")
# Providers with a plugin of their name that is not part of the package.
NOT_BUNDLED = {"deepseek"}
# Bundled skills that work with the tools above.
SKILLS = tuple(WORKING_SKILLS)


def policy(providers: Iterable[str] = (), mode: str = "full") -> Json:
    """The keys of openclaw.json that decide what the model is offered. `providers`: the ids of our routes.

    `mode`: `full` runs commands without asking, `ask` has the person approve each new one (docs/security.md).

    `toolSearch`: the model is told every tool's name and purpose, and sees the parameters of the few that each turn
    needs. That saves 62 % of the fixed prompt (27,659 tokens before, 10,647 now), and it is the same in each call.
    """
    return {
        "tools": {
            "deny": sorted(name for name, known in DECISIONS.items() if not known.works),
            "toolSearch": {"mode": "directory"},
            "web": {"search": {"enabled": False}},  # it would install a plugin, too
            "exec": {"mode": mode},
        },
        # By words: meaning would need an embedding model, which is not metered and which most providers lack.
        "memory": {"search": {"provider": "none"}},
        "skills": {"allowBundled": list(SKILLS)},
        # Without this OpenClaw installs a plugin for a provider of that name (deepseek), and does not start without it.
        "plugins": {"enabled": True, "allow": list(PLUGINS), "deny": sorted(set(providers) & NOT_BUNDLED)},
    }


def others_denied(stored: Json) -> list[str]:
    """Tools that the stored configuration denies and this table does not know: those of the user's own plugins."""
    tools = stored.get("tools")
    denied = tools.get("deny") if isinstance(tools, dict) else None
    return (
        [name for name in denied if isinstance(name, str) and name not in DECISIONS] if isinstance(denied, list) else []
    )
