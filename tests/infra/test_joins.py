"""Stacks know each other by SSM names only; both sides agree, and nobody reads what comes later."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cdk.synthesized import STACKS, Deployment, text
from ops.names import APPLICATION, ORDER, parameter

Json = dict[str, Any]
RESOLVE = re.compile(r"\{\{resolve:ssm:/serverless-openclaw/(?:\$\{Stage\}|dev)/([a-z/-]+)\}\}")


def exports(dev: Deployment, package: Any) -> dict[str, set[str]]:
    """What each stack publishes, by path."""
    found = {
        stack: {p["Name"].removeprefix(parameter("dev")) for _, p in dev.resources(stack, "AWS::SSM::Parameter")}
        for stack in STACKS
    }
    found[APPLICATION] = {
        resource["Properties"]["Name"].removeprefix(parameter("dev"))
        for resource in package.template["Resources"].values()
        if resource["Type"] == "AWS::SSM::Parameter"
    }
    return found


def imports(package: Any) -> dict[str, set[str]]:
    found = {stack: set(RESOLVE.findall(text(stack))) for stack in STACKS}
    found[APPLICATION] = set(RESOLVE.findall(json.dumps(package.template)))
    return found


def test_every_import_is_exported_by_an_earlier_stack(dev: Deployment, package: Any) -> None:
    published, read = exports(dev, package), imports(package)
    known: set[str] = set()
    for stack in ORDER:
        assert read[stack] <= known, f"{stack} reads what no earlier stack publishes"
        known |= published[stack]


def test_the_joins_are_not_empty(package: Any) -> None:
    read = imports(package)
    assert read["compute"] == {"storage/data-bucket", "storage/repository-uri"}
    assert read["monitoring"] == {"api/websocket-id"}
    assert len(read[APPLICATION]) >= 9


def test_every_export_is_read_by_somebody(dev: Deployment, package: Any) -> None:
    """By a stack, by `make deploy` or by the Bridge."""
    read = {path for paths in imports(package).values() for path in paths}
    root = Path(__file__).resolve().parent.parent.parent
    files = [*sorted((root / "ops").rglob("*.py")), *sorted((root / "container" / "bridge").rglob("*.py"))]
    sources = "\n".join(path.read_text() for path in files)
    for paths in exports(dev, package).values():
        for path in paths:
            assert path in read or f'"{path.split("/")[-1]}"' in sources or f'"{path}"' in sources, path


def test_no_stack_refers_to_another_directly(templates: dict[str, Json]) -> None:
    for stack, template in templates.items():
        assert "Fn::ImportValue" not in json.dumps(template), stack
        assert "Outputs" not in template or "Export" not in json.dumps(template["Outputs"]), stack


def test_secrets_are_in_no_template(templates: dict[str, Json], package: Any) -> None:
    """SecureStrings are written by `ops.secrets`; CloudFormation never sees a value."""
    for document in (*templates.values(), package.template):
        whole = json.dumps(document)
        assert "resolve:ssm-secure" not in whole
        assert "resolve:secretsmanager" not in whole
        assert "SecureString" not in whole
        # A policy says who may read a parameter; nothing says what is in it.
        named = r"parameter/serverless-openclaw/[^/\"]+/(telegram-bot-token|[a-z]+-api-key)"
        whole = re.sub(named, "", whole)
        assert "api-key" not in whole
        assert "bot-token" not in whole


def test_the_bridge_reads_secrets_at_one_level_and_joins_lie_below(dev: Deployment, package: Any) -> None:
    """One call of up to ten parameters at start: what it does not need is a level deeper."""
    flat = {path for paths in exports(dev, package).values() for path in paths if "/" not in path}
    assert flat == {"websocket-url"}


@pytest.mark.parametrize("stack", STACKS)
def test_one_template_serves_every_stage(stack: str) -> None:
    assert "-dev" not in text(stack)
    assert "-prod" not in text(stack)
    assert json.loads(text(stack))["Parameters"]["Stage"]["AllowedPattern"] == "[a-z][a-z0-9]{1,11}"


@pytest.mark.parametrize("stack", STACKS)
def test_the_committed_template_is_the_synthesized_one(synthesized: Path, stack: str) -> None:
    """`python -m cdk.app` writes them; cdk-nag has looked at each, or this would not be reached."""
    assert (synthesized / f"{stack}.json").read_text() == text(stack), "run: python -m cdk.app"


@pytest.mark.parametrize("stack", STACKS)
def test_a_template_fits_into_the_call(stack: str) -> None:
    """CloudFormation takes 51,200 bytes without an upload."""
    assert len(json.dumps(json.loads(text(stack)), separators=(",", ":")).encode()) < 51_200
