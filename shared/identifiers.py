"""Who takes part in a call.

The service names every endpoint twice: as a model (`{"kind": "phoneNumber", "phoneNumber": {"value": …}}`)
and as one string, the raw id (`4:+14255550100`). Inside Switchboard an endpoint is its raw id, typed; the
model is read and written at the borders. One person may have several raw ids: what tells people apart is the key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_serializer, model_validator

from shared.errors import InvalidInput

Kind = Literal[
    "communicationUser",
    "phoneNumber",
    "microsoftTeamsUser",
    "microsoftTeamsApp",
    "teamsExtensionUser",
    "unknown",
]

MAX_CHARACTERS = 1024
"""Longest raw id (our choice); the service's have less than 200 characters."""

MAX_SHOWN = 40
"""Characters of a wrong value that a refusal repeats."""

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
"""ITU-T E.164: a plus sign, then at most 15 digits; not those of other scripts, which would be another number."""

_BARE_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
"""An E.164 number that lost its plus sign. Shorter ones are extensions and service numbers, and stay as they are."""

Cloud = Literal["public", "dod", "gcch"]
"""Microsoft's clouds: the public one, and two of the United States' government."""

_PREFIXES: Mapping[str, tuple[Kind, Cloud]] = {
    "8:acs:": ("communicationUser", "public"),
    "8:spool:": ("communicationUser", "public"),
    "8:dod-acs:": ("communicationUser", "dod"),
    "8:gcch-acs:": ("communicationUser", "gcch"),
    "8:orgid:": ("microsoftTeamsUser", "public"),
    "8:dod:": ("microsoftTeamsUser", "dod"),
    "8:gcch:": ("microsoftTeamsUser", "gcch"),
    "8:teamsvisitor:": ("microsoftTeamsUser", "public"),
    "28:orgid:": ("microsoftTeamsApp", "public"),
    "28:dod:": ("microsoftTeamsApp", "dod"),
    "28:gcch:": ("microsoftTeamsApp", "gcch"),
}
"""As the SDKs map raw ids (azure-communication-callautomation 1.6.0, `identifier_from_raw_id`); `4:` is a phone."""

_PHONE, _ANONYMOUS, _VISITOR, _SPOOL = "4:", "anonymous", "8:teamsvisitor:", "8:spool:"
_EXTENSION_PARTS = 3
"""A Teams extension user is an ACS user id of three parts: resource, tenant, user."""


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
    def _bounded(cls, value: str) -> str:
        if not value:
            raise ValueError("an identifier is never empty")
        if len(value) > MAX_CHARACTERS:
            raise ValueError(f"an identifier has {MAX_CHARACTERS} characters at most")
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
            problem = error.errors()[0]["ctx"]["error"] if isinstance(error, ValidationError) else error
            raise InvalidInput("identifier", str(problem), "Give a raw id such as 8:acs:…, or +14255550100.") from None

    @property
    def kind(self) -> Kind:
        """The service's word for what this is; `unknown` for a raw id of a shape not known here."""
        return _read(self.raw_id).kind

    @property
    def key(self) -> str:
        """What makes two identifiers one person: compare by this, address by `raw_id`.

        The service writes one phone in several ways: `4:+14255550100`, `4:14255550100`, and with an asserted id
        `4:+14255550100_<id>` when the number joins a call more than once. The key of all of them is the first. Of
        everybody else the key is the raw id.
        """
        return _read(self.raw_id).key

    @property
    def phone_number(self) -> str | None:
        """The E.164 number, without an asserted id; `anonymous` for a withheld one; None unless this is a phone."""
        return self.key[len(_PHONE) :] if self.kind == "phoneNumber" else None

    @property
    def asserted_id(self) -> str | None:
        """Tells one connection of a phone number from another; None where the service gave none."""
        return _read(self.raw_id).asserted_id

    @property
    def cloud(self) -> Cloud:
        """The cloud that a user or app belongs to."""
        return _read(self.raw_id).cloud

    @property
    def is_anonymous(self) -> bool:
        """A phone that withholds its number, or a visitor to Teams who is not signed in."""
        return self.raw_id == _PHONE + _ANONYMOUS or self.raw_id.startswith(_VISITOR)

    @property
    def name(self) -> str:
        """The raw id without its prefix: the id of a Teams user or app, the parts of an ACS user's."""
        return self.raw_id.split(":", 2)[-1]

    def masked(self) -> str:
        """For logs: enough to tell two endpoints apart, too little to call one."""
        return f"{self.raw_id[:6]}…{self.raw_id[-2:]}"

    def __str__(self) -> str:
        return self.phone_number or self.raw_id


