"""Studies written out by hand: rich, minimal, failed, regression, multiclass, unfinished."""

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np

from liebig.core.check import Answer, Check, Clear, Fact, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, LayerShape, LayerUnits, Structure, UnitStatistics
from liebig.core.recipe import Recipe
from liebig.core.run import Ending, Outcome, Score
from liebig.core.settings import Settings
from liebig.core.study import (
    Adopted,
    Began,
    Capacity,
    Challenged,
    ColumnImportance,
    Combined,
    Diagnosed,
    Ended,
    Entry,
    Explained,
    FindingNote,
    Growth,
    Left,
    Looked,
    Machine,
    Member,
    NetworkCard,
    Noted,
    Purpose,
    Ran,
    RoundBegan,
    RoundEnded,
    Sealed,
    Study,
    Treatment,
    WorstRows,
)
from liebig.core.task import FULL, TaskKind
from liebig.core.trial import Look, Verdict


class Inner(Settings):
    kind: Literal["relu"] = "relu"
    slope: float = 0.0


class Slot(Settings):
    """A record with a number, a nested record and a name."""

    kind: Literal["slot"] = "slot"
    size: int = 128
    scale: str = "none"
    numbers: str = "plain"
    activation: Inner = Inner()
    rate: float = 1e-3


class Average(Settings):
    kind: Literal["ema"] = "ema"
    horizon: float = 2.0


def recipe(size: int = 128, scale: str = "none", numbers: str = "plain", averaged: bool = False) -> Recipe:
    slots = ("inputs", "objective", "optimizer", "schedule", "batching", "stopping", "compute")
    records: dict[str, Settings] = dict.fromkeys(slots, Slot())
    records["inputs"] = Slot(scale=scale, numbers=numbers)
    records["network"] = Slot(size=size)
    return Recipe(**records, techniques=(Average(),) if averaged else ())


class _Told(Check):
    needs = ()

    def judge(self, evidence: Evidence) -> Answer:
        return Clear()


def _check(name: str, stave: Stave, headline: str, evidence: str, advice: str) -> Check:
    words = {"en": Telling(headline, evidence, advice)}
    return type(name, (_Told,), {"name": name, "stave": stave, "words": words})()


CHECKS = (
    _check("unscaled-inputs", Stave.SCALE, "{place} is {ratio:.0f} times larger than the other inputs.",
           "Its spread after encoding is {ratio:.0f} times the median of the others.", "Standardise the inputs, or map quantiles."),
    _check("underfitting", Stave.CAPACITY, "The network underfits.", "It scores {score:.3f} on its own training rows.",
           "More width, or numbers that are easier to learn from."),
    _check("overfitting", Stave.OVERFIT, "The network learns its training rows by heart.", "The gap is {gap:.3f}.", "Regularise."),
    _check("learning-rate-not-decayed", Stave.RATE, "The learning rate never falls.", "The last rate is the first.", "Average the weights."),
    _check("dead-units", Stave.GRADIENT, "{share:.0%} of the units of {place} are dead.", "They answer 0 on every sample.", "Lower the rate."),
    _check("poor-initialisation", Stave.START, "The first loss is worse than guessing.", "", ""),
    _check("class-imbalance", Stave.DATA, "Only {share:.0%} of the rows are of class {place}.", "", "Nothing to do for ROC AUC."),
    _check("bad-features", Stave.DATA, "Column {place} has one value only.", "", "It is left out."),
)  # fmt: skip

MACHINE = Machine("Linux 6.1", "a processor", 2, 16.0, "cpu", "bfloat16", 4.6, {"liebig": "0.1.0", "torch": "2.13.0"})


def began(
    kind: TaskKind = TaskKind.BINARY,
    metric: str = "roc_auc",
    higher: bool = True,
    name: str = "adult.csv",
    target: str = "income",
    notes: tuple[str, ...] = (),
) -> Began:
    return Began(
        at=0.0, name=name, source=f"/data/{name}", options={"budget": "300"}, fingerprint="9f2c61d0", kind=kind,
        target=target, classes=("<=50K", ">50K") if kind.is_classification else (), metric=metric, higher_is_better=higher,
        rows=32561, sealed_rows=6512, work_rows=26049, columns=14, test_given=False, seed=0, budget=300.0, trials=None,
        looks="A", machine=MACHINE, notes=notes,
    )  # fmt: skip


