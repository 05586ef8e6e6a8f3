"""Repeatable requests: the same Repeatability-Request-ID gets the same response, carried out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from acs_emulator.api.operations import Response
from acs_emulator.core.errors import BadRequest

#: Answers kept. The service's window is not published: chosen.
KEPT = 10_000
ID_HEADER = "Repeatability-Request-ID"
FIRST_SENT_HEADER = "Repeatability-First-Sent"


class Repeats:
    """Answers by operation, path and request id."""

    def __init__(self) -> None:
        self._responses: OrderedDict[tuple[str, str, str], Response] = OrderedDict()

    def get(self, key: tuple[str, str, str]) -> Response | None:
        return self._responses.get(key)

    def put(self, key: tuple[str, str, str], response: Response) -> None:
        self._responses[key] = response
        if len(self._responses) > KEPT:
            self._responses.popitem(last=False)

    def clear(self) -> None:
        self._responses.clear()


def request_id(headers: Mapping[str, str]) -> str | None:
    """The repeatability id, if any. Raises BadRequest without a readable first-sent date."""
    given = headers.get(ID_HEADER)
    if not given:
        return None
    first_sent = headers.get(FIRST_SENT_HEADER)
    if not first_sent:
        raise BadRequest(f"{FIRST_SENT_HEADER} is required with {ID_HEADER}.", FIRST_SENT_HEADER)
    try:
        parsedate_to_datetime(first_sent)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise BadRequest(f"{FIRST_SENT_HEADER} is not an HTTP date.", FIRST_SENT_HEADER) from error
    return given.lower()
