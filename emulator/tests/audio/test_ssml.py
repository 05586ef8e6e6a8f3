from __future__ import annotations

import pytest

from acs_emulator.audio import SpeechError, Studio
from acs_emulator.audio.ssml import for_espeak

_AZURE = """
<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis"
       xmlns:mstts="https://www.w3.org/2001/mstts" xml:lang="en-US">
  <voice name="de-DE-KatjaNeural"><mstts:express-as style="cheerful">
  Guten Tag &amp; <lang xml:lang="fr-FR">salut</lang>
  </mstts:express-as></voice>
</speak>
"""


def _speak(inside: str) -> str:
    return f'<speak version="1.0" xml:lang="en-US">{inside}</speak>'


def test_voices_and_languages_of_the_service_become_those_of_espeak() -> None:
    ssml = " ".join(for_espeak(_AZURE).split())

    assert ssml == (
        '<speak version="1.0" xml:lang="en-us"> <voice xml:lang="de" gender="female"><span style="cheerful">'
        ' Guten Tag &amp; <voice xml:lang="fr">salut</voice> </span></voice> </speak>'
    )


def test_espeak_is_never_told_to_open_a_file() -> None:
    ssml = for_espeak(_speak('<audio src="/etc/hostname">beep</audio><AUDIO src="x">a</AUDIO>'))

    assert "audio" not in ssml.lower()
    assert "beep" in ssml


async def test_a_document_of_the_service_is_spoken(studio: Studio) -> None:
    assert 0.8 < (await studio.speak_ssml(_AZURE)).duration < 4


async def test_slow_speech_is_longer_and_fast_speech_shorter(studio: Studio) -> None:
    text = "please hold the line while we connect you"
    slow, plain, fast = [
        (await studio.speak_ssml(_speak(f'<prosody rate="{rate}">{text}</prosody>'))).duration
        for rate in ("slow", "medium", "fast")
    ]

    assert slow > 1.2 * plain
    assert fast < plain / 1.1


async def test_a_break_adds_its_time(studio: Studio) -> None:
    without = await studio.speak_ssml(_speak("one two"))
    broken = await studio.speak_ssml(_speak('one <break time="2s"/> two'))

    assert 1.7 < broken.duration - without.duration < 2.6


async def test_digits_are_spoken_one_by_one(studio: Studio) -> None:
    number = await studio.speak_ssml(_speak("7777"))
    digits = await studio.speak_ssml(_speak('<say-as interpret-as="digits">7777</say-as>'))

    assert digits.duration < 0.8 * number.duration


async def test_a_voice_in_ssml_speaks_the_same_language_as_when_named_for_text(studio: Studio) -> None:
    text = "Guten Tag, willkommen bei der Bank. Bitte warten Sie auf den Kollegen."
    german, english = "de-DE-ConradNeural", "en-US-GuyNeural"

    # Differences, because a change of voice also makes a pause.
    named = [(await studio.speak(text, voice=voice)).duration for voice in (german, english)]
    ssml = [
        (await studio.speak_ssml(_speak(f'<voice name="{voice}">{text}</voice>'))).duration
        for voice in (german, english)
    ]

    assert named[1] - named[0] > 0.4
    assert ssml[1] - ssml[0] == pytest.approx(named[1] - named[0], abs=0.1)


@pytest.mark.parametrize(
    ("ssml", "reason"),
    [
        ("<speak>hello", "well-formed"),
        ("hello", "well-formed"),
        ("", "well-formed"),
        ("<speak>a < b</speak>", "well-formed"),
        ("<speak><mstts:silence/>undeclared prefix</speak>", "well-formed"),
        ("<speak>&nbsp;</speak>", "well-formed"),
        ("<speak>\ud800</speak>", "well-formed"),
        ("<html>hello</html>", "<html>, not <speak>"),
        (_speak("  "), "nothing to say"),
        (_speak('<audio src="https://example.com/a.wav"/>'), "nothing to say"),
        (_speak('<lang xml:lang="xx-XX">hello</lang>'), "'xx-XX'"),
        (_speak('<voice name="Jenny">hello</voice>'), "'Jenny'"),
        (_speak("<p>" * 20_000 + "deep" + "</p>" * 20_000), "nested too deeply"),
    ],
)
async def test_ssml_that_can_not_be_spoken_is_refused(studio: Studio, ssml: str, reason: str) -> None:
    with pytest.raises(SpeechError, match=reason):
        await studio.speak_ssml(ssml)


@pytest.mark.parametrize(
    "declarations",
    [
        '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY b SYSTEM "file:///etc/hostname">',
    ],
)
async def test_entities_are_neither_expanded_nor_loaded(studio: Studio, declarations: str) -> None:
    with pytest.raises(SpeechError, match="DOCTYPE"):
        await studio.speak_ssml(f"<!DOCTYPE speak [{declarations}]><speak>&b;</speak>")


async def test_speech_without_end_is_stopped(studio: Studio) -> None:
    with pytest.raises(SpeechError, match="longer than 600 seconds"):
        await studio.speak_ssml(_speak("hello" + '<break time="10000s"/> hello' * 100))

    assert (await studio.speak("still there")).duration > 0.3
