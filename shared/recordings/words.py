"""What a transcriber said of each channel of each file, kept beside the archive: it was paid for once.

Kept is the redacted text alone; see docs/scorecards.md, "Words".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from pydantic import TypeAdapter, ValidationError

from shared.quality.report import Redactions
from shared.quality.words.base import Utterance, Word
from shared.quality.words.redaction import added, redact_all
from shared.recordings.base import Archive
from shared.recordings.fetching import document_of
from shared.recordings.record import RecordingRecord


@dataclass(frozen=True, slots=True)
class _Kept:
    """One channel of one file, in seconds of the file.

    Attributes:
        locale: the language that was listened for.
        redactions: how many of each were taken out.
    """

    locale: str
    utterances: tuple[Utterance, ...]
    redactions: Redactions


class KeptWords:
    """The transcripts of one recording's channels in the archive; see shared.quality.words.channels.Kept.

    Args:
        locale: the language that is listened for; what was heard in another one is not used.
        region: see redaction.

    Attributes:
        redactions: how many of each were taken out of what was given out.
    """

    def __init__(self, archive: Archive, record: RecordingRecord, locale: str, region: str) -> None:
        self.redactions = Redactions()
        self._archive = archive
        self._record = record
        self._locale = locale
        self._region = region

    def get(self, chunk: int, channel: int) -> Sequence[Utterance] | None:
        try:
            kept = _adapter().validate_json(self._archive.get_text(self._name(chunk, channel)))
        except (KeyError, ValidationError):
            return None
        return self._given(kept) if kept.locale == self._locale else None

    def put(self, chunk: int, channel: int, utterances: Iterable[Utterance]) -> Sequence[Utterance]:
        said = sorted(utterances, key=lambda one: one.start)
        texts, counts = redact_all([one.text for one in said], self._region)
        words, _ = redact_all([word.text for one in said for word in one.words], self._region)
        left = iter(words)
        redacted = tuple(
            replace(one, text=text, words=tuple(Word(next(left), word.start, word.end) for word in one.words))
            for one, text in zip(said, texts, strict=True)
        )
        kept = _Kept(self._locale, redacted, counts)
        self._archive.put_text(self._name(chunk, channel), _adapter().dump_json(kept).decode())
        return self._given(kept)

    def _given(self, kept: _Kept) -> Sequence[Utterance]:
        self.redactions = added(self.redactions, kept.redactions)
        return kept.utterances

    def _name(self, chunk: int, channel: int) -> str:
        return document_of(self._record, chunk, f"words.{channel}")


@cache
def _adapter() -> TypeAdapter[_Kept]:
    return TypeAdapter(_Kept)
