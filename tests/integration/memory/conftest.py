"""A person whom an agent remembers, and the agent's container."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.noted import Container, Person


@pytest.fixture
def person(bucket: str, state: Path) -> Person:
    """With a saved memory, and an agent that sleeps."""
    person = Person(bucket)
    container = person.container(state)
    container.memory.save()
    return person


@pytest.fixture
def awake(person: Person, tmp_path: Path) -> Iterator[Container]:
    container = person.container(tmp_path / "awake")
    container.memory.start()
    yield container
    container.edits.close()
    container.memory.close()
