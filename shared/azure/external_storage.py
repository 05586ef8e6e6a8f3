"""Recordings that the service wrote to the app's own storage account, and the choice between it and the service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.azure import clients
from shared.azure.recording_source import MOST_METADATA, read_metadata
from shared.errors import ForeignLocation, SourceUnavailable, UnreadableAudio
from shared.recordings.base import Download, Source
from shared.recordings.location import read_address
from shared.storage_account import StorageAccount

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobServiceClient, StorageStreamDownloader

_BLOCK = 4 * 2**20


class ExternalStorageSource:
    """Blobs of one storage account, read as the app signs in to it: a signature in their addresses is not used.

    Args:
        containers: those that recordings lie in; nothing else of the account is read or deleted.
    """

    def __init__(self, account: StorageAccount, containers: Iterable[str]) -> None:
        self._account = account
        self._containers = frozenset(containers)

    def owns(self, location: str) -> bool:
        """Whether an address lies in this account."""
        try:
            return self._path(location) is not None
        except ForeignLocation:
            return False

    @contextmanager
    def open(self, location: str) -> Iterator[BlobDownload]:
        blob = self._blob(location)
        with _source_errors():
            stream = blob.download_blob()
        yield BlobDownload(stream)

    def metadata(self, location: str) -> dict[str, Any]:
        blob = self._blob(location)
        with _source_errors():
            stream = blob.download_blob()
            if stream.size > MOST_METADATA:
                raise UnreadableAudio("acsmetadata", "is larger than a metadata document can be.")
            body = stream.readall()
        return read_metadata(body)

    def delete(self, location: str) -> None:
        blob = self._blob(location)
        with _source_errors():
            try:
                blob.delete_blob(delete_snapshots="include")
            except ResourceNotFoundError:
                return

    def _blob(self, location: str) -> BlobClient:
        """The blob at an address; ForeignLocation if it is none of this account, or in no container of ours."""
        container, _, name = (self._path(location) or "").partition("/")
        if not container or not name:
            raise ForeignLocation(read_address(location).authority, "is not a blob of the app's own storage account.")
        if container not in self._containers:
            problem = "is not a container that recordings are read from."
            raise ForeignLocation(read_address(location).authority, problem, "RECORDING_CONTAINERS names them.")
        return self._service.get_blob_client(container, unquote(name))

    def _path(self, location: str) -> str | None:
        """`container/blob` as the address writes it; None for another account. ForeignLocation if it is no address."""
        address, own = read_address(location), read_address(self._service.url)
        path, account = address.rest.partition("?")[0], own.rest.partition("?")[0].rstrip("/") + "/"
        if address.origin != own.origin or not path.startswith(account):
            return None
        return path.removeprefix(account)

    @cached_property
    def _service(self) -> BlobServiceClient:
        return clients.blobs(self._account, max_single_get_size=_BLOCK, max_chunk_get_size=_BLOCK)


class BlobDownload:
    """A blob on its way; the SDK goes on where it broke off, and sees if it changed."""

    def __init__(self, stream: StorageStreamDownloader[bytes]) -> None:
        self._stream = stream
        self.length: int | None = stream.size

    def __iter__(self) -> Iterator[bytes]:
        with _source_errors():
            yield from self._stream.chunks()


class Sources:
    """The app's own storage account for the addresses in it, and the service for all others."""

    def __init__(self, service: Source, own: ExternalStorageSource) -> None:
        self._service = service
        self._own = own

    def open(self, location: str) -> AbstractContextManager[Download]:
        return self._of(location).open(location)

    def metadata(self, location: str) -> dict[str, Any]:
        return self._of(location).metadata(location)

    def delete(self, location: str) -> None:
        self._of(location).delete(location)

    def _of(self, location: str) -> Source:
        return self._own if self._own.owns(location) else self._service


@contextmanager
def _source_errors() -> Iterator[None]:
    try:
        yield
    except HttpResponseError as error:
        status = error.status_code
        problem = "holds no such file" if status == 404 else "cannot give the recording now"
        raise SourceUnavailable(f"The app's storage account {problem}. (HTTP {status})", status) from error
    except AzureError as error:
        raise SourceUnavailable(f"The app's storage account does not answer ({type(error).__name__}).") from error
