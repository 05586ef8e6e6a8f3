"""How long a request waits when the service says: later."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from shared.azure.call_automation.retry import LONGEST_WAIT, CarefulRetry


def told(seconds: str) -> Any:
    """A response to a play, and what the retry policy is asked about it."""
    request = SimpleNamespace(method="POST", headers={})
    response = SimpleNamespace(status_code=429, headers={"Retry-After": seconds})
    return SimpleNamespace(http_request=request, http_response=response)


@pytest.mark.parametrize(("seconds", "again"), [("1", True), ("2", True), ("3", False), ("60", False), ("3600", False)])
def test_nobody_is_kept_in_silence_for_longer_than_a_moment_by_retry_after(seconds: str, again: bool) -> None:
    policy = CarefulRetry(retry_total=2)
    assert LONGEST_WAIT == 2.0
    assert policy.is_retry(policy.configure_retries({}), told(seconds)) is again