def look(difference: float, half: float, verdict: Verdict, blocks: int = 5) -> Look:
    return Look(
        blocks=blocks, difference=difference, low=difference - half, high=difference + half, verdict=verdict,
        better=0.9, z=2.0, p=0.01, d_variance=1e-6, block_variance=1e-6, noise=1e-6, common=0.0, spread=1.0, degrees=8.0,
        threshold=2.0, estimate=difference,
    )  # fmt: skip


def curves(best: float, epochs: int, selected: int, higher: bool = True, metric: str = "roc_auc") -> EpochCurves:
    steps = range(epochs)
    train = tuple(0.28 + 0.4 * math.exp(-i / 4) - 0.002 * i for i in steps)
    stop = tuple(0.31 + 0.36 * math.exp(-i / 4) + 0.0006 * max(i - selected, 0) ** 1.4 for i in steps)
    sign = 1 if higher else -1
    scored = tuple(best - sign * 0.06 * math.exp(-i / 3) - sign * 0.0003 * max(i - selected, 0) for i in steps)
    fitted = tuple(each + sign * 0.001 * i for i, each in enumerate(scored))
    return EpochCurves(
        train_loss=train, stop_loss=stop, stop_metric=scored, train_metric=fitted, train_eval_loss=train,
        rates=tuple(1e-3 * 0.95**i for i in steps), seconds=tuple(0.2 * i for i in steps), selected=selected,
        planned_epochs=epochs, stop_rows=3000, stop_loss_error=(0.004,) * epochs, higher_is_better=higher, metric=metric,
    )  # fmt: skip


def ran(digest: str, value: float, block: int = 0, evidence: Evidence | None = None, at: float = 9.0) -> Ran:
    score = Score(value, np.arange(4), np.zeros(4), seconds=0.4)
    return Ran(at, digest, block, FULL, Outcome(Ending.FINISHED, 400), score, 12, 0.4, evidence or Evidence())


def units() -> UnitStatistics:
    rng = np.random.default_rng(0)

    def layer(i: int, late: bool) -> LayerUnits:
        values = np.maximum(rng.normal(0.1 - 0.3 * late, 1.0 + 1.2 * late, 4000), 0)
        counts, edges = np.histogram(values, bins=40, range=(0.0, 8.0))
        return LayerUnits(f"hidden {i}", "relu", 128, 0.03 * late * i, 0.0, 0.5, 0.0, 1.0, 0.4, 0.6,
                          tuple(map(float, counts)), tuple(map(float, edges)))  # fmt: skip

    return UnitStatistics((0, 400), tuple(tuple(layer(i, late) for i in (1, 2, 3)) for late in (False, True)))


STRUCTURE = Structure(
    "mlp",
    (
        LayerShape("input", "linear", 214, 256, 55040, 55040, 109568, "gelu"),
        LayerShape("hidden 1", "batch-norm", 256, 256, 512, 512, 1024),
        LayerShape("hidden 2", "linear", 256, 256, 65792, 65792, 131072, "gelu"),
        LayerShape("output", "linear", 256, 1, 257, 257, 512),
    ),
    8,
)


def finding(
    check: str, strength: float, place: str = "", consequences: tuple[FindingNote, ...] = (), **facts: float
) -> FindingNote:
    return FindingNote(check, strength, place, {name: Fact(value) for name, value in facts.items()}, consequences)


def growth(low: float = 0.001, high: float = 0.005, turn: float = 1.0, whole: float = 0.916) -> Growth:
    """A recipe on parts of its rows."""
    rows = (2300.0, 4600.0, 9200.0, 18400.0)
    scores = tuple(whole - turn * 0.03 * (0.7**i - 0.7**3) for i in range(4))
    line_rows = tuple(2300.0 * 2 ** (i / 4) for i in range(17))
    line = tuple(whole - turn * 0.03 * (0.7 ** (i / 4) - 0.7**3) for i in range(17))
    ends = (tuple(each - 0.002 for each in line), tuple(each + 0.002 for each in line))
    return Growth(rows, scores, 0.0008, 3, 18400.0, (low + high) / 2, low, high, line_rows, line, *ends)


