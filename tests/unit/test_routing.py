"""Routing: what the rules decide, and what is refused in a routing file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RoutingError
from shared.identifiers import Identifier
from shared.lines.calendars import Calendar
from shared.routing import (
    AnswerWith,
    Decision,
    LeaveRinging,
    RedirectTo,
    RejectWith,
)
from shared.routing.reading import load_routes
from shared.yaml_text import MAX_FILE_BYTES

ROOT = Path(__file__).parents[2]
FLOWS = ("reception", "survey")
SALES = "+18005551212"
CALLER = "+14255550100"
USER = "8:acs:5f1e0c4a-0000_0000-0001"
OTHER_USER = "8:acs:5f1e0c4a-0000_0000-0002"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


def decide(
    rules: str,
    *,
    to: str = SALES,
    caller: str = CALLER,
    context: Mapping[str, str] | None = None,
    at: datetime = NOON,
) -> Decision:
    table = load_routes("rules:\n" + dedent(rules), FLOWS)
    return table.decide(to=Identifier.parse(to), caller=Identifier.parse(caller), context=context or {}, at=at)


def answers(rules: str, **call: object) -> bool:
    return isinstance(decide(rules, **call), AnswerWith)  # type: ignore[arg-type]


def refusal(text: str) -> str:
    with pytest.raises(RoutingError) as caught:
        load_routes(dedent(text), FLOWS)
    return str(caught.value)


# deciding


def test_the_first_rule_that_matches_decides() -> None:
    rules = f"""
      - {{name: line, to: "{SALES}", answer: survey}}
      - {{name: rest, answer: reception}}
    """
    assert decide(rules) == AnswerWith(flow="survey", rule="line")
    assert decide(rules, to="+18005550000") == AnswerWith(flow="reception", rule="rest")


def test_a_call_that_no_rule_matches_is_rejected() -> None:
    assert decide('- {to: "+1900*", answer: reception}') == RejectWith(reason="none", rule="no rule matched")


@pytest.mark.parametrize("reason", ["none", "busy", "forbidden"])
def test_a_rule_rejects_with_its_reason(reason: str) -> None:
    decision = decide(f"- {{name: no, reject: {reason}}}")
    assert isinstance(decision, RejectWith)
    assert (decision.reason, decision.rule, decision.why) == (reason, "no", "")


def test_a_rule_redirects_to_its_target() -> None:
    decision = decide(f'- {{name: on, to: "{SALES}", redirect: "{USER}"}}')
    assert decision == RedirectTo(target=Identifier.parse(USER), rule="on")


def test_a_rule_without_a_name_is_called_by_its_position() -> None:
    assert decide("- answer: reception").rule == "rules[0]"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (f'"{SALES}"', True),
        (SALES, True),  # without quotes YAML would make a number of it
        (f'"4:{SALES}"', True),
        ('"+1800*"', True),
        ('"4:+1800*"', True),
        ('"+*"', True),
        ('"*"', True),
        ('["+4930*", "+1800*"]', True),
        ('"+180055512*"', True),
        ('"+1800555121"', False),
        ('"+1900*"', False),
        ('"8:acs:*"', False),
        ('"4:anonymous"', False),
    ],
)
def test_a_number_matches_exactly_or_by_its_beginning(pattern: str, matches: bool) -> None:
    assert answers(f"- {{to: {pattern}, answer: reception}}") is matches
    assert answers(f"- {{from: {pattern}, answer: reception}}", caller=SALES) is matches


def test_all_conditions_of_a_rule_must_hold() -> None:
    rule = '- {to: "+1800*", from: "+1425*", context: {X-Campaign: spring}, answer: reception}'
    good = {"context": {"X-Campaign": "spring"}}
    assert answers(rule, **good)
    assert not answers(rule, **good, to="+19005551212")
    assert not answers(rule, **good, caller="+19005551212")
    assert not answers(rule)


@pytest.mark.parametrize(
    ("condition", "headers", "matches"),
    [
        ('{X-MS-Custom-Campaign: "spring*"}', {"x-ms-custom-campaign": "spring-26"}, True),
        ('{X-MS-Custom-Campaign: "spring*"}', {"X-MS-CUSTOM-CAMPAIGN": "autumn"}, False),
        ('{X-MS-Custom-Campaign: "spring"}', {"X-MS-Custom-Campaign": "spring-26"}, False),
        ('{X-MS-Custom-Campaign: "spring"}', {"X-MS-Custom-Campaign": "Spring"}, False),
        ("{X-MS-Custom-Campaign: [autumn, spring]}", {"X-MS-Custom-Campaign": "spring"}, True),
        ('{X-MS-Custom-Campaign: "*"}', {"X-MS-Custom-Campaign": ""}, True),
        ('{X-MS-Custom-Campaign: "*"}', {"Other": "x"}, False),
        ("{X-Number: 007}", {"X-Number": "007"}, True),
        ("{User-To-User: abc}", {"userToUser": "abc"}, True),
        ("{User-To-User: abc}", {"user-To-User": "abc"}, True),
        ("{userToUser: abc}", {"User-To-User": "abc"}, True),
        ("{User-To-User: abc}", {"User-To-User": "x", "userToUser": "abc"}, True),
        ("{a: x, b: y}", {"a": "x", "b": "y", "c": "z"}, True),
        ("{a: x, b: y}", {"a": "x"}, False),
    ],
)
def test_custom_headers_match_by_name_and_value(condition: str, headers: Mapping[str, str], matches: bool) -> None:
    assert answers(f"- {{context: {condition}, answer: reception}}", context=headers) is matches


def test_a_redirect_to_the_callee_itself_is_rejected_when_the_call_comes_in() -> None:
    decision = decide(f'- {{name: r, redirect: "{SALES}"}}')
    assert isinstance(decision, RejectWith)
    assert (decision.reason, decision.rule) == ("none", "r")
    assert "callee" in decision.why


RINGING_AN_AGENT = f"""
- {{name: to the agent, to: "+*", redirect: "{USER}"}}
- {{name: the rest, answer: reception}}
"""


def test_the_ring_that_a_redirect_to_a_user_raises_is_left_to_that_user() -> None:
    assert decide(RINGING_AN_AGENT) == RedirectTo(target=Identifier.parse(USER), rule="to the agent")
    assert decide(RINGING_AN_AGENT, to=USER) == LeaveRinging(rule="to the agent")


def test_a_rule_that_names_the_user_takes_the_ring_that_a_redirect_raised() -> None:
    named = RINGING_AN_AGENT.replace("the rest,", f'the rest, to: "{USER}",')
    assert decide(named, to=USER) == AnswerWith(flow="reception", rule="the rest")


def test_a_ring_for_a_user_to_whom_nothing_is_redirected_is_routed_as_any_other() -> None:
    assert decide(RINGING_AN_AGENT, to=OTHER_USER) == AnswerWith(flow="reception", rule="the rest")


def test_a_redirect_back_to_the_caller_is_rejected() -> None:
    decision = decide(f'- {{name: r, redirect: "{CALLER}"}}')
    assert isinstance(decision, RejectWith)
    assert "caller" in decision.why


def test_a_voip_caller_is_not_redirected_to_a_phone_number() -> None:
    decision = decide('- {name: r, redirect: "+14930000"}', caller=USER)
    assert isinstance(decision, RejectWith)
    assert "VoIP" in decision.why


@pytest.mark.parametrize("caller", [CALLER, "4:anonymous"])
def test_a_phone_is_redirected_to_a_phone_number(caller: str) -> None:
    assert isinstance(decide('- {redirect: "+14930000"}', caller=caller), RedirectTo)


def test_a_voip_caller_is_redirected_to_a_user() -> None:
    assert isinstance(decide(f'- {{to: "+*", redirect: "{USER}"}}', caller=OTHER_USER), RedirectTo)


def test_a_time_without_its_zone_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="time zone"):
        decide("- answer: reception", at=datetime(2026, 1, 1))


# hours


def open_at(hours: str, at: str, zone: str = "Europe/Berlin") -> bool:
    """Whether the hours hold at a wall-clock time of the zone."""
    when = datetime.fromisoformat(at)
    local = when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone))
    return answers(f"- {{hours: {{{hours}, zone: {zone}}}, answer: reception}}", at=local.astimezone(UTC))


@pytest.mark.parametrize(
    ("hours", "at", "holds"),
    [
        ('days: mon-fri, between: "09:00-17:30"', "2026-11-23T09:00", True),
        ('days: mon-fri, between: "09:00-17:30"', "2026-11-23T08:59:59", False),
        ('days: mon-fri, between: "09:00-17:30"', "2026-11-23T17:29:59", True),
        ('days: mon-fri, between: "09:00-17:30"', "2026-11-23T17:30", False),
        ('days: mon-fri, between: "09:00-17:30"', "2026-11-22T12:00", False),
        ('between: "9:00-12:30, 13:15-17:30"', "2026-11-23T12:45", False),
        ('between: ["09:00-12:30", "13:15-17:30"]', "2026-11-23T13:15", True),
        ('days: fri-mon, between: "09:00-10:00"', "2026-11-22T09:30", True),
        ('days: fri-mon, between: "09:00-10:00"', "2026-11-24T09:30", False),
        ("days: [Monday, wed]", "2026-11-25T23:59", True),
        ('days: "mon, wed-fri"', "2026-11-24T12:00", False),
        ('days: fri, between: "22:00-06:00"', "2026-11-27T22:00", True),
        ('days: fri, between: "22:00-06:00"', "2026-11-28T05:59", True),
        ('days: fri, between: "22:00-06:00"', "2026-11-28T06:00", False),
        ('days: fri, between: "22:00-06:00"', "2026-11-28T22:00", False),
        ('days: fri, between: "22:00-06:00"', "2026-11-27T05:59", False),
        ('days: fri, between: "22:00-00:00"', "2026-11-28T00:00", False),
        ('days: fri, between: "22:00-24:00"', "2026-11-27T23:59:59", True),
        ("holidays: [2026-11-23]", "2026-11-23T12:00", False),
        ("holidays: [2026-11-23]", "2026-11-24T00:00", True),
        ('between: "22:00-06:00", holidays: 2026-11-24', "2026-11-24T05:00", True),
        ('between: "22:00-06:00", holidays: 2026-11-24', "2026-11-25T05:00", False),
    ],
)
def test_hours_hold_on_their_days_between_their_times(hours: str, at: str, holds: bool) -> None:
    assert open_at(hours, at) is holds


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-03-29T01:29:00+01:00", False),
        ("2026-03-29T01:30:00+01:00", True),
        ("2026-03-29T03:00:00+02:00", True),  # one second after 01:59:59: the clocks jumped
        ("2026-03-29T03:30:00+02:00", False),
        ("2026-10-25T02:59:00+02:00", True),
        ("2026-10-25T02:00:00+01:00", True),  # the hour that comes twice
        ("2026-10-25T02:59:00+01:00", True),
        ("2026-10-25T03:30:00+01:00", False),
    ],
)
def test_hours_follow_the_wall_clock_when_the_clocks_change(at: str, holds: bool) -> None:
    assert open_at('between: "01:30-03:30"', at) is holds


def test_hours_are_those_of_their_zone() -> None:
    rule = '- {hours: {between: "09:00-10:00", zone: America/New_York}, answer: reception}'
    assert answers(rule, at=datetime(2026, 11, 23, 14, 30, tzinfo=UTC))
    assert answers(rule, at=datetime(2026, 7, 1, 13, 30, tzinfo=UTC))  # summer time
    assert not answers(rule, at=datetime(2026, 7, 1, 14, 30, tzinfo=UTC))


def naively_open(hours: Calendar, at: datetime) -> bool:
    """Walk minute by minute through each interval that starts today or yesterday."""
    local = at.astimezone(hours.zone)
    now = (local.date(), local.hour * 60 + local.minute)
    for day in (local.date(), local.date() - timedelta(days=1)):
        if day in hours.holidays:
            continue
        for start, end in hours.weekly[day.weekday()]:
            minute, open_minutes = start, set()
            while minute != (end if end > start else end + 1440):
                open_minutes.add((day + timedelta(days=minute // 1440), minute % 1440))
                minute += 1
            if now in open_minutes:
                return True
    return False


intervals = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda pair: pair[0] != pair[1])


@given(
    hours=st.builds(
        Calendar,
        weekly=st.tuples(*[st.lists(intervals, max_size=3).map(tuple)] * 7),
        holidays=st.frozensets(st.dates(date(2026, 3, 25), date(2026, 4, 3)), max_size=3),
        zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "UTC"]).map(ZoneInfo),
    ),
    at=st.datetimes(datetime(2026, 3, 25), datetime(2026, 4, 6), timezones=st.just(UTC)),
)
def test_hours_agree_with_a_walk_through_their_minutes(hours: Calendar, at: datetime) -> None:
    assert hours.is_open(at) is naively_open(hours, at)


@given(st.integers(0, 1439), st.integers(1, 1440), st.integers(0, 2 * 1440))
def test_written_intervals_are_read_as_they_are_meant(start: int, end: int, minute: int) -> None:
    if start == end:
        return
    text = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    table = load_routes(f'rules:\n- {{hours: {{between: "{text}", zone: UTC}}, answer: reception}}', FLOWS)
    at = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=minute)
    who = Identifier.parse(SALES)
    held = isinstance(table.decide(to=who, caller=who, context={}, at=at), AnswerWith)
    clock = minute % 1440
    assert held is (start <= clock < end if start < end else clock >= start or clock < end)


# what is refused


@pytest.mark.parametrize(
    ("rule", "where", "words"),
    [
        ("anser: reception", "rules[0].anser", "Did you mean answer?"),
        ("answer: recepcion", "rules[0].answer", "Did you mean reception?"),
        ("answer: [reception]", "rules[0].answer", "one value"),
        ("answer:", "rules[0].answer", "empty"),
        ("reject: bussy", "rules[0].reject", "none, busy or forbidden"),
        ("reject: null", "rules[0].reject", "empty"),
        ("name: nothing", "rules[0]", "no outcome"),
        ("{answer: reception, reject: busy}", "rules[0]", "2 outcomes"),
        ("{to: 0800 123, answer: reception}", "rules[0].to", "neither a phone number"),
        ("{to: '+1 800 555', answer: reception}", "rules[0].to", "neither a phone number"),
        ("{to: '+0123', answer: reception}", "rules[0].to", "neither a phone number"),
        ("{to: '4:0800', answer: reception}", "rules[0].to", "neither a phone number"),
        ("{to: 'sip:someone', answer: reception}", "rules[0].to", "neither a phone number"),
        ("{to: '+1*425', answer: reception}", "rules[0].to", "*"),
        ("{to: '+14x*', answer: reception}", "rules[0].to", "prefix"),
        ("{to: '+1**', answer: reception}", "rules[0].to", "prefix"),
        ("{to: 'sales*', answer: reception}", "rules[0].to", "prefix"),
        ("{to: ['+1425*', '+x'], answer: reception}", "rules[0].to[1]", "neither a phone number"),
        ("{to: [], answer: reception}", "rules[0].to", "empty"),
        ("{from: '', answer: reception}", "rules[0].from", "empty"),
        ("{from: {a: b}, answer: reception}", "rules[0].from", "one value"),
        ("{context: {}, answer: reception}", "rules[0].context", "no header"),
        ("{context: spring, answer: reception}", "rules[0].context", "mapping"),
        ("{context: {a b: c}, answer: reception}", "rules[0].context.a b", "not the name of a header"),
        ("{context: {Ab: c, aB: d}, answer: reception}", "rules[0].context.aB", "twice"),
        ("{context: {a: [b, {c: d}]}, answer: reception}", "rules[0].context.a[1]", "one value"),
        ("{hours: {zone: UTC}, answer: reception}", "rules[0].hours", "at all times"),
        ("{hours: {days: mon}, answer: reception}", "rules[0].hours.zone", "missing"),
        ("{hours: {day: mon, zone: UTC}, answer: reception}", "rules[0].hours.day", "Did you mean days?"),
        ("{hours: {days: mo, zone: UTC}, answer: reception}", "rules[0].hours.days", "Did you mean mon?"),
        ("{hours: {days: mon-x, zone: UTC}, answer: reception}", "rules[0].hours.days", "not a day"),
        ("{hours: {days: [mon, tues], zone: UTC}, answer: reception}", "rules[0].hours.days[1]", "Did you mean"),
        ("{hours: {between: 9-17, zone: UTC}, answer: reception}", "rules[0].hours.between", "not an interval"),
        ("{hours: {between: '09:00-25:00', zone: UTC}, answer: reception}", "rules[0].hours.between", "time of day"),
        ("{hours: {between: '09:60-10:00', zone: UTC}, answer: reception}", "rules[0].hours.between", "time of day"),
        ("{hours: {between: '24:01-10:00', zone: UTC}, answer: reception}", "rules[0].hours.between", "time of day"),
        ("{hours: {between: '09:00-09:00', zone: UTC}, answer: reception}", "rules[0].hours.between", "empty"),
        ("{hours: {between: '24:00-09:00', zone: UTC}, answer: reception}", "rules[0].hours.between", "empty"),
        ("{hours: {holidays: [2026-02-30], zone: UTC}, answer: reception}", "rules[0].hours.holidays[0]", "not a date"),
        ("{hours: {holidays: 25.12.2026, zone: UTC}, answer: reception}", "rules[0].hours.holidays", "not a date"),
        (
            "{hours: {days: mon, zone: Europe/Berln}, answer: reception}",
            "rules[0].hours.zone",
            "Did you mean Europe/Berlin?",
        ),
        ("{hours: {days: mon, zone: Europe}, answer: reception}", "rules[0].hours.zone", "not a time zone"),
        ("{hours: {days: mon, zone: ../../passwd}, answer: reception}", "rules[0].hours.zone", "not a time zone"),
        ("{hours: {days: mon, zone: /etc/localtime}, answer: reception}", "rules[0].hours.zone", "not a time zone"),
        ("redirect: '+1425*'", "rules[0].redirect", "*"),
        ("redirect: reception", "rules[0].redirect", "neither a phone number"),
        (f"{{to: '{SALES}', redirect: '{SALES}'}}", "rules[0].redirect", "callee itself"),
        (f"{{to: '+1800*', redirect: '{SALES}'}}", "rules[0].redirect", "callee itself"),
        (f"redirect: '{USER}'", "rules[0].redirect", "callee itself"),
        (f"{{from: '8:acs:*', redirect: '{SALES}'}}", "rules[0].redirect", "not phones"),
        ("[answer, reception]", "rules[0]", "mapping"),
        ("{[a]: b, answer: reception}", "rules[0]", "a word"),
        ("{<<: {answer: reception}}", "rules[0].<<", "not a known key"),
        ("{answer: reception, answer: survey}", "rules[0].answer", "twice"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line_and_path(rule: str, where: str, words: str) -> None:
    message = refusal(f"# a comment\nrules:\n  - {rule}\n")
    assert message.startswith(f"routing.yaml:3: {where}: "), message
    assert words in message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\n", 1, "empty"),
        ("# nothing but a comment\n", 1, "empty"),
        ("rules:\n", 1, "list"),
        ("rules: []\n", 1, "empty"),
        ("{}\n", 1, "missing"),
        ("- answer: reception\n", 1, "mapping"),
        ("rules:\n- answer: reception\nrule: x\n", 3, "Did you mean rules?"),
        ("rules:\n- answer: reception\nrules:\n- answer: survey\n", 3, "twice"),
        ("rules:\n- answer: [reception\n", 3, "not YAML"),
        ("rules:\n\t- answer: reception\n", 2, "not YAML"),
        ("rules:\n- answer: rec\x00eption\n", 2, "not allowed"),
        ("rules:\n- answer: reception\n---\nrules: []\n", 3, "not YAML"),
        ("rules:\n- &a {answer: reception}\n- *a\n", 3, "aliases"),
        ("rules: " + "[" * 500 + "\n", 1, "nested too deeply"),
        ("rules:\n" + "#" * MAX_FILE_BYTES, 1, "longer than 256 KB"),
    ],
)
def test_a_file_that_is_no_list_of_rules_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    message = refusal(text)
    assert message.startswith(f"routing.yaml:{line}: "), message
    assert words in message


def test_a_tag_that_would_make_an_object_makes_none() -> None:
    assert "there is no flow" in refusal("rules:\n- answer: !!python/object/apply:os.getcwd x\n")
    assert "one value" in refusal("rules:\n- answer: !!python/object/apply:os.getcwd []\n")


def test_everything_wrong_is_reported_at_once() -> None:
    message = refusal(
        """\
        rules:
          - name: one
            hours: {days: mon, between: "9-17", zone: Mars}
            to: nobody
            answer: recepcion
          - reject: bussy
        """
    )
    places = re.findall(r"^routing\.yaml:(\d+): ([\w.\[\]]+):", message, re.MULTILINE)
    assert set(places) == {
        ("3", "rules[0].hours.between"),
        ("3", "rules[0].hours.zone"),
        ("4", "rules[0].to"),
        ("5", "rules[0].answer"),
        ("6", "rules[1].reject"),
    }


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("", ""),
        ("", 'to: "+1800*"'),
        ('to: "*"', "hours: {days: mon, zone: UTC}"),
        ('to: "+1*"', 'to: ["+1800*", "+18005551212"]'),
        ('to: "+1*"', 'to: "+1425*", from: "+49*"'),
        ("context: {a: 'x*'}", "context: {A: xy, b: z}"),
        ("hours: {days: mon, zone: UTC}", "hours: {days: mon, zone: UTC}, from: '+1*'"),
    ],
)
def test_a_rule_that_an_earlier_one_hides_is_refused(earlier: str, later: str) -> None:
    rules = "\n".join(f"- {{{', '.join(filter(None, [part, 'reject: busy']))}}}" for part in (earlier, later))
    message = refusal(f"rules:\n{rules}\n")
    assert message.startswith("routing.yaml:3: rules[1]: is never reached")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ('to: "+1800*"', ""),
        ('to: "+1800*"', 'to: "+18*"'),
        ('to: "+18005551212"', 'to: "+18005551212*"'),
        ('to: "+1*", from: "+49*"', 'to: "+1*"'),
        ("context: {a: x}", "context: {b: x}"),
        ("hours: {days: mon, zone: UTC}", "hours: {days: tue, zone: UTC}"),
    ],
)
def test_a_rule_that_may_still_be_reached_is_taken(earlier: str, later: str) -> None:
    rules = "\n".join(f"- {{{', '.join(filter(None, [part, 'reject: busy']))}}}" for part in (earlier, later))
    assert len(load_routes(f"rules:\n{rules}\n", FLOWS).rules) == 2


def test_two_rules_of_one_name_are_refused() -> None:
    rules = "rules:\n- {name: a, to: '+1*', reject: busy}\n- {name: a, reject: none}\n"
    assert "rules[0] is called 'a' too" in refusal(rules)


def test_a_circle_of_redirects_is_refused_once() -> None:
    message = refusal(
        f"""\
        rules:
          - {{to: "{SALES}", redirect: "{USER}"}}
          - {{to: "{USER}", redirect: "{OTHER_USER}"}}
          - {{to: "8:acs:*", redirect: "{SALES}"}}
        """
    )
    assert message.startswith("routing.yaml:2: rules[0].redirect: goes in a circle")
    assert message.count("circle") == 1


def test_a_circle_for_some_callers_is_refused() -> None:
    message = refusal(
        f"""\
        rules:
          - {{to: "{SALES}", from: "+1425*", redirect: "{USER}"}}
          - {{to: "{USER}", from: "+1*", redirect: "{SALES}"}}
          - answer: reception
        """
    )
    assert message.startswith("routing.yaml:2: rules[0].redirect: goes in a circle")


def test_a_redirect_into_a_circle_is_reported_where_the_circle_is() -> None:
    message = refusal(
        f"""\
        rules:
          - {{to: "{SALES}", redirect: "{USER}"}}
          - {{to: "8:acs:*", redirect: "{OTHER_USER}"}}
        """
    )
    assert message.startswith("routing.yaml:3: rules[1].redirect: leads to the callee itself")
    assert "\n" not in message


def test_a_redirect_whose_target_is_answered_is_no_circle() -> None:
    rules = f"""
      - {{to: "{SALES}", answer: reception}}
      - {{to: "+1*", redirect: "{SALES}"}}
    """
    assert isinstance(decide(rules, to="+14255550199"), RedirectTo)


def test_redirects_that_different_hours_keep_apart_are_no_circle() -> None:
    rules = f"""
      - {{to: "{SALES}", hours: {{between: "08:00-20:00", zone: UTC}}, redirect: "{USER}"}}
      - {{to: "{USER}", hours: {{between: "20:00-08:00", zone: UTC}}, redirect: "{SALES}"}}
      - answer: reception
    """
    assert isinstance(decide(rules), RedirectTo)


# files


def test_a_file_is_named_in_its_errors(tmp_path: Path) -> None:
    file = tmp_path / "calls.yaml"
    file.write_text("rules:\n- answer: nobody\n", "utf-8")
    with pytest.raises(RoutingError) as caught:
        load_routes(file, FLOWS)
    assert caught.value.field == "calls.yaml:2: rules[0].answer"


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "calls.yaml"
    file.write_bytes(b"\xef\xbb\xbfrules:\n- answer: survey\n")
    assert len(load_routes(str(file), FLOWS).rules) == 1


def test_a_missing_file_is_refused_with_the_setting_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RoutingError, match="ROUTING_FILE"):
        load_routes(tmp_path / "none.yaml", FLOWS)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "calls.yaml"
    file.write_bytes(b"rules:\n- answer: r\xe9ception\n")
    with pytest.raises(RoutingError, match=r"calls\.yaml:2: rules: the file is not UTF-8"):
        load_routes(file, FLOWS)


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "calls.yaml"
    file.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(RoutingError, match="longer than 256 KB"):
        load_routes(file, FLOWS)


@pytest.mark.parametrize(
    ("number", "flow", "rule"),
    [(SALES, "reception", "every call"), ("+18005550177", "support", "the support line, which is recorded")],
)
def test_the_file_that_is_shipped_sends_calls_to_its_flows(
    number: str, flow: str, rule: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # the name is that of a file in the app's folder, wherever the process stands
    table = load_routes("tests/fixtures/app/routing.yaml", ["reception", "support"])
    anyone = Identifier.parse(CALLER)
    decision = table.decide(to=Identifier.parse(number), caller=anyone, context={}, at=NOON)
    assert decision == AnswerWith(flow=flow, rule=rule)


def test_the_example_in_the_file_that_is_shipped_is_right() -> None:
    lines = (ROOT / "tests/fixtures/app/routing.yaml").read_text("utf-8").splitlines()
    example = [line.removeprefix("#") for line in lines if re.match(r"#   ( |-)", line)]
    text = "rules:\n" + "\n".join(example)
    assert len(load_routes(text, ["reception"]).rules) == 3


def test_every_example_in_the_documentation_is_right() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "routing.md").read_text("utf-8"), re.DOTALL)
    assert len(examples) >= 4
    for example in examples:
        load_routes(example, ["reception"])
