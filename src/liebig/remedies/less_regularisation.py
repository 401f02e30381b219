"""Less regularisation.

Does: takes the penalties, the decay, the mixing, the noise and the smoothing out, one at a time and the strongest first.
Helps: networks whose score on their own training rows is poor: what holds them back is the penalty.
Misleads: what looks over-regularised may be merely short of steps.
Source: Goodfellow, Bengio & Courville 2016, section 7.1; each is the inverse of a measured row.
"""

from collections.abc import Iterator

from liebig.checks.over_regularised import OverRegularised
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import drop, edit, worth_trying
from liebig.techniques.batches.feature_noise import FeatureNoise
from liebig.techniques.batches.mixup import Mixup
from liebig.techniques.penalties.l1 import L1
from liebig.techniques.penalties.l2 import L2
from liebig.techniques.penalties.max_norm import MaxNorm

_REGULARISERS = (
    (L1, "L1 penalty"),
    (L2, "L2 penalty"),
    (MaxNorm, "max-norm"),
    (Mixup, "mixup"),
    (FeatureNoise, "feature noise"),
)
_FELT = 0.1  # decay below this is not seen at table lengths


class LessRegularisation(Remedy):
    """Removes one of the regularising techniques, or label smoothing, or a strong weight decay."""

    name = "less-regularisation"
    answers = (Underfitting, OverRegularised)
    cures = (OverRegularised,)
    prior = Prior(0.3, -0.6, 2.5, "mixup, smoothing and penalties lost 2 to 6 times on seventeen tables and won 0 to 2")
    changes = ("techniques", "objective.label_smoothing", "optimizer.weight_decay")

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        return tuple(self._lighter(recipe))

    def _lighter(self, recipe: Recipe) -> Iterator[Proposal]:
        for kind, title in _REGULARISERS:
            if recipe.technique(kind) is not None:
                yield from worth_trying(f"without {title}", recipe, drop(recipe, kind))
        if getattr(recipe.objective, "label_smoothing", 0.0) > 0:
            changed = edit(recipe, "objective", {"label_smoothing": 0.0})
            yield from worth_trying("without label smoothing", recipe, changed)
        decay = getattr(recipe.optimizer, "weight_decay", 0.0)
        if decay > _FELT:
            changed = edit(recipe, "optimizer", {"weight_decay": 0.01})
            yield from worth_trying(f"weight decay {decay:g} -> 0.01", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return "Take out penalties, dropout, mixup or noise one at a time and look whether the training score rises."
