"""How the emulator and its speech child process talk: length-prefixed frames over stdin and stdout.

A frame is four bytes of length, big-endian, and that many bytes. Requests are JSON; an answer is one byte
of kind and a body. The child sends one answer when it is ready (an empty AUDIO, or an ERROR and its end),
and then one for each request.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass

LENGTH = struct.Struct(">I")

AUDIO = b"A"  # body: the sample rate in hertz as a LENGTH, then 16-bit little-endian mono PCM
ERROR = b"E"  # body: a sentence in UTF-8


@dataclass(frozen=True)
class Request:
    """Something to say, and espeak-ng's name of the voice to say it in."""

    voice: str
    text: str
    ssml: bool

    def pack(self) -> bytes:
        return frame(json.dumps(asdict(self)).encode())

    @classmethod
    def unpack(cls, body: bytes) -> Request:
        return cls(**json.loads(body))


def frame(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body
