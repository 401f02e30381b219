"""What evidence says of the data, as remedies ask it."""

from __future__ import annotations

from typing import Final

from liebig.core.evidence import ClassRecall, DataProfile, EpochCurves, Evidence, FinalScore

_RANK_OR_PROBABILITY: Final = frozenset({"roc_auc", "log_loss"})


def rarest_share(evidence: Evidence) -> float | None:
    """The share of the rarest class, or None where it was not measured."""
    recall = evidence.get(ClassRecall)
    if recall is not None and recall.prior:
        return min(recall.prior)
    profile = evidence.get(DataProfile)
    if profile is not None and profile.class_counts:
        return min(profile.class_counts) / max(sum(profile.class_counts), 1)
    return None


def judged_by_rank_or_probability(evidence: Evidence) -> bool:
    """True when the metric is known to judge ranks or probabilities, which no threshold changes."""
    score, curves = evidence.get(FinalScore), evidence.get(EpochCurves)
    metric = score.metric if score is not None else curves.metric if curves is not None else ""
    return metric in _RANK_OR_PROBABILITY
