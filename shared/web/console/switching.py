"""The switches on Today: what is off or diverted, with a way to lift it, and forms that turn one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from shared.errors import InvalidInput
from shared.web.console.acting import written_number
from shared.web.console.exchange import Reply, see_other
from shared.web.console.gate import Visit
from shared.web.console.words import masked_number, moment, person
from shared.web.switches import SwitchesService, SwitchesView

MOST_CHARACTERS = 60
"""Characters of who turned a switch, as the HTTP API takes them."""

REJECTION: Mapping[str, str] = {"busy": "busy", "forbidden": "refused", "none": "without a reason"}
"""What a caller gets whose call is rejected."""


class Off(NamedTuple):
    """Something that is off or diverted.

    Attributes:
        told: in a sentence.
        lift: the fields of the form that lifts it.
        button: what the form says.
    """

    told: str
    lift: Mapping[str, str]
    button: str


def what_is_off(
    view: SwitchesView, titles: Mapping[str, str], own: Sequence[str], mark: Callable[[str], str]
) -> list[Off]:
    """Each thing that is off or diverted; the numbers of others are masked.

    Args:
        own: the app's own numbers.
        mark: names a number in a form without telling it.
    """
    found = []
    if (off := view.outbound.off) is not None:
        told = f"Outbound calls are stopped {_by(off.by, off.at, off.why)}."
        found.append(Off(told, {"what": "outbound", "to": "on"}, "Resume"))
    for one in view.numbers:
        number = _shown(one.number, own)
        told = f"The number {number} is switched off {_by(one.off.by, one.off.at, one.off.why)}."
        found.append(Off(told, {"what": "number", "mark": mark(one.number), "to": "on"}, "Switch on"))
    for flow in view.flows:
        at, title = flow.diverted, titles.get(flow.flow, flow.flow)
        told = f"Calls for {title} {_goes(flow.diverted.to, titles)} {_by(at.by, at.at, at.why)}."
        found.append(Off(told, {"what": "flow", "flow": flow.flow, "to": "on"}, "End the diversion"))
    return found


def _goes(to: Any, titles: Mapping[str, str]) -> str:
    if to.flow:
        return f"go to {titles.get(to.flow, to.flow)}"
    return "are rejected" if to.reject else f"are sent on to {person(to.redirect.raw_id, shown=False)}"


def _shown(number: str, own: Sequence[str]) -> str:
    if number in own:
        return number
    return masked_number(number) if number.startswith("+") else person(number, shown=False)


def _by(who: str, at: int, why: str) -> str:
    return f"since {moment(at)[:16]} UTC ({who}{f', “{why}”' if why else ''})"


def request_of(form: Mapping[str, str], by: str, numbers: Mapping[str, str]) -> dict[str, Any]:
    """The request that turns a switch, by a form. InvalidInput.

    Args:
        by: who turns it.
        numbers: those that are off, by their marks.
    """
    to = form.get("to", "")
    asked: dict[str, Any] = {"by": by[:MOST_CHARACTERS], "why": form.get("why", "").strip()}
    match form.get("what", ""):
        case "outbound" if to in ("on", "off"):
            return {**asked, "outbound": to}
        case "number" if to == "on":
            if (number := numbers.get(form.get("mark", ""))) is None:
                raise InvalidInput("number", "is not switched off any more.", "Reload the page.")
            return {**asked, "numbers": {number: "on"}}
        case "number" if to == "off":
            return {**asked, "numbers": {written_number(_given(form, "number", "Write a number.")): "off"}}
        case "flow":
            flow = _given(form, "flow", "Choose a line.")
            return {**asked, "flows": {flow: "on" if to == "on" else _diversion(form)}}
    raise InvalidInput("what", "is no switch.", "Use the forms of the page.")


def _diversion(form: Mapping[str, str]) -> dict[str, str]:
    kind, _, name = form.get("to", "").partition(":")
    match kind:
        case "flow":
            return {"flow": name}
        case "reject" if name in REJECTION:
            return {"reject": name}
        case "redirect":
            return {"redirect": written_number(_given(form, "number", "Write the number that takes the calls."))}
    raise InvalidInput("to", "is empty.", "Choose where the calls go.")


def _given(form: Mapping[str, str], name: str, remedy: str) -> str:
    if not (value := form.get(name, "").strip()):
        raise InvalidInput(name, "is empty.", remedy)
    return value


class Switching:
    """What Today does with switches.

    Args:
        titles: of the flows, by name.
        inbound: the names of flows that take calls which come in.
    """

    def __init__(
        self,
        service: Callable[[], SwitchesService],
        titles: Mapping[str, str],
        inbound: Sequence[str],
        own: Sequence[str],
    ) -> None:
        self._service = service
        self._titles = titles
        self._inbound = inbound
        self._own = own

    def shown(self, visit: Visit) -> dict[str, Any]:
        """What the page needs. One request to the storage."""
        lines = {name: self._titles.get(name, name) for name in self._inbound}
        off = what_is_off(self._service().view(), self._titles, self._own, visit.mark)
        return {"off": off, "lines": lines, "rejections": REJECTION}

    def turn(self, visit: Visit) -> Reply:
        """Turn one."""
        form, service = visit.request.form, self._service()
        numbers = {visit.mark(one.number): one.number for one in service.view().numbers}
        service.turn(json.dumps(request_of(form, visit.person.name, numbers)).encode())
        visit.did(f"turned a switch: {form['what']} {form.get('to', '').partition(':')[0]}")
        return see_other("?did=switched", **{"Cache-Control": "no-store"})
