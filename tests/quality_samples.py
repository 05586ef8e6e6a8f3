"""Reports as the analysis would make them, for tests of what shows or stores them. Numbers and words are made up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from shared.quality.assemble import MIXED, Evidence, Person, Role, assemble
from shared.quality.report import (
    Answer,
    AppLine,
    AppSpan,
    CallFacts,
    ChunkFacts,
    Flag,
    Phrase,
    Redactions,
    Report,
    ScorecardResult,
    Topic,
    Transcript,
)
from shared.quality.signal import ChannelSignal, Hole, Piece, Signal
from shared.quality.spans import Span, difference, union

BEGAN = datetime(2026, 11, 23, 9, 14, 7, tzinfo=UTC)
CUSTOMER = "4:+1*******23"
HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"><!-- ' \u2028 {{ 7 * 7 }}"
"""Text that would run or break the page if anything in it were taken for markup."""

Talk = Sequence[tuple[float, float]]
Who = tuple[Role, str, str, Talk]
"""Role, label, participant, speech."""


def short() -> Report:
    """Two people, 74 seconds, one file: an interruption, dead air, words, a scorecard that is passed."""
    customer = ((8.2, 14.1), (24.5, 27.0), (45.6, 52.3), (54.0, 55.1), (69.8, 71.5))
    agent = ((3.1, 7.4), (15.0, 23.8), (26.1, 33.0), (45.9, 46.2), (55.6, 68.9))
    people: tuple[Who, ...] = (
        ("customer", "Customer", CUSTOMER, customer),
        ("agent", "Agent", "8:acs:…4f1c", agent),
    )
    return _report(
        "20261123-000000000000000000000001",
        74.0,
        people,
        app=(AppSpan(kind="prompt", start=0.4, end=2.6),),
        app_lines=(
            AppLine(kind="said", at=0.4, text="Thank you for calling Contoso. For orders, press 2."),
            AppLine(kind="keyed", at=2.8, text="2", channel=0),
        ),
        flags=(
            Flag(
                code="dead_air",
                text="Nobody speaks for 12.6 s from 0:33 on; the limit is 10 s.",
                spans=(Span(33.0, 45.6),),
            ),
        ),
        transcript=_transcript(
            (1, 3.1, 7.4, "Good morning, this is the service desk. How can I help you?"),
            (0, 8.2, 14.1, "Hello. I have been charged twice for my order, I want one of them back."),
            (1, 15.0, 23.8, "I am sorry about that. Could you give me the number of the order, please?"),
            (0, 24.5, 27.0, "It is on my card, [card], and"),
            (1, 26.1, 33.0, "One moment, please, do not read out your card. I will look it up."),
            (0, 45.6, 52.3, "Are you still there? You can reach me at [phone] as well."),
            (1, 45.9, 46.2, "Yes."),
            (0, 54.0, 55.1, "All right."),
            (1, 55.6, 68.9, "I have found it and sent the second payment back. Is there anything else I can do?"),
            (0, 69.8, 71.5, "No, thank you. Goodbye."),
        ),
        topics=(Topic(name="Billing", seconds=14.8, spans=(Span(8.2, 14.1), Span(15.0, 23.8))),),
        scorecards=(_service_card(),),
    )


def five_channels() -> Report:
    """Five people in two files: a pause, a missing chunk, holds, one-way audio, an auto-fail; no transcriber."""
    random = Random(5)
    seconds = 1520.0
    holes = (
        Hole(Span(310.0, 395.5), "paused"),
        Hole(Span(1210.0, 1262.0), "missing"),
    )
    dead = ((0.0, 9.0), (500.0, 690.0), *(hole.span for hole in holes))
    talk = _conversation(random, seconds, 4, dead)
    people: tuple[Who, ...] = (
        ("customer", "Customer", CUSTOMER, talk[0]),
        ("agent", "Agent", "8:acs:…4f1c", talk[1]),
        ("agent", "Agent 2", "8:acs:…90ab", talk[2]),
        ("unknown", "Participant 4", "4:+49*******07", talk[3]),
        ("unknown", "Participant 5", "8:orgid:…77d0", ()),
    )
    pieces = (
        Piece(Span(0.0, 310.0), 0, 0.0),
        Piece(Span(395.5, 685.5), 0, 310.0),
        Piece(Span(685.5, 1210.0), 1, 0.0),
        Piece(Span(1262.0, 1520.0), 3, 0.0),
    )
    return _report(
        "20261123-000000000000000000000005",
        seconds,
        people,
        pieces=pieces,
        holes=holes,
        app=(
            AppSpan(kind="prompt", start=0.5, end=4.0),
            AppSpan(kind="listening", start=0.5, end=9.0, channel=0),
            AppSpan(kind="hold", start=500.0, end=690.0, channel=0),
            AppSpan(kind="prompt", start=688.0, end=690.0, channel=0),
        ),
        flags=(
            Flag(
                code="long_hold",
                text="Customer is on hold for 3:10; the limit is 2:00.",
                channel=0,
                spans=(Span(500.0, 690.0),),
            ),
            Flag(
                code="silent_channel", text="Participant 5 cannot be heard in the whole recording.", channel=4, spans=()
            ),
            Flag(
                code="audio_missing",
                text="52 s of the recording is missing: a chunk is not available.",
                spans=(Span(1210.0, 1262.0),),
            ),
        ),
        scorecards=(_failed_card(), _service_card()),
        notes=("There is no transcript: no transcriber is set.", "Chunk 2 was not available within its 24 hours."),
    )


def long() -> Report:
    """Eight hours on five channels, 72,000 spans of speech: what the page must be able to carry."""
    random = Random(8)
    seconds = 8 * 3600.0
    people: list[Who] = []
    for index in range(5):
        at, talk = random.uniform(0, 2), list[tuple[float, float]]()
        while at < seconds - 3 and len(talk) < 14_400:
            length = random.uniform(0.13, 1.4)
            talk.append((round(at, 2), round(at + length, 2)))
            at += length + random.uniform(0.35, 2.1)
        role: Role = "agent" if index else "customer"
        people.append((role, f"Agent {index}" if index else "Customer", CUSTOMER, talk))
    return _report(
        "20261123-000000000000000000000008",
        seconds,
        people,
        app=tuple(AppSpan(kind="prompt", start=at, end=at + 6.0) for at in range(0, 28_000, 300)),
        pieces=tuple(Piece(Span(i * 3600.0, i * 3600.0 + 3600.0), i, 0.0) for i in range(8)),
        flags=(Flag(code="cross_talk", text="Customer can be heard on the channel of Agent 1.", channel=0),),
        scorecards=(_service_card(),),
    )


def mixed() -> Report:
    """One channel for everybody: nobody can be told from anybody."""
    talk = ((1.0, 9.5), (10.2, 31.0), (33.0, 58.4), (71.0, 88.8), (90.0, 117.5))
    return _report(
        "20261123-00000000000000000000000a", 121.0, (("everybody", "Everybody", "", talk),), mixed=True, notes=(MIXED,)
    )


def empty() -> Report:
    """Half a minute in which nobody speaks, of a call that the app does not know; every question is n/a."""
    people: tuple[Who, ...] = (
        ("unknown", "Participant 1", CUSTOMER, ()),
        ("unknown", "Participant 2", "8:acs:…4f1c", ()),
    )
    card = ScorecardResult(
        name="service",
        title="Service",
        score=None,
        passed=None,
        pass_at=75.0,
        questions=1,
        answered=0,
        answered_share=0.0,
        min_answered=0.5,
        answers=(
            Answer(
                id="greeting",
                question="Did the agent greet?",
                answer="n/a",
                points=0,
                of=0,
                rationale="Nobody speaks in the recording.",
            ),
        ),
    )
    return _report(
        "20261123-00000000000000000000000e",
        31.0,
        people,
        flags=(Flag(code="no_speech", text="Nobody speaks in the whole recording."),),
        scorecards=(card,),
        call=CallFacts(),
    )


def hostile() -> Report:
    """The short call, with markup wherever text comes from outside."""
    report = short()
    channels = tuple(
        channel.model_copy(update={"label": HOSTILE, "participant": HOSTILE}) for channel in report.channels
    )
    phrase = Phrase(channel=0, start=1.0, end=2.0, text=HOSTILE)
    card = report.scorecards[0]
    answer = card.answers[0].model_copy(update={"question": HOSTILE, "rationale": HOSTILE, "id": HOSTILE})
    chunk = report.recording.chunks[0].model_copy(update={"note": HOSTILE, "blob": HOSTILE})
    return report.model_copy(
        update={
            "id": HOSTILE,
            "call": CallFacts(id=HOSTILE, flow=HOSTILE, outcome=HOSTILE, started_at=BEGAN),
            "recording": report.recording.model_copy(update={"end_reason": HOSTILE, "chunks": (chunk,)}),
            "channels": channels,
            "flags": (Flag(code="silence", text=HOSTILE),),
            "app_lines": (
                AppLine(kind="said", at=0.0, text=HOSTILE),
                AppLine(kind="keyed", at=3.0, text=HOSTILE, channel=0),
            ),
            "transcript": Transcript(locale=HOSTILE, phrases=(phrase,), redactions=Redactions()),
            "topics": (Topic(name=HOSTILE, seconds=1.0, spans=()),),
            "scorecards": (card.model_copy(update={"title": HOSTILE, "answers": (answer,)}),),
            "definitions": dict.fromkeys(report.definitions, HOSTILE),
            "notes": (HOSTILE,),
        }
    )


def _report(
    id: str,
    seconds: float,
    people: Sequence[Who],
    *,
    mixed: bool = False,
    pieces: tuple[Piece, ...] = (),
    holes: tuple[Hole, ...] = (),
    call: CallFacts | None = None,
    app: tuple[AppSpan, ...] = (),
    app_lines: tuple[AppLine, ...] = (),
    flags: tuple[Flag, ...] = (),
    transcript: Transcript | None = None,
    topics: tuple[Topic, ...] = (),
    scorecards: tuple[ScorecardResult, ...] = (),
    notes: tuple[str, ...] = (),
) -> Report:
    pieces = pieces or (Piece(Span(0.0, seconds), 0, 0.0),)
    held = {piece.chunk: 0.0 for piece in pieces}
    for piece in pieces:
        held[piece.chunk] += piece.span.seconds
    chunks = [
        ChunkFacts(
            index=index,
            blob=f"{id}/{index}.wav",
            start=next(piece.span.start for piece in pieces if piece.chunk == index),
            seconds=length,
            bytes=int(length * 16_000 * 2 * len(people)) + 44,
        )
        if (length := held.get(index))
        else ChunkFacts(index=index, blob=None, start=1210.0, seconds=0, bytes=0, note="not found (404)")
        for index in range(max(held) + 1)
    ]
    report = assemble(
        Evidence(
            id=id,
            signal=Signal(
                seconds, tuple(_sound(*one, seconds) for one in enumerate(talk for *_, talk in people)), pieces, holes
            ),
            chunks=chunks,
            sample_rate=16_000,
            bits=16,
            mixed=mixed,
            people={index: Person(*person[:3]) for index, person in enumerate(people)},
            app=app,
            app_lines=app_lines,
            started_at=BEGAN + timedelta(seconds=2),
            end_reason="callEnded",
            call=call
            or CallFacts(
                id="6f1c2f0e",
                flow="reception",
                direction="inbound",
                outcome="completed",
                result="refunded",
                started_at=BEGAN,
                ended_at=BEGAN + timedelta(seconds=seconds + 3),
            ),
            transcript=transcript,
            topics=topics,
            notes=notes,
        ),
        now=BEGAN + timedelta(seconds=seconds + 95),
    )
    return report.model_copy(update={"flags": flags, "scorecards": scorecards})


def _sound(index: int, talk: Talk, seconds: float) -> ChannelSignal:
    """A channel on which this is said; an empty one is not silent."""
    speech = tuple(Span(*span) for span in talk)
    return ChannelSignal(
        speech=speech,
        loudness=-21.4 - 1.7 * index if speech else None,
        loudness_range=6.3 if speech else None,
        peak=-3.1 if speech else None,
        clipped=0.00012 * index,
        noise_floor=-61.0 if speech else None,
        silent=False,
        envelope=_envelope(index, speech, seconds),
    )


def _envelope(index: int, speech: Sequence[Span], seconds: float) -> tuple[int, ...]:
    """Syllables where somebody speaks, and the noise of a line elsewhere."""
    random, count = Random(index), min(1000, int(seconds * 20))
    talk = [False] * count
    for start, end in speech:
        for number in range(int(start / seconds * count), min(count, int(end / seconds * count) + 1)):
            talk[number] = True
    return tuple(random.randint(26, 52) if said else random.randint(2, 9) for said in talk)


def _conversation(random: Random, seconds: float, people: int, quiet: Talk) -> list[list[tuple[float, float]]]:
    """People who mostly take turns, and fall silent in the quiet spans."""
    talk: list[list[Span]] = [[] for _ in range(people)]
    at, speaker = 10.0, 0
    while at < seconds - 20:
        end = at + random.uniform(1.5, 16)
        talk[speaker].append(Span(round(at, 2), round(end, 2)))
        at = end + random.uniform(-0.9, 3.5)
        speaker = random.choices([i for i in range(people) if i != speaker], [6, 6, 3, 1][: people - 1])[0]
    holes = union(Span(*span) for span in quiet)
    return [[(span.start, span.end) for span in difference(union(one), holes)] for one in talk]


def _transcript(*phrases: tuple[int, float, float, str]) -> Transcript:
    return Transcript(
        locale="en-US",
        phrases=tuple(
            Phrase(channel=channel, start=start, end=end, text=text, confidence=0.91)
            for channel, start, end, text in phrases
        ),
        redactions=Redactions(card=1, phone=1),
    )


def _service_card() -> ScorecardResult:
    return ScorecardResult(
        name="service",
        title="Service",
        score=83.3,
        passed=True,
        pass_at=75.0,
        questions=4,
        answered=3,
        answered_share=0.8571,
        min_answered=0.5,
        answers=(
            Answer(
                id="greeting",
                question="Did the agent greet within ten seconds?",
                answer="yes",
                points=20,
                of=20,
                rationale="“good morning” is said by the agent at 0:03.",
                spans=(Span(3.1, 7.4),),
            ),
            Answer(
                id="dead-air",
                question="Was the customer left without dead air?",
                answer="no",
                points=0,
                of=10,
                rationale="Dead air is 1; at most 0 is allowed.",
                spans=(Span(33.0, 45.6),),
            ),
            Answer(
                id="balance",
                question="Did the customer get a word in?",
                answer="yes",
                points=30,
                of=30,
                rationale="Talk ratio of the agent is 66 %; at most 70 % is allowed.",
            ),
            Answer(
                id="transfer",
                question="Was the transfer announced?",
                answer="n/a",
                points=0,
                of=0,
                rationale="The call was not transferred.",
            ),
        ),
    )


def _failed_card() -> ScorecardResult:
    return ScorecardResult(
        name="compliance",
        title="Compliance",
        score=90.0,
        passed=False,
        pass_at=80.0,
        questions=2,
        answered=2,
        answered_share=1.0,
        min_answered=0.5,
        answers=(
            Answer(
                id="hold",
                question="Was every hold shorter than two minutes?",
                answer="no",
                points=0,
                of=10,
                auto_fail=True,
                rationale="Longest hold is 3:10; at most 2:00 is allowed.",
                spans=(Span(500.0, 690.0),),
            ),
            Answer(
                id="both",
                question="Could both sides be heard?",
                answer="yes",
                points=90,
                of=90,
                rationale="No one-way audio.",
            ),
        ),
    )