class _Writer:
    """Builds rounds entry by entry."""

    def __init__(self, start: Entry) -> None:
        self.entries: list[Entry] = [start]
        self.number = 0

    def note(self, digest: str, name: str, made: Recipe, value: float, evidence: Evidence | None = None) -> None:
        self.entries += [Noted(1.0, digest, name, made), ran(digest, value, evidence=evidence)]

    def round(self, control: str, purpose: Purpose, tried: Mapping[str, tuple[str, str, Look | None, bool]]) -> None:
        """`tried`: digest -> (name, check answered, look, adopted)."""
        self.number += 1
        at = 20.0 * self.number
        treatments = tuple(Treatment(digest, name, name, answers) for digest, (name, answers, _, _) in tried.items())
        self.entries.append(RoundBegan(at, self.number, purpose, control, treatments, FULL))
        for digest, (_, _, seen, adopted) in tried.items():
            if seen is not None:
                self.entries.append(Looked(at + 5, self.number, digest, seen))
                if adopted:
                    self.entries.append(Adopted(at + 6, self.number, digest, seen.verdict))
                else:
                    self.entries.append(Left(at + 6, self.number, digest, seen.verdict, "it is not likely to help"))
        self.entries.append(RoundEnded(at + 7, self.number, "one was adopted"))


