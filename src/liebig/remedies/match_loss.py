"""The right pair of loss and answer.

Does: takes the softmax, sigmoid or ReLU at the end of a network of one's own away where the loss brings its own, and puts
    cross-entropy in place of a squared error of classes.
Helps: losses that cannot fall below a floor (softmax twice with 10 classes: 1.46), answers that cannot be negative.
Misleads: whoever reads the network's answers as probabilities must apply the softmax there from now on.
Source: Bridle 1990; Golik, Doetsch & Ney 2013 (squared error against cross-entropy).
"""

from liebig.checks.loss_output_mismatch import LossOutputMismatch
from liebig.core.check import Finding
from liebig.core.evidence import Anatomy
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation
from liebig.nets.edits.remove_output_activation import RemoveOutputActivation
from liebig.nets.user_module import UserModule
from liebig.remedies.edits import exchange, worth_trying
from liebig.remedies.told import at, text
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.mse import MSE

#: Kinds of the fault that lie in the labels, or that change nothing: no pair of loss and answer mends them.
_OTHERWISE = frozenset(
    {"label-range", "labels-from-one", "unused-class", "bits-range", "log-softmax-twice", "raw-for-logs"}
)
_SQUASHED_TWICE = frozenset({"softmax-twice", "sigmoid-twice"})
_SQUASHING = frozenset({"softmax", "log-softmax", "sigmoid", "relu", "tanh"})


class MatchLoss(Remedy):
    """Adds `remove-output-activation`, and `objective` becomes `cross-entropy` for classes. Only in answer to a finding."""

    name = "match-loss"
    answers = (LossOutputMismatch,)
    prior = Prior(3.0, -0.5, 8.0, "our own fault benchmark: softmax before cross-entropy and squared error of classes")
    changes = ("network.edits", "objective")
    depth = Depth.ON

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if finding is None or text(finding, "kind") in _OTHERWISE:
            return ()
        plain = self._plain_answers(recipe, situation)
        classes = situation.kind.is_classification and isinstance(recipe.objective, MSE)
        start = plain or recipe
        apt = situation.kind.is_classification and self._of_the_users_own(start, finding, plain is not None)
        changed = exchange(start, "objective", CrossEntropy()) if classes or apt else plain
        name = " and ".join(
            part
            for part, done in (
                ("no activation at the end", plain is not None),
                ("loss: cross-entropy", changed is not None and changed.objective != recipe.objective),
            )
            if done
        )
        return worth_trying(name, recipe, changed, finds_rate=True)

    def _plain_answers(self, recipe: Recipe, situation: Situation) -> Recipe | None:
        network, anatomy = recipe.network, situation.evidence.get(Anatomy)
        if not isinstance(network, UserModule) or anatomy is None or anatomy.ends_in not in _SQUASHING:
            return None
        if network.edit(RemoveOutputActivation) is not None:
            return None
        return exchange(recipe, "network", network.with_edit(RemoveOutputActivation()))

    def _of_the_users_own(self, recipe: Recipe, finding: Finding, plain: bool) -> bool:
        """True for a loss of the user's that is wrong for classes as it stands: one that squares them, one that takes
        probabilities or their logarithms where the answers are plain now, one that itself squashes what cross-entropy squashes
        again."""
        if recipe.objective.kind != "users-loss":
            return False
        function, kind = text(finding, "function"), text(finding, "kind")
        if kind.startswith(("squared", "plain")):
            return True
        if function in {"nll_loss", "binary_cross_entropy"}:
            return plain
        return not plain and kind in _SQUASHED_TWICE

    def advise(self, finding: Finding) -> str:
        kind, function = text(finding, "kind"), text(finding, "function") or "the loss"
        if kind in {"labels-from-one", "unused-class", "label-range"}:
            return f"Number the classes from 0 to one below the number of outputs{at(finding)}."
        if kind == "bits-range":
            return f"Map the targets to 0 and 1{at(finding)}, as {function} takes them."
        if kind in {"probabilities-for-logs", "raw-for-logs"}:
            return f"Give {function} log-probabilities (log_softmax){at(finding)}, or cross_entropy the raw answers."
        if kind.startswith(("squared", "plain")):
            return f"Use cross_entropy on the raw answers of the last layer in place of {function}{at(finding)}."
        if kind in {"softmax-of-one", "one-class"}:
            return f"Use one output with binary_cross_entropy_with_logits, or as many outputs as classes{at(finding)}."
        if kind.startswith("cut"):
            return f"Take the ReLU at the end of the network away, so that {function} gets negative answers too{at(finding)}."
        made = text(finding, "made_by") or "activation"
        return f"Take the {made} at the end of the network away, so that {function} gets raw answers{at(finding)}."
