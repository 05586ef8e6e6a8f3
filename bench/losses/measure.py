"""The rows of the bench: what lost responses do to calls, and what the watchdog costs an app without calls."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import requests

from bench.losses.judge import LONGEST_SILENCE, MEDIAN_SILENCE, Judgement, judge
from bench.losses.run import run
from bench.losses.scenario import KEY, SCENARIOS, Scenario, deployed_here, stack_behind_proxies
from bench.report import Row, percentile
from devstack.host.schedules import parse_schedule
from shared.settings import Settings

_WATCHES = 20


def measure(quick: bool) -> Iterator[Row]:
    """An idle day, and each scenario against the same calls with nothing lost."""
    calls, names = (30, ["all"]) if quick else (100, ["storage", "service", "all"])
    yield from _idle()
    baselines: dict[Scenario, Judgement] = {}
    for name in names:
        scenario = SCENARIOS[name]
        calm = replace(scenario, name="none", storage=0.0, service=0.0, kill_every=0.0, stall=0.0, events=())
        if calm not in baselines:
            baselines[calm] = _run(calm, calls)
            yield from _rows(baselines[calm], baselines[calm])
        yield from _rows(_run(scenario, calls), baselines[calm])


def _run(scenario: Scenario, calls: int) -> Judgement:
    with tempfile.TemporaryDirectory() as folder:
        return judge(run(scenario, Path(folder), calls=calls))


def described(scenario: Scenario) -> str:
    """What is done to the calls, in a few words."""
    parts = [f"{share:.0%} {where}" for where in ("storage", "service") if (share := getattr(scenario, where))]
    parts += ["kills"] if scenario.kill_every else []
    parts += ["stall"] if scenario.stall else []
    parts += ["odd events"] if scenario.events else []
    return f"{', '.join(parts) or 'none'}; {scenario.hosts} host{'s' if scenario.hosts > 1 else ''}"


def _rows(judgement: Judgement, baseline: Judgement) -> Iterator[Row]:
    name = f"losses: {described(judgement.gathered.scenario)}"
    calls, silences, figures = len(judgement.verdicts), judgement.silences, judgement.figures()
    right = (calls - len(judgement.wrong)) / calls
    yield Row(name, "calls that end as their phone expects", 100 * right, "%", 100, at_least=True, more=figures)
    known = sum(not one.why for verdict in judgement.verdicts for one in verdict.twice)
    yield Row(name, "said twice though it was known", known, "prompts", 0)
    yield Row(name, "calls left up or open", figures["left up"] + figures["left open"], "calls", 0)
    yield Row(name, "longest silence of a call, p50", statistics.median(silences), "s", MEDIAN_SILENCE)
    yield Row(name, "longest silence of a call, p99", percentile(silences, 0.99), "s")
    limit = LONGEST_SILENCE + judgement.outage
    yield Row(name, "longest silence of a call, most", max(silences), "s", round(limit, 2))
    for what, proxies in (("storage", ("table", "blob")), ("service", ("emulator",))):
        extra = sum(judgement.gathered.counted[one] - baseline.gathered.counted[one] for one in proxies)
        yield Row(name, f"more requests of a call to the {what}", extra / calls, "requests")


def _idle() -> Iterator[Row]:
    """One run of the watchdog without calls, by what passes the proxies; a day by its schedule."""
    schedule = str(Settings.model_fields["watchdog_schedule"].default)
    with tempfile.TemporaryDirectory() as folder:
        scenario = replace(SCENARIOS["none"], hosts=1, timers=False)
        with stack_behind_proxies(scenario, deployed_here(Path(folder)), 7, {}) as (stack, proxies):
            url = f"{stack.host_urls[0]}/admin/functions/watchdog?code={KEY}"
            counts = []
            for _ in range(_WATCHES + 1):
                requests.post(url, json={"input": ""}, timeout=30).raise_for_status()
                counts.append([proxies[name].counted.total() for name in ("table", "blob", "emulator")])
    steps = [[now - then for now, then in zip(after, before, strict=True)] for before, after in pairwise(counts)]
    table, blob, service = (statistics.median(step) for step in zip(*steps, strict=True))
    runs = runs_a_day(schedule)
    more = {"schedule": schedule, "runs": runs}
    yield Row("idle app, watchdog", "storage requests a day", (table + blob) * runs, "requests", more=more)
    yield Row("idle app, watchdog", "service requests a day", service * runs, "requests", 0, more=more)


def runs_a_day(schedule: str) -> int:
    """How often a timer with this schedule fires in a day."""
    times = parse_schedule(schedule, "WATCHDOG_SCHEDULE")
    moment = midnight = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)
    count = 0
    while (moment := times.next_after(moment)) <= midnight + timedelta(days=1):
        count += 1
    return count
