"""Reading a routing file: every rule checked, and the rules against each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, cast, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationInfo, model_validator

from shared.calls.actions import RejectReason
from shared.errors import InvalidInput, RoutingError
from shared.events.event_grid import TEAMS_WORDS
from shared.identifiers import Identifier
from shared.languages import LANGUAGE_TAG
from shared.lines.calendars import CALENDAR_NAME, CALENDAR_NAMES
from shared.lines.times import ZONES
from shared.routing.decisions import (
    AnswerWith,
    Headers,
    Outcome,
    Pattern,
    RedirectTo,
    RejectWith,
    RoutableFlow,
    RoutingTable,
    Rule,
    covers,
    header_name,
    matches_any,
)
from shared.routing.hours import HoursInFile
from shared.yaml_text import Where, Wrong, YamlFile, did_you_mean, each, gathered, scalar

_APP_FOLDER = Path(__file__).parent.parent.parent

_REASONS: tuple[RejectReason, ...] = get_args(RejectReason)
_OUTCOMES = ("answer", "reject", "redirect")
_PHONE = re.compile(r"4:(\+[1-9][0-9]{1,14}|anonymous)")
_PHONE_PREFIX = re.compile(r"(4:)?\+([1-9][0-9]{0,14})?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9.!%*_+~-]{1,64}")
"""Characters and length of a custom header's name (docs: custom-context)."""

_TEAMS_WORDS = frozenset(word.lower() for word in TEAMS_WORDS)

Flows = Collection[str] | Mapping[str, RoutableFlow]


def load_routes(source: Path | str, flows: Collection[str] | Mapping[str, RoutableFlow]) -> RoutingTable:
    """Read and check a routing file.

    Args:
        source: the file, as a Path or as its name in the app's folder (the setting ROUTING_FILE); or its
            text. A str that holds a line break is text.
        flows: the flows that there are; of mere names, languages and needed input are not checked.

    Raises:
        RoutingError: naming file, line and rule of all that is wrong, one to a line.
    """
    path = _APP_FOLDER / source if isinstance(source, str) else source
    is_text = isinstance(source, str) and "\n" in source
    try:
        name, text = ("routing.yaml", source) if is_text else (path.name, path)
        file = YamlFile(name, "rules", text, "Give at least one rule.")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise RoutingError(str(path), f"{reason}.", "The setting ROUTING_FILE names the file.") from None
    found = file.read(_File, _remedy, flows)
    rules = [rule.read(at) for at, rule in enumerate(found.rules)] if found else []
    if not file.problems:
        _check_names(file, rules)
        _check_reachable(file, rules)
        _check_redirects(file, rules)
    if file.problems:
        raise gathered(file.problems, RoutingError)
    return RoutingTable(rules)


# Values


def _endpoint(text: str) -> Pattern:
    if not text.endswith("*"):
        return Pattern(_exact_endpoint(text).key)
    prefix = text[:-1]
    if prefix and not _PHONE_PREFIX.fullmatch(prefix) and (prefix.startswith(("+", "4:+")) or "*" in prefix):
        raise Wrong(f"{text!r} is not a prefix of a number.", "Write +1425*: digits, then one *.")
    if re.match(r"4:\d", prefix):
        raise Wrong(f"{text!r} is not a prefix of a number.", f"Write +{prefix[2:]}*.")
    if prefix and not prefix.startswith("+") and not re.match(r"\d", prefix):
        raise Wrong(f"{text!r} is not a prefix.", "Write +1425* or 8:acs:…*.")
    return Pattern(f"4:{prefix}" if prefix.startswith("+") else prefix, is_prefix=True)


def _exact_endpoint(value: object) -> Identifier:
    text, remedy = scalar(value), "Write +14255550100 without spaces, or a raw id such as 8:acs:…"
    if "*" in text:
        raise Wrong(f"{text!r} has a * where none may stand.", remedy)
    try:
        identifier = Identifier.parse(text)
    except InvalidInput:
        identifier = None
    if (
        identifier is None
        or identifier.kind == "unknown"
        or (identifier.phone_number is not None and not _PHONE.fullmatch(identifier.key))
    ):
        raise Wrong(f"{text!r} is neither a phone number nor a raw id.", remedy)
    return identifier


def _endpoints(value: object) -> tuple[Pattern, ...] | None:
    patterns = each(_endpoint)(value)
    # `*` holds for every call, as no condition does.
    return None if Pattern("", is_prefix=True) in patterns else patterns


