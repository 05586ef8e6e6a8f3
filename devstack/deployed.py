"""A copy of what is deployed, with flows and routes of its own, for tests and measurements."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from devstack.azurite import ROOT


def deployed(folder: Path, flows: Mapping[str, str], routes: str, *, own: Path = ROOT, app: Path = ROOT) -> Path:
    """What is deployed, and nothing else, with more modules of flows (name and text) and another routing file.

    Args:
        own: where the folders `flows` and `scorecards` are copied from.
        app: where everything else is copied from.
    """
    for name in ("function_app.py", "host.json", "requirements.txt"):
        shutil.copy(app / name, folder / name)
    for source in (app / "handlers", app / "shared", own / "flows", own / "scorecards"):
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in flows.items():
        (folder / "flows" / f"{name}.py").write_text(text)
    (folder / "routing.yaml").write_text(routes)
    return folder
