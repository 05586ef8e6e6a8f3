"""One person is one person, however the service writes them; two connections of one number are two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calls import Call, actions
from shared.calls.flow import Flow
from shared.calls.rehearsal import Rehearsal
from shared.errors import ActionFailed
from shared.identifiers import Identifier
from shared.recordings.call_evidence import masked, people
from shared.routing import AnswerWith, LeaveRinging, RejectWith
from shared.routing.reading import load_routes
from tests.fixtures.app.flows.support import AGENT, support
from tests.wire_identifiers import to_wire

NUMBER, OTHER = "+14255550100", "+18005551212"
ASSERTED, SECOND = "207ffef6-9444-41fb-92ab-20eacaae2768", "207ffef6-9444-41fb-92ab-20eacaae2769"
USER = "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000001"
FORMS = ("4:{number}", "4:{number}_" + ASSERTED, "4:{bare}", "4:{bare}_" + ASSERTED)
forms = pytest.mark.parametrize("form", FORMS, ids=["plain", "asserted id", "no plus", "no plus, asserted id"])


def raw(form: str, number: str = NUMBER) -> str:
    return form.format(number=number, bare=number[1:])


# The key


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(FORMS))
def test_every_way_to_write_a_number_has_one_key_and_gives_the_number(number: str, form: str) -> None:
    identifier = Identifier(raw_id=raw(form, number))
    assert (identifier.key, identifier.phone_number, identifier.kind) == (f"4:{number}", number, "phoneNumber")
    assert identifier.asserted_id == (ASSERTED if "_" in form else None)
    wire = to_wire(identifier)
    assert wire["phoneNumber"] == {"value": number, **({"assertedId": ASSERTED} if "_" in form else {})}
    assert Identifier.parse(wire) == identifier, "addressed by the raw id as it came"


@given(st.lists(st.sampled_from([*FORMS, USER, "4:anonymous", "8:orgid:a", "28:orgid:a"]), min_size=2, max_size=2))
def test_two_identifiers_have_one_key_only_if_they_are_one_person(pair: list[str]) -> None:
    one, other = (Identifier(raw_id=raw(text)) for text in pair)
    assert (one.key == other.key) == (pair[0] == pair[1] or all(text in FORMS for text in pair))


@pytest.mark.parametrize(
    ("value", "raw_id"),
    [
        ({"kind": "phoneNumber", "rawId": "", "phoneNumber": {"value": NUMBER}}, f"4:{NUMBER}"),
        ({"kind": "phoneNumber", "rawId": NUMBER, "phoneNumber": {"value": NUMBER}}, f"4:{NUMBER}"),
        ({"phoneNumber": {"value": NUMBER, "assertedId": ASSERTED}}, f"4:{NUMBER}_{ASSERTED}"),
    ],
)
def test_a_model_with_a_number_is_that_phone(value: Any, raw_id: str) -> None:
    assert Identifier.parse(value).raw_id == raw_id


@pytest.mark.parametrize(
    "raw_id", ["4:911", "4:123456", "4:1234567890123456", "4:anonymous", "4:0301234567", f"4:{ASSERTED}"]
)
def test_what_is_no_international_number_gets_no_plus(raw_id: str) -> None:
    assert Identifier(raw_id=raw_id).key == raw_id


# Who takes part


def joined(call: Rehearsal, agent: str, *roster: str) -> Rehearsal:
    call.connect()
    call.prompt_ends()  # it is recorded from here on
    call.press("2")
    call.prompt_ends()
    call.done(actions.AddParticipant, participant=to_wire(Identifier(raw_id=agent)))
    call.present(*roster)
    return call


@forms
def test_an_agent_who_has_joined_is_not_taken_for_busy(form: str) -> None:
    agent = raw(form, AGENT)
    call = joined(Rehearsal(support), agent, f"4:{NUMBER}", agent)
    assert (call.actions[-1].kind, call.hung_up()) == ("sleep", False)
    assert "busy" not in " ".join(call.spoken)


@forms
def test_a_caller_who_is_there_is_not_taken_for_gone(form: str) -> None:
    call = joined(Rehearsal(support, caller=NUMBER), f"4:{AGENT}", raw(form), f"4:{AGENT}")
    assert not call.hung_up()
    call.present(f"4:{AGENT}")
    assert call.hung_up(), "now the caller has left"


@forms
def test_a_caller_who_rings_with_an_asserted_id_is_found_in_the_list_without_it(form: str) -> None:
    call = Rehearsal(support, caller=raw(FORMS[1]))
    joined(call, f"4:{AGENT}", raw(form), f"4:{AGENT}")
    assert not call.hung_up()


def leaves(who: str, rosters: Sequence[Sequence[str]]) -> list[bool]:
    """For each list of participants whether the flow has learnt that `who` left."""

    async def waits(call: Call) -> None:
        await call.signal("begin")
        await call.left(who)
        await call.signal("never")

    call = Rehearsal(Flow("waits", waits))
    call.connect()
    call.present(*rosters[0])
    call.signal("begin")
    found = []
    for roster in rosters[1:]:
        call.present(*roster)
        found.append("signal never" in repr([task.waits_for for task in call._session._tasks]))
    return found


def test_a_number_that_takes_part_twice_has_left_when_both_connections_have() -> None:
    both, one, none = [f"4:{NUMBER}", raw(FORMS[1])], [raw(FORMS[1])], [USER]
    assert leaves(NUMBER, [both, one, none]) == [False, True]


def test_one_connection_of_a_number_is_waited_for_by_its_asserted_id() -> None:
    first, second = f"4:{NUMBER}_{ASSERTED}", f"4:{NUMBER}_{SECOND}"
    assert leaves(first, [[first, second], [second]]) == [True]
    assert leaves(second, [[first, second], [second], [first]]) == [False, True]


def adding(rosters: Sequence[Sequence[str]], target: str = NUMBER) -> str:
    """How an invitation ends that is reported as accepted when the first list of participants has come."""
    ends: list[str] = []

    async def adds(call: Call) -> None:
        await call.signal("begin")
        try:
            await call.add_participant(target, caller_id=OTHER)
            ends.append("joined")
        except ActionFailed:
            ends.append("declined")

    call = Rehearsal(Flow("adds", adds))
    call.connect()
    call.present(*rosters[0])
    call.signal("begin")
    for roster in rosters[1:]:
        call.present(*roster)
    call.done(actions.AddParticipant)
    if not ends:
        call.wait()
    return ends[0]


def test_a_number_that_is_in_the_call_and_invited_again_joins_with_a_connection_of_its_own() -> None:
    first = [USER, f"4:{NUMBER}"]
    assert adding([first, [*first, f"4:{NUMBER}_{ASSERTED}"]]) == "joined"
    assert adding([first, first]) == "declined", "the first connection is not the one that was invited"


def test_a_number_that_left_and_was_invited_again_joins_under_its_old_raw_id() -> None:
    assert adding([[USER, f"4:{NUMBER}"], [USER], [USER, f"4:{NUMBER}"]]) == "joined"


def test_a_user_who_is_in_the_call_already_counts_as_joined() -> None:
    assert adding([[USER]], target=USER) == "joined"


# Routing


def decide(rules: str, *, to: str = OTHER, caller: str = NUMBER) -> Any:
    table = load_routes(f"rules:\n{rules}\n", ["reception"])
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    return table.decide(to=Identifier.parse(to), caller=Identifier.parse(caller), context={}, at=at)


@forms
@pytest.mark.parametrize("pattern", [NUMBER, NUMBER[:8] + "*", f"4:{NUMBER}", f"4:{NUMBER}_{ASSERTED}"])
def test_a_rule_that_rejects_a_caller_rejects_them_however_they_are_written(form: str, pattern: str) -> None:
    rules = f'  - {{from: "{pattern}", reject: forbidden}}\n  - {{answer: reception}}'
    assert isinstance(decide(rules, caller=raw(form)), RejectWith)


@forms
def test_a_rule_for_a_number_takes_its_calls_however_it_is_written(form: str) -> None:
    rules = f'  - {{to: "{OTHER}", answer: reception}}\n  - {{reject: busy}}'
    assert isinstance(decide(rules, to=raw(form, OTHER)), AnswerWith)


@forms
def test_a_redirect_back_to_the_caller_is_seen_however_the_caller_is_written(form: str) -> None:
    assert decide(f'  - {{to: "{OTHER}", redirect: "{NUMBER}"}}', caller=raw(form)).why.endswith("back to the caller")
    assert "callee itself" in decide(f'  - {{redirect: "{NUMBER}"}}', to=raw(form), caller=OTHER).why


def test_a_ring_that_a_redirect_raised_is_left_ringing() -> None:
    assert isinstance(decide(f'  - {{to: "+*", redirect: "{USER}"}}', to=USER), LeaveRinging)


# Quality reports


@forms
def test_a_customer_is_found_on_their_channel_however_they_are_written(form: str) -> None:
    found = people([(raw(form), 1), (USER, 0)], f"4:{NUMBER}", "", "inbound")
    assert [person.role for person in found.values()] == ["agent", "customer"]
    assert found[1].participant == masked(f"4:{NUMBER}")


def test_of_two_connections_of_one_number_the_caller_s_own_is_the_customer() -> None:
    caller, other = f"4:{NUMBER}_{ASSERTED}", f"4:{NUMBER}_{SECOND}"
    found = people([(caller, 0), (other, 1)], caller, "", "inbound")
    assert [person.role for person in found.values()] == ["customer", "agent"]
