"""How often does Liebig call nothing something, and something nothing?

(a) simulated studies of five rounds of four equal recipes, at 60, 300 and 3,000 select examples: how many hold a false Proven;
    and fewer studies with a budget, which go on to 20 blocks, doubts and searches when their ideas are tried;
(b) placebo studies of `improve` on real tables, where each remedy changes only the seeds of initialisation, order, dropout;
(c) power: how often an effect of 0.5, 1, 2 noise units (standard deviations of a block's difference) is Proven within 12
    blocks, in a round of four.

The simulated runner goes through the same coach and trials code as `improve`. The last line is one JSON object:
``{"false_proven": worst of (a), "placebo": found of (b), "power": {"0.5": ..., "1": ..., "2": ...}}``; `placebo` is null
where (b) was left out (``--placebo 0``).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import liebig
from liebig.coach.simulation import Measure, World, simulated_study, simulated_timed_study
from liebig.core.trial import Verdict

SIZES = (60, 300, 3000)
EFFECTS = (0.5, 1.0, 2.0)


def null_world(examples: int, seed: int, common: float) -> World:
    """Equal recipes. 60 examples are always judged by accuracy (a grid of 1/60); larger ones in turn by accuracy and loss."""
    measure = Measure.ACCURACY if examples == 60 or seed % 2 else Measure.LOSS
    return World(examples, measure, ratio=1.5 if seed % 4 < 2 else 3.0, common=common, uneven=0.4)


def has_proven(examples: int, common: float, looks: str, seed: int) -> bool:
    """Does the study `seed` of equal recipes hold a Proven?"""
    study = simulated_study(null_world(examples, seed, common), seed, looks=looks)
    return any(trial.verdict is Verdict.PROVEN for trial in study.trials)


def timed_has_proven(examples: int, common: float, looks: str, seed: int) -> bool:
    """The same of a study with a budget, which goes on when its ideas are tried: more blocks, doubts, searches."""
    study = simulated_timed_study(null_world(examples, seed, common), seed, looks=looks)
    return any(trial.verdict is Verdict.PROVEN for trial in study.trials)


def proves(effect: float, seed: int) -> bool:
    """Is a change of this effect, one of a round's four, Proven within 12 blocks?"""
    world = World((60, 300, 3000)[seed % 3], Measure.LOSS, effects={1 + seed % 4: effect})
    study = simulated_study(world, seed, rounds=1)
    name = f"idea {1 + seed % 4}"
    return any(trial.treatment.name == name and trial.verdict is Verdict.PROVEN for trial in study.trials)


def share(pool: multiprocessing.pool.Pool, question: partial[bool], studies: int, start: int) -> float:
    return sum(pool.imap_unordered(question, range(start, start + studies), chunksize=20)) / studies


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def calibration(pool: multiprocessing.pool.Pool, studies: int, common: float, looks: str) -> Iterator[float]:
    for examples in SIZES:
        began = time.monotonic()
        found = share(pool, partial(has_proven, examples, common, looks), studies, 1_000_000 * examples)
        tell(
            f"(a) {examples:5} examples, common {common:g}, row {looks}: {found:.4f} of {studies} studies hold a false "
            f"Proven ({time.monotonic() - began:.0f} s)"
        )
        yield found


def timed_calibration(pool: multiprocessing.pool.Pool, studies: int, common: float) -> float:
    examples, began = SIZES[0], time.monotonic()
    found = share(pool, partial(timed_has_proven, examples, common, "B"), studies, 77_000_000)
    tell(
        f"(a) {examples:5} examples, common {common:g}, with a budget of 600 runs: {found:.4f} of {studies} studies hold a "
        f"false Proven ({time.monotonic() - began:.0f} s)"
    )
    return found


#: Real tables of three kinds of answer, which come with scikit-learn.
TABLES = {"breast_cancer": load_breast_cancer, "diabetes": load_diabetes, "wine": load_wine}
#: Treatments of a placebo study: five rounds of four.
PLACEBO_TRIALS = 20


def placebo_frame(name: str) -> pl.DataFrame:
    """One of the tables, its target in the column "target"."""
    found = TABLES[name]()
    numbers = pl.DataFrame(found.data, schema=list(found.feature_names))
    target = [str(found.target_names[each]) for each in found.target] if "target_names" in found else found.target
    return numbers.with_columns(pl.Series("target", target))


def placebo_study(name: str, seed: int, trials: int) -> bool:
    """Does a study whose remedies change nothing but the seeds hold a Proven?"""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        study = liebig.improve(
            placebo_frame(name), "target", trials=trials, seed=seed, study=Path(folder) / "study", placebo=True
        )
        return any(trial.verdict is Verdict.PROVEN for trial in study.ledger.trials)


def placebo(pool: multiprocessing.pool.Pool, studies: int, trials: int, kept: Path | None) -> int:
    """How many placebo studies hold a Proven. Finished ones are lines of `kept` and are not run again."""
    done: dict[tuple[str, int], bool] = {}
    if kept is not None and kept.exists():
        lines = [json.loads(line) for line in kept.read_text().splitlines() if line.strip()]
        done = {(each["table"], each["seed"]): each["proven"] for each in lines if each["trials"] == trials}
    asked = [(name, seed) for seed in range(-(-studies // len(TABLES))) for name in TABLES][:studies]
    for name, seed, proven in pool.imap_unordered(
        _placebo_task, [(name, seed, trials) for name, seed in asked if (name, seed) not in done]
    ):
        done[name, seed] = proven
        tell(f"(b) {name}, seed {seed}: {'a false Proven' if proven else 'nothing proven'} ({len(done)} of {studies})")
        if kept is not None:
            with kept.open("a") as file:
                file.write(json.dumps({"table": name, "seed": seed, "trials": trials, "proven": proven}) + "\n")
    return sum(done[each] for each in asked)


def _placebo_task(asked: tuple[str, int, int]) -> tuple[str, int, bool]:
    name, seed, trials = asked
    return name, seed, placebo_study(name, seed, trials)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=2000, help="simulated studies of each size")
    parser.add_argument("--timed", type=int, default=400, help="simulated studies with a budget; 0 leaves them out")
    parser.add_argument("--common", type=float, default=0.0, help="variance that stays with the rows, over s2")
    parser.add_argument("--looks", choices=("A", "B"), default="A", help="at most 12 blocks or 20")
    parser.add_argument("--placebo", type=int, default=60, help="placebo studies on real tables; 0 leaves them out")
    parser.add_argument("--placebo-trials", type=int, default=PLACEBO_TRIALS, help="treatments of a placebo study")
    parser.add_argument("--rows", type=Path, default=None, help="where finished placebo studies are kept")
    parser.add_argument("--processes", type=int, default=None)
    options = parser.parse_args()
    # Processes begin anew: torch's threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        worst = max(calibration(pool, options.studies, options.common, options.looks))
        if options.timed:
            worst = max(worst, timed_calibration(pool, options.timed, options.common))
        power = {}
        for effect in EFFECTS:
            power[f"{effect:g}"] = share(pool, partial(proves, effect), options.studies // 2, 7)
            tell(f"(c) an effect of {effect:g}: Proven in {power[f'{effect:g}']:.3f} of {options.studies // 2}")
        found = placebo(pool, options.placebo, options.placebo_trials, options.rows) if options.placebo else None
    print(json.dumps({"false_proven": worst, "placebo": found, "power": power}))


if __name__ == "__main__":
    main()