def _named(value: Any, what: str) -> dict[str, tuple[Pattern, ...]]:
    """Patterns by name."""
    if not isinstance(value, dict):
        raise Wrong("must be a mapping (key: value).")
    if not value:
        raise Wrong(f"names no {what}.")
    found = {}
    for name, given in value.items():
        try:
            found[name] = each(lambda text: Pattern(text.removesuffix("*"), is_prefix=text.endswith("*")))(given)
        except Wrong as wrong:
            raise Wrong(wrong.problem, wrong.remedy, name, *wrong.at) from None
    return found


def _context(value: object) -> Headers:
    headers: dict[str, tuple[Pattern, ...]] = {}
    for name, patterns in _named(value, "header").items():
        if not _HEADER_NAME.fullmatch(name):
            raise Wrong("is not the name of a header.", "Use at most 64 of A-Z a-z 0-9 -.", name)
        if header_name(name) in headers:
            raise Wrong("is given twice: case does not count in names of headers.", "", name)
        headers[header_name(name)] = patterns
    return tuple(headers.items())


def _teams(value: object) -> Headers:
    details = _named(value, "detail")
    for name in details:
        if name.lower() not in _TEAMS_WORDS:
            hint = did_you_mean(name, TEAMS_WORDS) or f"Known are {', '.join(TEAMS_WORDS)}."
            raise Wrong("is not a detail of a Teams call.", hint, name)
    return tuple((name.lower(), patterns) for name, patterns in details.items())


def _flow(value: object, info: ValidationInfo) -> str:
    text, flows = scalar(value), cast(Flows, info.context)
    if text not in flows:
        raise Wrong(f"there is no flow {text!r}.", did_you_mean(text, flows))
    needed = flows[text].needed_input if isinstance(flows, Mapping) else ()
    if needed:
        raise Wrong(
            f"the flow {text!r} needs input ({', '.join(needed)}), which no incoming call has.",
            "Give these fields of its model a default, or start the flow with POST /api/calls alone.",
        )
    return text


def _reason(value: object) -> RejectReason:
    text = scalar(value)
    for reason in _REASONS:
        if text == reason:
            return reason
    raise Wrong(f"{text!r} is not a reason.", f"Give {', '.join(_REASONS[:-1])} or {_REASONS[-1]}.")


def _given(value: object) -> object:
    if value is None:
        raise Wrong("is empty.")
    return value


# The file

Text = Annotated[str, PlainValidator(scalar)]


