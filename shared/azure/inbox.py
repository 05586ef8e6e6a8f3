"""Files that somebody drops into a Blob container, to be taken by the app.

The SDK is imported on first use.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

from shared.azure.archive import storage_errors
from shared.azure.blobs import Blobs
from shared.errors import LostRace
from shared.storage_account import StorageAccount

BLOCK = 4 * 2**20
"""Bytes read at once."""
MOST_FILES = 5_000
"""Files of one look: as many as one response has (docs: list blobs)."""


class Dropped(NamedTuple):
    """A file that waits.

    Attributes:
        version: another one whenever it is written.
        changed: Unix time in seconds of that, by the storage's clock.
    """

    name: str
    version: str
    changed: float


class BlobInbox:
    """The container `<prefix>-outreach-in`, which is made at the first look."""

    def __init__(self, account: StorageAccount, prefix: str) -> None:
        self._blobs = Blobs(account, f"{prefix}-outreach-in", max_single_get_size=BLOCK, max_chunk_get_size=BLOCK)

    def waiting(self) -> list[Dropped]:
        """The files that wait, by name. One round trip."""
        with storage_errors():
            try:
                found = list(islice(self._blobs.client.list_blobs(results_per_page=MOST_FILES), MOST_FILES))
            except ResourceNotFoundError:
                self._blobs.prepare()
                return []
        return [Dropped(one.name, one.etag, one.last_modified.timestamp()) for one in found]

    def read(self, file: Dropped) -> Iterator[bytes]:
        """A file, in blocks, as it was seen. LostRace if it is gone or another by now."""
        with storage_errors():
            try:
                stream = self._blobs.client.download_blob(
                    file.name, etag=file.version, match_condition=MatchConditions.IfNotModified
                )
                yield from stream.chunks()
            except (ResourceModifiedError, ResourceNotFoundError) as error:
                raise LostRace(file.name) from error

    def remove(self, file: Dropped) -> None:
        """Remove a file, unless it is another by now."""
        with storage_errors(), suppress(ResourceModifiedError, ResourceNotFoundError):
            self._blobs.client.get_blob_client(file.name).delete_blob(
                delete_snapshots="include", etag=file.version, match_condition=MatchConditions.IfNotModified
            )
