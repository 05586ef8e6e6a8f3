"""Numbers and addresses taken out of what was said.

Found are card numbers, phone numbers and e-mail addresses, also when a transcriber writes their digits as English
words. Names, postal addresses, dates of birth, security codes of cards, account and social security numbers are
NOT found: that needs a language model, which this app does not have.

Doubt goes against the text: a number that could be a card's is taken out, even if it is an order's.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import Literal, NamedTuple

from shared.quality.report import Phrase, Redactions, Transcript
from shared.quality.transcripts.base import Utterance
from shared.quality.transcripts.digits import DigitView

_Kind = Literal["card", "phone", "email"]

_EMAIL = re.compile(r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,63}")
_NUMBER = re.compile(r"\d(?:[\s().,/‐-―-]{0,4}\d)*")
"""A run of digits with what stands between the groups of one number."""

_CARD_DIGITS = range(13, 20)
"""Lengths of a payment card's number (ISO/IEC 7812-1 allows up to 19; nobody issues fewer than 13)."""

_ISSUED: dict[int, re.Pattern[str]] = {
    13: re.compile("4"),
    14: re.compile("3[0689]"),
    15: re.compile("3[47]"),
    16: re.compile("[2-6]"),
    17: re.compile("3[05689]|5[0678]|6"),
    18: re.compile("3[05689]|5[0678]|6"),
    19: re.compile("3[05689]|5[0678]|[46]"),
}
"""How numbers of each length begin (the issuers' published ranges): asked only of a part of a longer run."""

_PHONE_DIGITS = range(9, 16)
"""Lengths of a phone number with its area (E.164: at most 15)."""


class _Found(NamedTuple):
    start: int
    end: int
    kind: _Kind


def redact(text: str, region: str = "US") -> tuple[str, Redactions]:
    """A text with `[card]`, `[phone]` and `[email]` in place of what they name, and how many there were.

    Args:
        region: the region (ISO 3166) whose way to write phone numbers is known; numbers with `+` are known anyhow.
    """
    (redacted,), counts = redact_all([text], region)
    return redacted, counts


def redact_all(texts: Sequence[str], region: str = "US") -> tuple[list[str], Redactions]:
    """What one speaker said in a row, each as `redact` does; a number that goes over a border is one number.

    Each of the texts that it goes over gets its mark; it counts once.
    """
    joined = " ".join(texts)
    if not any(map(str.strip, texts)):
        return list(texts), Redactions()
    ends = list(accumulate(len(text) + 1 for text in texts))
    found = [_Found(match.start(), match.end(), "email") for match in _EMAIL.finditer(joined)]
    left = _blank(joined, found)
    cards = list(_cards(left))
    found += cards
    left = _blank(left, cards)

    @cache  # the same spans are looked at again in the whole
    def is_phone(span: str) -> bool:
        return _is_phone(span, region)

    # A phone number is sought in each text alone before the next may add digits that make it none.
    for start, end in zip([0, *ends], ends, strict=False):
        phones = [
            _Found(start + one.start, start + one.end, "phone")
            for one in _phones(left[start : end - 1], region, is_phone)
        ]
        found += phones
        left = _blank(left, phones)
    found += _phones(left, region, is_phone)
    counts = {kind: sum(one.kind == kind for one in found) for kind in ("card", "phone", "email")}
    return _marked(texts, ends, sorted(found)), Redactions(**counts)


def added(one: Redactions, other: Redactions) -> Redactions:
    """Both together."""
    return Redactions(card=one.card + other.card, phone=one.phone + other.phone, email=one.email + other.email)


def transcript(
    utterances: Sequence[Utterance], locale: str, region: str = "US", *, before: Redactions | None = None
) -> Transcript:
    """What was said, redacted, in the order in which it began. Names and addresses stay: see the module.

    Args:
        before: what was taken out of the utterances already.
    """
    phrases: list[Phrase] = []
    counts = before or Redactions()
    for channel in sorted({utterance.channel for utterance in utterances}):
        mine = sorted((one for one in utterances if one.channel == channel), key=lambda one: one.start)
        texts, more = redact_all([one.text for one in mine], region)
        phrases += (
            Phrase(channel=channel, start=one.start, end=one.end, text=text, confidence=one.confidence)
            for one, text in zip(mine, texts, strict=True)
        )
        counts = added(counts, more)
    phrases.sort(key=lambda phrase: (phrase.start, phrase.channel))
    return Transcript(locale=locale, phrases=tuple(phrases), redactions=counts)


