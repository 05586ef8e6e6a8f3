"""Where recordings may be fetched from: the service's own hosts, and those that a setting adds.

An address is read by one strict pattern and used as it was read. Ambiguous addresses
(user names, backslashes, encoded or Unicode hosts, control characters, dots in the path) are refused, not interpreted.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote, urljoin

from shared.errors import ForeignLocation

SERVICE_HOSTS = (".asm.skype.com", ".asyncgw.teams.microsoft.com", ".ams.gov.teams.microsoft.us")
"""How the names of the service's storage hosts end (the Call Automation SDK 1.6.0, recording_url_validator)."""
MOST_CHARACTERS = 8192
"""Longest address that is read; the service's have a few hundred characters."""

_DOTS = frozenset({".", ".."})
_PORTS = {"https": 443, "http": 80}
_HOSTS = "RECORDING_HOSTS adds hosts."
_BLOBS = "A storage of your own must be the app's own account, and RECORDING_CONTAINERS name the container."
_NAME = r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*"
_HOST = rf"(?P<host>{_NAME}|\[[0-9a-f:.]{{2,45}}\])(?::(?P<port>[0-9]{{1,5}}))?"
_ENTRY = re.compile(_HOST, re.IGNORECASE | re.ASCII)
# Visible ASCII without `\` and `#`: a fragment is no part of a request.
_ADDRESS = re.compile(rf"(?P<scheme>https?)://{_HOST}(?P<rest>[/?][!-\"$-\[\]-~]*)?", re.IGNORECASE | re.ASCII)


class Address(NamedTuple):
    """An http address in its parts; scheme and host in small letters, the rest as it was written."""

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def authority(self) -> str:
        """Host, and port where it is not the scheme's own."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def loopback(self) -> bool:
        """Whether it is this machine, so that what is sent in the clear does not leave it."""
        return _is_loopback(self.host)

    def __str__(self) -> str:
        return self.origin + self.rest


def read_address(location: str) -> Address:
    """The parts of an http address; ForeignLocation if it is none, or one that could be read in two ways."""
    match = _ADDRESS.fullmatch(location) if len(location) <= MOST_CHARACTERS else None
    host = match["host"].lower() if match else ""
    scheme = match["scheme"].lower() if match else ""
    port = int(match["port"] or _PORTS[scheme]) if match else 0
    if match is None or not 0 < port < 65536 or len(host) > 253 or not _is_host(host):
        raise ForeignLocation("the recording", "its location is not a plain http address.")
    rest = match["rest"] or "/"
    # As far as any server decodes it, and with what some take for a slash: such a path leads out of its folder.
    if not _DOTS.isdisjoint(re.split(r"[/\\]", unquote(rest.partition("?")[0]))):
        raise ForeignLocation("the recording", "its location has . or .. in its path.")
    return Address(scheme, host, port, rest if rest.startswith("/") else f"/{rest}")


def read_hosts(text: str) -> tuple[str, ...]:
    """The entries of a comma-separated setting; ValueError names the first that is no `host` or `host:port`."""
    entries = tuple(entry.strip() for entry in text.split(",") if entry.strip())
    for entry in entries:
        _read_entry(entry)
    return entries


class Locations:
    """Checks addresses.

    Args:
        extra_hosts: `host` or `host:port`, besides the service's. Without a port: the scheme's own port alone.
            They are used over https, and over http if they are loopback addresses.
    """

    def __init__(self, extra_hosts: Iterable[str] = ()) -> None:
        self._extra = frozenset(_read_entry(entry) for entry in extra_hosts)

    def checked(self, location: str) -> Address:
        """The address, if credentials may go there; ForeignLocation otherwise."""
        address = read_address(location)
        extra = self._is_extra(address)
        if not extra and not address.host.endswith(SERVICE_HOSTS):
            problem = "is not a host that recordings are fetched from."
            raise ForeignLocation(address.authority, problem, _BLOBS if ".blob." in address.host else _HOSTS)
        if address.scheme != "https" and not (extra and address.loopback):
            raise ForeignLocation(address.authority, "recordings are fetched over https only.")
        if not extra and address.port != _PORTS["https"]:
            raise ForeignLocation(address.authority, "recordings are fetched from port 443 only.")
        return address

    def followed(self, address: Address, target: str) -> Address:
        """Where a redirect from `address` leads; ForeignLocation if credentials may not go there."""
        try:
            joined = urljoin(str(address), target)
        except ValueError:  # brackets that hold no IPv6 address
            joined = ""
        found = self.checked(joined)
        if address.scheme == "https" != found.scheme:
            raise ForeignLocation(found.authority, "a redirect may not leave https.")
        return found

    def _is_extra(self, address: Address) -> bool:
        own_port = address.port == _PORTS[address.scheme]
        return (address.host, address.port) in self._extra or (own_port and (address.host, None) in self._extra)


def _read_entry(entry: str) -> tuple[str, int | None]:
    match = _ENTRY.fullmatch(entry)
    if match is None or not _is_host(match["host"]) or not 0 < int(match["port"] or 443) < 65536:
        raise ValueError(f"{entry!r} is not a host or host:port")
    return match["host"].lower(), int(match["port"]) if match["port"] else None


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return True
    try:
        ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
