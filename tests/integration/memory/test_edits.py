"""A person's edits of memory files, through faults: none is lost, none overwrites what they have not read."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pynamodb.exceptions import DeleteError

from bridge.memory.changing import Changing
from bridge.memory.edits import MemoryEdits
from bridge.memory.memory import Memory
from bridge.memory.snapshots import Snapshots
from bridge.shared.rest import NotAtRest
from bridge.shared.user import AgentUser
from chalicelib.agents.notebook import Notebook
from chalicelib.agents.notes import Changes, Edit, Edits, version_of
from chalicelib.agents.tasks import LeaseLost
from chalicelib.agents.workspace import Workspace
from chalicelib.platform.models import SettingItem
from chalicelib.wire.protocol import Frame, ProtocolError
from tests.support.client import eventually


class Container:
    """The memory of one task, with its edits; `fence` says whether OpenClaw is still."""

    def __init__(self, bucket: str, user_id: str, generation: int, root: Path) -> None:
        self.frames: list[Frame] = []
        self.busy = self.lost = False
        self.root = root
        snapshots = Snapshots(bucket, user_id, generation)
        self.memory = Memory(snapshots, root, AgentUser(), self.held, every=0.05, fence=self.fence)
        self.edits = MemoryEdits(user_id, self.memory, self.frames.append)
        self.memory.on_changed = Changing(user_id, generation, snapshots.objects, self.edits.texts).saved

    def held(self) -> None:
        if self.lost:
            raise LeaseLost

    @contextmanager
    def fence(self) -> Iterator[None]:
        if self.busy:
            raise NotAtRest("automation", 0.05)
        yield

    @property
    def soul(self) -> Path:
        return self.root / "workspace" / "MEMORY.md"


class Person:
    """What the page asks the gateway for."""

    def __init__(self, bucket: str) -> None:
        self.bucket, self.id = bucket, uuid.uuid4().hex
        self.generation = 0

    @property
    def notebook(self) -> Notebook:
        return Notebook(Workspace(self.bucket), Edits(), Changes())

    def read(self) -> dict[str, Any]:
        return self.notebook.note(self.id, "MEMORY.md")

    def edit(self, text: str, version: str | None = None) -> Edit:
        read = self.read()
        shown = read["edit"] if read["edit"] and read["edit"]["status"] != "conflict" else read
        body = {"name": "MEMORY.md", "text": text, "version": shown["version"] if version is None else version}
        return self.notebook.edit(self.id, body)

    def container(self, root: Path) -> Container:
        """The next one, restored."""
        self.generation += 1
        container = Container(self.bucket, self.id, self.generation, root)
        assert container.memory.restore()
        return container


@pytest.fixture
def person(bucket: str, state: Path) -> Person:
    """With a saved memory, and an agent that sleeps."""
    person = Person(bucket)
    container = person.container(state)
    container.memory.save()
    return person


def test_asleep_it_waits_and_is_there_before_the_agent_starts(person: Person, tmp_path: Path) -> None:
    person.edit("I like coffee")
    assert (person.read()["text"], person.read()["edit"]["text"]) == ("I like tea", "I like coffee")
    person.edit("I like coffee and tea")
    next_one = person.container(tmp_path / "next")
    assert next_one.soul.read_text() == "I like coffee and tea"
    assert person.read()["edit"]["status"] == "applied", "no snapshot has it yet"
    next_one.memory.close()
    assert (person.read()["text"], person.read()["edit"]) == ("I like coffee and tea", None)
    assert next_one.frames == [{"type": "saved"}]
    assert Changes().get(person.id) is None, "the person's edit is no change of the agent's"


def replaced_by(container: Container, text: str) -> None:
    """As by going back or by an import; OpenClaw is not there to be stopped."""

    def put() -> None:
        container.soul.parent.mkdir(parents=True)
        container.soul.write_text(text)
        container.memory.snapshots.taken_in(container.root, "import")

    container.memory.replace("before import", put, lambda work: work())


@pytest.mark.parametrize(("there", "status"), [("I like tea", None), ("I like juice", "conflict")])
def test_an_edit_that_no_snapshot_has_is_compared_with_the_files_that_replace_its_file(
    person: Person, tmp_path: Path, there: str, status: str | None
) -> None:
    person.edit("I like coffee")
    container = person.container(tmp_path / "next")
    assert container.soul.read_text() == "I like coffee"
    replaced_by(container, there)
    eventually(lambda: container.edits._settled.applied or container.edits._settled.refused, 10)
    container.memory.save()
    container.edits.close()
    assert container.soul.read_text() == (there if status else "I like coffee")
    edit = person.read()["edit"]
    assert (edit and edit["status"]) == status
    assert person.read()["text"] == container.soul.read_text()


def odd_row(person: Person, key: str, value: Any) -> None:
    SettingItem(person.id, key, value=value).save()


def test_a_row_of_another_version_keeps_no_agent_from_starting(person: Person, tmp_path: Path) -> None:
    edit = person.edit("I like coffee")
    odd_row(person, "note#MEMORY.md", edit.wire() | {"colour": "red"})
    odd_row(person, "note#SOUL.md", {"name": "SOUL.md"})
    odd_row(person, "notes-changed", {"at": 1, "files": [], "colour": "red"})
    container = person.container(tmp_path / "next")
    assert container.soul.read_text() == "I like coffee"
    assert SettingItem.get(person.id, "note#MEMORY.md").value == edit.wire("applied") | {"colour": "red"}
    container.memory.close()
    assert Edits().of(person.id) == {}
    assert person.notebook.listed(person.id)["changed"] is not None


def test_nothing_about_edits_keeps_an_agent_from_starting(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(Edits, "of", odd)
    assert person.container(tmp_path / "next").memory.may_back_up


def test_an_edit_that_the_agent_has_is_not_dropped(person: Person, tmp_path: Path) -> None:
    edit = person.edit("I like coffee")
    container = person.container(tmp_path / "next")
    with pytest.raises(ProtocolError) as refused:
        person.notebook.discard(person.id, "MEMORY.md", edit.id)
    assert refused.value.code == "NOTE_APPLIED"
    assert person.edit("I like juice").bases == [version_of("I like tea"), version_of("I like coffee")]
    container.memory.close()
    assert (person.read()["text"], person.read()["edit"]["text"]) == ("I like coffee", "I like juice")


def test_a_repeated_request_gets_the_edit_that_is_stored(person: Person) -> None:
    read = person.read()["version"]
    edit = person.edit("I like coffee", read)
    assert person.edit("I like coffee", read) == edit


def test_an_edit_that_nobody_told_of_is_found(person: Person, awake: Container) -> None:
    person.edit("I like coffee")
    awake.edits.poll()
    eventually(lambda: person.read()["text"] == "I like coffee" and Edits().of(person.id) == {}, 10)


def test_killed_before_the_save_it_is_applied_once_more(person: Person, tmp_path: Path) -> None:
    person.edit("I like coffee")
    killed = person.container(tmp_path / "killed")
    assert killed.soul.read_text() == "I like coffee"
    assert person.container(tmp_path / "next").soul.read_text() == "I like coffee"


def test_killed_after_the_save_it_is_seen_as_applied(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.edit("I like coffee")
    killed = person.container(tmp_path / "killed")
    monkeypatch.setattr(killed.memory, "on_kept", lambda: None)
    killed.memory.save()
    assert person.read()["edit"] is None, "the page sees that it is in the snapshot"
    assert Edits().of(person.id) != {}
    next_one = person.container(tmp_path / "next")
    next_one.memory.close()
    assert (next_one.soul.read_text(), Edits().of(person.id)) == ("I like coffee", {})


def test_a_row_that_cannot_be_removed_goes_with_the_next_save(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the agent writes in between is no conflict, and is not overwritten, even if it is the text of before."""
    person.edit("I like coffee")
    container = person.container(tmp_path / "next")

    def throttled(*_: object) -> None:
        raise DeleteError("throttled")

    with monkeypatch.context() as patch:
        patch.setattr(Edits, "finish", throttled)
        container.memory.save()
    container.soul.write_text("I like tea")
    container.edits.wake()
    threading.Event().wait(0.5)
    container.memory.save()
    assert (person.read()["text"], Edits().of(person.id)) == ("I like tea", {})


