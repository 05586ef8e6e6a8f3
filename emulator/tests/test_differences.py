"""The page of differences: every number that was chosen is on it, as the code has it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import acs_emulator
from acs_emulator.core.outcomes import Outcome

PACKAGE = Path(acs_emulator.__file__).parent
PAGE = Path(__file__).parents[1] / "DIFFERENCES.md"
SPEECH = "Action failed, bad request to Azure AI services. Check input parameters."
STREAM = "Action failed, media streaming failed."
DECLINED = "Invite failed, the participant declined."
#: Module and constant, its value, and how the page tells it.
TOLD = [
    ("api.repeat", "KEPT", 10_000, "among the last 10,000"),
    ("audio.words", "CONFIDENCE", 0.95, "Confidence is 0.95 always"),
    ("calls.ring", "CONNECT_DELAY", 0.1, "connected 0.1 s after it was answered"),
    ("events.callbacks", "RETRY_WAITS", (1.0, 2.0, 4.0), "1, 2 and 4 s after a failed attempt"),
    ("events.callbacks", "ATTEMPT_TIMEOUT", 30.0, "an attempt ends after 30 s without a response"),
    ("events.callbacks", "HELD_UP", 1.5, "at most 1.5 s of wall-clock time"),
    ("events.eventgrid", "HANDSHAKE_WAIT", 1.0, "tried every second until"),
    ("media.play", "START_DELAY", 0.2, "sound begins 0.2 s after the request"),
    ("media.tones", "TONE_SECONDS", 0.25, "Sent tones are 0.25 s each"),
    ("recording.finishing", "FILE_DELAY", 2.0, "the file of a recording is there 2 s after its end"),
    ("streaming.playback", "LONGEST_QUEUE", 600, "may queue up for 10 minutes"),
    ("streaming.socket", "CONNECT_TIMEOUT", 10.0, "The attempt may take 10 s"),
    ("streaming.socket", "_CLOSE_TIMEOUT", 2.0, "closing 2 s"),
    ("streaming.socket", "OUTBOX", 500, "Up to 500 frames wait"),
    ("streaming.subscription", "RECONNECT_DELAY", 1.0, "opened again once, after 1 s"),
    ("streaming.subscription", "_FINAL", {1000, 1008}, "closes with 1000 or 1008"),
    ("streaming.transcription", "INTERMEDIATE_SECONDS", 0.5, "at most every 0.5 s"),
    ("recording.options", "_CONTENT_NAMES", None, "`audiowav` and `audiomp3` are chosen"),
    ("core.outcomes", "SPEECH_SERVICE_FAILED", Outcome(400, 8565, SPEECH), "cannot be made: PlayFailed 400/8565"),
    (
        "core.outcomes",
        "STREAM_FAILED",
        Outcome(500, 8603, STREAM),
        "`streamConnectionInterrupted` (500/8603, 400/8605)",
    ),
    ("core.outcomes", "INVITE_DECLINED", Outcome(603, 8538, DECLINED), "declined 603/8538"),
    ("core.outcomes", "CALL_NOT_FOUND", Outcome(404, 8522, "Call not found."), "404/8522"),
]
#: Modules in which something was chosen that no app meets: the phone in the browser, scripts, sound, certificates.
OWN = {
    "api.outbox",
    "api.tls",
    "api.phone_socket",
    "audio.clip",
    "core.certificate",
    "core.own_number",
    "events.faults",
    "events.posting",
    "phones.line",
    "phones.live",
    "phones.microphone",
    "phones.script",
    "transcription.voiceprints",
}
CHOSEN = re.compile(r"^#:? [^\n]*\b[Cc]hosen\b[^\n]*\n(?P<name>_?[A-Z_]+)\b", re.MULTILINE)


def test_every_constant_that_was_chosen_is_told_or_no_apps_matter() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found |= {(module, match["name"]) for match in CHOSEN.finditer(path.read_text("utf-8")) if module not in OWN}
    assert found == {(module, name) for module, name, _, _ in TOLD}


@pytest.mark.parametrize(("module", "name", "value", "words"), TOLD, ids=[f"{one[0]}.{one[1]}" for one in TOLD])
def test_the_page_tells_it_as_the_code_has_it(module: str, name: str, value: object, words: str) -> None:
    assert words in PAGE.read_text("utf-8")
    if value is not None:
        assert getattr(importlib.import_module(f"acs_emulator.{module}"), name) == value


def test_every_entry_says_which_kind_it_is() -> None:
    entries = re.findall(r"^- .*$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(entries) > 60
    assert [one for one in entries if not re.match(r"- \*\*(differs|absent|chosen)\*\*", one)] == []
