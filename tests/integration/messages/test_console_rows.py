"""What is said in OpenClaw's own console is in our history: once, in order, whenever a container dies."""

import json
import uuid
from typing import Any

import pytest

from bridge.console.noted import Noted
from bridge.console.written import LOST, Written
from bridge.openclaw.history import Transcript
from bridge.turns.delivery import Delivery
from chalicelib.messages.console_notes import NOTE, is_over
from chalicelib.messages.conversations import Conversations
from chalicelib.platform.models import SettingItem
from chalicelib.wire.connections import Connection
from chalicelib.wire.protocol import Frame
from tests.support.fake_gateway import failed, final, prompted
from tests.support.fake_tasks import FakeClock
from tests.support.fakes import FakeConnections, FakePost

Json = dict[str, Any]
MAIN = "agent:main:main"
pytestmark = pytest.mark.usefixtures("cloud")


class OpenClaw:
    """Its transcripts, by session."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Json]] = {}
        self.running = True

    def request(self, method: str, params: Json) -> Json:
        rows = self.rows.get(params.get("sessionKey") or params["key"], [])
        return {"messages": rows, "sessionInfo": {"hasActiveRun": self.running}}

    def words(self, name: str, at: int, session: str = MAIN) -> None:
        about = {"id": f"u-{name}", "recordTimestampMs": at}
        row = {"role": "user", "content": f"words {name}", "idempotencyKey": f"{name}:user", "__openclaw": about}
        self.rows.setdefault(session, []).append(row)

    def answer(self, name: str, text: str = "", session: str = MAIN) -> None:
        row = {"role": "assistant", "content": [{"type": "text", "text": text or f"answer {name}"}]}
        self.rows[session].append(row | {"stopReason": "stop", "__openclaw": {"id": f"a-{name}", "runId": name}})

    def resumed(self, run: str) -> None:
        """OpenClaw goes on with what a kill has cut off, in a run of its own."""
        self.rows[MAIN].append(prompted("main_session_restart_recovery"))
        self.answer(run, "Both.")


class Place:
    """A container of one user; `anew` is the next one."""

    def __init__(self) -> None:
        self.user, self.clock, self.openclaw = uuid.uuid4().hex, FakeClock(1_000_000), OpenClaw()
        self.looks = 0
        self.anew()

    def anew(self) -> None:
        names = {MAIN: "main", "agent:main:web-trip": "Trip"}
        self.noted = Noted(self.user, names.get, self.clock)
        self.post, tabs = FakePost(), FakeConnections()
        tabs.rows["tab"] = Connection("tab", self.user, "https://api")
        delivery = Delivery(self.user, tabs, self.post)  # type: ignore[arg-type]
        self.written = Written(self.noted, delivery, lambda now: None, self._asked, self.clock)

    def _asked(self) -> None:
        self.looks += 1

    def send(self, name: str, session: str = "main", text: str = "", **more: Any) -> None:
        params = {"sessionKey": session, "message": text or f"words {name}", "idempotencyKey": name, **more}
        self.noted.note(json.dumps({"type": "req", "id": "1", "method": "chat.send", "params": params}))
        self.clock.step(1)

    def look(self) -> None:
        self.written.look(self.openclaw)  # type: ignore[arg-type]

    def notes(self) -> list[str]:
        rows = SettingItem.query(self.user, SettingItem.key.startswith(NOTE), consistent_read=True)
        return [row.key.removeprefix(NOTE) for row in rows]

    def rows(self, conversation: str = "main") -> list[Frame]:
        return Conversations().page(self.user, conversation, None, 50).messages

    def told(self, conversation: str = "main") -> list[str]:
        return [f"{row.get('reason', '')}:{row['content']}" for row in self.rows(conversation)]


@pytest.fixture
def place() -> Place:
    return Place()


def test_words_and_answer_are_rows_once_and_in_order(place: Place) -> None:
    """As soon as OpenClaw has them; looked at again, nothing is doubled."""
    for number, name in enumerate(("message-1", "message-2")):
        place.send(name)
        place.openclaw.words(name, 2_000_000 + number)
        place.look()
        assert place.told()[-1] == f":words {name}"
        place.openclaw.answer(name)
        place.look()
        place.look()
    assert place.told() == [":words message-1", "final:answer message-1", ":words message-2", "final:answer message-2"]
    assert [row.get("replyTo") for row in place.rows()] == [None, "message-1", None, "message-2"]
    assert place.notes() == []
    (title,) = Conversations().list(place.user)
    assert (title["title"], title["preview"]) == ("words message-1", "answer message-2")


@pytest.mark.parametrize("known", [False, True])
def test_the_next_container_writes_what_a_killed_one_did_not(place: Place, known: bool) -> None:
    place.send("message-1")
    place.openclaw.words("message-1", 2_000_000)
    if known:
        place.look()
    place.openclaw.answer("message-1")
    place.anew()
    place.look()
    assert place.told() == [":words message-1", "final:answer message-1"]
    assert place.notes() == []


def test_a_state_that_lost_the_words_leaves_no_rows(place: Place) -> None:
    """Neither the agent nor the history has them; the note does not stay for ever."""
    place.send("message-1")
    place.anew()
    place.look()
    assert place.notes() == ["message-1"], "OpenClaw may have it in a queue"
    place.clock.step(LOST + 1)
    place.look()
    assert (place.notes(), place.told()) == ([], [])


def test_each_session_goes_to_its_conversation_and_the_consoles_own_to_none(place: Place) -> None:
    place.send("message-1", "agent:main:web-trip")
    place.send("message-2", "agent:main:dashboard:1")
    place.send("message-3", text="/status")
    assert place.notes() == ["message-1"]
    place.openclaw.words("message-1", 2_000_000, "agent:main:web-trip")
    place.openclaw.answer("message-1", session="agent:main:web-trip")
    place.look()
    assert place.told("Trip") == [":words message-1", "final:answer message-1"]


def test_what_another_run_takes_in_is_answered_there(place: Place) -> None:
    """Ours took the console's in; then the console's took ours in: ours has the answer, which is there once."""
    place.openclaw.words("of-the-page-1", 2_000_000)
    place.send("message-1")
    place.openclaw.words("message-1", 2_000_001)
    place.written.stray(final("message-1", ""))
    place.openclaw.answer("of-the-page-1", "Both.")
    place.look()
    assert place.told() == [":words message-1", "steered:"]
    place.send("message-2")
    place.openclaw.words("message-2", 2_000_002)
    place.openclaw.words("of-the-page-2", 2_000_003)
    place.openclaw.answer("message-2", "Both again.")
    place.look()
    assert place.told()[2:] == [":words message-2", "steered:"]


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("first", ["page", "console"])
def test_what_shares_an_answer_with_the_page_leaves_it_there_after_a_kill(
    place: Place, first: str, resumed: bool
) -> None:
    """What the killed container had heard of the runs is gone; the next one has the transcript only."""
    place.send("message-1")
    names = ["of-the-page-1", "message-1"] if first == "page" else ["message-1", "of-the-page-1"]
    for number, name in enumerate(names):
        place.openclaw.words(name, 2_000_000 + number)
    place.anew()
    if resumed:
        place.openclaw.resumed("r1")
    else:
        place.openclaw.answer(names[0], "Both.")
    place.look()
    assert place.told() == [":words message-1", "steered:"]
    assert is_over(place.user, "message-1")


@pytest.mark.parametrize("killed", [False, True])
def test_of_two_messages_of_the_console_the_first_has_the_answer(place: Place, killed: bool) -> None:
    """Also if the container is killed when the first one is over: the second one still knows it."""
    for number, name in enumerate(("message-1", "message-2")):
        place.send(name)
        place.openclaw.words(name, 2_000_000 + number)
    place.openclaw.answer("message-1", "Both.")
    if killed:
        place.noted.waits_in(MAIN)
        settle, place.written._settle = place.written._settle, lambda *rest: None  # type: ignore[method-assign]
        transcript = Transcript(place.openclaw, MAIN)  # type: ignore[arg-type]
        settle(place.openclaw, MAIN, transcript, place.noted.waiting()[MAIN][0])  # type: ignore[arg-type]
        assert place.notes() == ["message-2"]
    place.anew()
    place.look()
    assert place.told() == [":words message-1", "final:Both.", ":words message-2", "steered:"]


def test_tabs_are_told_what_a_killed_container_has_stored(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It died between the row and the end of the note: the row counts."""
    place.send("message-1")
    place.openclaw.words("message-1", 2_000_000)
    place.written.stray(final("message-1", ""))
    monkeypatch.setattr(place.noted, "over", lambda name: None)
    place.look()
    place.anew()
    place.openclaw.answer("message-1", "An answer of its own.")
    place.look()
    assert place.told() == [":words message-1", "steered:"]
    told = [frame for _, frame in place.post.frames if frame.get("role") == "assistant"]
    assert [(frame["content"], frame["reason"]) for frame in told] == [("", "steered")]


