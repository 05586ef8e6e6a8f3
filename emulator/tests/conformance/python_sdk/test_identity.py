"""The identity operations, with CommunicationIdentityClient."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from azure.communication.identity import CommunicationTokenScope, CommunicationUserIdentifier
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from emulator.tests.conformance.python_sdk.world import Clients


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_user_is_created_gets_tokens_and_is_deleted(clients: Clients, slash: str) -> None:
    client = clients.identities(endpoint=clients.emulator.endpoint + slash)
    user = client.create_user()
    assert user.properties["id"].startswith(f"8:acs:{clients.emulator.resource_id}_")
    token = client.get_token(user, [CommunicationTokenScope.VOIP], token_expires_in=timedelta(hours=1))
    assert token.token
    left = datetime.fromisoformat(token.expires_on).astimezone(UTC) - datetime.now(UTC)
    assert timedelta(minutes=58) < left <= timedelta(hours=1)
    client.revoke_tokens(user)
    client.delete_user(user)
    with pytest.raises(ResourceNotFoundError):
        client.get_token(user, [CommunicationTokenScope.VOIP])


def test_a_user_is_created_with_a_token_at_once(clients: Clients) -> None:
    user, token = clients.identities().create_user_and_token([CommunicationTokenScope.VOIP])
    assert user.raw_id.startswith("8:acs:")
    assert token.token


def test_an_unknown_user_is_not_found(clients: Clients) -> None:
    client, nobody = clients.identities(), CommunicationUserIdentifier("8:acs:nobody")
    for request in (client.delete_user, client.revoke_tokens):
        with pytest.raises(ResourceNotFoundError, match="Identity not found"):
            request(nobody)


def test_a_token_needs_a_known_scope_and_a_life_within_bounds(clients: Clients) -> None:
    client = clients.identities()
    user = client.create_user()
    with pytest.raises(HttpResponseError, match="scopes"):
        client.get_token(user, ["everything"])
    with pytest.raises(HttpResponseError, match="expiresInMinutes"):
        client.get_token(user, [CommunicationTokenScope.CHAT], token_expires_in=timedelta(minutes=5))


def test_a_wrong_key_is_refused(clients: Clients) -> None:
    with pytest.raises(ClientAuthenticationError, match="Denied"):
        clients.identities(key="d3Jvbmc=").create_user()
