"""Honest tools, on the real gateway: what the model is offered works here, and nothing else is offered."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.files.announced import of_answer
from bridge.memory.skilling import carry_out
from bridge.openclaw import process
from bridge.openclaw.bundled import NOT_OFFERED
from bridge.openclaw.config import _over, document
from bridge.openclaw.process import OpenClaw
from bridge.openclaw.skills import OpenClawSkills
from bridge.openclaw.tools import DECISIONS, SKILLS, policy
from bridge.provider.servers import Servers
from bridge.turns.answer import Answerer
from bridge.turns.delivery import Delivery, Run, Stream
from chalicelib.messages.inbox import Message
from chalicelib.people.servers import McpServer as Row
from local.cloud.bridges import free_port
from tests.integration.openclaw.test_openclaw_compatibility import gateway_of, turn
from tests.support.bridge_parts import custom, make_config, proxied
from tests.support.client import eventually
from tests.support.fakes import FakeConnections, FakePost
from tests.support.mcp_server import McpServer, known
from tests.support.providers import Providers
from tests.support.skilled import encoded, manual, zipped
from tests.support.tool_model import RESULT, behave, text_of

TOKEN, LOOPBACK = "tok-3nQv7", f"http://127.0.0.1:{free_port()}"
# The bar for system text and tools together, in tokens of 4 bytes (requirements.md K2).
FIXED_TOKENS = 12_000
NOTES = (
    "mkdir -p memory && echo 'The tea is green' > memory/2026-11-29.md && echo 'Ann likes tea' > MEMORY.md && echo ok"
)
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
# What each tool is asked, in order, and what its result holds.
CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("write", {"path": "note.txt", "content": "tea at five"}, "wrote 11 bytes"),
    ("edit", {"path": "note.txt", "edits": [{"oldText": "five", "newText": "six"}]}, "replaced 1 block"),
    ("read", {"path": "note.txt"}, "tea at six"),
    ("apply_patch", {"input": "*** Begin Patch\n*** Add File: p.txt\n+hello\n*** End Patch"}, "A p.txt"),
    ("exec", {"command": "cat note.txt p.txt"}, "tea at sixhello"),
    ("exec", {"command": "sleep 20", "background": True}, "still running"),
    ("process", {"action": "list"}, "sleep 20"),
    ("exec", {"command": NOTES}, "ok"),
    ("memory_search", {"query": "tea"}, "Ann likes tea"),
    ("memory_get", {"path": "MEMORY.md"}, "Ann likes tea"),
    ("sessions_list", {}, "agent:main:web-tools"),
    ("sessions_history", {"sessionKey": "web-tools"}, "tea at six"),
    ("sessions_search", {"query": "tea"}, "messageId"),
    ("session_status", {}, "custom/demo"),
    ("sessions", {"action": "groups_list"}, "groups"),
    ("subagents", {"action": "list"}, "active subagents"),
    ("sessions_yield", {}, "No pending child completion"),
    ("skill_workshop", {"action": "list"}, "No skill proposals"),
    ("web_fetch", {}, "brewed at 70 degrees"),
    ("tool_search", {"query": "search notes"}, "memory_search"),
    ("tool_describe", {"id": "memory_get"}, "openclaw:memory-core:memory_get"),
    ("tool_call", {"id": "memory_get", "args": {"path": "MEMORY.md"}}, "Ann likes tea"),
    ("exec", {"command": f"echo {PNG} | base64 -d > dot.png && echo made"}, "made"),
    ("view_image", {"path": "dot.png"}, "Attached image"),
    ("create_goal", {"objective": "learn Korean"}, "created"),
    ("get_goal", {}, "learn Korean"),
    ("update_goal", {"status": "complete"}, "complete"),
]


@pytest.fixture(scope="module")
def provider() -> Iterator[Providers]:
    with Providers() as provider:
        provider.behave = behave
        yield provider


def started(folder: Any, provider: Providers, extra: dict[str, Any]) -> Iterator[OpenClaw]:
    made = make_config(folder / "home", custom(provider.url))
    servers = known(local=LOOPBACK, tokens={"tea": TOKEN})
    with (
        proxied(made.routes, token=made.proxy_token, servers=servers) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(process, "document", lambda *given: _over(document(*given), extra))
        openclaw = OpenClaw(made, proxy.url)
        openclaw.servers = servers.names
        for wish in (uploaded("asleep-off"), {"name": "asleep-off", "action": "off"}):
            assert carry_out(made.state_dir, wish) == "written"
        openclaw.start()
        yield openclaw
        openclaw.stop()


@pytest.fixture(scope="module")
def openclaw(tmp_path_factory: pytest.TempPathFactory, provider: Providers) -> Iterator[OpenClaw]:
    """As deployed, except that it may read a page of this machine."""
    may = {"tools": {"web": {"fetch": {"ssrfPolicy": {"dangerouslyAllowPrivateNetwork": True}}}}}
    yield from started(tmp_path_factory.mktemp("tools"), provider, may)


def uploaded(name: str) -> dict[str, Any]:
    return {"name": name, "action": "put", "replace": False, "zip": encoded(zipped({"SKILL.md": manual(name)}))}


def offered(provider: Providers) -> set[str]:
    return {tool["function"]["name"] for tool in provider.asked[-1].body.get("tools", [])}


def said_by(openclaw: OpenClaw, name: str, arguments: dict[str, Any], session: str = "web-tools") -> str:
    _, events = turn(openclaw, f"call {name} {json.dumps(arguments)}", session=session)
    return str(events[-1].text)


def test_every_tool_that_the_gateway_knows_is_decided(openclaw: OpenClaw) -> None:
    groups = gateway_of(openclaw).request("tools.catalog", {})["groups"]
    names = {str(tool["id"]) for group in groups for tool in group["tools"]}
    assert len(names) > 30
    assert sorted(names - DECISIONS.keys()) == [], "decide these in container/bridge/openclaw/tools.py"


def test_a_server_lends_its_tools_and_keeps_its_token(openclaw: OpenClaw) -> None:
    """Added and removed while OpenClaw runs. Neither its address nor its token is in a file of the agent's."""
    servers: Servers = openclaw.servers.__self__  # type: ignore[attr-defined]
    ask = {"who": "Ann"}
    with McpServer(LOOPBACK) as server:
        servers._known = {"tea": Row("tea", "tea", server.url, True, 1)}
        openclaw.follow_settings()
        assert "walnut tea for Ann" in said_by(openclaw, "tea__brew", ask, session="web-mcp")
        assert "tea__brew" in said_by(openclaw, "tool_search", {"query": "walnut"}, session="web-mcp")
        called = [headers for method, _, headers, body in server.asked if (body or {}).get("method") == "tools/call"]
        assert [headers["authorization"] for headers in called] == [f"Bearer {TOKEN}"]
        home = openclaw._config.home
        found = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
        assert len(found) > 20
        told = [
            path for path in found if any(one in path.read_bytes() for one in (TOKEN.encode(), server.url.encode()))
        ]
        assert told == []
        servers._known = {}
        openclaw.follow_settings()
        count = len(server.asked)
        assert "walnut" not in said_by(openclaw, "tea__brew", ask, session="web-mcp-2")
        assert [body for _, _, _, body in server.asked[count:] if (body or {}).get("method") == "tools/call"] == []