def test_an_answer_before_the_next_message_of_ours_stays_its_own(place: Place) -> None:
    place.send("message-1")
    place.openclaw.words("message-1", 2_000_000)
    place.openclaw.answer("message-1")
    place.openclaw.words("of-the-page-1", 2_000_001)
    place.openclaw.answer("of-the-page-1")
    place.look()
    assert place.told() == [":words message-1", "final:answer message-1"]


def test_a_failure_is_told_and_so_is_a_run_that_is_gone(place: Place) -> None:
    place.send("message-1")
    place.openclaw.words("message-1", 2_000_000)
    place.written.stray(failed("message-1", "no"))
    place.send("message-2")
    place.openclaw.words("message-2", 2_000_001)
    place.openclaw.running = False
    place.look()
    assert [row["error"]["code"] for row in place.rows() if "error" in row] == ["PROVIDER_ERROR"]
    place.clock.step(2_000_000 + LOST)
    place.look()
    assert [row["error"]["code"] for row in place.rows() if "error" in row] == ["PROVIDER_ERROR", "AGENT_CRASHED"]
    assert place.notes() == []


def test_only_its_own_events_ask_for_a_look(place: Place) -> None:
    place.send("message-1")
    place.written.hear({"event": "session.message", "payload": {"sessionKey": "agent:main:web-trip"}})
    place.written.stray(final("of-the-page-1", "hello"))
    assert place.looks == 0
    place.written.hear({"event": "session.message", "payload": {"sessionKey": MAIN}})
    place.written.stray(final("message-1", "hello"))
    assert place.looks == 2


def test_files_are_named_with_the_words(place: Place) -> None:
    place.send("message-1", attachments=[{"type": "image", "fileName": "cat.png", "content": "…"}])
    place.openclaw.words("message-1", 2_000_000)
    place.look()
    assert place.told() == [":words message-1\n📎 cat.png"]
