"""A person's edits of memory files, through faults: none is lost, none overwrites what they have not read."""

import threading
from pathlib import Path

import pytest
from pynamodb.exceptions import DeleteError

from chalicelib.agents.notes import Changes, Edits, version_of
from chalicelib.wire.protocol import ProtocolError
from tests.support.client import eventually
from tests.support.noted import Container, Person


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
