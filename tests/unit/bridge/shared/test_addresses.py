"""What counts as an address of the internet: the task has AWS's own addresses and its container's within reach."""

import pytest

from bridge.shared.addresses import is_outside

INSIDE = {
    "this machine": ["127.0.0.1", "0.0.0.0", "::1", "::"],  # noqa: S104  an address to refuse
    "link-local": ["169.254.170.2", "169.254.169.254", "fe80::1", "fe80::a9fe:a9fe%eth1", "febf::1"],
    "private": ["10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "fc00::1", "fd00::1", "fec0::1"],
    "of AWS, in every VPC": ["fd00:ec2::253", "fd00:ec2::254", "fd00:ec2::123"],
    "mapped": ["::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:a9fe:aa02"],
    "translated by NAT64": ["64:ff9b::a9fe:aa02", "64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::a9fe:a9fe"],
    "compatible, translated by SIIT": ["::169.254.170.2", "::127.0.0.1", "::ffff:0:169.254.169.254"],
    "6to4 and Teredo": ["2002:a9fe:aa02::1", "2002:a00:1::1", "2001:0:a9fe:a9fe::1"],
    "documentation and nobody's": ["203.0.113.9", "2001:db8::1", "3fff::1", "100::1", "4000::1", "5f00::1"],
    "many": ["224.0.0.1", "ff02::1", "ff0e::1"],
}
OUTSIDE = ["93.184.215.14", "2600:1f18::1", "2606:4700::6810:84e5", "2a00:1450::1", "::ffff:93.184.215.14"]


@pytest.mark.parametrize(("kind", "address"), [(kind, one) for kind, found in INSIDE.items() for one in found])
def test_an_address_inside_is_refused_in_each_of_its_forms(kind: str, address: str) -> None:
    assert not is_outside(address), kind


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_internet_is_outside(address: str) -> None:
    assert is_outside(address)
