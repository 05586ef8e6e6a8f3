"""What the files of the repository say, and this machine: versions, locks, host.json, ports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection
from datetime import date
from pathlib import Path
from shutil import which

from shared.diagnostics import Finding

PYTHONS = {
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2029, 4, 30),
}
"""The versions of Python that Azure Functions runs, and until when (the catalogue in PyPI azure-functions-doctor
0.23.1, verified 2026-09)."""
SOON_DAYS = 180
"""Days before the end of a version from which it is mentioned (our choice)."""
MOST_MEGABYTES = 50
"""Size of what is deployed from which something must have slipped in (our choice); the app itself has some 2 MB."""
NOT_SAMPLED = "Trace"

_PINNED = re.compile(r"^[A-Za-z0-9._\[\],-]+ *== *(?P<version>[^ ;\\]+)")
_PREVIEW = re.compile(r"\d(a|b|rc|\.dev)\d")


def python_findings(today: date, running: tuple[int, int] = sys.version_info[:2]) -> list[Finding]:
    """Whether Azure runs this version of Python, and for how long."""
    name = ".".join(map(str, running))
    end = PYTHONS.get(running)
    supported = ", ".join(".".join(map(str, one)) for one, until in PYTHONS.items() if until > today)
    if end is None or end <= today:
        return [
            Finding(
                "python.unsupported",
                "wrong",
                f"Azure Functions does not run Python {name}.",
                "What works here may not be indexed there.",
                f"Use one of {supported}: make clean setup PYTHON=…",
            )
        ]
    if (end - today).days < SOON_DAYS:
        return [
            Finding(
                "python.ends",
                "look",
                f"Azure Functions runs Python {name} until {end}.",
                "After that there are no fixes, and no new deployments.",
                f"Move to one of {supported}.",
            )
        ]
    return [Finding("python.supported", "fine", f"Azure Functions runs Python {name} until {end}.")]


def lock_findings(root: Path) -> list[Finding]:
    """Whether what is installed in Azure is what was tested."""
    try:
        lines = (root / "requirements.txt").read_text("utf-8").splitlines()
    except OSError:
        return [
            Finding(
                "requirements.missing",
                "wrong",
                "There is no requirements.txt.",
                "Azure installs nothing, and the import of the app fails: 0 functions.",
                "make lock",
            )
        ]
    wanted = [line for line in lines if line and line[0] not in " #-"]
    open_ones = [line.split()[0] for line in wanted if not _PINNED.match(line)]
    if open_ones:
        return [
            Finding(
                "requirements.open",
                "wrong",
                f"requirements.txt does not pin {', '.join(open_ones[:5])}.",
                "Azure may install another version than the one that was tested.",
                "make lock",
            )
        ]
    previews = [line.split("==")[0] for line in wanted if _PREVIEW.search(_PINNED.match(line)["version"])]  # type: ignore[index]
    if previews:
        return [
            Finding(
                "requirements.preview",
                "look",
                f"requirements.txt has previews: {', '.join(previews)}.",
                "Preview versions of an API vanish: azure-sdk-for-python#38974 was 404 from one day to the next.",
                "Pin a released version in requirements.in, then: make lock",
            )
        ]
    return [Finding("requirements.pinned", "fine", f"All {len(wanted)} packages are pinned.")]


def host_findings(root: Path) -> list[Finding]:
    """What host.json must have."""
    try:
        host = json.loads((root / "host.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        return [
            Finding(
                "host.unreadable",
                "wrong",
                f"host.json cannot be read ({type(error).__name__}).",
                "The Functions host does not start.",
                "git checkout host.json",
            )
        ]
    found = []
    prefix = host.get("extensions", {}).get("http", {}).get("routePrefix", "api")
    if prefix != "api":
        found.append(
            Finding(
                "host.prefix",
                "wrong",
                f"routePrefix in host.json is {prefix!r}.",
                "Callback URLs begin with /api: the service's callbacks would be 404.",
                'Write "routePrefix": "api".',
            )
        )
    bundle = str(host.get("extensionBundle", {}).get("version", ""))
    if not bundle.startswith("[4."):
        found.append(
            Finding(
                "host.bundle",
                "wrong",
                f"The extension bundle in host.json is {bundle or 'missing'}.",
                "Event Grid and queue triggers come with it.",
                'Write "version": "[4.*, 5.0.0)".',
            )
        )
    insights = host.get("logging", {}).get("applicationInsights", {}).get("samplingSettings", {})
    if insights.get("isEnabled", True) and NOT_SAMPLED not in str(insights.get("excludedTypes", "")).split(";"):
        found.append(
            Finding(
                "host.sampling",
                "look",
                "host.json samples Trace.",
                "Application Insights keeps some of the lines that alerts count, and drops others.",
                'Add Trace to "excludedTypes".',
            )
        )
    if host.get("telemetryMode") == "OpenTelemetry":
        found.append(
            Finding(
                "host.telemetry-mode",
                "look",
                "host.json has telemetryMode OpenTelemetry.",
                "The host drops what the worker logs then: no line of the app arrives.",
                "Leave it out, or have the worker export by itself: docs/telemetry.md, Traces.",
            )
        )
    return found or [Finding("host.right", "fine", "host.json is right.")]


def git_findings(root: Path) -> list[Finding]:
    """Whether a file of secrets is in the repository."""
    git = which("git")
    if git is None or not (root / ".git").exists():
        return []
    command = [git, "-C", str(root), "ls-files", "--", "local.settings.json", ".env"]
    tracked = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603
    return [
        Finding(
            "git.secrets",
            "wrong",
            f"{name} is tracked by git.",
            "It holds keys; whoever clones has them.",
            f"git rm --cached {name}, and make new keys.",
        )
        for name in tracked
    ]


def package_findings(root: Path) -> list[Finding]:
    """How large what is deployed is."""
    try:
        import pathspec

        ignored = pathspec.PathSpec.from_lines("gitignore", (root / ".funcignore").read_text("utf-8").splitlines())
    except OSError:
        return [
            Finding(
                "package.ignore",
                "look",
                "There is no .funcignore.",
                "Tests, tools and everything else that lies about is deployed.",
                "git checkout .funcignore",
            )
        ]
    size = 0
    for top in root.iterdir():
        if not ignored.match_file(f"{top.name}/" if top.is_dir() else top.name):
            paths = [top] if top.is_file() else [path for path in top.rglob("*") if path.is_file()]
            size += sum(path.stat().st_size for path in paths if "__pycache__" not in path.parts)
    if size > MOST_MEGABYTES * 1_000_000:
        return [
            Finding(
                "package.large",
                "look",
                f"{size // 1_000_000} MB would be deployed.",
                "Each cold start loads it; something that does not belong there may have slipped in.",
                "Look for it, and name it in .funcignore.",
            )
        ]
    return [Finding("package.size", "fine", f"{size / 1_000_000:.1f} MB are deployed, and the packages.")]


def azurite_findings(root: Path) -> list[Finding]:
    """Whether the local storage is the one that this project was tested with; nothing where it needs none."""
    try:
        wanted = json.loads((root / "package.json").read_text("utf-8"))["dependencies"]["azurite"]
    except (OSError, ValueError, KeyError):
        return []
    try:
        here = json.loads((root / "node_modules" / "azurite" / "package.json").read_text("utf-8"))["version"]
    except (OSError, ValueError, KeyError):
        here = "not installed"
    if here != wanted:
        return [
            Finding(
                "azurite.version",
                "wrong",
                f"Azurite is {here}; package.json wants {wanted}.",
                "Nothing runs here without it, and others behave differently.",
                "make setup",
            )
        ]
    return [Finding("azurite.installed", "fine", f"Azurite {here} is installed.")]


def port_findings(taken: Collection[tuple[str, int]], *, app_runs: bool) -> list[Finding]:
    """Ports of `make up` that something listens on.

    Args:
        taken: pairs of a flag of `make up` and the port.
        app_runs: whether the app is up there; then they are its own.
    """
    if app_runs or not taken:
        return [Finding("ports.right", "fine", "The ports of `make up` are its own, or free.")]
    return [
        Finding(
            "ports.taken",
            "look",
            f"Another program listens on port {port}.",
            "`make up` cannot start.",
            f'End it, or: make up ARGS="{flag} 0"',
        )
        for flag, port in taken
    ]
