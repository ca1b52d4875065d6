"""What a new account meets: every check with its message, and docs/first-deploy.md that lists them."""

import importlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ops.cloud import Cloud, Problem, connect
from ops.deployment import account, roles
from ops.steps import ROOT

PAGE = ROOT / "docs" / "first-deploy.md"
STAGE, REGION, ACCOUNT = "dev", "us-east-1", "123456789012"
DATA, SITE = (f"serverless-openclaw-{STAGE}-{noun}-{ACCOUNT}-{REGION}" for noun in ("data", "web"))
PLACES = {"preflight": "ops.deployment.preflight", "build": "ops.deployment.build", "web": "ops.deployment.web"}
PLACES |= {"ipv6": "ops.deployment.ipv6"}
PLACES |= {"account": "ops.deployment.account", "cloud": "ops.cloud", "secrets": "ops.secrets", "image": "ops.image"}


@dataclass(frozen=True)
class Row:
    """A row of the first table: what is said, and by which check."""

    message: str
    check: str

    def matches(self, sentence: str) -> bool:
        return re.fullmatch(re.sub(r"<\w+>", ".+", re.escape(self.message)), sentence) is not None


def rows() -> list[Row]:
    table = PAGE.read_text().split("## Before the first change")[1].split("\n## ")[0]
    found = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in table.splitlines() if line.startswith("| ")]
    return [Row(_quoted(row[1]), row[2].strip("`")) for row in found[1:]]


def _quoted(cell: str) -> str:
    """What stands in backquotes; those within are escaped."""
    quoted = re.match(r"`((?:[^`\\]|\\.)+)`", cell)
    assert quoted is not None, cell
    return quoted[1].replace("\\`", "`")


def test_the_page_names_every_check_and_no_other() -> None:
    """Each name leads to a function; all of the account's checks are there, in the order in which they run."""
    named = list(dict.fromkeys(row.check for row in rows()))
    for name in named:
        place, _, function = name.partition(".")
        assert callable(getattr(importlib.import_module(PLACES[place]), function)), name
    mine = [name.removeprefix("account.") for name in named if name.startswith("account.")]
    assert mine == [check.__name__ for check in account.CHECKS]


def test_each_message_of_an_older_check_is_in_the_code() -> None:
    """Its longest part without a value. The account's own messages are seen below, as they are said."""
    code = "".join((ROOT / f"{module.replace('.', '/')}.py").read_text() for module in PLACES.values())
    joined = re.sub(r'"\s*\n\s*f?"', "", code)
    for row in rows():
        if not row.check.startswith("account."):
            assert max(re.split(r"<\w+>", row.message), key=len).strip() in joined, row.message


class Answers:
    """A client that answers each operation with a value or an error."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            answer = self._answers[operation]
            answer = answer(**arguments) if callable(answer) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@dataclass(frozen=True)
class Staged(Cloud):
    """moto, but for the clients given."""

    clients: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return Answers(self.clients[service]) if service in self.clients else super().client(service)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Call")


def quotas(spot: float, demand: float) -> Mapping[str, Any]:
    def get(ServiceCode: str, QuotaCode: str) -> Any:
        assert ServiceCode == "fargate"
        return {"Quota": {"Value": spot if QuotaCode == "L-36FBB829" else demand}}

    return {"service-quotas": {"get_service_quota": get}}


def stack_in(status: str | None) -> Mapping[str, Any]:
    absent = ClientError({"Error": {"Code": "ValidationError", "Message": "Stack does not exist"}}, "DescribeStacks")
    answer = absent if status is None else {"Stacks": [{"StackStatus": status}]}
    return {"cloudformation": {"describe_stacks": answer}}


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Staged]]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    session = botocore.session.get_session()

    def make(clients: Mapping[str, Any] | None = None, region: str = REGION) -> Staged:
        return Staged(session, region, ACCOUNT, STAGE, clients or {})

    with mock_aws():
        yield make


def said(check: Callable[[Cloud], list[str]], cloud: Cloud) -> str:
    """The sentence of a check, a stop or a note. It is one of the page's for this check."""
    try:
        found = check(cloud)
    except Problem as problem:
        found = [f"{problem}"]
    for sentence in found:
        mine = [row for row in rows() if row.check == f"account.{check.__name__}"]
        assert any(row.matches(sentence) for row in mine), sentence
    return found[0] if found else ""


