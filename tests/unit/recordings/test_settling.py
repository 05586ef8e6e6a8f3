"""A recording goes on to its report, also if the response to the write that settles it is lost."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import LostRace
from tests.unit.recordings.world import World


def test_a_file_whose_archiving_was_written_down_unheard_under_somebody_elses_write_still_has_its_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(delete_source=True)
    recording = world.announce()
    save = world.ledger.save

    def unheard(record: Any, version: Any) -> Any:
        done = save(record, version)
        if record.chunks[0].status == "archived":
            monkeypatch.setattr(world.ledger, "save", save)
            world.pipeline._records.change(recording, lambda _: None)  # another instance, at another file
            raise LostRace(recording)
        return done

    monkeypatch.setattr(world.ledger, "save", unheard)
    world.run()
    assert world.record(recording).status == "reported"
    assert world.record(recording).chunks[0].deleted
