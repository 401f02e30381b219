"""Is the fault mended? The findings rank the remedies, and their recipes are trained in the user's stead.

At most three trials, one after another, each of at most the step budget of the faulty and the healthy run; each over the
same three seeds, paired. A trial that is better on the validation rows by more than its standard error becomes the one to
improve, and is diagnosed in its turn, by what most of its seeds agree on as in `improve`. Where that has no warning, only what
answers one of its hints is tried; where nothing does the repair ends. The twin and the clean hold-out are read once, for the
verdict, when all choices are made. Beside it, at the same budget and chosen on the same validation rows: three more seeds of the
faulty recipe; three remedies in random order, among all that propose something for these findings; and the universal recipe
(standardise, He, Adam 1e-3, clipped).
"""

from __future__ import annotations

import math
import random
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median, stdev
from typing import Any, Final

import numpy as np
import torch

from fault_benchmark.data import Parts
from fault_benchmark.faults import FAULTS, Fault
from fault_benchmark.loop import train as train_loop
from fault_benchmark.setup import Setup
from liebig.checks import diagnose
from liebig.checks.agreeing import agreed
from liebig.core.check import Finding
from liebig.core.evidence import Evidence, LabelAgreement, PartScales, PartShift, RateRange, SharedRows
from liebig.core.recipe import Recipe
from liebig.core.remedy import Situation
from liebig.core.task import Block
from liebig.data.module.task import ModuleTask, module_task
from liebig.nets.edits import Reinitialise, ScaleInputs
from liebig.nets.surgery import anatomy_of
from liebig.nets.user_module import UserModule
from liebig.remedies.ranking import Ranked, proposals
from liebig.techniques.gradients.clip_norm import ClipNorm
from liebig.techniques.optimizers.adam import Adam
from liebig.train.modules import MODULES
from liebig.train.options import TrainOptions
from liebig.train.training import Trained, train

TRIALS: Final = 3
SEEDS: Final = 3
CLOSED: Final = 0.8
#: Below this gap of accuracy, or of R squared, to the twin there is nothing to mend: leaving the recipe alone is right.
_NO_GAP: Final = 0.02
#: What was measured of the data stays true whatever the recipe; all else is measured anew in each training.
_OF_DATA: Final = (LabelAgreement, PartScales, PartShift, SharedRows)
_OPTIONS: Final = TrainOptions(precision="float32", timed_probes=False)


@dataclass(frozen=True)
class Repaired:
    """Hold-out scores by seed. `how` names the remedies that were kept, `tried` all; `changed` counts the fields that differ
    from the user's recipe. `other_seeds`, `at_random` and `universal` are the rivals."""

    name: str
    sick: tuple[float, ...] = ()
    healed: tuple[float, ...] = ()
    twin: tuple[float, ...] = ()
    how: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    changed: int = 0
    alarms: tuple[str, ...] = ()
    other_seeds: tuple[float, ...] = ()
    at_random: tuple[float, ...] = ()
    universal: tuple[float, ...] = ()
    universal_changed: int = 0
    error: str = ""

    @property
    def closed(self) -> float:
        return closed(self.sick, self.healed, self.twin)

    @property
    def worth_it(self) -> bool:
        """False where the twin is no better than the sick run: then it is right to leave the recipe alone."""
        return _known_median(self.twin) - _known_median(self.sick) >= _NO_GAP

    @property
    def success(self) -> bool:
        """80 % of the gap closed, no seed below the faulty median, no new alarm; where there is no gap, nothing lost."""
        if not self.worth_it:
            return _known_median(self.healed) > _known_median(self.sick) - _NO_GAP and not self.alarms
        return self.closed >= CLOSED and min(map(_known, self.healed)) >= _known_median(self.sick) and not self.alarms


def closed(sick: Sequence[float], healed: Sequence[float], other: Sequence[float]) -> float:
    """The share of the gap between the sick and the twin that is closed, by medians; a run that broke scores as the least."""
    if not sick or not healed or not other:
        return math.nan
    low, high = _known_median(sick), _known_median(other)
    return (_known_median(healed) - low) / max(high - low, 1e-9)


def _known_median(values: Sequence[float]) -> float:
    return median([_known(value) for value in values])


def _known(value: float) -> float:
    """A run that broke answers nothing: as good as nothing learnt, which is also the least that R squared counts."""
    return max(value, 0.0) if math.isfinite(value) else 0.0


