"""Which flow takes an incoming call, or whether it is rejected or sent elsewhere.

The rules stand in one YAML file, read and checked at start; the first rule that matches a call decides.
`docs/routing.md` describes the file. Deciding is pure: the same call at the same time gives the same
decision.
"""

from shared.routing.decisions import (
    AnswerWith,
    Decision,
    LeaveRinging,
    RedirectTo,
    RejectWith,
    RoutingTable,
    opening,
)

__all__ = [
    "AnswerWith",
    "Decision",
    "LeaveRinging",
    "RedirectTo",
    "RejectWith",
    "RoutingTable",
    "opening",
]
