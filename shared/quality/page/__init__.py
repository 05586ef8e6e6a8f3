"""The quality report as a page: one HTML file that asks the network for nothing but the archived audio.

The parts lie beside this module: `page.html` (and `parts.html`, its macros), `page.css`, `page.js`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.quality.page import figures
from shared.quality.page.lanes import WAVE_HEIGHT, timeline
from shared.quality.page.tables import definitions, headline, legend, limits, metric_groups, together, tones, turns
from shared.quality.report import Report

if TYPE_CHECKING:
    import jinja2

FLAGS_SHOWN = 3
"""Flags that are not folded (our choice): with more, the first look has nothing else."""

_FOLDER = Path(__file__).parent
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


def render(report: Report, audio: Mapping[int, str], ways: Sequence[tuple[str, str]] = ()) -> str:
    """The page of a report.

    Args:
        report: all that the page shows.
        audio: index of a chunk → address at which the browser may read it, with its own right to (a SAS link). The
            page plays what is there and passes over the rest; without any it has no player and says so.
        ways: where the page leads, each by a label and a path.

    Raises:
        ValueError: an address that is no http or https URL.
    """
    origins = sorted({_origin(url) for url in audio.values()})
    pieces = [piece for piece in report.recording.pieces if piece.chunk in audio]
    seconds = report.recording.seconds
    player = {
        "seconds": seconds,
        "pieces": [[piece.start, piece.end, piece.chunk, piece.offset] for piece in pieces],
        "sources": {piece.chunk: audio[piece.chunk] for piece in pieces},
        "holes": [[hole.start, hole.end, hole.reason] for hole in report.recording.holes],
    }
    drawn = timeline(report)
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            ways=ways,
            timeline=drawn,
            legend=legend(drawn),
            headline=headline(report),
            metric_groups=metric_groups(report),
            together=together(report),
            tones=tones(report),
            turns=turns(report),
            flags_shown=FLAGS_SHOWN,
            wave_height=WAVE_HEIGHT,
            definitions=definitions(report),
            limits=limits(report),
            player=player,
            first_source=audio[pieces[0].chunk] if pieces else None,
            unplayed=[chunk.index for chunk in report.recording.chunks if chunk.blob and chunk.index not in audio],
            policy=_policy(origins),
            css=_text("page.css"),
            js=_text("page.js"),
        )
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("the address of a chunk's audio is no http or https URL")
    return origin


def _policy(origins: list[str]) -> str:
    """The page's Content-Security-Policy: our style and script by their hashes, audio from its store, nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash('page.css')}'",
            f"script-src '{_hash('page.js')}'",
            f"media-src {' '.join(origins) or chr(39) + 'none' + chr(39)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


@lru_cache(maxsize=4)
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def _hash(name: str) -> str:
    digest = hashlib.sha256(_text(name).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "clock": figures.clock,
        "duration": figures.length,
        "moment": figures.moment,
        "percent": figures.percent,
        "points": figures.points,
        "answered": figures.answered,
        "size": figures.size,
    }
    environment.filters.update(filters)
    return environment
