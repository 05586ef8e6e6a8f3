"""SSML as the Speech service takes it, put into the words that espeak-ng understands."""

from __future__ import annotations

from xml.etree import ElementTree

from acs_emulator.audio.errors import SpeechError
from acs_emulator.audio.voices import espeak_language, language_and_gender

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# espeak-ng reads "1234" as one number unless this has the prefix of its older namespace.
_SAY_AS = {"digits": "tts:digits", "number_digit": "tts:digits", "spell-out": "characters"}
# What espeak-ng may see of SSML. Everything else is read as if its tags were not there, above all `<audio>`,
# for which espeak-ng would open local files and start a shell.
_KNOWN = {"speak", "voice", "lang", "prosody", "break", "p", "s", "say-as", "sub", "emphasis"}
_IGNORED = "span"


def for_espeak(ssml: str) -> str:
    """The same speech for espeak-ng, which would otherwise speak the tags of malformed XML aloud.

    - A voice name becomes a language and a gender; `<lang>`, which espeak-ng ignores, becomes a voice.
    - Namespaces go, as espeak-ng knows elements by their plain names. Of elements that it has no use for,
      such as `mstts:express-as` and `audio`, only the text inside is left.

    Raises SpeechError for XML that is malformed, has a document type, has another root than `speak` or
    has nothing to say, and for languages without a local voice.
    """
    root = _parse(ssml)
    if root.tag.rpartition("}")[2] != "speak":
        raise SpeechError(f"the root of the SSML is <{root.tag}>, not <speak>")
    for element in root.iter():
        plain = element.tag.rpartition("}")[2]
        element.tag = plain if plain in _KNOWN else _IGNORED
        element.attrib = {
            name: value for name, value in element.attrib.items() if name == _XML_LANG or not name.startswith("{")
        }
    if not "".join(root.itertext()).strip() and root.find(".//break") is None:
        raise SpeechError("the SSML has nothing to say")
    for element in root.iter():
        _translate(element)
    try:
        return ElementTree.tostring(root, encoding="unicode")
    except RecursionError:
        raise SpeechError("the elements of the SSML are nested too deeply") from None


def _parse(ssml: str) -> ElementTree.Element:
    # Entities can only be declared in a document type, so without one there is nothing to expand or to
    # load. This is exact, not a guess: a str is always parsed as what it reads, whatever encoding it claims.
    if "<!DOCTYPE" in ssml:
        raise SpeechError("the SSML has a document type (<!DOCTYPE>), which is not accepted")
    try:
        return ElementTree.fromstring(ssml)  # noqa: S314 - see above
    except (ElementTree.ParseError, UnicodeError, ValueError) as error:
        raise SpeechError(f"the SSML is not well-formed XML: {error}") from error


def _translate(element: ElementTree.Element) -> None:
    if element.tag == "lang":
        element.tag = "voice"
    locale = element.get(_XML_LANG)
    if element.tag == "voice" and (voice := element.attrib.pop("name", None)):
        language, woman = language_and_gender(locale, voice)
        element.set(_XML_LANG, language)
        element.set("gender", "female" if woman else "male")
    elif locale:
        element.set(_XML_LANG, espeak_language(locale))
    if element.tag == "say-as" and (kind := element.get("interpret-as")):
        element.set("interpret-as", _SAY_AS.get(kind, kind))
