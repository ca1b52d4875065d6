"""What becomes of each slash command of OpenClaw: it works here, it is ours, or we say what to do instead.

The compatibility test holds the table to what the gateway offers (`commands.list`): a new command fails
it until somebody decides. A name that is not here goes to OpenClaw as it is: a skill may have that name.
"""

import re
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """WORKS: OpenClaw answers it. OURS: the page, the bot or this module does it. INSTEAD: we say what to do."""

    WORKS = "works"
    OURS = "ours"
    INSTEAD = "instead"


@dataclass(frozen=True)
class Decision:
    """`text`: what it does, for the help (WORKS, OURS), or what the person is told (INSTEAD)."""

    kind: Kind
    text: str
    usage: str = ""
    aliases: tuple[str, ...] = ()


def _works(text: str, usage: str = "", *aliases: str) -> Decision:
    return Decision(Kind.WORKS, text, usage, aliases)


def _ours(text: str, usage: str = "", *aliases: str) -> Decision:
    return Decision(Kind.OURS, text, usage, aliases)


def _instead(text: str, *aliases: str) -> Decision:
    return Decision(Kind.INSTEAD, text, "", aliases)


_OPERATOR = "Only the person who runs this deployment can do that, outside of the chat."
_PLUGIN = "It belongs to a plugin of OpenClaw that is not part of this deployment."
_ONE_AGENT = "You have one agent here, and every conversation, on the web and in Telegram, goes to it."
_TELEGRAM = "That command is for the Telegram chat with your bot."
_CONFIG = (
    "OpenClaw's configuration is written anew at every start, so a change made here would not last. "
    "Model, time zone, limits and sleep are in Settings."
)

