"""Subnets without IPv4, for `IPV6_ONLY=true`: no public IPv4 address to pay for.

ECS runs Fargate tasks in such subnets (platform 1.4.0 or later). All that a task calls must have an IPv6 address:
docs/deployment.md. The way out is an egress-only gateway, which is free and lets nothing in.
"""

from dataclasses import dataclass

from aws_cdk import CfnCondition, CfnResource, Fn, aws_ec2
from constructs import Construct

ANYWHERE = "::/0"
ZONES = 2


@dataclass(frozen=True)
class Ipv6:
    """Adds the subnets to a VPC wherever `made` holds: once made they stay, since a task may still be in them."""

    scope: Construct
    vpc: aws_ec2.Vpc
    made: CfnCondition

    def subnets(self) -> list[str]:
        """Their ids, one in each zone."""
        block = self._if_made(
            aws_ec2.CfnVPCCidrBlock(
                self.scope, "Ipv6Block", vpc_id=self.vpc.vpc_id, amazon_provided_ipv6_cidr_block=True
            )
        )
        table = aws_ec2.CfnRouteTable(self.scope, "Ipv6Routes", vpc_id=self.vpc.vpc_id)
        self._if_made(table)
        gateway = aws_ec2.CfnEgressOnlyInternetGateway(self.scope, "Ipv6Way", vpc_id=self.vpc.vpc_id)
        self._if_made(gateway)
        self._if_made(
            aws_ec2.CfnRoute(
                self.scope,
                "Ipv6Route",
                route_table_id=table.ref,
                destination_ipv6_cidr_block=ANYWHERE,
                egress_only_internet_gateway_id=gateway.ref,
            )
        )
        return [self._subnet(number, block, table) for number in range(ZONES)]

    def _subnet(self, number: int, block: CfnResource, table: aws_ec2.CfnRouteTable) -> str:
        ranges = Fn.cidr(Fn.select(0, self.vpc.vpc_ipv6_cidr_blocks), ZONES, "64")
        subnet = aws_ec2.CfnSubnet(
            self.scope,
            f"Ipv6Subnet{number + 1}",
            vpc_id=self.vpc.vpc_id,
            availability_zone=Fn.select(number, Fn.get_azs()),
            ipv6_native=True,
            ipv6_cidr_block=Fn.select(number, ranges),
            assign_ipv6_address_on_creation=True,
            enable_dns64=False,  # needs a NAT gateway
        )
        subnet.add_resource_dependency(block)
        self._if_made(subnet)
        self._if_made(
            aws_ec2.CfnSubnetRouteTableAssociation(
                self.scope, f"Ipv6Association{number + 1}", route_table_id=table.ref, subnet_id=subnet.ref
            )
        )
        return str(subnet.ref)

    def egress(self, group: aws_ec2.SecurityGroup, ports: dict[int, str]) -> None:
        """The same ports as by IPv4."""
        for port, why in ports.items():
            self._if_made(
                aws_ec2.CfnSecurityGroupEgress(
                    self.scope,
                    f"Ipv6Egress{port}",
                    group_id=group.security_group_id,
                    ip_protocol="tcp",
                    from_port=port,
                    to_port=port,
                    cidr_ipv6=ANYWHERE,
                    description=why,
                )
            )

    def _if_made(self, resource: CfnResource) -> CfnResource:
        resource.cfn_options.condition = self.made
        return resource
