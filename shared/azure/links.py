"""Links that read one blob: signed with the account's key, or with a key that the storage gives the app's identity."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.azure import clients
from shared.errors import SettingsError
from shared.storage_account import StorageAccount

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, UserDelegationKey

KEY_LIFE = timedelta(hours=24)
"""For how long a user delegation key is asked for (docs: seven days at most; ours, so that a revoked role counts)."""
LONGEST_KEY = timedelta(days=7)
CLOCK_SKEW = timedelta(minutes=15)
"""How much earlier than now a key begins, for a storage whose clock is slow (docs: start time of a SAS)."""


def link(blob: BlobClient, account: StorageAccount, seconds: float) -> str:
    """An address that reads this one blob. It is valid at once, whatever the clocks: no time stands in it from which.

    Raises:
        SettingsError: the account has neither a key nor an identity to sign with, or its name is not known.
        AzureError: the storage gives the identity no key.
    """
    from azure.storage.blob import BlobSasPermissions, generate_blob_sas

    expiry = datetime.now(UTC) + timedelta(seconds=seconds)
    name, signer = _signer(blob, account, expiry)
    signature = generate_blob_sas(
        name,
        blob.container_name,
        blob.blob_name,
        permission=BlobSasPermissions(read=True),
        expiry=expiry,
        protocol="https" if blob.url.startswith("https:") else None,
        **signer,
    )
    return f"{blob.url}?{signature}"


def _signer(blob: BlobClient, account: StorageAccount, expiry: datetime) -> tuple[str, dict[str, Any]]:
    """The name of the account, and what signs."""
    if not account.connection_string:
        if not account.name:
            where = "AzureWebJobsStorage__accountName"
            raise SettingsError(where, "is missing, and the address of the blobs does not hold it; links need it.")
        return account.name, {"user_delegation_key": delegation_key(account).until(expiry)}
    key = getattr(blob.credential, "account_key", None)
    if not key or not blob.account_name:
        problem = "holds no AccountKey, which links to recordings are signed with."
        raise SettingsError("AzureWebJobsStorage", problem, "Name the account instead: an identity needs no key.")
    return blob.account_name, {"account_key": key}


class DelegationKey:
    """The user delegation key of an account: asked for once, and again when a link would outlive it."""

    def __init__(self, account: StorageAccount, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._account = account
        self._clock = clock
        self._lock = threading.Lock()
        self._key: UserDelegationKey | None = None
        self._ends = datetime.min.replace(tzinfo=UTC)

    def until(self, expiry: datetime) -> UserDelegationKey:
        """A key that is good until then, or for six days where that is less. AzureError if there is none."""
        now = self._clock()
        with self._lock:
            longest = now - CLOCK_SKEW + LONGEST_KEY
            if self._key is None or self._ends < min(expiry, longest - KEY_LIFE):
                ends = min(max(now + KEY_LIFE, expiry), longest)
                self._key = clients.blobs(self._account).get_user_delegation_key(now - CLOCK_SKEW, ends)
                self._ends = ends
            return self._key


@cache
def delegation_key(account: StorageAccount) -> DelegationKey:
    """That of an account, one for the process."""
    return DelegationKey(account)
