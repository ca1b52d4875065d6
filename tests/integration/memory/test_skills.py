"""A person's skills, through faults: stored before they are acknowledged, applied again after a kill, never lost."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.memory import applying
from bridge.memory.skills import SkillWishes
from chalicelib.agents.skill_files import from_wire
from chalicelib.agents.skills import Skills, object_key
from chalicelib.platform import aws
from chalicelib.wire.protocol import ProtocolError
from tests.support.client import eventually
from tests.support.noted import Container, Person
from tests.support.skilled import folder, manual

SHOWN = {"key": "weather", "name": "weather", "on": True, "bundled": True}


class Skilled:
    """A container's part; OpenClaw is a stand-in with a list."""

    def __init__(self, person: Person, container: Container) -> None:
        self.container, self.reachable = container, True
        self.switched: list[tuple[str, bool]] = []
        generation = person.generation
        self.wishes = SkillWishes(
            (person.id, generation), container.memory, self.listed, self.switch, container.frames.append
        )
        container.memory.on_changed = self.wishes.saved

    @property
    def folder(self) -> Path:
        return self.container.root / "workspace" / "skills"

    def listed(self) -> list[dict[str, Any]]:
        if not self.reachable:
            raise ConnectionError
        own = [path.name for path in sorted(self.folder.glob("tea-*"))]
        return [SHOWN, *({"key": name, "name": name, "folder": name, "on": True} for name in own)]

    def switch(self, key: str, on: bool) -> None:
        if not self.reachable:
            raise ConnectionError
        self.switched.append((key, on))


def next_one(person: Person, root: Path) -> Skilled:
    """The next container: its parts are there before the memory is restored."""
    person.generation += 1
    container = Container(person.bucket, person.id, person.generation, root)
    skilled = Skilled(person, container)
    assert container.memory.restore()
    return skilled


@pytest.fixture
def skills(person: Person) -> Skills:
    return Skills(person.bucket)


@pytest.fixture
def awake(person: Person, tmp_path: Path) -> Iterator[Skilled]:
    skilled = next_one(person, tmp_path / "awake")
    skilled.container.memory.start()
    skilled.wishes.publish()
    yield skilled
    skilled.wishes.close()
    skilled.container.memory.close()


def objects(person: Person) -> list[str]:
    found = aws.client("s3").list_objects_v2(Bucket=person.bucket, Prefix=f"skills/{person.id}/")
    return [one["Key"] for one in found.get("Contents", [])]


def refusal(work: Any) -> str:
    with pytest.raises(ProtocolError) as refused:
        work()
    return refused.value.code


def test_asleep_it_waits_and_is_there_before_the_agent_starts(person: Person, skills: Skills, tmp_path: Path) -> None:
    wish = skills.upload(person.id, from_wire(folder()), False)
    assert skills.listed(person.id)["waiting"] == [wish.public()]
    assert objects(person) == [object_key(person.id, wish.id)]
    killed = next_one(person, tmp_path / "killed")
    assert (killed.folder / "tea-maker" / "SKILL.md").read_bytes() == manual()
    restored = next_one(person, tmp_path / "next")
    assert (restored.folder / "tea-maker").is_dir(), "no snapshot had it"
    restored.container.memory.close()
    known = skills.listed(person.id)
    assert [one["key"] for one in known["skills"]] == ["weather", "tea-maker"]
    assert (known["waiting"], objects(person)) == ([], [])
    assert restored.container.frames[-1] == {"type": "saved"}
    again = next_one(person, tmp_path / "again")
    assert (again.folder / "tea-maker").is_dir(), "the snapshot has it"
    assert [skills.switch(person.id, "tea-maker", on).action for on in (False, True, False)] == ["off", "on", "off"]
    asleep = next_one(person, tmp_path / "asleep")
    assert '"enabled": false' in (asleep.container.root / "openclaw.json").read_text()
    assert asleep.switched == [], "OpenClaw does not run yet"
    skills.delete(person.id, "tea-maker")
    assert not (next_one(person, tmp_path / "last").folder / "tea-maker").exists()


def test_awake_it_is_done_at_rest_and_told(
    person: Person, skills: Skills, awake: Skilled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "RETRY_SECONDS", 0.5)
    with awake.container.memory.turn():
        skills.upload(person.id, from_wire(folder()), False)
        awake.wishes.wake()
        threading.Event().wait(0.3)
        assert not (awake.folder / "tea-maker").exists()
    eventually(lambda: skills.listed(person.id)["waiting"] == [], 10)
    assert (awake.folder / "tea-maker").is_dir()
    awake.reachable = False
    skills.switch(person.id, "tea-maker", False)
    awake.wishes.wake()
    threading.Event().wait(0.3)
    assert len(skills.listed(person.id)["waiting"]) == 1, "it waits until OpenClaw is there again"
    awake.reachable = True
    eventually(lambda: skills.listed(person.id)["waiting"] == [], 20)
    assert awake.switched == [("tea-maker", False)]


def test_what_is_refused_before_it_is_stored(person: Person, skills: Skills, awake: Skilled) -> None:
    tea = from_wire(folder())
    assert refusal(lambda: skills.upload(person.id, from_wire(folder(**{"SKILL.md": manual("weather")})), True)) == (
        "SKILL_RESERVED"
    )
    assert refusal(lambda: skills.switch(person.id, "none", True)) == "NOT_FOUND"
    assert refusal(lambda: skills.switch(person.id, "weather", 1)) == "BAD_FIELD"
    assert refusal(lambda: skills.delete(person.id, "weather")) == "NOT_FOUND"
    skills.upload(person.id, tea, False)
    assert refusal(lambda: skills.upload(person.id, tea, False)) == "SKILL_EXISTS"
    skills.upload(person.id, tea, True)
    assert len(objects(person)) == 1, "of the upload that was replaced nothing is left"
    skills.delete(person.id, "tea-maker")
    assert objects(person) == []
    for number in range(19):
        skills.upload(person.id, from_wire(folder(**{"SKILL.md": manual(f"tea-{number}")})), False)
    assert refusal(lambda: skills.switch(person.id, "weather", False)) == "TOO_MANY"


def test_a_skill_that_the_agent_made_meanwhile_stays(person: Person, skills: Skills, awake: Skilled) -> None:
    own = awake.folder / "tea-maker"
    own.mkdir(parents=True)
    (own / "SKILL.md").write_text("the agent's")
    skills.upload(person.id, from_wire(folder()), False)
    awake.wishes.wake()
    waiting = eventually(lambda: (found := skills.listed(person.id)["waiting"])[0]["status"] == "refused" and found, 10)
    assert (waiting[0]["name"], objects(person)) == ("tea-maker", [])
    assert (own / "SKILL.md").read_text() == "the agent's"
    skills.delete(person.id, "tea-maker")
    assert skills.listed(person.id)["waiting"] == []
    assert own.is_dir(), "to dismiss the refusal deletes nothing"


def test_an_older_container_shows_nothing(person: Person, skills: Skills, tmp_path: Path) -> None:
    old, new = next_one(person, tmp_path / "old"), next_one(person, tmp_path / "new")
    new.wishes.publish()
    at = skills.listed(person.id)["at"]
    (old.folder / "tea-maker").mkdir(parents=True)
    old.wishes.publish()
    new.reachable = False
    new.wishes.publish()
    assert skills.listed(person.id) == {"at": at, "skills": [SHOWN], "waiting": []}
