"""Leaving out what of an event cannot be read, where the core can do without.

The service is known to write a field in another way now and then, and an event is worth more than one of its fields:
an end of the call must not be lost over a sub-code that is null. So what cannot be read is taken out and the rest is
read again, unless the model cannot do without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails, ValidationError

MAX_UNREAD: Final = 2000
"""Parts that may be left out of one event: its participants, at most. An event with more is something else."""

_ROUNDS: Final = 8
"""A part that is missing takes the object that needs it along, level by level; real events have eight."""

_FREE: Final = frozenset({"sipHeaders", "voipHeaders", "additionalCallerInformation", "intendedTargets"})
"""Objects whose keys come from outside. Paths go into the log, where nothing about a person belongs."""

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")

Path = tuple[int | str, ...]


class LenientFields:
    """The fields of one event, without what cannot be read.

    Args:
        fields: as the model takes them; nothing in them is changed.
        needs: whether the model cannot do without a part, named as on the wire with `[]` for an element of a list.

    Attributes:
        unread: the paths of what was left out, as in `participants[1]`; a null is left out and not named, for it
            means the same as nothing.
    """

    def __init__(self, fields: Mapping[str, Any], needs: Callable[[str], bool]) -> None:
        self.fields = dict(fields)
        self.unread: list[str] = []
        self._needs = needs
        self._copied: set[Path] = {()}
        self._first: dict[int | str, ErrorDetails] = {}

    def read(self, validate: Callable[[Any], Any], error: ValidationError) -> Any:
        """What the model makes of the rest; a ValidationError's details are raised as Needed."""
        for _ in range(_ROUNDS):
            if error.error_count() > MAX_UNREAD:
                raise Needed(error.errors(include_url=False, include_input=False)[0])
            self._leave_out(error.errors(include_url=False, include_input=False))
            try:
                return validate({**self.fields, "unread": tuple(self.unread)})
            except ValidationError as another:
                error = another
        raise Needed(error.errors(include_url=False, include_input=False)[0])

    def _leave_out(self, errors: list[ErrorDetails]) -> None:
        self._copied = {()}
        elements: dict[Path, set[int]] = {}
        for details in errors:
            location = details["loc"]
            first = self._first.setdefault(location[0] if location else "", details)
            target = self._reach(location[:-1] if details["type"] == "missing" else location)
            if not target or self._needs(_named(target)):
                raise Needed(first)
            holder = self._own(target[:-1])
            if isinstance(target[-1], int):
                elements.setdefault(target[:-1], set()).add(target[-1])
                self._note(target)
            elif target[-1] in holder and holder.pop(target[-1]) is not None:
                self._note(target)
        for path, gone in elements.items():
            holder = self._own(path)
            holder[:] = [element for index, element in enumerate(holder) if index not in gone]
            if not holder:  # a list of which nothing can be read is not an empty list
                if self._needs(_named(path)):
                    raise Needed(self._first[path[0]])
                self._own(path[:-1]).pop(path[-1])
                self._note(path)

    def _note(self, target: Path) -> None:
        path = path_of(target)
        self.unread = [known for known in self.unread if not known.startswith((f"{path}.", f"{path}["))]
        self.unread.append(path)

    def _reach(self, location: Path) -> Path:
        """How far a location leads in the fields: a validator may have read them in another shape."""
        value: Any = self.fields
        for depth, step in enumerate(location):
            inside = isinstance(value, Mapping) if isinstance(step, str) else isinstance(value, list)
            if not inside or (step not in value if isinstance(step, str) else step >= len(value)):
                return location[:depth]
            value = value[step]
        return location

    def _own(self, path: Path) -> Any:
        """The object or list at a path, copied before it is changed: the event itself goes into the journal."""
        value: Any = self.fields
        for depth, step in enumerate(path, start=1):
            if path[:depth] not in self._copied:
                value[step] = value[step].copy()
                self._copied.add(path[:depth])
            value = value[step]
        return value


class Needed(Exception):
    """What cannot be read cannot be left out either.

    Attributes:
        details: pydantic's, of what is wrong.
    """

    def __init__(self, details: ErrorDetails) -> None:
        self.details = details
        super().__init__(details["msg"])


def path_of(location: Path) -> str:
    """A location as text: `participants[1].identifier`. Keys that come from outside are stars."""
    path = ""
    for before, part in zip(("", *location), location, strict=False):
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if _WORD.fullmatch(part) and before not in _FREE else ".*"
    return path.removeprefix(".")


def _named(path: Path) -> str:
    return "".join("[]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
