"""A number of the resource, as it is declared: on the command line or by the control API."""

from __future__ import annotations

from typing import NamedTuple

from acs_emulator.core.event_grid_target import ConfigError
from acs_emulator.core.identifiers import PHONE_NUMBER

#: Calls that one number may place at once unless support has raised it (docs: service limits).
OUTBOUND_CALLS = 2
#: Longest name of a line, in characters: a button of the phone's page holds it. Chosen.
LONGEST_NAME = 40


class OwnNumber(NamedTuple):
    """A number, the outbound calls that it may have at once, and what the line is called on the phone's page."""

    number: str
    limit: int = OUTBOUND_CALLS
    name: str = ""


def is_name(text: str) -> bool:
    """Whether a line may be called so."""
    return len(text) <= LONGEST_NAME and text.isprintable()


def parse_number(text: str) -> OwnNumber:
    """Read ``+18005550199``, ``+18005550199:10`` or ``+18005550199:10=Support``. Raises ConfigError."""
    front, equals, name = (part.strip() for part in text.partition("="))
    number, colon, limit = front.partition(":")
    if not PHONE_NUMBER.match(number):
        raise ConfigError(f"--number: {text!r} is not a number in E.164 form, such as +18005550199.")
    if colon and not (limit.isascii() and limit.isdecimal()):
        raise ConfigError(f"--number: {limit!r} is not a number of outbound calls, as in +18005550199:10.")
    if not is_name(name) or (equals and not name):
        raise ConfigError(f"--number: {name!r} is no name of at most {LONGEST_NAME} characters, as in =Support.")
    return OwnNumber(number, int(limit) if colon else OUTBOUND_CALLS, name)
