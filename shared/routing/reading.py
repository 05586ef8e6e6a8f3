"""Reading a routing file: every rule checked, and the rules against each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from shared.calls.actions import RejectReason
from shared.errors import InvalidInput, RoutingError
from shared.events.event_grid import TEAMS_WORDS
from shared.identifiers import Identifier
from shared.languages import LANGUAGE_TAG
from shared.routing.decisions import (
    Answering,
    AnswerWith,
    Headers,
    Outcome,
    Pattern,
    RedirectTo,
    RejectWith,
    RoutingTable,
    Rule,
    covers,
    header_name,
    matches_any,
)
from shared.routing.hours import HourNodes
from shared.yaml_nodes import Stop
from shared.yaml_text import NotYaml, compose, did_you_mean, text_of

if TYPE_CHECKING:
    from yaml.nodes import Node

_APP_FOLDER = Path(__file__).parent.parent.parent

_REASONS: tuple[RejectReason, ...] = get_args(RejectReason)
_OUTCOMES = ("answer", "reject", "redirect")
_RULE_KEYS = ("name", "to", "from", "on_behalf_of", "context", "teams", "hours", *_OUTCOMES, "language")
_PHONE = re.compile(r"4:(\+[1-9][0-9]{1,14}|anonymous)")
_PHONE_PREFIX = re.compile(r"(4:)?\+([1-9][0-9]{0,14})?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9.!%*_+~-]{1,64}")
"""Characters and length of a custom header's name (docs: custom-context)."""

_TEAMS_WORDS = frozenset(word.lower() for word in TEAMS_WORDS)

_T = TypeVar("_T")


def load_routes(source: Path | str, flows: Collection[str] | Mapping[str, Answering]) -> RoutingTable:
    """Read and check a routing file.

    Args:
        source: the file, as a Path or as its name in the app's folder (the setting ROUTING_FILE); or its
            text. A str that holds a line break is text.
        flows: the flows that there are; of mere names, languages and needed input are not checked.

    Raises:
        RoutingError: naming file, line and rule of all that is wrong, one to a line.
    """
    if isinstance(source, str) and "\n" in source:
        return _Reader("routing.yaml", flows).read(source)
    path = _APP_FOLDER / source if isinstance(source, str) else source
    return _Reader(path.name, flows).read(_text_of(path))


def _text_of(path: Path) -> str:
    try:
        return text_of(path)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise RoutingError(str(path), f"{reason}.", "The setting ROUTING_FILE names the file.") from None
    except NotYaml as error:
        raise RoutingError(f"{path.name}:{error.line}: rules", error.problem) from None


