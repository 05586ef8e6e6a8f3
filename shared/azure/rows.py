"""What every keeper of rows in Azure Tables needs: versions, and the store's own errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.errors import LostRace, StoreError, StoreRefused, StoreUnavailable, SwitchboardError

T = TypeVar("T")

AGAIN: dict[str, Any] = {"retry_on_methods": frozenset({"POST"})}
"""For inserts and transactions: the SDK sends no POST again whose response was lost. These may come twice: the second
finds the first one's row, and the mark in it tells the writer whose it is."""

RETRYABLE = (408, 409, 412, 429)
"""Of the 4xx those that say `later`, or that somebody else is at it; all others say that the request itself is
wrong."""


def etag(row: Mapping[str, Any]) -> str:
    """The version of a row that was read."""
    return str(cast(Any, row).metadata["etag"])


def failure(error: HttpResponseError) -> StoreError:
    """What an answer of the storage means that no rule of a store explains."""
    status = error.status_code or 0
    if not 400 <= status < 500 or status in RETRYABLE:
        return StoreUnavailable(f"the storage answered {status} {error.reason}")
    remedy = "; check the connection string and the rights of the app" if status in (401, 403) else ""
    return StoreRefused(f"the storage answered {status} {error.reason}{remedy}")


def written_at(row: Mapping[str, Any]) -> int:
    """When a row was written, by the storage's clock: Unix time in milliseconds, 0 where that was not read."""
    timestamp = cast(Any, row).metadata.get("timestamp")
    return int(timestamp.timestamp() * 1000) if timestamp else 0


def rows_of(
    table: TableClient,
    query: str,
    parameters: Mapping[str, str],
    *,
    select: list[str] | None = None,
    page: int | None = None,
) -> Iterator[Mapping[str, Any]]:
    """The rows that a query finds; none where there is no table, which is made with the first row.

    Args:
        parameters: what stands in the query for `@name`.
        page: how many are asked for at once; None: as many as the storage gives.
    """
    try:
        yield from table.query_entities(query, parameters=dict(parameters), select=select, results_per_page=page)
    except ResourceNotFoundError:
        return


def replace_row(table: TableClient, row: Mapping[str, Any], version: object) -> str:
    """Replace a row if it is still at this version; the version after that. Else an error of the SDK."""
    done = table.update_entity(
        row, mode=UpdateMode.REPLACE, etag=str(version), match_condition=MatchConditions.IfNotModified
    )
    return str(done["etag"])


def with_table(table: TableClient, write: Callable[[], T]) -> T:
    """What a write gives; if the table is missing, it is made first: for the first row of a new deployment."""
    try:
        return write()
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another instance was quicker
            table.create_table()
        return write()


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
        raise failure(error) from error
    except AzureError as error:
        raise StoreUnavailable(f"the storage did not answer ({type(error).__name__})") from error
