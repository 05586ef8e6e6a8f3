"""What every keeper of rows in Azure Tables needs: a client, versions, and the store's own errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableServiceClient

from shared.errors import LostRace, StoreUnavailable, SwitchboardError
from shared.transport import pooled_transport


def table_service(connection_string: str) -> TableServiceClient:
    """A client that gives up within seconds."""
    options: dict[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.2, "transport": pooled_transport()}
    return TableServiceClient.from_connection_string(connection_string, **options)


def etag(row: Mapping[str, Any]) -> str:
    """The version of a row that was read."""
    return str(cast(Any, row).metadata["etag"])


@contextmanager
def storage_errors(what: str, missing: Callable[[str], SwitchboardError]) -> Iterator[None]:
    """Translate the SDK's errors into the store's.

    Args:
        what: the call or recording that it is about.
        missing: the error for a row that is not there.
    """
    try:
        yield
    except HttpResponseError as error:
        if isinstance(error, ResourceNotFoundError):
            raise missing(what) from error
        # 409 where two transactions insert the same segment: the other one won.
        if error.status_code in (409, 412):
            raise LostRace(what) from error
        raise StoreUnavailable(f"the storage answered {error.status_code} {error.reason}") from error
    except AzureError as error:
        raise StoreUnavailable(f"the storage did not answer: {error}") from error
