"""Who is who on the channels, and what the report shows of their identifiers."""

from __future__ import annotations

from typing import Literal

import pytest

from shared.quality.assemble import Person
from shared.recordings.call_evidence import masked, people
from tests.unit.recordings.samples import AGENT, CALLEE, CALLER, SUPERVISOR


def labels(found: dict[int, Person]) -> dict[int, tuple[str, str]]:
    return {channel: (person.role, person.label) for channel, person in found.items()}


@pytest.mark.parametrize(("direction", "customer"), [("inbound", CALLER), ("outbound", CALLEE)])
def test_the_customer_is_the_other_side_of_the_call(direction: Literal["inbound", "outbound"], customer: str) -> None:
    found = people([(SUPERVISOR, 2), (customer, 1), (AGENT, 0)], CALLER, CALLEE, direction)
    assert labels(found) == {0: ("agent", "Agent"), 1: ("customer", "Customer"), 2: ("agent", "Agent 2")}


def test_participants_that_are_told_twice_count_once() -> None:
    found = people([(CALLER, 0), (AGENT, 1)] * 2, CALLER, CALLEE, "inbound")
    assert labels(found) == {0: ("customer", "Customer"), 1: ("agent", "Agent")}


def test_who_takes_over_anothers_channel_does_not_make_the_first_vanish() -> None:
    found = people([(CALLER, 0), (AGENT, 1), (SUPERVISOR, 1)], CALLER, CALLEE, "inbound")
    assert labels(found) == {0: ("customer", "Customer"), 1: ("agent", "Agent and Agent 2")}
    assert found[1].participant == f"{masked(AGENT)}, {masked(SUPERVISOR)}"


def test_a_channel_that_passes_from_the_customer_to_an_agent_is_neithers() -> None:
    found = people([(AGENT, 1), (CALLER, 0), (SUPERVISOR, 0)], CALLER, CALLEE, "inbound")
    assert labels(found) == {0: ("unknown", "Customer and Agent"), 1: ("agent", "Agent 2")}
    assert found[0].participant == f"{masked(CALLER)}, {masked(SUPERVISOR)}"


def test_who_is_on_two_channels_in_turn_is_one_person() -> None:
    found = people([(CALLER, 0), (AGENT, 1), (AGENT, 2), (SUPERVISOR, 3)], CALLER, CALLEE, "inbound")
    assert [person.label for person in found.values()] == ["Customer", "Agent", "Agent", "Agent 2"]


def test_of_strangers_on_one_channel_both_are_named() -> None:
    found = people([(SUPERVISOR, 0), (AGENT, 0)], "", "", None)
    assert labels(found) == {0: ("unknown", "Speaker 1")}
    assert found[0].participant == f"{masked(SUPERVISOR)}, {masked(AGENT)}"


def test_an_asserted_id_behind_a_number_changes_nobodys_role() -> None:
    asserted = f"{CALLER}_207ffef6-9444-41fb-92ab-20eacaae2768"
    found = people([(asserted, 0), (CALLER, 0), (AGENT, 1)], CALLER, CALLEE, "inbound")
    assert found[0] == Person("customer", "Customer", masked(CALLER))


def test_a_number_is_the_same_with_and_without_its_plus() -> None:
    found = people([(CALLER.replace("+", ""), 0), (AGENT, 1)], CALLER, CALLEE, "inbound")
    assert found[0].role == "customer"


def test_of_a_call_that_is_not_known_everybody_is_unknown() -> None:
    unknown = {0: ("unknown", "Speaker 1"), 1: ("unknown", "Speaker 2")}
    assert labels(people([(CALLER, 0), (AGENT, 1)], "", "", None)) == unknown
    assert labels(people([(CALLER, 0), (AGENT, 1)], "", "", "inbound")) == unknown


def test_where_the_customer_is_on_no_channel_nobody_is_told_to_be_an_agent() -> None:
    assert labels(people([(SUPERVISOR, 0), (AGENT, 1)], CALLER, CALLEE, "inbound")) == {
        0: ("unknown", "Speaker 1"),
        1: ("unknown", "Speaker 2"),
    }


@pytest.mark.parametrize(
    ("raw_id", "shown"),
    [
        ("4:+14255550123", "4:+1*******23"),
        ("+4930123456", "4:+4*******56"),
        ("4:14255550123", "4:+1*******23"),
        ("4:+49112", "4:+*******"),
        ("4:anonymous", "4:anonymous"),
        ("8:acs:1b5cc06b-f352_0000-0a2f", "8:acs:*******0a2f"),
        ("8:orgid:1b5cc06b-f352-0a2f", "8:orgid:*******0a2f"),
        ("28:orgid:1b5cc06b-f352-0a2f", "28:orgid:*******0a2f"),
        ("8:acs:short", "8:acs:*******"),
        ("whatever-it-is", "*******t-is"),
        ("", ""),
    ],
)
def test_a_mask_keeps_the_kind_and_too_little_to_call(raw_id: str, shown: str) -> None:
    assert masked(raw_id) == shown


def test_participants_are_masked() -> None:
    found = people([(CALLER, 0), (AGENT, 1)], CALLER, CALLEE, "inbound")
    assert [found[0].participant, found[1].participant] == ["4:+1*******23", "8:acs:*******aa01"]
