"""Recordings in a blob container of the app's own ("Bring your own storage"), in the documented layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

    from acs_emulator.recording.archive import Document

#: Bytes that are read and sent at once.
_BLOCK = 4 * 1024 * 1024


class ExportFailed(Exception):
    """The files could not be written to the container; the sentence says why."""


class ExternalStorage:
    """One container. The service comes as a managed identity; here a connection string says what it may write to."""

    def __init__(self, connection_string: str, container_url: str) -> None:
        self._connection_string = connection_string
        self._container_url = container_url

    def write(self, folder: str, documents: Sequence[Document], extension: str) -> list[tuple[str, str]]:
        """Write every chunk; the URLs of sound and metadata of each. Blocks: run it in a thread.

        Raises ExportFailed.
        """
        if not self._connection_string:
            raise ExportFailed("the emulator has no --storage-connection-string")
        from azure.core.exceptions import AzureError

        try:
            with self._container() as container:
                return [self._write(container, folder, document, extension) for document in documents]
        except (AzureError, OSError) as error:
            raise ExportFailed(f"{type(error).__name__} while writing to the container") from error

    def _write(self, container: ContainerClient, folder: str, document: Document, extension: str) -> tuple[str, str]:
        front = f"{folder}/{document.chunk}"
        names = (
            f"{front}-{document.content_name}.{document.id}.{extension}",
            f"{front}-acsmetadata.{document.id}.json",
        )
        for name, path in zip(names, (document.path, document.metadata_path), strict=True):
            with path.open("rb") as file:
                container.upload_blob(name, file, overwrite=True)
        return f"{self._container_url}/{names[0]}", f"{self._container_url}/{names[1]}"

    def _container(self) -> ContainerClient:
        from azure.storage.blob import BlobServiceClient

        try:
            account = BlobServiceClient.from_connection_string(
                self._connection_string, max_single_put_size=_BLOCK, max_block_size=_BLOCK, retry_total=1
            )
        except ValueError as error:
            raise ExportFailed("--storage-connection-string cannot be read") from error
        front, _, name = self._container_url.rpartition("/")
        if front != account.url.rstrip("/"):
            account.close()
            raise ExportFailed("the container is not of the account in --storage-connection-string")
        return account.get_container_client(name)