DECISIONS: dict[str, Decision] = {
    # OpenClaw answers these, and the answer is true here.
    "model": _works("show or change the model of this conversation", "[provider/name]"),
    "models": _works("list the models", "[provider]"),
    "think": _works("how long it thinks before it answers", "off|low|medium|high", "thinking", "t"),
    "fast": _works("faster answers, where the provider sells them", "on|off"),
    "compact": _works("shorten what it remembers of this conversation", "[what matters]"),
    "reset": _works("forget what was said in this conversation; the page still shows it"),
    "context": _works("what its context is made of", "[list|detail]"),
    "status": _works("model, context and modes of this conversation"),
    "tools": _works("the tools it can use"),
    "skill": _works("run a skill by its name", "<name> [input]"),
    "learn": _works("draft a skill from this conversation", "[what]"),
    "goal": _works("set and follow a goal for this conversation", "[start <goal>|status|clear]"),
    "loop": _works("ask the same again and again", "[5m] <what>|status|stop"),
    "tasks": _works("background tasks of this conversation"),
    "subagents": _works("helpers that it has started", "[list|info|log]"),
    # Ours: the page, the bot, the Bridge.
    "help": _ours("this list", "", "commands"),
    "new": _ours("start a new conversation"),
    "restore": _ours("go back to what it remembered at a time", "[date time]"),
    "stop": _ours("stop the answer that is being written"),
    # Switches that mean something else here, or nothing.
    "config": _instead(_CONFIG),
    "debug": _instead(_CONFIG),
    "mcp": _instead(f"MCP servers cannot be added in the chat. {_OPERATOR}"),
    "plugins": _instead(f"Plugins are part of the image that everybody's agent starts from. {_OPERATOR}", "plugin"),
    "login": _instead(f"Your agent does not sign in to a provider: the deployment's key is used. {_OPERATOR}"),
    "openclaw": _instead(f"Setup and repair of OpenClaw are done by the deployment. {_OPERATOR}"),
    "diagnostics": _instead(f"A support report needs the container's own console. {_OPERATOR}"),
    "export-trajectory": _instead(f"A trajectory export needs the container's own console. {_OPERATOR}", "trajectory"),
    "export-session": _instead(
        "The export would be a file in the agent's workspace that you cannot download. "
        "The whole conversation is on the web page, and stays there as long as Settings say.",
        "export",
    ),
    "restart": _instead(
        "Put the agent to sleep instead: on the web page press its state at the top, then “Put the agent to sleep”. "
        "Your next message starts it anew, with its memory."
    ),
    "name": _instead("Rename the conversation in the list on the web page, with the pencil beside its title."),
    "usage": _instead(
        "What your models cost this month is on the web page (press the agent's state at the top) "
        "and in Telegram's /status."
    ),
    "btw": _instead("Ask it in a new conversation: that leaves this one as it is.", "side"),
    "steer": _instead(
        "Just write. A message that you send while an answer is being written waits for it; "
        "“Send now” below it, or /now in Telegram, hands it over at once.",
        "tell",
    ),
    "queue": _instead("Messages of a conversation are answered one after the other, in the order you send them."),
    "verbose": _instead("The page shows each tool while it is in use. There is nothing to switch.", "v"),
    "trace": _instead("Trace lines come from plugins, and this deployment has none."),
    "reasoning": _instead(
        "What the model thinks before it answers is not shown. /think sets how long it may think.", "reason"
    ),
    "elevated": _instead("Commands run in the agent's own container, as its own user. There is no other mode.", "elev"),
    "exec": _instead("Commands run in the agent's own container, without asking. There is no other place to run them."),
    "bash": _instead("Ask your agent to run the command: it has a shell of its own."),
    "approve": _instead("Nothing waits for an approval: commands run in the agent's own container, without asking."),
    "allowlist": _instead("Who may talk to your agent is decided by your account and by the paired Telegram chat."),
    "whoami": _instead(
        "You are the owner of this agent. The web page shows your account below the conversations, "
        "and the Telegram panel the chat that is paired with it.",
        "id",
    ),
    "tts": _instead("Your agent answers in writing: no provider of speech is set up."),
    "send": _instead("Your agent always answers. To stop an answer, press Stop; to stop the agent, put it to sleep."),
    "activation": _instead("In groups the bot answers to its name and to replies. That cannot be changed in the chat."),
    "session": _instead(f"There is no thread to bind. {_ONE_AGENT}"),
    "agents": _instead(_ONE_AGENT),
    "acp": _instead(f"No other coding agents are installed. {_ONE_AGENT}"),
    "dreaming": _instead(_PLUGIN),
    "pair": _instead(f"Devices are not paired here. To pair Telegram, open “Telegram” on the web page. {_PLUGIN}"),
    "voice": _instead(_PLUGIN),
    "codex": _instead(_PLUGIN),
    # Ours elsewhere.
    "timezone": _instead("Set your time zone in Settings on the web page, or in Telegram: /timezone Europe/Berlin"),
    "start": _instead(_TELEGRAM),
    "link": _instead(f"{_TELEGRAM} The code for it is on the web page, under “Telegram”."),
    "unlink": _instead("Unlinking is done on the web page, under “Telegram”."),
    "again": _instead(f"{_TELEGRAM} On the web page press “Ask again” below an answer."),
}

_COMMAND = re.compile(r"/([a-z][a-z0-9_-]{0,31})(?:@\w+)?(?=[:\s]|$)")
_BY_NAME = {name: known for key, known in DECISIONS.items() for name in (key, *known.aliases)}


def decision(text: str) -> Decision | None:
    """What is decided about a message that is a command; None for one that is not, or that is not known."""
    found = _COMMAND.match(text.strip().lower())
    return _BY_NAME.get(found[1]) if found else None


def refusal(text: str) -> str | None:
    """What a person is told instead of having OpenClaw run their command; None: send it on."""
    known = decision(text)
    if known is None or known.kind is Kind.WORKS:
        return None
    if known is DECISIONS["help"]:
        return help_text()
    return known.text if known.kind is Kind.INSTEAD else None


def help_text() -> str:
    """Every command that works, as Markdown."""
    begin = "Write anything, and your agent answers. These commands work too:"
    end = "Settings, cost and Telegram are on the web page. Other commands of OpenClaw say what to do instead."
    lines = [_line(name) for kind in (Kind.OURS, Kind.WORKS) for name, one in DECISIONS.items() if one.kind is kind]
    return "\n".join([begin, "", *lines, "", end])


def _line(name: str) -> str:
    known = DECISIONS[name]
    return f"- `/{name}{' ' if known.usage else ''}{known.usage}` {known.text}"
