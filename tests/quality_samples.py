"""Reports as the analysis would make them, for tests of what shows or stores them. Numbers and words are made up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import median
from typing import Literal

from shared.quality.catalogue import definitions
from shared.quality.report import (
    Answer,
    AppSpan,
    CallFacts,
    Channel,
    ChunkFacts,
    Conversation,
    Flag,
    HoleFacts,
    Metric,
    Phrase,
    PieceFacts,
    RecordingFacts,
    Redactions,
    Report,
    ScorecardResult,
    Topic,
    Transcript,
)
from shared.quality.spans import Span, common, total, united, without
from shared.quality.thresholds import Thresholds

BEGAN = datetime(2026, 11, 23, 9, 14, 7, tzinfo=UTC)
CUSTOMER = "4:+1*******23"
HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"><!-- ' \u2028 {{ 7 * 7 }}"
"""Text that would run or break the page if anything in it were taken for markup."""

Role = Literal["customer", "agent", "unknown", "everybody"]
Talk = Sequence[tuple[float, float]]
Person = tuple[Role, str, str, Talk]
"""Role, label, participant, speech."""


def short() -> Report:
    """Two people, 74 seconds, one file: an interruption, dead air, words, a scorecard that is passed."""
    customer = ((8.2, 14.1), (24.5, 27.0), (45.6, 52.3), (54.0, 55.1), (69.8, 71.5))
    agent = ((3.1, 7.4), (15.0, 23.8), (26.1, 33.0), (45.9, 46.2), (55.6, 68.9))
    people: tuple[Person, ...] = (
        ("customer", "Customer", CUSTOMER, customer),
        ("agent", "Agent", "8:acs:…4f1c", agent),
    )
    return _report(
        "20261123-000000000000000000000001",
        74.0,
        people,
        interruptions={1: ((26.1, 27.0),)},
        backchannels={1: ((45.9, 46.2),)},
        app=(AppSpan(kind="prompt", start=0.4, end=2.6),),
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
        HoleFacts(start=310.0, end=395.5, reason="paused"),
        HoleFacts(start=1210.0, end=1262.0, reason="missing"),
    )
    dead = ((0.0, 9.0), (500.0, 690.0), *((hole.start, hole.end) for hole in holes))
    talk = _conversation(random, seconds, 4, dead)
    people: tuple[Person, ...] = (
        ("customer", "Customer", CUSTOMER, talk[0]),
        ("agent", "Agent", "8:acs:…4f1c", talk[1]),
        ("agent", "Agent 2", "8:acs:…90ab", talk[2]),
        ("unknown", "Participant 4", "4:+49*******07", talk[3]),
        ("unknown", "Participant 5", "8:orgid:…77d0", ()),
    )
    pieces = (
        PieceFacts(start=0.0, end=310.0, chunk=0, offset=0.0),
        PieceFacts(start=395.5, end=685.5, chunk=0, offset=310.0),
        PieceFacts(start=685.5, end=1210.0, chunk=1, offset=0.0),
        PieceFacts(start=1262.0, end=1520.0, chunk=3, offset=0.0),
    )
    return _report(
        "20261123-000000000000000000000005",
        seconds,
        people,
        pieces=pieces,
        holes=holes,
        interruptions={0: ((120.0, 121.1),), 2: ((430.2, 431.0), (902.5, 904.0))},
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
                text="52 s of the recording are missing: a chunk could not be had.",
                spans=(Span(1210.0, 1262.0),),
            ),
        ),
        scorecards=(_failed_card(), _service_card()),
        notes=("There are no words: no transcriber is set.", "Chunk 2 could not be had within its 24 hours."),
    )


def long() -> Report:
    """Eight hours on five channels, 72,000 spans of speech: what the page must be able to carry."""
    random = Random(8)
    seconds = 8 * 3600.0
    people: list[Person] = []
    for index in range(5):
        at, talk = random.uniform(0, 2), list[tuple[float, float]]()
        while at < seconds - 3 and len(talk) < 14_400:
            length = random.uniform(0.13, 1.4)
            talk.append((round(at, 2), round(at + length, 2)))
            at += length + random.uniform(0.35, 2.1)
        role: Role = "agent" if index else "customer"
        people.append((role, f"Agent {index}" if index else "Customer", CUSTOMER, talk))
    marks = [(float(at), at + 0.8) for at in range(60, 28_000, 140)]
    return _report(
        "20261123-000000000000000000000008",
        seconds,
        people,
        interruptions={0: marks, 1: marks},
        app=tuple(AppSpan(kind="prompt", start=at, end=at + 6.0) for at in range(0, 28_000, 300)),
        pieces=tuple(PieceFacts(start=i * 3600.0, end=i * 3600.0 + 3600.0, chunk=i, offset=0.0) for i in range(8)),
        flags=(Flag(code="cross_talk", text="Customer can be heard on the channel of Agent 1.", channel=0),),
        scorecards=(_service_card(),),
    )


def mixed() -> Report:
    """One channel for everybody: nobody can be told from anybody."""
    talk = ((1.0, 9.5), (10.2, 31.0), (33.0, 58.4), (71.0, 88.8), (90.0, 117.5))
    report = _report(
        "20261123-00000000000000000000000a", 121.0, (("everybody", "Everybody", "", talk),), channel_type="mixed"
    )
    unsaid = (
        "talk_ratio",
        "response_median_seconds",
        "response_p90_seconds",
        "interruptions",
        "backchannels",
        "overtalk_ratio",
    )
    unheard = ("overlap_seconds", "overlap_ratio", "all_interruptions")
    for metrics, names in ((report.channels[0].metrics, unsaid), (report.conversation.metrics, unheard)):
        metrics |= {name: metrics[name].model_copy(update={"value": None}) for name in names}
    note = "The recording is mixed: who spoke, interruptions and overlap cannot be told."
    return report.model_copy(update={"notes": (note,)})


def empty() -> Report:
    """Half a minute in which nobody speaks, of a call that the app does not know; every question is n/a."""
    people: tuple[Person, ...] = (
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
    report = _report(
        "20261123-00000000000000000000000e",
        31.0,
        people,
        flags=(Flag(code="no_speech", text="Nobody speaks in the whole recording."),),
        scorecards=(card,),
    )
    return report.model_copy(update={"call": CallFacts()})


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
    people: Sequence[Person],
    *,
    channel_type: Literal["mixed", "unmixed"] = "unmixed",
    pieces: tuple[PieceFacts, ...] = (),
    holes: tuple[HoleFacts, ...] = (),
    interruptions: dict[int, Talk] | None = None,
    backchannels: dict[int, Talk] | None = None,
    app: tuple[AppSpan, ...] = (),
    flags: tuple[Flag, ...] = (),
    transcript: Transcript | None = None,
    topics: tuple[Topic, ...] = (),
    scorecards: tuple[ScorecardResult, ...] = (),
    notes: tuple[str, ...] = (),
) -> Report:
    spoken = [[Span(*span) for span in talk] for *_, talk in people]
    everything = total(span for talk in spoken for span in talk)
    pieces = pieces or (PieceFacts(start=0.0, end=seconds, chunk=0, offset=0.0),)
    gone = [Span(hole.start, hole.end) for hole in holes]
    channels = tuple(
        _channel(
            index,
            *person[:3],
            spoken[index],
            everything,
            cuts=_spans((interruptions or {}).get(index, ())),
            nods=_spans((backchannels or {}).get(index, ())),
            spoken_words=_words(transcript, index),
        )
        for index, person in enumerate(people)
    )
    sizes = {piece.chunk: 0.0 for piece in pieces}
    for piece in pieces:
        sizes[piece.chunk] += piece.end - piece.start
    rate = 16_000 * 2 * len(people)
    chunks = [
        ChunkFacts(
            index=index,
            blob=f"{id}/{index}.wav",
            start=next(piece.start for piece in pieces if piece.chunk == index),
            seconds=length,
            bytes=int(length * rate) + 44,
        )
        for index, length in sizes.items()
    ]
    for index in range(max(sizes)):
        if index not in sizes:
            chunks.insert(
                index, ChunkFacts(index=index, blob=None, start=1210.0, seconds=0, bytes=0, note="not found (404)")
            )
    return Report(
        id=id,
        created_at=BEGAN + timedelta(seconds=seconds + 95),
        call=CallFacts(
            id="6f1c2f0e",
            flow="reception",
            direction="inbound",
            outcome="completed",
            result="refunded",
            started_at=BEGAN,
            ended_at=BEGAN + timedelta(seconds=seconds + 3),
        ),
        recording=RecordingFacts(
            started_at=BEGAN + timedelta(seconds=2),
            seconds=seconds,
            channel_type=channel_type,
            sample_rate=16_000,
            bits=16,
            end_reason="callEnded",
            chunks=tuple(chunks),
            pieces=pieces,
            holes=holes,
        ),
        channels=channels,
        conversation=_together(seconds, spoken, gone, app, channels),
        app=app,
        flags=flags,
        transcript=transcript,
        topics=topics,
        scorecards=scorecards,
        thresholds=Thresholds(),
        definitions=definitions(),
        notes=notes,
    )


def _channel(
    index: int,
    role: Role,
    label: str,
    participant: str,
    speech: Sequence[Span],
    everything: float,
    *,
    cuts: tuple[Span, ...],
    nods: tuple[Span, ...],
    spoken_words: int | None,
) -> Channel:
    talk = total(speech)
    longest = max(speech, key=lambda span: span.seconds, default=None)
    pauses = [after.start - before.end for before, after in pairwise(speech)]
    metrics = {
        "talk_seconds": Metric(value=round(talk, 2), unit="s"),
        "talk_ratio": Metric(value=talk / everything if everything else None, unit="ratio"),
        "turns": Metric(value=len(speech), unit="count"),
        "response_median_seconds": Metric(value=min(pauses) / 2 if pauses else None, unit="s"),
        "response_p90_seconds": Metric(value=median(pauses) if pauses else None, unit="s"),
        "longest_monologue_seconds": Metric(
            value=longest.seconds if longest else None, unit="s", spans=(longest,) if longest else ()
        ),
        "interruptions": Metric(value=len(cuts), unit="count", spans=cuts),
        "backchannels": Metric(value=len(nods), unit="count", spans=nods),
        "overtalk_ratio": Metric(value=len(cuts) / len(speech) if speech else None, unit="ratio"),
        "loudness_lufs": Metric(value=-21.4 - 1.7 * index if speech else None, unit="LUFS"),
        "loudness_range_lu": Metric(value=6.3 if speech else None, unit="LU"),
        "peak_dbfs": Metric(value=-3.1 if speech else None, unit="dBFS"),
        "clipped_ratio": Metric(value=0.00012 * index, unit="ratio"),
        "noise_floor_dbfs": Metric(value=-61.0 if speech else None, unit="dBFS"),
        "words": Metric(value=spoken_words, unit="count"),
        "words_per_minute": Metric(value=60 * spoken_words / talk if spoken_words and talk else None, unit="wpm"),
    }
    return Channel(
        channel=index, role=role, label=label, participant=participant, speech=tuple(speech), metrics=metrics
    )


def _together(
    seconds: float,
    spoken: Sequence[Sequence[Span]],
    gone: Sequence[Span],
    app: Sequence[AppSpan],
    channels: Sequence[Channel],
) -> Conversation:
    heard = united(span for talk in spoken for span in talk)
    overlap = united(
        span for i, one in enumerate(spoken) for other in spoken[i + 1 :] for span in common(list(one), list(other))
    )
    whole = [Span(heard[0].start, heard[-1].end)] if heard else []
    holds = united(Span(span.start, span.end) for span in app if span.kind == "hold")
    played = united(Span(span.start, span.end) for span in app if span.kind != "hold")
    left_out = united([*holds, *played, *gone])
    conversation = total(without(whole, left_out)) if heard else None
    silences = without(without(whole, left_out), heard)
    dead = tuple(span for span in silences if span.seconds >= 10)
    ratios = [channel.metrics["talk_ratio"].value or 0 for channel in channels]

    def share(amount: float) -> Metric:
        return Metric(value=amount / conversation if conversation else None, unit="ratio")

    cuts = tuple(sorted(span for channel in channels for span in channel.metrics["interruptions"].spans))
    longest = max(silences, key=lambda span: span.seconds, default=None)
    metrics = {
        "recording_seconds": Metric(value=seconds, unit="s"),
        "conversation_seconds": Metric(value=conversation, unit="s"),
        "silence_seconds": Metric(value=total(silences) if heard else None, unit="s"),
        "silence_ratio": share(total(silences)),
        "longest_silence_seconds": Metric(
            value=longest.seconds if longest else None, unit="s", spans=(longest,) if longest else ()
        ),
        "dead_air": Metric(value=len(dead), unit="count", spans=dead),
        "dead_air_seconds": Metric(value=total(dead), unit="s", spans=dead),
        "overlap_seconds": Metric(value=total(overlap), unit="s", spans=tuple(overlap)),
        "overlap_ratio": share(total(overlap)),
        "all_interruptions": Metric(value=len(cuts), unit="count", spans=cuts),
        "hold_seconds": Metric(value=total(holds), unit="s", spans=tuple(holds)),
        "longest_hold_seconds": Metric(value=max((span.seconds for span in holds), default=None), unit="s"),
        "app_seconds": Metric(value=total(played), unit="s", spans=tuple(played)),
        "longest_monologue": Metric(
            value=max((span.seconds for talk in spoken for span in talk), default=None), unit="s"
        ),
        "dominance": Metric(value=max(ratios) if heard and len(channels) > 1 else None, unit="ratio"),
    }
    return Conversation(metrics=metrics, overlap=tuple(overlap), dead_air=dead)


def _conversation(random: Random, seconds: float, people: int, quiet: Talk) -> list[list[tuple[float, float]]]:
    """People who mostly take turns, and fall silent in the quiet spans."""
    talk: list[list[Span]] = [[] for _ in range(people)]
    at, speaker = 10.0, 0
    while at < seconds - 20:
        end = at + random.uniform(1.5, 16)
        talk[speaker].append(Span(round(at, 2), round(end, 2)))
        at = end + random.uniform(-0.9, 3.5)
        speaker = random.choices([i for i in range(people) if i != speaker], [6, 6, 3, 1][: people - 1])[0]
    holes = united(Span(*span) for span in quiet)
    return [[(span.start, span.end) for span in without(united(one), holes)] for one in talk]


def _transcript(*phrases: tuple[int, float, float, str]) -> Transcript:
    return Transcript(
        locale="en-US",
        phrases=tuple(
            Phrase(channel=channel, start=start, end=end, text=text, confidence=0.91)
            for channel, start, end, text in phrases
        ),
        redactions=Redactions(card=1, phone=1),
    )


def _words(transcript: Transcript | None, channel: int) -> int | None:
    if transcript is None:
        return None
    return sum(len(phrase.text.split()) for phrase in transcript.phrases if phrase.channel == channel)


def _spans(talk: Talk) -> tuple[Span, ...]:
    return tuple(Span(*span) for span in talk)


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
