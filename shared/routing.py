"""Which flow takes an incoming call, or whether it is rejected or sent elsewhere.

The rules stand in one YAML file, read and checked at start; the first rule that matches a call decides.
`docs/routing.md` describes the file. Deciding is pure: the same call at the same time gives the same
decision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput, RoutingError
from shared.identifiers import Identifier

# PyYAML is imported where the file is read: it costs more than this whole module.
if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

RejectReason = Literal["none", "busy", "forbidden"]
"""CallRejectReason of the service (OpenAPI 2026-03-12)."""

NO_RULE = "no rule matched"

_APP_FOLDER = Path(__file__).parent.parent

MAX_FILE_BYTES = 256 * 1024
MAX_DEPTH = 16
"""A file nested deeper than this is no routing file."""

_REASONS: tuple[RejectReason, ...] = ("none", "busy", "forbidden")
_OUTCOMES = ("answer", "reject", "redirect")
_RULE_KEYS = ("name", "to", "from", "context", "hours", *_OUTCOMES)
_HOURS_KEYS = ("days", "between", "holidays", "zone")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PHONE = re.compile(r"4:(\+[1-9]\d{1,14}|anonymous)")
_PHONE_PREFIX = re.compile(r"(4:)?\+([1-9]\d{0,14})?")
_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_HEADER_NAME = re.compile(r"[A-Za-z0-9.!%*_+~-]{1,64}")
"""Characters and length of a custom header's name (facts 27)."""

_DAY_MINUTES = 24 * 60

_T = TypeVar("_T")


class AnswerWith(BaseModel):
    """Answer the call and run a flow on it."""

    model_config = ConfigDict(frozen=True, defer_build=True)
    outcome: Literal["answer"] = "answer"
    flow: str
    rule: str


class RejectWith(BaseModel):
    """Reject the call.

    Attributes:
        why: where a guard overruled the rule, the reason in words, for the log; otherwise empty.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)
    outcome: Literal["reject"] = "reject"
    reason: RejectReason
    rule: str
    why: str = ""


class RedirectTo(BaseModel):
    """Send the call to another endpoint; the app has no further part in it."""

    model_config = ConfigDict(frozen=True, defer_build=True)
    outcome: Literal["redirect"] = "redirect"
    target: Identifier
    rule: str


class LeaveRinging(BaseModel):
    """Do nothing: the call rings somebody to whom a redirect of ours sent it, and whose phone is to answer.

    A redirect to an ACS user raises another IncomingCall, for that user. Rejecting it would end the ringing that
    the redirect began; answering it would take the call away again.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)
    outcome: Literal["leave"] = "leave"
    rule: str


Decision = Annotated[AnswerWith | RejectWith | RedirectTo | LeaveRinging, Field(discriminator="outcome")]


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


