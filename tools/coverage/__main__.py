"""Writes docs/coverage.md; with `--check` it only says whether that page is as the code has it, and has no hole."""

from __future__ import annotations

import logging
import sys

from tools.coverage.page import PAGE, page
from tools.coverage.rows import holes


def main(arguments: list[str]) -> int:
    """0 if the page is complete, and (with --check) as it should be."""
    logging.getLogger("azure").addHandler(logging.NullHandler())  # it complains of its own models
    text = page()
    stale = not PAGE.exists() or PAGE.read_text("utf-8") != text
    if stale and "--check" in arguments:
        print(f"{PAGE.name} is stale: run `make coverage`.")
    elif stale:
        PAGE.write_text(text, "utf-8")
    for row, column in holes():
        print(f"Nothing covers {row}: {column}.")
    return int(bool(holes()) or (stale and "--check" in arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
