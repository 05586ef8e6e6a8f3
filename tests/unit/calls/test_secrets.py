"""Secrets: what is keyed or said to a question for one is encrypted before it is written, and dies with the call."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from shared.calls import Call, Choice, InvalidInput, actions, text
from shared.calls.journal import Issued, Settled
from shared.calls.outcome import Outcome
from shared.calls.record import CallRecord
from shared.calls.sealing import DESTROYED
from shared.calls.store.base import Stored, Version
from shared.calls.store.memory import MemoryStore
from shared.secret_keys import SecretKeys
from tests.setting_samples import made_key
from tests.unit.calls.secret_scan import assert_nowhere
from tests.unit.calls.secret_stage import CARD, KEYS, TONES, Bank, Stage, paying
from tests.unit.calls.world import World, parsed


def test_what_was_keyed_reaches_the_flow_and_its_side_effects_and_nothing_that_is_kept() -> None:
    bank = Bank()
    stage = Stage(paying(bank))
    stage.key_in(CARD)
    assert bank.asked == [(CARD, stage.call_id)]
    assert_nowhere(CARD, stage.kept())
    stage.played()
    stage.hang_up()
    assert_nowhere(CARD, stage.kept())
    assert stage.store.archive[stage.call_id]["outcome"] == "completed"


def test_the_api_and_the_archive_say_that_something_is_secret_and_not_how_long_it_is() -> None:
    stage = Stage(paying(Bank()))
    stage.key_in(CARD)
    shown = stage.journal_of("event")[-1]
    assert shown["secret"] is True
    assert shown["event"]["data"] == {
        "version": "2025-08-15-preview",
        "operationContext": f"{stage.call_id}:1:0",
        "resultInformation": {"code": 200, "subCode": 0},
        "callConnectionId": "02004780-0000-4000-8000-000000000001",
        "serverCallId": "c2VydmVy",
        "correlationId": "5d1f3a52-0000-4000-8000-000000000001",
        "publicEventType": "Microsoft.Communication.RecognizeCompleted",
        "recognitionType": "dtmf",
    }
    stage.played()
    stage.hang_up()
    archived = stage.store.archive[stage.call_id]
    assert [entry for entry in archived["journal"] if entry.get("secret")] == [shown]
    assert archived["secrets"] == ""


def test_a_long_and_a_short_number_take_the_same_room() -> None:
    sizes = set()
    for digits in ("1", CARD):
        stage = Stage(paying(Bank()))
        stage.key_in(digits)
        sizes.add(len(next(text for text in stage.store.load(stage.call_id).journal if '"secret":"' in text)))
    assert len(sizes) == 1


def test_another_instance_replays_the_call_with_what_was_keyed() -> None:
    spoken: list[str] = []

    async def card(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        await call.play(text("Thank you."))
        await call.run(spoken.append, number)
        await call.signal("never")

    stage = Stage(card)
    stage.key_in(CARD)
    stage.event("PlayCompleted", stage.world.last().operation_context, stage.instance())
    assert spoken == [CARD]
    assert_nowhere(CARD, stage.kept())


def test_the_key_of_a_call_is_made_when_it_is_first_needed_and_destroyed_with_its_end() -> None:
    stage = Stage(paying(Bank()))
    record = stage.store.peek(stage.call_id)
    assert KEYS.cipher(record.secrets, stage.call_id) is not None
    stage.key_in(CARD)
    assert stage.store.peek(stage.call_id).secrets == record.secrets
    stage.hang_up()
    assert stage.store.peek(stage.call_id).secrets == DESTROYED == "destroyed"


def test_a_flow_without_secrets_has_no_key() -> None:
    async def plain(call: Call) -> None:
        await call.ask_digits(text("Your order?"), max_tones=4)

    stage = Stage(plain)
    stage.key_in("4929")
    assert stage.store.peek(stage.call_id).secrets == ""
    assert stage.journal_of("event")[-1]["event"]["data"]["dtmfResult"] == {"tones": ["four", "nine", "two", "nine"]}


def test_late_events_of_an_ended_call_are_late_on_every_instance() -> None:
    async def branches(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        await (call.play(text("A Visa.")) if number.startswith("4") else call.sleep(5))

    stage = Stage(branches)
    stage.key_in(CARD)
    playing = stage.world.last().operation_context
    stage.played()
    stage.hang_up()
    entries = stage.store.load(stage.call_id).journal
    for instance in (stage.one, stage.instance(), stage.world.conductor(flows=stage.flows)):
        assert stage.event("PlayCompleted", playing, instance) is Outcome.LATE
        assert instance.signal(stage.call_id, "click") is Outcome.LATE
        assert instance.act(stage.call_id, actions.HangUp()) == (Outcome.LATE, None)
        assert instance.participants(stage.call_id) == ()
        assert instance.open_operations(stage.call_id) == []
    assert stage.store.load(stage.call_id).journal == entries
    record = stage.store.peek(stage.call_id)
    assert (record.outcome, record.failure) == ("completed", {})


def test_news_of_an_ended_call_are_still_journaled() -> None:
    stage = Stage(paying(Bank()))
    stage.key_in(CARD)
    stage.played()
    stage.hang_up()
    before = stage.store.peek(stage.call_id)
    stage.instance().deliver_lifecycle_event("c2VydmVy", "grid-9", {"type": "CallEnded"})
    after = stage.store.load(stage.call_id)
    assert json.loads(after.journal[-1])["entry"] == "noticed"
    assert after.record.entries == before.entries + 1 == len(after.journal)
    assert after.record.outcome == before.outcome


def test_a_side_effect_that_still_runs_keeps_the_key_and_ends_with_it() -> None:
    bank = Bank()

    async def at_the_end(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        try:
            await call.play(text("A moment."))
        finally:
            await call.run(bank.charge, number, call.id)

    stage = Stage(at_the_end)
    stage.key_in(CARD)
    kept: list[str] = []
    charge = bank.charge

    def seen(card: str, key: str) -> str:
        kept.append(stage.store.peek(stage.call_id).secrets)
        return charge(card, key)

    bank.charge = seen  # type: ignore[method-assign]
    stage.hang_up()
    assert bank.asked == [(CARD, stage.call_id)]
    assert len(kept) == 1
    assert kept[0] not in ("", DESTROYED)
    assert stage.store.peek(stage.call_id).secrets == DESTROYED


def test_a_side_effect_that_never_ends_does_not_leave_the_key_behind() -> None:
    class Killed(KeyboardInterrupt):
        pass

    def kills() -> None:
        raise Killed

    async def at_the_end(call: Call) -> None:
        await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        await call.run(kills)

    stage = Stage(at_the_end)
    with pytest.raises(Killed):
        stage.key_in(CARD)
    stage.hang_up(stage.instance())
    assert stage.store.peek(stage.call_id).secrets not in ("", DESTROYED)
    stage.one.afterwards.close(stage.call_id)
    assert stage.store.peek(stage.call_id).secrets == DESTROYED
    assert_nowhere(CARD, stage.kept())


# Every way in


def test_keys_that_are_reported_one_by_one_are_secret() -> None:
    read: list[str] = []

    async def keys(call: Call) -> None:
        await call.start_continuous_dtmf(secret=True)
        while (key := await call.next_tone()) != "#":
            read.append(key)
        await call.play(text("".join(read)))

    stage = Stage(keys)
    for number, digit in enumerate(CARD, 1):
        stage.event("ContinuousDtmfRecognitionToneReceived", sequenceId=number, tone=TONES[digit])
    stage.event("ContinuousDtmfRecognitionToneReceived", sequenceId=17, tone="pound")
    assert "".join(read) == CARD
    request = stage.world.last().action
    assert isinstance(request, actions.Play)
    assert request.prompts == (text(CARD),)
    assert_nowhere(CARD, stage.kept())
    tones = [e for e in stage.journal_of("event") if e["event"]["type"].endswith("ToneReceived")]
    assert [tone.get("secret") for tone in tones] == [True] * 17
    assert "tone" not in json.dumps([tone["event"]["data"] for tone in tones])


def test_keys_beside_a_question_for_a_secret_are_secret_too() -> None:
    async def both(call: Call) -> None:
        await call.start_continuous_dtmf()
        await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        await call.sleep(60)

    stage = Stage(both)
    for number, digit in enumerate(CARD, 1):
        stage.event("ContinuousDtmfRecognitionToneReceived", sequenceId=number, tone=TONES[digit])
    stage.key_in(CARD)
    assert_nowhere(CARD, stage.kept())


def test_a_duplicate_a_stale_and_a_late_result_are_secret_as_well() -> None:
    async def card(call: Call) -> None:
        await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        await call.ask_digits(text("Your order?"), max_tones=4)

    stage = Stage(card)
    question = stage.world.last().operation_context
    heard: dict[str, Any] = {"recognitionType": "dtmf", "dtmfResult": {"tones": [TONES[digit] for digit in CARD]}}
    contexts = (question, question, question.replace(":1:0", ":1:7"), question.replace(":1:0", ":99:0"), "odd", None)
    for context in (*contexts, f"{'0' * 32}:1:0"):
        stage.event("RecognizeCompleted", context, stage.one, **heard)
    stage.event("SomethingNew", question, **heard)
    assert_nowhere(CARD, stage.kept())
    assert len([e for e in stage.journal_of("event") if e.get("secret")]) == 8


def test_what_was_keyed_on_another_call_is_not_kept_even_on_one_without_secrets() -> None:
    async def plain(call: Call) -> None:
        await call.ask_digits(text("Your order?"), max_tones=4)

    stage = Stage(plain)
    heard: dict[str, Any] = {"recognitionType": "dtmf", "dtmfResult": {"tones": [TONES[digit] for digit in CARD]}}
    stage.event("RecognizeCompleted", f"{'0' * 32}:1:0", **heard)
    assert_nowhere(CARD, stage.kept())
    assert stage.store.peek(stage.call_id).secrets == ""
    assert stage.key_in("4929", stage.instance()) is Outcome.ADVANCED


def test_words_and_choices_are_secret() -> None:
    said: list[str | None] = []

    async def words(call: Call) -> None:
        said.append(await call.ask_speech(text("Your password?"), secret=True))
        said.append(await call.ask_choice(text("Which?"), choices=[Choice("hysteria")], secret=True))
        await call.signal("never")

    stage = Stage(words)
    asked = stage.world.last().operation_context
    stage.event("RecognizeCompleted", asked, recognitionType="speech", speechResult={"speech": "Open wide barley."})
    asked = stage.world.last().operation_context
    choice = {"label": "hysteria", "recognizedPhrase": "hysteria please"}
    stage.event("RecognizeCompleted", asked, recognitionType="choices", choiceResult=choice)
    assert said == ["Open wide barley.", "hysteria"]
    kept = json.dumps(stage.kept(), default=str)
    assert "barley" not in kept
    assert "hysteria please" not in kept


def test_signals_are_secret_from_when_the_flow_says_so() -> None:
    got: list[Any] = []

    async def desk(call: Call) -> None:
        card = call.signal("card", secret=True)
        got.append(await card)
        got.append(await call.signal("dtmf"))
        await call.signal("never")

    stage = Stage(desk)
    stage.one.signal(stage.call_id, "card", {"number": CARD, "name": "Ada"}, signal_id="s1")
    stage.instance().signal(stage.call_id, "dtmf", {"tone": CARD}, signal_id="s2")
    assert got[0] == {"number": CARD, "name": "Ada"}
    assert_nowhere(CARD, stage.kept())
    shown = stage.journal_of("signal")
    assert [(one["name"], one.get("data"), one["secret"]) for one in shown] == [
        ("card", None, True),
        ("dtmf", None, True),
    ]


# Keys


def test_without_a_key_a_flow_that_asks_for_a_secret_fails_at_its_line() -> None:
    async def card(call: Call) -> None:
        await call.ask_digits(text("Your card?"), max_tones=16, secret=True)

    stage = Stage(card, keys=None)
    failure = stage.store.peek(stage.call_id).failure
    assert failure["error"].startswith("InvalidInput: ask_digits.secret: needs the setting SECRETS_KEY")
    assert failure["line"] == 'await call.ask_digits(text("Your card?"), max_tones=16, secret=True)'
    assert failure["remedy"] == "Set it; make one with: openssl rand -base64 32"


@pytest.mark.parametrize(
    "use",
    [
        lambda call: call.play(text("x"), secret=True),
        lambda call: call.send_dtmf("1", secret=True),
        lambda call: call.start_continuous_dtmf(secret=True),
        lambda call: call.run_secret(str),
        lambda call: call.signal("card", secret=True),
        lambda call: call.recognize(text("x"), max_tones=1, secret=True),
    ],
)
def test_without_a_key_nothing_can_be_secret(use: Callable[[Call], Any]) -> None:
    async def asks(call: Call) -> None:
        await use(call)

    stage = Stage(asks, keys=None)
    assert "SECRETS_KEY" in stage.store.peek(stage.call_id).failure["error"]


def test_without_a_key_the_api_refuses_secret_actions() -> None:
    async def waits(call: Call) -> None:
        await call.signal("never")

    stage = Stage(waits, keys=None)
    with pytest.raises(InvalidInput, match="SECRETS_KEY"):
        stage.one.act(stage.call_id, actions.Play(prompts=(text("x"),), secret=True))
    assert [entry["action"]["kind"] for entry in stage.journal_of("issued")] == ["answer"]


def test_a_secret_action_of_the_api_is_sealed_and_its_key_stands_for_it_also_after_the_end() -> None:
    async def waits(call: Call) -> None:
        await call.signal("never")

    stage = Stage(waits)
    play = actions.Play(prompts=(text(f"Say {CARD}"),), secret=True)
    assert stage.one.act(stage.call_id, play, "k1")[0] is Outcome.ADVANCED
    assert stage.instance().act(stage.call_id, play, "k1")[0] is Outcome.DUPLICATE
    assert_nowhere(CARD, stage.kept())
    stage.hang_up()
    outcome, operation = stage.instance().act(stage.call_id, play, "k1")
    assert outcome is Outcome.DUPLICATE
    assert operation is not None


def test_a_key_that_was_changed_still_reads_what_was_encrypted_before() -> None:
    bank = Bank()
    stage = Stage(paying(bank))
    after = SecretKeys(made_key("next secrets"), made_key("secrets"))
    stage.key_in(CARD, stage.instance(after))
    assert bank.asked == [(CARD, stage.call_id)]
    assert_nowhere(CARD, stage.kept())


def test_a_live_call_whose_key_is_not_set_any_more_ends_with_the_fallback() -> None:
    bank = Bank()

    async def card(call: Call) -> None:
        number = await call.ask_digits(text("Your card?"), max_tones=16, secret=True)
        await call.play(text("Thank you."))
        await call.run(bank.charge, number, call.id)

    stage = Stage(card)
    stage.key_in(CARD)
    lost = stage.instance(SecretKeys(made_key("another")))
    stage.event("PlayCompleted", stage.world.last().operation_context, lost)
    record = stage.store.peek(stage.call_id)
    assert record.failure["error"].startswith("FlowChanged: the secrets of the call were encrypted under a key")
    assert "SECRETS_KEY_PREVIOUS" in record.failure["remedy"]
    assert bank.asked == []
    assert stage.world.last().action == actions.Play(prompts=(text("Sorry"),), interrupt=True)
    stage.event("PlayCompleted", stage.world.last().operation_context, stage.instance(SecretKeys(made_key("another"))))
    stage.hang_up(lost)
    assert stage.store.peek(stage.call_id).status == "ended"
    assert stage.store.peek(stage.call_id).secrets == DESTROYED


def test_what_is_encrypted_belongs_to_its_call_and_its_entry() -> None:
    one, other = Stage(paying(Bank())), Stage(paying(Bank()))
    one.key_in(CARD)
    wrapped = one.store.peek(one.call_id).secrets
    assert KEYS.cipher(wrapped, one.call_id) is not None
    assert KEYS.cipher(wrapped, "another call") is None
    stored = one.store._calls[one.call_id]
    position = next(i for i, entry in enumerate(stored.journal) if '"secret":"' in entry)
    stored.journal[position] = stored.journal[position].replace('"id":"event-', '"id":"event-9')
    one.event("PlayCompleted", None, one.instance())
    assert "FlowChanged" in one.store.peek(one.call_id).failure["error"]
    assert other.store.peek(other.call_id).failure == {}


def test_a_journal_read_by_a_session_has_what_was_keyed() -> None:
    stage = Stage(paying(Bank()))
    stage.key_in(CARD)
    issued = [e for e in stage.world.journal(stage.call_id) if isinstance(e, Issued)]
    assert [entry.action.kind for entry in issued] == ["answer", "recognize", "run", "play"]


def test_the_end_of_a_call_that_was_taken_for_over_is_still_journaled() -> None:
    stage = Stage(paying(Bank()))
    stage.key_in(CARD)
    settled = Settled(at=stage.world.clock.now, reason="the service no longer knows the call")
    stage.one.advance(stage.call_id, [(settled, None)])
    assert stage.store.peek(stage.call_id).secrets == DESTROYED
    body = stage.world.wire.event("CallDisconnected", None, (487, 5300, "gone"))
    assert stage.instance().deliver(stage.call_id, [parsed(body)]) is Outcome.ADVANCED
    record = stage.store.peek(stage.call_id)
    assert (record.outcome, record.code, record.sub_code, record.failure) == ("caller_left", 487, 5300, {})
    assert stage.instance().deliver(stage.call_id, [parsed(body)]) is Outcome.LATE


@pytest.mark.parametrize("secret", [False, True])
def test_a_secret_costs_no_request_to_the_storage(secret: bool) -> None:
    async def asks(call: Call) -> None:
        await call.ask_digits(text("Your card?"), max_tones=16, secret=secret)
        await call.play(text("Thank you."))

    store = Counting()
    stage = Stage(asks, world=World(store=store))
    stage.key_in(CARD)
    stage.played()
    stage.hang_up()
    assert (store.loads, store.peeks, store.commits) == (
        1,
        0,
        5,
    )  # a commit for each event, and the archive is read once


class Counting(MemoryStore):
    """Counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = self.peeks = self.commits = 0

    def load(self, call_id: str) -> Stored:
        self.loads += 1
        return super().load(call_id)

    def peek(self, call_id: str) -> CallRecord:
        self.peeks += 1
        return super().peek(call_id)

    def commit(self, record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        self.commits += 1
        return super().commit(record, appended, version)


def test_keys_and_words_of_the_streams_are_secret_once_a_secret_was_asked_for() -> None:
    async def listens(call: Call) -> None:
        first = await call.signal("dtmf")
        await call.play(text("One moment."))
        asked = call.ask_digits(text("Your PIN?"), max_tones=6, secret=True)
        keys = [(await call.signal("dtmf"))["tone"] for _ in "806315"]
        await call.signal("transcript")
        await call.play(text(f"{first['tone']} then {''.join(keys)}"))
        await asked

    stage = Stage(listens)
    for number, tone in enumerate("7806315"):
        stage.one.signal(stage.call_id, "dtmf", {"tone": tone}, signal_id=f"dtmf-{number}")
        if not number:
            stage.played()
    stage.one.signal(stage.call_id, "transcript", {"text": "it is about my house"}, signal_id="words")
    assert stage.world.last().action == actions.Play(prompts=(text("7 then 806315"),))
    shown = [(entry.get("data"), entry.get("secret")) for entry in stage.journal_of("signal")]
    assert shown == [({"tone": "7"}, None)] + [(None, True)] * 7
    assert_nowhere("806315", stage.kept())
