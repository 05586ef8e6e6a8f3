"""The redacted transcript of each channel of each file in the archive, so that none is transcribed twice.

See docs/scorecards.md, "Transcripts".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, reduce

from pydantic import TypeAdapter, ValidationError

from shared.quality.report import Redactions
from shared.quality.transcripts.base import Utterance, Word
from shared.quality.transcripts.channels import Part
from shared.quality.transcripts.redaction import added, redact_all
from shared.recordings.base import Archive
from shared.recordings.fetching import document_of
from shared.recordings.record import RecordingRecord


@dataclass(frozen=True, slots=True)
class _Kept:
    """One channel of one file, in seconds of the file.

    Attributes:
        locale: the language of the transcription.
        bytes: length of the file; a damaged one may be fetched again.
        until: how far it is transcribed; None: to its end.
        redactions: how many of each kind.
    """

    locale: str
    bytes: int
    utterances: tuple[Utterance, ...]
    until: float | None
    redactions: Redactions


class ArchivedTranscripts:
    """The transcripts of one recording's channels in the archive; see shared.quality.transcripts.channels.Kept.

    Args:
        locale: the language of the transcription; one in another language is not used.
        region: see redaction.

    Attributes:
        redactions: how many of each kind, in all that was returned.
    """

    def __init__(self, archive: Archive, record: RecordingRecord, locale: str, region: str) -> None:
        self._archive = archive
        self._record = record
        self._locale = locale
        self._region = region
        self._bytes = {chunk.index: chunk.bytes for chunk in record.chunks}
        self._known: dict[tuple[int, int], _Kept] = {}

    @property
    def redactions(self) -> Redactions:
        return reduce(added, (kept.redactions for kept in self._known.values()), Redactions())

    def get(self, chunk: int, channel: int) -> Part | None:
        try:
            kept = _adapter().validate_json(self._archive.get_text(self._name(chunk, channel)))
        except (KeyError, ValidationError):
            return None
        same = (kept.locale, kept.bytes) == (self._locale, self._bytes[chunk])
        return self._part(chunk, channel, kept) if same else None

    def put(self, chunk: int, channel: int, utterances: Iterable[Utterance], until: float) -> Part:
        said = sorted(utterances, key=lambda one: one.start)
        texts, counts = redact_all([one.text for one in said], self._region)
        words, _ = redact_all([word.text for one in said for word in one.words], self._region)
        left = iter(words)
        redacted = (
            replace(one, text=text, words=tuple(Word(next(left), word.start, word.end) for word in one.words))
            for one, text in zip(said, texts, strict=True)
        )
        length = self._bytes[chunk]
        before = self._known.get((chunk, channel), _Kept(self._locale, length, (), 0.0, Redactions()))
        kept = _Kept(
            self._locale,
            length,
            (*before.utterances, *redacted),
            None if until == math.inf else until,
            added(before.redactions, counts),
        )
        self._archive.put_text(self._name(chunk, channel), _adapter().dump_json(kept).decode())
        return self._part(chunk, channel, kept)

    def _part(self, chunk: int, channel: int, kept: _Kept) -> Part:
        self._known[chunk, channel] = kept
        return Part(kept.utterances, math.inf if kept.until is None else kept.until)

    def _name(self, chunk: int, channel: int) -> str:
        return document_of(self._record, chunk, f"words.{channel}")


@cache
def _adapter() -> TypeAdapter[_Kept]:
    return TypeAdapter(_Kept)
