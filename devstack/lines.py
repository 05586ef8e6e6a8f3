"""The numbers that the app's routes name: the phone in the browser offers them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from acs_emulator.core.own_number import is_name

_NUMBER = re.compile(r"\+[0-9]{3,15}")
#: Outbound calls that each may have at once: as many as before it was declared.
_CALLS = 1000


def routed_numbers(app_root: Path) -> dict[str, str]:
    """Whole numbers under `to` in routing.yaml, with the name of the first rule for each; none where the file cannot be
    read, of which the app itself tells."""
    try:
        routing = yaml.safe_load((app_root / "routing.yaml").read_text("utf-8"))
        targets = [(rule.get("to"), str(rule.get("name") or "")) for rule in routing["rules"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        return {}
    named: dict[str, str] = {}
    for target, name in targets:
        for one in target if isinstance(target, list) else [target]:
            if isinstance(one, str) and _NUMBER.fullmatch(one):
                named.setdefault(one, name)
    return named


def number_flags(app_root: Path) -> list[str]:
    """The emulator's flags for them."""
    flags = []
    for number, name in routed_numbers(app_root).items():
        flags += ["--number", f"{number}:{_CALLS}" + (f"={name}" if name and is_name(name) else "")]
    return flags
