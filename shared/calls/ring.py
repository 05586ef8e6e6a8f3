"""An incoming call, as the conductor needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.events import TeamsPhoneCallDetails
from shared.identifiers import Identifier


@dataclass(frozen=True, slots=True)
class Ring:
    """An incoming call, as the conductor needs it, and the language that the routing gives it."""

    correlation_id: str
    server_call_id: str
    caller: Identifier
    callee: Identifier
    incoming_call_context: str
    at: int
    display_name: str = ""
    context: Mapping[str, str] | None = None
    on_behalf_of: Identifier | None = None
    teams: TeamsPhoneCallDetails | None = None
    source_event: str = ""
    language: str = ""
