"""Rules and what they decide: pure values, no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from shared.calls.actions import Action, Answer, Redirect, Reject, RejectReason
from shared.calls.flow import NO_FLOW
from shared.identifiers import Identifier
from shared.lines.calendars import Calendar

NO_RULE = "no rule matched"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerWith:
    """Answer the call and run a flow on it.

    Attributes:
        language: in which the flow begins; empty: by the flow and the settings.
    """

    outcome: ClassVar[str] = "answer"
    flow: str
    rule: str
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectWith:
    """Reject the call.

    Attributes:
        why: where a guard overruled the rule, the reason in words, for the log; otherwise empty.
    """

    outcome: ClassVar[str] = "reject"
    reason: RejectReason
    rule: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectTo:
    """Send the call to another endpoint; the app has no further part in it."""

    outcome: ClassVar[str] = "redirect"
    target: Identifier
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveRinging:
    """Do nothing: the call rings somebody to whom a redirect of ours sent it, and whose phone is to answer.

    A redirect to an ACS user raises another IncomingCall, for that user. Rejecting it would end the ringing that
    the redirect began; answering it would take the call away again.
    """

    outcome: ClassVar[str] = "leave"
    rule: str


Decision = AnswerWith | RejectWith | RedirectTo | LeaveRinging


Outcome = AnswerWith | RejectWith | RedirectTo
"""What a rule may say; a decision may differ from it."""


class RoutableFlow(Protocol):
    """What the rules need to know of a flow."""

    @property
    def opens(self) -> bool:
        """Whether it answers, rejects or redirects by itself."""

    @property
    def languages(self) -> Sequence[str]:
        """The languages in which it has texts; empty: it has none."""

    @property
    def formerly(self) -> Sequence[str]:
        """Names that it had."""

    @property
    def needed_input(self) -> Sequence[str]:
        """The fields without which it cannot run, so that it cannot take a call that comes in."""


def opening(decision: Outcome, flows: Mapping[str, RoutableFlow]) -> tuple[Action | None, str]:
    """The action with which the app meets a call by a decision, and the flow that runs on it.

    Returns:
        None for the action: the flow opens the call itself. NO_FLOW: none runs.
    """
    if isinstance(decision, AnswerWith):
        return (None if flows[decision.flow].opens else Answer()), decision.flow
    if isinstance(decision, RedirectTo):
        return Redirect(target=decision.target), NO_FLOW
    return Reject(reason=decision.reason), NO_FLOW


@dataclass(frozen=True, slots=True)
class Pattern:
    """An exact text, or the beginning of one."""

    text: str
    is_prefix: bool = False

    def matches(self, value: str) -> bool:
        return value.startswith(self.text) if self.is_prefix else value == self.text

    def covers(self, other: Pattern) -> bool:
        """Whether all that the other matches is matched by this one too."""
        return self.matches(other.text) if self.is_prefix else self == other


Headers = tuple[tuple[str, tuple[Pattern, ...]], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What of an incoming call the rules look at.

    Attributes:
        context: values by header name, as `header_name` gives it.
        teams: values by the name on the wire, in small letters.
        calendars: those that there are, by name.
    """

    to: Identifier
    caller: Identifier
    on_behalf_of: Identifier | None
    context: Mapping[str, Sequence[str]]
    teams: Mapping[str, Sequence[str]]
    calendars: Mapping[str, Calendar]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: all of its conditions must hold; one that is not given holds always.

    Attributes:
        context: patterns by header name, as `header_name` gives it.
        on_behalf_of: whose call it is, where `to` takes calls for somebody else.
        teams: patterns by the name of a Teams detail, in small letters.
        calendar: the name of a calendar, and whether it has to be open or closed; where there is no such calendar, it
            is neither.
    """

    name: str
    to: tuple[Pattern, ...] | None
    caller: tuple[Pattern, ...] | None
    context: Headers
    hours: Calendar | None
    outcome: Outcome
    on_behalf_of: tuple[Pattern, ...] | None = None
    teams: Headers = ()
    calendar: tuple[str, bool] | None = None

    def matches(self, facts: Facts, at: datetime) -> bool:
        return (
            matches_any(self.to, facts.to.key)
            and matches_any(self.caller, facts.caller.key)
            and (self.on_behalf_of is None or _is_one_of(self.on_behalf_of, facts.on_behalf_of))
            and _all_there(self.context, facts.context)
            and _all_there(self.teams, facts.teams)
            and (self.hours is None or self.hours.is_open(at))
            and (self.calendar is None or _stands_so(self.calendar, facts.calendars, at))
        )

    @property
    def takes_all(self) -> bool:
        """Whether it has no condition."""
        return self == Rule(self.name, None, None, (), None, self.outcome)

    def covers_conditions(self, other: Rule) -> bool:
        """Whether the conditions other than `to` hold whenever those of the other rule hold."""
        return (
            covers(self.caller, other.caller)
            and covers(self.on_behalf_of, other.on_behalf_of)
            and _all_covered(self.context, other.context)
            and _all_covered(self.teams, other.teams)
            and (self.hours is None or self.hours == other.hours)
            and (self.calendar is None or self.calendar == other.calendar)
        )


class RoutingTable:
    """The rules of a routing file. Immutable, so it can be shared between threads."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)

    @property
    def calendars(self) -> frozenset[str]:
        """The names of those that rules ask."""
        return frozenset(rule.calendar[0] for rule in self.rules if rule.calendar is not None)

    def decide(
        self,
        *,
        to: Identifier,
        caller: Identifier,
        context: Mapping[str, str],
        at: datetime,
        on_behalf_of: Identifier | None = None,
        teams: Mapping[str, str] | None = None,
        calendars: Mapping[str, Calendar] | None = None,
    ) -> Decision:
        """What to do with an incoming call.

        Args:
            to: whom the caller wants, `data.to` of IncomingCall.
            caller: `data.from`.
            context: the custom SIP and VoIP headers, by name.
            at: the time of the call, with its time zone.
            on_behalf_of: whose call it is, where `to` takes calls for somebody else.
            teams: what Teams says of the call, by the name on the wire (`TeamsPhoneCallDetails.words`).
            calendars: those that there are, by name.
        """
        if at.tzinfo is None:
            raise ValueError("routing needs a time with its time zone")
        headers: dict[str, list[str]] = {}
        for name, value in context.items():
            headers.setdefault(header_name(name), []).append(value)
        details = {name.lower(): [value] for name, value in (teams or {}).items()}
        facts = Facts(to, caller, on_behalf_of, headers, details, calendars or {})
        redirected_here = None if to.phone_number is not None else self._redirects_to(to)
        for rule in self.rules:
            if rule.matches(facts, at):
                if redirected_here is not None and rule.to is None:
                    break  # only a rule that names this callee may take the call from where a redirect sent it
                return guarded(rule.outcome, to, caller)
        if redirected_here is not None:
            return LeaveRinging(rule=redirected_here.name)
        return RejectWith(reason="none", rule=NO_RULE)

    def _redirects_to(self, user: Identifier) -> Rule | None:
        """A rule that sends calls to this user, who has a phone of their own."""
        for rule in self.rules:
            if isinstance(rule.outcome, RedirectTo) and rule.outcome.target.key == user.key:
                return rule
        return None


