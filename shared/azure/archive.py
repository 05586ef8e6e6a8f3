"""Archived recordings in one Blob container, `<prefix>-recordings`, and other files that calls leave.

The SDK is imported on first use.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.azure.blobs import Blobs
from shared.azure.rows import failure
from shared.errors import LostRace, StoreUnavailable
from shared.storage_account import StorageAccount

BLOCK = 4 * 2**20
"""Bytes written or read at once. A blob takes 50,000 blocks (docs: put block), which is 195 GiB of these."""

WRITER = "writer"
"""In the metadata of an archived file: a mark of who wrote it, by which a writer knows its own commit again."""


class BlobArchive:
    """Keeps files by name; safe to share between threads, its writers are not.

    Args:
        container: of the prefix's containers, which one.
        block: bytes held in memory for each file that is written or read.
    """

    def __init__(
        self, account: StorageAccount, prefix: str, *, container: str = "recordings", block: int = BLOCK
    ) -> None:
        self._block, self._account = block, account
        self._blobs = Blobs(account, f"{prefix}-{container}", max_single_get_size=block, max_chunk_get_size=block)

    def writer(self, name: str, content_type: str) -> BlobWriter:
        """Begin a file. Costs a round trip, and one for each block and two for the commit."""
        return BlobWriter(self._blobs, name, content_type, self._block)

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        with storage_errors():
            try:
                stream = self._blobs.client.download_blob(name, offset=start)
            except ResourceNotFoundError:
                raise KeyError(name) from None
            except HttpResponseError as error:
                if error.status_code != 416:
                    raise
                return iter(())  # nothing lies behind the end
        return _translated(iter(stream.chunks()))

    def length(self, name: str) -> int | None:
        with storage_errors():
            try:
                return self._blobs.client.get_blob_client(name).get_blob_properties().size
            except ResourceNotFoundError:
                return None

    def put_text(self, name: str, text: str) -> None:
        with storage_errors():
            self._blobs.put(name, text)

    def get_text(self, name: str) -> str:
        with storage_errors():
            try:
                return self._blobs.get(name)
            except ResourceNotFoundError:
                raise KeyError(name) from None

    def put_newest(self, name: str, text: str, generation: int) -> bool:
        with storage_errors():
            return self._blobs.put_newest(name, text, generation)

    def link(self, name: str, seconds: float) -> str:
        """An address that reads this one file (`shared.azure.links`); SettingsError if nothing can sign it."""
        from shared.azure import links

        with storage_errors():
            return links.link(self._blobs.client.get_blob_client(name), self._account, seconds)

    def names(self, folder: str) -> list[str]:
        with storage_errors():
            return self._blobs.names(f"{folder}/")

    def remove(self, folder: str) -> None:
        with storage_errors():
            for name in self._blobs.names(f"{folder}/"):
                self._blobs.remove(name)


class BlobWriter:
    """Writes one file in blocks that become visible together.

    The ids of the blocks hold a token of this writer, so that two writers of one file cannot mix. The file is
    committed only if nobody committed or removed it since the writer began; LostRace otherwise.
    """

    def __init__(self, blobs: Blobs, name: str, content_type: str, block: int) -> None:
        self._blobs = blobs
        self._content_type = content_type
        self._block = block
        self._token = secrets.token_hex(8)
        self._ids: list[str] = []
        self._buffer = bytearray()
        self._etag: str | None = None
        with storage_errors():
            self._blob = blobs.client.get_blob_client(name)
            try:
                self._etag = self._blob.get_blob_properties().etag
            except ResourceNotFoundError as error:
                if _is(error, "ContainerNotFound"):
                    blobs.prepare()

    def write(self, block: bytes) -> None:
        self._buffer += block
        while len(self._buffer) >= self._block:
            self._stage(self._block)

    def commit(self) -> int:
        from azure.storage.blob import BlobBlock, ContentSettings

        condition: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
        if self._etag is not None:
            condition = {"etag": self._etag, "match_condition": MatchConditions.IfNotModified}
        if self._buffer:
            self._stage(len(self._buffer))
        with storage_errors():
            try:
                self._blob.commit_block_list(
                    [BlobBlock(block_id=one) for one in self._ids],
                    content_settings=ContentSettings(content_type=self._content_type),
                    metadata={WRITER: self._token},
                    **condition,
                )
            except HttpResponseError as error:
                # InvalidBlockList: the other writer's commit swept our blocks away.
                if error.status_code not in (409, 412) and not _is(error, "InvalidBlockList"):
                    raise
                return self._committed_before(error)
            return self._blob.get_blob_properties().size

    def _committed_before(self, error: Exception) -> int:
        """The file's length if this writer committed it: only the response was lost, and the SDK's retry met it."""
        try:
            kept = self._blob.get_blob_properties()
        except ResourceNotFoundError:
            kept = None
        if kept is None or kept.metadata.get(WRITER) != self._token:
            raise LostRace("the file was committed by somebody else") from error
        return kept.size

    def _stage(self, length: int) -> None:
        # All ids of a blob must be of the same length (docs: put block).
        block_id = base64.b64encode(f"{self._token}-{len(self._ids):05d}".encode()).decode()
        with storage_errors():
            self._blob.stage_block(block_id, bytes(self._buffer[:length]), length=length)
        del self._buffer[:length]
        self._ids.append(block_id)


def _is(error: Exception, code: str) -> bool:
    """Whether an error has this code of the service's own."""
    return bool(getattr(error, "error_code", None) == code)


def _translated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    with storage_errors():
        yield from blocks


@contextmanager
def storage_errors() -> Iterator[None]:
    """Translate the SDK's errors into the store's; without their texts, which hold signed addresses."""
    try:
        yield
    except HttpResponseError as error:
        raise failure(error) from error
    except AzureError as error:
        raise StoreUnavailable(f"the storage did not answer ({type(error).__name__})") from error
