"""Active probes: small experiments on a copy of a user's network, after which everything is as it was.

`ALL` has them in the order in which they are made, cheap ones first. `probe_all` makes those that apply and hands back the
evidence; `probe` says besides why others were not made.
"""

from __future__ import annotations

from typing import Final

from liebig.core.evidence import Evidence
from liebig.train.active.augmented_score import AugmentedScoreProbe
from liebig.train.active.causality import CausalityProbe
from liebig.train.active.class_recall import ClassRecallProbe
from liebig.train.active.cooled import CooledProbe
from liebig.train.active.faster_settings import FasterSettingsProbe
from liebig.train.active.final_score import FinalScoreProbe
from liebig.train.active.input_scales import InputScalesProbe
from liebig.train.active.label_agreement import LabelAgreementProbe
from liebig.train.active.learning_curve import LearningCurveProbe
from liebig.train.active.loader_wait import LoaderWaitProbe
from liebig.train.active.noise_scale import NoiseScaleProbe
from liebig.train.active.one_batch import OneBatchProbe
from liebig.train.active.part_shift import PartShiftProbe
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.rate_range import RateRangeProbe
from liebig.train.active.regularised import RegularisedProbe
from liebig.train.active.running import SECONDS, Probed, run_probes
from liebig.train.active.same_batch_twice import SameBatchTwiceProbe
from liebig.train.active.shared_rows import SharedRowsProbe
from liebig.train.active.shuffled_inputs import ShuffledInputsProbe
from liebig.train.active.subject import Subject

#: Every active probe, in the order in which they are made.
ALL: Final[tuple[ActiveProbe, ...]] = (
    FinalScoreProbe(),
    ClassRecallProbe(),
    InputScalesProbe(),
    SameBatchTwiceProbe(),
    SharedRowsProbe(),
    PartShiftProbe(),
    RegularisedProbe(),
    CausalityProbe(),
    LoaderWaitProbe(),
    FasterSettingsProbe(),
    NoiseScaleProbe(),
    OneBatchProbe(),
    RateRangeProbe(),
    CooledProbe(),
    ShuffledInputsProbe(),
    LabelAgreementProbe(),
    AugmentedScoreProbe(),
    LearningCurveProbe(),
)

__all__ = ["ALL", "ActiveProbe", "Probed", "Subject", "probe", "probe_all"]


def probe(subject: Subject, *, seconds: float | None = None) -> Probed:
    """Make all active probes on a copy of the subject's network within `seconds` (6 where none are given)."""
    return run_probes(subject, ALL, SECONDS if seconds is None else seconds)


def probe_all(subject: Subject, *, seconds: float | None = None) -> Evidence:
    """What all active probes measure on a copy of the subject's network; what could not be measured is absent."""
    return probe(subject, seconds=seconds).evidence