class TestAccount:
    def test_a_region_of_another_partition(self, staged: Any) -> None:
        assert said(account.region, staged(region="cn-north-1")).startswith("cn-north-1 belongs to aws-cn")
        assert said(account.region, staged()) == ""

    def test_a_region_without_a_service(self, staged: Any) -> None:
        assert said(account.services, staged(region="eu-central-1")) == ""
        start = f"{account.REGIONS}/{REGION}/services/"
        lacks = {"ssm": {"get_parameters": {"InvalidParameters": [f"{start}scheduler", f"{start}fargate"]}}}
        assert said(account.services, staged(lacks)).startswith("us-east-1 lacks scheduler, fargate:")
        unknown = {"ssm": {"get_parameters": lambda Names: {"InvalidParameters": Names}}}
        assert "was not checked" in said(account.services, staged(unknown))

    def test_one_call_asks_for_all_services(self) -> None:
        """GetParameters takes ten names."""
        assert len(account.SERVICES) <= 10

    def test_no_room_for_a_network(self, staged: Any) -> None:
        ec2 = staged().client("ec2")
        assert said(account.vpcs, staged()) == ""
        for _ in range(4):  # there is a default one
            ec2.create_vpc(CidrBlock="10.1.0.0/16")
        assert said(account.vpcs, staged()).startswith("us-east-1 has 5 VPCs and its quota is 5:")
        assert said(account.vpcs, staged(stack_in("UPDATE_COMPLETE"))) == "", "ours is one of the five"

    def test_buckets_of_an_earlier_stage(self, staged: Any) -> None:
        s3 = staged().client("s3")
        assert said(account.buckets, staged()) == ""
        s3.create_bucket(Bucket=DATA)
        assert said(account.buckets, staged()).endswith("its files will be used again.")
        s3.create_bucket(Bucket=SITE)
        assert said(account.buckets, staged()).endswith("delete it and try again.")
        assert said(account.buckets, staged(stack_in("CREATE_COMPLETE"))) == ""

    def test_a_bucket_of_somebody_else(self, staged: Any) -> None:
        assert "somebody else" in said(account.buckets, staged({"s3": {"head_bucket": refusal("403")}}))

    @pytest.mark.parametrize(
        ("spot", "demand", "begin"),
        [(0, 0.5, "No agent can run"), (6, 6, "12 agents at most"), (0, 1, "1 agents at most"), (4000, 4000, "")],
    )
    def test_how_many_agents_may_run(self, staged: Any, spot: float, demand: float, begin: str) -> None:
        assert said(account.agents, staged(quotas(spot, demand))).startswith(begin)

    def test_twice_as_many_agents_of_half_a_processor(self, staged: Any) -> None:
        assert account.agents(staged(quotas(3, 1)), "512")[0].startswith("8 agents at most")

    @pytest.mark.parametrize(("count", "begin"), [(10, "Lambda runs 10 calls"), (1000, "")])
    def test_how_many_calls_may_run(self, staged: Any, count: int, begin: str) -> None:
        limit = {"lambda": {"get_account_settings": {"AccountLimit": {"ConcurrentExecutions": count}}}}
        assert said(account.functions, staged(limit)).startswith(begin)

    @pytest.mark.parametrize(
        ("status", "end"),
        [
            ("ROLLBACK_COMPLETE", "removed and made again."),
            ("UPDATE_ROLLBACK_FAILED", "continued first."),
            ("UPDATE_IN_PROGRESS", "an hour at most."),
            ("UPDATE_COMPLETE", ""),
            ("REVIEW_IN_PROGRESS", ""),
            (None, ""),
        ],
    )
    def test_what_an_earlier_run_left(self, staged: Any, status: str | None, end: str) -> None:
        assert said(account.stacks, staged(stack_in(status))).endswith(end)

    def test_a_check_without_permission_is_named_and_stops_nothing(
        self, staged: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(account, "CHECKS", (account.agents, account.vpcs, account.region))
        clients = {"service-quotas": {"get_service_quota": refusal("AccessDeniedException")}}
        clients["ec2"] = {"describe_vpcs": refusal("UnauthorizedOperation")}
        denied = ["Not checked: agents (AccessDeniedException).", "Not checked: vpcs (UnauthorizedOperation)."]
        assert account.look(staged(clients)) == denied


def test_a_region_that_is_off_is_a_possible_cause(staged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        def create_client(self, *_: Any, **__: Any) -> Answers:
            return Answers({"get_caller_identity": refusal("InvalidClientTokenId")})

        def get_credentials(self) -> object:
            return object()

    monkeypatch.setenv("AWS_REGION", "il-central-1")
    monkeypatch.setattr(botocore.session, "get_session", Session)
    with pytest.raises(Problem) as problem:
        connect(STAGE)
    (row,) = [row for row in rows() if row.message.startswith("AWS does not accept")]
    assert row.matches(str(problem.value))


class TestRoleOfEcs:
    def test_it_is_made_once(self, staged: Any) -> None:
        assert roles.need(staged()) == "made"
        assert roles.need(staged()) == "is there"

    def test_one_that_is_there_is_left_alone(self, staged: Any) -> None:
        assert roles.need(staged({"iam": {"get_role": {}}})) == "is there"

    def test_what_iam_says_otherwise_is_a_failure(self, staged: Any) -> None:
        missing = {"get_role": refusal("NoSuchEntity"), "create_service_linked_role": refusal("AccessDenied")}
        with pytest.raises(ClientError):
            roles.need(staged({"iam": missing}))


def test_no_stage_of_an_api_writes_logs(package: Any) -> None:
    """It would need a role for logs in the account's settings, which a new account lacks."""
    text = json.dumps(package.template)
    assert "AccessLogSettings" not in text
    assert "LoggingLevel" not in text
