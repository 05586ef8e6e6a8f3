"""Reading the folder of scorecards: everything that is wrong is named, by file and line."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from shared.errors import ScorecardError
from shared.quality.scorecards import models
from shared.quality.scorecards.models import Scorecard
from shared.yaml_text import Problem, Where, YamlFile, did_you_mean, gathered

_APP_FOLDER = Path(__file__).parent.parent.parent.parent


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
    problems: list[Problem] = []
    for one in [path] if path.is_file() else sorted(path.glob("*.yaml")):
        try:
            file = YamlFile(one.name, "scorecard", one, "Give name, title and questions.")
        except OSError as error:
            problems.append((f"{one.name}:1: scorecard", f"{error.strerror or 'it cannot be read'}.", ""))
            continue
        if card := file.read(Scorecard, _remedy):
            if card.name in cards:
                file.note(("name",), f"{card.name!r} is used by another file.", "Change it.")
            for at, flow in enumerate(card.flows):
                if flows is not None and flow not in flows:
                    file.note(("flows", at), f"there is no flow {flow!r}.", did_you_mean(flow, flows))
            cards[card.name] = card
        problems += file.problems
    if problems:
        raise gathered(problems, ScorecardError)
    return tuple(cards.values())


def _remedy(kind: str, where: Where) -> str:
    return did_you_mean(str(where[-1]), KEYS) if kind == "extra_forbidden" else ""


def _keys() -> Iterator[str]:
    for value in vars(models).values():
        if isinstance(value, type) and issubclass(value, models.Part):
            yield from value.model_fields


KEYS = frozenset(_keys())
"""Every key that may stand somewhere in a card."""
