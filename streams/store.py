"""The storage of streams: the blob operations that the archive needs, and their Azure side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

MOST_ATTEMPTS = 8
"""Lost races in a row after which an update is given up until the next one."""


class StreamStore(Protocol):
    """Blobs by name. Every method blocks, may be called from any thread, and raises what its storage raises."""

    def create(self, name: str, data: bytes, content_type: str) -> bool:
        """Make a blob; False if the name is taken."""

    def stage(self, name: str, block_id: str, data: bytes) -> None:
        """Stage a block; a later commit makes it part of the blob."""

    def commit(self, name: str, block_ids: Sequence[str], content_type: str) -> None:
        """Make the blob of these blocks, in this order."""

    def append(self, name: str, data: bytes, content_type: str) -> bool:
        """Add to the end of a blob, made if it is missing; False if it can take no more."""

    def update(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Change a JSON document ({} if it is missing) so that no other writer's change is lost."""


class AzureStreamStore:
    """One container in Azure Blob Storage."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def prepare(self) -> None:
        """Make the container if it is missing."""
        from azure.core.exceptions import ResourceExistsError

        with suppress(ResourceExistsError):
            self._container.create_container()

    def create(self, name: str, data: bytes, content_type: str) -> bool:
        from azure.core.exceptions import ResourceExistsError

        try:
            self._container.upload_blob(name, data, overwrite=False, content_settings=_settings(content_type))
        except ResourceExistsError:
            return False
        return True

    def stage(self, name: str, block_id: str, data: bytes) -> None:
        self._container.get_blob_client(name).stage_block(block_id, data)

    def commit(self, name: str, block_ids: Sequence[str], content_type: str) -> None:
        from azure.storage.blob import BlobBlock

        blocks = [BlobBlock(block_id) for block_id in block_ids]
        self._container.get_blob_client(name).commit_block_list(blocks, content_settings=_settings(content_type))

    def append(self, name: str, data: bytes, content_type: str) -> bool:
        from azure.core import MatchConditions
        from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

        blob = self._container.get_blob_client(name)
        try:
            try:
                blob.append_block(data)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):  # another writer was quicker
                    blob.create_append_blob(_settings(content_type), match_condition=MatchConditions.IfMissing)
                blob.append_block(data)
        except HttpResponseError as error:
            if getattr(error, "error_code", "") == "BlockCountExceedsLimit":
                return False
            raise
        return True

    def update(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

        blob = self._container.get_blob_client(name)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            guard: dict[str, Any] = {"overwrite": False}
            document: dict[str, Any] = {}
            with suppress(ResourceNotFoundError):
                read = blob.download_blob(encoding="utf-8")
                document = json.loads(read.readall())
                guard = {
                    "overwrite": True,
                    "etag": read.properties.etag,
                    "match_condition": MatchConditions.IfNotModified,
                }
            text = json.dumps(change(document), indent=1)
            try:
                blob.upload_blob(text.encode(), content_settings=_settings("application/json"), **guard)
                return
            except (ResourceExistsError, ResourceModifiedError):
                if attempt == MOST_ATTEMPTS:
                    raise


def _settings(content_type: str) -> Any:
    from azure.storage.blob import ContentSettings

    return ContentSettings(content_type=content_type)
