"""A loss that wrong labels do not own.

Does: generalised cross-entropy, in which a label that the network finds impossible pulls with a bounded force.
Helps: training labels of which a part is wrong.
Misleads: clean labels are learnt more slowly.
Source: Zhang & Sabuncu 2018, arXiv:1805.07836, table 1 (40 % of CIFAR-10's labels wrong: accuracy 0.87 for 0.76).
"""

from liebig.checks.label_noise import LabelNoise
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import exchange, worth_trying
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.generalised_cross_entropy import GeneralisedCrossEntropy


class RobustLoss(Remedy):
    """`objective` becomes `generalised-cross-entropy` where it is `cross-entropy`. Only in answer to a finding."""

    name = "robust-loss"
    answers = (LabelNoise,)
    prior = Prior(0.8, -0.8, 4.0, "Zhang & Sabuncu 2018, table 1; not measured on our tables")
    changes = ("objective",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if finding is None or not isinstance(recipe.objective, CrossEntropy):
            return ()
        changed = exchange(recipe, "objective", GeneralisedCrossEntropy())
        return worth_trying("loss: generalised cross-entropy", recipe, changed, finds_rate=True)

    def advise(self, finding: Finding) -> str:
        return "Use a loss whose pull is bounded, such as generalised cross-entropy (1 - p^0.7) / 0.7."