def key_of(raw_id: str) -> str:
    """The key of a raw id, or of a bare E.164 number; see `Identifier.key`. Whatever is no identifier stays itself."""
    return _read(f"{_PHONE}{raw_id}" if raw_id.startswith("+") else raw_id).key


def _raw_id_of(value: Any) -> str:
    """The raw id in a string or an identifier model; ValueError says what is missing."""
    if isinstance(value, Identifier):
        return value.raw_id
    if isinstance(value, str):
        if value.startswith("+"):
            if not _E164.fullmatch(value):
                raise ValueError(f"{value[:MAX_SHOWN]!r} is not an E.164 phone number")
            return f"4:{value}"
        if ":" not in value:
            raise ValueError(f"{value[:MAX_SHOWN]!r} is neither a raw id nor an E.164 phone number")
        return value
    if isinstance(value, Mapping):
        raw_id = _text(value, "rawId")
        number = _text(_model(value, "phoneNumber"), "value")
        # A phone is its number, whatever stands beside it as raw id.
        if raw_id and (not number or raw_id.startswith(_PHONE)):
            return raw_id
        if number:
            asserted = _text(_model(value, "phoneNumber"), "assertedId")
            return f"{_PHONE}{number}_{asserted}" if asserted else f"{_PHONE}{number}"
        if found := _id_of_model(value):
            return found
        raise ValueError("an identifier needs rawId, phoneNumber.value or communicationUser.id")
    raise ValueError(f"an identifier is a string or an object, not {type(value).__name__}")


def _id_of_model(value: Mapping[Any, Any]) -> str:
    """The raw id that a model without one stands for; empty if it stands for none."""
    if user := _text(_model(value, "communicationUser"), "id"):
        return user
    teams = _model(value, "microsoftTeamsUser")
    if user := _text(teams, "userId"):
        return f"{_VISITOR}{user}" if teams.get("isAnonymous") is True else f"8:{_cloud(teams, 'orgid')}:{user}"
    app = _model(value, "microsoftTeamsApp")
    if name := _text(app, "appId"):
        return f"28:{_cloud(app, 'orgid')}:{name}"
    extension = _model(value, "teamsExtensionUser")
    parts = [_text(extension, field) for field in ("resourceId", "tenantId", "userId")]
    if all(parts):
        cloud = _cloud(extension, "")
        return f"8:{cloud}-acs:{'_'.join(parts)}" if cloud else f"8:acs:{'_'.join(parts)}"
    return _text(value, "id")


def _model(value: Mapping[Any, Any], field: str) -> Mapping[Any, Any]:
    inner = value.get(field)
    return inner if isinstance(inner, Mapping) else {}


def _text(value: Mapping[Any, Any], field: str) -> str:
    inner = value.get(field)
    return inner if isinstance(inner, str) else ""


def _cloud(model: Mapping[Any, Any], public: str) -> str:
    """The cloud's part of a raw id. Python's SDK writes the cloud in capitals."""
    cloud = _text(model, "cloud").lower()
    return cloud if cloud in ("dod", "gcch") else public


class _Reading(NamedTuple):
    """What a raw id says."""

    kind: Kind
    key: str
    asserted_id: str | None = None
    cloud: Cloud = "public"


@lru_cache(maxsize=4096)
def _read(raw_id: str) -> _Reading:
    if raw_id.startswith(_PHONE):
        name = raw_id[len(_PHONE) :]
        before, mark, asserted = name.rpartition("_")
        asserted = asserted if mark else ""
        number = before if before and asserted else name
        plus = "+" if _BARE_NUMBER.fullmatch(number) else ""
        return _Reading("phoneNumber", f"{_PHONE}{plus}{number}", asserted or None)
    first, _, rest = raw_id.partition(":")
    second, colon, name = rest.partition(":")
    kind, cloud = _PREFIXES.get(f"{first}:{second}{colon}", ("unknown", "public"))
    extension = kind == "communicationUser" and not raw_id.startswith(_SPOOL)
    if extension and len(name.split("_")) == _EXTENSION_PARTS:
        return _Reading("teamsExtensionUser", raw_id, cloud=cloud)
    return _Reading(kind, raw_id, cloud=cloud)
