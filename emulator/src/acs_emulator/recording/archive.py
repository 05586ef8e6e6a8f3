"""Finished recordings, on disk for as long as the service would keep them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acs_emulator.core.clock import Clock
from acs_emulator.core.event_grid_target import ConfigError
from acs_emulator.core.files import replace

#: Seconds that a file is kept (docs: call recording, newest page: 24 hours).
RETENTION = 24 * 3600.0
#: Ends of the names of files: a document's metadata, and what stays over a restart.
_METADATA, _DOCUMENT, _DESCRIPTION, _SPEECH = ".acsmetadata", ".document", ".description", ".speech"


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
    """Documents by id, in a directory of its own that goes when the emulator does, or in one that stays.

    One that stays keeps beside the documents what is needed after a restart: a description of each recording, and the
    sound of what was said in it, which fast transcription knows it by.

    Args:
        location: the directory that stays; it is made if need be, and is no other emulator's.

    Raises OSError and ConfigError for a directory that cannot be used.
    """

    def __init__(self, clock: Clock, location: Path | None = None) -> None:
        self._clock = clock
        self._documents: dict[str, Document] = {}
        self._stays = location is not None
        self._folder = location
        if location is not None:
            location.mkdir(parents=True, exist_ok=True)
            self._read(location)

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
        beside = path.with_suffix(_METADATA)
        beside.write_text(json.dumps(metadata, separators=(",", ":")), "utf-8")
        expires = self._clock.now() + RETENTION
        document = Document(document_id, recording_id, chunk, path, beside, content_name, expires)
        self._documents[document_id] = document
        if self._stays:
            known = {
                "recordingId": recording_id,
                "chunk": chunk,
                "contentName": content_name,
                "expiresAt": time.time() + self._clock.real(RETENTION),
            }
            replace(path.with_suffix(_DOCUMENT), json.dumps(known).encode())
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
        for path in (document.path, document.metadata_path, document.path.with_suffix(_DOCUMENT)):
            path.unlink(missing_ok=True)
        return True

    def describe(self, recording_id: str, description: dict[str, Any]) -> None:
        """Keep what the control API shows of a recording, if anything stays."""
        if self._stays:
            digest = hashlib.sha256(recording_id.encode()).hexdigest()[:32]
            kept = {"at": time.time(), "description": description}
            replace(self.path(digest).with_suffix(_DESCRIPTION), json.dumps(kept).encode())

    def descriptions(self) -> list[dict[str, Any]]:
        """What was kept of recordings before this start, the oldest first."""
        kept = [_read_json(path) for path in self._kept(_DESCRIPTION)]
        return [one["description"] for one in sorted(kept, key=lambda one: one["at"])]

    def add_speech(self, text: str, pcm: bytes) -> None:
        """Keep what was said and its sound (16-bit mono PCM at 16,000 Hz), if anything stays."""
        if self._stays:
            said = text.encode() + b"\n"
            replace(self.path(hashlib.sha256(said + pcm).hexdigest()[:32]).with_suffix(_SPEECH), said + pcm)

    def speech(self) -> Iterator[tuple[str, bytes]]:
        """What was kept of speech before this start."""
        for path in self._kept(_SPEECH):
            text, _, pcm = path.read_bytes().partition(b"\n")
            yield text.decode(), pcm

    def expire(self) -> None:
        """Remove what is past its time."""
        for document_id in list(self._documents):
            self.get(document_id)

    def clear(self) -> None:
        """Forget and remove all of it."""
        self._documents.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._stays:
                self._folder.mkdir(exist_ok=True)
            else:
                self._folder = None

    def close(self) -> None:
        """Remove what does not stay."""
        if not self._stays:
            self.clear()

    def _kept(self, suffix: str) -> list[Path]:
        return sorted(self._folder.glob(f"*{suffix}")) if self._stays and self._folder is not None else []

    def _read(self, folder: Path) -> None:
        """Know the documents of before, and remove what is past its time or was not finished."""
        for path in folder.glob(f"*{_DOCUMENT}"):
            known = _read_json(path)
            sound = path.with_suffix("")
            expires = self._clock.now() + (known["expiresAt"] - time.time()) * self._clock.speed
            self._documents[sound.name] = Document(
                sound.name,
                known["recordingId"],
                known["chunk"],
                sound,
                path.with_suffix(_METADATA),
                known["contentName"],
                expires,
            )
        self.expire()
        oldest = time.time() - self._clock.real(RETENTION)
        for path in folder.iterdir():
            if path.suffix in (_DESCRIPTION, _SPEECH):
                gone = path.stat().st_mtime < oldest
            else:
                gone = path.with_suffix("").name not in self._documents
            if gone:
                path.unlink()


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ConfigError(f"--location: {path} cannot be read ({error}); remove it.") from error
