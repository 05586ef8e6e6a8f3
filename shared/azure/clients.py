"""Every client of an Azure service that the app makes, and every credential: nothing else names either.

A connection string or a key is used where the settings hold one; otherwise the app's identity signs in. The SDKs of
blobs, queues, Event Grid and identities are imported on first use: each costs some 150 to 250 ms, and no answer to a
call needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import AzureError

from shared.errors import SwitchboardError
from shared.storage_account import StorageAccount
from shared.transport import pooled_session

if TYPE_CHECKING:
    from azure.communication.callautomation import CallAutomationClient
    from azure.core.credentials import AzureKeyCredential, TokenCredential
    from azure.core.pipeline.policies import RetryPolicy
    from azure.data.tables import TableServiceClient
    from azure.eventgrid import EventGridPublisherClient
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueClient

C = TypeVar("C")

STORAGE_OPTIONS: dict[str, Any] = {
    "retry_total": 2,
    "initial_backoff": 0,
    "increment_base": 1,
    "random_jitter_range": 0,
    "connection_timeout": 3,
    "read_timeout": 8,
}
"""For the Blob and Queue SDKs, which by default wait 15 s before their first retry; the Tables SDK has other names."""


# Credentials


@cache
def identity(client_id: str = "", *, managed: bool = False) -> TokenCredential:
    """The app's identity, one for the process, so that its tokens are fetched once.

    Args:
        client_id: of a user-assigned managed identity; empty: the one that the environment offers.
        managed: a managed identity and nothing else, such as the sign-in of a developer.
    """
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    if managed or client_id:
        return ManagedIdentityCredential(client_id=client_id or None)
    return DefaultAzureCredential()


def token(scope: str, failure: Callable[[str], SwitchboardError]) -> str:
    """A token of the app's identity for a service; `failure` of the kind of error if there is none."""
    try:
        return identity().get_token(scope).token
    except AzureError as error:
        raise failure(type(error).__name__) from None


def key_or_identity(key: str) -> AzureKeyCredential | TokenCredential:
    """What signs in at a service that takes its key; empty: the app's identity."""
    from azure.core.credentials import AzureKeyCredential

    return AzureKeyCredential(key) if key else identity()


# Services


def call_automation(
    endpoint: str, key: str, *, timeout: float, retry_policy: RetryPolicy[Any, Any]
) -> CallAutomationClient:
    """The Communication Services resource; `timeout`: seconds that one request may take."""
    from azure.communication.callautomation import CallAutomationClient

    transport = pooled_transport(timeout=timeout)
    return CallAutomationClient(endpoint, key_or_identity(key), transport=transport, retry_policy=retry_policy)


def topic(endpoint: str, key: str) -> EventGridPublisherClient:
    """An Event Grid custom topic. By default the SDK waits 300 s for each response: longer than a report's lease."""
    from azure.eventgrid import EventGridPublisherClient

    return EventGridPublisherClient(
        endpoint,
        key_or_identity(key),
        retry_total=2,
        connection_timeout=3,
        read_timeout=8,
        permit_redirects=False,
    )


# Storage


def tables(account: StorageAccount) -> TableServiceClient:
    """The tables of an account; it gives up within seconds."""
    from azure.data.tables import TableServiceClient

    options = {"retry_total": 2, "retry_backoff_factor": 0.2, "transport": pooled_transport()}
    return _storage(TableServiceClient, account, account.tables, **options)


def blobs(account: StorageAccount, **options: Any) -> BlobServiceClient:
    """All containers of an account."""
    from azure.storage.blob import BlobServiceClient

    return _storage(BlobServiceClient, account, account.blobs, **STORAGE_OPTIONS, **options)


def container(account: StorageAccount, name: str, **options: Any) -> ContainerClient:
    """One container of blobs."""
    from azure.storage.blob import ContainerClient

    return _storage(ContainerClient, account, account.blobs, name, **STORAGE_OPTIONS, **options)


def queue(account: StorageAccount, name: str) -> QueueClient:
    """One queue, in the encoding that queue triggers expect."""
    from azure.storage.queue import QueueClient, TextBase64EncodePolicy

    options = {**STORAGE_OPTIONS, "message_encode_policy": TextBase64EncodePolicy()}
    return _storage(QueueClient, account, account.queues, name, **options)


def _storage(client: type[C], account: StorageAccount, address: str, *names: str, **options: Any) -> C:
    sdk: Any = client
    made: C
    if account.connection_string:
        made = sdk.from_connection_string(account.connection_string, *names, **options)
    else:
        made = sdk(address, *names, credential=identity(account.client_id, managed=account.managed), **options)
    return made


def pooled_transport(*, timeout: float = 8.0) -> Any:
    """A requests transport that keeps a connection for every thread (the default keeps ten)."""
    from azure.core.pipeline.transport import RequestsTransport

    session = pooled_session()
    return RequestsTransport(
        session=session,
        session_owner=False,
        connection_timeout=3.0,
        read_timeout=timeout,
        connection_verify=session.verify,
    )
