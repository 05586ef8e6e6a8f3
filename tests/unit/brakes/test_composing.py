"""What the brakes take from settings and routing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from shared.brakes.brakes import AppBrakes, Limits
from shared.calls import Fallback, Flow
from shared.composition.brakes import compose_brakes, forbidden_targets
from shared.errors import SettingsError
from shared.routing.reading import load_routes
from shared.settings import load_settings
from shared.text_rows import MemoryTextRows
from tests.setting_samples import REQUIRED
from tests.unit.brakes.instances import FLOWS, Still, nothing

RULES = """
rules:
  - name: ours
    to: ["+4930123456", "+8186*", "4:+353*", "8:acs:*"]
    from: "+2348012345678"
    answer: reception
  - name: away
    to: "+18765550100"
    redirect: "+442079460123"
  - name: the rest
    answer: reception
"""


def composed(
    folder: Path,
    rules: str = RULES,
    flows: Mapping[str, Flow] = FLOWS,
    numbers: Collection[str] = (),
    **settings: str,
) -> AppBrakes:
    file = folder / "routing.yaml"
    file.write_text(rules)
    given = load_settings({**REQUIRED, **settings})
    return compose_brakes(given, load_routes(file, flows), flows, MemoryTextRows(), Still, numbers=numbers)


def test_the_countries_of_the_numbers_in_the_routing_are_allowed_and_not_those_of_callers(tmp_path: Path) -> None:
    assert composed(tmp_path).dialing.countries == {"+49", "+81", "+353", "+1876", "+44"}
    assert composed(tmp_path).dialing.prefixes == ()


def test_declared_numbers_take_the_place_of_those_that_rules_take_calls_for(tmp_path: Path) -> None:
    brakes = composed(tmp_path, numbers=["+33123456789", "+436601234567"])
    assert brakes.dialing.countries == {"+33", "+43", "+44"}  # +44 is redirected to


def test_so_is_that_of_whom_the_fallback_transfers_to(tmp_path: Path) -> None:
    rules = "rules:\n  - name: all\n    answer: reception\n"
    assert composed(tmp_path, rules).dialing.countries == frozenset()
    assert composed(tmp_path, rules, FALLBACK_TRANSFER_TO="+33123456789").dialing.countries == {"+33"}
    assert composed(tmp_path, rules, HANDOFF_NUMBER="+33123456789").dialing.countries == {"+33"}


def test_so_is_that_of_whom_the_fallback_of_a_flow_transfers_to(tmp_path: Path) -> None:
    flows = {**FLOWS, "support": Flow("support", nothing, fallback=Fallback(transfer_to="+33123456789"))}
    rules = "rules:\n  - name: all\n    answer: reception\n"
    assert composed(tmp_path, rules, flows).dialing.countries == {"+33"}
    nobody = {"support": Flow("support", nothing, fallback=Fallback(transfer_to=""))}
    assert composed(tmp_path, rules, {**FLOWS, **nobody}).dialing.countries == frozenset()


def test_a_flow_whose_fallback_transfers_to_whom_nobody_may_call_is_told(tmp_path: Path) -> None:
    flows = {**FLOWS, "support": Flow("support", nothing, fallback=Fallback(transfer_to="+33123456789"))}
    rules = "rules:\n  - name: all\n    answer: reception\n"
    brakes = composed(tmp_path, rules, flows, ALLOWED_PREFIXES="+49")
    settings, routes = load_settings(REQUIRED), load_routes(tmp_path / "routing.yaml", flows)
    assert list(forbidden_targets(settings, routes, flows, brakes.dialing)) == [
        "the fallback of the flow 'support' transfers to a number that begins with +33, which is not allowed; "
        "ALLOWED_PREFIXES says what is; callers whose flow failed are hung up on"
    ]


def test_the_settings_say_the_limits(tmp_path: Path) -> None:
    brakes = composed(
        tmp_path,
        ALLOWED_PREFIXES="+49, +1425",
        MAX_TARGETS="3",
        MAX_CALL_MINUTES="10",
        MAX_CALLS="100",
        MAX_CALLS_OF_ONE_CALLER="4",
    )
    assert brakes.dialing.prefixes == ("+49", "+1425")
    assert brakes._limits == Limits(targets=3, minutes=10, calls=100, calls_of_one_caller=4)
    assert brakes.longest_call == 600_000


def test_without_settings_the_limits_are_those_of_the_page(tmp_path: Path) -> None:
    assert composed(tmp_path)._limits == Limits(targets=20, minutes=240, calls=0, calls_of_one_caller=20) == Limits()


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("ALLOWED_PREFIXES", "+49, 44", "ALLOWED_PREFIXES: '44' is no prefix; write + and the first digits"),
        ("ALLOWED_PREFIXES", "+1900", "ALLOWED_PREFIXES: +1900 is that of premium-rate numbers"),
        ("MAX_TARGETS", "0", "MAX_TARGETS: Input should be greater than or equal to 1"),
        ("MAX_CALL_MINUTES", "0", "MAX_CALL_MINUTES: Input should be greater than or equal to 1"),
        ("MAX_CALLS", "-1", "MAX_CALLS: Input should be greater than or equal to 0"),
        ("MAX_CALLS_OF_ONE_CALLER", "many", "MAX_CALLS_OF_ONE_CALLER: Input should be a valid integer"),
    ],
)
def test_a_wrong_setting_is_named_at_the_start(setting: str, value: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings({**REQUIRED, setting: value})
    assert str(raised.value).startswith(told)


def test_figures_can_be_hashed_without_a_key_for_numbers(tmp_path: Path) -> None:
    brakes = composed(tmp_path, NUMBER_HASH_KEY="")
    assert brakes._hash("4:+14255550100") == brakes._hash("4:14255550100") != brakes._hash("4:+14255550101")


def test_what_the_app_is_set_up_to_call_and_may_not_is_told_without_the_number(tmp_path: Path) -> None:
    settings = load_settings({**REQUIRED, "ALLOWED_PREFIXES": "+49", "FALLBACK_TRANSFER_TO": "+882165551234567"})
    brakes = composed(tmp_path, ALLOWED_PREFIXES="+49")
    assert list(forbidden_targets(settings, load_routes(tmp_path / "routing.yaml", FLOWS), FLOWS, brakes.dialing)) == [
        "the rule 'away' redirects to a number that begins with +44, which is not allowed; ALLOWED_PREFIXES says what "
        "is; its calls hear busy",
        "FALLBACK_TRANSFER_TO is a satellite number or one of an international network, which this app never calls; "
        "callers whose flow failed are hung up on",
    ]
    fine = composed(tmp_path)
    routes = load_routes(tmp_path / "routing.yaml", FLOWS)
    assert list(forbidden_targets(load_settings(REQUIRED), routes, FLOWS, fine.dialing)) == []
