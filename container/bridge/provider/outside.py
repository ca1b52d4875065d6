"""Connects aiohttp to public addresses only. A module of its own: aiohttp is imported when the proxy serves."""

import asyncio
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from bridge.shared.addresses import is_outside


class PublicOnly(AbstractResolver):
    """Looks a host up, refuses it if any address is not public, and has the connection go to what was checked."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [(entry[0], str(entry[4][0])) for entry in found]
        if not addresses or not all(is_outside(address) for _, address in addresses):
            raise OSError("the host has an address that is not public")
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=flags)
            for kind, address in addresses
        ]

    async def close(self) -> None:
        """Nothing is kept."""
