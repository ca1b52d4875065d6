"""What a machine costs, on both engines: list prices of ops/prices.json times what it used."""

import json

import pytest

from cdk import microvm_image
from chalicelib.agents.microvms import LIFE_SECONDS
from chalicelib.people import machine_price
from chalicelib.people.machine_price import NANO, Used, fargate, microvm, nano_usd, price_of
from chalicelib.platform.clock import MINUTE
from chalicelib.platform.settings import Settings
from ops.steps import ROOT

PRICES = {name: one["price"] for name, one in json.loads((ROOT / "ops" / "prices.json").read_text())["prices"].items()}
HOUR = 60 * MINUTE
ON_FARGATE, ON_MICROVM = Settings({}), Settings({"RUNTIME": "microvm"})


def usd(used: Used, settings: Settings) -> float:
    return machine_price.machine_price(settings).nano(used) / NANO


def test_the_prices_of_a_microvm_are_those_of_the_table() -> None:
    """Fargate's are held to it in tests/infra/test_cost.py, beside the task's size."""
    names = {
        "microvm_vcpu_second": machine_price.SECOND_VCPU_USD,
        "microvm_gb_second": machine_price.SECOND_GB_USD,
        "microvm_write_gb": machine_price.WRITE_USD,
        "microvm_read_gb": machine_price.READ_USD,
        "microvm_gb": machine_price.STORED_USD,
    }
    assert names == {name: PRICES[name] for name in names}
    assert machine_price.MACHINE_GB * 1024 == microvm_image.MEMORY_MIB
    assert machine_price.MACHINE_LIFE == LIFE_SECONDS * 1000


def test_an_hour_of_running_without_a_pause() -> None:
    used = Used(HOUR, HOUR, starts=1)
    assert usd(used, ON_FARGATE) == pytest.approx(0.0208)
    second = PRICES["microvm_vcpu_second"] + 2 * PRICES["microvm_gb_second"]
    assert usd(used, ON_MICROVM) == pytest.approx(3600 * second + PRICES["microvm_read_gb"])


def test_pauses_cost_a_write_a_read_and_the_storage() -> None:
    """Eight hours, in which it ran for twenty minutes and was suspended ten times. Fargate knows no pause."""
    used = Used(20 * MINUTE, 8 * HOUR, starts=1, suspends=10)
    running = 1200 * (PRICES["microvm_vcpu_second"] + 2 * PRICES["microvm_gb_second"])
    cycles = 10 * (PRICES["microvm_write_gb"] + PRICES["microvm_read_gb"]) + PRICES["microvm_read_gb"]
    assert usd(used, ON_MICROVM) == pytest.approx(running + cycles + 8 / 730 * PRICES["microvm_gb"])
    assert usd(used, ON_FARGATE) == pytest.approx(0.0208 / 3)


def test_a_task_has_the_price_of_the_engine_that_it_was_on() -> None:
    arn, machine = "arn:aws:ecs:us-east-1:123456789012:task/x/1", "microvm-1"
    for settings in (ON_FARGATE, ON_MICROVM):
        assert price_of(arn, settings) == fargate(settings)
        assert price_of(machine, settings) == microvm()
    assert (price_of(None, ON_FARGATE), price_of(None, ON_MICROVM)) == (fargate(ON_FARGATE), microvm())


def test_nothing_is_rounded_down(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nano_usd(1) == 6  # 5.8 billionths
    assert nano_usd(0, 1) == 0
    monkeypatch.setenv("RUNTIME", "microvm")
    assert nano_usd(1) == 36
    assert nano_usd(0, 1) == round(PRICES["microvm_read_gb"] * NANO)