def test_a_server_that_is_gone_keeps_no_answer_back(openclaw: OpenClaw) -> None:
    servers: Servers = openclaw.servers.__self__  # type: ignore[attr-defined]
    servers._known = {"tea": Row("tea", "tea", f"{LOOPBACK}/mcp", True, 1)}
    openclaw.follow_settings()
    assert "read" in said_by(openclaw, "tool_search", {"query": "read a file"}, session="web-gone")
    servers._known = {}
    openclaw.follow_settings()


def test_every_skill_that_openclaw_brings_is_decided(openclaw: OpenClaw) -> None:
    known = [one for one in gateway_of(openclaw).request("skills.status", {})["skills"] if one["bundled"]]
    assert len(known) > 30
    assert sorted({one["name"] for one in known} - NOT_OFFERED.keys() - set(SKILLS)) == [], "decide these in bundled.py"


def test_every_tool_of_a_model_call_is_decided(tmp_path_factory: pytest.TempPathFactory, provider: Providers) -> None:
    """Without our policy the model is offered all of them: the catalog does not name every one."""
    everything = {"tools": {"deny": [], "toolSearch": False}}
    for openclaw in started(tmp_path_factory.mktemp("everything"), provider, everything):
        turn(openclaw, "hello")
        assert len(offered(provider)) > 40
        assert sorted(offered(provider) - DECISIONS.keys()) == []


def test_a_tool_that_is_offered_works(openclaw: OpenClaw, provider: Providers) -> None:
    """Whether the model sees its parameters or only its name: each is called by its name."""
    wrong: list[str] = []
    for name, arguments, expected in CALLS:
        given = {"url": f"{provider.url}/page"} if name == "web_fetch" else arguments
        said = said_by(openclaw, name, given)
        if name == "memory_search":  # new notes are indexed a moment later
            said = next((found for _ in range(30) if expected in (found := said_by(openclaw, name, given))), said)
        if not said.startswith(RESULT) or expected not in said:
            wrong.append(f"{name}: {said[:300]}")
    assert wrong == []


