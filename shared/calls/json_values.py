"""What a journal can hold: values that read back as they were written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.plain_json import write_json

MAX_WORDS = 2_000
"""Characters that are kept of what an error says of itself (our choice): the head of a call has to hold them."""

_NUMBER_AT_END, _NUMBER_AT_START = re.compile(r"[\W\d_]+\Z"), re.compile(r"\A[\W\d_]+")
"""With what may stand between its digits."""


def json_value(field: str, value: Any) -> Any:
    """The value as it will be when it is read from the journal. InvalidInput if the journal cannot hold it.

    Args:
        field: what the value is, for the message.
    """
    return json.loads(write_json(value, field))


def plain_text(words: str, most: int = MAX_WORDS) -> str:
    """Words that a journal can hold, whoever chose them: no half characters, and not too many. No number is cut in two:
    half of a secret one would not be found."""
    whole = words.encode("utf-8", "replace").decode()
    return whole if len(whole) <= most else f"{_NUMBER_AT_END.sub('', whole[:most])}…"


def end_of_text(words: str, most: int) -> str:
    """The same of a text whose end matters."""
    whole = words.encode("utf-8", "replace").decode()
    return whole if len(whole) <= most else f"…{_NUMBER_AT_START.sub('', whole[-most:])}"


def text_of_error(error: BaseException) -> str:
    """What an error says of itself, in words that a journal can hold; its `__str__` may fail as well."""
    try:
        return plain_text(str(error))
    except Exception as another:
        return f"(its text cannot be read: {type(another).__name__})"


def json_object(field: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The same for what is given by names."""
    read: dict[str, Any] = json_value(field, dict(value))
    return read
