"""What is asked of ECS, on a recording client: Spot first, on demand when there is no room, nothing started twice."""

from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.validate import ParamValidator

from chalicelib.agents.containers import CONTAINER, DESCRIBE_LIMIT, Containers
from chalicelib.agents.runtime import StartFailed, TaskGone
from chalicelib.platform import aws
from chalicelib.platform.settings import Settings

Json = dict[str, Any]
ENV = {
    "ECS_CLUSTER": "cluster",
    "TASK_DEFINITION": "family",
    "SUBNETS": "subnet-a, subnet-b",
    "SECURITY_GROUPS": "sg-1",
    "PARAMETER_PATH": "/openclaw/test/",
    "AWS_SECRET_ACCESS_KEY": "s3cret-key",
    "TELEGRAM_BOT_TOKEN": "s3cret-bot",
}
NOT_ASSOCIATED = (
    "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the "
    "cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again."
)


class FakeEcs:
    """Keeps each request that botocore would take; answers with the next of `answers`, else with a task."""

    def __init__(self) -> None:
        self.requests: list[Json] = []
        self.described: list[list[str]] = []
        self.answers: list[Json | Exception] = []
        self._shape = botocore.session.get_session().get_service_model("ecs").operation_model("RunTask").input_shape

    def run_task(self, **request: Any) -> Json:
        wrong = ParamValidator().validate(request, self._shape)
        assert not wrong.has_errors(), wrong.generate_report()
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else {"tasks": [{"taskArn": "arn:task"}], "failures": []}
        if isinstance(answer, Exception):
            raise answer
        return answer

    def describe_tasks(self, cluster: str, tasks: list[str]) -> Json:
        self.described.append(tasks)
        return {"tasks": [{"taskArn": arn, "lastStatus": "RUNNING"} for arn in tasks]}

    @property
    def providers(self) -> list[str]:
        return [entry["capacityProvider"] for asked in self.requests for entry in asked["capacityProviderStrategy"]]


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> FakeEcs:
    fake = FakeEcs()
    client: Callable[[str], Any] = {"ecs": fake}.__getitem__
    monkeypatch.setattr(aws, "client", client)
    return fake


def run(user_id: str = "ann", generation: int = 1) -> str:
    return Containers(Settings(ENV)).start(user_id, generation)


def thrown(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "RunTask")


def failure(reason: str) -> Json:
    return {"tasks": [], "failures": [{"reason": reason}]}


NO_ROOM = [
    thrown("ClientException", "Capacity is unavailable at this time. Please try again later"),
    failure("Capacity is unavailable at this time. Please try again later or in a different availability zone"),
    failure("RESOURCE:MEMORY"),
    failure("RESOURCE:FARGATE"),
    # Spot and on demand have a quota each; a new account's is a few vCPUs.
    thrown("ClientException", "You've reached the limit on the number of vCPUs you can run concurrently"),
]
BROKEN = [
    thrown("ClientException", "The task definition is inactive"),
    thrown("ThrottlingException", "Rate exceeded"),
    thrown("InvalidParameterException", NOT_ASSOCIATED),
    failure("MISSING"),
    failure("AGENT"),
    ReadTimeoutError(endpoint_url="https://ecs"),  # it may have been started
]


