"""Lambda on this machine: a pool of instances, each a process that serves one event at a time."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MAX_INSTANCES = 6
# API Gateway gives an integration 29 s.
TIMEOUT_SECONDS = 29
# A REST event carries up to 6 MB.
LINE_LIMIT = 32 * 1024 * 1024
ANSWER_LIMIT = 6_291_556  # Lambda's limit on a response, in bytes


class FunctionError(Exception):
    """The function raised, crashed or took too long."""


class Functions:
    """Starts an instance when all others are busy, and keeps it."""

    def __init__(self, env: Mapping[str, str], root: Path, log: Path) -> None:
        self.environment = dict(env)
        self._root = root
        self._log = log
        self._idle: asyncio.LifoQueue[asyncio.subprocess.Process] = asyncio.LifoQueue()
        self._count = 0

    async def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """The function's result. Raises FunctionError."""
        instance = await self._take()
        line = json.dumps({"function": function, "event": event}) + "\n"
        assert instance.stdin is not None
        assert instance.stdout is not None
        try:
            instance.stdin.write(line.encode())
            raw = await asyncio.wait_for(self._answer(instance), TIMEOUT_SECONDS)
        except (TimeoutError, OSError):
            raw = b""
        if not raw:
            self._count -= 1
            if instance.returncode is None:
                instance.kill()
            raise FunctionError(f"{function} gave no answer")
        self._idle.put_nowait(instance)
        answer = json.loads(raw)
        if "error" in answer:
            raise FunctionError(str(answer["error"]))
        if len(raw) > ANSWER_LIMIT:
            raise FunctionError(f"{function} gave an answer of {len(raw)} bytes")
        return answer["result"]

    @staticmethod
    async def _answer(instance: asyncio.subprocess.Process) -> bytes:
        assert instance.stdin is not None
        assert instance.stdout is not None
        await instance.stdin.drain()
        return await instance.stdout.readline()

    async def _take(self) -> asyncio.subprocess.Process:
        if self._idle.empty() and self._count < MAX_INSTANCES:
            self._count += 1
            return await self._start()
        return await self._idle.get()

    async def _start(self) -> asyncio.subprocess.Process:
        with open(self._log, "ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "local.function_worker",
                cwd=self._root,
                env=self.environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LINE_LIMIT,
            )

    async def warm(self, count: int) -> None:
        """Start instances before they are needed."""
        for _ in range(count):
            self._count += 1
            self._idle.put_nowait(await self._start())

    async def close(self) -> None:
        while not self._idle.empty():
            instance = self._idle.get_nowait()
            if instance.returncode is None:
                instance.kill()
                await instance.wait()
