"""What an action asks for, in words: who speaks or acts, and what is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from shared.calls.actions import TONE_OF_KEY

Kind = Literal["said", "heard", "did", "people", "note", "error", "technical"]

KEY_OF_TONE: Mapping[str, str] = {tone: key for key, tone in TONE_OF_KEY.items()}

TECHNICAL = frozenset({"get_call", "list_participants", "get_participant", "get_recording_state", "may_record", "run",
                       "sleep"})  # fmt: skip
"""Of no interest to those who ask what was said, as long as they do not fail."""


def key_presses(tones: Iterable[str]) -> str:
    """Keys as they are printed on a phone."""
    return " ".join(KEY_OF_TONE.get(tone, tone) for tone in tones)


def asked(action: Mapping[str, Any], name: Callable[[Any], str], words: Callable[[str], str]) -> tuple[Kind, str, str]:
    """What kind of line an action is, what it does, and what is said.

    Args:
        action: as the journal has it.
        name: how somebody is called, by raw id; of nobody, the other side.
        words: a text as the reader may see it.
    """
    kind = str(action["kind"])
    quote = " ".join(filter(None, (_prompt(one, words) for one in action.get("prompts", ()))))
    if kind == "play":
        return "said", "", quote
    if kind == "recognize":
        return "said", "" if quote else f"asks for {expected(action, words)}", quote
    if kind in TECHNICAL:
        what = words(str(action.get("name", ""))) or (f"{action['seconds']:g} s" if "seconds" in action else "")
        return "technical", f"{kind.replace('_', ' ')} {what}".strip(), ""
    whom = name(action.get("target") or action.get("participant"))
    if kind == "send_dtmf":
        return "did", f"Pressed keys towards {whom}", key_presses(map(str, action.get("tones", ())))
    targets = ", ".join(map(name, action.get("targets", ())))
    return "did", _ASKED.get(kind, kind.replace("_", " ").capitalize()).format(name=whom, targets=targets), ""


def _prompt(prompt: Mapping[str, Any], words: Callable[[str], str]) -> str:
    if prompt.get("kind") == "file":
        return f"[file {words(str(prompt.get('url', '')).partition('?')[0])}]"
    return words(str(prompt.get("text") or prompt.get("ssml") or ""))


def expected(action: Mapping[str, Any], words: Callable[[str], str]) -> str:
    """What a question takes for an answer."""
    if choices := action.get("choices"):
        return ", ".join(
            words(str(one["label"])) + (f" ({KEY_OF_TONE[one['tone']]})" if one.get("tone") in KEY_OF_TONE else "")
            for one in choices
        )
    return {"dtmf": "keys", "speech": "words", "speechOrDtmf": "words or keys"}.get(
        str(action.get("input")), "an answer"
    )


_ASKED: Mapping[str, str] = {
    "answer": "Answered",
    "create_call": "Placed the call",
    "connect": "Joined a call that was up",
    "reject": "Rejected the call",
    "redirect": "Sent the call on to {name}",
    "hang_up": "Hung up",
    "terminate": "Ended the call for everybody",
    "hold": "Put {name} on hold",
    "unhold": "Took {name} off hold",
    "mute": "Muted {name}",
    "add_participant": "Invited {name}",
    "cancel_add_participant": "Took the invitation back",
    "remove_participant": "Took {name} out of the call",
    "move_participants": "Moved {targets} here from another call",
    "transfer": "Transferred the call to {name}",
    "cancel_all_media": "Stopped what was playing",
    "start_continuous_dtmf": "Began to report keys",
    "stop_continuous_dtmf": "Stopped reporting keys",
    "start_recording": "Began to record",
    "pause_recording": "Paused the recording",
    "resume_recording": "Went on recording",
    "stop_recording": "Stopped recording",
    "start_media_streaming": "Began to stream the audio",
    "stop_media_streaming": "Stopped streaming the audio",
    "start_transcription": "Began to transcribe",
    "update_transcription": "Changed the transcription",
    "stop_transcription": "Stopped transcribing",
}
"""What an action does, for people."""
