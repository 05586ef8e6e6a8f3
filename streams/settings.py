"""The settings of the streams service: its own, and the few of the app's that it needs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared import setting_values
from shared.errors import SettingsError
from shared.exposure import checked
from shared.security import SERVICE_ISSUER, SERVICE_OPENID_CONFIGURATION
from shared.setting_values import STORE_PREFIX
from shared.storage_account import StorageSettings


class AppSettings(StorageSettings):
    """What the app has set as well, under the same names; docs/settings.md describes them."""

    acs_resource_id: str
    acs_openid_configuration_url: str = SERVICE_OPENID_CONFIGURATION
    acs_token_issuer: str = SERVICE_ISSUER
    store_prefix: str = Field("switchboard", pattern=STORE_PREFIX)
    callback_base_url: str
    callback_signing_key: str = Field(repr=False)
    callback_signing_key_previous: str = Field("", repr=False)
    streams_url: str = ""

    _is_guid = field_validator("acs_resource_id")(setting_values.guid)

    @field_validator("acs_openid_configuration_url", "callback_base_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        setting_values.check_address(value, "https", "http")
        return value.rstrip("/")

    @field_validator("streams_url")
    @classmethod
    def _is_socket_url(cls, value: str) -> str:
        if value:
            setting_values.check_address(value, "wss", "ws")
        return value

    @field_validator("callback_signing_key", "callback_signing_key_previous")
    @classmethod
    def _is_key(cls, value: str) -> str:
        if value:
            setting_values.key(value)
        return value


def load_app_settings(environ: Mapping[str, str] | None = None) -> AppSettings:
    """Read them; raises SettingsError naming each that is missing or wrong, or that must not be set so in Azure."""
    settings, problems = checked(AppSettings, os.environ if environ is None else environ)
    if settings is not None:
        return settings
    raise SettingsError.of([(setting_values.setting_name(field), problem) for field, problem in problems])


class StreamSettings(BaseModel):
    """Each field is the environment variable of the same name in capitals, with STREAMS_ before it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    archive_audio: bool = Field(True, description="Whether audio is kept in Blob.")
    keep_intermediate: bool = Field(False, description="Whether phrases that are not final are kept as well.")
    flush_seconds: float = Field(5.0, gt=0, le=60, description="Audio that waits in memory, which a crash loses.")
    part_seconds: int = Field(3600, ge=60, le=36000, description="Length from which a further file is begun.")
    most_megabytes: int = Field(8192, gt=0, description="Audio that one socket may write to the archive.")
    most_files: int = Field(1000, ge=1, description="Audio files that one socket may begin.")
    most_unwritten_seconds: int = Field(120, ge=90, le=3600, description="Audio of a participant that may wait.")
    most_held_megabytes: int = Field(256, ge=16, description="Audio and text that this process may hold in memory.")
    most_sockets: int = Field(200, ge=1, description="Open sockets of this process.")
    most_sockets_of_a_call: int = Field(8, ge=1, description="Open sockets of one call.")
    most_signal_seconds: int = Field(120, ge=30, le=600, description="How long a signal may wait for the app.")
    handler: str = Field("", description="`module:factory` of an audio handler (docs/streams.md); empty: none.")
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
