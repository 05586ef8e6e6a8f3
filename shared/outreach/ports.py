"""What campaigns ask of the rest of the app."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from shared.calls.record import CallRecord
from shared.errors import LostRace
from shared.outreach.campaign import Campaign
from shared.outreach.dialing import Slots
from shared.outreach.windows import Window
from shared.use_cases.base import Task

Clock = Callable[[], datetime]
Windows = Callable[[Campaign], Window | None]
"""The hours of a campaign, as of now; None: its calendar is missing."""


class Calls(Protocol):
    """The calls of the app. Every method may raise StoreUnavailable."""

    def forbidden(self, caller: str, number: str) -> str:
        """The code of the brake that keeps a number from being called now; empty: none does."""

    def slots(self, callers: Sequence[str]) -> Mapping[str, Slots | None]:
        """What caller numbers have for campaigns; None: no limit. One round trip."""

    def place(self, flow: str, caller: str, number: str, data: Mapping[str, Any], attempt: str) -> None:
        """Call a number; asked again for an attempt, nothing happens."""

    def was_placed(self, attempt: str) -> bool:
        """Whether the call of an attempt is known. One round trip."""

    def broke_off(self, attempt: str) -> bool:
        """Whether the call of an attempt is known, and nothing shows that it left the app. One round trip."""

    def resume(self, attempt: str) -> None:
        """Go on with placing the call of an attempt, where whoever placed it died on the way."""

    def attempt_of(self, record: CallRecord) -> str:
        """The attempt of a call that was placed by `place`; empty: it is no such call."""

    def call_id(self, attempt: str) -> str:
        """The id of the call of an attempt."""


class Announcing(Protocol):
    """Tells other systems that a campaign is finished."""

    def announce(self, campaign: Campaign, task: Task) -> str:
        """Do a task; what came of it, for the log."""

    def announce_again(self, campaign: Campaign) -> list[str]:
        """Try again what was given up; the targets. UnknownDeadLetter."""


class DroppedFile(NamedTuple):
    """A file that somebody has dropped.

    Attributes:
        name: with its folder.
        version: another one whenever it is written.
        changed: when that was.
    """

    name: str
    version: str
    changed: datetime


class Files(Protocol):
    """Files that wait for their import. Every method may raise StoreUnavailable."""

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Keep a file; nobody sees it before it is whole."""

    def read(self, name: str) -> Iterator[bytes]:
        """A file, in blocks. KeyError."""

    def remove(self, folder: str) -> None:
        """Remove the files whose names begin with `folder/`; none is no error."""

    def dropped(self) -> Sequence[DroppedFile]:
        """The files that somebody has dropped to be imported. One round trip."""

    def read_dropped(self, file: DroppedFile) -> Iterator[bytes]:
        """One of them, in blocks, as it was seen. LostRace."""

    def remove_dropped(self, file: DroppedFile) -> None:
        """Remove one of them, unless it is another by now."""


class MemoryFiles:
    """In memory, for tests."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.inbox: dict[DroppedFile, bytes] = {}

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        self.kept[name] = b"".join(chunks)

    def read(self, name: str) -> Iterator[bytes]:
        return iter([self.kept[name]])

    def remove(self, folder: str) -> None:
        self.kept = {name: data for name, data in self.kept.items() if not name.startswith(f"{folder}/")}

    def dropped(self) -> Sequence[DroppedFile]:
        return list(self.inbox)

    def read_dropped(self, file: DroppedFile) -> Iterator[bytes]:
        if file not in self.inbox:
            raise LostRace(file.name)
        return iter([self.inbox[file]])

    def remove_dropped(self, file: DroppedFile) -> None:
        self.inbox.pop(file, None)
