"""The service's own settings and their page."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.settings import StreamSettings

PAGE = (Path(__file__).parents[3] / "docs" / "streams.md").read_text("utf-8")


@pytest.mark.parametrize("name", StreamSettings.model_fields)
def test_each_setting_is_on_its_page_with_its_default(name: str) -> None:
    default = StreamSettings.model_fields[name].default
    shown = "none" if default == "" else f"`{str(default).lower()}`"
    assert f"| `STREAMS_{name.upper()}` | {shown} |" in PAGE


def test_the_page_names_no_setting_that_does_not_exist() -> None:
    rows = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `STREAMS_")]
    assert rows == [f"STREAMS_{name.upper()}" for name in StreamSettings.model_fields]
