"""Does diagnosis pay? The coach against itself with its remedies in random order.

    python bench/coach.py [--trials 20] [--seeds 3] [--rows 1000] [--processes 2] [--studies FILE] [--only TABLE...]

Eight tables, each with a recipe that is broken in its own way. A study of so many trials begins from the broken recipe, once
with the coach's ranking (strength of the finding times what the remedy is expected to give) and once with the same ideas
in random order; everything else (rounds, race, blocks, verdicts) is the same. There is no starting recipe and no challenger.
Every recipe that was adopted is then trained on all work rows and scored on test rows that no study saw, three times.

Counted are the trials until the incumbent has 90 % of the final gain (of the better of the two studies of a pair, measured on
those test rows); a study that never gets there counts with all its trials and one more. The last line is one JSON object:
``{"trials_ratio": median over pairs of coach / random, "worse": tables where the coach's final score is worse by more than
two standard errors over the seeds, "rows": [...]}``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any, Final

import numpy as np
import polars as pl
import torch

from liebig.coach.advice import Idea
from liebig.coach.advising import DataAdvisor
from liebig.coach.ledger import MemoryLedger
from liebig.coach.limits import WORTH_TRYING
from liebig.coach.loop import improve
from liebig.coach.runner import Request
from liebig.coach.table_subject import TableSubject
from liebig.coach.training import TrainingRunner
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.study import Adopted, Began, Diagnosed, Entry, Machine, Purpose, RoundBegan, Study, Withdrawn
from liebig.core.task import Block
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import TableTask, table_task
from liebig.recipes import set_field
from liebig.train.training import TrainOptions, train

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_TEST_ROWS: Final = 3000
_EVALUATIONS: Final = 3
_SHARE: Final = 0.9
#: Ideas whose run costs so many times the incumbent's are left out, on both sides, unless it takes less than so many seconds.
_DEAR: Final = 5.0
_CHEAP: Final = 0.3
_HEALTHY: Final = (
    "inputs.scale=standardise", "inputs.target=standardise", "network.width=64", "batching.size=64", "stopping.epochs=12",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Broken:
    """One table and what is wrong with the recipe that its study begins from."""

    table: str
    fault: str
    changes: tuple[str, ...]


BROKEN: Final = (
    Broken("adult", "raw inputs, plain SGD", ("inputs.scale=none", "optimizer=sgd", "optimizer.learning_rate=0.01")),
    Broken("higgs_7k", "rate far too low", ("optimizer.learning_rate=1e-5",)),
    Broken("credit_default", "rate far too high", ("optimizer.learning_rate=0.3",)),
    Broken("letter", "seven sigmoid layers", ("network.activation=sigmoid", "network.depth=7")),
    Broken("soybean", "two epochs of forty", ("stopping.epochs=2", "batching.size=32")),
    Broken("california_housing", "target not scaled", ("inputs.target=none", "inputs.scale=none")),
    Broken("elevators", "two units a layer", ("network.width=2", "network.depth=1")),
    Broken("abalone", "no end to training, far too wide", ("network.width=256", "stopping.epochs=120", "optimizer.learning_rate=0.003")),
)  # fmt: skip


class _Enough(Exception):
    """The study has spent its trials; what would follow (proofs, parts, the seal) is not of interest here."""


class CountedLedger(MemoryLedger):
    """A ledger that ends the study when its trials are spent."""

    def append(self, *entries: Entry) -> Study:
        ending = {Purpose.ABLATION, Purpose.SEARCH, Purpose.STANDING}
        if any(isinstance(each, RoundBegan) and each.purpose in ending for each in entries):
            raise _Enough
        return super().append(*entries)


class OrderedAdvisor:
    """A table's advisor that begins from a broken recipe; with `shuffle` its ideas come in random order."""

    def __init__(self, within: DataAdvisor, runner: TrainingRunner, shuffle: np.random.Generator | None) -> None:
        self._within, self._runner, self._shuffle = within, runner, shuffle

    def baseline(self) -> Idea:
        return self._within.baseline()

    def starting(self) -> Sequence[Idea]:
        return ()

    def look_at_data(self, at: float) -> tuple[Evidence, Diagnosed]:
        return self._within.look_at_data(at)

    def diagnose(self, recipe: Recipe, evidence: Sequence[Evidence], at: float) -> Diagnosed:
        return self._within.diagnose(recipe, evidence, at)

    def ideas(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        # A study without a clock would pay any price for an idea; with one, expensive ones wait for the end.
        dear = _DEAR * self._runner.predicted_seconds([Request(recipe, 0)])
        ranked = [
            idea
            for idea in self._within.ideas(study, recipe)
            if self._runner.predicted_seconds([Request(idea.recipe, 0)]) <= max(dear, _CHEAP)
        ]
        if self._shuffle is None:
            return ranked
        # The same ideas, their worths dealt out anew: which are worth a trial at all is left to the ranking.
        trying = [idea for idea in ranked if idea.worth >= WORTH_TRYING]
        order = self._shuffle.permutation(len(trying))
        return [replace(trying[place], worth=idea.worth) for place, idea in zip(order, trying, strict=True)]

    def parts(self, before: Recipe, after: Recipe) -> Sequence[Idea]:
        return ()

    def fair(self, idea: Idea) -> Sequence[Idea]:
        return self._within.fair(idea)

    def challengers(self) -> Sequence[str]:
        return ()


@dataclass(frozen=True, slots=True)
class Climb:
    """How the incumbent's test score grew: after `trials[i]` trials it was `scores[i]` (oriented); `scores[0]` is the start's."""

    trials: tuple[int, ...]
    scores: tuple[float, ...]
    spent: int

    def until(self, score: float) -> int:
        """Trials until the incumbent was at least this good; one more than all where it never was."""
        return next((n for n, s in zip(self.trials, self.scores, strict=True) if s >= score), self.spent + 1)


def frames_of(name: str, rows: int, seed: int) -> tuple[dict[str, Any], pl.DataFrame, pl.DataFrame]:
    """The index entry, `rows` training rows and at most 3,000 test rows of a shared table."""
    spec = next(each for each in json.loads((_DATA / "index.json").read_text()) if each["name"] == name)
    work, test = (pl.read_csv(_DATA / spec["file"][part], infer_schema_length=None) for part in ("train", "test"))
    return spec, work.sample(min(rows, len(work)), seed=seed), test.sample(min(_TEST_ROWS, len(test)), seed=0)


def broken_recipe(found: TableTask, broken: Broken) -> Recipe:
    recipe = textbook(found)
    for change in (*_HEALTHY, *broken.changes):
        if found.task.kind.is_classification and change.startswith("inputs.target"):
            continue
        recipe = set_field(recipe, change)
    return recipe


def path_of(broken: Broken, seed: int, trials: int, rows: int, shuffled: bool) -> Climb:
    """One study, and the test scores of what it adopted."""
    torch.set_num_threads(1)
    spec, work, test = frames_of(broken.table, rows, seed)
    found = table_task(work, spec["target"], kind=spec["task"], metric=spec["metric"], test=test, seed=seed)
    start = time.monotonic()

    def clock() -> float:
        return time.monotonic() - start

    runner = TrainingRunner(found, seed=seed, clock=clock, precision="float32")
    shuffle = np.random.default_rng([seed, 1]) if shuffled else None
    advisor = OrderedAdvisor(
        DataAdvisor(TableSubject(found), runner, baseline=broken_recipe(found, broken)), runner, shuffle
    )
    ledger = CountedLedger()
    ledger.append(_began(found, broken, seed, trials))
    with contextlib.suppress(_Enough):
        improve(ledger, runner, advisor, clock)
    return _scored(found, ledger.study, seed)


def _began(found: TableTask, broken: Broken, seed: int, trials: int) -> Began:
    task = found.task
    return Began(
        at=0.0, name=broken.table, source="", options={}, fingerprint="", kind=task.kind, target=task.target_name,
        classes=task.classes, metric=task.metric.name, higher_is_better=task.metric.higher_is_better, rows=task.rows,
        sealed_rows=len(task.parts.sealed), work_rows=len(task.parts.work), columns=len(task.data.inputs), test_given=True,
        seed=seed, budget=float("inf"), trials=trials, looks="A",
        machine=Machine("", "", 1, 0.0, "cpu", "float32", 1.0, {}), notes=(),
    )  # fmt: skip


def _scored(found: TableTask, study: Study, seed: int) -> Climb:
    """The incumbent after each change of it, scored on the test rows."""
    spent, trials, digests = 0, [0], [study.baseline or ""]
    controls: dict[int, str] = {}
    for entry in study.entries:
        if isinstance(entry, RoundBegan) and entry.purpose in {Purpose.REMEDIES, Purpose.TOGETHER}:
            spent += len(entry.treatments)
            controls[entry.number] = entry.control
        elif isinstance(entry, Adopted):
            trials.append(spent)
            digests.append(entry.digest)
        elif isinstance(entry, Withdrawn):
            trials.append(spent)
            digests.append(controls.get(entry.round, digests[0]))
    known = {digest: test_score(found, study.recipes[digest].recipe, seed) for digest in dict.fromkeys(digests)}
    return Climb(tuple(trials), tuple(known[each] for each in digests), spent)


def test_score(found: TableTask, recipe: Recipe, seed: int) -> float:
    """Oriented test score, mean over trainings on all work rows (12 % of them to stop on)."""
    task, metric = found.task, found.task.metric
    blocks = []
    for i in range(_EVALUATIONS):
        rows = np.random.default_rng([seed, i]).permutation(task.parts.work)
        stop = max(1, round(0.12 * len(rows)))
        blocks.append(Block(i, rows[stop:], rows[:stop], task.parts.sealed, 1000 + i, 1000 + i))
    scores = []
    for each in train(task, (recipe,), blocks, options=TrainOptions(probes=False, precision="float32")):
        answers = each.run.predictions
        value = metric.score(task.target[task.parts.sealed], answers) if answers is not None else _hopeless(found)
        scores.append(value if metric.higher_is_better else -value)
    return mean(scores)


def _hopeless(found: TableTask) -> float:
    """The score of a training that broke: that of an answer that ignores its input."""
    task = found.task
    if not task.kind.is_classification:
        rows = task.parts.sealed
        return task.metric.score(task.target[rows], np.full(len(rows), task.target[task.parts.work].mean()))
    return 0.5 if task.metric.name == "roc_auc" else 0.0


# --- the benchmark ----------------------------------------------------------------------------------------


def _task(asked: tuple[int, int, int, int, bool]) -> tuple[int, int, bool, Climb]:
    number, seed, trials, rows, shuffled = asked
    return number, seed, shuffled, path_of(BROKEN[number], seed, trials, rows, shuffled)


@dataclass(frozen=True, slots=True)
class Pair:
    """The coach and random order on one table with one seed."""

    coach: Climb
    random: Climb

    @property
    def target(self) -> float:
        start = self.coach.scores[0]
        best = max(self.coach.scores[-1], self.random.scores[-1])
        return start + _SHARE * (best - start)

    @property
    def ratio(self) -> float:
        return self.coach.until(self.target) / max(self.random.until(self.target), 1)

    @property
    def gained(self) -> bool:
        """False where neither study found anything: there is then no gain to reach."""
        return max(self.coach.scores[-1], self.random.scores[-1]) > self.coach.scores[0]


def is_worse(pairs: Sequence[Pair]) -> bool:
    differences = [each.coach.scores[-1] - each.random.scores[-1] for each in pairs]
    error = stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else 0.0
    return mean(differences) < -2 * error if error > 0 else mean(differences) < 0


def row_of(broken: Broken, pairs: Sequence[Pair]) -> dict[str, object]:
    def middle(value: Callable[[Pair], float]) -> float:
        return median(value(each) for each in pairs)

    return {
        "table": broken.table,
        "fault": broken.fault,
        "start": middle(lambda each: each.coach.scores[0]),
        "coach": middle(lambda each: each.coach.scores[-1]),
        "random": middle(lambda each: each.random.scores[-1]),
        "coach_trials": middle(lambda each: each.coach.until(each.target)),
        "random_trials": middle(lambda each: each.random.until(each.target)),
        "ratio": median(each.ratio for each in pairs if each.gained) if any(each.gained for each in pairs) else 1.0,
        "worse": is_worse(pairs),
    }


def finished(studies: Path | None) -> dict[tuple[int, int, bool], Climb]:
    """The studies that an earlier call left, by place of the table, seed, and whether in random order."""
    if studies is None or not studies.exists():
        return {}
    rows = [json.loads(line) for line in studies.read_text().splitlines() if line.strip()]
    return {
        (row["number"], row["seed"], row["shuffled"]): Climb(tuple(row["trials"]), tuple(row["scores"]), row["spent"])
        for row in rows
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=20, help="treatments of a study")
    parser.add_argument("--seeds", type=int, default=3, help="pairs of studies for each table")
    parser.add_argument("--rows", type=int, default=1000, help="work rows of a study")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--studies", type=Path, default=None, help="file of finished studies, to go on where it stopped"
    )
    parser.add_argument("--only", nargs="*", default=[], help="tables")
    options = parser.parse_args()
    chosen = [i for i, each in enumerate(BROKEN) if not options.only or each.table in options.only]
    asked = [
        (number, seed, options.trials, options.rows, shuffled)
        for seed in range(options.seeds) for number in chosen for shuffled in (False, True)
    ]  # fmt: skip
    done = finished(options.studies)
    asked = [each for each in asked if (each[0], each[1], each[4]) not in done]
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for number, seed, shuffled, found in pool.imap_unordered(_task, asked):
            done[number, seed, shuffled] = found
            if options.studies:
                line = {"number": number, "seed": seed, "shuffled": shuffled, **asdict(found)}
                with options.studies.open("a") as lines:
                    lines.write(json.dumps(line) + "\n")
            how = "random order" if shuffled else "coach"
            print(
                f"{len(done)} studies, {time.monotonic() - began:.0f} s: {BROKEN[number].table}, {how}, seed {seed}: "
                f"{found.scores[0]:.4f} -> {found.scores[-1]:.4f} in {found.spent} trials",
                file=sys.stderr, flush=True,
            )  # fmt: skip
    rows = []
    print(f"{'table':<20}{'fault':<34}{'start':>9}{'coach':>9}{'random':>9}{'trials':>8}{'random':>8}{'ratio':>7}")
    for number in chosen:
        pairs = [Pair(done[number, seed, False], done[number, seed, True]) for seed in range(options.seeds)]
        row = row_of(BROKEN[number], pairs)
        rows.append(row)
        print(
            f"{row['table']:<20}{row['fault']:<34}{row['start']:>9.4g}{row['coach']:>9.4g}{row['random']:>9.4g}"
            f"{row['coach_trials']:>8.3g}{row['random_trials']:>8.3g}{row['ratio']:>7.2f}"
            + ("  worse" if row["worse"] else "")
        )
    ratios = [
        Pair(done[n, s, False], done[n, s, True]).ratio
        for n in chosen for s in range(options.seeds)
        if Pair(done[n, s, False], done[n, s, True]).gained
    ]  # fmt: skip
    print(
        json.dumps({"trials_ratio": median(ratios), "worse": sum(bool(each["worse"]) for each in rows), "rows": rows})
    )


if __name__ == "__main__":
    main()
