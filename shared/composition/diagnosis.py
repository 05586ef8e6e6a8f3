"""What is looked at when somebody asks what is wrong with the app; also while its settings are."""

from __future__ import annotations

from collections.abc import Mapping

from shared.composition.board import Switchboard
from shared.diagnostics import settings_findings, setup_findings
from shared.diagnostics.checks import NOT_SET
from shared.errors import InvalidInput
from shared.setting_values import is_loopback
from shared.telemetry import tally
from shared.web.console.sign_in import platform_signs_in
from shared.web.diagnosis import Diagnosis


def compose_diagnosis(found: Switchboard | Exception, environ: Mapping[str, str]) -> Diagnosis:
    """What looks at a switchboard, or at what keeps the app from having one.

    Args:
        environ: what the platform says of itself.
    """
    if isinstance(found, Exception):
        lines = (
            str(found).splitlines() if isinstance(found, InvalidInput) else [f"A {type(found).__name__}: see the log."]
        )
        return Diagnosis(settings_findings(lines, {}))
    from shared.settings import unknown_settings

    settings = found.settings
    known = [
        *settings_findings((), unknown_settings()),
        *setup_findings(
            console_auth=settings.console_auth,
            platform_signs_in=platform_signs_in(environ),
            given={name for name in NOT_SET if getattr(settings, name.lower())},
        ),
    ]
    local = is_loopback(settings.callback_base_url)
    return Diagnosis(known, found.store, lambda: _left_over(found), found.poison, tally.seen, local=local)


def _left_over(board: Switchboard) -> dict[str, int]:
    """How much waits for somebody, as far as one page of each list tells."""
    failed = board.recordings().service.recordings({"status": "failed"}).recordings
    return {
        "failed_recordings": len(failed),
        "dead_letters": len(board.notifications().service.listed({}).dead_letters),
    }