@dataclass(frozen=True)
class _Result:
    """One recipe over the seeds: scores on validation rows and on the hold-out, and what was seen."""

    recipe: Recipe
    valid: tuple[float, ...]
    hold: tuple[float, ...]
    evidence: tuple[Evidence, ...]

    def beats(self, other: _Result) -> bool:
        """Better on the validation rows, seed by seed, by more than the standard error."""
        differences = [_known(mine) - _known(its) for mine, its in zip(self.valid, other.valid, strict=True)]
        return fmean(differences) > stdev(differences) / sqrt(len(differences))


class _Bench:
    """Trains recipes of one fault's task over the seeds. Each seed has its own split, so its own task."""

    def __init__(self, setup: Setup) -> None:
        self._parts = [setup.data.parts(seed) for seed in range(SEEDS)]
        self.tasks = [_task(setup, parts) for parts in self._parts]
        self.rows = len(self._parts[0].train)

    def run(self, recipe: Recipe, shift: int = 0) -> _Result:
        valid, hold, seen = [], [], []
        for seed, (parts, found) in enumerate(zip(self._parts, self.tasks, strict=True)):
            (trained,) = train(found.task, [recipe], [_block(parts, seed + shift)], options=_OPTIONS, encoding=MODULES)
            held, kept = _scores(trained, parts)
            valid.append(held)
            hold.append(kept)
            seen.append(trained.run.evidence)
        return _Result(recipe, tuple(valid), tuple(hold), tuple(seen))


def _task(setup: Setup, parts: Parts) -> ModuleTask:
    inputs = parts.train.x.shape[1]
    return module_task(
        lambda: setup.build(inputs, parts.outputs), train=(parts.train.x, parts.train.y), valid=(parts.valid.x, parts.valid.y),
        test=(parts.hold.x, parts.hold.y), loss=setup.loss, optimizer=setup.optimizer, batch_size=setup.batch,
        epochs=setup.epochs,
    )  # fmt: skip


def _block(parts: Parts, seed: int) -> Block:
    """Train on the training rows, but a tenth on which epochs and the like are chosen; judge the rest."""
    rows = np.random.default_rng(seed).permutation(len(parts.train)).astype(np.int64)
    cut = len(rows) - len(rows) // 10
    judged = np.arange(len(parts.train), len(parts.train) + len(parts.valid) + len(parts.hold), dtype=np.int64)
    return Block(seed, np.sort(rows[:cut]), np.sort(rows[cut:]), judged, seed, 1000 + seed)


def _scores(trained: Trained, parts: Parts) -> tuple[float, float]:
    """On the validation rows and on the hold-out: accuracy, or R squared; NaN where training broke."""
    predictions: Any = trained.run.predictions
    if predictions is None:
        return math.nan, math.nan
    cut, answers = len(parts.valid), np.asarray(predictions)
    truth = np.concatenate([parts.valid.y.numpy(), parts.hold.y.numpy()])
    if parts.classes:
        right = (answers.argmax(1) if answers.ndim == 2 else answers > 0.5).astype(int) == truth.reshape(len(truth))
        return float(right[:cut].mean()), float(right[cut:].mean())
    truth = truth.reshape(len(truth))
    answers = answers.reshape(len(truth))

    def explained(part: slice) -> float:
        return 1.0 - float(((answers[part] - truth[part]) ** 2).mean() / truth[part].var())

    return explained(slice(0, cut)), explained(slice(cut, None))


