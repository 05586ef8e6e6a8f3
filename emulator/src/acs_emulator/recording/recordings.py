"""The recordings that go on, the last of those that have ended, and the files of both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acs_emulator.calls.call import Call, Leg
from acs_emulator.calls.resource import Resource
from acs_emulator.recording.archive import Archive
from acs_emulator.recording.finishing import finish
from acs_emulator.recording.options import RecordingOptions
from acs_emulator.recording.session import Recording

#: Ended recordings that the control API can still describe.
_FINISHED = 200


class Recordings:
    """``origin`` gives the first part of file locations; ``on_spoken`` is told what was said, with its sound.

    What is in ``location`` stays over a restart.
    """

    def __init__(
        self,
        resource: Resource,
        origin: Callable[[], str],
        on_spoken: Callable[[str, bytes], None],
        location: Path | None = None,
    ) -> None:
        self._resource = resource
        self._origin = origin
        self._on_spoken = on_spoken
        self.archive = Archive(resource.clock, location)
        for text, pcm in self.archive.speech():
            on_spoken(text, pcm)
        #: Those that go on, by id.
        self.running: dict[str, Recording] = {}
        self._finished: deque[Recording] = deque(maxlen=_FINISHED)
        #: Descriptions of recordings that an emulator before this one has made at the same place.
        self._before: deque[dict[str, Any]] = deque(self.archive.descriptions(), maxlen=_FINISHED)

    def new(self, call: Call, options: RecordingOptions, leg: Leg | None, callback_uri: str | None) -> Recording:
        """A recording that has not begun; ``leg`` if the call was named by it."""
        return Recording(call, options, leg, callback_uri, self._stopped)

    def begin(self, recording: Recording) -> None:
        self.running[recording.id] = recording
        recording.begin()

    def of(self, call: Call) -> list[Recording]:
        """Those of a call that go on."""
        return [recording for recording in self.running.values() if recording.call is call]

    def _stopped(self, recording: Recording) -> None:
        self.running.pop(recording.id, None)
        self._finished.append(recording)
        work = finish(recording, self.archive, self._origin(), self._spoken)
        self._resource.tasks.start(work, f"files of recording {recording.id}")

    def _spoken(self, text: str, pcm: bytes) -> None:
        self.archive.add_speech(text, pcm)
        self._on_spoken(text, pcm)

    def describe(self) -> list[dict[str, Any]]:
        """What the control API shows, those that go on first."""
        known = [recording.describe() for recording in (*self.running.values(), *self._finished)]
        return known + list(self._before)[: max(0, _FINISHED - len(self._finished))]

    def clear(self) -> None:
        """Forget all of it, also what stays over a restart."""
        self.running.clear()
        self._finished.clear()
        self._before.clear()
        self.archive.clear()

    def close(self) -> None:
        """Let go of the files that do not stay."""
        self.archive.close()
