"""The command line of the benchmark: which runs, in two processes, one table, one line of JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from fault_benchmark.faults import FAULTS
from fault_benchmark.healthy import HEALTHY
from fault_benchmark.measuring import Outcome, measure
from fault_benchmark.repairing import Repaired, repair
from fault_benchmark.telling import figures, table


def main() -> None:
    given = _arguments()
    chosen = given.only.split(",") if given.only else None
    faults = [name for name in FAULTS if not chosen or name in chosen or "faults" in chosen]
    healthy = [name for name in HEALTHY if not chosen or name in chosen or "healthy" in chosen]
    began = time.monotonic()
    seeds = 1 if given.quick else given.seeds
    jobs = [(name, seed) for name in faults for seed in range(min(seeds, 2))]
    jobs += [(name, seed) for name in healthy for seed in range(seeds)]
    outcomes = _measured(jobs, given.workers, given.json)
    repairs = _repairs([name for name in faults if FAULTS[name].repairable], given.workers) if given.repairs else []
    print(table(outcomes, repairs, time.monotonic() - began))
    print(json.dumps(figures(outcomes, repairs)))


def _measured(jobs: Sequence[tuple[str, int]], workers: int, kept: str) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in pool.map(measure, *zip(*jobs, strict=True)) if jobs else ():
            outcomes.append(done)
            _progress("watched", len(outcomes), len(jobs), f"{done.name}, seed {done.seed}")
            if kept:
                with Path(kept).open("a") as lines:
                    lines.write(json.dumps(asdict(done)) + "\n")
            if done.error:
                print(f"{done.name}, seed {done.seed}: {done.error}", file=sys.stderr, flush=True)
    return outcomes


def _repairs(names: Sequence[str], workers: int) -> list[Repaired]:
    repairs: list[Repaired] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in pool.map(repair, names):
            repairs.append(done)
            _progress("repairs", len(repairs), len(names), done.name)
            if done.error:
                print(f"{done.name}, repair: {done.error}", file=sys.stderr, flush=True)
    return repairs


def _progress(what: str, done: int, total: int, name: str) -> None:
    print(f"{what} {done}/{total}: {name}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", default="", help="names of faults and healthy kinds, 'faults' or 'healthy', with commas"
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each healthy kind; faults take at most two")
    parser.add_argument("--quick", action="store_true", help="one seed of each")
    parser.add_argument("--repairs", action=argparse.BooleanOptionalAction, default=True, help="try to mend the faults")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", default="", help="a file for the findings of each run, one line each, appended")
    return parser.parse_args()
