"""Builds the models of the core, which their import leaves for later.

Building all of them takes some 20 to 30 ms, which an import should not cost: a host imports the app to list its
functions, too. At first use pydantic would build each by itself, but without a lock; so an instance builds them
when it makes its switchboard, before threads share them.
"""

from __future__ import annotations

from typing import Any, get_args

from shared.calls import journal
from shared.calls.actions import KINDS, Choice
from shared.calls.journal import Entry
from shared.calls.prompts import Prompt
from shared.calls.results import Recognized
from shared.identifiers import Identifier


def build() -> None:
    """Build whatever is not built yet."""
    for model in (Identifier, *_members(Prompt), Choice, *KINDS.values(), *_members(Entry), Recognized):
        model.model_rebuild()
    journal.build()


def _members(union: Any) -> tuple[Any, ...]:
    """The models of a discriminated union."""
    return get_args(get_args(union)[0])
