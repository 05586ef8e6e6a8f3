"""What people do to a call from its page: forms read into requests of the HTTP API, by whom they may be about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidInput
from shared.identifiers import Identifier
from shared.web.console.history import CONSOLE_KEY
from shared.web.console.words import is_app, person
from shared.web.models import CallView, ParticipantView

DID: Mapping[str, str] = {
    "hang_up": "Hanging up.",
    "play": "Your text is being said.",
    "add_participant": "Inviting them. The history says whether they come.",
    "hold": "Put on hold.",
    "unhold": "Off hold.",
    "transfer": "Transferring. The history says whether it was taken.",
    "mute": "Muted.",
    "signal": "Signal sent.",
}
"""What a page says after an action was taken."""

_KEY = re.compile(r"[0-9a-f]{32}")
_WRITTEN_NUMBER = re.compile(r"\+[0-9 ().\u00a0-]+")


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody on the call whom an action can be about.

    Attributes:
        mark: names them in a form.
        no_mute: why they cannot be muted; empty: they can.
    """

    mark: str
    name: str
    on_hold: bool
    muted: bool
    no_mute: str


NO_MUTE = "Azure mutes app users only. Put them on hold instead."


def people_on(
    view: CallView, listed: Sequence[ParticipantView], mark: Callable[[str], str], *, shown: bool
) -> dict[str, tuple[str, Participant]]:
    """Raw id and description of everybody on the call, by the mark; the other side alone where no list came."""
    other = other_side(view)
    known = [one for one in listed if not is_app(one.raw_id)] or (
        [ParticipantView(raw_id=other, muted=False, on_hold=False)] if other else []
    )
    found = {}
    for one in known:
        name = mark(f"{view.id} {one.raw_id}")
        mutable = Identifier(raw_id=one.raw_id).kind == "communicationUser"
        described = Participant(
            name, person(one.raw_id, shown=shown), one.on_hold, one.muted, "" if mutable else NO_MUTE
        )
        found[name] = (one.raw_id, described)
    return found


def other_side(view: CallView) -> str:
    """The raw id of who called, or was called; empty: not known."""
    return view.caller if view.direction == "inbound" else view.callee


def own_side(view: CallView) -> str:
    """The raw id of the app's own number on this call."""
    return view.callee if view.direction == "inbound" else view.caller


def idempotency_key(form: Mapping[str, str]) -> str:
    """The key that the page gave to the form: sent twice, it is done once."""
    key = form.get("key", "")
    if not _KEY.fullmatch(key):
        raise InvalidInput("key", "is not the one of a form.", "Reload the page and send the form again.")
    return f"{CONSOLE_KEY}{key}"


def body_of(
    action: str, form: Mapping[str, str], people: Mapping[str, tuple[str, Participant]], caller_id: str
) -> dict[str, Any]:
    """The body of the action's request. InvalidInput for what the form lacks.

    Args:
        people: those on the call, by their marks.
        caller_id: raw id of the number that somebody who is called sees.
    """
    match action:
        case "hang_up":
            return {}
        case "play":
            return {"prompts": [{"kind": "text", "text": _given(form, "text", "Write what is to be said.")}]}
        case "hold" | "unhold":
            return {"participant": _whom(form, people)}
        case "mute":
            return {"target": _whom(form, people)}
        case "add_participant":
            target = _target(form)
            with_number = {"caller_id": caller_id} if target.startswith("4:") and caller_id else {}
            return {"target": target, **with_number}
        case "transfer":
            return {"target": _target(form)}
    raise InvalidInput("action", "cannot be taken from here.", "Use the HTTP API.")


def signal_of(form: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Name and body of a signal; data that is no JSON is a text."""
    name, data = _given(form, "name", "Give the name that the flow waits for."), form.get("data", "").strip()
    try:
        return name, {"data": json.loads(data) if data else None}
    except ValueError:
        return name, {"data": data}


def written_number(text: str) -> str:
    """A number without the spaces and brackets that people write; anything else as it is."""
    text = text.strip()
    return re.sub(r"[^+0-9]", "", text) if _WRITTEN_NUMBER.fullmatch(text) else text


def _target(form: Mapping[str, str]) -> str:
    return Identifier.parse(written_number(_given(form, "target", "Give a number such as +14255550123."))).raw_id


def _whom(form: Mapping[str, str], people: Mapping[str, tuple[str, Participant]]) -> str:
    if (found := people.get(form.get("participant", ""))) is None:
        raise InvalidInput("participant", "is not on the call any more.", "Reload the page.")
    return found[0]


def _given(form: Mapping[str, str], name: str, remedy: str) -> str:
    if not (value := form.get(name, "").strip()):
        raise InvalidInput(name, "is empty.", remedy)
    return value
