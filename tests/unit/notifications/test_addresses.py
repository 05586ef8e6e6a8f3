"""Where a hook may lead, whatever its name, and whatever that name means a moment later."""

from __future__ import annotations

import re

import pytest

from shared.notifications.addresses import (
    MOST_CHARACTERS,
    HookUrl,
    check_address,
    check_literal,
    checked_addresses,
    read_url,
)
from shared.notifications.errors import ForbiddenAddress, NotDelivered

PUBLIC = ["8.8.8.8", "20.50.2.1", "1.1.1.1", "2606:4700:4700::1111", "2a01:111:f100::1"]
FORBIDDEN = {
    "unspecified": ["0.0.0.0", "::"],
    "this network": ["0.1.2.3"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"],
    "shared by carriers": ["100.64.0.1", "100.127.255.255"],
    "link-local": ["169.254.1.1", "fe80::1", "fe80::1%eth0"],
    "metadata": ["169.254.169.254", "fd00:ec2::254"],
    "the platform's": ["168.63.129.16"],
    "multicast": ["224.0.0.1", "224.0.1.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "broadcast and reserved": ["255.255.255.255", "240.0.0.1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarks": ["198.18.0.1"],
    "protocols": ["192.0.0.1", "192.0.0.192", "192.88.99.1", "2001::1", "2001:10::1"],
    "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254"],
    "IPv4-compatible": ["::127.0.0.1", "::8.8.8.8"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b:1::1"],
    "6to4": ["2002:7f00:1::1", "2002:a9fe:a9fe::1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "site-local": ["fec0::1"],
    "discard": ["100::1"],
}


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("loopback", [False, True])
def test_a_public_address_is_called_over_https(address: str, loopback: bool) -> None:
    check_address(address, scheme="https", loopback=loopback)


@pytest.mark.parametrize("address", [one for addresses in FORBIDDEN.values() for one in addresses])
def test_an_address_that_is_not_public_is_never_called(address: str) -> None:
    with pytest.raises(ForbiddenAddress, match="not public"):
        check_address(address, scheme="https", loopback=False)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_app_on_a_developers_machine_calls_that_machine_and_nothing_else_that_is_not_public(scheme: str) -> None:
    for address in ("127.0.0.1", "127.0.0.9", "::1"):
        check_address(address, scheme=scheme, loopback=True)
    for kind, addresses in FORBIDDEN.items():
        for address in addresses if kind != "loopback" else ():
            with pytest.raises(ForbiddenAddress):
                check_address(address, scheme=scheme, loopback=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_http_is_for_loopback_addresses_alone(address: str) -> None:
    with pytest.raises(ForbiddenAddress, match="loopback"):
        check_address(address, scheme="http", loopback=True)


def test_one_address_of_several_that_is_not_public_refuses_the_host() -> None:
    url = read_url("https://hooks.example/", loopback=False)
    with pytest.raises(ForbiddenAddress):
        checked_addresses(url, loopback=False, resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"])
    assert checked_addresses(url, loopback=False, resolve=lambda host, port: ["8.8.8.8", "1.1.1.1"]) == [
        "8.8.8.8",
        "1.1.1.1",
    ]


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "localhost"])
def test_an_odd_way_to_write_an_address_is_judged_by_what_it_means(host: str) -> None:
    """The system's own resolver reads all of these as the loopback address."""
    with pytest.raises(ForbiddenAddress):
        checked_addresses(read_url(f"https://{host}/", loopback=False), loopback=False)


def test_a_name_without_an_address_may_have_one_later() -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(NotDelivered) as caught:
        checked_addresses(read_url("https://hooks.example/", loopback=False), loopback=False, resolve=nobody)
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is no URL"),
        ("hooks.example/calls", "https://"),
        ("ftp://hooks.example/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("http://hooks.example/", "https://"),
        ("http://127.0.0.1/", "https://"),
        ("https://", "is no URL"),
        ("//hooks.example/", "https://"),
        ("https://user:password@hooks.example/", "user name"),
        ("https://hooks.example@evil.example/", "user name"),
        ("https://hooks.example/#part", "fragment"),
        ("https://hooks.example/a b", "is no URL"),
        ("https://hooks.example/\r\nX-Header: 1", "is no URL"),
        ("https://hooks.example\\@evil.example/", "is no URL"),
        ("https://hööks.example/", "is no URL"),
        ("https://hooks.example:port/", "is no URL"),
        ("https://hooks.example:99999/", "is no URL"),
        ("https://hooks.example:0/", "port 0"),
        ("https://[::1/", "is no URL"),
        ("https://[fe80::1%25eth0]/", "is no URL"),
        ("https://hooks.example/" + "a" * 2048, "is no URL"),
    ],
)
def test_what_is_no_plain_https_url_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ForbiddenAddress, match=re.escape(problem)):
        read_url(url, loopback=False)


@pytest.mark.parametrize(
    ("url", "parts", "authority"),
    [
        ("https://hooks.example", HookUrl("https", "hooks.example", 443, "/"), "hooks.example"),
        ("https://Hooks.Example:99/a?c=d&e", HookUrl("https", "hooks.example", 99, "/a?c=d&e"), "hooks.example:99"),
        ("https://[2606:4700::1]/x", HookUrl("https", "2606:4700::1", 443, "/x"), "[2606:4700::1]"),
        ("https://hooks.example:443/", HookUrl("https", "hooks.example", 443, "/"), "hooks.example"),
    ],
)  # fmt: skip
def test_a_url_is_read_in_its_parts(url: str, parts: HookUrl, authority: str) -> None:
    assert read_url(url, loopback=False) == parts
    assert parts.authority == authority


def test_the_longest_url_is_read() -> None:
    assert MOST_CHARACTERS == 2048
    url = "https://hooks.example/".ljust(MOST_CHARACTERS, "a")
    assert read_url(url, loopback=False).target == f"/{'a' * (MOST_CHARACTERS - 22)}"
    with pytest.raises(ForbiddenAddress):
        read_url(url + "a", loopback=False)


@pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "[::ffff:8.8.8.8]", "169.254.169.254"])
def test_an_address_in_a_url_is_judged_without_asking_anybody(host: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_literal(read_url(f"https://{host}/", loopback=False), loopback=False)


def test_a_name_in_a_url_is_judged_when_it_is_called_but_for_http() -> None:
    check_literal(read_url("https://hooks.example/", loopback=True), loopback=True)
    check_literal(read_url("http://localhost:9000/", loopback=True), loopback=True)
    check_literal(read_url("http://127.0.0.1:9000/", loopback=True), loopback=True)
    with pytest.raises(ForbiddenAddress):
        check_literal(read_url("http://hooks.example/", loopback=True), loopback=True)