def test_an_agent_that_wrote_since_keeps_its_text_and_the_person_sees_both(person: Person, tmp_path: Path) -> None:
    """The page read one snapshot; a container that was still working saved a newer one. Asleep."""
    first = person.container(tmp_path / "first")
    edit = person.edit("mine")
    first.soul.write_text("the agent's")
    first.memory.close()
    next_one = person.container(tmp_path / "next")
    next_one.memory.close()
    assert next_one.soul.read_text() == "the agent's"
    read = person.read()
    assert (read["text"], read["edit"]["text"], read["edit"]["status"]) == ("the agent's", "mine", "conflict")
    with pytest.raises(ProtocolError) as refused:
        person.edit("both", version_of("mine"))
    assert refused.value.code == "NOTE_CHANGED"
    assert person.edit("both", version_of("the agent's")).id != edit.id
    last = person.container(tmp_path / "last")
    last.memory.close()
    assert (last.soul.read_text(), person.read()["edit"]) == ("both", None)


@pytest.fixture
def awake(person: Person, tmp_path: Path) -> Iterator[Container]:
    container = person.container(tmp_path / "awake")
    container.memory.start()
    yield container
    container.edits.close()
    container.memory.close()


def test_awake_it_waits_for_the_end_of_a_turn_and_is_saved(person: Person, awake: Container) -> None:
    with awake.memory.turn():
        person.edit("I like coffee")
        awake.edits.wake()
        threading.Event().wait(0.3)
        assert awake.soul.read_text() == "I like tea"
        awake.busy = True
    threading.Event().wait(1.2)
    assert awake.soul.read_text() == "I like tea", "an automation runs"
    awake.busy = False
    eventually(lambda: person.read()["text"] == "I like coffee" and Edits().of(person.id) == {}, 10)
    assert awake.soul.read_text() == "I like coffee"


