"""Faults that can be switched on with one click: what they do, in plain words, and the rule that each is."""

from __future__ import annotations

from typing import Any

from acs_emulator.api.routes import FAULT_OPERATIONS
from acs_emulator.events.faults import Fault, Faults, parse_faults

SWITCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "twice": ("Callbacks come twice", {"kind": "duplicate", "match": {"channel": "callbacks"}}),
    "late": ("Callbacks come 2 s late", {"kind": "delay", "match": {"channel": "callbacks"}, "seconds": 2}),
    "disorder": ("Callbacks come out of order", {"kind": "reorder", "match": {"channel": "callbacks"}}),
    "lost": ("One callback in four is lost", {"kind": "drop", "match": {"channel": "callbacks"}, "probability": 0.25}),
    "events": ("Event Grid delivers twice", {"kind": "duplicate", "match": {"channel": "eventgrid"}}),
    "throttled": (
        "One request in three is throttled (429)",
        {"kind": "status", "match": {"channel": "requests"}, "status": 429, "probability": 0.33},
    ),
    "unavailable": (
        "One request in three is refused (503)",
        {"kind": "status", "match": {"channel": "requests"}, "status": 503, "probability": 0.33},
    ),
    "prompts": ("Prompts fail", {"kind": "fail", "match": {"operation": "Play"}}),
}


class FaultSwitches:
    """The switches of one emulator; rules of the control API are left alone."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._rules: dict[str, Fault] = {}

    def turn(self, name: str, *, on: bool) -> None:
        """Raises KeyError for a switch that there is not."""
        _, rule = SWITCHES[name]
        self._drop(name)
        if on:
            (self._rules[name],) = parse_faults(rule, FAULT_OPERATIONS)
            self._faults.rules.append(self._rules[name])

    def _drop(self, name: str) -> None:
        mine = self._rules.pop(name, None)
        self._faults.rules[:] = [rule for rule in self._faults.rules if rule is not mine]

    def wire(self) -> dict[str, Any]:
        """Every switch, and how many other rules there are."""
        rules = self._faults.rules
        on = {name for name, mine in self._rules.items() if any(rule is mine for rule in rules)}
        switches = [{"name": name, "label": label, "on": name in on} for name, (label, _) in SWITCHES.items()]
        return {"switches": switches, "others": len(rules) - len(on)}
