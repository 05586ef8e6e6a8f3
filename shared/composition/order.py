"""Where orders meet the rest; made at their first request."""

from __future__ import annotations

from shared.composition.hashes import number_hashes
from shared.composition.hooks import agrees
from shared.composition.parts import Parts
from shared.notifications.outgoing import Outgoing
from shared.orders.service import Orders
from shared.orders.store import TABLE, OrderStore
from shared.setting_values import is_loopback


def order_tables(prefix: str) -> dict[str, str]:
    """The table of the orders."""
    return {TABLE: f"{prefix}orders"}


class PaymentHook:
    """Asks a hook of one's own, which asks the payment provider.

    Args:
        url: empty: no cards are taken.
        loopback: this app runs on a developer's machine, and may call http there.
    """

    def __init__(self, url: str, *, loopback: bool) -> None:
        self._url = url
        self._outgoing = Outgoing(loopback=loopback)

    @property
    def is_set_up(self) -> bool:
        return bool(self._url)

    def charge(self, key: str, cents: int, card: str, expiry: str) -> bool:
        asked = {"order": key, "cents": cents, "card": card, "expiry": expiry}
        return agrees(self._outgoing, self._url, asked, "payment", Idempotency_Key=key)


def compose_order(parts: Parts) -> Orders:
    """Join them by settings. SettingsError without a key to hash numbers with."""
    settings = parts.settings
    return Orders(
        OrderStore(parts.rows(order_tables(settings.store_prefix))),
        number_hashes(settings),
        PaymentHook(settings.order_payment_url, loopback=is_loopback(settings.callback_base_url)),
        retention_days=settings.order_retention_days,
    )
