"""Ten thousand calls in one run: several hosts, killed, storage stalled, responses lost, events twice and late.

python -m bench --only marathon                 # 10,000 calls, for an idle machine
python -m bench --only marathon --quick         # 500
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.losses.judge import LONGEST_SILENCE, MEDIAN_SILENCE, Judgement, judge
from bench.losses.measure import described
from bench.losses.run import run_in_rounds
from bench.losses.scenario import SCENARIOS
from bench.losses.told import told
from bench.report import Row

CALLS, QUICK = 10_000, 500
ROUND = 800
"""Calls after which what became of them is looked at: the emulator's logs hold as many deliveries as these have."""
AT_ONCE = 120
"""Calls that are up at the same time at most: a machine that is too slow for the pace places fewer."""
MOST_MINUTES = 25.0
"""On two cores that do nothing else."""


def measure(quick: bool) -> Iterator[Row]:
    """The run; what is not right is told as it is found."""
    calls = QUICK if quick else CALLS
    rounds: list[Judgement] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for gathered in run_in_rounds(SCENARIOS["marathon"], Path(folder), calls=calls, of=ROUND, at_once=AT_ONCE):
            judgement = judge(gathered)
            if judgement.problems():
                print(told(judgement), flush=True)
            rounds.append(_figures_alone(judgement))
            yield _round(len(rounds), judgement, time.monotonic() - began)
    minutes = (time.monotonic() - began) / 60
    name = f"marathon: {described(SCENARIOS['marathon'])}"
    verdicts = [verdict for one in rounds for verdict in one.verdicts]
    wrong = sum(bool(verdict.wrong) for verdict in verdicts)
    outage = max(one.outage for one in rounds)
    deaths = sum("dead" in outage.what for one in rounds for outage in one.gathered.outages)
    silences = [seconds for one in rounds for seconds in one.silences]
    yield Row(name, "calls", len(verdicts), "calls", calls, at_least=True, more={"deaths": deaths})
    yield Row(name, "calls that did not end as their phone expects", wrong, "calls", 0)
    known = sum(not one.why for verdict in verdicts for one in verdict.twice)
    yield Row(name, "said twice though it was known", known, "prompts", 0)
    left = sum(len(one.gathered.left_up) + len(one.gathered.left_open) for one in rounds)
    yield Row(name, "calls left up or open", left, "calls", 0)
    yield Row(name, "longest silence of a call, p50", statistics.median(silences), "s", MEDIAN_SILENCE)
    yield Row(name, "longest silence of a call, most", max(silences), "s", round(LONGEST_SILENCE + outage, 2))
    lost = sum(len(lost) for one in rounds for lost in one.gathered.lost.values())
    yield Row(name, "responses lost", lost, "responses")
    yield Row(name, "minutes", minutes, "min", None if quick else MOST_MINUTES, more={"a_call": minutes * 60 / calls})


def _round(number: int, judgement: Judgement, seconds: float) -> Row:
    figures = {**judgement.figures(), "since the start": round(seconds, 1)}
    return Row("marathon", f"round {number}: wrong", len(judgement.wrong), "calls", 0, more=figures)


def _figures_alone(judgement: Judgement) -> Judgement:
    """The same without what fills the memory."""
    found = judgement.gathered
    found.notes, found.deliveries, found.requests = [], [], []
    found.calls, found.journals = {}, {}
    return judgement
