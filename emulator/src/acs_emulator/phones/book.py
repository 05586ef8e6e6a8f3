"""Which virtual phone answers under which number or user id."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from acs_emulator.audio import SpeechError, espeak_voice, phone_voice
from acs_emulator.core.errors import BadRequest, check_names
from acs_emulator.core.identifiers import Identifier, from_text
from acs_emulator.core.own_number import OwnNumber
from acs_emulator.phones.behaviours import WELL_KNOWN, Behaviour, parse_behaviour
from acs_emulator.phones.live import Person
from acs_emulator.phones.own_numbers import OwnNumbers

FIELDS = {"number", "id", "behaviour", "afterSeconds", "afterRings", "greeting", "script", "voice", "locale"}
#: Numbers that were rung of which the last are kept.
_RUNG = 8


def parse_voice(body: dict[str, Any], identifier: Identifier) -> str | None:
    """espeak-ng's voice for `voice` (as in TextSource, or `male`, `female`) and `locale`. Raises BadRequest."""
    voice, locale = body.get("voice"), body.get("locale")
    for name, value in (("voice", voice), ("locale", locale)):
        if value is not None and not isinstance(value, str):
            raise BadRequest(f"'{name}' must be text.", name)
    try:
        if voice:
            return espeak_voice(locale, voice)
        return phone_voice(identifier.raw_id, locale) if locale else None
    except SpeechError as error:
        raise BadRequest(f"'voice' or 'locale': {error}.", "voice" if voice else "locale") from error


class PhoneBook:
    """Registered phones, the well-known numbers, and the numbers that belong to the resource."""

    def __init__(self, declared: Iterable[OwnNumber] = ()) -> None:
        self._phones: dict[str, Behaviour] = {}
        self.own = OwnNumbers(declared)
        #: The last numbers that were rung, the newest at the end.
        self._rung: deque[str] = deque(maxlen=_RUNG)
        #: Who answers for themselves, by raw id.
        self.people: dict[str, Person] = {}

    def register(self, body: Any) -> tuple[Identifier, Behaviour]:
        """Read and keep the body of POST /emulator/phones. Raises BadRequest."""
        if not isinstance(body, dict):
            raise BadRequest("The body must be an object.")
        check_names(body, FIELDS)
        if "number" in body and "id" in body:
            raise BadRequest("Give 'number' or 'id', not both.", "id")
        name = "number" if "number" in body else "id"
        text = body.get(name)
        if not isinstance(text, str):
            raise BadRequest("'number' or 'id' is required.", "number")
        identifier = from_text(text, name)
        if identifier.is_anonymous:
            raise BadRequest(f"'{name}' must be a number or a user id: nobody can call a withheld number.", name)
        behaviour = parse_behaviour(body, parse_voice(body, identifier))
        self._phones[identifier.raw_id] = behaviour
        return identifier, behaviour

    def rang(self, target: Identifier) -> None:
        """Somebody was rung: a person may want to be this number the next time."""
        if target.is_phone and target.value not in self._rung:
            self._rung.append(target.value)

    def unattended(self) -> list[str]:
        """Numbers that were rung, are not the app's, and that no person holds."""
        held = {person.identifier.value for person in self.people.values()}
        return [number for number in self._rung if number not in held and number not in self.own]

    def lines(self) -> list[str]:
        """The numbers by which the app can be called, as far as they are known."""
        return sorted(number for number in self.own.all() if number not in WELL_KNOWN)

    def behaviour(self, target: Identifier) -> Behaviour | None:
        """How the target takes a call; None when the call is the app's to answer."""
        registered = self._phones.get(target.raw_id)
        if registered is not None:
            return registered
        if not target.is_phone:
            return None
        if target.value in WELL_KNOWN:
            return WELL_KNOWN[target.value]
        return None if target.value in self.own else Behaviour()

    def clear(self) -> None:
        self._phones.clear()
        self.own.clear()
        self._rung.clear()
        for person in self.people.values():
            person.forget()

    def state(self) -> list[dict[str, Any]]:
        return [
            {"id": raw_id, "behaviour": phone.kind, "afterSeconds": phone.after, "steps": len(phone.script)}
            for raw_id, phone in self._phones.items()
        ]
