"""A card flow pays once, and its digits are nowhere, whatever dies or is lost on the way, and on whichever instance."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.calls import Call, Flow, NoInput, RunFailed, actions, text
from shared.calls.gateway.base import Request
from shared.calls.journal import EventReceived, Issued
from shared.calls.record import CallRecord
from shared.calls.sealing import DESTROYED
from shared.calls.store.base import Version
from shared.secret_keys import SecretKeys
from tests.examples import examples
from tests.setting_samples import made_key
from tests.unit.calls.secret_scan import assert_nowhere
from tests.unit.calls.test_guarantees import Crash, MortalStore, Play, assert_asked_once, losses, void
from tests.unit.calls.world import Instance, parsed

CARD, PIN = "4929007318466520", "806315"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
OLD, NEW = SecretKeys(made_key("old"), made_key("new")), SecretKeys(made_key("new"), made_key("old"))
"""The two steps of a change of the key, which instances take one after the other."""


class Killed(Crash, KeyboardInterrupt):
    """The process dies in a function of the flow: what else such a function raises is its own."""


class WatchedStore(MortalStore):
    """Looks at everything that is written, before it is."""

    def claim(self, record: CallRecord, journal: Sequence[str]) -> Version:
        assert_secret(asdict(record), journal)
        return super().claim(record, journal)

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        assert_secret(asdict(record), appended)
        return super().commit(record, appended, version)

    def close(self, record: CallRecord, document: dict[str, Any]) -> None:
        assert_secret(document)
        assert record.secrets == DESTROYED
        super().close(record, document)


def assert_secret(*kept: Any) -> None:
    for digits in (CARD, PIN):
        assert_nowhere(digits, *kept)


class CardPlay(Play):
    """A call that keys a card and a PIN, to a flow that pays with them."""

    def __init__(self, data: Any, flow: str, **options: Any) -> None:
        super().__init__(data, flow, **options)
        self.world.store = WatchedStore(self.mortal)
        self.payments: Counter[str] = Counter()
        self.asked: list[tuple[str, str, str]] = []
        self.keyed = 0
        self.flows = {"asks": Flow("asks", self._asks), "hears": Flow("hears", self._hears)}
        self.conductors = [self._instance(), self._instance()]

    def _instance(self) -> Instance:
        keys = self.draw(st.sampled_from([OLD, NEW])) if self.call_id else OLD
        return self.world.conductor(flows=self.flows, secrets=keys)

    def _charge(self, card: str, pin: str, key: str) -> dict[str, str]:
        """Takes the money once for each key, and may die before and after that."""
        self._may_die()
        self.asked.append((card, pin, key))
        self.payments[key] = 1
        self._may_die()
        return {"receipt": "r-1", "card": card}

    def _may_die(self) -> None:
        try:
            self.mortal.point()
        except Crash as crash:
            raise Killed from crash

    async def _asks(self, call: Call) -> None:
        try:
            card = await call.ask_digits(text("Card?"), max_tones=16, attempts=2, secret=True)
            pin = await call.ask_digits(text("PIN?"), max_tones=6, attempts=2, secret=True)
            paid = await call.run(self._charge, card, pin, call.id)
        except (NoInput, RunFailed):
            return
        call.result("paid", card=paid["card"])
        call.log("paid", pin=pin)
        await call.send_dtmf(pin)
        await call.play(text(f"You paid with {card}."))

    async def _hears(self, call: Call) -> None:
        await call.start_continuous_dtmf(secret=True)
        keys = [await call.next_tone() for _ in PIN]
        if sorted(keys) != sorted(PIN):
            raise ValueError(f"heard {''.join(keys)}")
        await call.run(self._charge, PIN, PIN, call.id)
        await call.play(text(" ".join(PIN)))

    def _reaction(self, request: Request) -> list[dict[str, Any]]:
        context = request.operation_context
        match request.action:
            case actions.Recognize(max_tones=most):
                if self.draw(st.integers(0, 4)) == 0:
                    return [self.world.wire.event("RecognizeFailed", context, (400, 8510, "silence"))]
                self.keyed += 1
                digits = CARD if most == 16 else PIN
                heard = {"recognitionType": "dtmf", "dtmfResult": {"tones": [WORDS[int(one)] for one in digits]}}
                return [self.world.wire.event("RecognizeCompleted", context, (200, 8531, ""), **heard)]
            case actions.StartContinuousDtmf():
                if self.keyed:
                    return []  # the request was sent again: the caller has keyed in what there was to key
                self.keyed = len(PIN)
                return [
                    self.world.wire.event(
                        "ContinuousDtmfRecognitionToneReceived", sequenceId=number, tone=WORDS[int(one)]
                    )
                    for number, one in enumerate(PIN, 1)
                ]
            case actions.SendDtmf():
                return [self.world.wire.event("SendDtmfTonesCompleted", context)]
        return super()._reaction(request)

    def late(self) -> None:
        """After the end all that was keyed comes once more, to instances that know nothing."""
        self.conductors = [self._instance(), self._instance()]
        context = f"{self.call_id}:1:0"
        heard = {"recognitionType": "dtmf", "dtmfResult": {"tones": [WORDS[int(one)] for one in CARD]}}
        body = self.world.wire.event("RecognizeCompleted", context, (200, 8531, ""), **heard)
        self._attempt(lambda c: void(c.deliver(self.call_id, [parsed(body)])))
        self._attempt(lambda c: void(c.deliver_lifecycle_event("c2VydmVy", "grid-late", {"type": "CallEnded"})))

    def shown(self) -> list[Any]:
        store = self.world.store
        assert isinstance(store, MortalStore)
        api = [self.conductors[0].entries(self.call_id), self.world.timers.due]
        return [*api, store._rows, store.archive, [asdict(one.record) for one in store._calls.values()]]


@contextmanager
def listening() -> Iterator[list[str]]:
    """Every log record, with its traceback."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, listener = logging.getLogger(), Listener(logging.DEBUG)
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(listener)
        root.setLevel(level)


