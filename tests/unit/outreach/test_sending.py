"""Files on their way into a campaign: kept, imported by the queue, gone on with after a crash."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import CampaignState, InvalidInput, KeyReused, NotFound, StoreUnavailable
from shared.outreach.sending import as_csv
from shared.use_cases.base import Task
from tests.unit.outreach.engine import World
from tests.unit.outreach.people import BERLIN

FILE = f"id,number\n1,{BERLIN}\n".encode()
IMPORT = Task("outreach", "import", {"campaign": "spring", "upload": "u1"})


def state(world: World) -> str:
    campaign = world.state.campaigns.get("spring")
    assert campaign is not None
    return campaign.state


def test_a_file_is_kept_until_it_is_imported_and_then_removed() -> None:
    world = World()
    world.campaign(state="draft", people=0)
    report = world.outreach.sending.send("spring", "u1", "file", FILE, "ada")
    assert (report.state, state(world), list(world.files.kept)) == ("importing", "importing", ["spring/u1/file"])
    assert [task for task, _ in world.queue.sent] == [IMPORT]
    world.work()
    assert (state(world), world.files.kept) == ("ready", {})
    campaign = world.state.campaigns.get("spring")
    assert campaign is not None
    assert (campaign.people, campaign.imported) == (1, ("u1",))
    assert world.outreach.work(IMPORT) == "is over"


def test_a_running_campaign_goes_on_when_its_file_is_whole() -> None:
    world = World()
    world.campaign()
    world.outreach.sending.send("spring", "u1", "file", FILE, "ada")
    world.work()
    assert (state(world), len(world.calls.placed)) == ("running", 1)


def test_the_same_again_changes_nothing_and_another_file_under_its_id_is_refused() -> None:
    world = World()
    world.campaign(state="draft")
    for _ in range(2):
        world.outreach.sending.send("spring", "u1", "file", FILE, "ada")
    with pytest.raises(KeyReused):
        world.outreach.sending.send("spring", "u1", "file", FILE + b"\n", "ada")
    with pytest.raises(CampaignState):
        world.outreach.sending.send("spring", "u2", "file", FILE, "ada")
    with pytest.raises(NotFound):
        world.outreach.sending.send("summer", "u1", "file", FILE, "ada")
    world.work()
    assert world.outreach.sending.send("spring", "u1", "file", FILE, "ada").state == "whole"
    assert world.files.kept == {}


def test_an_import_whose_message_was_lost_is_found_by_the_agenda() -> None:
    world = World()
    world.campaign(state="draft")
    world.outreach.sending.send("spring", "u1", "file", FILE, "ada")
    world.queue.sent.clear()
    world.pass_time(timedelta(minutes=6))
    assert state(world) == "ready"


@pytest.mark.parametrize("at", range(1, 14))
def test_a_crash_anywhere_is_gone_on_from(at: int) -> None:
    world = World()
    world.campaign(state="draft", people=0)
    left = [at]

    def crash() -> bool:
        left[0] -= 1
        return left[0] == 0

    world.rows.crash = crash
    for _ in range(3):
        try:
            world.outreach.sending.send("spring", "u1", "file", FILE, "ada")
            break
        except StoreUnavailable:
            continue
    world.work()
    campaign = world.state.campaigns.get("spring")
    assert campaign is not None
    assert (campaign.state, campaign.people, campaign.imported) == ("ready", 1, ("u1",))


def test_people_become_a_file_and_unknown_fields_are_named() -> None:
    people = [{"id": "1", "number": BERLIN}, {"id": "2", "doctor": 'Dr. "X", Y'}]
    assert as_csv(people, ["doctor"]).decode().splitlines() == [
        "id,number,doctor",
        f"1,{BERLIN},",
        '2,,"Dr. ""X"", Y"',
    ]
    with pytest.raises(InvalidInput, match=r"people\.1\.doctor"):
        as_csv(people, [])
