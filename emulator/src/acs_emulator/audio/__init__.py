"""What calls sound like: prompts spoken or fetched, and the tones of keys.

Importing this is cheap: aiohttp and miniaudio are imported at their first use, and espeak-ng only ever
lives in a child process.
"""

from acs_emulator.audio.clip import SAMPLE_RATE, Clip
from acs_emulator.audio.errors import PromptError, PromptFormatError, PromptUnreachable, SpeechError
from acs_emulator.audio.recognition import Recogniser, recogniser
from acs_emulator.audio.studio import Studio
from acs_emulator.audio.tones import beep, key_tones, murmur
from acs_emulator.audio.track import Span, Track
from acs_emulator.audio.voices import espeak_voice, phone_voice

__all__ = [
    "SAMPLE_RATE",
    "Clip",
    "PromptError",
    "PromptFormatError",
    "PromptUnreachable",
    "Recogniser",
    "Span",
    "SpeechError",
    "Studio",
    "Track",
    "beep",
    "espeak_voice",
    "key_tones",
    "murmur",
    "phone_voice",
    "recogniser",
]
