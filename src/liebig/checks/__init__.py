"""What is wrong? Evidence in, answers out; no torch. One file each; all of them stand in `ALL`."""

from collections.abc import Sequence
from typing import Final

from liebig.checks.bad_features import BadFeatures
from liebig.checks.class_imbalance import ClassImbalance
from liebig.checks.dead_units import DeadUnits
from liebig.checks.diagnosis import Diagnosis
from liebig.checks.diagnosis import barrel as barrel_of
from liebig.checks.diagnosis import diagnose as diagnose_with
from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.leakage import Leakage
from liebig.checks.learning_rate_not_decayed import LearningRateNotDecayed
from liebig.checks.learning_rate_too_high import LearningRateTooHigh
from liebig.checks.learning_rate_too_low import LearningRateTooLow
from liebig.checks.misaligned_labels import MisalignedLabels
from liebig.checks.missing_nonlinearity import MissingNonlinearity
from liebig.checks.non_finite import NonFinite
from liebig.checks.not_learning import NotLearning
from liebig.checks.oscillating_loss import OscillatingLoss
from liebig.checks.over_regularised import OverRegularised
from liebig.checks.overfitting import Overfitting
from liebig.checks.poor_initialisation import PoorInitialisation
from liebig.checks.saturated_units import SaturatedUnits
from liebig.checks.shifted_parts import ShiftedParts
from liebig.checks.shifting_activations import ShiftingActivations
from liebig.checks.still_improving import StillImproving
from liebig.checks.tiny_batch_normalisation import TinyBatchNormalisation
from liebig.checks.too_little_data import TooLittleData
from liebig.checks.trained_too_long import TrainedTooLong
from liebig.checks.underfitting import Underfitting
from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.checks.unscaled_targets import UnscaledTargets
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.check import Check, Stave
from liebig.core.evidence import Evidence

ALL: Final[tuple[Check, ...]] = (
    UnscaledInputs(),
    UnscaledTargets(),
    PoorInitialisation(),
    VanishingGradient(),
    ExplodingGradient(),
    NonFinite(),
    DeadUnits(),
    SaturatedUnits(),
    LearningRateTooHigh(),
    LearningRateTooLow(),
    LearningRateNotDecayed(),
    OscillatingLoss(),
    NotLearning(),
    Overfitting(),
    Underfitting(),
    OverRegularised(),
    ShiftingActivations(),
    MissingNonlinearity(),
    StillImproving(),
    TrainedTooLong(),
    ClassImbalance(),
    BadFeatures(),
    Leakage(),
    ShiftedParts(),
    TinyBatchNormalisation(),
    MisalignedLabels(),
    TooLittleData(),
)


def diagnose(evidence: Evidence, checks: Sequence[Check] = ALL) -> Diagnosis:
    """What limits the run that `evidence` is of? Causes before symptoms."""
    return diagnose_with(evidence, checks)


def barrel(diagnosis: Diagnosis, checks: Sequence[Check] = ALL) -> dict[Stave, float | None]:
    """Height of each stave: 1 - the strongest finding of its group; None where nothing of the group was measured."""
    return barrel_of(diagnosis, checks)


__all__ = ["ALL", "Diagnosis", "barrel", "diagnose"]
