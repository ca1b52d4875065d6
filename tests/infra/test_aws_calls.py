"""Every call to AWS, held against botocore's model of the service, also where no test makes the call.

A fake answers to any name, and moto over HTTP to any parameter. What this cannot see: values that are known only
at run time, and pynamodb's own calls (the tests of the tables make those, and botocore checks them).
"""

import ast
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from tests.infra import aws_calls
from tests.infra.aws_calls import Use

USES = aws_calls.found().uses
# Headers that botocore takes as text of any kind, and bodies.
KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "timestamp": (int, str),
    "blob": (bytes, str),
}


def name_of(use: Use) -> str:
    return f"{use.where}:{use.method}"


def wrong(shape: Any, value: ast.expr, path: str) -> Iterator[str]:
    """What a literal has that the shape has not; other expressions are not known before they run."""
    if shape.type_name == "structure" and isinstance(value, ast.Dict):
        entries = aws_calls.literal(value)
        for name, part in entries.items():
            if name not in shape.members:
                yield f"{path} has no member {name}"
            else:
                yield from wrong(shape.members[name], part, f"{path}.{name}")
        if len(entries) == len(value.keys):
            yield from (f"{path} misses {name}" for name in shape.required_members if name not in entries)
    elif shape.type_name == "list" and isinstance(value, ast.List):
        for part in value.elts:
            yield from wrong(shape.member, part, f"{path}[]")
    elif isinstance(value, ast.ListComp) and shape.type_name == "list":
        yield from wrong(shape.member, value.elt, f"{path}[]")
    elif isinstance(value, ast.IfExp):
        yield from wrong(shape, value.body, path)
        yield from wrong(shape, value.orelse, path)
    elif isinstance(value, ast.Constant | ast.Dict | ast.List | ast.JoinedStr):
        yield from _plain(shape, value, path)


def _plain(shape: Any, value: ast.expr, path: str) -> Iterator[str]:
    kind = {ast.Dict: dict, ast.List: list, ast.JoinedStr: str}.get(type(value))
    given = kind() if kind else value.value  # type: ignore[attr-defined]
    allowed = KINDS.get(shape.type_name, (list,) if shape.type_name == "list" else (dict,))
    if not isinstance(given, allowed) or (isinstance(given, bool) and bool not in allowed):
        yield f"{path} is of type {shape.type_name}, not {type(given).__name__}"
    elif isinstance(given, str) and kind is None and shape.enum and given not in shape.enum:
        yield f"{path} is one of {shape.enum}, not {given}"


def member(shape: Any, path: str) -> Any:
    """The shape at `A/0/B` of an answer. Raises KeyError."""
    for part in path.split("/"):
        shape = shape.member if part.isdigit() else shape.members[part]
    return shape


def problems(use: Use) -> Iterator[str]:
    if use.method in aws_calls.SIGNED:
        yield from (f"unknown: {name}" for name in use.keywords if name not in aws_calls.SIGNED[use.method])
        return
    operation = aws_calls.operations(use.service).get(use.method)
    if operation is None:
        yield f"{use.service} has no operation {use.method}"
        return
    model = aws_calls.model(use.service).operation_model(operation)
    shape = model.input_shape
    for name, value in use.keywords.items():
        if shape is None or name not in shape.members:
            yield f"unknown parameter: {name}"
        else:
            yield from wrong(shape.members[name], value, name)
    if shape is not None and not use.open:
        yield from (f"missing parameter: {name}" for name in shape.required_members if name not in use.keywords)
    for path in use.keys:
        try:
            member(model.output_shape, path)
        except (KeyError, AttributeError):
            yield f"the answer has no {path}"


@pytest.mark.parametrize("use", USES, ids=name_of)
def test_a_call_is_one_that_aws_knows(use: Use) -> None:
    """Operation, parameters, literal values, what is required, and the keys read from the answer."""
    assert list(problems(use)) == []


@pytest.mark.parametrize("use", [use for use in USES if use.paged], ids=name_of)
def test_what_is_paged_has_pages(use: Use) -> None:
    paginators = botocore.session.get_session().get_component("data_loader")
    known = paginators.load_service_model(use.service, "paginators-1")["pagination"]
    assert aws_calls.operations(use.service)[use.method] in known


def test_every_client_is_known() -> None:
    """Else its calls were not looked at: name the service in aws_calls.PASSED."""
    assert aws_calls.found().unknown == []


def test_each_caught_exception_is_one_of_its_service() -> None:
    for where, service, name in aws_calls.found().exceptions:
        assert name in aws_calls.model(service).shape_names, where


def test_the_calls_are_found() -> None:
    """The tests above are worth something only while the reader sees the calls."""
    seen = {(use.where.split(":")[0], use.method) for use in USES}
    assert {
        ("chalicelib/agents/containers.py", "run_task"),
        ("chalicelib/platform/secrets.py", "get_parameters_by_path"),
        ("container/bridge/memory/pointer.py", "put_object"),
        ("local/resources.py", "register_task_definition"),
        ("ops/deployment/stacks.py", "create_change_set"),
        ("ops/deployment/web.py", "create_invalidation"),
        ("ops/destroy.py", "list_tasks"),
        ("ops/destroy.py", "delete_bucket"),
    } <= seen
    assert len(USES) > 100


WRONG = """
from ops.cloud import pages
def work(cloud):
    ssm, kind = cloud.client("ssm"), "SecureText"
    ssm.put_parameter(Name=1, Value="a", Type=kind, Overwrites=True)
    ssm.get_parameter(WithDecryption=True)["Parameter"]["Valeu"]
    ssm.describe_everything()
    list(pages(ssm, "describe_parameters", "Parameter", ParameterFilters=[{"Kind": "Path"}]))
"""


def test_what_is_wrong_is_seen() -> None:
    result = aws_calls.Found()
    aws_calls.File("x.py", ast.parse(WRONG), result).read()
    said = {problem for use in result.uses for problem in problems(use)}
    assert said == {
        "Name is of type string, not int",
        "Type is one of ['String', 'StringList', 'SecureString'], not SecureText",
        "unknown parameter: Overwrites",
        "missing parameter: Name",
        "the answer has no Parameter/Valeu",
        "the answer has no Parameter",
        "ParameterFilters[] has no member Kind",
        "ParameterFilters[] misses Key",
        "ssm has no operation describe_everything",
    }
