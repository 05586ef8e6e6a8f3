"""Files that are dropped into the container count as uploads, each once, whoever dies over it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

import pytest

from devstack.azurite import Azurite
from shared.azure.inbox import BlobInbox
from shared.errors import LostRace, StoreUnavailable
from shared.outreach.ports import DroppedFile
from shared.storage_account import StorageAccount
from shared.use_cases.base import Task
from tests.unit.outreach.engine import World
from tests.unit.outreach.people import SERVICE

FILE = b"id,phone\nA-1,+49 30 123456\nA-2,+49 30 123457\n"
_prefixes = itertools.count(1)


def drop(world: World, name: str = "spring/monday.csv", data: bytes = FILE, version: str = "1") -> None:
    world.files.inbox[DroppedFile(name, version, world.now)] = data


def minute(world: World, minutes: int = 1) -> None:
    for _ in range(minutes):
        world.pass_time(timedelta(minutes=1))


def people(world: World) -> list[str]:
    return sorted(one.wanted.id for one in world.state.people.all("spring"))


def waiting_world() -> World:
    world = World()
    made = world.campaign(state="draft", people=0)
    world.outreach.make(made, "ada")
    return world


def test_a_file_in_the_folder_of_a_campaign_is_imported_within_two_minutes_and_taken_away() -> None:
    world = waiting_world()
    minute(world, 5)
    drop(world)
    minute(world, 2)
    assert people(world) == ["A-1", "A-2"]
    assert (world.files.inbox, world.files.kept) == ({}, {})
    campaign = world.state.campaigns.get("spring")
    assert campaign is not None
    assert (campaign.state, campaign.people) == ("ready", 2)
    audited = world.outreach.audit("spring")[-1]
    assert (audited.what, audited.by) == ("uploaded", "outreach-in")
    assert world.outreach.sending.report("spring", audited.more).new == 2


def test_the_same_name_again_is_another_file() -> None:
    world = waiting_world()
    drop(world)
    minute(world, 2)
    drop(world, data=b"id,phone\nA-3,+49 30 123458\n", version="2")
    minute(world, 2)
    assert people(world) == ["A-1", "A-2", "A-3"]


def test_a_file_that_may_still_be_written_waits() -> None:
    world = waiting_world()
    minute(world)
    drop(world)
    world.now += timedelta(seconds=19)
    assert world.outreach.inbox.look() == 0
    world.now += timedelta(seconds=1)
    assert world.outreach.inbox.look() == 1


@pytest.mark.parametrize("name", ["monday.csv", "autumn/monday.csv", "spring/"])
def test_a_file_of_no_campaign_is_left_and_said_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    world = waiting_world()
    drop(world, name)
    with caplog.at_level(logging.WARNING):
        minute(world, 4)
    assert len(world.files.inbox) == 1
    assert [one for one in caplog.messages if "outreach-in" in one] == [
        "a file in outreach-in is not imported: its folder is not the id of a campaign: it is left"
    ]


def test_a_file_waits_while_another_one_is_imported_and_for_ever_when_the_campaign_is_stopped() -> None:
    world = waiting_world()
    world.campaign(state="importing", upload="other", people=0)
    drop(world)
    world.now += timedelta(seconds=20)
    assert world.outreach.inbox.look() == 0
    world.campaign(state="stopped", people=0)
    world.campaign("other", state="draft")  # for which it is looked
    assert world.outreach.inbox.look() == 0
    assert len(world.files.inbox) == 1
    world.campaign(people=0)
    assert world.outreach.inbox.look() == 1


def test_whoever_dies_over_a_file_leaves_it_to_be_imported_once() -> None:
    for step in range(1, 40):
        world = waiting_world()
        drop(world)
        steps = itertools.count(1)
        world.rows.crash = lambda steps=steps, step=step: next(steps) == step  # type: ignore[misc]
        for _ in range(4):
            with suppress(StoreUnavailable):  # the timer itself
                minute(world)
        world.rows.crash = lambda: False
        minute(world, 11)
        assert people(world) == ["A-1", "A-2"], step
        assert world.files.inbox == {}
        campaign = world.state.campaigns.get("spring")
        assert campaign is not None
        assert (campaign.state, campaign.people, len(campaign.imported)) == ("ready", 2, 1), step


def test_nobody_looks_where_no_campaign_may_get_a_file() -> None:
    world = World()
    world.campaign(state="stopped")
    world.agenda.put("outreach", "_inbox", world.now)
    minute(world)
    assert world.agenda.due(world.now + timedelta(days=9)) == []
    world.campaign(state="finished", started=world.now, finished=world.now)
    world.agenda.put("outreach", "_inbox", world.now)
    minute(world)
    assert len(world.agenda.due(world.now + timedelta(days=9))) == 1
    world.now += timedelta(days=31)
    minute(world, 2)
    assert world.agenda.due(world.now + timedelta(days=9)) == []


def test_a_look_that_got_lost_is_taken_up_again_by_a_campaign_that_runs() -> None:
    world = World()
    world.campaign(rules=SERVICE)
    world.outreach.due("spring")
    drop(world)
    minute(world, 2)
    assert world.files.inbox == {}


def test_work_of_another_kind_is_refused() -> None:
    world = waiting_world()
    with pytest.raises(Exception, match="is no work of campaigns"):
        world.outreach.work(Task("outreach", "look in", {}))


# In the storage


def blobs(inbox: BlobInbox, files: Iterable[tuple[str, bytes]]) -> None:
    for name, data in files:
        inbox._blobs.client.upload_blob(name, data, overwrite=True)


@pytest.mark.node
def test_the_container_is_there_after_the_first_look_and_a_file_is_read_as_it_was_seen(azurite: Azurite) -> None:
    inbox = BlobInbox(StorageAccount(azurite.connection_string), f"in{next(_prefixes)}x")
    assert inbox.waiting() == []
    big = b"id,phone\n" * 1_000_000
    blobs(inbox, [("spring/a.csv", FILE), ("spring/b.csv", big)])
    first, second = inbox.waiting()
    assert (first.name, b"".join(inbox.read(first))) == ("spring/a.csv", FILE)
    chunks = list(inbox.read(second))
    assert (b"".join(chunks) == big, len(chunks)) == (True, 3)
    blobs(inbox, [("spring/a.csv", b"another")])
    with pytest.raises(LostRace):
        list(inbox.read(first))
    inbox.remove(first)
    inbox.remove(second)
    inbox.remove(second)
    (left,) = inbox.waiting()
    assert (left.name, left.version != first.version, left.changed >= first.changed) == ("spring/a.csv", True, True)


@pytest.mark.node
def test_a_storage_that_is_away_is_said_so() -> None:
    away = StorageAccount(
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/a;"
    )
    with pytest.raises(StoreUnavailable):
        BlobInbox(away, "x").waiting()