def rich(name: str = "adult.csv", target: str = "income", column: str = "capital_gain") -> Study:
    """A gain that is proven, with everything that a report can show."""
    w = _Writer(began(name=name, target=target, notes=("11 rows without a target were left out.",)))
    w.note("base", "textbook network", recipe(), 0.8861, Evidence((curves(0.886, 15, 14), units())))
    w.entries.append(Diagnosed(5.0, "data", (finding("class-imbalance", 0.3, ">50K", share=0.24), finding("bad-features", 0.2, "constant")),
                               {"leakage": "clear"}))  # fmt: skip
    w.entries.append(
        Diagnosed(
            10.0,
            "base",
            (
                finding(
                    "unscaled-inputs",
                    0.94,
                    column,
                    (finding("dead-units", 0.55, "hidden 1", share=0.21),),
                    ratio=5200.0,
                ),
                finding("underfitting", 0.6, score=0.891),
                finding("learning-rate-not-decayed", 0.4),
            ),
            {
                "overfitting": "clear",
                "poor-initialisation": "clear",
                "vanishing-gradient": "not applicable: two layers",
            },
        )
    )
    w.note("scale", "scale: quantile to normal", recipe(scale="quantile"), 0.9021)
    w.note("wide", "wider: 512 units a layer", recipe(512), 0.884)
    w.note("norm", "batch normalisation", recipe(96), 0.8858)
    w.note("sgd", "SGD with momentum", recipe(97), 0.70)
    start = recipe(256, "quantile", "piecewise-linear", averaged=True)
    w.note("start", "the starting recipe", start, 0.9121)
    w.round("base", Purpose.REMEDIES, {
        "scale": ("scale: quantile to normal", "unscaled-inputs", look(0.016, 0.003, Verdict.PROVEN), True),
        "wide": ("wider: 512 units a layer", "underfitting", look(-0.0021, 0.0017, Verdict.WORSE), False),
        "norm": ("batch normalisation", "dead-units", look(-0.0003, 0.0022, Verdict.UNCLEAR), False),
        "sgd": ("SGD with momentum", "", look(-0.19, 0.03, Verdict.WORSE, 3), False),
    })  # fmt: skip
    w.round("scale", Purpose.REMEDIES, {
        "start": ("the starting recipe", "", look(0.010, 0.002, Verdict.PROVEN, 8), True),
        "later": ("dropout 0.3", "overfitting", None, False),
    })  # fmt: skip
    w.round("start", Purpose.ABLATION, {
        "a": ("scaling: quantile, else none", "unscaled-inputs", look(0.0231, 0.003, Verdict.PROVEN, 8), False),
        "b": ("numbers: piecewise-linear, else plain", "underfitting", look(0.0094, 0.0025, Verdict.PROVEN, 8), False),
        "c": ("averaging: EMA over 2 epochs, else none", "learning-rate-not-decayed", look(0.0018, 0.002, Verdict.LIKELY), False),
        "d": ("dropout: 0.1, else none", "", None, False),
    })  # fmt: skip
    final = recipe(256, "quantile", "piecewise-linear", averaged=True).replace(optimizer=Slot(rate=3e-3))
    w.note("final", "eight networks together", final, 0.9163, Evidence((curves(0.916, 24, 17), units())))
    w.note("mix", "mixup 0.2", recipe(98), 0.912)
    w.round("start", Purpose.SEARCH, {
        "final": ("eight networks together", "", look(0.0042, 0.0011, Verdict.PROVEN, 12), True),
        "mix": ("mixup 0.2", "overfitting", look(0.0004, 0.0013, Verdict.EQUAL, 5), False),
    })  # fmt: skip
    w.entries += [
        Diagnosed(200.0, "final", (finding("overfitting", 0.31, gap=0.012),),
                  {"unscaled-inputs": "clear", "dead-units": "clear", "underfitting": "clear", "learning-rate-not-decayed": "clear"}),
        Challenged(210.0, "boosted trees", 5, 0.9152, -0.0011, -0.0025, 0.0003, 12.4),
        Challenged(212.0, "logistic regression", 5, 0.8871, -0.0292, -0.032, -0.026, 0.4),
        Explained(220.0, "final", NetworkCard(Evidence((STRUCTURE,)))),
        Explained(221.0, "final", ColumnImportance((column, "relationship", "age", "fnlwgt"), (0.031, 0.024, 0.011, -0.0001),
                                                   (0.028, 0.021, 0.009, -0.0008), (0.034, 0.027, 0.013, 0.0006))),
        Explained(222.0, "final", WorstRows((17, 40211), ("<=50K", ">50K"), (">50K (99 %)", "<=50K (98 %)"), (4.6, 3.9),
                                            ({column: "99999", "age": "41"}, {column: "0", "age": "22"}))),
        Explained(223.0, "final", Capacity(("64", "128", "256", "512"), (9000, 34000, 121000, 470000), (0.902, 0.915, 0.929, 0.948),
                                           (0.899, 0.910, 0.916, 0.912))),
        Explained(224.0, "final", growth()),
        Sealed(290.0, "base", "final", "final", 0.8862, 0.9271, 0.0409, 0.0369, 0.0449, True, 6512, {"base": 15, "final": 18}, 4e-4),
        Ended(298.0, "the budget is spent", 298.0, 231.0, 1.74),
    ]  # fmt: skip
    return Study(tuple(w.entries))


def minimal() -> Study:
    """Nothing but a beginning."""
    return Study((began(),))


def unfinished() -> Study:
    """A baseline and a rung; the seal was not opened."""
    w = _Writer(began())
    w.note("base", "textbook network", recipe(), 0.8861)
    w.note("scale", "scale: quantile to normal", recipe(scale="quantile"), 0.9021)
    w.round(
        "base",
        Purpose.REMEDIES,
        {"scale": ("scale: quantile to normal", "unscaled-inputs", look(0.016, 0.003, Verdict.LIKELY), True)},
    )
    return Study(tuple(w.entries))


def failed() -> Study:
    """Nothing that was tried helped."""
    w = _Writer(began())
    w.note("base", "textbook network", recipe(), 0.8861)
    w.note("wide", "wider", recipe(512), 0.884)
    w.round("base", Purpose.REMEDIES, {"wide": ("wider", "underfitting", look(-0.002, 0.003, Verdict.UNCLEAR), False)})
    w.entries += [
        Sealed(290.0, "base", "base", "base", 0.8862, 0.8862, 0.0, 0.0, 0.0, False, 6512, {"base": 15}, 1e-5),
        Ended(298.0, "nothing is likely to help any more", 298.0, 231.0, 1.2),
    ]
    return Study(tuple(w.entries))


