"""The words of an utterance, as whoever transcribes it would hear them."""

from __future__ import annotations

#: Confidence given with speech. Chosen.
CONFIDENCE = 0.95


def spoken_words(text: str, seconds: float) -> list[tuple[str, float, float]]:
    """The words with offset and duration in seconds: the time shared out by letters, as nothing better is known."""
    words = [word for word in text.split() if any(character.isalnum() for character in word)]
    letters = sum(len(word) + 1 for word in words)
    shared: list[tuple[str, float, float]] = []
    begin = 0.0
    for word in words:
        length = seconds * (len(word) + 1) / letters
        shared.append((word, begin, length))
        begin += length
    return shared
