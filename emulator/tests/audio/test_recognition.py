"""PocketSphinx against the phrases that are expected, with espeak-ng's voices. Skipped where it is not installed."""

from __future__ import annotations

import importlib.util

import pytest

from acs_emulator.audio import Recogniser, Studio, recogniser

PHRASES = ("Agent", "opening hours", "hours", "yes", "no", "support", "Zzyzzx")
installed = pytest.mark.skipif(
    importlib.util.find_spec("pocketsphinx") is None, reason="needs pip install 'acs-emulator[recognition]'"
)


@installed
@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "en-us+m3"])
async def test_a_phrase_that_is_expected_is_recognised_as_it_was_given(voice: str) -> None:
    studio, heard = Studio(), Recogniser()
    try:
        for phrase in PHRASES[:-1]:
            clip = await studio.speak_as(phrase, voice)
            assert heard.recognise(clip.samples, PHRASES) == phrase
    finally:
        await studio.close()


@installed
def test_silence_and_phrases_without_a_known_word_are_nothing() -> None:
    assert Recogniser().recognise(bytes(32_000), ("Zzyzzx", "Straße", "42")) == ""
    assert Recogniser().recognise(bytes(32_000), ()) == ""


def test_there_is_a_recogniser_only_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert recogniser() is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "pocketsphinx")
    assert isinstance(recogniser(), Recogniser)
