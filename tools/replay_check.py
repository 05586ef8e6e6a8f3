"""Replays journals of production under the flows of this folder.

make replay-check FILES="calls/*.json"

Each file is an archived call (container `<prefix>-calls`), or what `GET /api/calls/{id}/journal` gave. Ends with 1 if
the flow of a call has changed under it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.calls.flow import FLOWS
from shared.calls.replay_check import replay_check
from shared.composition.flows import load_flows
from shared.errors import InvalidInput


def main(files: Sequence[str]) -> int:
    """The command line: 0 if every call would go on, 1 if one would not, 2 for a file that is none."""
    if not files:
        print('Name the files: make replay-check FILES="calls/*.json"', file=sys.stderr)
        return 2
    load_flows()
    changed = 0
    for file in files:
        try:
            checked = replay_check([json.loads(Path(file).read_text("utf-8"))], FLOWS)[0]
        except (OSError, ValueError, InvalidInput) as error:
            print(f"{file}: {error}", file=sys.stderr)
            return 2
        if not checked.problem:
            known = (
                f"up to entry {checked.secret_from}; what follows depends on a secret" if checked.secret_from else ""
            )
            print(f"{file}: flow {checked.flow} goes on {known}".rstrip())
            continue
        changed += 1
        print(f"{file}: flow {checked.flow} has changed: {checked.problem}")
        if checked.where:
            print(f"  {checked.where}: {checked.line}")
        print(f"  {checked.remedy}")
    print(f"{len(files)} calls, of which {changed} would end with the fallback.")
    return 1 if changed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
