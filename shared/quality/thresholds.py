"""The limits that metrics and flags go by. Each can be set, by name, in the app setting QUALITY_THRESHOLDS."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Thresholds(BaseModel):
    """Limits of the quality report; times in seconds, ratios from 0 to 1.

    The defaults are those that vendors and `call-ai-metrics` publish; docs/quality.md names the source of each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    speech_seconds: float = Field(0.12, gt=0, le=5, description="Shorter sounds do not count as speech.")
    gap_seconds: float = Field(0.3, ge=0, le=5, description="Gaps in speech up to this long are bridged.")
    turn_pause_seconds: float = Field(
        3.0, gt=0, le=60, description="A pause longer than this ends a speaker's turn, even if nobody else speaks."
    )
    interruption_seconds: float = Field(
        0.5, gt=0, le=10, description="Overlap from which taking the floor is an interruption."
    )
    dead_air_seconds: float = Field(10.0, gt=0, description="Silence of everybody from which it is dead air.")
    silence_ratio: float = Field(0.35, gt=0, le=1, description="Share of silence that raises a flag.")
    monologue_seconds: float = Field(60.0, gt=0, description="Length of one speaker's turn that raises a flag.")
    dominance: float = Field(0.7, gt=0, le=1, description="Share of all talk by one speaker that raises a flag.")
    hold_seconds: float = Field(120.0, gt=0, description="Length of one hold that raises a flag.")
    quiet_lufs: float = Field(-36.0, le=0, description="Loudness of a speaker below which a flag is raised.")
    loud_lufs: float = Field(-12.0, le=0, description="Loudness of a speaker above which a flag is raised.")
    clipped_ratio: float = Field(0.0005, gt=0, le=1, description="Share of clipped samples that raises a flag.")
