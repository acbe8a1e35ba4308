"""This module decides which addresses may be connected to: public ones, and private ones allowed by name."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

#: "host:port" pairs that may be spoken to although private, and without TLS.
AllowedHosts = frozenset[str]

_ENCRYPTED = ("https", "sftp")
_NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """A name leads to an address inside, where no sister system can be."""


class GuardedResolver(AbstractResolver):
    """Resolves names, refusing private addresses; what it answers is connected to, so no second look-up can differ.

    Literal addresses never get here: ask `may_connect` first.
    """

    def __init__(self, allowed: AllowedHosts) -> None:
        self._allowed = allowed
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve `host`; raise PrivateAddressError if an address is private and not allowed by name."""
        found = await self._resolver.resolve(host, port, family)
        if f"{host}:{port}" not in self._allowed and not all(is_public(each["host"]) for each in found):
            raise PrivateAddressError
        return found

    async def close(self) -> None:
        """Let go of what the resolver holds."""
        await self._resolver.close()


def allowed_by_name(url: URL, allowed: AllowedHosts) -> bool:
    """Say whether the URL's host and port are among the private ones allowed."""
    return f"{url.host}:{url.port}" in allowed


def may_connect(url: URL, allowed: AllowedHosts) -> bool:
    """Say whether a URL may be opened, as far as can be told without resolving: encrypted, no private literal address."""
    if not url.host or allowed_by_name(url, allowed):
        return bool(url.host) and url.scheme in ("http", *_ENCRYPTED)
    if url.scheme not in _ENCRYPTED:
        return False
    try:
        ip_address(url.host)
    except ValueError:
        return True  # a name: the resolver decides
    return is_public(url.host)


def is_public(address: str) -> bool:
    """Say whether an address is reachable on the internet, looking through IPv6 forms that carry an IPv4 address."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        carried = _carried(ip)
        if carried is not None:
            ip = carried
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _carried(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
