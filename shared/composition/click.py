"""Where the call-me button meets the rest; made at its first request."""

from __future__ import annotations

from shared.click.service import Click
from shared.click.store import TABLE, ClickStore
from shared.composition.hashes import number_hashes
from shared.composition.hooks import agrees
from shared.composition.parts import Parts
from shared.identifiers import Identifier
from shared.notifications.addresses import check_literal, read_url
from shared.notifications.errors import ForbiddenAddress
from shared.notifications.outgoing import Outgoing
from shared.setting_values import is_loopback


def click_tables(prefix: str) -> dict[str, str]:
    """The table of the button."""
    return {TABLE: f"{prefix}click"}


class CaptchaHook:
    """Asks over the network, where hooks may lead and nowhere else.

    Args:
        loopback: this app runs on a developer's machine, and may call http there.
    """

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback
        self._outgoing = Outgoing(loopback=loopback)

    def problem(self, hook: str) -> str:
        try:
            check_literal(read_url(hook, loopback=self._loopback), loopback=self._loopback)
        except ForbiddenAddress as error:
            return error.problem
        return ""

    def solved(self, hook: str, site: str, answer: str, address: str) -> bool:
        return agrees(self._outgoing, hook, {"site": site, "captcha": answer, "address": address}, "captcha")


def compose_click(parts: Parts) -> Click:
    """Join it by settings. SettingsError without a key to hash numbers with."""
    settings = parts.settings

    def not_callable(target: Identifier, own: Identifier) -> str:
        return parts.brakes.dialing.problem(target, (own,))

    return Click(
        ClickStore(parts.rows(click_tables(settings.store_prefix))),
        number_hashes(settings),
        parts.agenda,
        parts.place,
        CaptchaHook(loopback=is_loopback(settings.callback_base_url)),
        parts.calendars,
        not_callable,
        own=parts.lines.numbers,
        retention_days=settings.click_retention_days,
    )