def handed_back() -> Study:
    """The winner of the trials was not better on the sealed part."""
    sealed = Sealed(290.0, "base", "scale", "base", 0.8862, 0.8851, -0.0011, -0.004, 0.0018, False, 6512, {}, 1e-5)
    return unfinished().adding(sealed)


def likely() -> Study:
    """A gain on the sealed part whose interval includes zero."""
    sealed = Sealed(290.0, "base", "scale", "scale", 0.8862, 0.8881, 0.0019, -0.001, 0.0048, False, 6512, {}, 1e-5)
    return unfinished().adding(sealed)


def regression() -> Study:
    """RMSE, in the target's own unit: scores are kept oriented, so that the ledger's value is minus the RMSE."""
    w = _Writer(began(TaskKind.REGRESSION, "rmse", False, "houses.csv", "price"))
    w.note("base", "textbook network", recipe(), -61234.0, Evidence((curves(0.61, 12, 11, False, "rmse"),)))
    w.note("scale", "target: standardise", recipe(scale="standardise"), -52011.0)
    w.note("slow", "a lower rate", recipe(64), -63000.0)
    w.round("base", Purpose.REMEDIES, {
        "scale": ("target: standardise", "unscaled-inputs", look(9223.0, 1210.0, Verdict.PROVEN), True),
        "slow": ("a lower rate", "", look(-1766.0, 900.0, Verdict.WORSE), False),
    })  # fmt: skip
    w.entries.append(
        Sealed(
            290.0, "base", "scale", "scale", 60111.0, 51234.0, 8877.0, 7310.0, 10444.0, True, 4128, {"base": 12}, 2e-6
        )
    )
    return Study(tuple(w.entries))


def multiclass() -> Study:
    """Log-loss of more than two classes."""
    w = _Writer(began(TaskKind.MULTICLASS, "log_loss", False, "covertype.csv", "cover"))
    w.note("base", "textbook network", recipe(), -0.412)
    w.note("wide", "wider", recipe(512), -0.361)
    w.round("base", Purpose.REMEDIES, {"wide": ("wider", "underfitting", look(0.051, 0.008, Verdict.PROVEN), True)})
    w.entries.append(Sealed(290.0, "base", "wide", "wide", 0.409, 0.358, 0.051, 0.047, 0.055, True, 9000, {}, 2e-6))
    return Study(tuple(w.entries))


SHARES = (Member("base", 0.1, True), Member("boosted-trees", 0.6, False), Member("scale", 0.3, True))


def combined(adopted: bool, members: tuple[Member, ...] = SHARES) -> Combined:
    verdict = Verdict.LIKELY if adopted else Verdict.UNCLEAR
    reason = "likely better together" if adopted else "not likely to be better together"
    seen = look(0.004, 0.006, verdict, 3)
    return Combined(280.0, "combination-1", "scale", members, 9, 3, FULL, seen, 0.9061, adopted, reason)


def together() -> Study:
    """Networks and boosted trees that answer together."""
    sealed = Sealed(290.0, "base", "combination-1", "combination-1", 0.8862, 0.9071, 0.0209, 0.018, 0.0238, True, 6512,
                    {"base": 12}, 3e-5)  # fmt: skip
    return unfinished().adding(combined(True), sealed)


def apart() -> Study:
    """They were weighed, and not kept."""
    return likely().adding(combined(False))


ALL = {
    "rich": rich,
    "minimal": minimal,
    "unfinished": unfinished,
    "failed": failed,
    "handed back": handed_back,
    "likely": likely,
    "regression": regression,
    "multiclass": multiclass,
    "together": together,
    "apart": apart,
}


def exchanged() -> Study:
    """A rung on which a record of another kind stands in a slot: all its fields differ, and it is one change."""
    w = _Writer(began())
    w.note("base", "textbook network", recipe(), 0.8861)
    w.note("other", "optimizer: EMA", recipe().replace(optimizer=Average()), 0.9021)
    w.round("base", Purpose.REMEDIES, {"other": ("optimizer: EMA", "", look(0.016, 0.003, Verdict.LIKELY), True)})
    return Study(tuple(w.entries))