def guarded(outcome: Outcome, to: Identifier, caller: Identifier) -> Outcome:
    """The outcome, unless the service could not carry it out or it would go in a circle."""
    if not isinstance(outcome, RedirectTo):
        return outcome
    target = outcome.target
    if target.key == to.key:
        why = "the redirect leads to the callee itself"
    elif target.key == caller.key:
        why = "the redirect leads back to the caller"
    elif target.phone_number is not None and caller.phone_number is None:
        why = "the service cannot redirect a VoIP call to a phone number"  # docs: call-automation overview
    else:
        return outcome
    return RejectWith(reason="none", rule=outcome.rule, why=why)


def matches_any(patterns: tuple[Pattern, ...] | None, value: str) -> bool:
    return patterns is None or any(pattern.matches(value) for pattern in patterns)


def _stands_so(condition: tuple[str, bool], calendars: Mapping[str, Calendar], at: datetime) -> bool:
    name, is_open = condition
    return name in calendars and calendars[name].is_open(at) is is_open


def _is_one_of(patterns: tuple[Pattern, ...], who: Identifier | None) -> bool:
    return who is not None and matches_any(patterns, who.key)


def _all_there(conditions: Headers, values: Mapping[str, Sequence[str]]) -> bool:
    return all(any(matches_any(patterns, value) for value in values.get(name, ())) for name, patterns in conditions)


def _all_covered(mine: Headers, theirs: Headers) -> bool:
    others = dict(theirs)
    return all(name in others and covers(patterns, others[name]) for name, patterns in mine)


def covers(mine: tuple[Pattern, ...] | None, theirs: tuple[Pattern, ...] | None) -> bool:
    if mine is None:
        return True
    return theirs is not None and all(any(one.covers(other) for one in mine) for other in theirs)


def header_name(name: str) -> str:
    """One spelling of a header's name: case never counts, nor do the dashes of User-To-User."""
    lower = name.lower()
    return "user-to-user" if lower.replace("-", "") == "usertouser" else lower
