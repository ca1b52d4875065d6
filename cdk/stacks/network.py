"""Where tasks run: public subnets and gateway endpoints. Nothing here costs while nothing runs."""

from aws_cdk import CfnCondition, Fn, aws_ec2
from constructs import Construct

from cdk.base import StageStack
from cdk.ipv6 import Ipv6

EGRESS = {443: "AWS, model providers, the web", 80: "the web"}


class Network(StageStack):
    """No NAT gateway, no load balancer, no interface endpoint, no way in."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "network", "VPC of public subnets without a way in")
        use = "Subnets without IPv4: not made, made, or made and used by the tasks."
        mode = self.choice("Ipv6", ["no", "ready", "only"], use)
        none = Fn.condition_equals(mode.value_as_string, "no")
        made = CfnCondition(self, "Ipv6Made", expression=Fn.condition_not(none))
        only = self.equals("Ipv6Only", mode, "only")
        vpc = self._vpc()
        group = aws_ec2.SecurityGroup(
            self, "Agent", vpc=vpc, description="Agent tasks: no ingress, web egress", allow_all_outbound=False
        )
        for port, why in EGRESS.items():
            group.add_egress_rule(aws_ec2.Peer.any_ipv4(), aws_ec2.Port.tcp(port), why)
        ipv6 = Ipv6(self, vpc, made)
        ipv6.egress(group, EGRESS)
        ids = [Fn.join(",", found) for found in (ipv6.subnets(), [one.subnet_id for one in vpc.public_subnets])]
        self.export("network/subnet-ids", Fn.condition_if(only.logical_id, *ids).to_string())
        self.export("network/security-group-ids", group.security_group_id)
        self.export("network/ipv6", mode.value_as_string)

    def _vpc(self) -> aws_ec2.Vpc:
        public = aws_ec2.SubnetConfiguration(
            name="public",
            subnet_type=aws_ec2.SubnetType.PUBLIC,
            cidr_mask=20,
            map_public_ip_on_launch=False,  # RunTask asks for the address
        )
        endpoint, kind = aws_ec2.GatewayVpcEndpointOptions, aws_ec2.GatewayVpcEndpointAwsService
        return aws_ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=aws_ec2.IpAddresses.cidr("10.0.0.0/16"),
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[public],
            restrict_default_security_group=False,  # needs a Lambda of its own; nothing uses that group
            gateway_endpoints={"S3": endpoint(service=kind.S3), "DynamoDb": endpoint(service=kind.DYNAMODB)},
        )
