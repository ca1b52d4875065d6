"""Public subnets, no way in, and nothing that costs while nobody talks (requirements A2, F)."""

import json
from typing import Any

import pytest

from cdk.synthesized import STACKS, Deployment

Json = dict[str, Any]

# Each of these costs more a month than the whole system.
FORBIDDEN = {
    "AWS::EC2::NatGateway": "32 dollars a month",
    "AWS::EC2::EIP": "3.60 dollars a month",
    "AWS::EC2::TransitGateway": "36 dollars a month",
    "AWS::ElasticLoadBalancing::LoadBalancer": "18 dollars a month",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "16 dollars a month",
    "AWS::SecretsManager::Secret": "0.40 dollars a month each",
    "AWS::KMS::Key": "1 dollar a month each",
    "AWS::ECS::Service": "a service keeps tasks running",
    "AWS::WAFv2::WebACL": "5 dollars a month",
    "AWS::Lambda::Function": "only Chalice makes functions here",
}


@pytest.mark.parametrize("kind", sorted(FORBIDDEN))
def test_forbidden_resources(templates: dict[str, Json], kind: str) -> None:
    """None of them is in any stack."""
    found = [name for name in STACKS for r in templates[name]["Resources"].values() if r["Type"] == kind]
    assert found == [], FORBIDDEN[kind]


def test_the_application_has_no_forbidden_resource_either(package: Any) -> None:
    kinds = {resource["Type"] for resource in package.template["Resources"].values()}
    assert kinds & (set(FORBIDDEN) - {"AWS::Lambda::Function"}) == set()
    assert "ProvisionedConcurrencyConfig" not in json.dumps(package.template)


def test_only_gateway_endpoints(dev: Deployment) -> None:
    """An interface endpoint costs 7 dollars a month and zone; S3 and DynamoDB have free ones."""
    endpoints = [properties for _, properties in dev.resources("network", "AWS::EC2::VPCEndpoint")]
    assert {endpoint["VpcEndpointType"] for endpoint in endpoints} == {"Gateway"}
    names = {endpoint["ServiceName"].rsplit(".", 1)[-1] for endpoint in endpoints}
    assert names == {"s3", "dynamodb"}


def test_every_table_is_on_demand(dev: Deployment) -> None:
    for _, table in dev.resources("storage", "AWS::DynamoDB::Table"):
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert "ProvisionedThroughput" not in table
        assert not any("ProvisionedThroughput" in index for index in table.get("GlobalSecondaryIndexes", []))


def test_subnets_are_public_and_in_two_zones(dev: Deployment) -> None:
    subnets = list(dev.resources("network", "AWS::EC2::Subnet"))
    assert len(subnets) == 2
    routes = [properties for _, properties in dev.resources("network", "AWS::EC2::Route")]
    assert len([route for route in routes if "GatewayId" in route]) == 2
    assert len(list(dev.resources("network", "AWS::EC2::InternetGateway"))) == 1


def test_addresses_are_given_by_run_task_only(dev: Deployment) -> None:
    """What somebody puts into these subnets by mistake is not on the internet."""
    for _, subnet in dev.resources("network", "AWS::EC2::Subnet"):
        assert subnet["MapPublicIpOnLaunch"] is False


def test_the_security_group_has_no_ingress(dev: Deployment) -> None:
    group = dev.one("network", "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert list(dev.resources("network", "AWS::EC2::SecurityGroupIngress")) == []


def test_egress_is_web_only(dev: Deployment) -> None:
    rules = dev.one("network", "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]
    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules} == {
        ("tcp", 443, 443),
        ("tcp", 80, 80),
    }


def test_the_vpc_resolves_names(dev: Deployment) -> None:
    vpc = dev.one("network", "AWS::EC2::VPC")
    assert vpc["EnableDnsSupport"] is True
    assert vpc["EnableDnsHostnames"] is True