_Headers = tuple[tuple[str, tuple[Pattern, ...]], ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """Times of the week, on the wall clocks of a time zone.

    Attributes:
        days: weekdays, 0 = Monday.
        intervals: minutes since midnight, end excluded; an end before its start is on the next day.
        holidays: dates on which no interval starts.
    """

    days: frozenset[int]
    intervals: tuple[tuple[int, int], ...]
    holidays: frozenset[date]
    zone: ZoneInfo

    def contains(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        today = local.date()
        if self._opens_on(today) and any(
            start <= minute < (end if end > start else _DAY_MINUTES) for start, end in self.intervals
        ):
            return True
        return any(minute < end <= start for start, end in self.intervals) and self._opens_on(today - timedelta(days=1))

    def _opens_on(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: all of its conditions must hold; one that is not given holds always.

    Attributes:
        context: patterns by header name, as `_header_name` gives it.
    """

    name: str
    to: tuple[Pattern, ...] | None
    caller: tuple[Pattern, ...] | None
    context: _Headers
    hours: Hours | None
    outcome: AnswerWith | RejectWith | RedirectTo

    def matches(self, to: Identifier, caller: Identifier, context: Mapping[str, Sequence[str]], at: datetime) -> bool:
        return (
            _matches_any(self.to, to.raw_id)
            and _matches_any(self.caller, caller.raw_id)
            and all(
                any(_matches_any(patterns, value) for value in context.get(name, ())) for name, patterns in self.context
            )
            and (self.hours is None or self.hours.contains(at))
        )

    def covers_conditions(self, other: Rule) -> bool:
        """Whether the conditions other than `to` hold whenever those of the other rule hold."""
        theirs = dict(other.context)
        return (
            _covers(self.caller, other.caller)
            and all(name in theirs and _covers(mine, theirs[name]) for name, mine in self.context)
            and (self.hours is None or self.hours == other.hours)
        )


class RoutingTable:
    """The rules of a routing file. Immutable, so it can be shared between threads."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)

    def decide(self, *, to: Identifier, caller: Identifier, context: Mapping[str, str], at: datetime) -> Decision:
        """What to do with an incoming call.

        Args:
            to: whom the caller wants, `data.to` of IncomingCall.
            caller: `data.from`.
            context: the custom SIP and VoIP headers, by name.
            at: the time of the call, with its time zone.
        """
        if at.tzinfo is None:
            raise ValueError("routing needs a time with its time zone")
        headers: dict[str, list[str]] = {}
        for name, value in context.items():
            headers.setdefault(_header_name(name), []).append(value)
        redirected_here = None if to.phone_number is not None else self._redirects_to(to)
        for rule in self.rules:
            if rule.matches(to, caller, headers, at):
                if redirected_here is not None and rule.to is None:
                    break  # only a rule that names this callee may take the call from where a redirect sent it
                return _guarded(rule, to, caller)
        if redirected_here is not None:
            return LeaveRinging(rule=redirected_here.name)
        return RejectWith(reason="none", rule=NO_RULE)

    def _redirects_to(self, user: Identifier) -> Rule | None:
        """A rule that sends calls to this user, who has a phone of their own."""
        found = (rule for rule in self.rules if isinstance(rule.outcome, RedirectTo) and rule.outcome.target == user)
        return next(found, None)


def load_routes(source: Path | str, flows: Collection[str]) -> RoutingTable:
    """Read and check a routing file.

    Args:
        source: the file, as a Path or as its name in the app's folder (the setting ROUTING_FILE); or its
            text. A str that holds a line break is text.
        flows: the names of the flows that there are.

    Raises:
        RoutingError: naming file, line and rule of all that is wrong, one to a line.
    """
    if isinstance(source, str) and "\n" in source:
        return _Reader("routing.yaml", flows).read(source)
    path = _APP_FOLDER / source if isinstance(source, str) else source
    return _Reader(path.name, flows).read(_text_of(path))


def _guarded(rule: Rule, to: Identifier, caller: Identifier) -> Decision:
    """The rule's outcome, unless the service could not carry it out or it would go in a circle."""
    if not isinstance(rule.outcome, RedirectTo):
        return rule.outcome
    target = rule.outcome.target
    if target == to:
        why = "the redirect leads to the callee itself"
    elif target == caller:
        why = "the redirect leads back to the caller"
    elif target.phone_number is not None and caller.phone_number is None:
        why = "the service cannot redirect a VoIP call to a phone number"  # facts 13
    else:
        return rule.outcome
    return RejectWith(reason="none", rule=rule.name, why=why)


def _matches_any(patterns: tuple[Pattern, ...] | None, value: str) -> bool:
    return patterns is None or any(pattern.matches(value) for pattern in patterns)


def _covers(mine: tuple[Pattern, ...] | None, theirs: tuple[Pattern, ...] | None) -> bool:
    if mine is None:
        return True
    return theirs is not None and all(any(one.covers(other) for one in mine) for other in theirs)


def _header_name(name: str) -> str:
    """One spelling of a header's name: case never counts, nor do the dashes of User-To-User."""
    lower = name.lower()
    return "user-to-user" if lower.replace("-", "") == "usertouser" else lower


# Reading ------------------------------------------------------------------------------------------------


class _Stop(Exception):
    """Nothing more can be said about this node; what is wrong has been noted."""


class _Reader:
    """Reads one routing file, noting everything that is wrong with it.

    Nodes are read, never the objects that YAML would make of them: nothing in the file is constructed, each
    node knows its line, and `+18005551212` or `09:00` stay the text that they are.
    """

    def __init__(self, file: str, flows: Collection[str]) -> None:
        self._file = file
        self._flows = flows
        self._problems: list[tuple[str, str, str]] = []

    def read(self, text: str) -> RoutingTable:
        root = self._compose(text)
        rules: list[tuple[Rule, Node, str]] = []
        try:
            if root is None:
                self._note(1, "rules", "the file is empty.", "Give at least one rule.")
                raise _Stop
            entries = self._mapping(root, "", ("rules",))
            if "rules" not in entries:
                self._wrong(root, "rules", "is missing.", "Give at least one rule.")
            nodes = self._sequence(entries["rules"], "rules")
            for index, node in enumerate(nodes):
                try:
                    rules.append((self._rule(node, f"rules[{index}]"), node, f"rules[{index}]"))
                except _Stop:
                    continue
        except _Stop:
            pass
        if not self._problems:
            self._check_names(rules)
            self._check_reachable(rules)
            self._check_redirects(rules)
        self._raise_problems()
        return RoutingTable([rule for rule, _, _ in rules])

    # the text

    def _compose(self, text: str) -> Node | None:
        import yaml

        class Loader(yaml.SafeLoader):
            """Composes nodes, with neither aliases (a few bytes can stand for gigabytes) nor deep nesting."""

            depth = 0

            def compose_node(self, parent: Node | None, index: int) -> Node | None:
                if self.check_event(yaml.AliasEvent):
                    mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                    raise yaml.MarkedYAMLError(problem="aliases are not used here", problem_mark=mark)
                if self.depth >= MAX_DEPTH:
                    mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                    raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
                self.depth += 1
                try:
                    return super().compose_node(parent, index)
                finally:
                    self.depth -= 1

        if len(text) > MAX_FILE_BYTES:
            self._note(1, "rules", f"the file is longer than {MAX_FILE_BYTES // 1024} KB.")
            self._raise_problems()
        try:
            loader = Loader(text)
            try:
                return loader.get_single_node()
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._note(mark.line + 1 if mark else 1, "rules", f"not YAML: {error.problem or error.context}.")
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self._note(line, "rules", "not YAML: a character that is not allowed.")
        self._raise_problems()
        raise AssertionError("unreachable")

    # one rule

    def _rule(self, node: Node, path: str) -> Rule:
        entries = self._mapping(node, path, _RULE_KEYS)
        before = len(self._problems)

        def part(key: str, read: Callable[[Node, str], _T], default: _T) -> _T:
            try:
                return read(entries[key], f"{path}.{key}") if key in entries else default
            except _Stop:
                return default

        name = part("name", self._text, "") or path
        to = part("to", self._endpoints, None)
        caller = part("from", self._endpoints, None)
        context: _Headers = part("context", self._context, ())
        hours = part("hours", self._hours, None)
        given = [key for key in _OUTCOMES if key in entries]
        if len(given) != 1:
            problem = "has no outcome." if not given else f"has {len(given)} outcomes: {', '.join(given)}."
            self._note_at(node, path, problem, "Give exactly one of answer, reject, redirect.")
            raise _Stop
        (key,) = given
        outcome = self._outcome(key, entries[key], f"{path}.{key}", name)
        if (
            isinstance(outcome, RedirectTo)
            and outcome.target.phone_number is not None
            and caller is not None
            and not any(pattern.matches("4:") or pattern.text.startswith("4:") for pattern in caller)
        ):
            self._wrong(
                entries[key],
                f"{path}.{key}",
                "no call from these callers can be redirected to a phone number: they are not phones.",
                "Answer with a flow that transfers.",
            )
        if len(self._problems) > before:
            raise _Stop
        return Rule(name, to, caller, context, hours, outcome)

    def _outcome(self, key: str, node: Node, path: str, rule: str) -> AnswerWith | RejectWith | RedirectTo:
        text = self._text(node, path)
        if key == "answer":
            if text not in self._flows:
                self._wrong(node, path, f"there is no flow {text!r}.", _did_you_mean(text, self._flows))
            return AnswerWith(flow=text, rule=rule)
        if key == "reject":
            for reason in _REASONS:
                if text == reason:
                    return RejectWith(reason=reason, rule=rule)
            self._wrong(node, path, f"{text!r} is no reason.", "Give none, busy or forbidden.")
        target = self._exact_endpoint(node, path, text)
        return RedirectTo(target=target, rule=rule)

    # conditions

    def _endpoints(self, node: Node, path: str) -> tuple[Pattern, ...] | None:
        patterns = tuple(
            self._endpoint(item, item_path, self._text(item, item_path))
            for item, item_path in self._one_or_more(node, path)
        )
        # `*` holds for every call, as no condition does.
        return None if Pattern("", is_prefix=True) in patterns else patterns

    def _endpoint(self, node: Node, path: str, text: str) -> Pattern:
        if not text.endswith("*"):
            return Pattern(self._exact_endpoint(node, path, text).raw_id)
        prefix = text[:-1]
        if prefix and not _PHONE_PREFIX.fullmatch(prefix) and (prefix.startswith(("+", "4:+")) or "*" in prefix):
            self._wrong(node, path, f"{text!r} is no prefix of a number.", "Write +1425*: digits, then one *.")
        if prefix and not prefix.startswith("+") and not re.match(r"\d", prefix):
            self._wrong(node, path, f"{text!r} is no prefix.", "Write +1425* or 8:acs:…*.")
        return Pattern(f"4:{prefix}" if prefix.startswith("+") else prefix, is_prefix=True)

    def _exact_endpoint(self, node: Node, path: str, text: str) -> Identifier:
        remedy = "Write +14255550100 without spaces, or a raw id such as 8:acs:…"
        if "*" in text:
            self._wrong(node, path, f"{text!r} has a * where none may stand.", remedy)
        try:
            identifier = Identifier.parse(text)
        except InvalidInput:
            self._wrong(node, path, f"{text!r} is no phone number and no raw id.", remedy)
        if identifier.kind == "unknown" or (
            identifier.phone_number is not None and not _PHONE.fullmatch(identifier.raw_id)
        ):
            self._wrong(node, path, f"{text!r} is no phone number and no raw id.", remedy)
        return identifier

    def _context(self, node: Node, path: str) -> _Headers:
        headers: dict[str, tuple[Pattern, ...]] = {}
        for name, value in self._mapping(node, path, None).items():
            if not _HEADER_NAME.fullmatch(name):
                self._wrong(value, f"{path}.{name}", "is no name of a header.", "Use at most 64 of A-Z a-z 0-9 -.")
            if _header_name(name) in headers:
                self._wrong(value, f"{path}.{name}", "stands twice: case does not count in names of headers.")
            headers[_header_name(name)] = tuple(
                Pattern(text.removesuffix("*"), is_prefix=text.endswith("*"))
                for item, item_path in self._one_or_more(value, f"{path}.{name}")
                for text in [self._text(item, item_path)]
            )
        if not headers:
            self._wrong(node, path, "names no header.")
        return tuple(headers.items())

    def _hours(self, node: Node, path: str) -> Hours:
        entries = self._mapping(node, path, _HOURS_KEYS)
        if not entries.keys() & {"days", "between", "holidays"}:
            self._wrong(node, path, "holds at all times.", "Give days, between or holidays.")
        if "zone" not in entries:
            self._wrong(node, f"{path}.zone", "is missing.", "Give a name such as Europe/Berlin, or UTC.")
        before = len(self._problems)
        days = frozenset(range(7))
        intervals: tuple[tuple[int, int], ...] = ((0, _DAY_MINUTES),)
        holidays: frozenset[date] = frozenset()
        zone: ZoneInfo | None = None
        for key, value in entries.items():
            try:
                if key == "days":
                    days = self._days(value, f"{path}.days")
                elif key == "between":
                    intervals = tuple(self._intervals(value, f"{path}.between"))
                elif key == "holidays":
                    holidays = frozenset(self._dates(value, f"{path}.holidays"))
                else:
                    zone = self._zone(value, f"{path}.zone")
            except _Stop:
                continue
        if len(self._problems) > before or zone is None:
            raise _Stop
        return Hours(days, intervals, holidays, zone)

    def _days(self, node: Node, path: str) -> frozenset[int]:
        days: set[int] = set()
        for item, item_path, text in self._listed(node, path):
            first, dash, last = (part.strip() for part in text.partition("-"))
            start = self._day(item, item_path, first)
            end = self._day(item, item_path, last) if dash else start
            days.update((start + offset) % 7 for offset in range((end - start) % 7 + 1))
        return frozenset(days)

    def _day(self, node: Node, path: str, text: str) -> int:
        word = text.lower()
        names = _FULL_DAYS if word in _FULL_DAYS else _DAYS
        if word not in names:
            hint = _did_you_mean(word, (*_DAYS, *_FULL_DAYS)) or "Write mon, or mon-fri."
            self._wrong(node, path, f"{text!r} is no day.", hint)
        return names.index(word)

    def _intervals(self, node: Node, path: str) -> Iterator[tuple[int, int]]:
        for item, item_path, text in self._listed(node, path):
            match = _INTERVAL.fullmatch(text)
            if match is None:
                self._wrong(item, item_path, f"{text!r} is no interval.", "Write 09:00-17:30.")
            start, end = (self._minute(item, item_path, *match.group(at, at + 1)) for at in (1, 3))
            if start in (end, _DAY_MINUTES):
                self._wrong(item, item_path, f"{text!r} is empty.", "Write 00:00-24:00 for the whole day.")
            # An end at 00:00 is the end of the day that the interval starts on.
            yield start, end or _DAY_MINUTES

    def _minute(self, node: Node, path: str, hour: str, minute: str) -> int:
        value = int(hour) * 60 + int(minute)
        if int(minute) > 59 or value > _DAY_MINUTES:
            self._wrong(node, path, f"{hour}:{minute} is no time of day.", "Write 00:00 to 24:00.")
        return value

    def _dates(self, node: Node, path: str) -> Iterator[date]:
        for item, item_path, text in self._listed(node, path):
            try:
                if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                    raise ValueError
                yield date.fromisoformat(text)
            except ValueError:
                self._wrong(item, item_path, f"{text!r} is no date.", "Write 2026-12-25.")

    def _zone(self, node: Node, path: str) -> ZoneInfo:
        text = self._text(node, path)
        try:
            return ZoneInfo(text)
        except (KeyError, ValueError, OSError):  # OSError: `Europe` is a folder of the database
            from zoneinfo import available_timezones

            hint = _did_you_mean(text, available_timezones()) or "Give a name such as Europe/Berlin, or UTC."
            self._wrong(node, path, f"{text!r} is no time zone.", hint)

    # between rules

    def _check_names(self, rules: Sequence[tuple[Rule, Node, str]]) -> None:
        seen: dict[str, str] = {}
        for rule, node, path in rules:
            if rule.name in seen:
                self._note_at(node, f"{path}.name", f"{seen[rule.name]} is called {rule.name!r} too.")
            seen.setdefault(rule.name, path)

    def _check_reachable(self, rules: Sequence[tuple[Rule, Node, str]]) -> None:
        for index, (rule, node, path) in enumerate(rules):
            for earlier, _, earlier_path in rules[:index]:
                if _covers(earlier.to, rule.to) and earlier.covers_conditions(rule):
                    self._note_at(
                        node,
                        path,
                        f"is never reached: {earlier_path} ({earlier.name}) takes all that it matches.",
                        "Put it before that rule.",
                    )
                    break

    def _check_redirects(self, rules: Sequence[tuple[Rule, Node, str]]) -> None:
        """Redirects that certainly lead to a redirect back.

        Only an endpoint that the app handles raises another IncomingCall. Whether a number or a user is one
        is not known here; a rule that names it in `to` says so, and so does one without `to` of users, all
        of whom raise it (facts 10).
        """
        reported: set[int] = set()
        for index, (start, _, _) in enumerate(rules):
            trail: list[int] = [index]
            while (following := _certainly_next(rules, start, rules[trail[-1]][0])) is not None:
                if following not in trail:
                    trail.append(following)
                    continue
                circle = trail[trail.index(following) :]
                if not reported & set(circle):
                    reported.update(circle)
                    _, node, path = rules[circle[0]]
                    way = " → ".join(str(outcome.target) for i in circle for outcome in _redirects(rules[i][0]))
                    self._note_at(
                        node,
                        f"{path}.redirect",
                        "leads to the callee itself." if len(circle) == 1 else f"goes in a circle: {way}.",
                        "Put a rule that answers the target before it, or narrow `to`.",
                    )
                break

    # nodes

    def _mapping(self, node: Node, path: str, known: Sequence[str] | None) -> dict[str, Node]:
        import yaml

        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, path or "rules", "must be a mapping (key: value).")
        entries: dict[str, Node] = {}
        for key_node, value in _pairs(node):
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self._note_at(key_node, path or "rules", "a key must be a word.")
            elif key in entries:
                self._note_at(key_node, _join(path, key), "stands twice.")
            elif known is not None and key not in known:
                hint = _did_you_mean(key, known) or f"Known are {', '.join(known)}."
                self._note_at(key_node, _join(path, key), "is no key here.", hint)
            else:
                entries[key] = value
        return entries

    def _sequence(self, node: Node, path: str) -> list[Node]:
        import yaml

        if not isinstance(node, yaml.SequenceNode):
            self._wrong(node, path, "must be a list.")
        if not node.value:
            self._wrong(node, path, "is empty.")
        return list(node.value)

    def _one_or_more(self, node: Node, path: str) -> list[tuple[Node, str]]:
        import yaml

        if not isinstance(node, yaml.SequenceNode):
            return [(node, path)]
        return [(item, f"{path}[{index}]") for index, item in enumerate(self._sequence(node, path))]

    def _listed(self, node: Node, path: str) -> Iterator[tuple[Node, str, str]]:
        """The items of a list, or of a text with commas."""
        for item, item_path in self._one_or_more(node, path):
            for text in self._text(item, item_path).split(","):
                yield item, item_path, text.strip()

    def _text(self, node: Node, path: str) -> str:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            self._wrong(node, path, "must be one value.")
        if node.tag == "tag:yaml.org,2002:null" or not node.value.strip():
            self._wrong(node, path, "is empty.")
        return str(node.value).strip()

    # problems

    def _note(self, line: int, path: str, problem: str, remedy: str = "") -> None:
        self._problems.append((f"{self._file}:{line}: {path}", problem, remedy))

    def _note_at(self, node: Node, path: str, problem: str, remedy: str = "") -> None:
        self._note(node.start_mark.line + 1, path, problem, remedy)

    def _wrong(self, node: Node, path: str, problem: str, remedy: str = "") -> NoReturn:
        self._note_at(node, path, problem, remedy)
        raise _Stop

    def _raise_problems(self) -> None:
        if not self._problems:
            return
        (field, problem, remedy), *others = self._problems
        lines = [remedy, *(f"{path}: {text} {hint}".rstrip() for path, text, hint in others)]
        raise RoutingError(field, problem, "\n".join(lines) if others else remedy)


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RoutingError(f"{path.name}:1: rules", f"the file is longer than {MAX_FILE_BYTES // 1024} KB.")
        return path.read_text("utf-8-sig")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise RoutingError(str(path), f"{reason}.", "The setting ROUTING_FILE names the file.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise RoutingError(f"{path.name}:{line}: rules", "the file is not UTF-8.") from None


def _pairs(node: MappingNode) -> list[tuple[Node, Node]]:
    return list(node.value)


def _redirects(rule: Rule) -> list[RedirectTo]:
    return [rule.outcome] if isinstance(rule.outcome, RedirectTo) else []


def _certainly_next(rules: Sequence[tuple[Rule, Node, str]], start: Rule, rule: Rule) -> int | None:
    """The redirect that certainly takes the call that `rule` redirects, given that `start` took it first."""
    for outcome in _redirects(rule):
        for index, (candidate, _, _) in enumerate(rules):
            reaches = (
                outcome.target.phone_number is None
                if candidate.to is None
                else _matches_any(candidate.to, outcome.target.raw_id)
            )
            if reaches and candidate.covers_conditions(start):
                return index if _redirects(candidate) else None
    return None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _did_you_mean(word: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, sorted(known), n=1)
    return f"Did you mean {close[0]}?" if close else ""
