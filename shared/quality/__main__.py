"""Measures a WAV file and prints its quality report.

    python -m shared.quality call.wav
    python -m shared.quality call.wav --customer 0 --scorecard scorecards/support.yaml --html call.html

One channel a speaker, 8,000 or 16,000 Hz. Nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from shared.errors import InvalidInput, UnreadableAudio
from shared.quality.page import render
from shared.quality.scorecards import Scorecard, load_scorecards
from shared.quality.text import text_of
from shared.quality.thresholds import Thresholds
from shared.quality.wav_report import Known, report_of

USAGE, UNREADABLE = 2, 1
"""Exit codes: what was asked for is wrong; the file cannot be measured."""


def main(arguments: Sequence[str]) -> int:
    """The command line; 0 if a report was printed."""
    parser = argparse.ArgumentParser(
        prog="python -m shared.quality", description="Measures a WAV file and prints its quality report."
    )
    parser.add_argument("file", type=Path, help="a WAV file, one channel for each speaker, 8000 or 16000 Hz")
    parser.add_argument("--customer", type=int, metavar="N", help="the customer's channel, from 0; others are agents")
    parser.add_argument("--known", type=Path, metavar="FILE", help="JSON: customer or speakers, app, phrases")
    parser.add_argument("--scorecard", type=Path, metavar="FILE", help="grade by this card, or by all of a folder")
    parser.add_argument("--thresholds", default="{}", metavar="JSON", help='for instance {"dead_air_seconds": 6}')
    parser.add_argument("--json", action="store_true", help="the report as JSON (docs/quality-report.schema.json)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report's page, too")
    given = parser.parse_args(arguments)
    try:
        known, cards = _known(given.known, given.customer), _cards(given.scorecard)
        thresholds = Thresholds.model_validate_json(given.thresholds)
        report = report_of(given.file, known, thresholds=thresholds, cards=cards)
        if given.html:
            given.html.write_text(render(report, {}), "utf-8")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "JSON"
        option = "--thresholds" if error.title == "Thresholds" else "--known"
        return _refused(f"{option}: {place}: {first['msg']}", USAGE)
    except InvalidInput as error:
        return _refused(str(error), USAGE)
    except OSError as error:
        return _refused(f"{error.filename}: {error.strerror}. Name a file that can be read, or written.", USAGE)
    except UnreadableAudio as error:
        return _refused(f"{given.file}: {error}. Convert it, for instance: {_conversion(given.file)}", UNREADABLE)
    print(report.model_dump_json(indent=2) if given.json else text_of(report))
    return 0


def _known(path: Path | None, customer: int | None) -> Known:
    known = Known() if path is None else Known.model_validate_json(path.read_bytes())
    return known if customer is None else known.model_copy(update={"customer": customer})


def _cards(path: Path | None) -> tuple[Scorecard, ...]:
    if path is None:
        return ()
    if not path.exists():
        raise InvalidInput("--scorecard", f"there is no {path}.", "Name a YAML file, or a folder of them.")
    return load_scorecards(path)


def _conversion(path: Path) -> str:
    target = path.with_name(f"{path.stem}-16k.wav")
    return f"ffmpeg -i {shlex.quote(str(path))} -ar 16000 -c:a pcm_s16le {shlex.quote(str(target))}"


def _refused(problem: str, code: int) -> int:
    print(problem, file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
