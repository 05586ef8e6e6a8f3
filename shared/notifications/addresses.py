"""Where a web hook may lead: to public addresses over https, or, on a developer's machine, to this very machine.

A name is resolved once, every address that it has is checked, and the connection goes to a checked address: a name
that means something else a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from shared.notifications.errors import ForbiddenAddress, NotDelivered

Resolve = Callable[[str, int], list[str]]
"""Gives the addresses of a host; OSError."""

MOST_CHARACTERS = 2048
"""Longest URL of a hook (our choice)."""

_PORTS = {"https": 443, "http": 80}
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NEVER = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # the platform's own address in every Azure network (docs: what is 168.63.129.16)
            "192.88.99.0/24",  # 6to4 relays
            "192.0.0.0/24",
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",
            "2002::/16",  # 6to4: holds an IPv4 address, which may be anything
            "3fff::/20",
        ),
    )
)
"""What `is_global` takes for public, in some version of Python, and is not for a hook."""
_VISIBLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+", re.IGNORECASE)


class HookUrl(NamedTuple):
    """The URL of a hook in its parts."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host, and port where it is not the scheme's own: what the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str, *, loopback: bool) -> HookUrl:
    """The parts of a hook's URL; ForbiddenAddress, which says why, if no hook may be there.

    Args:
        loopback: this app runs on a developer's machine, and may call http there.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a port that is no number, brackets that hold no address
        raise ForbiddenAddress("is no URL.") from None
    if not _VISIBLE.fullmatch(url) or len(url) > MOST_CHARACTERS or "\\" in url:
        raise ForbiddenAddress("is no URL.")
    if parts.scheme not in _PORTS or (parts.scheme == "http" and not loopback):
        raise ForbiddenAddress("must start with https://.")
    if not _HOST.fullmatch(host):
        raise ForbiddenAddress("is no URL.")
    if "@" in parts.netloc or parts.fragment:
        raise ForbiddenAddress("holds a user name, a password or a fragment.")
    if port == 0:
        raise ForbiddenAddress("names port 0.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return HookUrl(parts.scheme, host, port or _PORTS[parts.scheme], target)


def check_literal(url: HookUrl, *, loopback: bool) -> None:
    """ForbiddenAddress if the host is an address itself, and none that a hook may lead to. Asks nobody."""
    try:
        ipaddress.ip_address(url.host)
    except ValueError:
        if url.scheme == "http" and url.host != "localhost":
            raise ForbiddenAddress("is reached over http, which is for loopback addresses.") from None
        return
    check_address(url.host, scheme=url.scheme, loopback=loopback)


def checked_addresses(url: HookUrl, *, loopback: bool, resolve: Resolve | None = None) -> list[str]:
    """The addresses of a hook's host, each of them allowed.

    One that is not is enough to refuse the host: ForbiddenAddress. NotDelivered if the name has none now.
    """
    try:
        addresses = (resolve or _resolve)(url.host, url.port)
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        raise NotDelivered("the name of the hook's host was not found")
    for address in addresses:
        check_address(address, scheme=url.scheme, loopback=loopback)
    return addresses


def check_address(address: str, *, scheme: str, loopback: bool) -> None:
    """ForbiddenAddress if a hook may not lead to this address."""
    found = ipaddress.ip_address(address)
    if loopback and found.is_loopback:
        return
    if scheme != "https":
        raise ForbiddenAddress("is reached over http, which is for loopback addresses.")
    if not _is_public(found):
        raise ForbiddenAddress("leads to an address that is not public.")


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False  # among them IPv4-mapped and NAT64 addresses, which hold an IPv4 address
    if address.is_multicast or not address.is_global:
        return False
    return not any(address in network for network in _NEVER)


def _resolve(host: str, port: int) -> list[str]:
    found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
