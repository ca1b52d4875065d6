"""`IPV6_ONLY=true`: the templates of both variants, what RunTask is asked, and what cannot be reached."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from moto import mock_aws

from cdk.synthesized import Deployment, template
from ops.cloud import Cloud, Problem
from ops.deployment import application, ipv6, preflight, settings
from ops.deployment.preflight import Wanted
from ops.names import parameter
from ops.secrets import write
from tests.infra.test_deploy import World

Json = dict[str, Any]
ONLY, READY = (Deployment("dev", parameters={"Ipv6": mode, "Ipv6Only": "true"}) for mode in ("only", "ready"))
KINDS = ("Subnet", "Route", "RouteTable", "SubnetRouteTableAssociation", "EgressOnlyInternetGateway", "VPCCidrBlock")


def of_ipv6(deployed: Deployment, kind: str) -> list[Json]:
    found = deployed.resources("network", f"AWS::EC2::{kind}")
    return [properties for name, properties in found if name.startswith("Ipv6")]


@pytest.mark.parametrize("kind", [*KINDS, "SecurityGroupEgress"])
def test_nothing_of_it_is_made_unless_asked_for(dev: Deployment, kind: str) -> None:
    assert of_ipv6(dev, kind) == []
    assert of_ipv6(ONLY, kind)
    assert of_ipv6(READY, kind) == of_ipv6(ONLY, kind), "a task may still be in them"


def test_the_subnets_have_no_ipv4_and_one_is_in_each_zone() -> None:
    subnets = of_ipv6(ONLY, "Subnet")
    assert len(subnets) == 2
    for subnet in subnets:
        assert (subnet["Ipv6Native"], subnet["AssignIpv6AddressOnCreation"], subnet["EnableDns64"]) == (
            True,
            True,
            False,
        )
        assert "CidrBlock" not in subnet
    raw = template("network")["Resources"]
    assert [raw[f"Ipv6Subnet{n}"]["Properties"]["AvailabilityZone"]["Fn::Select"][0] for n in (1, 2)] == [0, 1]
    assert [raw[f"Ipv6Subnet{n}"]["Properties"]["Ipv6CidrBlock"]["Fn::Select"][0] for n in (1, 2)] == [0, 1]
    assert all(raw[f"Ipv6Subnet{n}"]["DependsOn"] == ["Ipv6Block"] for n in (1, 2)), "the VPC has no block before"


def test_the_only_way_lets_nothing_in() -> None:
    """An egress-only gateway: an internet gateway would let answers and callers through."""
    [route] = of_ipv6(ONLY, "Route")
    assert route["DestinationIpv6CidrBlock"] == "::/0"
    assert "EgressOnlyInternetGatewayId" in route
    assert "GatewayId" not in route
    assert list(ONLY.resources("network", "AWS::EC2::SecurityGroupIngress")) == []


def test_the_same_ports_as_by_ipv4(dev: Deployment) -> None:
    by_ipv4 = dev.one("network", "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]
    by_ipv6 = of_ipv6(ONLY, "SecurityGroupEgress")
    parts = ("IpProtocol", "FromPort", "ToPort", "Description")
    assert [[rule[part] for part in parts] for rule in by_ipv6] == [[rule[part] for part in parts] for rule in by_ipv4]
    assert {rule["CidrIpv6"] for rule in by_ipv6} == {"::/0"}


@pytest.mark.parametrize(("mode", "used"), [("no", "public"), ("ready", "public"), ("only", "Ipv6Subnet")])
def test_tasks_are_told_the_subnets_of_the_variant(mode: str, used: str) -> None:
    values = {
        p["Name"]: p["Value"]
        for _, p in Deployment("dev", parameters={"Ipv6": mode}).resources("network", "AWS::SSM::Parameter")
    }
    assert values[parameter("dev", "network/subnet-ids")].count(used) == 2
    assert values[parameter("dev", "network/ipv6")] == mode


def test_the_task_calls_what_has_an_ipv6_address(dev: Deployment) -> None:
    [usual] = dev.one("compute", "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    [other] = ONLY.one("compute", "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert usual["Image"].startswith("<ssm:/serverless-openclaw/dev/storage/repository-uri>:")
    assert other["Image"].startswith("123456789012.dkr-ecr.us-east-1.on.aws/serverless-openclaw-dev/agent:")
    told = [{entry["Name"]: entry["Value"] for entry in one["Environment"]} for one in (usual, other)]
    assert [one["AWS_USE_DUALSTACK_ENDPOINT"] for one in told] == ["false", "true"]
    assert [one["IPV6_ONLY"] for one in told] == ["false", "true"]


@pytest.mark.parametrize("variant", [Deployment("dev"), ONLY])
def test_botocore_takes_the_task_definition(variant: Deployment) -> None:
    shape = (
        botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
    )
    wrong = ParamValidator().validate(variant.task_definition(), shape)
    assert not wrong.has_errors(), wrong.generate_report()


def test_the_repository_is_the_one_that_is_made(dev: Deployment) -> None:
    """Its dual-stack name is put together, not exported."""
    name = dev.one("storage", "AWS::ECR::Repository")["RepositoryName"]
    [container] = ONLY.one("compute", "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert container["Image"].partition("/")[2].partition(":")[0] == name


@pytest.mark.parametrize(("told", "kind"), [({}, None), ({"IPV6_ONLY": "true"}, "dualstack")])
def test_the_websocket_api_has_both_kinds_of_addresses(package: Any, told: dict[str, str], kind: str | None) -> None:
    chalices = json.loads((package.folder / "sam.json").read_text())
    api = application.finish(chalices, "dev", told)["Resources"]["WebsocketAPI"]
    assert api["Properties"].get("IpAddressType") == kind
    assert api["Type"] == "AWS::ApiGatewayV2::Api"


@pytest.mark.parametrize(
    ("kind", "operation", "renamed"),
    [
        ("Subnet", "CreateSubnet", {"AssignIpv6AddressOnCreation": None, "EnableDns64": None}),
        ("Route", "CreateRoute", {"EgressOnlyInternetGatewayId": "EgressOnlyInternetGatewayId"}),
        ("EgressOnlyInternetGateway", "CreateEgressOnlyInternetGateway", {}),
        ("VPCCidrBlock", "AssociateVpcCidrBlock", {"AmazonProvidedIpv6CidrBlock": "AmazonProvidedIpv6CidrBlock"}),
    ],
)
def test_ec2_knows_what_is_asked_of_it(kind: str, operation: str, renamed: dict[str, str | None]) -> None:
    """moto cannot make these: its VPC has no attribute Ipv6CidrBlocks. So EC2's own model of the calls is asked."""
    shape = botocore.session.get_session().get_service_model("ec2").operation_model(operation).input_shape
    for properties in of_ipv6(ONLY, kind):
        asked = {renamed.get(name, name): value for name, value in properties.items() if name != "Tags"}
        wrong = ParamValidator().validate({name: value for name, value in asked.items() if name}, shape)
        assert not wrong.has_errors(), wrong.generate_report()
        assert {name for name in asked if name} <= shape.members.keys()


