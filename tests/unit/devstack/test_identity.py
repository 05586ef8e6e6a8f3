"""The stand-in for App Service's identity endpoint gives no more than that one does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from devstack.identity import Identity

SCOPE = "https://storage.azure.com/.default"


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    with Identity(tmp_path) as one:
        for name, value in one.environment.items():
            monkeypatch.setenv(name, value)
        yield one


def asked(identity: Identity, header: str = "", **changes: str) -> requests.Response:
    query = {"resource": "https://storage.azure.com", "api-version": "2019-08-01", "client_id": identity.client_id}
    headers = {"X-IDENTITY-HEADER": header or identity.environment["IDENTITY_HEADER"]}
    url = identity.environment["IDENTITY_ENDPOINT"]
    return requests.get(url, params={**query, **changes}, headers=headers, timeout=10)


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_a_token_has_what_storage_and_service_look_at(identity: Identity) -> None:
    document = asked(identity).json()
    found = claims(document["access_token"])
    assert found["iss"].startswith("https://sts.windows.net/")
    assert (found["aud"], found["oid"]) == ("https://storage.azure.com", identity.principal_id)
    assert found["nbf"] <= time.time() < found["exp"] == int(document["expires_on"])
    assert document["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"header": "another"}, 401),
        ({"client_id": ""}, 400),
        ({"api-version": "2017-09-01"}, 400),
        ({"resource": ""}, 400),
    ],
)
def test_who_does_not_ask_as_the_platform_wants_it_gets_none(
    identity: Identity, changes: dict[str, str], status: int
) -> None:
    assert asked(identity, **changes).status_code == status
    assert identity.asked == []


def test_azure_identity_finds_it_by_the_environment_alone(identity: Identity) -> None:
    assert claims(DefaultAzureCredential().get_token(SCOPE).token)["appid"] == identity.client_id
    credential = ManagedIdentityCredential(client_id=identity.client_id)
    assert claims(credential.get_token(SCOPE).token)["appid"] == identity.client_id


def test_a_user_assigned_identity_must_be_named(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AZURE_CLIENT_ID the platform looks for an identity of the system's, which this app has not."""
    monkeypatch.delenv("AZURE_CLIENT_ID")
    with pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential().get_token(SCOPE)


def test_no_key_is_in_what_it_tells_a_process(identity: Identity) -> None:
    assert {name: value for name, value in identity.environment.items() if name.endswith(("_KEY", "Storage"))} == {
        "AzureWebJobsStorage": "",
        "ACS_ACCESS_KEY": "",
        "TRANSCRIPTION_KEY": "",
        "EVENTS_TOPIC_KEY": "",
        "REPORT_TOPIC_KEY": "",
    }
