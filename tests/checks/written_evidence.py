"""Evidence written out by hand: a healthy run, and what makes each check speak."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from liebig.core.evidence import (
    AugmentedScore,
    Causality,
    ClassRecall,
    ColumnProfile,
    DataProfile,
    EpochCurves,
    Evidence,
    FasterSettings,
    FinalScore,
    GradientClearing,
    GradientNorms,
    HostSyncs,
    InitialLoss,
    InitialWeights,
    InputScales,
    LabelAgreement,
    LayerShape,
    LayerUnits,
    LearningCurve,
    LoaderWait,
    LossCall,
    LossCalls,
    Measurement,
    MemoryGrowth,
    ModuleModes,
    NoiseScale,
    NonFinite,
    OneBatch,
    ParameterUse,
    PartScales,
    PartShift,
    PictureProfile,
    ProbeCost,
    RateRange,
    Regularised,
    SameBatchTwice,
    SequenceProfile,
    SharedRows,
    ShuffledInputs,
    StepGradients,
    StepLosses,
    Structure,
    UnitStatistics,
    UpdateRatios,
    WeightNorms,
)

M = TypeVar("M", bound=Measurement)

LAYERS = ("layers.0.weight", "layers.1.weight", "output.weight")
LOOKS = tuple(range(20))


def column(name: str, **changes: object) -> ColumnProfile:
    plain = ColumnProfile(name, "number", "numbers", 0.0, 500, 0.01, 0.0, 1.0, -3.0, 3.0, 0.0, 2.0, 0.3)
    return replace(plain, **changes)  # type: ignore[arg-type]  # what a test wants changed


def units(step_dead: float = 0.0, saturated: float = 0.0, spread: float = 1.0, activation: str = "relu") -> LayerUnits:
    return LayerUnits("layers.0", activation, 64, step_dead, saturated, 0.5, 0.0, spread, 0.4, 0.6 * spread)


def falling(start: float, end: float, epochs: int = 20) -> tuple[float, ...]:
    """A loss that has come to rest."""
    return tuple(end + (start - end) * math.exp(-0.6 * i) for i in range(epochs))


def curves(train: tuple[float, ...], stop: tuple[float, ...], **changes: object) -> EpochCurves:
    n = len(train)
    rates = tuple(1e-3 * (1 - i / n) for i in range(n))
    plain = EpochCurves(train, stop, (0.9,) * n, (0.95,) * n, train, rates, tuple(map(float, range(n))), n - 1, n, 400,
                        (0.01,) * n, True, "accuracy")  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]  # what a test wants changed


def call(**changes: object) -> LossCall:
    """One call of cross_entropy on raw answers of ten classes, as it should be."""
    plain = LossCall("cross_entropy", "train.py:41", 0, True, "", (32, 10), (32,), (32,), -2.1, 2.4, -3.0, 3.0, 0.0, 9.0, True,
                     1.5, 32)  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]  # what a test wants changed


def calls(**changes: object) -> LossCalls:
    return LossCalls(tuple(call(step=step, **changes) for step in range(5)))


PICTURES = PictureProfile(
    1300, 0, (), (), ("width", "brightness"), (0.02, 0.05), 0.4, 3.0, 250.0, 0.3, 0.9, "channels, height, width"
)
FORECASTS = SequenceProfile(1300, 24, 24, 0.01, (), ())
HEALTHY = Evidence(
    (
        curves(falling(1.5, 0.02), falling(1.4, 0.08)),
        StepLosses(LOOKS, tuple(2.3 - 0.05 * i for i in LOOKS), (0.05,) * 20, 1000, 32),
        InitialLoss(2.31, 2.303, 0.2, 0.0),
        GradientNorms((0, 1, 2), LAYERS, ((0.4, 0.5, 0.6),) * 3, ((0.01, 0.01, 0.01),) * 3),
        UpdateRatios(LOOKS, LAYERS, ((0.01, 0.012, 0.015),) * 20),
        WeightNorms((0, 999), LAYERS, ((5.0, 5.0, 3.0), (7.0, 7.0, 5.0))),
        UnitStatistics((0, 999), ((units(),), (units(0.05),))),
        InitialWeights(LAYERS, (0.1, 0.1, 0.1), (1.4, 1.4, 1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 0.9)),
        FinalScore("accuracy", True, 0.97, 0.1, 0.01, 0.995, 0.08, 2.303, 0.02, 0.02, 400, 1300),
        ClassRecall(("a", "b"), (0.5, 0.5), (0.97, 0.97), (200, 200), (0.99, 0.99)),
        ProbeCost(0.01, 2.0, 1000, True),
        DataProfile(1300, (column("x"), column("y")), column("t"), (650, 650), 0, 0, 0, 0.5),
        InputScales(("x", "y"), (0.0, 0.1), (1.0, 0.9), (3.0, 2.8)),
        Structure(
            "mlp",
            (
                LayerShape("layers.0", "linear", 2, 64, 192, 192, 256, "relu"),
                LayerShape("layers.1", "linear", 64, 64, 4160, 4160, 8192, "relu"),
                LayerShape("output", "linear", 64, 10, 650, 650, 1280),
            ),
        ),
        LearningCurve((650, 1300), (0.0801, 0.08), (0.01, 0.01), 2.303),
        calls(),
        ModuleModes(1000, 1000, 60, 0, ("drop",), (), "train.py:60"),
        ParameterUse(LAYERS, (), (), (), (), 0, 5002, 5002, False),
        GradientClearing(20, 0, 1.0, 1.5, "train.py:43"),
        SharedRows(400, 0.0, 1300),
        PartScales(("x", "y"), (0.0, 0.1), (1.0, 0.9), (0.02, 0.08), (1.01, 0.93), 1300, 400),
        LabelAgreement(1300, 0.01, 0.004, ()),
        PICTURES,
        FORECASTS,
        StepGradients((0, 1, 2, 3), 8, ((0.4, 0.5, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),) * 4),
        AugmentedScore(0.99, 0.96, 0.985, 0.01, 0.1),
        LoaderWait(1e-4, 2e-2, 2.01e-2, 2, "train.py:38"),
        HostSyncs(1.0, "train.py:45", ".item()"),
        FasterSettings(0.02, ("bfloat16", "channels last"), (0.019, 0.02)),
        MemoryGrowth(0.0, 1000, 20_000, 3, 3),
        Causality(0.0, 32, True),
        NoiseScale(32, 120.0, 60.0, 240.0),
        RateRange((1e-4, 1e-3, 1e-2, 1e-1), (2.2, 1.5, 0.8, 9.0), 1e-3, 2e-3, 3e-2),
        ShuffledInputs(0.3, 2.31, 2.303, 0.05, 200),
        OneBatch(32, 100, 2.3, 0.01, 2.303, 1.0),
        SameBatchTwice(0.0, 0.0),
        Regularised(0.03, 0.02, 1.0, 0.01),
        PartShift(0.5, 0.02, 1700),
    )
)


def of(kind: type[M]) -> M:
    found = HEALTHY.get(kind)
    assert found is not None
    return found


#: Poor on both parts, with no gap: what a mechanism needs to be worth a warning.
POOR = FinalScore("accuracy", True, 0.4, 0.1, 0.02, 0.41, 1.7, 2.303, 0.03, 1.68, 400, 1300)
AT_CHANCE = replace(POOR, score=0.1, train_score=0.1, loss=2.31, train_loss=2.3)
BY_HEART = replace(POOR, score=0.9, train_score=1.0, loss=0.6, train_loss=0.01)

_BATCH_NORM = LayerShape("layers.0.norm", "batch-norm", 64, 64, 128, 128, 256)
_N = 20

#: For each check what to put in place of the healthy measurements.
SICK: Mapping[str, tuple[Measurement, ...]] = {
    "unscaled-inputs": (
        InputScales(("x", "y"), (0.0, 4000.0), (1.0, 900.0), (3.0, 9000.0)),
        InitialLoss(40.0, 2.303, 90.0, 0.0),
        POOR,
    ),
    "unscaled-targets": (InitialLoss(1e10, 1e9, 0.2, 3e4, 2e5), POOR),
    "poor-initialisation": (
        replace(of(InitialWeights), duplicate_units=(1.0, 1.0, 1.0), gradient_rank=(0.06, 0.06, 0.1)),
        POOR,
    ),
    "vanishing-gradient": (replace(of(GradientNorms), norms=((1e-9, 1e-5, 0.5),) * 3), POOR),
    "exploding-gradient": (replace(of(GradientNorms), norms=((500.0, 20.0, 0.5),) * 3), POOR),
    "non-finite": (NonFinite(12, "layers.0", "what leaves the activation", "forward"),),
    "dead-units": (UnitStatistics((0, 999), ((units(0.1),), (units(0.98),))), POOR),
    "saturated-units": (
        UnitStatistics((0, 999), ((units(0, 0.7, 10, "tanh"),), (units(0, 0.7, 10, "tanh"),))),
        POOR,
    ),
    "learning-rate-too-high": (
        replace(of(UpdateRatios), ratios=((0.3, 0.4, 0.5),) * _N, rates=(0.3,) * _N),
        replace(of(RateRange), used=0.3, found=0.003, largest=0.02),
        replace(POOR, train_loss=2.1, loss=2.1),
    ),
    "learning-rate-too-low": (replace(of(UpdateRatios), ratios=((8e-6, 9e-6, 9e-6),) * _N), POOR),
    "learning-rate-not-decayed": (
        curves(falling(1.5, 0.5), tuple(0.6 + 0.06 * (-1) ** i for i in range(_N)), rates=(1e-3,) * _N),
        POOR,
    ),
    "oscillating-loss": (
        StepLosses(tuple(range(40)), tuple(1.0 + 0.5 * (-1) ** i for i in range(40)), (0.02,) * 40, 1000, 32),
        POOR,
    ),
    "not-learning": (AT_CHANCE,),
    "overfitting": (
        curves(falling(1.5, 0.01), tuple(0.4 + 0.01 * abs(i - 3) for i in range(_N))),
        BY_HEART,
    ),
    "underfitting": (
        POOR,
        Structure(
            "mlp", (LayerShape("a", "linear", 9, 2, 20, 20, 36, "relu"), LayerShape("b", "linear", 2, 9, 27, 27, 36))
        ),
    ),
    "over-regularised": (WeightNorms((0, 999), LAYERS, ((5.0, 5.0, 3.0), (0.001, 0.001, 0.001))), POOR),
    "loss-output-mismatch": (calls(made_by="softmax", low=0.0, high=1.0, sums_low=1.0, sums_high=1.0),),
    "loss-broadcast": (
        calls(function="mse_loss", input_shape=(32, 1), target_shape=(32,), result_shape=(32, 32), target_whole=False),
    ),
    "untrained-parameters": (
        ParameterUse(LAYERS, LAYERS[:2], (), (), (), 0, 5002, 650, True, (), LAYERS[:2]),
        POOR,
    ),
    "gradients-not-cleared": (GradientClearing(20, 19, 1.0, 13.0, "train.py:43"), POOR),
    "missing-eval-mode": (ModuleModes(1000, 1000, 60, 60, ("drop",), (), "train.py:60"),),
    "missing-train-mode": (ModuleModes(1000, 0, 60, 0, ("norm", "drop"), ("norm", "drop"), "train.py:60"), POOR),
    "label-noise": (
        LabelAgreement(1300, 0.36, 0.02, ((7, "3", "8"), (12, "1", "7"))),
        replace(POOR, score=0.84, train_score=0.7, loss=0.9, train_loss=1.2),
    ),
    "bad-augmentation": (AugmentedScore(0.6, 0.4, 0.97, 0.01, 0.1), POOR),
    "loader-bound": (LoaderWait(0.16, 2e-3, 2.1e-3, 0, "train.py:38"),),
    "host-sync": (HostSyncs(6.0, "train.py:45", "print", 3e-3, 1e-2, 2.0, "cpu"),),
    "device-underused": (FasterSettings(0.02, ("float32", "channels last"), (0.005, 0.018)),),
    "memory-growth": (MemoryGrowth(4e5, 1000, 20_000, 3, 980, "train.py:44"),),
    "causal-leak": (Causality(0.3, 32, True, "blocks.0.attention"),),
    "batch-size": (
        NoiseScale(1024, 20.0, 10.0, 40.0),
        replace(of(StepLosses), total_steps=100),
        curves(tuple(2.3 - 0.06 * i for i in range(_N)), tuple(2.3 - 0.06 * i for i in range(_N))),
        POOR,
    ),
    "shifting-activations": (UnitStatistics((0, 999), ((units(),), (units(spread=90.0),))), POOR),
    "missing-nonlinearity": (
        Structure("mlp", tuple(replace(layer, activation="") for layer in of(Structure).layers)),
        POOR,
    ),
    "still-improving": (
        curves(tuple(2.3 - 0.03 * i for i in range(_N)), tuple(2.3 - 0.03 * i for i in range(_N)), rates=(1e-3,) * _N),
        POOR,
    ),
    "trained-too-long": (curves(falling(1.5, 0.01), tuple(0.4 + 0.03 * abs(i - 1) for i in range(_N))), BY_HEART),
    "class-imbalance": (ClassRecall(("a", "b"), (0.95, 0.05), (0.99, 0.05), (380, 20), (0.95, 0.95)),),
    "bad-features": (
        DataProfile(1300, (column("x"), column("y", kind="constant", why="one value only")), column("t"), (), 0, 0, 0),
    ),
    "leakage": (DataProfile(1300, (column("x"), column("y", single_score=0.999)), column("t"), (), 0, 0, 0),),
    "shifted-parts": (DataProfile(1300, (column("x"),), column("t"), (), 0, 0, 0, 0.97),),
    "tiny-batch-normalisation": (
        Structure("mlp", (of(Structure).layers[0], _BATCH_NORM, *of(Structure).layers[1:])),
        replace(of(StepLosses), batch=2),
        POOR,
    ),
    "misaligned-labels": (
        replace(POOR, score=0.11, train_score=0.9, loss=3.0, train_loss=0.3),
        curves(falling(2.3, 0.3), tuple(2.31 + 0.03 * i for i in range(_N))),
        ShuffledInputs(2.4, 2.41, 2.303, 0.05, 200),
    ),
    "faint-pictures": (replace(PICTURES, low_tone=0.0, high_tone=1.0),),
    "wrong-layout": (replace(PICTURES, roughness=1.3, roughness_reread=0.3),),
    "odd-pictures": (replace(PICTURES, broken=300, constant=("a.png", "b.png")),),
    "fading-through-time": (StepGradients((0, 1, 2, 3), 8, ((1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0),) * 4), POOR),
    "horizon-leak": (replace(FORECASTS, leaking=("price",), leaking_step=(3,)),),
    "picture-shortcut": (replace(PICTURES, shortcut_scores=(0.9, 0.05)),),
    "too-little-data": (LearningCurve((650, 1300), (0.8, 0.6), (0.01, 0.01), 2.303),),
}
#: These never warn: what they see is worth a try, and not a fault.
HINTS = frozenset({"learning-rate-not-decayed", "shifting-activations", "bad-features", "odd-pictures"})
