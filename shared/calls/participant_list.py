"""Who is in the call, as of the newest ParticipantsUpdated."""

from __future__ import annotations

from collections.abc import Iterable

from shared.identifiers import Identifier


class ParticipantList:
    """The participants of a call: people by their keys, the connections of one phone number by their raw ids."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._hidden = 0
        self._known: set[str] = set()
        self.told = False
        """Whether the participants are known: before the first list nobody is in the call, and nobody has left it."""

    def update(self, identifiers: Iterable[Identifier], hidden: int = 0) -> None:
        """The list has changed.

        Args:
            hidden: entries that could not be read. With more of them than before nobody counts as gone, for whoever
                is missing may be one of them.
        """
        self.told = True
        now = {identifier.raw_id: identifier.key for identifier in identifiers}
        self._now = self._now | now if hidden > self._hidden else now
        self._hidden = hidden
        self._known.update(now)

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
