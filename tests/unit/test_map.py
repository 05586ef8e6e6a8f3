"""docs/map.md shows every folder; the lists in CONTRIBUTING name files that hold what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "docs" / "map.md").read_text("utf-8")
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
INSTALLED = {"node_modules", "__pycache__"}


def folders(parent: Path) -> set[str]:
    """The folders in one, but for those that are hidden or installed, by their way from the root."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in parent.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in INSTALLED
    }


def test_every_folder_has_its_paragraph() -> None:
    told = re.findall(r"^\*\*\[`([\w/]+)/`\]\(\S+\)\*\* \S", MAP, re.MULTILINE)
    assert sorted(told) == sorted(folders(ROOT) | folders(ROOT / "shared"))


def test_every_folder_is_in_the_picture() -> None:
    (picture,) = re.findall(r"^```mermaid\n(.*?)^```", MAP, re.MULTILINE | re.DOTALL)
    shown = set(re.findall(r"\b((?:shared/)?[a-z_]+)\b", picture))
    assert folders(ROOT) | folders(ROOT / "shared") - {"docs", "shared"} <= shown | {"docs", "shared"}


LISTS = re.findall(r"^### (.+)\n\n.*?[Tt]he sample is `(\w+)`((?:(?!\n##).|\n(?!##))+)", GUIDE, re.MULTILINE)


def test_there_is_a_list_for_each_thing_that_is_added_often() -> None:
    assert [title for title, _, _ in LISTS] == ["An operation", "A trigger", "A store", "A setting"]


@pytest.mark.parametrize(
    ("title", "sample", "path"),
    [
        (title, sample, path)
        for title, sample, files in LISTS
        for line in re.findall(r"^- .+", files, re.MULTILINE)
        for path in re.findall(r"\]\(([\w./-]+)\)", line.partition(": ")[0])
    ],
)
def test_a_file_of_a_list_holds_the_sample_that_the_list_goes_by(title: str, sample: str, path: str) -> None:
    """In any of its spellings: `mute_participant`, `MuteParticipant`, `muteParticipant`."""
    text = (ROOT / path).read_text("utf-8").lower()
    assert re.sub(r"[_ -]", "", sample.lower()) in re.sub(r"[_ -]", "", text), f"{title}: nothing of it is in {path}"
