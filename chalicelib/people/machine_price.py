"""What AWS takes for an agent's machine: the one place where its time becomes money, for the deployment's engine.

A test holds these list prices to ops/prices.json and to the machine's size. A Fargate task is counted on Spot. A
MicroVM has one price for running, and takes more for each start, for each pause, and for its snapshot's storage.
"""

from dataclasses import dataclass

from chalicelib.platform.clock import MINUTE
from chalicelib.platform.settings import MICROVM, Settings

NANO = 1_000_000_000
HOUR = 60 * MINUTE
# Fargate, an hour of a vCPU and of the task's memory on Spot, and of its public IPv4 address.
VCPU_USD, MEMORY_USD, ADDRESS_USD = 0.012952, 0.002848, 0.005
# A MicroVM: a second of a vCPU and of a GB; a GB written at a suspend, read at a start or resume, stored for a month.
SECOND_VCPU_USD, SECOND_GB_USD = 0.0000276944, 0.0000036667
WRITE_USD, READ_USD, STORED_USD = 0.0038, 0.00155, 0.08
MACHINE_VCPU, MACHINE_GB = 1.0, 2.0
# Memory that a suspended agent holds, and with it the size of a snapshot: OpenClaw and the Bridge have 0.6 GB after a
# turn on one machine; the rest is the system's, assumed.
SNAPSHOT_GB = 1.0
MONTH_HOURS = 730
MACHINE_LIFE = 8 * HOUR  # the longest, running and suspended together


@dataclass(frozen=True)
class Used:
    """Of one machine, in ms: how long it ran, and how long it existed. `starts`: 0 if an earlier month paid it."""

    running: int = 0
    existed: int = 0
    starts: int = 0
    suspends: int = 0


@dataclass(frozen=True)
class MachinePrice:
    """US dollars for an hour of running, for a start, for a suspend with its resume, for an hour of storage."""

    hour: float
    start: float = 0.0
    pause: float = 0.0
    stored: float = 0.0

    def nano(self, used: Used) -> int:
        """Billionths of a dollar, rounded up. Storage counts while a machine exists, if it was ever suspended."""
        running = -(-used.running * round(self.hour * NANO) // HOUR)
        stored = -(-used.existed * round(self.stored * NANO) // HOUR) if used.suspends else 0
        return running + stored + used.starts * round(self.start * NANO) + used.suspends * round(self.pause * NANO)


def fargate(settings: Settings) -> MachinePrice:
    return MachinePrice(VCPU_USD * settings.agent_vcpu + MEMORY_USD + (0 if settings.ipv6_only else ADDRESS_USD))


def microvm() -> MachinePrice:
    return MachinePrice(
        hour=3600 * (MACHINE_VCPU * SECOND_VCPU_USD + MACHINE_GB * SECOND_GB_USD),
        start=SNAPSHOT_GB * READ_USD,
        pause=SNAPSHOT_GB * (WRITE_USD + READ_USD),
        stored=SNAPSHOT_GB * STORED_USD / MONTH_HOURS,
    )


def machine_price(settings: Settings | None = None) -> MachinePrice:
    """Of this deployment's engine."""
    settings = settings or Settings.from_env()
    return microvm() if settings.runtime == MICROVM else fargate(settings)


def price_of(task: str | None, settings: Settings | None = None) -> MachinePrice:
    """Of the engine that a task was on, by its name: a stage may have changed its engine. None: that of now."""
    settings = settings or Settings.from_env()
    if task is None:
        return machine_price(settings)
    return fargate(settings) if task.startswith("arn:") else microvm()


def nano_usd(milliseconds: int, starts: int = 0) -> int:
    """The price of a machine that runs for so long, with so many starts."""
    return machine_price().nano(Used(running=milliseconds, starts=starts))
