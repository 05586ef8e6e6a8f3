"""Questions to web hooks of one's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.errors import StoreUnavailable
from shared.notifications.errors import NotDelivered
from shared.notifications.outgoing import Outgoing, Response


def agrees(outgoing: Outgoing, url: str, asked: Mapping[str, Any], what: str, **headers: str) -> bool:
    """Whether a hook responds 2xx to this JSON; otherwise like `ask`."""
    return 200 <= ask(outgoing, url, asked, what, **headers).status < 300


def ask(outgoing: Outgoing, url: str, asked: Mapping[str, Any], what: str, **headers: str) -> Response:
    """What a hook responds to this JSON. StoreUnavailable where it cannot say now: asking again may help.

    Args:
        what: names the hook in errors.
        headers: more of them, with `_` for `-`.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        response = outgoing.post(url, json.dumps(asked).encode(), {"Content-Type": "application/json", **named})
    except NotDelivered as error:
        raise StoreUnavailable(f"{what}: {error}") from None
    if response.status >= 500 or response.status == 429:
        raise StoreUnavailable(f"{what}: the hook responded {response.status}")
    return response
