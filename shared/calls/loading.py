"""The calls of this instance: from memory where they are likely to be the newest, from the store otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.calls.call_cache import CachedCall, CallCache, StoredHead
from shared.calls.flow import Flow, flow_of
from shared.calls.freshness import Freshness
from shared.calls.prompts import Prompt
from shared.calls.record import CallRecord
from shared.calls.replay import Session
from shared.calls.sealing import DESTROYED, Sealing
from shared.calls.store.base import CallStore, Stored
from shared.errors import FlowChanged
from shared.events import CallEvent
from shared.identifiers import Identifier
from shared.logs import logger

if TYPE_CHECKING:
    from shared.calls.checks import Watch

log = logger("switchboard.calls")


class Calls:
    """Gives calls to work on.

    Args:
        flows: by name; a call whose flow the app has no more gets one that fails.
        apology, transfer_to: as for the Conductor.
        cached: calls that are kept in memory between events.
        sealing: decrypts what is secret.
        watched: watch flows for mistakes while they run.

    Attributes:
        cache: those in memory, and the locks by which one thread at a time works on a call.
        complete: puts into a record that was loaded what this instance knows beyond the stored one.
        freshness: what this instance has learnt of how old they tend to be.
    """

    def __init__(
        self,
        store: CallStore,
        flows: Mapping[str, Flow],
        apology: tuple[Prompt, ...],
        transfer_to: Identifier | None,
        cached: int,
        sealing: Sealing,
        *,
        watched: bool = False,
    ) -> None:
        self._watched = watched
        # A suspended coroutine runs its `finally` blocks when it is dropped. Watched calls are dropped at every event,
        # which would make an author wonder, so these are kept while the process lives.
        self._dropped: list[Session] = []
        self._store = store
        self._sealing = sealing
        self._flows = flows
        self._apology = apology
        self._transfer_to = transfer_to
        self.cache = CallCache(cached)
        self.complete: Callable[[CallRecord], None] = lambda record: None
        self.freshness = Freshness()

    def session(self, call_id: str, flow: str) -> Session:
        """A call that has not begun."""
        watch = None
        if self._watched:
            from shared.calls.checks import Watch  # for a developer's machine alone

            watch = Watch()
        return self._session(call_id, flow_of(self._flows, flow) or _missing(flow), watch)

    def _session(self, call_id: str, flow: Flow, watch: Watch | None = None) -> Session:
        session = Session(
            flow,
            call_id,
            apology=self._apology,
            transfer_to=self._transfer_to,
            watch=watch,
            secrets=self._sealing.available,
        )
        if self._watched:
            self._dropped.append(session)
        return session

    def load(self, call_id: str, held: CachedCall | None = None) -> CachedCall:
        """The newest state of a call; UnknownCall. One round trip.

        Args:
            held: an older state, which is brought up to date; given back itself if it is the newest.
        """
        stored = self._store.load(call_id)
        if held is not None and held.version == stored.version:
            return held
        if stored.record.secrets == DESTROYED:
            session = self._session(call_id, _missing(stored.record.flow))
            session.take_up_ended(stored.journal, replace(stored.record))
        else:
            session = self._replayed(stored, held)
        session.take_failed()  # logged when they came
        session.adopt(stored.record)
        self.complete(session.record)
        return CachedCall(session, stored.version, StoredHead.of(stored.record))

    def _replayed(self, stored: Stored, held: CachedCall | None) -> Session:
        record = stored.record
        session = held.session if held is not None else None
        journal = self._sealing.opened(record, stored.journal[session.record.entries if session else 0 :])
        if journal is None:
            log.error("the secrets of a call cannot be read: SECRETS_KEY has changed call=%s", record.call_id)
            session, journal = self._session(record.call_id, _UNREADABLE), stored.journal
        elif session is None:
            session = self.session(record.call_id, record.flow)
        session.feed_stored(journal)
        return session

    def newest(self, call_id: str, events: Iterable[CallEvent | None]) -> tuple[CachedCall, bool]:
        """The call to build on, taken out of memory; and whether it comes from there unseen, so that it may be old."""
        held = self.cache.take(call_id)
        if held is not None and self.freshness.trusts(held.session, events):
            return held, True
        loaded = self.load(call_id, held)
        if held is not None or not loaded.session.finished:
            # A call that goes on and is not in memory is in another instance's.
            self.freshness.learn(fresh=loaded is held)
        return loaded, False

    def look(self, call_id: str, *, newest: bool = False) -> CachedCall:
        """A call to look at, which stays in memory; `newest`: as the store has it."""
        held = self.cache.take(call_id)
        if held is None or newest:
            held = self.load(call_id, held)
        self.cache.put(call_id, held)
        return held


def _stand_in(name: str, problem: str, remedy: str) -> Flow:
    """A flow that fails, in place of one that cannot run."""

    async def absent(call: object) -> None:
        raise FlowChanged(problem, remedy)

    return Flow(name, absent)


def _missing(name: str) -> Flow:
    """Stands in for a flow that the app does not have: NO_FLOW, or one that was removed under its calls."""
    return _stand_in(
        name,
        f"the app has no flow {name!r} any more",
        "Keep a flow until its last call is over; of one that was renamed write: formerly=[the old name].",
    )


_UNREADABLE = _stand_in(
    "-",
    "the secrets of the call were encrypted under a key that is not set any more",
    "Put the key that came before SECRETS_KEY into SECRETS_KEY_PREVIOUS until the calls of its time are over.",
)
