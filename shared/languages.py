"""Names of languages, as the service and the texts of flows write them."""

from __future__ import annotations

import re

LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?-([A-Z]{2}|[0-9]{3})")
"""A language with its region, `en-US`: the speech service takes no language without one (docs: language-support)."""


def main_language(tag: str) -> str:
    """The language without script and region: `de` of `de-AT`."""
    return tag.partition("-")[0].lower()
