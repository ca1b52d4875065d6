"""What a page asks of the running agent: one answer each, with a code where there is no result."""

import threading
from typing import Any

import pytest

from bridge.openclaw.gateway import GatewayClosed, GatewayError
from bridge.requested.hub import Hub, refusal
from bridge.requested.recall import recall
from bridge.requested.requested import MOST, USED_FOR, Refused, Requested
from chalicelib.wire.connections import Gone
from tests.support.client import eventually
from tests.support.fake_tasks import FakeClock

Json = dict[str, Any]


class Tab:
    def __init__(self) -> None:
        self.frames: list[Json] = []
        self.gone = False

    def to(self, connection_id: str, endpoint: str, frame: Json) -> None:
        assert (connection_id, endpoint) == ("tab", "https://here")
        if self.gone:
            raise Gone(connection_id)
        self.frames.append(frame)


class Gateway:
    """Answers each method with what is set for it."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {name.replace("_", "."): answer for name, answer in answers.items()}
        self.asked: list[tuple[str, Json]] = []

    def request(self, method: str, params: Json, timeout: float = 20) -> Json:
        self.asked.append((method, params))
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def ask(requested: Requested, method: str = "work", name: str = "request-1") -> None:
    frame = {"type": "request", "id": name, "method": method, "subject": "tea"}
    requested.handle(frame | {"connectionId": "tab", "endpoint": "https://here"})


def answer(work: Any, gateway: Any = "gateway") -> Json:
    tab = Tab()
    ask(Requested(lambda: gateway, {"work": work}, tab))
    eventually(lambda: tab.frames, 5)
    (frame,) = tab.frames
    assert (frame["type"], frame["id"]) == ("response", "request-1")
    return frame


def raising(error: Exception) -> Any:
    def work(*_: Any) -> Json:
        raise error

    return work


def test_a_result_and_each_way_to_have_none() -> None:
    assert answer(lambda gateway, subject: {"of": [gateway, subject]})["result"] == {"of": ["gateway", "tea"]}
    assert answer(raising(Refused("HUB_LIMIT", "later")))["code"] == "HUB_LIMIT"
    assert answer(raising(GatewayError("UNAVAILABLE", "no")))["code"] == "AGENT_REFUSED"
    assert answer(raising(GatewayClosed("gone")))["code"] == "NOT_READY"
    assert answer(raising(KeyError("x")))["code"] == "INTERNAL"
    assert answer(None, gateway=None)["code"] == "UNKNOWN_METHOD"
    assert answer(lambda *_: {}, gateway=None)["code"] == "NOT_READY"


def test_more_than_a_few_at_once_are_refused_and_a_tab_that_is_gone_ends_nothing() -> None:
    tab, go = Tab(), threading.Event()
    requested = Requested(lambda: object(), {"work": lambda *_: {"went": go.wait(10)}}, tab)  # type: ignore[arg-type,return-value]
    for number in range(MOST + 1):
        ask(requested, name=f"request-{number}")
    eventually(lambda: [frame["code"] for frame in tab.frames] == ["BUSY"], 5)
    go.set()
    eventually(lambda: len(tab.frames) == MOST + 1, 5)
    tab.gone = True
    ask(requested)
    tab.gone = False
    eventually(lambda: requested._running._value == MOST, 5)


def test_who_asks_keeps_the_agent_awake_for_a_while() -> None:
    clock = FakeClock()
    requested = Requested(lambda: None, {}, Tab(), clock)
    assert not requested.used()
    ask(requested)
    assert requested.used()
    clock.step(USED_FOR)
    assert not requested.used()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("UNAVAILABLE: fetch failed", "HUB_UNREACHABLE"),
        ("UNAVAILABLE: ClawHub /api/v1/search failed (503): down", "HUB_UNREACHABLE"),
        ("UNAVAILABLE: ClawHub is temporarily unavailable while installing skill", "HUB_UNREACHABLE"),
        ("TIMEOUT: skills.search was not answered in 60 s", "HUB_UNREACHABLE"),
        ("UNAVAILABLE: ClawHub rate limit reached while installing skill", "HUB_LIMIT"),
        ('UNAVAILABLE: Skill "tea" not found on ClawHub.', "HUB_NOT_FOUND"),
        ("UNAVAILABLE: Skill already exists at /x. Re-run with force/update.", "SKILL_EXISTS"),
        ("UNAVAILABLE: ClawHub blocked this release; install was not started.", "HUB_BLOCKED"),
        ("UNAVAILABLE: blocked by install policy: SKILL_LINK: a skill may hold no links", "SKILL_LINK"),
        ("UNAVAILABLE: something else", "HUB_REFUSED"),
    ],
)
def test_openclaws_words_become_codes(said: str, code: str) -> None:
    assert refusal(said).code == code


def test_an_install_waits_for_the_snapshot_that_holds_it() -> None:
    done: list[str] = []
    hub = Hub(done.append, lambda: done.append("save"))
    results: list[Json] = []
    gateway: Any = Gateway(skills_install={"version": "1.0"})
    thread = threading.Thread(target=lambda: results.append(hub.install(gateway, "@ada/tea-maker")))
    thread.start()
    eventually(lambda: done == ["save", "tea-maker"], 5)
    hub.saved({"workspace/skills/other/SKILL.md": ()})
    assert results == []
    hub.saved({"workspace/skills/tea-maker/SKILL.md": ()})
    thread.join(5)
    assert results == [{"slug": "tea-maker", "version": "1.0", "saved": True}]
    assert gateway.asked == [("skills.install", {"source": "clawhub", "slug": "@ada/tea-maker"})]


def test_the_index_shows_memory_files_only() -> None:
    note = {"path": "MEMORY.md", "startLine": 3, "snippet": "The dentist\nis on Thursday"}
    gateway: Any = Gateway(memory_search={"results": [note, {"path": "../x", "snippet": "no"}, 1], "searchMode": "fts"})
    hit = {"name": "MEMORY.md", "line": 3, "text": "The dentist is on Thursday"}
    assert recall(gateway, "dentist") == {"hits": [hit], "kind": "fts"}
