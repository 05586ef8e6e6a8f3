"""The level `local`: the repository, this machine, and the app that runs on it. No network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from devstack.ports import is_taken
from devstack.stack import USUAL_PORTS
from shared.diagnostics import Finding
from shared.setting_values import is_loopback
from tools.doctor import app, repository
from tools.doctor.flow_lint import flow_findings
from tools.doctor.running import ask, clock_findings, clock_of, health_findings, own_findings, storage_address

RUNNING = f"http://127.0.0.1:{USUAL_PORTS.host}"
"""Where `make up` has the app."""


def look(root: Path, environ: Mapping[str, str] = os.environ, *, url: str = RUNNING, key: str = "") -> list[Finding]:
    """Everything that can be looked at without leaving this machine.

    Args:
        root: the folder of the app.
        environ: wins over local.settings.json, as it does in the Functions host.
        url: of the app that may run here; with a key if it needs one.
    """
    settings = {**app.local_settings(root), **environ}
    health = ask(f"{url}/api/health")
    found = [
        *app.inside_findings(app.look_inside(root, settings), has_settings="ACS_ENDPOINT" in settings),
        *flow_findings(root),
        *repository.python_findings(datetime.now(UTC).date()),
        *repository.lock_findings(root),
        *repository.host_findings(root),
        *repository.git_findings(root),
        *repository.package_findings(root),
        *repository.azurite_findings(root),
        *clock_findings(_storage_clock(settings), datetime.now(UTC)),
        *repository.port_findings(_taken(), app_runs=health.status != 0),
    ]
    if health.status == 0:
        return [*found, Finding("app.down", "fine", f"No app runs at {url}.")]
    found += health_findings(url, health)
    if health.status != 404:
        found += own_findings(ask(f"{url}/api/diagnostics", key=key))
    return found


def _storage_clock(settings: Mapping[str, str]) -> datetime | None:
    """The time at the storage of the settings, where it is on this machine."""
    address = storage_address(settings)
    return clock_of(address) if is_loopback(address) else None


def _taken() -> list[tuple[str, int]]:
    usual = {f"--{name}-port": getattr(USUAL_PORTS, name) for name in ("host", "emulator", "blob", "queue", "table")}
    return [(flag, port) for flag, port in usual.items() if is_taken(port)]
