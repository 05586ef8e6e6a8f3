"""The app's settings: read once from the environment, checked at start.

In Azure these are app settings; locally they are the `Values` of `local.settings.json`. `docs/settings.md`
describes each; a test holds the two together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from shared import setting_values
from shared.errors import SettingsError
from shared.exposure import checked
from shared.security import SERVICE_ISSUER, SERVICE_OPENID_CONFIGURATION
from shared.setting_values import STORE_PREFIX, setting_name
from shared.use_case_settings import UseCaseSettings

EARLIER = {"events_topic_endpoint": "report_topic_endpoint", "events_topic_key": "report_topic_key"}
"""Settings, and the names under which they are read for one version more."""


class Settings(UseCaseSettings):
    """Everything that a deployment may set. Each field is the app setting of the same name in capitals."""

    acs_endpoint: str = Field(description="Endpoint of the Communication Services resource.")
    acs_access_key: str = Field(
        "", repr=False, description="Access key of the resource; empty: the app's managed identity signs in."
    )
    acs_resource_id: str = Field(
        description="Immutable resource id (a GUID) of the resource: the audience of callback tokens."
    )
    event_grid_topic: str = Field(
        "", description="ARM id of the resource whose Event Grid events are taken; empty: those of any."
    )
    acs_openid_configuration_url: str = Field(
        SERVICE_OPENID_CONFIGURATION,
        description="OpenID configuration that names the keys of callback tokens.",
    )
    acs_token_issuer: str = Field(SERVICE_ISSUER, description="Issuer of callback tokens.")
    callback_base_url: str = Field(
        description="Public address of this app, without a path; default: https://WEBSITE_HOSTNAME."
    )
    callback_signing_key: str = Field(
        repr=False, description="Base64 of at least 32 random bytes; signs the callback URLs that the app hands out."
    )
    callback_signing_key_previous: str = Field(
        "",
        repr=False,
        description="The signing key before this one: still accepted, so that the key can be changed during calls.",
    )
    number_hash_key: str = Field(
        "",
        repr=False,
        description="Base64 of at least 32 random bytes; hashes the numbers that calls are found by, and those "
        "that are never recorded. Empty: neither is kept.",
    )
    number_hash_key_previous: str = Field(
        "", repr=False, description="The hash key before this one: calls that were kept under it are still found."
    )
    secrets_key: str = Field(
        "",
        repr=False,
        description="Base64 of 32 random bytes; wraps the keys that encrypt secrets of calls. Empty: no flow may ask.",
    )
    secrets_key_previous: str = Field(
        "", repr=False, description="The secrets key before this one: calls that began under it go on."
    )
    cognitive_services_endpoint: str = Field(
        "", description="Azure AI services resource for speech; empty: only file prompts and keys work."
    )
    routing_file: str = Field("routing.yaml", description="Which flow takes which call; relative to the app.")
    lines_file: str = Field(
        "lines.yaml", description="The app's own numbers; relative to the app. That of this name may be missing."
    )
    voice_name: str = Field("en-US-JennyNeural", description="Voice of text prompts that name none.")
    speech_language: str = Field("en-US", description="Language that recognize listens for, unless told.")
    fallback_prompt: str = Field(
        "We are sorry, something went wrong. Please call again later.",
        description="What a caller hears when a flow fails: a text, or the URL of a file; empty: nothing.",
    )
    fallback_transfer_to: str = Field(
        "", description="Who takes a caller whose flow failed, after the apology: a number or a raw id; empty: nobody."
    )
    call_retention_days: int = Field(
        30, ge=0, description="Days after which calls are deleted, with all that is kept of them; 0: never."
    )
    store_prefix: str = Field(
        "switchboard",
        pattern=STORE_PREFIX,
        description="Prefix of the tables, queues and containers.",
    )
    ring_seconds: float = Field(30.0, gt=0, description="Age from which an incoming call is refused as stale.")
    dispatch_grace_seconds: float = Field(
        7.0, gt=0, description="How long an issued action may stay unconfirmed before it is sent again."
    )
    quiet_seconds: float = Field(
        60.0, gt=0, description="How long a call may hear nothing before the watchdog asks the service."
    )
    allowed_prefixes: str = Field(
        "",
        description="How numbers may begin that the app calls, adds, transfers or redirects to, comma-separated; "
        "empty: those of the countries of its own numbers.",
    )
    max_targets: int = Field(20, ge=1, description="Targets that one request may name.")
    max_call_minutes: int = Field(
        240, ge=1, le=30 * 24 * 60, description="Minutes that a call may last; the watchdog ends it then."
    )
    max_calls: int = Field(0, ge=0, description="Calls that may be up at once; 0: any number.")
    max_calls_of_one_caller: int = Field(
        20, ge=0, description="Calls of one number that may be up at once and came in; 0: any number."
    )
    cached_calls: int = Field(2000, ge=0, description="Calls that one instance keeps in memory between callbacks.")
    flow_checks: bool = Field(
        False,
        description="Watch flows for mistakes while they run, and replay each call at every callback, as a developer "
        "needs it.",
    )
    action_timeout_seconds: float = Field(8.0, gt=0, description="How long one request to the service may take.")
    streams_url: str = Field(
        "", description="Public wss:// address of the streams service; empty: flows name their own transport URLs."
    )
    watchdog_schedule: str = Field("*/5 * * * * *", description="When the watchdog runs (NCRONTAB).")
    recording_hosts: str = Field(
        "",
        description="More hosts that recordings are fetched from, comma-separated: the local emulator's; empty: only "
        "the service's own.",
    )
    recording_containers: str = Field(
        "",
        description="Containers of the app's own storage account that the service writes recordings to, "
        "comma-separated; empty: none.",
    )
    recording_scope: Literal["own", "all"] = Field(
        "own",
        description="Which recordings are fetched, and deleted at the service: `own`, those of this app's calls; "
        "`all`, those of other applications of the resource too.",
    )
    recording_deadline_hours: float = Field(
        23.0,
        gt=0,
        le=24,
        description="How long a download is tried, from the file event on: files are kept for 24 hours.",
    )
    recording_delete_source: bool = Field(
        False, description="Delete a recording at the service once its archive is verified."
    )
    recordings_at_once: int = Field(
        1, ge=1, le=16, description="Recordings that one instance downloads and analyses at the same time."
    )
    recording_retention_days: int = Field(
        90, ge=0, description="Days after which recordings and reports are deleted; 0: never."
    )
    recording_schedule: str = Field(
        "0 */10 * * * *", description="When expired recordings are deleted and forgotten ones resumed (NCRONTAB)."
    )
    quality_thresholds: str = Field(
        "", description="Limits of the quality report that differ from the defaults, as a JSON object."
    )
    scorecards_folder: str = Field("scorecards", description="Folder of the scorecards; relative to the app.")
    transcription_endpoint: str = Field(
        "", description="Azure AI Speech resource that transcribes recordings; empty: no transcripts."
    )
    transcription_key: str = Field(
        "", repr=False, description="Key of that resource; empty: the app's managed identity signs in."
    )
    transcription_locale: str = Field("en-US", description="Language of the recordings.")
    phone_region: str = Field(
        "US", pattern=r"^[A-Z]{2}$", description="Region whose way to write phone numbers redaction knows."
    )
    order_payment_url: str = Field(
        "",
        repr=False,
        description="Hook of your own that charges cards for orders; empty: none are taken. It may hold a secret.",
    )
    reminders_times_url: str = Field(
        "",
        repr=False,
        description="Hook of your own that offers and books other times for appointments; it may hold a secret.",
    )
    report_link_minutes: float = Field(
        60.0, gt=0, le=7 * 24 * 60, description="How long the audio link in an opened report page works."
    )
    events_topic_endpoint: str = Field(
        "", description="Event Grid custom topic that learns of each finished call and each report; empty: nobody does."
    )
    events_topic_key: str = Field(
        "", repr=False, description="Key of that topic; empty: the app's managed identity signs in."
    )
    report_topic_endpoint: str = Field("", description="The earlier name of EVENTS_TOPIC_ENDPOINT.")
    report_topic_key: str = Field("", repr=False, description="The earlier name of EVENTS_TOPIC_KEY.")
    hook_url: str = Field(
        "", repr=False, description="Web hook that learns of each finished call; empty: none. It may hold a secret."
    )
    hook_key: str = Field(
        "",
        repr=False,
        validate_default=True,
        description="Base64 of at least 32 random bytes; signs the requests to the hook.",
    )
    hook_key_previous: str = Field(
        "", repr=False, description="The hook's key before this one: requests are signed with it too."
    )
    events_personal_data: bool = Field(
        False, description="Say in the events of finished calls who called whom, and the details of the result."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe line logged.")

    @model_validator(mode="before")
    @classmethod
    def _default_base_url(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("callback_base_url") and values.get("website_hostname"):
            return {**values, "callback_base_url": f"https://{values['website_hostname']}"}
        return values

    @model_validator(mode="before")
    @classmethod
    def _earlier_names(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {
            **values,
            **{new: values[old] for new, old in EARLIER.items() if values.get(old) and not values.get(new)},
        }

    @field_validator(
        "acs_endpoint",
        "callback_base_url",
        "acs_openid_configuration_url",
        "cognitive_services_endpoint",
        "transcription_endpoint",
        "events_topic_endpoint",
        "report_topic_endpoint",
    )
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value:
            setting_values.check_address(value, "https", "http")
        return value.rstrip("/")

    @field_validator("streams_url")
    @classmethod
    def _is_socket_url(cls, value: str) -> str:
        if value:
            setting_values.check_address(value, "wss", "ws")
        return value

    _is_guid = field_validator("acs_resource_id")(setting_values.guid)
    _is_aes_key = field_validator("secrets_key", "secrets_key_previous")(setting_values.aes_key)

    @field_validator("watchdog_schedule", "recording_schedule")
    @classmethod
    def _is_schedule(cls, value: str) -> str:
        return setting_values.schedule(value)

    @field_validator("event_grid_topic")
    @classmethod
    def _is_arm_id(cls, value: str) -> str:
        return setting_values.arm_id(value) if value else value

    @field_validator(
        "callback_signing_key",
        "callback_signing_key_previous",
        "number_hash_key",
        "number_hash_key_previous",
        "hook_key_previous",
    )
    @classmethod
    def _is_key(cls, value: str) -> str:
        setting_values.key(value)
        return value

    @field_validator("hook_key")
    @classmethod
    def _is_hook_key(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("hook_url"):
            raise ValueError("is missing: it signs what goes to HOOK_URL; make one with: openssl rand -base64 32")
        return cls._is_key(value) if value else value

    @field_validator("number_hash_key", "secrets_key", "secrets_key_previous")
    @classmethod
    def _is_key_of_its_own(cls, value: str, info: ValidationInfo) -> str:
        for name, field in cls.model_fields.items():
            if field.repr is False and name.endswith(("_key", "_key_previous")) and value == info.data.get(name):
                raise ValueError(f"is {name.upper()} as well; make one of its own with: openssl rand -base64 32")
        return value

    @field_validator("number_hash_key_previous", "secrets_key_previous")
    @classmethod
    def _has_a_successor(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get(successor := str(info.field_name).removesuffix("_previous")) == "":
            raise ValueError(f"is set without {successor.upper()}; set the key that came after it, or neither")
        return value

    @field_validator("hook_url", "order_payment_url", "reminders_times_url")
    @classmethod
    def _is_hook(cls, value: str, info: ValidationInfo) -> str:
        from shared.notifications.addresses import check_literal, read_url
        from shared.notifications.errors import ForbiddenAddress

        local = setting_values.is_loopback(info.data.get("callback_base_url", ""))
        try:
            if value:  # it may lead to this machine only if the app itself is there
                check_literal(read_url(value, loopback=local), loopback=local)
        except ForbiddenAddress as error:
            raise ValueError(error.problem) from None
        return value

    @field_validator("fallback_transfer_to")
    @classmethod
    def _is_somebody(cls, value: str) -> str:
        return setting_values.somebody(value) if value else value

    @field_validator("allowed_prefixes")
    @classmethod
    def _are_prefixes(cls, value: str) -> str:
        from shared.brakes.dialing import read_prefixes

        read_prefixes(value)
        return value

    @field_validator("recording_hosts")
    @classmethod
    def _are_hosts(cls, value: str) -> str:
        from shared.recordings.location import read_hosts

        read_hosts(value)
        return value

    @field_validator("quality_thresholds")
    @classmethod
    def _are_thresholds(cls, value: str) -> str:
        from shared.quality.thresholds import Thresholds

        try:
            Thresholds.model_validate_json(value or "{}")
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the value"
            raise ValueError(f"{where}: {first['msg']}; write a JSON object as docs/quality.md says") from None
        return value

    @model_validator(mode="after")
    def _key_over_http(self) -> Settings:
        if self.acs_endpoint.startswith("http://") and not self.acs_access_key:
            raise ValueError("an http:// ACS_ENDPOINT needs ACS_ACCESS_KEY: tokens are not sent in the clear")
        if self.acs_openid_configuration_url.startswith("http://") and self.acs_endpoint.startswith("https://"):
            raise ValueError("ACS_OPENID_CONFIGURATION_URL must start with https:// where ACS_ENDPOINT does")
        return self


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises SettingsError naming every setting that is missing or wrong, a line each."""
    source = os.environ if environ is None else environ
    settings, problems = checked(Settings, source, of_several="acs_endpoint")
    if settings is not None:
        return settings
    meant = {setting: name for name, setting in unknown_settings(source).items()}
    for index, (field, problem) in enumerate(problems):
        if (name := meant.get(setting_name(field))) is not None:
            problems[index] = field, f"{problem}; {name} is set: a misspelling?"
    raise SettingsError.of([(setting_name(field), problem) for field, problem in problems])


def unknown_settings(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables that nothing reads, each with the setting that its name is close to."""
    source = os.environ if environ is None else environ
    return setting_values.misspelled(source, map(setting_name, Settings.model_fields))


NO_STORE = "misconfigured"
"""Queues of this prefix are bound where STORE_PREFIX is wrong: nobody's, so that no other app's messages are taken."""


def binding(field: str) -> str:
    """One setting as a binding needs it: at import, before the others are checked.

    A wrong one falls back, so that the app is indexed with all its functions and can say what is wrong.
    """
    default = str(Settings.model_fields[field].default)
    value = os.environ.get(setting_name(field)) or default
    if field == "store_prefix":
        return value if re.fullmatch(STORE_PREFIX, value) else NO_STORE
    try:
        return setting_values.schedule(value)
    except ValueError:
        return default


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read on first use."""
    return load_settings()