class TestParameters:
    """What `make deploy` gives to the stacks."""

    def told(self, value: str, ipv6: str = "no") -> str:
        wanted = Wanted("dev", settings.settle({"IPV6_ONLY": value}, {}), {})
        assert wanted.parameters("compute", "tag", ipv6)["Ipv6Only"] == wanted.settings["IPV6_ONLY"]
        return wanted.parameters("network", "tag", ipv6)["Ipv6"]

    def test_the_subnets_stay_once_they_are_made(self) -> None:
        assert self.told("false") == "no"
        assert self.told("true") == "only"
        assert self.told("true", "ready") == "only"
        assert self.told("false", "only") == "ready", "CloudFormation cannot delete a subnet with a task in it"
        assert self.told("false", "ready") == "ready"


def test_there_and_back(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The whole of `make deploy`: the stored setting, both stacks and the functions agree each time."""
    world, seen = World(cloud, monkeypatch, tmp_path / "site"), []
    for env in ({"IPV6_ONLY": "true"}, {"IPV6_ONLY": "false"}, {}):
        assert world.run(env) == 0
        network, compute = world.parameters("network"), world.parameters("compute")
        seen.append((network["Ipv6"], compute["Ipv6Only"], world.told["IPV6_ONLY"]))
    ready = ("ready", "false", "false")
    assert seen == [("only", "true", "true"), ready, ready]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Cloud(botocore.session.get_session(), "us-east-1", "123456789012", "dev")


def answers(**said: str) -> Callable[[str], str]:
    """DNS: by the first label of a host, `unknown` for the others."""
    return lambda host: said.get(host.replace("-", "_").replace(".", "_"), ipv6.UNKNOWN)


class TestReached:
    """What is said before anything is changed."""

    def check(self, cloud: Cloud, env: dict[str, str], ask: Any = None, bot: bool = False) -> list[str]:
        return ipv6.check(cloud, ipv6.providers(cloud, env, env.get("BEDROCK") == "true"), bot, ask or answers())

    def test_without_dns_the_list_says_what_is_known(self, cloud: Cloud) -> None:
        assert self.check(cloud, {"ANTHROPIC_API_KEY": "k"}, bot=True) == [
            "github.com has no IPv6 address: with IPV6_ONLY=true agents cannot reach it."
        ]
        assert self.check(cloud, {"DEEPSEEK_API_KEY": "k"})[-1] == (
            "Whether api.deepseek.com has an IPv6 address was not checked."
        )

    def test_dns_wins(self, cloud: Cloud) -> None:
        ask = answers(github_com="yes", api_telegram_org="no")
        assert self.check(cloud, {"ANTHROPIC_API_KEY": "k"}, ask, bot=True) == [
            "api.telegram.org has no IPv6 address: with IPV6_ONLY=true agents cannot reach it."
        ]

    def test_a_deployment_without_a_model_is_refused(self, cloud: Cloud) -> None:
        ask = answers(api_openai_com="no")
        with pytest.raises(Problem) as problem:
            self.check(cloud, {"OPENAI_API_KEY": "k"}, ask)
        assert str(problem.value) == (
            "IPV6_ONLY=true leaves no model: api.openai.com has no IPv6 address; "
            "choose another provider or IPV6_ONLY=false."
        )
        assert self.check(cloud, {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}, ask)[0] == (
            "api.openai.com has no IPv6 address: with IPV6_ONLY=true agents cannot reach it."
        )

    def test_an_own_server_counts_also_when_its_address_is_stored(self, cloud: Cloud) -> None:
        write(cloud, {"openai-base-url": "https://models.example.com/v1"})
        with pytest.raises(Problem, match=r"models\.example\.com has no IPv6 address"):
            self.check(cloud, {}, answers(models_example_com="no"))

    def test_bedrock_s_dual_stack_names_are_looked_up(self, cloud: Cloud) -> None:
        asked: list[str] = []
        self.check(cloud, {"BEDROCK": "true"}, lambda host: asked.append(host) or ipv6.YES)  # type: ignore[func-returns-value]
        assert asked[:2] == ["bedrock-mantle.us-east-1.api.aws", "bedrock-runtime.us-east-1.api.aws"]

    def test_a_region_that_aws_does_not_name(self, cloud: Cloud) -> None:
        elsewhere = Cloud(cloud.session, "eu-north-1", cloud.account, cloud.stage)
        assert "does not name eu-north-1" in self.check(elsewhere, {"ANTHROPIC_API_KEY": "k"})[-1]

    def test_only_when_it_is_asked_for(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ipv6, "look_up", lambda host: pytest.fail("nothing is looked up"))
        assert preflight._reached(cloud, settings.settle({}, {}), {"OPENAI_API_KEY": "k"}) == []

    def test_what_a_resolver_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An address that DNS64 makes up is none; a resolver that knows neither kind knows nothing."""
        zone = {"both": ("2600::1", "192.0.2.1"), "old": ("", "192.0.2.1"), "dns64": ("64:ff9b::1", "192.0.2.1")}

        def answer(host: str, _: int, family: int, *__: int) -> Any:
            found = zone.get(host, ("", ""))[0 if family == socket.AF_INET6 else 1]
            if not found:
                raise socket.gaierror(socket.EAI_NONAME, "not known")
            return [(family, 0, 0, "", (found, 443))]

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        assert [ipv6.look_up(host) for host in ("both", "old", "dns64", "gone")] == ["yes", "no", "no", "unknown"]


def test_each_known_host_has_a_source_and_the_list_a_date() -> None:
    known = ipv6.known()
    assert known["date"].startswith("20")
    for host, entry in known["hosts"].items():
        assert entry["ipv6"] in ("yes", "no", "unknown"), host
        assert entry["source"], host
        assert entry["ipv6"] == "unknown" or "https://" in entry["source"], host


def test_every_provider_is_in_the_list() -> None:
    from urllib.parse import urlsplit

    from chalicelib.providers.routes import KNOWN, routes

    hosts = [urlsplit(route.base).hostname for route in (*KNOWN, *routes({}, "<region>", True, ipv6=True))]
    assert set(hosts) <= ipv6.known()["hosts"].keys()
