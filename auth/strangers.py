"""This module slows down those who keep failing to prove who they are, by the range of addresses they come from.

Nothing of an address is stored: this process counts, in memory, under digests whose key is random and thrown away every day.
Postgres is left out of it on purpose, so that no stranger can make it write. Who is named in a request does not matter here:
no one can use up a partner's budget, or have a partner refused, by giving its name.
"""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from math import ceil
from typing import Final

from auth.clock import Clock
from auth.recent import Recent

Address = IPv4Address | IPv6Address
Networks = Collection[IPv4Network | IPv6Network]
FAILURES: Final = 60
"""How many failures a range may have at once; one is forgotten each second."""
_DAY: Final = 86_400
_KEPT: Final = 50_000
_PREFIX: Final = {4: 24, 6: 48}


@dataclass(slots=True)
class _Count:
    """A leaky bucket: `level` failures as of `at`."""

    level: float
    at: float


@dataclass
class Strangers:
    """Counts failures by range. An address from which somebody has proven who it is counts for itself, not with its range."""

    clock: Clock
    proxies: Networks = ()
    _key: bytes = field(init=False, repr=False)
    _day: int = field(init=False, default=-1)
    _failed: Recent[bytes, _Count] = field(init=False, repr=False)
    _proven: Recent[bytes, bool] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._turn()

    def caller(self, peer: str | None, forwarded: Collection[str]) -> Address | None:
        """Give the caller's address: the peer's or, behind proxies of our own, the last one that none of them has.

        None when there is nothing to go by: the peer is on a private network, so it stands for everybody behind it.
        """
        hops = [hop.strip() for line in forwarded for hop in line.split(",")]
        address = _parsed(peer)
        while address is not None and hops and any(address in network for network in self.proxies):
            address = _parsed(hops.pop())
        return address if address is not None and address.is_global else None

    @property
    def watching(self) -> bool:
        """Tell whether anybody failed lately, so that it is worth finding out who calls."""
        return len(self._failed) > 0

    def wait(self, address: Address | None) -> int:
        """Give the seconds that a caller has to wait; 0 for one that need not."""
        if address is None or not self.watching:
            return 0
        count = self._count(self._name(address))
        return ceil(count.level - FAILURES + 1) if count.level > FAILURES - 1 else 0

    def failed(self, address: Address | None) -> None:
        """Count a failure to prove who one is."""
        if address is not None:
            name = self._name(address)
            count = self._count(name)
            self._failed.put(name, _Count(count.level + 1, count.at))

    def proved(self, address: Address | None) -> None:
        """Remember, for today, that somebody known calls from this address."""
        if address is not None:
            self._turn()
            self._proven.put(self._digest(address.packed), True)  # noqa: FBT003 a set, that forgets

    def _count(self, name: bytes) -> _Count:
        now, known = self.clock(), self._failed.get(name)
        return _Count(max(0.0, known.level - max(0.0, now - known.at)) if known else 0.0, now)

    def _name(self, address: Address) -> bytes:
        self._turn()
        own = self._digest(address.packed)
        if self._proven.get(own):
            return own
        return self._digest(ip_network((address, _PREFIX[address.version]), strict=False).network_address.packed + b"/")

    def _digest(self, packed: bytes) -> bytes:
        return hmac.digest(self._key, packed, sha256)

    def _turn(self) -> None:
        """Begin a new day with a new key, and forget all that was counted under the old one."""
        if (day := int(self.clock() // _DAY)) != self._day:
            self._day, self._key = day, secrets.token_bytes(32)
            self._failed, self._proven = Recent(_KEPT), Recent(_KEPT)


def _parsed(text: str | None) -> Address | None:
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
