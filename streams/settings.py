"""What a deployment of the streams service may set beside the app's own settings."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import SettingsError


class StreamSettings(BaseModel):
    """Each field is the environment variable of the same name in capitals, with STREAMS_ before it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    archive_audio: bool = Field(True, description="Whether audio is kept in Blob.")
    keep_intermediate: bool = Field(False, description="Whether phrases that are not final are kept as well.")
    flush_seconds: float = Field(5.0, gt=0, le=60, description="Sound that a crash may lose, at most about.")
    part_seconds: int = Field(3600, ge=60, le=36000, description="Length from which a further file is begun.")
    most_megabytes: int = Field(8192, gt=0, description="Audio that one socket may bring to the archive.")
    most_files: int = Field(1000, ge=1, description="Audio files that one socket may begin.")
    most_unwritten_seconds: int = Field(120, ge=90, le=3600, description="Sound of a participant that may wait.")
    most_held_megabytes: int = Field(256, ge=16, description="Sound and text that this process may hold in memory.")
    most_sockets: int = Field(200, ge=1, description="Open sockets of this process.")
    most_sockets_of_a_call: int = Field(8, ge=1, description="Open sockets of one call.")
    handler: str = Field("", description="`module:factory` of what listens and speaks (docs/streams.md); empty: none.")
    allowed_hosts: str = Field(
        "", description="Hosts, beside that of STREAMS_URL and this machine, that requests may name, comma-separated."
    )
    storage_threads: int = Field(8, ge=1, le=64, description="Writes to storage at once.")


def load_stream_settings(environ: Mapping[str, str] | None = None) -> StreamSettings:
    """Read them; raises SettingsError. An empty value counts as not set."""
    source = os.environ if environ is None else environ
    prefix = "streams_"
    values = {name.lower().removeprefix(prefix): value for name, value in source.items()
              if name.lower().startswith(prefix) and value != ""}  # fmt: skip
    try:
        return StreamSettings.model_validate(values)
    except ValidationError as error:
        problems = [("STREAMS_" + str(item["loc"][0]).upper(), item["msg"]) for item in error.errors()]
        details = "; ".join(f"{name}: {message}" for name, message in problems)
        raise SettingsError(", ".join(name for name, _ in problems), details, "See docs/streams.md.") from None
