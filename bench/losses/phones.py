"""The phones: whom they call, what they do, and what they expect."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.losses.flows import AGENT, ANSWERS
from bench.losses.lasting import NAPS, QUESTIONS, SENTENCES
from tests.fixtures.app.flows.reception import reception

Script = list[dict[str, Any]]

TIRED = 60.0
"""Wall-clock seconds after its last step when a phone gives up, so that a call that hangs ends some time."""
PATIENT = 240.0
"""The same for a phone whose call is long by itself."""
RECEPTION, LOOK_UP, PUT_THROUGH, NOBODY_THERE = "+18005550111", "+18005550112", "+18005550113", "+18005550114"
PASS_ON, NOT_TAKEN, REJECTED, REDIRECTED = "+18005550115", "+18005550116", "+18005550117", "+18005550118"
ASKED_ON, TOLD_ON, SLEEPS, RECORDED = "+18005550121", "+18005550122", "+18005550123", "+18005550124"
TRANSFERRED_LATE = "+18005550125"

ROUTES = f"""
rules:
  - {{name: reception, to: "{RECEPTION}", answer: reception}}
  - {{name: look up, to: "{LOOK_UP}", answer: look up}}
  - {{name: put through, to: "{PUT_THROUGH}", answer: put through}}
  - {{name: nobody there, to: "{NOBODY_THERE}", answer: nobody there}}
  - {{name: pass on, to: "{PASS_ON}", answer: pass on}}
  - {{name: not taken, to: "{NOT_TAKEN}", answer: not taken}}
  - {{name: refused, to: "{REJECTED}", reject: busy}}
  - {{name: sent on, to: "{REDIRECTED}", redirect: "{ANSWERS}"}}
  - {{name: asked, to: "{ASKED_ON}", answer: asked all along}}
  - {{name: told, to: "{TOLD_ON}", answer: told all along}}
  - {{name: sleeps, to: "{SLEEPS}", answer: sleeps}}
  - {{name: recorded, to: "{RECORDED}", answer: recorded}}
  - {{name: transferred late, to: "{TRANSFERRED_LATE}", answer: transferred late}}
  - {{name: all the rest, reject: none}}
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of call.

    Attributes:
        to: the number that a phone calls; empty: the app calls the phone.
        script: what the phone does, for a speed of the emulator.
        turns: what happens in order: `> text` is heard, `< keys or words` is the phone's answer, the rest are notes
            of the emulator's timeline (`adds`, `transfers`, `redirects`, `rejects`).
        outcome: the call's outcome at the app's API.
        needed: so many of the turns must have happened; None: all.
        share: of a hundred calls.
        behaviour: of a phone that the app calls.
    """

    name: str
    to: str
    script: Callable[[float], Script]
    turns: Sequence[str]
    outcome: str
    share: int
    needed: int | None = None
    behaviour: str = "answer"


def _steps(*steps: dict[str, Any]) -> Callable[[float], Script]:
    """A script that is the same at any speed, and whose phone is tired in the end."""
    return lambda speed: [*steps, {"after": TIRED * speed, "hangUp": True}]


def _patient(*steps: dict[str, Any]) -> Callable[[float], Script]:
    """The same, whose phone is tired so late that a busy machine has said everything by then."""
    return lambda speed: [*steps, {"after": PATIENT * speed, "hangUp": True}]


def _press(keys: str, after: float = 1) -> dict[str, Any]:
    return {"when": "asked", "after": after, "press": keys}


_ENGLISH = next(one for one in reception.texts.languages if one.name == "en").texts
_WELCOME, _AGAIN, _NOBODY = (f"> {_ENGLISH[name]}" for name in ("welcome", "again", "nobody"))
_SALES, _SUPPORT = (f"> {_ENGLISH[name]}" for name in ("sales", "support"))
_KEY_IN, _FOUND = "> Please key in your number, then the pound key.", "> You are customer {}. Goodbye."
_MOMENT, _THROUGH = "> One moment, please.", "> You will be put through."
_SURVEY = "> Were you satisfied? Press 1 for yes, 2 for no."

KINDS = (
    Kind(
        "wrong key first",
        RECEPTION,
        _steps(_press("9"), _press("1")),
        [_WELCOME, "< 9", _AGAIN, "< 1", _SALES],
        "completed",
        15,
    ),
    Kind(
        "by speech",
        RECEPTION,
        _steps({"when": "asked", "after": 1, "say": "I need help"}),
        [_WELCOME, "< I need help", _SUPPORT],
        "completed",
        14,
    ),
    Kind("silent", RECEPTION, _steps(), [_WELCOME, _AGAIN, _AGAIN, _NOBODY], "completed", 8),
    Kind(
        "gone while asked",
        RECEPTION,
        _steps({"when": "asked", "after": 1, "hangUp": True}),
        [_WELCOME],
        "caller_left",
        7,
    ),
    Kind(
        "gone while told",
        RECEPTION,
        _steps(_press("2"), {"when": "prompted", "after": 0.5, "hangUp": True}),
        [_WELCOME, "< 2", _SUPPORT],
        "caller_left",
        5,
    ),
    Kind("keys", LOOK_UP, _steps(_press("1234#")), [_KEY_IN, "< 1234#", _FOUND.format(1234)], "completed", 12),
    Kind(
        "gone while looked up",
        LOOK_UP,
        lambda speed: [_press("77#"), {"after": 0.2 * speed, "hangUp": True}],
        [_KEY_IN, "< 77#", _FOUND.format(77)],
        "caller_left",
        10,
        needed=2,
    ),
    Kind("agent", PUT_THROUGH, _steps(), [_MOMENT, "adds", "> Your agent has left. Goodbye."], "completed", 6),
    Kind("no agent", NOBODY_THERE, _steps(), [_MOMENT, "adds", "> Nobody is free. Goodbye."], "completed", 4),
    Kind(
        "transfer",
        PASS_ON,
        _steps({"when": "joined", "after": 2, "hangUp": True}),
        [_THROUGH, "transfers"],
        "transferred",
        5,
    ),
    Kind(
        "transfer not taken",
        NOT_TAKEN,
        _steps(),
        [_THROUGH, "transfers", "> Nobody took your call. Goodbye."],
        "completed",
        3,
    ),
    Kind("rejected", REJECTED, _steps(), ["rejects"], "rejected", 2),
    Kind("redirected", REDIRECTED, _steps({"after": 2, "hangUp": True}), ["redirects"], "redirected", 2),
    Kind("called", "", _steps(_press("1")), [_SURVEY, "< 1", "> You said yes. Thank you."], "completed", 5),
    Kind("called, busy", "", _steps(), [], "busy", 2, behaviour="busy"),
)
_YES = [_press("1", after=4)]
LASTING = (
    Kind(
        "asked all along",
        ASKED_ON,
        _patient(*_YES * len(QUESTIONS)),
        [turn for question in QUESTIONS for turn in (f"> {question}", "< 1")] + ["> You said it all. Goodbye."],
        "completed",
        9,
    ),
    Kind("told all along", TOLD_ON, _patient(), [f"> {sentence}" for sentence in SENTENCES], "completed", 9),
    Kind("sleeps", SLEEPS, _patient(), [f"> {nap}" for nap in NAPS] + ["> It was found. Goodbye."], "completed", 8),
    Kind(
        "recorded",
        RECORDED,
        _patient(*_YES * 6),
        [turn for question in QUESTIONS[:6] for turn in (f"> {question}", "< 1")] + ["> It is recorded. Goodbye."],
        "completed",
        7,
    ),
    Kind(
        "transferred late",
        TRANSFERRED_LATE,
        _patient({"when": "joined", "after": 2, "hangUp": True}),
        [f"> {SENTENCES[0]}", "transfers"],
        "transferred",
        7,
    ),
)
"""Calls that are up for most of a minute, the shortest last; `share`: of forty."""
AGENT_PHONE = {"number": AGENT, "script": [{"after": 8, "hangUp": True}]}
"""The agent takes the call, and leaves after eight seconds."""


def mixed(calls: int, seed: int) -> list[Kind]:
    """So many calls, each kind by its share, in an order that the seed decides."""
    shares = [kind for kind in KINDS for _ in range(kind.share)]
    chosen = [shares[number * len(shares) // calls % len(shares)] for number in range(calls)]
    random.Random(seed).shuffle(chosen)
    return chosen
