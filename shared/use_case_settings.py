"""The settings of the use cases and of the console, checked."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from shared import setting_values
from shared.console_keys import Auth, check_console_keys
from shared.storage_account import StorageSettings


class UseCaseSettings(StorageSettings):
    """What a deployment may set of the use cases (docs/use-cases.md) and of the console (docs/console.md)."""

    handoff_number: str = Field(
        "",
        description="The number of the contact centre that the flow `handoff` hands callers to; empty: there is none.",
    )
    handoff_calendar: str = Field(
        "", description="The calendar of its hours; empty, or one that there is not: it is always open."
    )
    outreach_max_recipients: int = Field(
        100_000, ge=1, le=1_000_000, description="Rows that one file of a campaign may have."
    )
    evidence_retention_days: int = Field(
        1825, ge=0, description="Days for which it is kept why a campaign was allowed to call somebody; 0: for ever."
    )
    click_retention_days: int = Field(
        365, ge=0, description="Days for which requests of call-me buttons and their consent are kept; 0: for ever."
    )
    click_proxies: int = Field(
        0, ge=0, le=5, description="Proxies of your own before the app: whose addresses are not those of clients."
    )
    order_retention_days: int = Field(90, ge=0, description="Days for which orders are kept; 0: for ever.")
    masking_cool_off_minutes: float = Field(
        60.0, ge=0, le=366 * 24 * 60, description="How long nobody gets a masked number again with somebody else."
    )
    console_auth: Auth = Field("off", description="How people sign in to the console; off: there is none.")
    console_keys: str = Field(
        "", repr=False, validate_default=True, description="Who signs in by a key: name:role:hash, comma-separated."
    )

    _is_number = field_validator("handoff_number")(setting_values.number)

    @field_validator("console_keys")
    @classmethod
    def _are_console_keys(cls, value: str, info: ValidationInfo) -> str:
        return check_console_keys(value, needed=info.data.get("console_auth") == "keys")
