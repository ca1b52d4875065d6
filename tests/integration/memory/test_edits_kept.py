"""Edits of memory files that other files replace, that odd rows surround, or that nobody told of."""

from pathlib import Path
from typing import Any

import pytest

from chalicelib.agents.notes import Changes, Edits, version_of
from chalicelib.platform.models import SettingItem
from chalicelib.wire.protocol import ProtocolError
from tests.support.client import eventually
from tests.support.noted import Container, Person


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


def test_an_import_that_fails_takes_no_edit_with_it(person: Person, tmp_path: Path) -> None:
    """After `/restore previous` what is restored then is older than what was kept."""
    person.edit("I like coffee")
    container = person.container(tmp_path / "next")
    container.memory._back = 1

    def put() -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011  the put's own
        container.memory.replace("before import", put, lambda work: work())
    assert container.soul.read_text() == "I like tea"
    eventually(lambda: container.soul.read_text() == "I like coffee", 10)
    container.edits.close()
    container.memory.save()
    assert (person.read()["text"], Edits().of(person.id)) == ("I like coffee", {})


def odd_row(person: Person, key: str, value: Any) -> None:
    SettingItem(person.id, key, value=value).save()


def test_a_row_of_another_version_keeps_no_agent_from_starting(person: Person, tmp_path: Path) -> None:
    edit = person.edit("I like coffee")
    odd_row(person, "note#MEMORY.md", edit.wire() | {"colour": "red"})
    odd_row(person, "note#SOUL.md", {"name": "SOUL.md"})
    odd_row(person, "notes-changed", {"colour": "red"})
    assert Changes().get(person.id) is None
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
