"""The Dockerfile as data: stages, their steps and the image's settings."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
# RUN is not among them: its shell replaces variables itself.
EXPANDED = {"COPY", "ENV", "FROM", "USER", "WORKDIR"}
KNOWN = EXPANDED | {"ARG", "ENTRYPOINT", "HEALTHCHECK", "RUN", "STOPSIGNAL", "VOLUME"}


class NotUnderstood(Exception):
    """An instruction that we cannot execute. The build stops instead of building something else."""


@dataclass(frozen=True)
class Step:
    """One instruction; `line` counts from 1."""

    name: str
    value: str
    line: int

    def words(self) -> list[str]:
        """The value as a list, in either of Docker's two forms."""
        if self.value.startswith("["):
            listed: list[str] = json.loads(self.value)
            return listed
        return shlex.split(self.value)


@dataclass
class Stage:
    """`base` is an image's name or an earlier stage's."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)


@dataclass
class Settings:
    """The settings that instructions make; `arguments` exist only during the build."""

    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    volumes: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def take(self, step: Step) -> bool:
        """Apply the step. False if it also changes files (RUN, COPY, WORKDIR)."""
        value = self.expand(step.value) if step.name in EXPANDED else step.value
        apply = APPLY.get(step.name)
        if apply is not None:
            apply(self, step, value)
        return step.name not in ("RUN", "COPY", "WORKDIR")

    def expand(self, text: str) -> str:
        known = self.arguments | self.environment
        return VARIABLE.sub(lambda found: known.get(found[1] or found[2], ""), text)


def _argument(settings: Settings, step: Step, _: str) -> None:
    name, _, default = step.value.partition("=")
    settings.arguments.setdefault(name, default)


def _environment(settings: Settings, _: Step, value: str) -> None:
    settings.environment |= dict(pair.split("=", 1) for pair in shlex.split(value))


def _user(settings: Settings, _: Step, value: str) -> None:
    settings.user = value


def _volume(settings: Settings, step: Step, _: str) -> None:
    settings.volumes += step.words()


def _entrypoint(settings: Settings, step: Step, _: str) -> None:
    settings.entrypoint = step.words()


def _health(settings: Settings, step: Step, _: str) -> None:
    settings.health = Step("CMD", step.value.partition("CMD")[2].strip(), step.line).words()


def _folder(settings: Settings, _: Step, value: str) -> None:
    settings.folder = value


# What each instruction does to the settings, given its expanded value. Others change only files, or nothing.
APPLY: dict[str, Callable[[Settings, Step, str], None]] = {
    "ARG": _argument,
    "ENV": _environment,
    "USER": _user,
    "VOLUME": _volume,
    "ENTRYPOINT": _entrypoint,
    "HEALTHCHECK": _health,
    "WORKDIR": _folder,
}


def parse(text: str, arguments: Mapping[str, str] | None = None) -> list[Stage]:
    """The stages in order. Raises NotUnderstood."""
    whole = Settings(arguments=dict(arguments or {}))
    found: list[Stage] = []
    for step in _steps(text):
        if step.name not in KNOWN:
            raise NotUnderstood(f"line {step.line}: {step.name}")
        if step.name == "FROM":
            base, *named = re.split(r"\s+AS\s+", whole.expand(step.value), flags=re.IGNORECASE)
            found.append(Stage(base, named[0] if named else "final"))
        elif not found:
            whole.take(step)
        else:
            found[-1].steps.append(step)
    return found


def _steps(text: str) -> Iterator[Step]:
    """Instructions with their continued lines joined; comments and empty lines left out."""
    joined, begun = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begun = begun if joined else number
        joined += line.strip().removesuffix("\\") + (" " if line.endswith("\\") else "")
        if line.endswith("\\"):
            continue
        name, _, value = joined.partition(" ")
        if "<<" in value:
            raise NotUnderstood(f"line {begun}: a here-document")
        yield Step(name.upper(), value.strip(), begun)
        joined = ""
