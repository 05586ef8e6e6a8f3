"""A question to a web hook of one's own, whose response is yes or no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.errors import StoreUnavailable
from shared.notifications.errors import NotDelivered
from shared.notifications.outgoing import Outgoing


def agrees(outgoing: Outgoing, url: str, asked: Mapping[str, Any], what: str, **headers: str) -> bool:
    """Whether a hook responds 2xx to this JSON. StoreUnavailable where it cannot say now: asking again may help.

    Args:
        what: names the hook in errors.
        headers: more of them, with `_` for `-`.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        status = outgoing.post(url, json.dumps(asked).encode(), {"Content-Type": "application/json", **named}).status
    except NotDelivered as error:
        raise StoreUnavailable(f"{what}: {error}") from None
    if status >= 500 or status == 429:
        raise StoreUnavailable(f"{what}: the hook responded {status}")
    return 200 <= status < 300
