"""Settings of one deployed stage, read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

ENGINES = ("fargate", "microvm")
FARGATE, MICROVM = ENGINES


class MissingSetting(LookupError):
    """A variable that this function needs is not set."""


def stage() -> str:
    """The stage's name; every table and parameter name carries it."""
    return os.environ.get("STAGE", "dev")


def table_name(noun: str) -> str:
    """The full name of one of the five tables."""
    return f"serverless-openclaw-{stage()}-{noun}"


@dataclass(frozen=True)
class Settings:
    """What a handler may read; a missing variable is an error only where it is used."""

    env: Mapping[str, str]

    @classmethod
    def from_env(cls) -> "Settings":
        return cls(os.environ)

    def need(self, name: str) -> str:
        """The variable's value. Raises MissingSetting when absent or empty."""
        value = self.env.get(name, "")
        if not value:
            raise MissingSetting(f"the environment variable {name} is not set")
        return value

    def optional(self, name: str, default: str = "") -> str:
        return self.env.get(name, "") or default

    @property
    def runtime(self) -> str:
        """The engine: `fargate` (the default) or `microvm`. Raises MissingSetting for anything else."""
        name = self.optional("RUNTIME", ENGINES[0])
        if name not in ENGINES:
            raise MissingSetting(f"RUNTIME must be one of {', '.join(ENGINES)}, not {name}")
        return name

    @property
    def ipv6_only(self) -> bool:
        """Whether agents run in subnets without IPv4 (docs/deployment.md)."""
        return self.optional("IPV6_ONLY") == "true"

    @property
    def agent_vcpu(self) -> float:
        """The share of a processor that an agent's task has."""
        return int(self.optional("AGENT_CPU", "1024")) / 1024

    def items(self, name: str) -> tuple[str, ...]:
        """A comma-separated variable as a tuple; empty when unset."""
        return tuple(part.strip() for part in self.optional(name).split(",") if part.strip())
