"""Which espeak-ng voice stands in for a locale or for a voice of the Speech service."""

# ruff: noqa: SIM905 - tables of words read better as words

from __future__ import annotations

import re
import zlib

from acs_emulator.audio.errors import SpeechError

DEFAULT_VOICE = "en-us"

# Languages that espeak-ng 1.52 and the Speech service share. espeak-ng knows each by this same name, but
# not by the name of a region: en-gb, de-de and ko-kr are all unknown to it.
_LANGUAGES = frozenset(
    "af am ar as az bg bn bs ca cs cy da de el en es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka kk"
    " kn ko lt lv mk ml mr ms mt my nb ne nl or pa pl pt ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi"
    " yue".split()
)
# Where espeak-ng has another name for the language, or a voice of its own for the region.
_LOCALES = {
    "zh": "cmn",
    "zh-hk": "yue",
    "no": "nb",
    "en-us": "en-us",
    "en-ca": "en-us",
    "en-ph": "en-us",
    "es-us": "es-419",
    "pt-br": "pt-br",
    "fr-be": "fr-be",
    "fr-ch": "fr-ch",
} | dict.fromkeys(
    (f"es-{region}" for region in "mx ar bo cl co cr cu do ec gt hn ni pa pe pr py sv uy ve".split()),
    "es-419",
)

# Women among the well-known voices of the Speech service ("Language and voice support"). espeak-ng's own
# voices are men's, so a man's name, or one that is not known here, needs no entry.
_WOMEN = frozenset(
    "abbi abril agnieszka amala amber ana annette aoi aria ashley ava bella brigitte camila catherine"
    " celeste christel clara colette cora coralie dalia dariya denise ela elizabeth elke eloise elsa elvira"
    " emel emily emma evelyn fabiola fenna fernanda francisca freya gisela hillevi hoaimy hollie ingrid"
    " irene isabella iselin jane jenny jimin josephine katja klarissa leni libby louisa luna maisie maja"
    " mayu mia michelle molly monica nanami nancy natasha neerja nova olivia ornella palmira paola pernille"
    " phoebe polina raquel sara seohyeon seraphina shimmer shiori sofie sonia soonbok sunhi svetlana swara"
    " sylvie tanja thalita vivienne ximena yujin zariyah zofia".split()
)
_WOMENS_PREFIXES = ("xiao", "hsiao", "hiu")  # Mandarin and Cantonese: XiaoxiaoNeural, HiuMaanNeural, ...
_WOMAN = "+f3"  # a voice variant of espeak-ng, about an octave above the base voices

_VOICE = re.compile(r"(?P<locale>[a-z]{2,3}-[a-z]{2,4})-(?:[a-z]+-)?(?P<name>[a-z]+)(?::.*)?", re.IGNORECASE)
_SUFFIXES = re.compile(r"(?:multilingual|neural|turbo|standard)+$", re.IGNORECASE)


def espeak_language(locale: str) -> str:
    """espeak-ng's name for a BCP 47 locale such as `de-DE`.

    Raises SpeechError where it has none: espeak-ng itself would read the text as English.
    """
    tag = locale.strip().replace("_", "-").lower()
    language = tag.partition("-")[0]
    if known := _LOCALES.get(tag) or _LOCALES.get(language):
        return known
    if language in _LANGUAGES:
        return language
    raise SpeechError(f"there is no local voice for the locale {locale!r}")


def language_and_gender(locale: str | None, voice: str | None) -> tuple[str, bool]:
    """espeak-ng's name of the language, and whether a woman speaks.

    `voice` is a voice of the Speech service (`en-US-JennyNeural`) or a voice kind (`male`, `female`). A
    voice speaks its own language, whatever `locale` is, unless it is one of the multilingual ones.

    Raises SpeechError for a voice that is neither, and for a locale without a voice.
    """
    if voice is None or voice.strip().lower() in ("", "male", "female"):
        language = espeak_language(locale) if locale else DEFAULT_VOICE
        return language, (voice or "").strip().lower() == "female"
    match = _VOICE.fullmatch(voice.strip())
    if match is None:
        raise SpeechError(f"{voice!r} is not the name of a voice, such as 'en-US-JennyNeural'")
    multilingual = "multilingual" in voice.lower()
    language = espeak_language(locale if locale and multilingual else match["locale"])
    name = _SUFFIXES.sub("", match["name"]).lower()
    return language, name in _WOMEN or name.startswith(_WOMENS_PREFIXES)


# Variants of espeak-ng's voices that are told apart by ear, men and women in turn; virtual phones share them out.
_VARIANTS = ("", "+f3", "+m3", "+f2", "+m7", "+f4", "+m5", "+f5")


def phone_voice(raw_id: str, locale: str | None = None) -> str:
    """The voice name, for espeak-ng, of a virtual phone: the same for the same phone at every run."""
    number = zlib.crc32(raw_id.encode())
    return (espeak_language(locale) if locale else DEFAULT_VOICE) + _VARIANTS[number % len(_VARIANTS)]


def espeak_voice(locale: str | None, voice: str | None) -> str:
    """The voice name to give to espeak-ng; see `language_and_gender`."""
    language, woman = language_and_gender(locale, voice)
    return language + (_WOMAN if woman else "")
