"""What the service's result codes mean: an outcome, whether to try again, and plain words.

Sources: azure-docs (troubleshooting codes of the Call Automation SDK and the media action pages); for 5001,
5002 and 5300 recordings of the real service (2025).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from shared.events.subcode_table import BY_CODE, BY_CODE_AND_SUB_CODE, BY_PROMPT, BY_SUB_CODE, Row
from shared.events.subcode_table import Outcome as Outcome
from shared.events.subcode_table import PromptKind as PromptKind


class SubCode(NamedTuple):
    """What a result code means.

    Attributes:
        code: the sub-code; one that is not in the table is kept as it came.
        outcome: what happened, as one word to branch on.
        retryable: doing the same again, now or a little later, may help.
        plain: what happened and what to do.
    """

    code: int
    outcome: Outcome
    retryable: bool
    plain: str


SUB_CODES: Final[Mapping[int, SubCode]] = {code: SubCode(code, *row) for code, row in BY_SUB_CODE.items()}
"""Every sub-code that is known, by its number."""


def explain(code: int, sub_code: int, prompt: PromptKind | None = None) -> SubCode:
    """What `resultInformation` says in plain words.

    Args:
        prompt: what failed to play, where that is known: the words of a file do not fit a text.

    A sub-code that is not known is explained by its code, and that one by its family (4xx, 5xx, 6xx).

    >>> explain(400, 8510).outcome
    'no_input'
    """
    if prompt is not None and (row := BY_PROMPT.get((prompt, sub_code))):
        return SubCode(sub_code, *row)
    if row := BY_CODE_AND_SUB_CODE.get((code, sub_code)):
        return SubCode(sub_code, *row)
    # Sub-code 0 is success only together with a code that says so.
    if (known := SUB_CODES.get(sub_code)) and (sub_code or 200 <= code <= 299):
        return known
    return SubCode(sub_code, *(BY_CODE.get(code) or _FAMILIES.get(code // 100) or _UNKNOWN))


_FAMILIES: Final[Mapping[int, Row]] = {
    2: BY_CODE[200],
    4: BY_CODE[400],
    5: BY_CODE[500],
    6: BY_CODE[603],
}
_UNKNOWN: Final[Row] = ("unknown", False, "The service gave a code that is not known here; see its message.")
