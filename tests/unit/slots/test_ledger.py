"""Who gets a slot of a caller number, who waits, and when slots are free again."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls import Call, Flow, actions
from shared.calls.brakes import Braked
from shared.calls.operation import Operation, Scheduler
from shared.calls.record import CallRecord
from shared.calls.slots.ledger import Lease, SlotLedger, read_leases
from shared.errors import LostRace
from shared.identifiers import Identifier
from shared.text_rows import MemoryTextRows
from tests.unit.calls.losses import Death, dies
from tests.unit.calls.world import CALLEE, CALLER, Clock, Instance, World, parsed
from tests.unit.slots.service import AGENT, FLOWS, NUMBER, Number, Telephones, connection_of, ledger, taken

USER = Identifier.parse("8:acs:11111111-2222-4333-8444-555555555555_0000002a")


def operation(action: actions.Action, seq: int = 0) -> Operation[Any]:
    return Operation(seq, action, Scheduler())


def calling(*targets: Identifier, seq: int = 0, caller_id: Identifier = CALLEE) -> Operation[Any]:
    return operation(actions.CreateCall(targets=targets or (CALLER,), caller_id=caller_id), seq)


def take(slots: SlotLedger, call_id: str, *targets: Identifier, seq: int = 0) -> tuple[str, bool]:
    """Which code a call meets that is placed, and whether it may be tried again; empty: it has its slot."""
    try:
        slots.take(CallRecord(call_id, flow="calls"), calling(*targets, seq=seq))
    except Braked as braked:
        return braked.code, braked.retryable
    return "", False


def test_two_telephones_are_called_at_once_and_the_third_may_be_tried_again() -> None:
    rows, clock = MemoryTextRows(), Clock()
    one, other = ledger(rows, clock), ledger(rows, clock)
    assert [take(one, "a"), take(other, "b"), take(one, "c"), take(other, "d")] == [
        ("", False),
        ("", False),
        ("no_free_slot", True),
        ("no_free_slot", True),
    ]
    assert read_leases(rows.read()[NUMBER]) == [Lease("a", 0, 1, clock.now), Lease("b", 0, 1, clock.now)]


def test_a_slot_is_taken_in_one_conditional_write() -> None:
    rows = MemoryTextRows()
    slots = ledger(rows, Clock(), {NUMBER: Number(concurrent_out=5)})
    take(slots, "a")
    reads = rows.reads
    take(slots, "b")
    take(slots, "c")
    assert (rows.reads, taken(rows)) == (reads, 3)


def test_an_operation_that_is_sent_again_has_its_slot_still() -> None:
    rows, clock = MemoryTextRows(), Clock()
    one = ledger(rows, clock)
    take(one, "a")
    take(one, "b")
    assert take(one, "a") == ("", False)
    assert take(ledger(rows, clock), "b") == ("", False)
    assert taken(rows) == 2


def test_a_lease_whose_response_was_lost_is_known_again() -> None:
    class Losing(MemoryTextRows):
        def replace(self, name: str, text: str, version: object | None) -> object:
            super().replace(name, text, version)
            raise LostRace(name)

    rows = Losing()
    slots = ledger(rows, Clock())
    assert [take(slots, "a"), take(slots, "b"), take(slots, "c")] == [("", False), ("", False), ("no_free_slot", True)]
    assert taken(rows) == 2


def test_every_telephone_counts_and_users_do_not() -> None:
    rows = MemoryTextRows()
    slots = ledger(rows, Clock(), {NUMBER: Number(concurrent_out=3)})
    assert take(slots, "a", CALLER, AGENT, USER) == ("", False)
    assert take(slots, "b", USER) == ("", False)
    assert taken(rows) == 2
    assert take(slots, "c", CALLER, AGENT) == ("no_free_slot", True)
    assert take(slots, "d", *(Identifier.parse(f"+1425555010{n}") for n in range(4))) == ("no_free_slot", False)


def test_a_number_that_is_not_declared_has_no_limit_and_costs_nothing() -> None:
    rows = MemoryTextRows()
    slots = ledger(rows, Clock(), {"+18005550100": Number()})
    for number in range(20):
        assert take(slots, f"call {number}") == ("", False)
    assert (rows.reads, rows.read()) == (0, {})


@pytest.mark.parametrize("use", ["outreach", "reminders"])
def test_campaigns_leave_the_reserve_to_people_who_wait(use: str) -> None:
    rows, clock = MemoryTextRows(), Clock()
    numbers = {NUMBER: Number(concurrent_out=3, reserve=1)}
    campaign, people = ledger(rows, clock, numbers, use), ledger(rows, clock, numbers)
    assert [take(campaign, "a"), take(campaign, "b")] == [("", False), ("", False)]
    assert take(campaign, "c") == ("no_free_slot", True)
    # Whoever is called by a campaign and asks for a person waits.
    adding = operation(actions.AddParticipant(target=AGENT, caller_id=CALLEE), 7)
    campaign.take(CallRecord("a", flow="calls", direction="outbound"), adding)
    assert take(people, "d") == ("no_free_slot", True)
    assert taken(rows) == 3


def test_a_number_is_for_its_uses_alone() -> None:
    rows, clock, numbers = MemoryTextRows(), Clock(), {NUMBER: Number(uses=("masking", "outreach"))}
    assert take(ledger(rows, clock, numbers), "a") == ("number_not_for_use", False)
    assert take(ledger(rows, clock, numbers, "masking"), "a") == ("", False)


def test_a_transfer_shows_the_number_that_was_called_unless_it_names_another() -> None:
    rows = MemoryTextRows()
    slots = ledger(rows, Clock())
    inbound = CallRecord("in", direction="inbound", caller="4:+14255550100", callee="4:+18005550199")
    slots.take(inbound, operation(actions.Transfer(target=AGENT), 3))
    outbound = CallRecord("out", direction="outbound", caller="4:+18005550100", callee="4:+18005550199")
    slots.take(outbound, operation(actions.Transfer(target=AGENT), 3))
    assert read_leases(rows.read()[NUMBER])[0].of == ("in", 3)
    assert taken(rows) == 1


# Through the conductor


class Desk:
    """Calls under one number, on one instance; the service does what it is told."""

    def __init__(self, use: str = "calls") -> None:
        self.world = World()
        self.rows = MemoryTextRows()
        self.service = Telephones(self.world)
        self.world.gateway._answer = self.service.respond
        self.use = use
        self.instance = self.new()

    def new(self) -> Instance:
        return self.world.conductor(flows=FLOWS | MORE, slots=ledger(self.rows, self.world.clock, use=self.use))

    def place(self, flow: str = "calls") -> str:
        return self.instance.place(flow, None)[1]

    def does(self, how: str = "works", at: int = -1, step: int = 0) -> str:
        """The service goes on with a request; the call that it is about."""
        request = self.world.gateway.performed[at]
        self.service.starts(request)
        self.tell(request.call_id, *self.service.run(request)[step](how))
        return request.call_id

    def tell(self, call_id: str, *bodies: dict[str, Any]) -> None:
        for body in bodies:
            self.instance.deliver(call_id, [parsed(body)])

    @property
    def taken(self) -> int:
        return taken(self.rows)


async def adds(call: Call) -> None:
    """Answers, and adds somebody."""
    await call.create_call(CALLER, caller_id=CALLEE)
    await call.add_participant(AGENT, caller_id=CALLEE)
    await call.signal("go on")


MORE = {"adds": Flow("adds", adds, opens=True)}


def test_the_slot_of_a_call_that_fails_is_free_and_the_call_is_tried_again() -> None:
    desk = Desk()
    desk.place()
    assert desk.taken == 1
    desk.does("fails")
    assert desk.taken == 0
    assert [timer[2] - desk.world.clock.now for timer in desk.world.timers.due] == [20_000]


def test_a_call_that_finds_no_slot_waits_and_calls_when_one_is_free() -> None:
    desk = Desk()
    first, _, third = (desk.place() for _ in range(3))
    assert (desk.taken, len(desk.world.gateway.performed)) == (2, 2)
    assert desk.world.store.peek(third).status == "waiting"
    desk.does("fails", 0)
    call_id, seq, due = next(timer for timer in desk.world.timers.due if timer[0] == third)
    desk.world.clock.now = due
    desk.instance.wake(call_id, seq, due)
    assert desk.world.gateway.performed[-1].call_id == third
    assert desk.taken == 2
    assert first != third


def test_the_slot_of_somebody_who_was_added_is_free_when_they_have_left() -> None:
    desk = Desk()
    desk.place("adds")
    desk.does()
    assert desk.taken == 2
    desk.does(at=1)
    assert desk.taken == 2
    desk.does(at=1, step=1)
    assert desk.taken == 1


def test_all_slots_of_a_call_are_free_when_it_is_over() -> None:
    desk = Desk()
    desk.place("adds")
    desk.does()
    desk.does(at=1)
    desk.does("fails", at=1, step=1)
    assert desk.taken == 0


def test_a_refused_request_leaves_no_slot_behind() -> None:
    from shared.calls.gateway.memory import refuse

    desk = Desk()
    desk.world.gateway._answer = refuse(403, "8502")
    desk.place()
    assert desk.taken == 0


def test_legs_that_were_transferred_hold_their_slots_for_an_hour() -> None:
    desk = Desk()
    desk.place("transfers")
    desk.does()
    call_id = desk.does()
    assert desk.world.store.peek(call_id).outcome == "transferred"
    desk.world.clock.pass_seconds(3599)
    desk.instance.watch()
    assert desk.taken == 2
    desk.world.clock.pass_seconds(21)
    desk.instance.watch()
    assert desk.taken == 0


def test_an_event_that_tells_the_end_frees_transferred_legs() -> None:
    desk = Desk()
    desk.place("transfers")
    desk.does()
    record = desk.world.store.peek(desk.does())
    ended = {"eventType": "Microsoft.Communication.CallEnded"}
    desk.instance.deliver_lifecycle_event(record.server_call_id, "grid 1", ended)
    assert desk.taken == 0


def test_the_watchdog_frees_what_an_instance_left_that_died() -> None:
    desk = Desk()
    call_id = desk.place("adds")
    desk.does()
    desk.world.gateway.states[connection_of(desk.world.gateway.performed[0])] = "connected"
    desk.rows.put(NUMBER, f'[["{call_id}",0,1,1],["{call_id}",5,1,1],["removed",0,1,{desk.world.clock.now}]]')
    other = desk.new()
    other.watch()
    assert [lease.of for lease in read_leases(desk.rows.read()[NUMBER])] == [(call_id, 0), ("removed", 0)]
    desk.world.clock.pass_seconds(3601)
    other.watch()
    # As long as its call goes on, no time ends a lease.
    assert [lease.of for lease in read_leases(desk.rows.read()[NUMBER])] == [(call_id, 0)]


def test_a_call_that_holds_a_slot_is_watched_though_its_instance_died_before_it_was_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    monkeypatch.setattr(desk.world.gateway, "perform", dies)
    monkeypatch.setattr(desk.instance.afterwards, "write_index", dies)
    with pytest.raises(Death):
        desk.place()
    monkeypatch.undo()
    assert (desk.taken, list(desk.world.store.open_calls()), desk.world.kinds()) == (1, [], [])
    other = desk.new()
    other.watch()
    assert list(desk.world.store.open_calls()) == []  # whoever placed it may be about to
    desk.world.clock.pass_seconds(20)
    other.watch()
    assert (len(list(desk.world.store.open_calls())), desk.world.kinds()) == (1, ["create_call"])
    desk.does("fails")
    assert desk.taken == 0


def test_idle_costs_one_read_a_minute_and_calls_one_each_twenty_seconds() -> None:
    desk = Desk()
    reads = []
    for _ in range(2 * 12):
        before = desk.rows.reads
        desk.instance.watch()
        reads.append(desk.rows.reads - before)
        desk.world.clock.pass_seconds(5)
    assert [at for at, count in enumerate(reads) if count] == [0, 12]
    desk.place()
    desk.world.gateway.states["connected"] = "connected"
    before = desk.rows.reads
    for _ in range(8):
        desk.instance.watch()
        desk.world.clock.pass_seconds(5)
    assert desk.rows.reads - before == 2
