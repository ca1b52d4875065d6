"""What is asked of Lambda MicroVMs: each request and each answer is one that botocore's model of the service allows."""

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from chalicelib import wiring
from chalicelib.agents import microvms
from chalicelib.agents.containers import Containers
from chalicelib.agents.microvms import LIFE_SECONDS, MicroVms
from chalicelib.agents.moved import Moved
from chalicelib.agents.runtime import Runtime, StartFailed, TaskGone, Unsupported
from chalicelib.platform import aws
from chalicelib.platform.settings import MissingSetting, Settings

IMAGE = "arn:aws:lambda:us-east-1:123456789012:microvm-image:serverless-openclaw-test"
ENV = {
    "RUNTIME": "microvm",
    "MICROVM_IMAGE": IMAGE,
    "MICROVM_ROLE": "arn:aws:iam::123456789012:role/serverless-openclaw-test-task",
    "MICROVM_LOG_GROUP": "/serverless-openclaw/test/agent",
}
BORN = datetime(2026, 11, 30, tzinfo=UTC)
Json = dict[str, Any]


def known(name: str, state: str, **more: Any) -> Json:
    return {"microvmId": name, "state": state, "imageArn": IMAGE, "imageVersion": "1", "startedAt": BORN} | more


def whole(name: str, state: str) -> Json:
    return known(name, state, endpoint="https://x", maximumDurationInSeconds=LIFE_SECONDS)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stubber: it checks parameters and answers against the model, and that no other call is made."""
    session = botocore.session.get_session()
    session.set_credentials("test", "test")
    client = session.create_client("lambda-microvms", region_name="us-east-1")
    monkeypatch.setattr(aws, "client", {"lambda-microvms": client}.__getitem__)
    monkeypatch.setattr(microvms, "RESUME_PAUSE", 0.0)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def engine() -> Runtime:
    return MicroVms(Settings(ENV))


def test_a_start_names_user_and_generation_and_no_secret(service: Any) -> None:
    asked = {
        "imageIdentifier": IMAGE,
        "executionRoleArn": ENV["MICROVM_ROLE"],
        "logging": {"cloudWatch": {"logGroup": ENV["MICROVM_LOG_GROUP"]}},
        "maximumDurationInSeconds": 28_800,
        "runHookPayload": '{"userId": "ann", "generation": 3}',
        "clientToken": ANY,
    }
    service.add_response("run_microvm", whole("vm-1", "PENDING"), asked)
    told: list[tuple[str, int]] = []
    engine = MicroVms(Settings(ENV), lambda user_id, generation: told.append((user_id, generation)))
    assert engine.start("ann", 3) == "vm-1"
    assert told == [("ann", 3)]


def test_one_generation_has_one_token(service: Any, engine: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens: list[str] = []

    class Recorder:
        def run_microvm(self, **asked: Any) -> Json:
            tokens.append(asked["clientToken"])
            return whole("vm-1", "PENDING")

    monkeypatch.setattr(aws, "client", lambda _: Recorder())
    for user, generation in (("ann", 1), ("ann", 1), ("ann", 2), ("bob", 1)):
        engine.start(user, generation, spot_only=True)
    assert tokens[0] == tokens[1]
    assert len(set(tokens)) == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("InsufficientCapacityException", "CAPACITY"),
        ("ServiceQuotaExceededException", "CAPACITY"),
        ("ValidationException", "START_FAILED"),
        ("AccessDeniedException", "START_FAILED"),
    ],
)
def test_a_failed_start_has_a_code(service: Any, engine: Runtime, error: str, code: str) -> None:
    service.add_client_error("run_microvm", error, "no")
    with pytest.raises(StartFailed) as failed:
        engine.start("ann", 1)
    assert failed.value.code == code


def test_a_suspended_machine_is_alive(service: Any, engine: Runtime) -> None:
    service.add_response("get_microvm", whole("a", "SUSPENDED"), {"microvmIdentifier": "a"})
    service.add_response("get_microvm", whole("b", "TERMINATED"), {"microvmIdentifier": "b"})
    service.add_client_error("get_microvm", "ResourceNotFoundException")
    assert engine.states(["a", "b", "c"]) == {"a": True, "b": False}


def test_many_are_read_from_the_list_of_our_image_only(service: Any, engine: Runtime) -> None:
    names = [f"vm-{number}" for number in range(9)]
    first = {"items": [known(name, "RUNNING") for name in names[:5]], "nextToken": "more"}
    service.add_response("list_microvms", first, {"imageIdentifier": IMAGE})
    rest = {"items": [known(name, "TERMINATED") for name in names[5:8]]}
    service.add_response("list_microvms", rest, {"imageIdentifier": IMAGE, "nextToken": "more"})
    assert engine.states(names) == {name: name in names[:5] for name in names[:8]}


def test_all_and_describe_leave_out_what_ended(service: Any, engine: Runtime) -> None:
    listed = {"items": [known("a", "RUNNING"), known("b", "TERMINATING"), known("c", "SUSPENDED")]}
    for _ in range(2):
        service.add_response("list_microvms", listed, {"imageIdentifier": IMAGE})
    assert engine.all() == ["a", "c"]
    (info,) = engine.describe(["a", "b"])
    assert (info.arn, info.user_id, info.created_at) == ("a", None, BORN.timestamp() * 1000)


def test_stopping_what_is_gone_is_no_error(service: Any, engine: Runtime) -> None:
    service.add_response("terminate_microvm", {}, {"microvmIdentifier": "a"})
    service.add_client_error("terminate_microvm", "ResourceNotFoundException")
    engine.stop("a", "idle")
    engine.stop("a", "idle")


def test_resume_waits_for_the_end_of_a_suspension(service: Any, engine: Runtime) -> None:
    service.add_client_error("resume_microvm", "ConflictException")
    for _ in range(2):  # is it gone? does it run?
        service.add_response("get_microvm", whole("a", "SUSPENDING"), {"microvmIdentifier": "a"})
    service.add_response("resume_microvm", {}, {"microvmIdentifier": "a"})
    engine.resume("a")


def test_resume_of_a_running_machine_is_no_error(service: Any, engine: Runtime) -> None:
    service.add_client_error("resume_microvm", "ConflictException")
    for _ in range(2):
        service.add_response("get_microvm", whole("a", "RUNNING"), {"microvmIdentifier": "a"})
    engine.resume("a")


@pytest.mark.parametrize("call", ["suspend", "resume"])
def test_a_machine_that_ended_is_gone(service: Any, engine: Runtime, call: str) -> None:
    service.add_client_error(f"{call}_microvm", "ConflictException", "it has been terminated")
    service.add_response("get_microvm", whole("a", "TERMINATED"), {"microvmIdentifier": "a"})
    with pytest.raises(TaskGone):
        getattr(engine, call)("a")
    service.add_client_error(f"{call}_microvm", "ResourceNotFoundException")
    with pytest.raises(TaskGone):
        getattr(engine, call)("a")


def test_fargate_says_that_it_cannot() -> None:
    engine: Runtime = Containers(Settings({}))
    for call in (engine.suspend, engine.resume):
        with pytest.raises(Unsupported):
            call("arn:task")


def test_the_deployment_names_its_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, kind in ((None, Containers), ("fargate", Containers), ("microvm", Moved)):
        monkeypatch.setattr(wiring, "settings", lambda value=value: Settings({"RUNTIME": value} if value else {}))
        assert type(wiring.runtime.__wrapped__()) is kind
    with pytest.raises(MissingSetting, match="fargate, microvm"):
        _ = Settings({"RUNTIME": "ec2"}).runtime
