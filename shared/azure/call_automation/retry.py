"""Which requests are sent again when the service fails, or when its response is lost."""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy

LONGEST_WAIT = 2.0
"""Seconds that a request waits at most because the service says so (Retry-After), as a caller hears nothing meanwhile;
ours. What is to wait longer is refused, and its flow decides."""
MAYBE_DONE = frozenset({500, 503, 504})
"""Statuses after which the service may have done what was asked all the same."""


class CarefulRetry(RetryPolicy[Any, Any]):
    """The SDK's retry policy, but a POST is sent again exactly where that cannot do harm.

    The SDK (azure-core 1.41) sends every POST again after 500, 503 and 504, and none after a connection that broke.
    With a Repeatability-Request-ID the service runs a request once, however often it comes: it is sent again in
    both cases. A play or a recognize has none, and the caller would hear it twice: it is sent again only where
    no connection came about, so that the first request cannot have arrived.
    """

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        maybe_done = response.http_response.status_code in MAYBE_DONE
        if maybe_done and not _may_come_twice(response.http_request):
            return False
        if (self.get_retry_after(response) or 0.0) > LONGEST_WAIT:
            return False
        return bool(super().is_retry(settings, response))

    def _is_method_retryable(self, settings: dict[str, Any], request: Any, response: Any = None) -> bool:
        # Asked without a response after an error; which error it was, only `increment` learns.
        return response is None or super()._is_method_retryable(settings, request, response=response)

    def increment(self, settings: dict[str, Any], response: Any = None, error: Exception | None = None) -> bool:
        if error is not None and not isinstance(error, ServiceRequestError):
            if not _may_come_twice(response.http_request):
                return False
            response.http_request.response_lost = True
        return super().increment(settings, response=response, error=error)


def done_before(error: HttpResponseError) -> bool:
    """Whether a DELETE found nothing because an earlier sending of it, whose response was lost, was carried out."""
    request: Any = error.response.request if error.response is not None else None
    lost = getattr(request, "response_lost", False)
    return bool(error.status_code == 404 and lost and request.method == "DELETE")


def _may_come_twice(request: Any) -> bool:
    """Whether the service carries a request out once, or as if once, though it comes twice."""
    return request.method != "POST" or "Repeatability-Request-ID" in request.headers
