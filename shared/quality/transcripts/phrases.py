"""Where phrases are said.

A phrase matches whole words in order, whatever their case, punctuation and accents: `Thank you for calling` is in
“THANK YOU for calling, sir” and not in “thank you for recalling”. A pause of up to `PAUSE_SECONDS` in the middle,
where a transcriber begins a new utterance, does not matter; another speaker's words do not either.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from shared.quality.report import Topic
from shared.quality.spans import Span, total, union
from shared.quality.transcripts.base import Utterance

PAUSE_SECONDS = 2.0

Where = Literal["anywhere", "start", "end", "within"]
"""The part of the conversation that a phrase has to begin in:

- `start`: the first seconds after the first word that anybody says;
- `end`: the last seconds before the end of the last word that anybody says;
- `within`: the first seconds after the first word of the speaker of the phrase.
"""

# Scripts without spaces between words: each of their characters stands for itself.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
# What redaction put in place of something is no word that anybody said.
_MARK = re.compile(r"\[(?:card|phone|email)\]")
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019`](?=\w)")


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase that was said.

    Attributes:
        phrase: as the rule writes it.
        span: from its first to its last word, or of its utterances where words have no times.
        utterances: indexes of those that it lies in.
    """

    phrase: str
    channel: int
    span: Span
    utterances: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Spoken:
    word: str
    span: Span
    utterance: int


@lru_cache(maxsize=1024)
def words_of(text: str) -> tuple[str, ...]:
    """A text as it is compared: words without case, punctuation, apostrophes, accents, and marks of redaction."""
    plain = unicodedata.normalize("NFKD", _APOSTROPHE.sub("", _MARK.sub(" ", text)).casefold())
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    return tuple(_WORD.findall(unicodedata.normalize("NFC", bare)))


class Conversation:
    """What everybody said, made ready to be searched for many phrases."""

    def __init__(self, utterances: Sequence[Utterance]) -> None:
        self._spoken: dict[int, list[_Spoken]] = {}
        for index in sorted(range(len(utterances)), key=lambda i: utterances[i].start):
            self._spoken.setdefault(utterances[index].channel, []).extend(_words(utterances[index], index))
        spans = [one.span for spoken in self._spoken.values() for one in spoken]
        self._start = min((span.start for span in spans), default=0.0)
        self._end = max((span.end for span in spans), default=0.0)

    def find(
        self,
        phrases: Sequence[str],
        *,
        channels: Collection[int] | None = None,
        where: Where = "anywhere",
        seconds: float = 0.0,
    ) -> list[Match]:
        """Every time that one of the phrases is said by these channels (None: all), in order."""
        found = []
        for channel, spoken in self._spoken.items():
            if spoken and (channels is None or channel in channels):
                window = self._window(where, seconds, spoken[0].span.start)
                for phrase in phrases:
                    matches = _matches(phrase, channel, spoken)
                    found += [match for match in matches if window.start <= match.span.start <= window.end]
        return sorted(found, key=lambda match: (match.span, match.channel))

    def _window(self, where: Where, seconds: float, own_start: float) -> Span:
        if where == "start":
            return Span(self._start, self._start + seconds)
        if where == "end":
            return Span(self._end - seconds, self._end)
        return Span(own_start, own_start + seconds) if where == "within" else Span(self._start, self._end)


def topics(rules: Mapping[str, Sequence[str]], utterances: Sequence[Utterance]) -> tuple[Topic, ...]:
    """How long was spoken of each topic: the utterances that hold one of its phrases, union.

    Args:
        rules: the phrases of each topic, by its name. A topic that nobody speaks of is left out.
    """
    conversation = Conversation(utterances)
    found = []
    for name, phrases in rules.items():
        spoken = {index for match in conversation.find(phrases) for index in match.utterances}
        spans = union(Span(utterances[index].start, utterances[index].end) for index in spoken)
        if spans:
            found.append(Topic(name=name, seconds=round(total(spans), 3), spans=tuple(spans)))
    return tuple(found)


def _words(utterance: Utterance, index: int) -> Iterator[_Spoken]:
    if utterance.words:
        for word in utterance.words:
            yield from (_Spoken(part, Span(word.start, word.end), index) for part in words_of(word.text))
    else:
        whole = Span(utterance.start, utterance.end)
        yield from (_Spoken(part, whole, index) for part in words_of(utterance.text))


def _matches(phrase: str, channel: int, spoken: Sequence[_Spoken]) -> Iterator[Match]:
    first, *others = words_of(phrase) or ("",)
    for at, one in enumerate(spoken):
        if one.word != first:
            continue
        said = spoken[at : at + 1 + len(others)]
        if [after.word for after in said[1:]] == others and _in_one_go(said):
            span = Span(said[0].span.start, max(one.span.end for one in said))
            yield Match(phrase, channel, span, tuple(sorted({one.utterance for one in said})))


def _in_one_go(said: Sequence[_Spoken]) -> bool:
    return all(after.span.start - before.span.end <= PAUSE_SECONDS for before, after in pairwise(said))