def test_the_progress_card_stands_at_its_answer(openclaw: OpenClaw) -> None:
    """However the model calls it; a card that OpenClaw refuses is none."""
    plan = [{"step": "Look", "status": "completed"}, {"step": "Mend", "status": "in_progress"}]
    note = {"id": "progress_card", "args": {"markdown": "Nearly"}}
    two = {"plan": [plan[1], plan[1]]}
    calls = [("progress_card", {"plan": plan}), ("tool_call", note), ("progress_card", two), ("progress_card", {})]
    shown, told = [], []
    for number, (name, arguments) in enumerate(calls):
        message = Message("ann", f"card-{number}", f"call {name} {json.dumps(arguments)}", "card", 0)
        post = FakePost()
        delivery = Delivery("ann", FakeConnections(), post)  # type: ignore[arg-type]
        delivery.join("tab", "")
        stream = Stream(Run(f"{message.id}.1", message.id, "card"), delivery)
        assert Answerer(openclaw).answer(message, stream, delivery).reason == "final"
        delivery.flush(5)
        shown.append(stream.run.card.shown)
        told.append([frame["card"] for _, frame in post.frames if frame["type"] == "card"])
    steps = [{"text": "Look", "state": "done"}, {"text": "Mend", "state": "running"}]
    assert shown == [{"steps": steps}, {"note": "Nearly"}, None, None]
    assert told == [[shown[0]], [shown[1]], [], [None]]


def test_nothing_else_is_offered(openclaw: OpenClaw, provider: Providers) -> None:
    turn(openclaw, "hello", session="web-offered")
    assert [name for name in offered(provider) if not DECISIONS[name].works] == []
    for name in ("computer", "secrets", "intent"):
        _, events = turn(openclaw, f"call {name} {{}}", session="web-offered")
        assert "isn't available" in events[-1].text
    assert skills_told(provider) == set(SKILLS)


def skills_told(provider: Providers) -> set[str]:
    system = " ".join(text_of(one) for one in provider.asked[-1].body["messages"] if one["role"] != "user")
    told = system.partition("<available_skills>")[2].partition("</available_skills>")[0]
    return {part.split("</name>")[0] for part in told.split("<name>")[1:]}


def test_an_uploaded_skill_is_offered_until_it_is_switched_off(openclaw: OpenClaw, provider: Providers) -> None:
    """In a conversation that goes on, and without a new start. One was switched off while the agent slept."""
    skills = OpenClawSkills(lambda: openclaw.gateway, openclaw._config.state_dir / "workspace")

    def told() -> set[str]:
        turn(openclaw, "hello", session="web-skills")
        return skills_told(provider) - set(SKILLS)

    assert told() == set()
    assert carry_out(openclaw._config.state_dir, uploaded("tea-maker")) == "written"
    eventually(lambda: told() == {"tea-maker"}, 10)
    listed = {one["folder"]: one for one in skills.listed() if "folder" in one}
    assert {name: (one["on"], one["offered"]) for name, one in listed.items()} == {
        "asleep-off": (False, False),
        "tea-maker": (True, True),
    }
    assert listed["tea-maker"]["description"] == "Brews tea"
    assert {one["key"] for one in skills.listed() if one["bundled"]} == set(SKILLS)
    skills.switch("tea-maker", False)
    eventually(lambda: told() == set(), 10)
    skills.switch("asleep-off", True)
    eventually(lambda: told() == {"asleep-off"}, 10)
    for name in ("asleep-off", "tea-maker"):
        assert carry_out(openclaw._config.state_dir, {"name": name, "action": "delete"}) == "written"
    eventually(lambda: told() == set(), 10)


def test_the_fixed_prompt_is_small_and_stays_the_same(openclaw: OpenClaw, provider: Providers) -> None:
    """A provider's cache is hit only if the next call begins with the same bytes."""
    turn(openclaw, "hello", session="web-first")
    first = provider.asked[-1].body
    turn(openclaw, "hello again", session="web-second")
    second = provider.asked[-1].body
    assert json.dumps(first["tools"]) == json.dumps(second["tools"])
    before, after = (text_of(body["messages"][0]) for body in (first, second))
    same = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
    tokens = (len(json.dumps(first["tools"])) + len(before)) // 4
    print(f"\nfixed prompt: {tokens} tokens, {len(first['tools'])} tools, the same for {same / len(before):.0%}")
    assert tokens <= FIXED_TOKENS
    assert same > 0.9 * len(before)


def test_the_policy_is_part_of_the_configuration(openclaw: OpenClaw) -> None:
    stored = json.loads((openclaw._config.state_dir / "openclaw.json").read_text())
    assert set(policy()["tools"]["deny"]) <= set(stored["tools"]["deny"])


def test_an_answer_may_be_nothing_but_a_file(openclaw: OpenClaw) -> None:
    """The model's whole text is a MEDIA line, which OpenClaw takes out."""
    said_by(openclaw, "exec", {"command": "echo tea > alone.txt"})
    answerer = Answerer(openclaw)
    message = Message("ann", "only-a-file", "only MEDIA:alone.txt", "alone", 0)
    stream = Stream(Run("only-a-file.1", message.id, "alone"), Delivery("ann", FakeConnections(), FakePost()))  # type: ignore[arg-type]
    outcome = answerer.answer(message, stream, stream._delivery)
    assert (outcome.reason, outcome.text, outcome.error) == ("final", "", "")
    rows = gateway_of(openclaw).request("sessions.get", {"key": "web-alone", "limit": 20})["messages"]
    found = of_answer(rows, message.id)
    assert found is not None
    assert [one.label for one in found.files] == ["alone.txt"]
