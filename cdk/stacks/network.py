"""Where tasks run: public subnets and gateway endpoints. Nothing here costs while nothing runs."""

from aws_cdk import Fn, aws_ec2
from constructs import Construct

from cdk.base import StageStack


class Network(StageStack):
    """No NAT gateway, no load balancer, no interface endpoint, no way in."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "network", "VPC of public subnets without a way in")
        public = aws_ec2.SubnetConfiguration(
            name="public",
            subnet_type=aws_ec2.SubnetType.PUBLIC,
            cidr_mask=20,
            map_public_ip_on_launch=False,  # RunTask asks for the address
        )
        vpc = aws_ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=aws_ec2.IpAddresses.cidr("10.0.0.0/16"),
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[public],
            restrict_default_security_group=False,  # needs a Lambda of its own; nothing uses that group
            gateway_endpoints={
                "S3": aws_ec2.GatewayVpcEndpointOptions(service=aws_ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": aws_ec2.GatewayVpcEndpointOptions(service=aws_ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
        )
        group = aws_ec2.SecurityGroup(
            self, "Agent", vpc=vpc, description="Agent tasks: no ingress, web egress", allow_all_outbound=False
        )
        for port, why in ((443, "AWS, model providers, the web"), (80, "the web")):
            group.add_egress_rule(aws_ec2.Peer.any_ipv4(), aws_ec2.Port.tcp(port), why)
        self.export("network/subnet-ids", Fn.join(",", [subnet.subnet_id for subnet in vpc.public_subnets]))
        self.export("network/security-group-ids", group.security_group_id)
