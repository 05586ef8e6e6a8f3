"""Phone scripts: what a virtual phone does, step by step.

A step is ``{"when"?: condition, "at"? or "after"?: seconds, one action}``. ``when`` waits for the condition;
``after`` counts from there, or from the end of the step before; ``at`` counts from the last ``when`` of the
script, or from the connection. A step without an action only waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acs_emulator.core.errors import BadRequest, check_names

CONDITIONS = ("connected", "joined", "prompted", "prompt ended", "asked", "tones")
#: The tone name of each key (published Tone enum).
TONES = {
    "0": "zero",
    "1": "one",
    "2": "two",
    "3": "three",
    "4": "four",
    "5": "five",
    "6": "six",
    "7": "seven",
    "8": "eight",
    "9": "nine",
    "#": "pound",
    "*": "asterisk",
    "A": "a",
    "B": "b",
    "C": "c",
    "D": "d",
}
#: The key of each tone name.
KEYS = {tone: key for key, tone in TONES.items()}
_ACTIONS = ("press", "say", "beep", "wait", "hangUp")
FIELDS = ("when", "at", "after", *_ACTIONS)
#: Longest wait of one step in seconds.
_LONGEST = 86_400.0
#: Most keys that are pressed, and most characters that are said, at once: minutes of sound, not hours. Chosen.
MOST_KEYS, LONGEST_SAYING = 1_000, 5_000


@dataclass(frozen=True)
class Step:
    """One step; at most one of the actions is set."""

    when: str | None = None
    after: float = 0.0
    at: float | None = None
    press: str | None = None
    say: str | None = None
    hang_up: bool = False
    #: The tone of a mailbox.
    beep: bool = False


def parse_script(steps: Any, where: str = "script") -> tuple[Step, ...]:
    """Read a script. Raises BadRequest that names the step and the field."""
    if steps is None:
        return ()
    if not isinstance(steps, list):
        raise BadRequest(f"'{where}' must be a list of steps.", where)
    return tuple(_step(step, f"{where}[{index}]") for index, step in enumerate(steps))


def _step(step: Any, where: str) -> Step:
    if not isinstance(step, dict):
        raise BadRequest(f"'{where}' must be an object.", where)
    check_names(step, FIELDS, where)
    if "at" in step and {"after", "wait"} & set(step):
        raise BadRequest(f"'{where}' has 'at' beside 'after' or 'wait'; give one of them.", f"{where}.at")
    actions = [name for name in _ACTIONS if name in step]
    if len(actions) > 1:
        raise BadRequest(f"'{where}' has {' and '.join(actions)}; a step does one thing.", where)
    if not step:
        raise BadRequest(f"'{where}' is empty.", where)
    when = step.get("when")
    if when is not None and when not in CONDITIONS:
        raise BadRequest(f"'{where}.when' must be one of {', '.join(CONDITIONS)}.", f"{where}.when")
    for name in ("hangUp", "beep"):
        if name in step and step[name] is not True:
            raise BadRequest(f"'{where}.{name}' must be true.", f"{where}.{name}")
    say = check_words(step["say"], f"{where}.say") if "say" in step else None
    press = check_keys(step["press"], f"{where}.press") if "press" in step else None
    after = seconds(step.get("after", 0), f"{where}.after") + seconds(step.get("wait", 0), f"{where}.wait")
    at = seconds(step["at"], f"{where}.at") if "at" in step else None
    return Step(when, after, at, press, say, "hangUp" in step, "beep" in step)


def check_keys(keys: Any, where: str) -> str:
    """Keys of a phone, upper case. Raises BadRequest."""
    if not isinstance(keys, str) or not keys:
        raise BadRequest(f"'{where}' must be a text of keys.", where)
    pressed = keys.upper()
    wrong = next((key for key in pressed if key not in TONES), None)
    if wrong is not None:
        raise BadRequest(f"'{where}': {wrong!r} is not a key; keys are 0-9, *, #, A-D.", where)
    if len(pressed) > MOST_KEYS:
        raise BadRequest(f"'{where}' has {len(pressed)} keys; at most {MOST_KEYS} are pressed at once.", where)
    return pressed


def check_words(words: Any, where: str) -> str:
    """What a phone may say. Raises BadRequest."""
    if not isinstance(words, str):
        raise BadRequest(f"'{where}' is required and must be text.", where)
    if len(words) > LONGEST_SAYING:
        raise BadRequest(f"'{where}' has {len(words)} characters; at most {LONGEST_SAYING} are said at once.", where)
    return words


def seconds(value: Any, where: str) -> float:
    """A length of time. Raises BadRequest."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST:
        raise BadRequest(f"'{where}' must be a number of seconds from 0 to {_LONGEST:.0f}.", where)
    return float(value)