def test_one_spot_task_with_a_public_address_is_asked_for(ecs: FakeEcs) -> None:
    """No NAT gateway: without its own address it reaches neither the image nor the model."""
    assert run() == "arn:task"
    [asked] = ecs.requests
    assert asked["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert "launchType" not in asked, "ECS takes one or the other"
    assert (asked["cluster"], asked["taskDefinition"], asked["count"]) == ("cluster", "family", 1)
    network = {"subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}
    assert asked["networkConfiguration"] == {"awsvpcConfiguration": network}


def test_without_ipv4_no_public_address_is_asked_for(ecs: FakeEcs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its subnets have a way out of their own; RunTask refuses the request for an IPv4 address there."""
    monkeypatch.setitem(ENV, "IPV6_ONLY", "true")
    run()
    network = ecs.requests[0]["networkConfiguration"]["awsvpcConfiguration"]
    assert (network["assignPublicIp"], network["subnets"]) == ("DISABLED", ["subnet-a", "subnet-b"])


def test_the_task_learns_whose_it_is_and_nothing_else(ecs: FakeEcs) -> None:
    run("ann", 7)
    [asked] = ecs.requests
    environment = [{"name": "USER_ID", "value": "ann"}, {"name": "GENERATION", "value": "7"}]
    assert asked["overrides"] == {"containerOverrides": [{"name": CONTAINER, "environment": environment}]}
    assert "s3cret" not in repr(asked), "what is in the request is in CloudTrail"


@pytest.mark.parametrize("answer", NO_ROOM)
def test_without_room_on_spot_it_is_started_on_demand(ecs: FakeEcs, answer: Json | Exception) -> None:
    ecs.answers = [answer]
    assert run() == "arn:task"
    assert ecs.providers == ["FARGATE_SPOT", "FARGATE"]


@pytest.mark.parametrize("answer", NO_ROOM)
def test_without_room_anywhere_the_caller_hears_of_capacity(ecs: FakeEcs, answer: Json | Exception) -> None:
    ecs.answers = [answer, answer]
    with pytest.raises(StartFailed) as failed:
        run()
    assert failed.value.code == "CAPACITY"
    assert ecs.providers == ["FARGATE_SPOT", "FARGATE"]


@pytest.mark.parametrize("answer", BROKEN)
def test_any_other_failure_is_not_tried_on_demand(ecs: FakeEcs, answer: Json | Exception) -> None:
    """It would fail again at the higher price, or start a second task."""
    ecs.answers = [answer]
    with pytest.raises(StartFailed) as failed:
        run()
    assert failed.value.code == "START_FAILED"
    assert ecs.providers == ["FARGATE_SPOT"]


def test_what_fails_on_demand_is_told_as_what_it_is(ecs: FakeEcs) -> None:
    ecs.answers = [failure("RESOURCE:CPU"), thrown("ClientException", "The task definition is inactive")]
    with pytest.raises(StartFailed, match="inactive") as failed:
        run()
    assert failed.value.code == "START_FAILED"


def test_a_repeated_start_is_the_same_task_for_ecs(ecs: FakeEcs) -> None:
    """ECS answers a known clientToken with the task it started for it."""
    for _ in range(2):
        ecs.answers = [failure("RESOURCE:CPU")]
        run()
    run(generation=2)
    run("bob")
    spot, on_demand, *again, next_generation, other_user = [asked["clientToken"] for asked in ecs.requests]
    assert again == [spot, on_demand]
    assert len({spot, on_demand, next_generation, other_user}) == 4
    assert all(len(asked["clientToken"]) <= 64 for asked in ecs.requests)


def test_user_and_generation_cannot_be_mistaken_for_another_pair(ecs: FakeEcs) -> None:
    run("ann", 11)
    run("ann1", 1)
    assert len({asked["clientToken"] for asked in ecs.requests}) == 2


def test_many_tasks_are_looked_at_in_few_calls(ecs: FakeEcs) -> None:
    arns = [f"arn:task/{number}" for number in range(2 * DESCRIBE_LIMIT + 50)]
    assert Containers(Settings(ENV)).states(arns) == dict.fromkeys(arns, True)
    assert [len(asked) for asked in ecs.described] == [100, 100, 50]


def test_ecs_is_not_asked_for_a_task_of_the_other_engine(ecs: FakeEcs) -> None:
    """A stage that was on it before has rows that name one: ECS would refuse the whole call."""
    engine = Containers(Settings(ENV))
    assert engine.states(["microvm-1"]) == {}
    assert engine.describe(["microvm-1"]) == []
    engine.stop("microvm-1", "idle")
    assert ecs.described == []
    for call in (engine.suspend, engine.resume):
        with pytest.raises(TaskGone):
            call("microvm-1")
