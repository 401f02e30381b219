"""A small transformer.

Does: exchanges the network for two blocks of attention over patches of steps.
Helps: long sequences whose parts refer to each other, thousands of examples.
Misleads: a few hundred sequences are learnt by heart.
Source: Nie et al. 2023, arXiv:2211.14730.
"""

from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.data.sequences.inputs import SequenceInputs
from liebig.nets.small_transformer import SmallTransformer
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.sequence_recipes import HIGHWAY, forecasts, reading_steps

_FEW = 500  # sequences


class AttendToSteps(Remedy):
    """`network` becomes `transformer`."""

    name = "attend-to-steps"
    answers = (Underfitting,)
    prior = Prior(-1.0, -5.0, 3.0, "transformers on some hundred sequences, the literature's gaps")
    changes = ("network", "inputs.read")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if not isinstance(recipe.inputs, SequenceInputs) or isinstance(recipe.network, SmallTransformer):
            return ()
        if situation.rows < _FEW:
            return ()
        highway = HIGHWAY if forecasts(recipe, situation) else 0
        network = SmallTransformer(width=64, patch=8, dropout=0.1, pool="last" if highway else "all", highway=highway)
        stepwise = reading_steps(recipe)
        return worth_trying("attention over steps", recipe, None if stepwise is None else exchange(stepwise, "network", network))  # fmt: skip

    def advise(self, finding: Finding) -> str:
        return "Where distant parts of a sequence refer to each other and there are thousands of them, let patches of steps attend."
