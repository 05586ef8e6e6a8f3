"""HTML out of the templates beside this module, and the files that pages need: no other host is asked for anything."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import NotFound
from shared.web.console import words
from shared.web.console.exchange import ROOT, Reply

if TYPE_CHECKING:
    import jinja2

_FOLDER = Path(__file__).parent

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of every page: no script and no style stands in a page."""

# Not `no-referrer`: browsers send forms without their origin then, and a host may refuse those.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_TYPES = {".css": "text/css", ".js": "text/javascript"}
_STATIC = {path.name: path for path in sorted((_FOLDER / "static").iterdir()) if path.suffix in _TYPES}


def rendered(template: str, status: int = 200, **data: Any) -> Reply:
    """A page, or a part of one."""
    body = _environment().get_template(template).render(**data)
    return Reply(status, body, headers=HEADERS)


def static_file(name: str) -> Reply:
    """A file under the name that pages give it: with a mark of its content, so it may be kept for ever."""
    for file, path in _STATIC.items():
        if name == _marked(file):
            headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
            return Reply(200, path.read_bytes(), _TYPES[path.suffix], headers)
    raise NotFound("name", "is not a file of the console.", "Reload the page.")


@lru_cache(maxsize=16)
def _marked(file: str) -> str:
    path = _STATIC[file]
    return f"{path.stem}.{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}{path.suffix}"


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": words.moment,
        "iso": words.iso,
        "clock": words.length,
        "seconds": words.seconds,
        "utc": words.utc,
        "outcome": lambda word: words.OUTCOME.get(word, word),
        "status": lambda word: words.STATUS.get(word, word),
    }
    environment.globals |= {"root": ROOT, "static": lambda file: f"{ROOT}/static/{_marked(file)}"}
    return environment
