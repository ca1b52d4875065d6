"""Which addresses are outside: the task has others within reach, of AWS and of its own container."""

import ipaddress


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the internet's, also behind its IPv6 forms."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    return all(one.is_global and not one.is_multicast for one in (ip, mapped) if one is not None)
