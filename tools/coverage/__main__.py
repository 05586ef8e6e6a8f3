"""Writes docs/coverage.md and the table of actions in docs/api.md; with `--check` it only says whether they are as the
code has them, and the former has no hole."""

from __future__ import annotations

import logging
import sys

from tools.coverage.page import API, PAGE, api_page, page
from tools.coverage.rows import holes


def main(arguments: list[str]) -> int:
    """0 if nothing is uncovered, and (with --check) the pages are as they should be."""
    logging.getLogger("azure").addHandler(logging.NullHandler())  # it complains of its own models
    check = "--check" in arguments
    pages = {PAGE: page(), API: api_page()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if check:
            print(f"{path.name} is stale: run `make coverage`.")
        else:
            path.write_text(pages[path], "utf-8")
    for row, column in holes():
        print(f"Nothing covers {row}: {column}.")
    return int(bool(holes()) or (check and bool(stale)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
