"""Communication identifiers: users, phone numbers and the rest, from any shape a client sends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from acs_emulator.core.errors import BadRequest

#: An E.164 number.
PHONE_NUMBER = re.compile(r"\+[0-9]{3,15}\Z")
#: The value of a number that is withheld (published: PhoneNumberIdentifierModel).
ANONYMOUS = "anonymous"
_TYPED = {
    "communicationUser": "id",
    "phoneNumber": "value",
    "microsoftTeamsUser": "userId",
    "microsoftTeamsApp": "appId",
    "teamsExtensionUser": "userId",
}


@dataclass(frozen=True)
class Identifier:
    """Who: the raw id decides equality; responses carry rawId, kind and the typed object."""

    raw_id: str
    kind: str
    value: str
    #: What else the typed object was given with (tenant, cloud): goes back as it came.
    more: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def is_phone(self) -> bool:
        return self.kind == "phoneNumber"

    @property
    def is_user(self) -> bool:
        return self.kind == "communicationUser"

    @property
    def is_anonymous(self) -> bool:
        """A telephone that withholds its number."""
        return self.is_phone and self.value == ANONYMOUS

    def wire(self) -> dict[str, Any]:
        """As in REST bodies and callbacks: rawId first."""
        return {"rawId": self.raw_id, "kind": self.kind, self.kind: self._typed()}

    def event_grid(self) -> dict[str, Any]:
        """As in Event Grid data: kind first (recorded)."""
        return {"kind": self.kind, "rawId": self.raw_id, self.kind: self._typed()}

    def _typed(self) -> dict[str, Any]:
        return {_TYPED.get(self.kind, "id"): self.value, **self.more}


def phone(number: str) -> Identifier:
    return Identifier(f"4:{number}", "phoneNumber", number)


def anonymous() -> Identifier:
    """A caller without a number."""
    return Identifier(f"4:{ANONYMOUS}", "phoneNumber", ANONYMOUS, {"isAnonymous": True})


def user(user_id: str) -> Identifier:
    return Identifier(user_id, "communicationUser", user_id)


def from_text(text: str, field: str) -> Identifier:
    """Read ``+14255550100``, ``4:+14255550100``, ``anonymous`` or ``8:acs:...`` (a few other raw ids as well)."""
    bare = text.removeprefix("4:")
    if bare == ANONYMOUS:
        return anonymous()
    if bare.startswith("+"):
        if not PHONE_NUMBER.match(bare):
            raise BadRequest(f"'{field}' is not a phone number in E.164 form.", field)
        return phone(bare)
    if text.startswith(("8:acs:", "8:spool:", "8:dod-acs:", "8:gcch-acs:")):
        return user(text)
    if text.startswith("8:orgid:"):
        return Identifier(text, "microsoftTeamsUser", text.removeprefix("8:orgid:"))
    if text.startswith("28:orgid:"):
        return Identifier(text, "microsoftTeamsApp", text.removeprefix("28:orgid:"))
    raise BadRequest(f"'{field}' is not a phone number such as +14255550100, or a user id such as 8:acs:….", field)


def from_model(model: dict[str, Any], field: str) -> Identifier:
    """Read a CommunicationIdentifierModel; `kind` may be missing (Python and .NET never send it)."""
    given = [name for name in _TYPED if model.get(name) is not None]
    if len(given) > 1:
        raise BadRequest(f"'{field}' must have exactly one of {', '.join(_TYPED)}.", field)
    if not given:
        raw_id = model.get("rawId")
        if not raw_id:
            raise BadRequest(f"'{field}' must name a user or a phone number.", field)
        return from_text(raw_id, f"{field}.rawId")
    kind = given[0]
    declared = model.get("kind")
    if declared not in (None, kind):
        raise BadRequest(f"'{field}.kind' is {declared}, but the identifier given is a {kind}.", f"{field}.kind")
    value = str(model[kind][_TYPED[kind]])
    if kind == "phoneNumber":
        if value == ANONYMOUS:
            return anonymous()
        if not PHONE_NUMBER.match(value):
            raise BadRequest(f"'{field}.phoneNumber.value' is not in E.164 form.", f"{field}.phoneNumber.value")
        return phone(value)
    if kind == "communicationUser":
        if not value.startswith("8:"):
            raise BadRequest(
                f"'{field}.communicationUser.id' is not a communication user id.", f"{field}.communicationUser.id"
            )
        return user(value)
    prefix = "28:orgid:" if kind == "microsoftTeamsApp" else "8:orgid:"
    known = ("resourceId", "tenantId", "cloud", "isAnonymous")
    more = {name: model[kind][name] for name in known if name in model[kind]}
    return Identifier(str(model.get("rawId") or prefix + value), kind, value, more)
