"""Who takes part in a call.

The service names every endpoint twice: as a model (`{"kind": "phoneNumber", "phoneNumber": {"value": …}}`)
and as one string, the raw id (`4:+14255550100`). Inside Switchboard an endpoint is its raw id, typed; the
model is read and written at the borders.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_serializer, model_validator

from shared.errors import InvalidInput

Kind = Literal[
    "communicationUser",
    "phoneNumber",
    "microsoftTeamsUser",
    "microsoftTeamsApp",
    "teamsExtensionUser",
    "unknown",
]

_E164 = re.compile(r"\+[1-9]\d{1,14}")
"""ITU-T E.164: a plus sign, then at most 15 digits."""

_KIND_BY_PREFIX: tuple[tuple[str, Kind], ...] = (
    ("4:", "phoneNumber"),
    ("8:acs:", "communicationUser"),
    ("8:spool:", "communicationUser"),
    ("8:dod-acs:", "communicationUser"),
    ("8:gcch-acs:", "communicationUser"),
    ("8:orgid:", "microsoftTeamsUser"),
    ("8:dod:", "microsoftTeamsUser"),
    ("8:gcch:", "microsoftTeamsUser"),
    ("8:teamsvisitor:", "microsoftTeamsUser"),
    ("28:", "microsoftTeamsApp"),
)
"""As the SDKs map raw ids (azure-communication-callautomation, `_shared/models.py`)."""


class Identifier(BaseModel):
    """One endpoint: an ACS user, a phone number, a Teams user or app.

    Built from a raw id, an E.164 number, or the service's identifier model:

    >>> Identifier.parse("+14255550100").raw_id
    '4:+14255550100'
    >>> Identifier.parse({"phoneNumber": {"value": "+14255550100"}}).phone_number
    '+14255550100'
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    raw_id: str

    @model_validator(mode="before")
    @classmethod
    def _from_any_shape(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "raw_id" in value:
            return value
        return {"raw_id": _raw_id_of(value)}

    @field_validator("raw_id")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("an identifier is never empty")
        return value

    @model_serializer
    def _as_raw_id(self) -> str:
        return self.raw_id

    @classmethod
    def parse(cls, value: str | Mapping[str, Any] | Identifier) -> Identifier:
        """Read an identifier in any of its shapes; raises InvalidInput with what is wrong."""
        if isinstance(value, Identifier):
            return value
        try:
            return cls(raw_id=_raw_id_of(value))
        except ValueError as error:
            raise InvalidInput("identifier", str(error), "Give a raw id such as 8:acs:…, or +14255550100.") from None

    @property
    def kind(self) -> Kind:
        """The service's word for what this is; `unknown` for a raw id of a shape not known here."""
        return _kind_of(self.raw_id)

    @property
    def phone_number(self) -> str | None:
        """The E.164 number, None unless this is a phone."""
        return self.raw_id[2:] if self.raw_id.startswith("4:") else None

    def to_wire(self) -> dict[str, Any]:
        """The service's identifier model."""
        if (number := self.phone_number) is not None:
            return {"kind": "phoneNumber", "rawId": self.raw_id, "phoneNumber": {"value": number}}
        if self.kind == "communicationUser":
            return {"kind": self.kind, "rawId": self.raw_id, "communicationUser": {"id": self.raw_id}}
        return {"kind": self.kind, "rawId": self.raw_id}

    def masked(self) -> str:
        """For logs: enough to tell two endpoints apart, too little to call one."""
        return f"{self.raw_id[:6]}…{self.raw_id[-2:]}"

    def __str__(self) -> str:
        return self.phone_number or self.raw_id


def _raw_id_of(value: Any) -> str:
    """The raw id in a string or an identifier model; ValueError says what is missing."""
    if isinstance(value, Identifier):
        return value.raw_id
    if isinstance(value, str):
        if value.startswith("+"):
            if not _E164.fullmatch(value):
                raise ValueError(f"{value!r} is not an E.164 phone number")
            return f"4:{value}"
        if ":" not in value:
            raise ValueError(f"{value!r} is neither a raw id nor an E.164 phone number")
        return value
    if isinstance(value, Mapping):
        if isinstance(raw_id := value.get("rawId"), str) and raw_id:
            return raw_id
        phone = value.get("phoneNumber")
        if isinstance(phone, Mapping) and isinstance(phone.get("value"), str):
            return f"4:{phone['value']}"
        user = value.get("communicationUser")
        if isinstance(user, Mapping) and isinstance(user.get("id"), str):
            return str(user["id"])
        teams = value.get("microsoftTeamsUser")
        if isinstance(teams, Mapping) and isinstance(teams.get("userId"), str):
            return f"8:orgid:{teams['userId']}"
        app = value.get("microsoftTeamsApp")
        if isinstance(app, Mapping) and isinstance(app.get("appId"), str):
            return f"28:orgid:{app['appId']}"
        if isinstance(value.get("id"), str):
            return str(value["id"])
        raise ValueError("an identifier needs rawId, phoneNumber.value or communicationUser.id")
    raise ValueError(f"an identifier is a string or an object, not {type(value).__name__}")


@lru_cache(maxsize=4096)
def _kind_of(raw_id: str) -> Kind:
    for prefix, kind in _KIND_BY_PREFIX:
        if raw_id.startswith(prefix):
            # A Teams extension user is an ACS user id with three parts: resource, tenant, user.
            if kind == "communicationUser" and raw_id.count("_") == 2:
                return "teamsExtensionUser"
            return kind
    return "unknown"