def test_awake_a_file_that_the_agent_changes_meanwhile_stays(person: Person, awake: Container) -> None:
    person.edit("mine")
    awake.soul.write_text("the agent's")
    awake.edits.wake()
    read = eventually(lambda: (one := person.read())["edit"]["status"] == "conflict" and one, 10)
    assert (read["text"], read["edit"]["text"], awake.soul.read_text()) == ("the agent's", "mine", "the agent's")
    person.notebook.discard(person.id, "MEMORY.md", read["edit"]["id"])
    assert person.read()["edit"] is None


def test_two_edits_in_a_row_while_the_first_is_being_applied(person: Person, awake: Container) -> None:
    """The second is made on the text of the first, which is in the file by then, or not."""
    person.edit("one")
    awake.edits.wake()
    person.edit("two", version_of("one"))
    awake.edits.wake()
    eventually(lambda: person.read()["text"] == "two" and person.read()["edit"] is None, 10)


def test_an_old_container_finishes_nothing(person: Person, tmp_path: Path) -> None:
    old = person.container(tmp_path / "old")
    person.edit("I like coffee")
    old.edits.restored()
    old.lost = True
    for _ in range(2):
        assert old.memory.save() is False
    assert Edits().of(person.id) != {}
    new = person.container(tmp_path / "new")
    new.memory.close()
    assert (person.read()["text"], Edits().of(person.id)) == ("I like coffee", {})


def test_a_memory_that_could_not_be_restored_gets_no_edit(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/start empty` must not use up what waits for the real memory."""
    person.edit("I like coffee")
    empty = Container(person.bucket, person.id, 9, tmp_path / "empty")
    monkeypatch.setattr(empty.memory.snapshots, "restore", lambda *_: (_ for _ in ()).throw(OSError))
    assert empty.memory.restore() is False
    empty.soul.parent.mkdir(parents=True)
    empty.soul.write_text("I like tea")
    empty.edits.wake()
    threading.Event().wait(0.5)
    empty.memory.close()
    assert (empty.soul.read_text(), person.read()["edit"]["status"]) == ("I like tea", "pending")


def test_another_person_reads_and_drops_nothing(person: Person, bucket: str) -> None:
    edit = person.edit("mine")
    other = Person(bucket)
    with pytest.raises(ProtocolError) as refused:
        other.read()
    assert refused.value.code == "NOT_FOUND"
    for work in (
        lambda: other.notebook.discard(other.id, "MEMORY.md", edit.id),
        lambda: other.notebook.edit(other.id, {"name": "MEMORY.md", "text": "x", "version": ""}),
    ):
        with pytest.raises(ProtocolError, match=r"no such edit|nothing is saved"):
            work()
    assert other.notebook.listed(other.id) == {"savedAt": None, "notes": [], "changed": None}
    assert person.read()["edit"]["id"] == edit.id


def test_what_the_agent_changed_is_kept_without_what_the_person_did(person: Person, tmp_path: Path) -> None:
    person.edit("I like coffee\n")
    container = person.container(tmp_path / "next")
    with container.soul.open("a") as soul:
        soul.write("Ann likes tea\n")
    container.memory.save()
    changed = person.notebook.listed(person.id)["changed"]
    assert changed["files"] == [{"name": "MEMORY.md", "diff": "@@ -1 +1,2 @@\n I like coffee\n+Ann likes tea"}]
    (container.root / "workspace" / "run.sh").write_text("another")
    container.memory.save()
    assert person.notebook.listed(person.id)["changed"] == changed, "a turn that changes no memory file"