class _Reader(HourNodes):
    """Reads one routing file."""

    def __init__(self, file: str, flows: Collection[str] | Mapping[str, Answering]) -> None:
        super().__init__(file, "rules", RoutingError)
        self._flows = flows

    def read(self, text: str) -> RoutingTable:
        root = self._compose(text)
        rules: list[tuple[Rule, Node, str]] = []
        try:
            if root is None:
                self._note(1, "rules", "the file is empty.", "Give at least one rule.")
                raise Stop
            entries = self._mapping(root, "", ("rules",))
            if "rules" not in entries:
                self._wrong(root, "rules", "is missing.", "Give at least one rule.")
            nodes = self._sequence(entries["rules"], "rules")
            for index, node in enumerate(nodes):
                try:
                    rules.append((self._rule(node, f"rules[{index}]"), node, f"rules[{index}]"))
                except Stop:
                    continue
        except Stop:
            pass
        if not self._problems:
            self._check_names(rules)
            self._check_reachable(rules)
            self._check_redirects(rules)
        self._raise_problems()
        return RoutingTable([rule for rule, _, _ in rules])

    # the text

    def _compose(self, text: str) -> Node | None:
        try:
            return compose(text)
        except NotYaml as error:
            self._note(error.line, "rules", error.problem)
        self._raise_problems()
        raise AssertionError("unreachable")

    # one rule

    def _rule(self, node: Node, path: str) -> Rule:
        entries = self._mapping(node, path, _RULE_KEYS)
        before = len(self._problems)

        def part(key: str, read: Callable[[Node, str], _T], default: _T) -> _T:
            try:
                return read(entries[key], f"{path}.{key}") if key in entries else default
            except Stop:
                return default

        name = part("name", self._text, "") or path
        to = part("to", self._endpoints, None)
        caller = part("from", self._endpoints, None)
        on_behalf_of = part("on_behalf_of", self._patterns, None)
        context: Headers = part("context", self._context, ())
        teams: Headers = part("teams", self._teams, ())
        hours = part("hours", self._hours, None)
        given = [key for key in _OUTCOMES if key in entries]
        if len(given) != 1:
            problem = "has no outcome." if not given else f"has {len(given)} outcomes: {', '.join(given)}."
            self._note_at(node, path, problem, "Give exactly one of answer, reject, redirect.")
            raise Stop
        (key,) = given
        outcome = self._outcome(key, entries[key], f"{path}.{key}", name)
        if "language" in entries:
            outcome = self._in_language(outcome, entries["language"], f"{path}.language")
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
            raise Stop
        return Rule(name, to, caller, context, hours, outcome, on_behalf_of, teams)

    def _outcome(self, key: str, node: Node, path: str, rule: str) -> Outcome:
        text = self._text(node, path)
        if key == "answer":
            if text not in self._flows:
                self._wrong(node, path, f"there is no flow {text!r}.", did_you_mean(text, self._flows))
            self._check_answering(node, path, text)
            return AnswerWith(flow=text, rule=rule)
        if key == "reject":
            for reason in _REASONS:
                if text == reason:
                    return RejectWith(reason=reason, rule=rule)
            self._wrong(node, path, f"{text!r} is no reason.", f"Give {', '.join(_REASONS[:-1])} or {_REASONS[-1]}.")
        target = self._exact_endpoint(node, path, text)
        return RedirectTo(target=target, rule=rule)

    def _check_answering(self, node: Node, path: str, flow: str) -> None:
        needed = self._flows[flow].needed_input if isinstance(self._flows, Mapping) else ()
        if needed:
            self._wrong(
                node,
                path,
                f"the flow {flow!r} needs input ({', '.join(needed)}), which no incoming call has.",
                "Give these fields of its model a default, or start the flow with POST /api/calls alone.",
            )

    def _in_language(self, outcome: Outcome, node: Node, path: str) -> Outcome:
        text = self._text(node, path)
        if not isinstance(outcome, AnswerWith):
            self._wrong(node, path, "goes with answer.", "Leave it out: nobody speaks to this caller.")
        if not isinstance(self._flows, Mapping):
            return outcome.model_copy(update={"language": text})
        known = self._flows[outcome.flow].languages
        if known and text not in known:
            remedy = f"It has {', '.join(known)}."
            self._wrong(node, path, f"the flow {outcome.flow!r} has no texts in {text!r}.", remedy)
        if not known and not LANGUAGE_TAG.fullmatch(text):
            self._wrong(node, path, f"{text!r} is no language.", "Write a tag with its region, such as de-DE.")
        return outcome.model_copy(update={"language": text})

    # conditions

    def _patterns(self, node: Node, path: str) -> tuple[Pattern, ...]:
        return tuple(
            self._endpoint(item, item_path, self._text(item, item_path))
            for item, item_path in self._one_or_more(node, path)
        )

    def _endpoints(self, node: Node, path: str) -> tuple[Pattern, ...] | None:
        patterns = self._patterns(node, path)
        # `*` holds for every call, as no condition does.
        return None if Pattern("", is_prefix=True) in patterns else patterns

    def _endpoint(self, node: Node, path: str, text: str) -> Pattern:
        if not text.endswith("*"):
            return Pattern(self._exact_endpoint(node, path, text).key)
        prefix = text[:-1]
        if prefix and not _PHONE_PREFIX.fullmatch(prefix) and (prefix.startswith(("+", "4:+")) or "*" in prefix):
            self._wrong(node, path, f"{text!r} is no prefix of a number.", "Write +1425*: digits, then one *.")
        if re.match(r"4:\d", prefix):
            self._wrong(node, path, f"{text!r} is no prefix of a number.", f"Write +{prefix[2:]}*.")
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
            identifier.phone_number is not None and not _PHONE.fullmatch(identifier.key)
        ):
            self._wrong(node, path, f"{text!r} is no phone number and no raw id.", remedy)
        return identifier

    def _context(self, node: Node, path: str) -> Headers:
        headers: dict[str, tuple[Pattern, ...]] = {}
        for name, value in self._mapping(node, path, None).items():
            if not _HEADER_NAME.fullmatch(name):
                self._wrong(value, f"{path}.{name}", "is no name of a header.", "Use at most 64 of A-Z a-z 0-9 -.")
            if header_name(name) in headers:
                self._wrong(value, f"{path}.{name}", "stands twice: case does not count in names of headers.")
            headers[header_name(name)] = self._texts(value, f"{path}.{name}")
        if not headers:
            self._wrong(node, path, "names no header.")
        return tuple(headers.items())

    def _teams(self, node: Node, path: str) -> Headers:
        details: dict[str, tuple[Pattern, ...]] = {}
        for name, value in self._mapping(node, path, None).items():
            if name.lower() not in _TEAMS_WORDS:
                hint = did_you_mean(name, TEAMS_WORDS) or f"Known are {', '.join(TEAMS_WORDS)}."
                self._wrong(value, f"{path}.{name}", "is no detail of a Teams call.", hint)
            details[name.lower()] = self._texts(value, f"{path}.{name}")
        if not details:
            self._wrong(node, path, "names no detail.")
        return tuple(details.items())

    def _texts(self, node: Node, path: str) -> tuple[Pattern, ...]:
        return tuple(
            Pattern(text.removesuffix("*"), is_prefix=text.endswith("*"))
            for item, item_path in self._one_or_more(node, path)
            for text in [self._text(item, item_path)]
        )

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
                if covers(earlier.to, rule.to) and earlier.covers_conditions(rule):
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
        of whom raise it (docs: incoming-call-notification).
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


def _redirects(rule: Rule) -> list[RedirectTo]:
    return [rule.outcome] if isinstance(rule.outcome, RedirectTo) else []


def _certainly_next(rules: Sequence[tuple[Rule, Node, str]], start: Rule, rule: Rule) -> int | None:
    """The redirect that certainly takes the call that `rule` redirects, given that `start` took it first."""
    for outcome in _redirects(rule):
        for index, (candidate, _, _) in enumerate(rules):
            reaches = (
                outcome.target.phone_number is None
                if candidate.to is None
                else matches_any(candidate.to, outcome.target.key)
            )
            if reaches and candidate.covers_conditions(start):
                return index if _redirects(candidate) else None
    return None
