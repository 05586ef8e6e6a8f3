"""A request as the console sees it, and its response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from shared.errors import InvalidInput

MAX_FORM = 64 * 1024
"""Bytes of a form (our choice): a prompt of 4,000 characters in any script, and the rest."""

MAX_FIELDS = 50
"""Fields of a form (our choice)."""

ROOT = "/api/console"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Attributes:
        headers: by their names in lower case.
        form: of a POST.
    """

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, whole."""

    status: int = 200
    body: str | bytes = ""
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form as browsers send it; InvalidInput for what is none."""
    if len(body) > MAX_FORM:
        raise InvalidInput("form", f"has {len(body)} bytes.", f"Send at most {MAX_FORM}.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:  # too many fields, or what is not UTF-8
        raise InvalidInput("form", "cannot be read.", "Send the form of the page.") from None
    return dict(pairs)


def see_other(path: str, **headers: str) -> Reply:
    """Go on there with a GET."""
    return Reply(303, headers={"Location": f"{ROOT}{path}", **headers})
