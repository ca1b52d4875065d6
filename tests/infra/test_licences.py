"""What ships, under which licences; and the bills of materials of the lock files."""

import json
import sys

import pytest

from ops import licences, sbom
from ops.licences import AGENT, FUNCTIONS, OPENCLAW, PAGE, Component


@pytest.fixture(scope="module")
def shipped() -> list[Component]:
    return licences.components()


def test_every_licence_is_allowed(shipped: list[Component]) -> None:
    """An unknown or refused one: look at the package, then add it to ALLOWED, MEANT or STATED, or do without it."""
    assert [one for one in shipped if not licences.allowed(one.licence)] == []


def test_everything_that_ships_is_in_the_list(shipped: list[Component]) -> None:
    places = {
        place: {one.name for one in shipped if one.place == place} for place in (AGENT, FUNCTIONS, OPENCLAW, PAGE)
    }
    assert {"aiohttp", "boto3", "botocore", "multidict", "cffi"} <= places[AGENT], "with what they need"
    listed = {one.name.replace(".", "-") for one in licences.named(licences.REQUIREMENTS[FUNCTIONS])}
    assert places[FUNCTIONS] == listed | {"chalice"}
    assert "openclaw" in places[OPENCLAW]
    assert len(places[OPENCLAW]) > 300
    assert "react" in places[PAGE]
    assert "vite" not in places[PAGE], "for development only"


def test_what_is_stated_by_hand_is_needed(shipped: list[Component]) -> None:
    assert set(licences.STATED) <= {one.name for one in shipped}


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT AND MPL-2.0", True),
        ("(MIT OR GPL-3.0-or-later)", True),
        ("GPL-3.0-only", False),
        ("LGPL-2.1-only", False),
        ("MIT AND AGPL-3.0-only", False),
        ("SEE LICENSE IN LICENSE.md", False),
        ("Free for you", False),
        ("", False),
    ],
)
def test_what_may_ship(expression: str, allowed: bool) -> None:
    assert licences.allowed(expression) is allowed


@pytest.mark.parametrize("place", [OPENCLAW, PAGE])
def test_the_bill_of_a_lock_file_names_each_package(place: str, shipped: list[Component]) -> None:
    bill = json.loads(sbom.of_npm(place))
    assert bill["bomFormat"] == "CycloneDX"
    named = {f"{one.get('group', '')}/{one['name']}".lstrip("/") for one in bill["components"]}
    assert len(named) > 100
    # npm leaves out what is there for a peer only, such as types.
    assert named <= {one.name for one in shipped if one.place == place}


@pytest.mark.parametrize(("said", "status"), [([sbom.CLEAN], 0), (["CVE-1", sbom.CLEAN], 1), (["no such service"], 1)])
def test_an_audit_that_found_something_or_could_not_be_done_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, said: list[str], status: int
) -> None:
    monkeypatch.setattr(sbom, "write", lambda: [])
    monkeypatch.setattr(sbom, "audit", lambda: [f"audit of the agent: {words}" for words in said])
    monkeypatch.setattr(sys, "argv", ["sbom", "--audit"])
    assert sbom.main() == status
