"""How what was not measured can be had: for each measurement what is lacking, and what a user does about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from liebig.core.evidence import (
    AugmentedScore,
    Causality,
    ClassRecall,
    Cooled,
    DataProfile,
    EpochCurves,
    FasterSettings,
    FinalScore,
    GradientClearing,
    GradientNorms,
    HostSyncs,
    InitialLoss,
    InitialWeights,
    InputScales,
    LabelAgreement,
    LearningCurve,
    LoaderWait,
    LossCalls,
    Measurement,
    MemoryGrowth,
    ModuleModes,
    NoiseScale,
    OneBatch,
    ParameterUse,
    PartScales,
    PartShift,
    RateRange,
    Regularised,
    SameBatchTwice,
    SharedRows,
    ShuffledInputs,
    StepLosses,
    Structure,
    UnitStatistics,
    UpdateRatios,
    WeightNorms,
)


@dataclass(frozen=True, slots=True)
class Way:
    """What is lacking, and the way to it in a loop of the user's own."""

    lacking: str
    way: str

    def __str__(self) -> str:
        return f"{self.lacking}: {self.way}"


LOGS: Final = Way("no validation loss", "watch.log(valid_loss=...)")
PROBE: Final = Way("no data", "liebig.watch(..., train=..., valid=..., loss=...), then watch.probe()")
LOSS: Final = Way("no loss call seen", "begin to watch before the loop, and give loss= where the loss is your own")
STEPS: Final = Way("no step seen", "begin to watch before the loop, with the optimizer that makes the steps")
LONGER: Final = Way("too few steps", "watch a longer run")
LOADER: Final = Way("no loader seen", "liebig.watch(..., train=loader), then watch.probe()")
TABLE: Final = Way("no table", "liebig fit TABLE")

_KINDS: Final[Mapping[Way, tuple[type[Measurement], ...]]] = {
    LOGS: (EpochCurves, FinalScore),
    PROBE: (
        LabelAgreement, AugmentedScore, NoiseScale, Causality, RateRange, Cooled, OneBatch, ShuffledInputs, SameBatchTwice, Regularised,
        LearningCurve, FasterSettings, ClassRecall, InputScales, SharedRows, PartShift, PartScales,
    ),
    LOSS: (LossCalls, InitialLoss),
    STEPS: (
        StepLosses, GradientNorms, UpdateRatios, WeightNorms, UnitStatistics, InitialWeights, ParameterUse, ModuleModes,
        Structure,
    ),
    LONGER: (GradientClearing, HostSyncs, MemoryGrowth),
    LOADER: (LoaderWait,),
    TABLE: (DataProfile,),
}  # fmt: skip

#: The way to each measurement, by its name.
WAYS: Final[Mapping[str, Way]] = {kind.__name__: way for way, kinds in _KINDS.items() for kind in kinds}


def way_to(what: str, watched: bool, probed: bool = False) -> str:
    """What is lacking in words, with the way to it where the loop is the user's own: "no validation loss:
    watch.log(valid_loss=...)". `what` is the name of a measurement, or words already. `probed` when the active probes have run:
    what they left out is named then, not asked for again."""
    if watched and what in WAYS and not (probed and WAYS[what] in {PROBE, LOADER}):
        return str(WAYS[what])
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", what).lower() if what.isidentifier() else what
