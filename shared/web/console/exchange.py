"""A request as the console sees it, and its response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qsl

from shared.errors import InvalidInput

MAX_FORM = 64 * 1024
"""Bytes of a form (our choice): a prompt of 4,000 characters in any script, and the rest."""

MAX_FIELDS = 100
"""Fields of a form (our choice)."""

MAX_FILE = 64 * 1024 * 1024
"""Bytes of a form with a file (our choice): what the HTTP API takes of one, fields included."""

MAX_HEAD = 2048
"""Bytes of the headers of a field (our choice): whoever is not signed in may send them, and they take time to read."""

ROOT = "/api/console"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Attributes:
        headers: by their names in lower case.
        form: of a POST.
        files: that the form has, by the names of their fields.
    """

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]
    files: Mapping[str, bytes] = field(default_factory=dict)


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
        raise _unreadable() from None
    return dict(pairs)


def read_form_with_files(body: bytes, content_type: str) -> tuple[dict[str, str], dict[str, bytes]]:
    """Fields and files of a form as browsers send it where it has files (RFC 7578); InvalidInput for what is none."""
    if len(body) > MAX_FILE:
        raise InvalidInput("form", f"has {len(body)} bytes.", f"Send at most {MAX_FILE}; split the file.")
    boundary = _parameter(content_type, "boundary").encode("utf-8", "replace")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for number, (head, content) in enumerate(_parts(body, boundary)):
        about = _headers(head).get("content-disposition", "")
        name = _parameter(about, "name")
        if number >= MAX_FIELDS or not name:
            raise _unreadable()
        if _parameter(about, "filename", absent="\n") != "\n":
            files[name] = content
            continue
        if len(content) > MAX_FORM:
            raise InvalidInput("form", f"has a field of {len(content)} bytes.", f"Send at most {MAX_FORM}.")
        try:
            fields[name] = content.decode("utf-8")
        except UnicodeDecodeError:
            raise _unreadable() from None
    return fields, files


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Headers and content of each part, which keep every byte as it was sent."""
    line = b"\r\n--" + boundary
    if not boundary or not body.startswith(line[2:]):
        raise _unreadable()
    at = len(line) - 2
    while body[at : at + 2] == b"\r\n":
        head, end = body.find(b"\r\n\r\n", at, at + MAX_HEAD), body.find(line, at + 2)
        if head < 0 or end < head:
            raise _unreadable()
        yield body[at + 2 : head], body[head + 4 : end]
        at = end + len(line)
    if body[at : at + 2] != b"--":
        raise _unreadable()


def _headers(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _parameter(header: str, name: str, absent: str = "") -> str:
    message = Message()
    message["x"] = "".join(sign for sign in header if sign.isprintable())
    found = message.get_param(name, absent, "x")
    return found if isinstance(found, str) else absent


def _unreadable() -> InvalidInput:
    return InvalidInput("form", "cannot be read.", "Send the form of the page.")


def see_other(path: str, **headers: str) -> Reply:
    """Go on there with a GET."""
    return Reply(303, headers={"Location": f"{ROOT}{path}", **headers})
