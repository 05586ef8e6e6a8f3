"""The numbers that the app's routes name: the phone in the browser offers them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

_NUMBER = re.compile(r"\+[0-9]{3,15}")
#: Outbound calls that each may have at once: as many as before it was declared.
_CALLS = 1000


def routed_numbers(app_root: Path) -> list[str]:
    """Whole numbers under `to` in routing.yaml; none where the file cannot be read, of which the app itself tells."""
    try:
        routing = yaml.safe_load((app_root / "routing.yaml").read_text("utf-8"))
        targets = [rule.get("to") for rule in routing["rules"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        return []
    listed = [one for target in targets for one in (target if isinstance(target, list) else [target])]
    return list(dict.fromkeys(one for one in listed if isinstance(one, str) and _NUMBER.fullmatch(one)))


def number_flags(app_root: Path) -> list[str]:
    """The emulator's flags for them."""
    return [flag for number in routed_numbers(app_root) for flag in ("--number", f"{number}:{_CALLS}")]
