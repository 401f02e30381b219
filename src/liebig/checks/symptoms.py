"""What nearly every cause brings about: shared by the checks that explain it."""

from typing import Final

#: A network that learns little, however that came.
POOR_RESULT: Final = frozenset(
    {"not-learning", "underfitting", "still-improving", "learning-rate-not-decayed", "class-imbalance"}
)
#: Steps that go wild.
WILD_STEPS: Final = frozenset({"oscillating-loss", "exploding-gradient", "non-finite", "shifting-activations"})
#: Signals that are lost inside the network.
LOST_SIGNAL: Final = frozenset({"vanishing-gradient", "dead-units", "saturated-units"})
