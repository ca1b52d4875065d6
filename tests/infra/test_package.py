"""What is handed to CloudFormation: valid, small, compiled, complete (requirements F)."""

import ast
import importlib.util
import json
import marshal
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import cfnlint.api  # type: ignore[import-untyped]
import pytest
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

from ops.deployment import application, build
from ops.steps import ROOT

Json = dict[str, Any]
MEGABYTE = 1_000_000
# What the Lambda runtime has besides Python.
RUNTIME = {"boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3"}
# Variables that only the local stack and tests set; AWS_… are Lambda's own.
LOCAL_ONLY = {
    *("RUNTIME", "MICROVM_IMAGE", "MICROVM_ROLE", "MICROVM_LOG_GROUP"),  # `make deploy` refuses that engine
    "PUSH_LOCAL_URL",
    "CALLBACK_URL",
    "TELEGRAM_API_URL",
    "TELEGRAM_LINK_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
}


def test_cfn_lint_finds_nothing(package: Any) -> None:
    """No error and no warning."""
    options = ManualArgs(regions=["us-east-1"])
    assert [str(match) for match in cfnlint.api.lint(json.dumps(package.template), config=options)] == []


def test_the_sam_translator_takes_it(package: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    plain = transform(json.loads(json.dumps(package.template)), {}, ManagedPolicyLoader(_NoIam()))
    kinds = [resource["Type"] for resource in plain["Resources"].values()]
    assert kinds.count("AWS::Lambda::Function") == len(application.functions(package.template))
    assert "AWS::ApiGateway::RestApi" in kinds
    assert not [kind for kind in kinds if kind.startswith("AWS::Serverless")]


class _NoIam:
    """The translator asks IAM for AWS's managed policies; we name none."""

    def get_paginator(self, name: str) -> Any:
        raise AssertionError("no managed policy is used")


def test_the_package_is_small(package: Any) -> None:
    """8 MB at most: six functions load it, each on its own cold start."""
    assert package.zip.stat().st_size <= 8 * MEGABYTE


def test_botocore_is_the_runtime_s(package: Any) -> None:
    names = zipfile.ZipFile(package.zip).namelist()
    assert not [name for name in names if name.split("/")[0] in ("botocore", "boto3", "urllib3")]


def test_binaries_are_for_arm64(package: Any) -> None:
    with zipfile.ZipFile(package.zip) as archive:
        libraries = [name for name in archive.namelist() if name.endswith(".so")]
        assert any("cryptography" in name for name in libraries)
        for name in libraries:
            head = archive.read(name)[:20]
            assert int.from_bytes(head[18:20], "little") == 183, f"{name} is not for aarch64"


def test_every_source_has_bytecode_that_stays_valid(package: Any) -> None:
    """Zip entries are dated 1980: only unchecked hash-based bytecode is not thrown away."""
    with zipfile.ZipFile(package.zip) as archive:
        names = set(archive.namelist())
        own = {name for name in names if name.endswith(".py") and re.match(r"(app\.py|chalicelib/|chalice/)", name)}
        assert len(own) > 25
        for name in own:
            compiled = _compiled(name)
            assert compiled in names, f"{name} would be compiled at every cold start"
            raw = archive.read(compiled)
            assert raw[:4] == importlib.util.MAGIC_NUMBER
            assert int.from_bytes(raw[4:8], "little") == 0b01, "unchecked and by hash"
            assert marshal.loads(raw[16:]).co_filename == f"/var/task/{name}"  # noqa: S302  our own file


def test_libraries_are_compiled_too(package: Any) -> None:
    names = set(zipfile.ZipFile(package.zip).namelist())
    for module in ("pynamodb/models.py", "jwt/api_jwt.py", "requests/api.py", "cryptography/x509/base.py"):
        assert module in names
        assert _compiled(module) in names


def _compiled(name: str) -> str:
    path = Path(name)
    return str(path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc")


def test_the_package_is_complete(package: Any) -> None:
    """Everything the libraries ask for is in it or in the runtime: a missing one is only a warning to pip."""
    with zipfile.ZipFile(package.zip) as archive:
        texts = [archive.read(n).decode() for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
    found = [_headers(text) for text in texts]
    present = {canonicalize_name(name) for name, _ in found} | RUNTIME
    for name, needs in found:
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in present, f"{name} needs {need}"


WITHOUT = """
import sys
for name in {blocked}:
    sys.modules[name] = None
import jwt
from backports import zstd
from cryptography.hazmat.primitives.asymmetric import ec, rsa
for key, kind in ((rsa.generate_private_key(65537, 2048), "RS256"), (ec.generate_private_key(ec.SECP256R1()), "ES256")):
    token = jwt.encode({{"sub": "ann"}}, key, algorithm=kind)
    assert jwt.decode(token, key.public_key(), algorithms=[kind]) == {{"sub": "ann"}}
assert zstd.decompress(zstd.compress(b"memory")) == b"memory"
import app
"""


def test_what_is_left_out_is_never_imported(package: Any) -> None:
    """The functions' own modules, tokens and snapshots, with these modules made impossible to import."""
    names = zipfile.ZipFile(package.zip).namelist()
    assert not [name for name in names for left in build.UNUSED if name == left or name.startswith(f"{left}/")]
    blocked = [name.removesuffix(".py").replace("/", ".") for name in build.UNUSED]
    command = [sys.executable, "-c", WITHOUT.format(blocked=blocked)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _headers(text: str) -> tuple[str, list[str]]:
    head = text.split("\n\n")[0].splitlines()
    name = next(line[6:] for line in head if line.startswith("Name: "))
    return name, [line[15:] for line in head if line.startswith("Requires-Dist: ")]


def test_the_list_of_libraries_is_the_one_that_is_tested() -> None:
    """Versions in ops/deployment/lambda.txt are those of requirements.txt."""

    def pins(text: str) -> dict[str, str]:
        lines = [line.partition("#")[0].strip() for line in text.splitlines()]
        needs = [Requirement(line) for line in lines if line]
        return {canonicalize_name(need.name): str(need.specifier) for need in needs}

    ours, tested = pins(build.LIBRARIES.read_text()), pins((ROOT / "requirements.txt").read_text())
    for name, version in tested.items():
        if name != "chalice":  # its runtime is two files, which Chalice adds
            assert ours[name] == version


def functions(package: Any) -> dict[str, Json]:
    return {
        function["Properties"]["FunctionName"].removeprefix("serverless-openclaw-dev-"): function["Properties"]
        for function in application.functions(package.template).values()
    }


def test_every_function_can_be_called(package: Any) -> None:
    """Lambda looks the handler up in the module and calls it with event and context."""
    import inspect

    import app

    for name, function in functions(package).items():
        attribute = function["Handler"].split(".", 1)[1]
        found = getattr(app, attribute, None)
        assert callable(found), f"{name}: app.{attribute} is not there"
        inspect.signature(found).bind({}, None)


def test_every_function_is_configured() -> None:
    """In each stage: memory, timeout, its own policy, log retention."""
    stages = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]
    for stage, settings in stages.items():
        for name, entry in settings["lambda_functions"].items():
            assert entry["iam_policy_file"] == f"policy-{name}.json"
            assert (ROOT / ".chalice" / entry["iam_policy_file"]).exists()
            assert 256 <= entry["lambda_memory_size"] <= 1769, (stage, name)
            assert entry["lambda_timeout"] <= 240
            assert name == "api_handler" or entry["log_retention_in_days"] == application.LOG_DAYS
        assert settings["autogen_policy"] is False


def test_the_stages_differ_in_their_name_only() -> None:
    stages = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]
    text = {name: json.dumps(settings).replace(name, "<stage>") for name, settings in stages.items()}
    assert len(set(text.values())) == 1


def test_each_function_has_what_its_configuration_says(package: Any) -> None:
    config = build.config("dev")["stages"]["dev"]["lambda_functions"]
    assert set(functions(package)) == set(config)
    for name, function in functions(package).items():
        assert function["MemorySize"] == config[name]["lambda_memory_size"]
        assert function["Timeout"] == config[name]["lambda_timeout"]
        assert function["Architectures"] == ["arm64"]
        assert function["FunctionName"] == f"serverless-openclaw-dev-{name}"


def test_answers_fit_api_gateway_s_patience(package: Any) -> None:
    for name in ("api_handler", "websocket_connect", "websocket_message", "websocket_disconnect"):
        assert functions(package)[name]["Timeout"] <= 29


def test_every_variable_that_is_read_is_set(package: Any) -> None:
    """Found in the source: every name given to Settings or to os.environ."""
    read = {name for path in _sources() for name in _variables(path)} - LOCAL_ONLY
    assert {"STAGE", "ECS_CLUSTER", "DATA_BUCKET", "COGNITO_ISSUER"} <= read
    for name, function in functions(package).items():
        missing = read - set(function["Environment"]["Variables"])
        assert missing == set(), f"{name} reads what .chalice/config.json does not set"


def test_no_variable_is_set_for_nothing(package: Any) -> None:
    read = {name for path in _sources() for name in _variables(path)}
    for function in functions(package).values():
        assert set(function["Environment"]["Variables"]) <= read


def _sources() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "chalicelib").rglob("*.py"))]


