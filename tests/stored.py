"""Everything that a storage account holds, as texts."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

TEXTS = (".json", ".jsonl", ".html", ".txt")
"""What blobs end with that hold words."""


def everything_in(connection_string: str) -> Iterator[str]:
    """Each row of each table, inflated; each blob with words; the messages that wait in each queue; all the names."""
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for table in tables.list_tables():
            for row in tables.get_table_client(table.name).list_entities():
                yield f"{table.name} {' '.join(_text(value) for value in row.values())}"
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for container in blobs.list_containers():
            client = blobs.get_container_client(container.name)
            for blob in client.list_blobs(include=["metadata"]):
                content = client.download_blob(blob.name).readall() if blob.name.endswith(TEXTS) else b""
                yield f"{container.name}/{blob.name} {blob.metadata} {content.decode('utf-8', 'replace')}"
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for queue in queues.list_queues():
            for message in queues.get_queue_client(queue.name).peek_messages(32):
                waiting = str(message.content)
                yield f"{queue.name} {waiting} {_decoded(waiting)}"


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return zlib.decompress(value).decode()
    except zlib.error:
        return value.decode("latin-1")


def _decoded(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode("utf-8", "replace")
    except ValueError:
        return ""
