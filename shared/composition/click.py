"""Where the call-me button meets the rest; made at its first request."""

from __future__ import annotations

import json

from shared.click.service import Click
from shared.click.store import TABLE, ClickStore
from shared.composition.use_cases import Parts
from shared.errors import StoreUnavailable
from shared.identifiers import Identifier
from shared.notifications.errors import NotDelivered
from shared.notifications.outgoing import Outgoing
from shared.setting_values import is_loopback


def click_tables(prefix: str) -> dict[str, str]:
    """The table of the button."""
    return {TABLE: f"{prefix}click"}


def compose_click(parts: Parts) -> Click:
    """Join it by settings. SettingsError without a key to hash numbers with."""
    settings = parts.settings
    outgoing = Outgoing(loopback=is_loopback(settings.callback_base_url))

    def solved(hook: str, site: str, answer: str, address: str) -> bool:
        body = json.dumps({"site": site, "captcha": answer, "address": address}).encode()
        try:
            status = outgoing.post(hook, body, {"Content-Type": "application/json"}).status
        except NotDelivered as error:
            raise StoreUnavailable(f"captcha: {error}") from None
        if status >= 500 or status == 429:
            raise StoreUnavailable(f"captcha: the hook responded {status}")
        return 200 <= status < 300

    def not_callable(target: Identifier, own: Identifier) -> str:
        return parts.brakes.dialing.problem(target, (own,))

    return Click(
        ClickStore(parts.rows(click_tables(settings.store_prefix))),
        parts.hashes(),
        parts.agenda,
        parts.place,
        solved,
        parts.calendars,
        not_callable,
        retention_days=settings.click_retention_days,
    )
