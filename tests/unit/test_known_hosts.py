"""Whose requests the services of this machine take: the rule, and that each of them keeps it over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acs_emulator.core.known_hosts import KnownHosts, host_of

ROOT = Path(__file__).parents[2]
LOCAL = [
    "127.0.0.1",
    "127.0.0.1:7071",
    "127.8.9.1",
    "localhost",
    "LOCALHOST:1",
    "app.localhost",
    "localhost.",
    "[::1]:80",
]
FOREIGN = [
    "attacker.example",
    "attacker.example:7071",
    "127.0.0.1.attacker.example",
    "localhost.attacker.example",
    "attackerlocalhost",
    "127.0.0.1@attacker.example",
    "attacker.example/127.0.0.1",
    "127.0.0.1, attacker.example",
    "192.168.0.7",
    "[::2]",
    "2130706433",
    "0x7f.1",
    "",
    "127.0.0.1:port",
    "127.0.0.1\nx",
    "é",
]


@pytest.mark.parametrize("host", LOCAL)
def test_names_of_this_machine_are_known(host: str) -> None:
    assert KnownHosts().refusal([host], [f"http://{host}", f"https://{host}"]) == ""


@pytest.mark.parametrize("host", FOREIGN)
def test_every_other_host_is_foreign(host: str) -> None:
    assert "Host" in KnownHosts().refusal([host], [])
    assert "Host" in KnownHosts().refusal(["127.0.0.1", host], [])


@pytest.mark.parametrize(
    "origin", ["null", "", "file://", "chrome-extension://abc", *[f"https://{host}" for host in FOREIGN]]
)
def test_every_other_page_is_foreign(origin: str) -> None:
    assert "Origin" in KnownHosts().refusal(["127.0.0.1"], [origin])


def test_who_sends_neither_is_no_browser() -> None:
    assert KnownHosts().refusal([], []) == ""


@pytest.mark.parametrize("more", ["app.example", "https://app.example", "https://app.example:8443/", "App.Example:80"])
def test_a_host_may_be_added_as_a_name_or_a_url(more: str) -> None:
    known = KnownHosts(["", more])
    assert known.refusal(["app.example"], ["https://app.example"]) == ""
    assert known.refusal(["x.app.example"], []) != ""


def test_the_address_that_a_request_came_to_is_a_good_host_and_no_good_page() -> None:
    known = KnownHosts()
    assert known.refusal(["10.1.2.3:8090"], [], "10.1.2.3") == ""
    assert known.refusal(["[fd00::7]:8090"], [], "fd00::7") == ""
    assert known.refusal(["10.1.2.4"], [], "10.1.2.3") != ""
    assert known.refusal(["10.1.2.3"], ["http://10.1.2.3"], "10.1.2.3") != ""
    assert known.refusal(["attacker.example"], [], "") != ""


@given(st.text())
def test_no_text_fails_the_reader(text: str) -> None:
    assert KnownHosts().refusal([text], [text], text) is not None
    assert host_of(text) == host_of(text).lower()


def test_emulator_and_streams_have_one_rule() -> None:
    """Neither may import the other's, so there are two copies."""
    assert (ROOT / "emulator/src/acs_emulator/core/known_hosts.py").read_text() == (
        ROOT / "streams/known_hosts.py"
    ).read_text()
