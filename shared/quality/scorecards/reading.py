"""Reading the folder of scorecards: everything that is wrong is named, by file and line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from shared.errors import ScorecardError
from shared.quality.scorecards import models
from shared.quality.scorecards.models import Scorecard
from shared.yaml_text import NotYaml, compose, did_you_mean, gathered, text_of

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from yaml.nodes import Node

_APP_FOLDER = Path(__file__).parent.parent.parent.parent

_Path = tuple[str | int, ...]
_Problem = tuple[str, str, str]


def load_scorecards(folder: str | Path, flows: Collection[str] | None = None) -> tuple[Scorecard, ...]:
    """The scorecards of a folder (`*.yaml`), in the order of their files' names; none if there is no such folder.

    A Path may also name one file.

    Args:
        folder: a Path, or a name in the app's folder (the setting SCORECARDS_FOLDER).
        flows: the names of the flows that there are; None: not checked.

    Raises:
        ScorecardError: naming file, line and place of all that is wrong, one to a line.
    """
    path = _APP_FOLDER / folder if isinstance(folder, str) else folder
    cards: dict[str, Scorecard] = {}
    problems: list[_Problem] = []
    for file in [path] if path.is_file() else sorted(path.glob("*.yaml")):
        lines: dict[_Path, int] = {}
        try:
            card = Scorecard.model_validate(_data(file, lines, problems))
        except ValidationError as error:
            # A list whose items are wrong is reported as empty too.
            wrong = [one for one in error.errors(include_url=False) if one["type"] != "too_short" or not one["input"]]
            problems += [_problem(file.name, lines, one) for one in wrong]
            continue
        except _Unreadable:
            continue
        if card.name in cards:
            problems.append(
                (f"{file.name}:{lines[('name',)]}: name", f"{card.name!r} is used by another file.", "Change it.")
            )
        for at, flow in enumerate(card.flows):
            if flows is not None and flow not in flows:
                where = f"{file.name}:{lines[('flows', at)]}: flows[{at}]"
                problems.append((where, f"there is no flow {flow!r}.", did_you_mean(flow, flows)))
        cards[card.name] = card
    if problems:
        raise gathered(problems, ScorecardError)
    return tuple(cards.values())


class _Unreadable(Exception):
    """What is wrong has been noted."""


def _data(file: Path, lines: dict[_Path, int], problems: list[_Problem]) -> Any:
    """What a file holds as mappings, lists and text; `lines` gets the line of each. _Unreadable."""
    try:
        root = compose(text_of(file))
    except NotYaml as error:
        problems.append((f"{file.name}:{error.line}: scorecard", error.problem, ""))
        raise _Unreadable from None
    except OSError as error:
        problems.append((f"{file.name}:1: scorecard", f"{error.strerror or 'it cannot be read'}.", ""))
        raise _Unreadable from None
    if root is None:
        problems.append((f"{file.name}:1: scorecard", "the file is empty.", "Give name, title and questions."))
        raise _Unreadable
    before = len(problems)
    data = _plain(root, (), lines, file.name, problems)
    if len(problems) > before:
        raise _Unreadable
    return data


def _plain(node: Node, path: _Path, lines: dict[_Path, int], file: str, problems: list[_Problem]) -> Any:
    """Scalars stay the text that they are (`yes` is a word that a caller may say), and null is None."""
    import yaml

    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, at), lines, file, problems) for at, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        entries: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in entries:
                where = f"{file}:{key.start_mark.line + 1}: {_text((*path, name))}"
                problems.append((where, "is given twice.", "Remove one of them."))
            lines[(*path, name)] = key.start_mark.line + 1
            entries[name] = _plain(value, (*path, name), lines, file, problems)
        return entries
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _problem(file: str, lines: Mapping[_Path, int], error: ErrorDetails) -> _Problem:
    path: _Path = error["loc"]
    known = path
    while known not in lines:
        known = known[:-1]
    where = f"{file}:{lines[known]}: {_text(path) or 'scorecard'}"
    kind = error["type"]
    if kind == "missing":
        return where, "is missing.", ""
    if kind == "extra_forbidden":
        return where, "is not a known key.", did_you_mean(str(path[-1]), KEYS)
    if kind == "value_error":
        problem, _, remedy = error["msg"].removeprefix("Value error, ").partition(". ")
        return where, f"{problem.rstrip('.')}.", remedy
    if kind == "string_pattern_mismatch":
        return (
            where,
            f"{error['input']!r} is not a valid name.",
            "Write a lower-case letter, then lower-case letters, digits, - and _.",
        )
    if kind == "too_short" or error["input"] is None:
        return where, "is empty.", ""
    if kind == "model_type":
        return where, "must be a mapping (key: value).", ""
    problem = error["msg"].replace("Input should", "must").replace("valid tuple", "list")
    return where, f"{problem}.", ""


def _text(path: _Path) -> str:
    """`questions[0].metric.name`"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _keys() -> Iterator[str]:
    for value in vars(models).values():
        if isinstance(value, type) and issubclass(value, models.Part):
            yield from value.model_fields


KEYS = frozenset(_keys())
"""Every key that may stand somewhere in a card."""
