"""`python -m bench.losses`: run one scenario, say what became of the calls; 1 if one is not right."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.losses.judge import Judgement, judge
from bench.losses.run import run, run_over_exchange
from bench.losses.scenario import SCENARIOS
from bench.losses.told import told


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.losses", description=__doc__)
    parser.add_argument("--scenario", choices=SCENARIOS, default="all", help=", ".join(SCENARIOS))
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--loss", type=float, help="share that is lost, where the scenario loses anything")
    parser.add_argument("--speed", type=float, help="the emulator's factor")
    parser.add_argument("--hosts", type=int)
    parser.add_argument("--silent", type=int, default=0, help="tell so many of the calls that were silent longest")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the app")
    parser.add_argument(
        "--exchange",
        type=Path,
        metavar="TREE",
        help="instead: 40 calls begin on the version in this folder, and go on while its hosts are exchanged for ours",
    )
    given = parser.parse_args()
    if given.exchange:
        with tempfile.TemporaryDirectory() as folder:
            return _say(judge(run_over_exchange(Path(folder), given.exchange.resolve())), given.silent)
    scenario = SCENARIOS[given.scenario]
    if given.loss is not None:
        shares = {name: given.loss for name in ("storage", "service") if getattr(scenario, name)}
        scenario = replace(scenario, **shares)
    scenario = replace(scenario, speed=given.speed or scenario.speed, hosts=given.hosts or scenario.hosts)
    settings = dict(one.split("=", 1) for one in given.set)
    with tempfile.TemporaryDirectory() as folder:
        gathered = run(
            scenario, Path(folder), calls=given.calls, seed=given.seed, at_once=given.at_once, environment=settings
        )
    return _say(judge(gathered), given.silent)


def _say(judgement: Judgement, silent: int) -> int:
    print(told(judgement, silent))
    return 1 if judgement.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
