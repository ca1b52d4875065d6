"""The price of a month: from the deployed sizes, with a dated source, and the same in the documents."""

import json
import re

import pytest

from cdk.synthesized import Deployment
from chalicelib.people.early import DEFAULT_USD
from chalicelib.people.machine_price import machine_price
from ops import cost, cost_page, image
from ops.steps import ROOT

PRICES = json.loads((cost.FOLDER / "prices.json").read_text())


def amount(lines: list[cost.Line], what: str) -> float:
    return next(line.amount for line in lines if line.what == what)


def test_every_price_has_a_source_and_the_table_a_date() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", PRICES["date"])
    for name, entry in PRICES["prices"].items():
        assert entry["source"].startswith("https://aws.amazon.com/"), name
        assert entry["unit"], name


def test_the_task_is_priced_by_its_synthesized_size(dev: Deployment) -> None:
    lines, task = cost.bill(cost.profile_of(2)), dev.task_definition()
    assert amount(lines, "Fargate, processor") == pytest.approx(60 * int(task["cpu"]) / 1024)
    assert amount(lines, "Fargate, memory") == pytest.approx(60 * int(task["memory"]) / 1024)


def test_the_repository_holds_as_many_images_as_are_kept() -> None:
    assert cost.profile_of()["image_gb"] == pytest.approx(image.KEPT * 0.202)


def test_public_addresses_and_logs_are_in_it() -> None:
    names = {line.what for line in cost.bill(cost.profile_of())}
    assert {"Public IPv4 address", "Logs", "Alarms", "Image repository", "Own metrics"} <= names


def test_two_hours_a_day_cost_about_a_dollar() -> None:
    """The promise of the first page, with room for AWS to raise a price."""
    assert 0.5 < cost.total(cost.bill(cost.profile_of(2))) < 2.0


def test_doing_nothing_costs_next_to_nothing() -> None:
    idle = cost.profile_of(0, 0) | {"starts_per_day": 0, "rest_calls_per_day": 0}
    assert cost.total(cost.bill(idle)) < 0.15


def test_more_hours_cost_more_and_on_demand_more_than_spot() -> None:
    bills = [cost.total(cost.bill(cost.profile_of(hours))) for hours in (0, 1, 2, 4, 8)]
    assert bills == sorted(bills)
    assert cost.total(cost.bill(cost.profile_of(2), spot=False)) > cost.total(cost.bill(cost.profile_of(2)))


def test_alarms_and_dashboard_stay_in_what_is_free() -> None:
    """Ten numbers read by alarms and three dashboards of up to 50 metrics are free in every account."""
    system = cost.read_system()
    assert system.alarm_metrics <= 10
    assert len(system.dashboards) <= 3
    assert max(system.dashboards) <= PRICES["prices"]["dashboard"]["free_metrics"] == 50


@pytest.mark.parametrize(("metrics", "due"), [([50], 0), ([51], 3), ([50, 50, 50, 50], 3), ([51, 1, 1, 1], 3), ([], 0)])
def test_a_dashboard_of_many_metrics_is_paid_for(metrics: list[int], due: float) -> None:
    assert cost._dashboards(PRICES["prices"]["dashboard"], metrics).due == due


def test_the_allowance_is_never_more_than_the_use() -> None:
    for line in cost.bill(cost.profile_of()):
        assert 0 <= line.due <= line.full + 1e-12


def test_the_page_holds_the_table() -> None:
    """docs/cost.md between its marks; the README copies from there."""
    text = cost_page.PAGE.read_text()
    assert text.split(cost_page.BEGIN)[1].split(cost_page.END)[0].strip() == cost_page.markdown().strip(), (
        "run: python -m ops.cost --markdown"
    )


def test_the_page_holds_the_table_of_the_options() -> None:
    text = cost_page.PAGE.read_text().split(cost_page.OPTIONS_BEGIN)[1].split(cost_page.OPTIONS_END)[0]
    assert text.strip() == cost_page.options().strip(), "run: python -m ops.cost --markdown"


def test_which_options_keep_the_dollar() -> None:
    """K1: two hours and 40 messages a day for a dollar a month, everything in it."""
    kept = {one.name for one in cost_page.COMBINATIONS if round(cost_page.totals(one)[0], 2) <= 1.00}
    assert kept == {"both"}


def test_an_option_changes_its_own_line_only() -> None:
    """And the command takes both."""
    plain = {line.what: line.due for line in cost.bill(cost.profile_of())}
    halved = {line.what: line.due for line in cost.bill(cost.profile_of(), system=cost.read_system("512", True))}
    changed = {name for name in plain if plain[name] != pytest.approx(halved[name])}
    assert changed == {"Fargate, processor", "Public IPv4 address"}
    assert halved["Fargate, processor"] == pytest.approx(plain["Fargate, processor"] / 2)
    assert halved["Public IPv4 address"] == 0


def test_the_readme_s_figure_is_the_computed_one() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README yet")
    text = readme.read_text()
    if cost_page.BEGIN in text:
        assert text.split(cost_page.BEGIN)[1].split(cost_page.END)[0].strip() == cost_page.markdown().strip()


def test_one_daily_automation_costs_cents() -> None:
    """H3: a month of one daily wake stays under 0.10 dollars."""
    assert cost.total(cost.bill(cost.profile_of(wakes=1))) - cost.total(cost.bill(cost.profile_of())) < 0.10


@pytest.mark.parametrize("ipv6_only", ["false", "true"])
@pytest.mark.parametrize("cpu", ["1024", "512"])
def test_the_price_of_early_starts_is_that_of_the_task_on_spot(
    ipv6_only: str, cpu: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Bridge and the functions have no price table of AWS: they reserve with a few numbers."""
    monkeypatch.setenv("IPV6_ONLY", ipv6_only)
    monkeypatch.setenv("AGENT_CPU", cpu)
    task = Deployment("dev", parameters={"AgentCpu": cpu}).task_definition()
    price = {name: entry["price"] for name, entry in PRICES["prices"].items()}
    vcpu, memory = int(task["cpu"]) / 1024, int(task["memory"]) / 1024
    fargate = vcpu * price["fargate_arm_vcpu_hour"] + memory * price["fargate_arm_gb_hour"]
    hour = fargate * (1 - price["fargate_spot_discount"])
    hour += 0 if ipv6_only == "true" else price["public_ipv4_hour"]
    assert pytest.approx(hour, rel=1e-6) == machine_price().hour


def test_the_budget_of_early_starts_is_shown_beside_the_total() -> None:
    assert cost.early_usd(cost.profile_of()) == DEFAULT_USD
    assert "| early starts, at most | 1 user | 0.30 | 0.30 |" in cost_page.markdown()