def play_and_check(data: st.DataObject | Fixed, flow: str, deaths: Sequence[int], lost: Mapping[int, str]) -> CardPlay:
    with listening() as lines:
        play = CardPlay(data, flow, deaths=deaths, losses=lost)
        play.run()
        assert_secret(play.shown(), play.world.store.load(play.call_id).journal)
        play.late()
        assert_secret(play.shown(), play.world.store.load(play.call_id).journal, lines)
    stored = play.world.store.load(play.call_id)
    assert (stored.record.status, stored.record.secrets) == ("ended", DESTROYED)
    assert list(play.world.store.open_calls()) == []
    assert stored.record.failure == {}
    assert set(play.asked) <= {(CARD if flow == "asks" else PIN, PIN, play.call_id)}
    journal = play.world.journal(play.call_id)
    issued = [entry for entry in journal if isinstance(entry, Issued)]
    assert [entry.seq for entry in issued] == list(range(len(issued)))
    ids = [entry.event["id"] for entry in journal if isinstance(entry, EventReceived)]
    assert len(ids) == len(set(ids))
    assert_asked_once(play)
    runs = [entry for entry in issued if entry.action.kind == "run"]
    assert len(runs) <= 1
    assert play.payments.total() == (1 if play.asked else 0)
    if flow == "asks" and stored.record.result:
        assert (stored.record.result, stored.record.details) == ("paid", {"card": "secret"})
    return play


@settings(max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.data(),
    flow=st.sampled_from(["asks", "hears"]),
    deaths=st.lists(st.integers(1, 60), max_size=2),
    lost=losses,
)
def test_a_card_flow_pays_once_and_its_digits_are_nowhere(
    data: st.DataObject, flow: str, deaths: list[int], lost: dict[int, str]
) -> None:
    play_and_check(data, flow, deaths, lost)


class Fixed:
    """Draws the same always: all goes well, one instance after the other takes what comes."""

    def __init__(self) -> None:
        self._turn = 0

    def draw(self, strategy: Any) -> Any:
        self._turn += 1
        name = repr(strategy)
        if name.startswith("integers("):
            low, high = (int(part.partition("=")[2]) for part in name[9:-1].split(", "))
            return {1: self._turn % 2}.get(high, high if low == 0 and high in (2, 3, 4) else low)
        if name.startswith("booleans"):
            return False
        return strategy.elements[0]


POINTS = {"asks": 70, "hears": 70}
"""More than a call of each flow has where something can die or be lost."""


@pytest.mark.parametrize(
    ("flow", "lost"),
    [
        ("asks", "died"),
        pytest.param("asks", "met", marks=pytest.mark.long),
        pytest.param("asks", "gave up", marks=pytest.mark.long),
        pytest.param("asks", "unheard", marks=pytest.mark.long),
        pytest.param("hears", "died", marks=pytest.mark.long),
    ],
)
def test_a_crash_and_a_lost_response_at_every_single_point_are_made_good(flow: str, lost: str) -> None:
    points = 0
    for point in range(1, POINTS[flow]):
        died = lost == "died"
        if not died and point % 2:
            continue  # a point before something is done, at which no response can be lost
        play = play_and_check(Fixed(), flow, [point] if died else [], {} if died else {point: lost})
        points = max(points, play.mortal.points)
        assert play.asked, "the call did not come to its payment"
        if point > points:
            break
    assert points < POINTS[flow]
