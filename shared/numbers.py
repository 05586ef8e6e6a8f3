"""Numbers in text from outside: a bounded count of digits, read alike by everybody.

`int` refuses more than 4,300 digits with a ValueError of its own kind, takes digits of every script, and makes integers
of any size; `float` makes an infinity of many digits.
"""

from __future__ import annotations

MOST_DIGITS = 18
"""What fits into 64 bits in any case."""


def whole_number(text: str, most_digits: int = MOST_DIGITS) -> int | None:
    """The number that ASCII digits write; None for anything else, a sign or a space too, and for more digits."""
    return int(text) if len(text) <= most_digits and text.isascii() and text.isdecimal() else None
