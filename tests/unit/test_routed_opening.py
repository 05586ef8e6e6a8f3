"""What a decision of the routing makes of a call: which action opens or refuses it, and which flow runs."""

from __future__ import annotations

import pytest

from shared.calls import Call, Flow, actions
from shared.calls.actions import Action
from shared.identifiers import Identifier
from shared.routing import AnswerWith, RedirectTo, RejectWith, opening

SUPPORT = Identifier.parse("+14255550177")


async def waits(call: Call) -> None:
    """Waits for the end."""
    await call.ended()


FLOWS = {"reception": Flow("reception", waits), "opener": Flow("opener", waits, opens=True)}


@pytest.mark.parametrize(
    ("decision", "action", "flow"),
    [
        (AnswerWith(flow="reception", rule="r"), actions.Answer(), "reception"),
        (AnswerWith(flow="opener", rule="r"), None, "opener"),
        (RedirectTo(target=SUPPORT, rule="r"), actions.Redirect(target=SUPPORT), "-"),
        (RejectWith(reason="forbidden", rule="r"), actions.Reject(reason="forbidden"), "-"),
    ],
)
def test_a_decision_opens_a_call_or_refuses_it(
    decision: AnswerWith | RedirectTo | RejectWith, action: Action | None, flow: str
) -> None:
    assert opening(decision, FLOWS) == (action, flow)
