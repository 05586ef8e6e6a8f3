"""On whose behalf a call comes, and what Teams says of it, reach the rules and the flow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.calls import Call
from shared.calls.flow import FLOWS, Flow
from shared.calls.journal import Started, decode, encode
from shared.calls.rehearsal import Rehearsal
from shared.calls.replay import replay
from shared.errors import RoutingError
from shared.events import TeamsPhoneCallDetails
from shared.identifiers import Identifier
from shared.routing.reading import load_routes
from tests.found_calls import decode_all
from tests.functional.app import CALLER, NUMBER, App, phone, running
from tests.functional.test_event_grid_deliveries import RING, delivered

BOSS = "8:orgid:11111111-2222-4333-8444-555555555555"
TEAMS = {
    "teamsPhoneCallerDetails": {
        "caller": phone(CALLER),
        "name": "Ada",
        "phoneNumber": CALLER,
        "recordId": "R-7",
        "isAuthenticated": True,
        "additionalCallerInformation": {"tier": "gold", "odd": ["x"]},
    },
    "teamsPhoneSourceDetails": {
        "source": {"kind": "microsoftTeamsUser", "rawId": BOSS},
        "language": "en",
        "status": "done",
        "intendedTargets": {"desk": {"rawId": BOSS}},
    },
    "sessionId": "s-1",
    "intent": "billing question",
    "callTopic": "an invoice",
}
DATA = RING | {
    "onBehalfOfCallee": {"kind": "microsoftTeamsUser", "rawId": BOSS},
    "customContext": {"sipHeaders": {}, "voipHeaders": {}, "teamsPhoneCallDetails": TEAMS},
}
seen: list[Any] = []


async def tells(call: Call) -> None:
    seen.append((call.on_behalf_of, call.teams, call.display_name))
    await call.signal("never")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    seen.clear()
    with running(tmp_path) as app:
        monkeypatch.setitem(FLOWS, "reception", Flow("reception", tells))
        yield app


def test_a_flow_knows_on_whose_behalf_it_was_called_and_what_teams_says(app: App) -> None:
    app.ring(delivered("Event Grid", "IncomingCall", DATA | {"callerDisplayName": "Ada L."}))
    app.react()
    ((boss, teams, name),) = seen
    assert (boss, name) == (Identifier(raw_id=BOSS), "Ada L.")
    assert (teams.intent, teams.call_topic, teams.caller.name, teams.caller.is_authenticated) == (
        "billing question",
        "an invoice",
        "Ada",
        True,
    )
    assert teams.caller.identifier.phone_number == CALLER
    assert teams.caller.additional_caller_information == {"tier": "gold"}
    assert teams.source.intended_targets == {"desk": Identifier(raw_id=BOSS)}


def test_an_instance_that_reads_the_journal_knows_the_same(app: App) -> None:
    app.ring(delivered("CloudEvents", "IncomingCall", DATA))
    app.react()
    replay(FLOWS["reception"], app.call_ids[0], decode_all(app.store.load(app.call_ids[0]).journal))
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_a_call_that_has_none_of_it_is_as_before(app: App) -> None:
    app.ring(delivered("Event Grid", "IncomingCall", RING))
    app.react()
    assert seen == [(None, None, "")]
    (text,) = app.store.load(app.call_ids[0]).journal[:1]
    assert "teams" not in text
    assert "on_behalf_of" not in text


def test_a_journal_from_before_is_read() -> None:
    old = '{"at":1,"entry":"started","flow":"reception","direction":"inbound","caller":"4:+14255550100","context":{}}'
    started = decode(old)
    assert isinstance(started, Started)
    assert (started.on_behalf_of, started.teams) == (None, None)
    assert decode(encode(started)) == started


def test_a_rehearsal_can_be_passed_on_from_teams() -> None:
    seen.clear()
    Rehearsal(Flow("tells", tells), on_behalf_of=BOSS, teams={"intent": "billing"}).connect()
    assert seen[-1] == (Identifier(raw_id=BOSS), TeamsPhoneCallDetails(intent="billing"), "")


# Routing


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        (f'on_behalf_of: "{BOSS}"', True),
        ('on_behalf_of: "8:orgid:*"', True),
        ('on_behalf_of: "*"', True),
        ('on_behalf_of: "8:orgid:22*"', False),
        ('teams: {intent: "billing*"}', True),
        ('teams: {Intent: "billing*", name: [Bob, Ada], isAuthenticated: "true", language: en}', True),
        ('teams: {intent: "billing*", name: Bob}', False),
        ("teams: {intent: billing}", False),
        ('teams: {callSentiment: "*"}', False),
        (f'teams: {{caller: "4:{CALLER}", recordId: "R-*"}}', True),
    ],
)
def test_a_rule_matches_on_it(tmp_path: Path, condition: str, matches: bool) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(f"rules:\n  - name: from Teams\n    {condition}\n    answer: reception\n  - reject: busy\n")
    with running(tmp_path, ROUTING_FILE=str(rules)) as app:
        app.ring(delivered("Event Grid", "IncomingCall", DATA))
        assert app.kinds == (["answer"] if matches else ["reject"])
        app.ring(delivered("Event Grid", "IncomingCall", RING | {"correlationId": "another"}, event_id="two"))
        assert app.kinds[1:] == ["reject"], "a call that nobody passed on"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("teams: {intend: x}", "rules[0].teams.intend: is not a detail of a Teams call. Did you mean intent?"),
        ("teams: {}", "rules[0].teams: names no detail."),
        ("on_behalf_of: nobody", "rules[0].on_behalf_of: 'nobody' is neither a phone number"),
    ],
)
def test_a_condition_that_can_never_hold_is_refused(rule: str, said: str) -> None:
    with pytest.raises(RoutingError) as caught:
        load_routes(f"rules:\n  - {{{rule}, answer: reception}}\n", ["reception"])
    assert said in str(caught.value)


def test_a_rule_that_an_earlier_one_covers_is_refused() -> None:
    rules = "rules:\n  - {{name: first, {0}, answer: reception}}\n  - {{name: second, {1}, reject: busy}}\n"
    one, part = 'teams: {intent: "b*"}', "teams: {intent: billing, name: Ada}"
    with pytest.raises(RoutingError, match="never reached"):
        load_routes(rules.format(one, part), ["reception"])
    load_routes(rules.format(part, one), ["reception"])
    with pytest.raises(RoutingError, match="never reached"):
        load_routes(rules.format('on_behalf_of: "*"', f'on_behalf_of: "{BOSS}"'), ["reception"])
    load_routes(rules.format('on_behalf_of: "*"', f'to: "{NUMBER}"'), ["reception"])
