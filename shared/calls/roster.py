"""Who is in the call, as of the newest ParticipantsUpdated."""

from __future__ import annotations

from collections.abc import Iterable

from shared.identifiers import Identifier


class Roster:
    """The participants of a call: people by their keys, the connections of one phone number by their raw ids."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._known: set[str] = set()

    def update(self, identifiers: Iterable[Identifier]) -> None:
        """The list has changed."""
        self._now = {identifier.raw_id: identifier.key for identifier in identifiers}
        self._known.update(self._now)

    def connections(self, who: Identifier) -> frozenset[str]:
        """The raw ids under which somebody takes part: of a phone number perhaps several.

        An asserted id that was seen in this call means that one connection; otherwise the person is meant, for the
        service does not write it in all places.
        """
        if who.asserted_id is not None and who.raw_id in self._known:
            return frozenset({who.raw_id} & self._now.keys())
        return frozenset(raw_id for raw_id, key in self._now.items() if key == who.key)

    def __contains__(self, who: Identifier) -> bool:
        return bool(self.connections(who))
