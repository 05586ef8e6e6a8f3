"""Which requests a service on this machine accepts: those with a known `Host` and `Origin`.

A web page that somebody here opens can reach what listens on the loopback address in two ways. A browser sends its
requests across origins, and marks them with `Origin`. Or a name of the page's own leads to 127.0.0.1 (DNS rebinding):
then `Host` has that name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_HOST = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,30}://)?(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::[0-9]{1,5})?(?:/.*)?",
    re.IGNORECASE | re.ASCII,
)


class KnownHosts:
    """The names under which a service may be addressed: those of the loopback address, and more.

    Args:
        more: other hosts, each as a name, as `host:port` or as a URL; empty ones are left out.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._more = frozenset(map(host_of, more)) - {""}

    def refusal(self, hosts: Iterable[str], origins: Iterable[str], address: str = "") -> str:
        """Why a request is refused, in words for who sent it; empty if it is not.

        Args:
            hosts, origins: its headers `Host` and `Origin`; none is fine.
            address: the address of this machine that it came to, which is a good host too.
        """
        if not all((host := host_of(one)) and (self._knows(host) or host == host_of(address)) for one in hosts):
            return "The Host header names another host than this one."
        # `null` is the origin of pages that have none to show; it is no host that is known.
        if not all(self._knows(host_of(one)) for one in origins):
            return "The Origin header names a page of another host."
        return ""

    def _knows(self, host: str) -> bool:
        return host in self._more or host == "localhost" or host.endswith(".localhost") or _is_loopback(host)


def host_of(text: str) -> str:
    """The host in a name, an authority or a URL, in small letters and without brackets; empty if there is none."""
    match = _HOST.fullmatch(text.strip())
    if match is None and ":" in text:  # an IPv6 address without brackets, as sockets give it
        match = _HOST.fullmatch(f"[{text.strip()}]")
    return match["host"].strip("[]").lower().removesuffix(".") if match else ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
