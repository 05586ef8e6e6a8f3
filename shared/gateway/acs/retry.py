"""Which requests are sent again when the service fails."""

from __future__ import annotations

from typing import Any

from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy

MAYBE_DONE = frozenset({500, 503, 504})
"""Answers after which the service may have done what was asked all the same."""


class CarefulRetry(RetryPolicy[Any, Any]):
    """The SDK's retry policy, but a POST that the service cannot recognise is not sent twice.

    The SDK sends every POST again after 500, 503 and 504. With a Repeatability-Request-ID the service runs it
    once; a play or a recognize has none, and the caller would hear it twice.
    """

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        request = response.http_request
        unrecognisable = request.method == "POST" and "Repeatability-Request-ID" not in request.headers
        if unrecognisable and response.http_response.status_code in MAYBE_DONE:
            return False
        return bool(super().is_retry(settings, response))
