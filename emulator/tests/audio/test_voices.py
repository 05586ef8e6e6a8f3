from __future__ import annotations

import pytest

from acs_emulator.audio import SpeechError, Studio
from acs_emulator.audio.voices import _LANGUAGES, _LOCALES, espeak_voice


@pytest.mark.parametrize(
    ("locale", "voice", "expected"),
    [
        (None, None, "en-us"),
        ("en-US", None, "en-us"),
        ("en-GB", None, "en"),
        ("de-de", None, "de"),
        ("ko-KR", None, "ko"),
        ("zh-CN", None, "cmn"),
        ("zh-HK", None, "yue"),
        ("pt-BR", None, "pt-br"),
        ("pt-PT", None, "pt"),
        ("es-MX", None, "es-419"),
        ("fr_CA", None, "fr"),
        (None, "en-US-JennyNeural", "en-us+f3"),
        (None, "en-US-GuyNeural", "en-us"),
        (None, "de-DE-KatjaNeural", "de+f3"),
        (None, "zh-CN-XiaoxiaoNeural", "cmn+f3"),
        (None, "zh-CN-YunxiNeural", "cmn"),
        (None, "zh-CN-liaoning-XiaobeiNeural", "cmn+f3"),
        (None, "en-US-Ava:DragonHDLatestNeural", "en-us+f3"),
        (None, "en-US-NobodyKnowsNeural", "en-us"),
        ("de-DE", "en-US-JennyNeural", "en-us+f3"),
        ("de-DE", "en-US-JennyMultilingualNeural", "de+f3"),
        ("de-DE", "female", "de+f3"),
        ("de-DE", "Male", "de"),
    ],
)
def test_a_voice_keeps_its_language_and_gender(locale: str | None, voice: str | None, expected: str) -> None:
    assert espeak_voice(locale, voice) == expected


@pytest.mark.parametrize(("locale", "voice"), [("xx-XX", None), (None, "xx-XX-JennyNeural"), (None, "Jenny")])
def test_an_unknown_locale_or_voice_is_refused_rather_than_read_as_english(
    locale: str | None, voice: str | None
) -> None:
    with pytest.raises(SpeechError):
        espeak_voice(locale, voice)


async def test_espeak_has_every_voice_of_the_tables(studio: Studio) -> None:
    for locale in sorted(_LANGUAGES | _LOCALES.keys()):
        for kind in ("male", "female"):
            assert (await studio.speak("1 2 3", locale=locale, voice=kind)).duration > 0.3, locale
