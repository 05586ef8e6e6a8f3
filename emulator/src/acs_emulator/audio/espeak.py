"""The child process that holds espeak-ng: `python -m acs_emulator.audio.espeak`.

espeak-ng is under the GPL, and it is one global C state. So it is loaded here and nowhere else: the
emulator talks to this process over pipes (`frames.py`) and never imports this module.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any, BinaryIO

from acs_emulator.audio.frames import AUDIO, ERROR, LENGTH, Request, frame

# Values of espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_POS_CHARACTER = 1
_CHARS_UTF8 = 0x01
_SSML = 0x10

# The Speech service makes at most ten minutes of audio per request ("Speech service quotas and limits").
# Without an end, one `<break time="100000s"/>` would fill the memory.
MAX_SECONDS = 600

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Unspeakable(Exception):
    """This request can not be spoken; the next one may be."""


class _Espeak:
    def __init__(self) -> None:
        import espeakng_loader

        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        data = os.fsencode(espeakng_loader.get_data_path())
        self.rate: int = self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT)
        if self.rate <= 0:
            raise OSError(f"espeak_Initialize answered {self.rate}")
        self._pcm = bytearray()
        self._callback = _Callback(self._collect)  # kept: C holds a bare pointer to it
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: Any, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._pcm += ctypes.string_at(samples, count * 2)
        return int(self._full())  # 1 stops the synthesis

    def _full(self) -> bool:
        return len(self._pcm) > MAX_SECONDS * self.rate * 2

    def speak(self, request: Request) -> bytes:
        self._pcm.clear()
        if self._library.espeak_SetVoiceByName(request.voice.encode()) != 0:
            raise _Unspeakable(f"espeak-ng has no voice called {request.voice!r}")
        text = request.text.replace("\0", " ").encode("utf-8", "replace")
        flags = _CHARS_UTF8 | (_SSML if request.ssml else 0)
        answer = self._library.espeak_Synth(text, len(text) + 1, 0, _POS_CHARACTER, 0, flags, None, None)
        if self._full():
            raise _Unspeakable(f"the speech is longer than {MAX_SECONDS} seconds")
        if answer != 0:
            raise _Unspeakable(f"espeak_Synth answered {answer}")
        return bytes(self._pcm)


def _read(source: BinaryIO) -> bytes | None:
    prefix = source.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    body = source.read(LENGTH.unpack(prefix)[0])
    return body if len(body) == LENGTH.unpack(prefix)[0] else None


def _serve(source: BinaryIO, sink: BinaryIO) -> int:
    def answer(kind: bytes, body: bytes) -> None:
        sink.write(frame(kind + body))
        sink.flush()

    try:
        espeak = _Espeak()
    except (ImportError, OSError, RuntimeError) as error:
        answer(ERROR, str(error).encode())
        return 1
    rate = LENGTH.pack(espeak.rate)
    answer(AUDIO, rate)
    # The end of stdin is how this process learns that the emulator is gone, however it went.
    while (body := _read(source)) is not None:
        try:
            answer(AUDIO, rate + espeak.speak(Request.unpack(body)))
        except _Unspeakable as error:
            answer(ERROR, str(error).encode())
    return 0


def main() -> int:
    # Ctrl+C reaches the whole process group; the emulator ends this process in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whatever the C library prints must not land between frames: keep stdout's pipe, and send descriptor 1
    # to stderr.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        return _serve(sys.stdin.buffer, sink)
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    os._exit(main())  # no clean-up to do, and a flush of a broken pipe would print a traceback
