"""Texts in one Blob container. The SDK is imported on first use: it costs 240 ms and no answer needs it."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

from shared.azure import clients
from shared.calls.store.base import RACES
from shared.errors import LostRace
from shared.storage_account import StorageAccount

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

GENERATION = "generation"
"""In a blob's metadata: a smaller one does not overwrite it."""


class Blobs:
    """Puts and gets texts by name.

    Args:
        options: further ones for the SDK's client.
    """

    def __init__(self, account: StorageAccount, container: str, **options: Any) -> None:
        self._account = account
        self._container = container
        self._options = options

    def put(self, name: str, text: str) -> None:
        """Write a text, over what has the name."""
        try:
            self.client.upload_blob(name, text.encode(), overwrite=True)
        except ResourceNotFoundError:
            self.prepare()
            self.client.upload_blob(name, text.encode(), overwrite=True)

    def put_newest(self, name: str, text: str, generation: int) -> bool:
        """Write a text, unless one of a later generation has the name; whether it was written.

        The generation stands in the blob's metadata. One request where nothing has the name, three where something
        has. LostRace if others keep writing it.
        """
        content, metadata = text.encode(), {GENERATION: str(generation)}
        for _ in range(RACES):
            try:
                self.client.upload_blob(name, content, metadata=metadata)
                return True
            except ResourceExistsError:
                pass
            except ResourceNotFoundError:
                self.prepare()
                continue
            try:
                found = self.client.get_blob_client(name).get_blob_properties()
                if int((found.metadata or {}).get(GENERATION, 0)) > generation:
                    return False
                self.client.upload_blob(
                    name, content, metadata=metadata, overwrite=True,
                    etag=found.etag, match_condition=MatchConditions.IfNotModified,
                )  # fmt: skip
                return True
            except (ResourceModifiedError, ResourceNotFoundError):
                continue  # another instance wrote or removed it meanwhile: look again
        raise LostRace(f"{name}: written {RACES} times while it was read")

    def get(self, name: str) -> str:
        """Read a text."""
        return str(self.client.download_blob(name, encoding="utf-8").readall())

    def exists(self, name: str) -> bool:
        """Whether something has the name; no where there is no container yet."""
        return self.client.get_blob_client(name).exists()

    def names(self, start: str) -> list[str]:
        """The names that begin so; none where there is no container yet."""
        try:
            return [str(name) for name in self.client.list_blob_names(name_starts_with=start)]
        except ResourceNotFoundError:
            return []

    def remove(self, name: str) -> None:
        """Remove what has the name, if anything has."""
        with suppress(ResourceNotFoundError):  # somebody else removes it too, or there is no container
            self.client.get_blob_client(name).delete_blob(delete_snapshots="include")

    def prepare(self) -> None:
        """Make the container if it is missing."""
        if not self.client.exists():
            with suppress(ResourceExistsError):  # another instance was quicker
                self.client.create_container()

    @cached_property
    def client(self) -> ContainerClient:
        """The container, for what is no text."""
        return clients.container(self._account, self._container, **self._options)
