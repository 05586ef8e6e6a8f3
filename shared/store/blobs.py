"""Texts in one Blob container. The SDK is imported on first use: it costs 240 ms and no answer needs it."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.transport import STORAGE_OPTIONS

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient


class Blobs:
    """Puts and gets texts by name.

    Args:
        options: further ones for the SDK's client.
    """

    def __init__(self, connection_string: str, container: str, **options: Any) -> None:
        self._connection_string = connection_string
        self._container = container
        self._options = {**STORAGE_OPTIONS, **options}

    def put(self, name: str, text: str) -> None:
        """Write a text, over what has the name."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            self.client.upload_blob(name, text.encode(), overwrite=True)
        except ResourceNotFoundError:
            self.prepare()
            self.client.upload_blob(name, text.encode(), overwrite=True)

    def put_newest(self, name: str, text: str, number: int) -> None:
        """Write a text, unless a text with a higher number has the name. One request where nothing has it."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

        content, metadata = text.encode(), {"number": str(number)}
        while True:
            try:
                self.client.upload_blob(name, content, metadata=metadata)
                return
            except ResourceExistsError:
                found = self.client.get_blob_client(name).get_blob_properties()
            except ResourceNotFoundError:
                self.prepare()
                continue
            if int((found.metadata or {}).get("number", 0)) > number:
                return
            try:
                self.client.upload_blob(
                    name, content, metadata=metadata, overwrite=True,
                    etag=found.etag, match_condition=MatchConditions.IfNotModified,
                )  # fmt: skip
                return
            except ResourceModifiedError:
                continue  # another instance archives it as well: look again

    def get(self, name: str) -> str:
        """Read a text."""
        return str(self.client.download_blob(name, encoding="utf-8").readall())

    def prepare(self) -> None:
        """Make the container if it is missing."""
        from azure.core.exceptions import ResourceExistsError

        if not self.client.exists():
            with suppress(ResourceExistsError):  # another instance was quicker
                self.client.create_container()

    @cached_property
    def client(self) -> ContainerClient:
        """The container, for what is no text."""
        from azure.storage.blob import ContainerClient

        return ContainerClient.from_connection_string(self._connection_string, self._container, **self._options)
