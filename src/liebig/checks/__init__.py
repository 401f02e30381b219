"""What is wrong? Evidence in, answers out; no torch. One file each; all of them stand in `ALL`."""

from collections.abc import Sequence
from typing import Final

from liebig.checks.bad_augmentation import BadAugmentation
from liebig.checks.bad_features import BadFeatures
from liebig.checks.batch_size import BatchSize
from liebig.checks.causal_leak import CausalLeak
from liebig.checks.class_imbalance import ClassImbalance
from liebig.checks.dead_units import DeadUnits
from liebig.checks.device_underused import DeviceUnderused
from liebig.checks.diagnosis import Diagnosis
from liebig.checks.diagnosis import barrel as barrel_of
from liebig.checks.diagnosis import diagnose as diagnose_with
from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.fading_through_time import FadingThroughTime
from liebig.checks.faint_pictures import FaintPictures
from liebig.checks.gradients_not_cleared import GradientsNotCleared
from liebig.checks.horizon_leak import HorizonLeak
from liebig.checks.host_sync import HostSync
from liebig.checks.label_noise import LabelNoise
from liebig.checks.leakage import Leakage
from liebig.checks.learning_rate_not_decayed import LearningRateNotDecayed
from liebig.checks.learning_rate_too_high import LearningRateTooHigh
from liebig.checks.learning_rate_too_low import LearningRateTooLow
from liebig.checks.loader_bound import LoaderBound
from liebig.checks.loss_broadcast import LossBroadcast
from liebig.checks.loss_output_mismatch import LossOutputMismatch
from liebig.checks.memory_growth import MemoryGrowth
from liebig.checks.misaligned_labels import MisalignedLabels
from liebig.checks.missing_eval_mode import MissingEvalMode
from liebig.checks.missing_nonlinearity import MissingNonlinearity
from liebig.checks.missing_train_mode import MissingTrainMode
from liebig.checks.non_finite import NonFinite
from liebig.checks.not_learning import NotLearning
from liebig.checks.odd_pictures import OddPictures
from liebig.checks.oscillating_loss import OscillatingLoss
from liebig.checks.over_regularised import OverRegularised
from liebig.checks.overfitting import Overfitting
from liebig.checks.picture_shortcut import PictureShortcut
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
from liebig.checks.untrained_parameters import UntrainedParameters
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.checks.wrong_layout import WrongLayout
from liebig.core.check import Check, Stave
from liebig.core.evidence import Evidence

ALL: Final[tuple[Check, ...]] = (
    LossOutputMismatch(),
    LossBroadcast(),
    UntrainedParameters(),
    GradientsNotCleared(),
    MissingTrainMode(),
    MissingEvalMode(),
    CausalLeak(),
    UnscaledInputs(),
    UnscaledTargets(),
    PoorInitialisation(),
    VanishingGradient(),
    FadingThroughTime(),
    ExplodingGradient(),
    NonFinite(),
    DeadUnits(),
    SaturatedUnits(),
    LearningRateTooHigh(),
    LearningRateTooLow(),
    LearningRateNotDecayed(),
    OscillatingLoss(),
    BatchSize(),
    NotLearning(),
    Overfitting(),
    Underfitting(),
    OverRegularised(),
    ShiftingActivations(),
    MissingNonlinearity(),
    TinyBatchNormalisation(),
    StillImproving(),
    TrainedTooLong(),
    ClassImbalance(),
    BadFeatures(),
    FaintPictures(),
    WrongLayout(),
    OddPictures(),
    PictureShortcut(),
    LabelNoise(),
    MisalignedLabels(),
    Leakage(),
    HorizonLeak(),
    ShiftedParts(),
    TooLittleData(),
    BadAugmentation(),
    LoaderBound(),
    HostSync(),
    DeviceUnderused(),
    MemoryGrowth(),
)


def diagnose(evidence: Evidence, checks: Sequence[Check] = ALL) -> Diagnosis:
    """What limits the run that `evidence` is of? Causes before symptoms."""
    return diagnose_with(evidence, checks)


def barrel(diagnosis: Diagnosis, checks: Sequence[Check] = ALL) -> dict[Stave, float | None]:
    """Height of each stave: 1 - the strongest finding of its group; None where nothing of the group was measured."""
    return barrel_of(diagnosis, checks)


__all__ = ["ALL", "Diagnosis", "barrel", "diagnose"]