class RuleInFile(BaseModel):
    """A rule, as it is written."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    name: Text = ""
    to: Annotated[tuple[Pattern, ...] | None, PlainValidator(_endpoints)] = None
    caller: Annotated[tuple[Pattern, ...] | None, PlainValidator(_endpoints)] = Field(None, alias="from")
    on_behalf_of: Annotated[tuple[Pattern, ...] | None, PlainValidator(each(_endpoint))] = None
    context: Annotated[Headers, PlainValidator(_context)] = ()
    teams: Annotated[Headers, PlainValidator(_teams)] = ()
    hours: Annotated[HoursInFile | None, BeforeValidator(_given)] = None
    open: Text = ""
    closed: Text = ""
    answer: Annotated[str, PlainValidator(_flow)] = ""
    reject: Annotated[RejectReason, PlainValidator(_reason)] = "none"
    redirect: Annotated[Identifier | None, PlainValidator(_exact_endpoint)] = None
    language: Text = ""

    @model_validator(mode="after")
    def _has_one_calendar(self) -> Self:
        if self.open and self.closed:
            raise Wrong("goes without open.", "Name one calendar, or none.", "closed")
        for key, name in (("open", self.open), ("closed", self.closed)):
            if name and not CALENDAR_NAME.fullmatch(name):
                raise Wrong(f"{name!r} is not the name of a calendar.", CALENDAR_NAMES, key)
        return self

    @model_validator(mode="after")
    def _has_one_outcome(self) -> Self:
        given = [key for key in _OUTCOMES if key in self.model_fields_set]
        if len(given) != 1:
            problem = f"has {len(given)} outcomes: {', '.join(given)}." if given else "has no outcome."
            raise Wrong(problem, "Give exactly one of answer, reject, redirect.")
        to_phone = self.redirect is not None and self.redirect.phone_number is not None
        if to_phone and not any(one.matches("4:") or one.text.startswith("4:") for one in self.caller or _ANYBODY):
            raise Wrong(
                "no call from these callers can be redirected to a phone number: they are not phones.",
                "Answer with a flow that transfers.",
                "redirect",
            )
        return self

    @model_validator(mode="after")
    def _speaks_its_language(self, info: ValidationInfo) -> Self:
        if not self.language:
            return self
        if not self.answer:
            raise Wrong("goes with answer.", "Leave it out: nobody speaks to this caller.", "language")
        known = info.context[self.answer].languages if isinstance(info.context, Mapping) else (self.language,)
        if known and self.language not in known:
            problem = f"the flow {self.answer!r} has no texts in {self.language!r}."
            raise Wrong(problem, f"It has {', '.join(known)}.", "language")
        if not known and not LANGUAGE_TAG.fullmatch(self.language):
            problem = f"{self.language!r} is not a language."
            raise Wrong(problem, "Write a tag with its region, such as de-DE.", "language")
        return self

    def read(self, at: int) -> Rule:
        """The rule at this position."""
        name = self.name or f"rules[{at}]"
        outcome: Outcome = RejectWith(reason=self.reject, rule=name)
        if self.answer:
            outcome = AnswerWith(flow=self.answer, rule=name, language=self.language)
        elif self.redirect:
            outcome = RedirectTo(target=self.redirect, rule=name)
        hours = self.hours.hours if self.hours else None
        calendar = (self.open or self.closed, bool(self.open)) if self.open or self.closed else None
        return Rule(name, self.to, self.caller, self.context, hours, outcome, self.on_behalf_of, self.teams, calendar)


_ANYBODY = (Pattern("", is_prefix=True),)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    rules: tuple[RuleInFile, ...] = Field(min_length=1)


def _remedy(kind: str, where: Where) -> str:
    if kind == "missing":
        return ZONES if where[-1] == "zone" else "Give at least one rule."
    models: dict[int, type[BaseModel]] = {1: _File, 3: RuleInFile}
    model = models.get(len(where), HoursInFile)
    known = [field.alias or name for name, field in model.model_fields.items()]
    return did_you_mean(str(where[-1]), known) or f"Known are {', '.join(known)}."


# Between rules


def _check_names(file: YamlFile, rules: Sequence[Rule]) -> None:
    seen: dict[str, int] = {}
    for at, rule in enumerate(rules):
        if rule.name in seen:
            file.note(("rules", at, "name"), f"rules[{seen[rule.name]}] is called {rule.name!r} too.")
        seen.setdefault(rule.name, at)


def _check_reachable(file: YamlFile, rules: Sequence[Rule]) -> None:
    for at, rule in enumerate(rules):
        for before, earlier in enumerate(rules[:at]):
            if covers(earlier.to, rule.to) and earlier.covers_conditions(rule):
                problem = f"is never reached: rules[{before}] ({earlier.name}) takes all that it matches."
                file.note(("rules", at), problem, "Put it before that rule.")
                break


def _check_redirects(file: YamlFile, rules: Sequence[Rule]) -> None:
    """Redirects that certainly lead to a redirect back.

    Only an endpoint that the app handles raises another IncomingCall. Whether a number or a user is one
    is not known here; a rule that names it in `to` says so, and so does one without `to` of users, all
    of whom raise it (docs: incoming-call-notification).
    """
    reported: set[int] = set()
    for index, start in enumerate(rules):
        trail: list[int] = [index]
        while (following := _certainly_next(rules, start, rules[trail[-1]])) is not None:
            if following not in trail:
                trail.append(following)
                continue
            circle = trail[trail.index(following) :]
            if not reported & set(circle):
                reported.update(circle)
                way = " → ".join(str(_target(rules[i])) for i in circle)
                problem = "leads to the callee itself." if len(circle) == 1 else f"goes in a circle: {way}."
                remedy = "Put a rule that answers the target before it, or narrow `to`."
                file.note(("rules", circle[0], "redirect"), problem, remedy)
            break


def _target(rule: Rule) -> Identifier | None:
    return rule.outcome.target if isinstance(rule.outcome, RedirectTo) else None


def _certainly_next(rules: Sequence[Rule], start: Rule, rule: Rule) -> int | None:
    """The redirect that certainly takes the call that `rule` redirects, given that `start` took it first."""
    target = _target(rule)
    if target is None:
        return None
    for index, candidate in enumerate(rules):
        reaches = target.phone_number is None if candidate.to is None else matches_any(candidate.to, target.key)
        if reaches and candidate.covers_conditions(start):
            return None if _target(candidate) is None else index
    return None
