"""Sequences changed at random.

Does: trains on sequences with noise and another size, or another pace and a piece left away, anew in every step.
Helps: some hundred sequences that are learnt by heart.
Misleads: where size, pace or the beginning is the answer; each is tried, none is assumed.
Source: Um et al. 2017, arXiv:1706.00527; Iwana & Uchida 2021, arXiv:2007.15951.
"""

from liebig.checks.overfitting import Overfitting
from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.core.settings import Settings
from liebig.data.sequences.inputs import SequenceInputs
from liebig.remedies.edits import add, worth_trying
from liebig.techniques.batches.series_crop import SeriesCrop
from liebig.techniques.batches.series_jitter import SeriesJitter
from liebig.techniques.batches.series_scaling import SeriesScaling
from liebig.techniques.batches.series_warp import SeriesWarp


class AugmentSequences(Remedy):
    """Adds `series-jitter` and `series-scaling`, or `series-warp` and `series-crop`."""

    name = "augment-sequences"
    answers = (Overfitting, TooLittleData)
    prior = Prior(1.0, -3.0, 5.0, "time series augmentation on small sets, the literature's gaps")
    changes = (
        "techniques.series-jitter",
        "techniques.series-scaling",
        "techniques.series-warp",
        "techniques.series-crop",
    )

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, SequenceInputs):
            return ()
        found: tuple[Proposal, ...] = ()
        if recipe.technique(SeriesJitter) is None:
            found += worth_trying("augment: jitter and scaling", recipe, _with(recipe, SeriesJitter(), SeriesScaling()))
        if situation.kind.is_classification and recipe.technique(SeriesWarp) is None:
            found += worth_trying("augment: time warp and crop", recipe, _with(recipe, SeriesWarp(), SeriesCrop()))
        return found

    def advise(self, finding: Finding) -> str:
        return "Where that leaves their meaning alone, train on sequences with noise, another size or another pace, anew each step."


def _with(recipe: Recipe, *techniques: Settings) -> Recipe | None:
    changed: Recipe | None = recipe
    for each in techniques:
        changed = None if changed is None else add(changed, each)
    return changed
