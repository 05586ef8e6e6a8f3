"""Utterances for tests."""

from __future__ import annotations

from shared.quality.transcripts.base import Utterance, Word


def said(text: str, at: float, channel: int = 0, *, each: float = 0.5, timed: bool = True) -> Utterance:
    """An utterance in which every word takes as long."""
    texts = text.split()
    words = tuple(Word(word, at + i * each, at + (i + 1) * each) for i, word in enumerate(texts))
    return Utterance(channel, at, at + len(texts) * each, text, 0.9, words if timed else ())