def _variables(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first = node.args[0]
            named = isinstance(first, ast.Constant) and isinstance(first.value, str)
            base = getattr(node.func.value, "attr", "")
            reads = node.func.attr in ("need", "optional", "items") or (node.func.attr == "get" and base == "environ")
            if named and reads and first.value.isupper():  # type: ignore[attr-defined]
                found.add(first.value)  # type: ignore[attr-defined]
    return found


def test_every_function_s_log_ends(package: Any) -> None:
    """A group without retention is kept, and paid for, for ever."""
    resources = package.template["Resources"]
    groups = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Logs::LogGroup"]
    assert {group["RetentionInDays"] for group in groups} == {application.LOG_DAYS}
    named = {group["LogGroupName"]["Fn::Sub"] for group in groups}
    assert named == {f"/aws/lambda/${{{name}}}" for name in application.functions(package.template)}


def test_policies_name_account_and_region(package: Any) -> None:
    """`${AWS::Region}` in a plain string would be taken literally."""

    def plain(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [] if "Fn::Sub" in value else [text for part in value.values() for text in plain(part)]
        if isinstance(value, list):
            return [text for part in value for text in plain(part)]
        return [value] if isinstance(value, str) and "${" in value else []

    roles = [r for r in package.template["Resources"].values() if r["Type"] == "AWS::IAM::Role"]
    assert len(roles) == len(functions(package)), "a role for each function"
    assert plain(roles) == []


def test_more_crons_make_more_functions() -> None:
    """Each with the prewarm function's settings and a policy for its own log."""
    told = {"PREWARM_CRONS": "0 8 ? * MON-FRI *; 0 19 * * ? *", "EMAIL": "a@example.com"}
    settings = build.config("dev", told)["stages"]["dev"]
    assert "EMAIL" not in settings["environment_variables"]
    assert settings["environment_variables"]["PREWARM_CRONS"].startswith("0 8")
    assert settings["lambda_functions"]["prewarm_2"]["iam_policy_file"] == "policy-prewarm_2.json"


def test_an_unknown_stage_is_named() -> None:
    with pytest.raises(build.BuildError, match=r"The stage qa is not in \.chalice/config\.json \(there: dev, prod\)"):
        build.config("qa")