def _blank(text: str, found: Sequence[_Found]) -> str:
    """The text with what was found made unreadable, its length kept."""
    for start, end, _ in found:
        text = text[:start] + "¤" * (end - start) + text[end:]
    return text


def _marked(texts: Sequence[str], ends: Sequence[int], found: Sequence[_Found]) -> list[str]:
    marked = []
    for text, end in zip(texts, ends, strict=True):
        base, at, parts = end - len(text) - 1, 0, []
        for one in found:
            start, stop = max(one.start - base, 0), min(one.end - base, len(text))
            if start < stop:
                parts += [text[at:start], f"[{one.kind}]"]
                at = stop
        marked.append("".join([*parts, text[at:]]))
    return marked


# cards


def _cards(text: str) -> Iterator[_Found]:
    view = DigitView(text)
    for run in _NUMBER.finditer(view.text):
        groups = _groups(run)
        for first, last in _card_groups([view.text[start:end] for start, end in groups]):
            yield _Found(*view.source(groups[first][0], groups[last - 1][1]), "card")


def _card_groups(groups: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Cards in one run of groups of digits: the whole run; else groups of it; else the groups that one lies in."""
    edges = [0, *accumulate(map(len, groups))]
    digits = "".join(groups)
    if len(digits) in _CARD_DIGITS and _luhn(digits):
        yield 0, len(groups)
        return
    taken: list[tuple[int, int]] = []

    def free(first: int, last: int) -> bool:
        return all(last <= start or end <= first for start, end in taken)

    for length in reversed(_CARD_DIGITS):
        for first, edge in enumerate(edges):
            last = bisect_left(edges, edge + length)
            whole = last < len(edges) and edges[last] == edge + length
            if whole and _is_card(digits[edge : edge + length]) and free(first, last):
                taken.append((first, last))
    for at in range(len(digits)):
        for length in (16, 15):
            first, last = bisect_right(edges, at) - 1, bisect_left(edges, at + length)
            if last < len(edges) and _is_card(digits[at : at + length]) and free(first, last):
                taken.append((first, last))
    yield from taken


def _is_card(digits: str) -> bool:
    issued = _ISSUED.get(len(digits))
    return issued is not None and issued.match(digits) is not None and _luhn(digits)


def _luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B. A row of zeros passes it, and is not a card."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0 and digits.strip("0") != ""


# phones


def _phones(text: str, region: str, is_phone: Callable[[str], bool]) -> list[_Found]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    view = DigitView(text)
    found: list[tuple[int, int]] = []

    def sought(start: int, end: int) -> bool:
        matches = list(PhoneNumberMatcher(view.text[start:end], region, leniency=Leniency.VALID))
        found.extend((start + match.start, start + match.end) for match in matches)
        return bool(matches)

    if len(re.findall(r"\d", view.text)) >= 5:
        sought(0, len(view.text))
    for run in _NUMBER.finditer(view.text):
        # The matcher gives up on two numbers in a row; then each is sought among the groups.
        if any(start < run.end() and run.start() < end for start, end in found):
            continue
        groups, at = _groups(run), 0
        while at < len(groups):
            ends = range(min(len(groups), at + _PHONE_DIGITS.stop), at, -1)
            whole = (i for i in ends if sum(end - start for start, end in groups[at:i]) in _PHONE_DIGITS)
            spans = ((i, groups[at][0], groups[i - 1][1]) for i in whole)
            # The matcher takes a span apart in a dozen ways: it is asked only where the whole is a number.
            at = next((i for i, a, b in spans if is_phone(view.text[a:b]) and sought(a, b)), at + 1)
    return [_Found(*view.source(start, end), "phone") for start, end in found]


def _is_phone(text: str, region: str) -> bool:
    """Whether a text as a whole is a phone number."""
    from phonenumbers import NumberParseException, is_valid_number, parse

    try:
        return is_valid_number(parse(text, region))
    except NumberParseException:
        return False


def _groups(run: re.Match[str]) -> list[tuple[int, int]]:
    """Where the groups of digits of a run lie in the text."""
    return [(run.start() + one.start(), run.start() + one.end()) for one in re.finditer(r"\d+", run.group())]
