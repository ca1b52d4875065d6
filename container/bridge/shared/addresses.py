"""Which addresses are outside: the task has others within reach, of AWS and of its own container."""

import ipaddress

# All that the internet routes by IPv6 (RFC 4291). What lies beside it holds IPv4 addresses within IPv6 ones
# (64:ff9b::/96 of NAT64, ::/96), site-local networks and blocks that nobody has: Python calls several of them global.
ROUTED = ipaddress.IPv6Network("2000::/3")
# Python before 3.14 does not know it.
DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the internet's, also behind its IPv6 forms."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return _is_public(ip)
    if ip.ipv4_mapped is not None:
        return _is_public(ip.ipv4_mapped)
    if ip not in ROUTED or ip in DOCUMENTATION or not _is_public(ip):
        return False
    return ip.sixtofour is None or _is_public(ip.sixtofour)


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast
