"""How virtual phones take a call, by name and by well-known number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acs_emulator.core.errors import BadRequest
from acs_emulator.phones.script import Step, parse_script, seconds

#: Seconds until a phone reacts when its behaviour does not say.
REACTION = 1.0
#: Seconds from one ring to the next: 2 s of tone and 4 s of pause, the cadence of North America.
RING_CYCLE = 6.0
#: Most rings that a phone may wait for; a call rings for five.
MOST_RINGS = 20
#: What a mailbox says before its beep, and a contact centre when it takes a call.
MAILBOX_GREETING = "You have reached the mailbox of this number. Please leave a message after the tone."
CENTRE_GREETING = "Contact centre, how can I help you?"
#: Seconds into a prompt at which somebody who talks over prompts begins, and what they say, again and again.
CUT_IN = 0.5
_IMPATIENT = ("Hello? Who is this?", "Hold on, I can hear you, just tell me.", "Yes, yes, what is it about?")
#: Prompts that are talked over before the person gives up.
_MOST_PROMPTS = 30

REFUSING = ("decline", "busy", "noAnswer", "unreachable")
BEHAVIOURS = ("answer", *REFUSING, "mailbox", "talkOver", "hangUp", "contactCentre")


@dataclass(frozen=True)
class Behaviour:
    """How a phone takes a call; the script begins when it is connected."""

    kind: str = "answer"
    after: float = REACTION
    script: tuple[Step, ...] = ()
    #: espeak-ng's name of its voice; None takes one that belongs to the number or user id.
    voice: str | None = None

    @property
    def answers(self) -> bool:
        return self.kind not in REFUSING

    @property
    def behind_sbc(self) -> bool:
        """Whether SIP headers reach it: a carrier passes none on."""
        return self.kind == "contactCentre"


def named(kind: str, greeting: str | None = None) -> tuple[Step, ...]:
    """What a phone of this behaviour does by itself, once it is connected."""
    if kind == "mailbox":
        return Step(say=greeting or MAILBOX_GREETING), Step(after=0.3, beep=True)
    if kind == "contactCentre":
        return (Step(say=greeting or CENTRE_GREETING),)
    if kind == "hangUp":
        return (Step(hang_up=True),)
    if kind == "talkOver":
        return tuple(
            Step(when="prompted", after=CUT_IN, say=_IMPATIENT[number % len(_IMPATIENT)])
            for number in range(_MOST_PROMPTS)
        )
    return ()


#: Numbers with a fixed behaviour that need no set-up. They are set aside for fiction (555-0100 to 555-0199), and
#: libphonenumber takes them for valid.
WELL_KNOWN: dict[str, Behaviour] = {
    "+12065550101": Behaviour(),
    "+12065550102": Behaviour("decline"),
    "+12065550103": Behaviour("busy"),
    "+12065550104": Behaviour("noAnswer"),
    "+12065550105": Behaviour("unreachable"),
    "+12065550106": Behaviour(after=20.0),
    "+12065550107": Behaviour("hangUp", script=named("hangUp")),
    "+12065550108": Behaviour(script=(Step(when="asked", after=0.5, press="1"),)),
    "+12065550109": Behaviour(script=(Step(when="asked", after=0.5, say="yes"),)),
    "+12065550110": Behaviour("mailbox", script=named("mailbox")),
    "+12065550111": Behaviour(after=3 * RING_CYCLE),
    "+12065550112": Behaviour("talkOver", script=named("talkOver")),
    "+12065550113": Behaviour("contactCentre", script=named("contactCentre")),
}
#: Those of version 0.1, which libphonenumber refuses: still taken.
WELL_KNOWN |= {f"+1555010000{n}": WELL_KNOWN[f"+1206555010{n}"] for n in range(1, 10)}


def parse_behaviour(body: dict[str, Any], voice: str | None) -> Behaviour:
    """Read `behaviour`, `afterSeconds` or `afterRings`, `greeting` and `script`. Raises BadRequest."""
    kind = body.get("behaviour", "answer")
    if kind not in BEHAVIOURS:
        raise BadRequest(f"'behaviour' must be one of {', '.join(BEHAVIOURS)}.", "behaviour")
    greeting = body.get("greeting")
    if greeting is not None and (kind not in ("mailbox", "contactCentre") or not isinstance(greeting, str)):
        raise BadRequest("'greeting' must be text, and is for a mailbox or a contactCentre.", "greeting")
    return Behaviour(kind, _after(body), named(kind, greeting) + parse_script(body.get("script")), voice)


def _after(body: dict[str, Any]) -> float:
    rings = body.get("afterRings")
    if rings is None:
        return seconds(body.get("afterSeconds", REACTION), "afterSeconds")
    if "afterSeconds" in body:
        raise BadRequest("Give 'afterSeconds' or 'afterRings', not both.", "afterRings")
    if isinstance(rings, bool) or not isinstance(rings, int) or not 0 <= rings <= MOST_RINGS:
        raise BadRequest(f"'afterRings' must be a whole number from 0 to {MOST_RINGS}.", "afterRings")
    return rings * RING_CYCLE
