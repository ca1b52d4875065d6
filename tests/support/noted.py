"""A container with the person's edits of memory files, and the person."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bridge.memory.changing import Changing
from bridge.memory.edits import MemoryEdits
from bridge.memory.memory import Memory
from bridge.memory.snapshots import Snapshots
from bridge.shared.rest import NotAtRest
from bridge.shared.user import AgentUser
from chalicelib.agents.notebook import Notebook
from chalicelib.agents.notes import Changes, Edit, Edits
from chalicelib.agents.tasks import LeaseLost
from chalicelib.agents.workspace import Workspace
from chalicelib.wire.protocol import Frame


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