def repair(name: str) -> Repaired:
    """Try to mend the fault of this name."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    try:
        return _repaired(name, FAULTS[name])
    except Exception:  # noqa: BLE001  # one broken repair is told, and the others go on
        return Repaired(name, error=traceback.format_exc())


def _repaired(name: str, fault: Fault) -> Repaired:
    bench = _Bench(fault.sick)
    recipe = bench.tasks[0].baseline
    sick = bench.run(recipe)
    watched = train_loop(fault.sick, 0, watched=True)
    assert watched.with_data is not None
    assert watched.evidence is not None
    findings, evidence = watched.with_data.findings, watched.evidence
    known = {each.check.name for each in watched.with_data.warnings}
    allowed = 1.05 * max(_steps(fault.sick), _steps(fault.twin))
    kept, how, tried = _mended(bench, sick, findings, evidence, allowed, _best)
    draw = random.Random(name)  # a draw of remedies, and no secret
    by_chance, _, _ = _mended(bench, sick, findings, evidence, allowed, lambda ideas: _any_remedy(ideas, draw))
    usual = _universal(recipe)
    # All is chosen: now the twin, and the hold-out.
    return Repaired(
        name,
        sick.hold,
        kept.hold,
        tuple(train_loop(fault.twin, seed).score for seed in range(SEEDS)),
        how,
        tried,
        len(recipe.diff(kept.recipe)),
        tuple(sorted(set(_warned_by_most(kept.evidence)) - known)) if how else (),
        _best_of_seeds(bench, sick),
        by_chance.hold,
        bench.run(usual).hold,
        len(recipe.diff(usual)),
    )


def _mended(
    bench: _Bench,
    sick: _Result,
    findings: Sequence[Finding],
    evidence: Evidence,
    allowed: float,
    choose: Callable[[Sequence[Ranked]], Ranked],
) -> tuple[_Result, tuple[str, ...], tuple[str, ...]]:
    """The best after at most three trials, the names of those kept, and of all."""
    data = [each for each in evidence if isinstance(each, _OF_DATA)]
    kept = sick
    how: list[str] = []
    tried: list[str] = []
    digests = {sick.recipe.digest}
    while len(tried) < TRIALS:
        ideas = _ideas(bench, kept.recipe, findings, evidence, digests, allowed)
        if not any(each.is_warning for each in findings):
            ideas = [each for each in ideas if each.answers]
        if not ideas:
            break
        idea = choose(ideas)
        digests.add(idea.recipe.digest)
        result = bench.run(idea.recipe)
        tried.append(idea.name)
        if not result.beats(kept):
            continue
        kept = result
        how.append(idea.name)
        evidence = kept.evidence[0].having(*data)
        findings = agreed([diagnose(each.having(*data)) for each in kept.evidence]).findings
    return kept, tuple(how), tuple(tried)


def _best(ideas: Sequence[Ranked]) -> Ranked:
    return ideas[0]


def _any_remedy(ideas: Sequence[Ranked], draw: random.Random) -> Ranked:
    """The first proposal of a remedy drawn from all that propose something, each as likely as the other."""
    first: dict[str, Ranked] = {}
    for idea in ideas:
        first.setdefault(idea.remedy, idea)
    return first[draw.choice(sorted(first))]


def _best_of_seeds(bench: _Bench, sick: _Result) -> tuple[float, ...]:
    """The faulty recipe trained three times more on each split, with other seeds: the best on the validation rows."""
    runs = [sick, *(bench.run(sick.recipe, shift=100 * (trial + 1)) for trial in range(TRIALS))]
    best = [max(runs, key=lambda run, at=seed: _known(run.valid[at])) for seed in range(SEEDS)]  # type: ignore[misc]
    return tuple(run.hold[seed] for seed, run in enumerate(best))


def _warned_by_most(evidence: Sequence[Evidence]) -> list[str]:
    """Checks that warn in more than half of the seeds."""
    counts = Counter(each.check.name for seen in evidence for each in diagnose(seen).warnings)
    return [check for check, count in counts.items() if count > len(evidence) / 2]


def _ideas(
    bench: _Bench, recipe: Recipe, findings: Sequence[Finding], evidence: Evidence, tried: set[str], allowed: float
) -> list[Ranked]:
    """What to try within so many steps, best first."""
    found, rows = bench.tasks[0], bench.rows
    users = found.users
    range_test = evidence.get(RateRange)
    seen = evidence.having(anatomy_of(users.build(), users.example))
    columns = int(users.example[0].shape[1])
    rate = range_test.found if range_test and math.isfinite(range_test.found) else None
    situation = Situation(found.task.kind, rows, columns, seen, rate)
    return [each for each in proposals(recipe, findings, situation, tried) if _steps_of(each.recipe, rows) <= allowed]


def _universal(recipe: Recipe) -> Recipe:
    """Standardised inputs, He, Adam at 1e-3, clipped: what one would do without looking."""
    network = recipe.network
    assert isinstance(network, UserModule)
    edited = network.with_edit(ScaleInputs()).with_edit(Reinitialise(scheme="he"))
    return recipe.model_copy(
        update={
            "network": edited,
            "optimizer": Adam(learning_rate=1e-3),
            "techniques": (*recipe.techniques, ClipNorm()),
        }
    )


def _steps(setup: Setup) -> int:
    return setup.epochs * math.ceil(len(setup.data.parts(0).train) / setup.batch)


def _steps_of(recipe: Recipe, rows: int) -> float:
    epochs: Any = getattr(recipe.stopping, "epochs", None) or getattr(recipe.stopping, "most_epochs", None) or 1
    size: Any = recipe.batching.size
    return float(epochs) * math.ceil(rows / float(size))
