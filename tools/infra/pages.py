"""Whether the commands in the documentation fit the app and the templates."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from tools.infra.bicep import ROOT

PAGES = ("README.md", "docs/deploy.md", "docs/operations.md")

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SUBSTITUTED = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)")
_OURS = re.compile(r"(?:^|[$(\s])(?:az|azd|func|python -m tools\.\w+) ")
_FUNCTION = re.compile(r"(?:/functions/|function:)(\w+)")


def commands(page: str, root: Path = ROOT) -> Iterator[tuple[str, list[str]]]:
    """Each command of Azure or of tools/ in a page's blocks of `sh`, with its line; also those that are substituted."""
    text = (root / page).read_text("utf-8")
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1)) + 1
        for offset, written in _lines(block[1]):
            if not _OURS.search(written):
                continue
            where = f"{page}:{line + offset}"
            for inner in _SUBSTITUTED.findall(written):
                yield where, shlex.split(inner[2:-1], comments=True)
            outer = shlex.split(_SUBSTITUTED.sub("SUBSTITUTED", written), comments=True)
            while outer and re.fullmatch(r"[A-Z_]+=.*", outer[0]):
                outer = outer[1:]
            if outer:
                yield where, outer


def _lines(block: str) -> Iterator[tuple[int, str]]:
    """Lines that a backslash continues as one."""
    begun, whole = 0, ""
    for index, line in enumerate(block.splitlines()):
        begun = index if not whole else begun
        whole += line.removesuffix("\\") + " "
        if not line.endswith("\\"):
            yield begun, whole
            whole = ""


def problems(
    pages: Sequence[str],
    *,
    functions: Collection[str],
    takes: Mapping[str, Collection[str]],
    settings: Collection[str],
    parameters: Collection[str],
    azd_names: Collection[str],
    root: Path = ROOT,
) -> Iterator[str]:
    """A line for each function, event, setting, parameter or name of azd that a command has and nobody knows."""
    for page in pages:
        for where, words in commands(page, root):
            text = " ".join(words)
            named = _FUNCTION.findall(text) + _after(words, "--function-name")
            for name in named:
                if name not in functions:
                    yield f"{where}: the app has no function {name}"
            events = _after(words, "--included-event-types")
            for name in events:
                if name not in {event for taken in takes.values() for event in taken}:
                    yield f"{where}: no function takes {name}"
            if events and named and named[0] in takes and set(events) != set(takes[named[0]]):
                missing = sorted(set(takes[named[0]]) ^ set(events))
                yield f"{where}: {named[0]} is not sent what it takes: {', '.join(missing)}"
            if words[:3] == ["az", "functionapp", "config"]:
                for name in (one.partition("=")[0] for one in _after(words, "--settings")):
                    if name not in settings:
                        yield f"{where}: {name} is no setting"
            for name in (one.partition("=")[0] for one in _after(words, "--parameters")):
                if name not in parameters:
                    yield f"{where}: infra/main.bicep has no parameter {name}"
            if words[:3] == ["azd", "env", "set"] and words[3] not in azd_names:
                yield f"{where}: infra/main.parameters.json does not read {words[3]}"


def _after(words: Sequence[str], option: str) -> list[str]:
    """The values of an option."""
    if option not in words:
        return []
    rest = words[words.index(option) + 1 :]
    end = next((index for index, word in enumerate(rest) if word.startswith("-")), len(rest))
    return list(rest[:end])
