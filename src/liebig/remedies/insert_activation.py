"""An activation between layers that have none.

Does: puts a ReLU behind every hidden layer that nothing follows before the next one.
Helps: stacks of layers that together are one linear layer.
Misleads: a projection that is linear on purpose is one no more.
Source: Hornik 1991, Approximation capabilities of multilayer feedforward networks.
"""

from liebig.checks.missing_nonlinearity import MissingNonlinearity
from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import worth_trying
from liebig.remedies.networks import network_in


class InsertActivations(Remedy):
    """Adds `insert-activation` to a network of one's own; `network.activation` becomes `relu` where it is `identity`. Only in
    answer to a finding."""

    name = "insert-activation"
    answers = (MissingNonlinearity, Underfitting)
    prior = Prior(3.0, -0.5, 9.0, "our own fault benchmark: a linear network on circles, accuracy 0.5 for 1.0")
    changes = ("network.activation", "network.edits")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network = network_in(recipe, situation)
        if network is None or finding is None:
            return ()
        return worth_trying("ReLU between the layers", recipe, network.bent_where_straight(), finds_rate=True)

    def advise(self, finding: Finding) -> str:
        place = f" (first behind {finding.place})" if finding.place and "." not in finding.place else ""
        return f"Put an activation such as ReLU behind each hidden layer{place}."
