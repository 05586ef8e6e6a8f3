"""The transport that the Azure SDKs share: it reads the environment once, and heeds what it says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from shared.azure import clients

URL = "https://account.table.core.windows.net/calls"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)


def settings_of_a_request() -> dict[str, Any]:
    session = clients.pooled_transport().session
    return dict(session.merge_environment_settings(URL, {}, None, None, None))


def test_a_request_does_not_read_the_environment_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session = clients.pooled_transport().session

    class Watched(dict[str, str]):
        def __iter__(self) -> Iterator[str]:
            raise AssertionError("a request looks through the whole environment")

    monkeypatch.setattr(os, "environ", Watched(os.environ))
    assert session.merge_environment_settings(URL, {}, None, None, None)["proxies"] == {}


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert settings_of_a_request()["proxies"] == {"https": "http://proxy.example:3128"}


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_the_environment_names_are_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "/etc/ssl/company.pem")
    assert clients.pooled_transport().connection_config.verify == "/etc/ssl/company.pem"
