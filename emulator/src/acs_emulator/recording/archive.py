"""Finished recordings, on disk for as long as the service would keep them."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acs_emulator.core.clock import Clock

#: Seconds that a file is kept (docs: call recording, newest page: 24 hours).
RETENTION = 24 * 3600.0


@dataclass(frozen=True)
class Document:
    """One chunk of one recording: its sound and its metadata in files, and the name of its content."""

    id: str
    recording_id: str
    chunk: int
    path: Path
    metadata_path: Path
    content_name: str
    expires: float


class Archive:
    """Documents by id, in a directory of its own that goes when the emulator does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._documents: dict[str, Document] = {}
        self._folder: Path | None = None

    def path(self, document_id: str) -> Path:
        """Where the sound of a new document goes."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="emulator-recordings-"))
        return self._folder / document_id

    def add(
        self, document_id: str, recording_id: str, chunk: int, content_name: str, metadata: dict[str, Any]
    ) -> Document:
        """Keep a document whose sound has been written."""
        path = self.path(document_id)
        beside = path.with_suffix(".acsmetadata")
        beside.write_text(json.dumps(metadata, separators=(",", ":")), "utf-8")
        expires = self._clock.now() + RETENTION
        document = Document(document_id, recording_id, chunk, path, beside, content_name, expires)
        self._documents[document_id] = document
        return document

    def get(self, document_id: str) -> Document | None:
        """None when it is unknown, was deleted or has expired."""
        document = self._documents.get(document_id)
        if document is not None and self._clock.now() >= document.expires:
            self.delete(document_id)
            return None
        return document

    def delete(self, document_id: str) -> bool:
        """Whether there was such a document."""
        document = self._documents.pop(document_id, None)
        if document is None:
            return False
        document.path.unlink(missing_ok=True)
        document.metadata_path.unlink(missing_ok=True)
        return True

    def expire(self) -> None:
        """Remove what is past its time."""
        for document_id in list(self._documents):
            self.get(document_id)

    def clear(self) -> None:
        self._documents.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
