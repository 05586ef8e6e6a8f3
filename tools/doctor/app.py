"""What an app says of itself when it is looked at from inside: settings, flows, routing, scorecards, its functions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.diagnostics import Finding, settings_findings
from tools.doctor.inside import MARK

ROOT = Path(__file__).parents[2]
SECONDS = 120
"""How long a look may take (our choice)."""

_FILES = {
    "flows": ("flows", "docs/flows.md"),
    "routing": ("routing rules", "docs/routing.md"),
    "lines": ("numbers", "docs/lines.md"),
    "scorecards": ("scorecards", "docs/scorecards.md"),
}
_REFUSED = "Every trigger is refused and retried until it is right; callers hear it ring."


@dataclass(frozen=True)
class Inside:
    """What was found.

    Attributes:
        app: what is wrong, by kind; None where it could not be looked at.
        functions: those that Microsoft's worker indexes.
        why: what keeps it from indexing any.
        numbers: what the rules of routing.yaml name in `to`.
    """

    app: Mapping[str, Any] | None
    functions: Sequence[str] = ()
    why: str = ""
    numbers: Sequence[str] = field(default=())


def local_settings(root: Path) -> dict[str, str]:
    """The values of local.settings.json; none where there is no such file, or no JSON in it."""
    try:
        values = json.loads((root / "local.settings.json").read_text("utf-8")).get("Values", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return {str(name): str(value) for name, value in values.items()}


def look_inside(root: Path, environ: Mapping[str, str]) -> Inside:
    """Look at an app in processes of their own.

    Args:
        root: its folder.
        environ: the settings it is to be looked at with.
    """
    # Neither look starts the app: without a worker it prepares nothing, and in Azure wrong settings do not end it.
    kept = {name: value for name, value in environ.items() if name != "FUNCTIONS_WORKER_RUNTIME"}
    app = _result("app", root, kept)
    indexed = _result("functions", root, {**kept, "WEBSITE_INSTANCE_ID": kept.get("WEBSITE_INSTANCE_ID", "doctor")})
    return Inside(
        app if "error" not in app else None,
        tuple(indexed.get("functions", ())),
        str(indexed.get("why", "") or indexed.get("error", "") or app.get("error", "")),
        tuple(app.get("numbers", ())),
    )


def _result(what: str, root: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    path = os.pathsep.join([str(root), *([] if root == ROOT else [str(ROOT)]), environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "tools.doctor.inside", what]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=root,
            env={**environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"it did not come to an end within {SECONDS} s."}
    _, mark, text = done.stdout.rpartition(MARK)
    if not mark:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return {"error": last}
    return dict(json.loads(text))


def inside_findings(found: Inside, *, has_settings: bool) -> list[Finding]:
    """Settings, files and functions of the app.

    Args:
        has_settings: whether there were settings to look at it with.
    """
    findings = _index_findings(found)
    if found.app is None:
        return findings
    if has_settings:
        lines = [line for line in str(found.app["settings"]).splitlines() if not line.startswith("See ")]
        findings += settings_findings(lines, found.app["misspelled"])
    else:
        findings.append(
            Finding("settings.elsewhere", "fine", "No settings are on this machine; those of a running app it tells.")
        )
    for kind, (name, page) in _FILES.items():
        problem = found.app.get(kind, "")
        if problem:
            first, *more = str(problem).splitlines()
            also = f" ({len(more)} lines more)" if more else ""
            findings.append(
                Finding(
                    f"{kind}.wrong",
                    "wrong",
                    f"The {name} are wrong: {first}{also}",
                    _REFUSED,
                    f"Correct that line, then: make test-flows. See {page}.",
                )
            )
        elif kind in found.app:
            findings.append(Finding(f"{kind}.right", "fine", f"The {name} are right."))
    return findings


def _index_findings(found: Inside) -> list[Finding]:
    if not found.functions:
        last = (found.why.strip().splitlines() or ["it gives no reason"])[-1]
        return [
            Finding(
                "functions.none",
                "wrong",
                f"Microsoft's worker finds no function in the app: {last}",
                "Azure reports such a deployment as a success; every route is 404, and nothing is logged.",
                "Mend what the import raises, and look again before you deploy: make doctor.",
            )
        ]
    count = len(found.functions)
    return [Finding("functions.indexed", "fine", f"Microsoft's worker indexes {count} functions.")]
