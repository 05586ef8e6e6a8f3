"""The metrics by name: unit, label and definition. Reports carry the definitions, scorecards name the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["channel", "conversation"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a metric is."""

    scope: Scope
    unit: str
    label: str
    definition: str


_TALK = "Spans in which the app plays or listens, and holds, are left out."

CATALOGUE: dict[str, Kind] = {
    # one participant
    "talk_seconds": Kind("channel", "s", "Talk time", f"Time in which the participant speaks. {_TALK}"),
    "talk_ratio": Kind("channel", "ratio", "Talk ratio", "Talk time of the participant ÷ talk time of everybody."),
    "turns": Kind(
        "channel",
        "count",
        "Turns",
        "Times that the participant takes the floor: speech until somebody else takes it, until a pause longer than "
        "turn_pause_seconds, or until something that is left out.",
    ),
    "response_median_seconds": Kind(
        "channel",
        "s",
        "Response time, median",
        "Time from the end of somebody else's turn to the start of this participant's next one, median; a turn that "
        "begins before the other has ended counts as 0.",
    ),
    "response_p90_seconds": Kind(
        "channel", "s", "Response time, 90th percentile", "As the median, 90th percentile (nearest rank)."
    ),
    "longest_monologue_seconds": Kind(
        "channel", "s", "Longest monologue", "The participant's longest turn, from its first to its last speech."
    ),
    "interruptions": Kind(
        "channel",
        "count",
        "Interruptions",
        "Times that the participant starts to speak over somebody, for at least interruption_seconds, and speaks on "
        "when they have stopped.",
    ),
    "backchannels": Kind(
        "channel",
        "count",
        "Back-channels",
        "Times that the participant starts to speak over somebody and stops first, or less than speech_seconds after "
        "them (“uh-huh”): the turn stays theirs.",
    ),
    "overtalk_ratio": Kind(
        "channel", "ratio", "Overtalk ratio", "Turns that begin with an interruption ÷ turns of the participant."
    ),
    "loudness_lufs": Kind(
        "channel", "LUFS", "Loudness", "Integrated loudness of the channel, gated (ITU-R BS.1770-4)."
    ),
    "loudness_range_lu": Kind("channel", "LU", "Loudness range", "Loudness range of the channel (EBU Tech 3342)."),
    "peak_dbfs": Kind("channel", "dBFS", "Peak", "The highest sample of the channel."),
    "clipped_ratio": Kind(
        "channel", "ratio", "Clipping", "Samples at full scale, two or more in a row, ÷ all samples of the channel."
    ),
    "noise_floor_dbfs": Kind(
        "channel", "dBFS", "Noise floor", "Level that 10 % of the 10 ms frames without speech stay below."
    ),
    "words": Kind(
        "channel",
        "count",
        "Words",
        "Words of the participant in the transcript: what stands between spaces and holds a letter or a digit.",
    ),
    "words_per_minute": Kind(
        "channel", "wpm", "Speech rate", "Words of the participant ÷ the time of the phrases that hold them."
    ),
    # all together
    "recording_seconds": Kind(
        "conversation", "s", "Recording", "From the start to the end of the recording, pauses included."
    ),
    "conversation_seconds": Kind(
        "conversation", "s", "Conversation", f"From the first to the last speech, less pauses. {_TALK}"
    ),
    "silence_seconds": Kind("conversation", "s", "Silence", "Time of the conversation in which nobody speaks."),
    "silence_ratio": Kind("conversation", "ratio", "Silence ratio", "Silence ÷ conversation."),
    "longest_silence_seconds": Kind(
        "conversation", "s", "Longest silence", "The longest stretch of the conversation in which nobody speaks."
    ),
    "dead_air": Kind("conversation", "count", "Dead air", "Silences of at least dead_air_seconds."),
    "dead_air_seconds": Kind("conversation", "s", "Dead air, time", "Their time in all."),
    "overlap_seconds": Kind("conversation", "s", "Overlap", "Time in which two or more speak at once."),
    "overlap_ratio": Kind("conversation", "ratio", "Overlap ratio", "Overlap ÷ conversation."),
    "all_interruptions": Kind("conversation", "count", "Interruptions", "Interruptions by anybody."),
    "hold_seconds": Kind(
        "conversation",
        "s",
        "Hold",
        "Time in which at least one participant is on hold (from the journal, not the audio).",
    ),
    "longest_hold_seconds": Kind("conversation", "s", "Longest hold", "The longest single hold."),
    "app_seconds": Kind(
        "conversation", "s", "App's time", "Time in which the app plays or listens (from the journal, not the audio)."
    ),
    "longest_monologue": Kind("conversation", "s", "Longest monologue", "The longest turn of anybody."),
    "dominance": Kind(
        "conversation", "ratio", "Dominance", "The largest talk ratio of one participant, of two or more."
    ),
}
"""Every metric that a report may hold."""


def definitions() -> dict[str, str]:
    """What each metric means, by name."""
    return {name: kind.definition for name, kind in CATALOGUE.items()}
