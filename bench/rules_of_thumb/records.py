"""The rules, each with what it claims and the recipes that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rules_of_thumb.questions import (
    Arm,
    BearsMore,
    Better,
    Changes,
    Differ,
    HarmedLess,
    MoreSaturated,
    Question,
    SoonerAlike,
    WantsMore,
    arm,
    together,
)

RATE: Final = "optimizer.learning_rate"
#: Stands for the width of one hidden layer that has the parameters of `DEEP_DEPTH` layers of `DEEP_WIDTH` units on this table.
WIDE: Final = "{wide}"
DEEP_DEPTH: Final = 4
DEEP_WIDTH: Final = 48

#: What every recipe begins with, as changes of a table's textbook recipe; `inputs.target` only where the target is a number.
PLAIN: Final[Changes] = (
    "inputs.scale=standardise", "inputs.target=standardise", "network.width=64", "network.depth=2", "network.activation=relu",
    "techniques.he=on", "optimizer=adam", "batching.size=64", "stopping.epochs=20",
)  # fmt: skip
PLAIN_TOLD: Final = (
    "two hidden layers of 64 ReLU units, He's initialisation, standardised inputs (and target, where it is a number), Adam at a constant "
    "rate, batches of 64, 20 epochs, the last weights"
)

_ADAM: Final = (1e-3, 3e-3, 1e-2)
_SGD: Final = (0.01, 0.03, 0.1, 0.3, 1.0)
_XAVIER: Final[Changes] = ("techniques.xavier=on",)
_NORMAL: Final[Changes] = ("techniques.standard-normal=on",)
_NORMALISED: Final[Changes] = ("network.normalisation=batch",)
_THREE: Final[Changes] = ("network.depth=3",)
_LARGE: Final[Changes] = ("network.width=128", "stopping.epochs=30")
_RAISED: Final = (0.03, 0.1, 0.3, 1.0, 3.0)
_ONCE: Final[Changes] = ("stopping.epochs=1",)
_MOST_EPOCHS: Final = 60


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of thumb. `claim` is a sentence without its full stop, `compared` says what is trained, `why` what is behind it."""

    name: str
    claim: str
    compared: str
    why: str
    question: Question


def _squashed(activation: str, scale: str) -> Arm:
    return arm((*_XAVIER, f"network.activation={activation}", f"inputs.scale={scale}"), RATE, (3e-3, 1e-2, 3e-2))


def _batches(size: int, epochs: int) -> Arm:
    return arm((f"batching.size={size}", f"stopping.epochs={epochs}"), RATE, _ADAM)


def _dropped(*shares: float) -> Arm:
    return together(*(arm((*_LARGE, f"network.dropout={share}"), RATE, (1e-3, 3e-3)) for share in shares))


def _optimized(kind: str, rates: tuple[float, ...]) -> tuple[str, Arm]:
    return kind, arm((f"optimizer={kind}",), RATE, rates)


_DEEP_SGD: Final[Changes] = ("optimizer=sgd", "network.depth=4")
_SHALLOW_SGD: Final[Changes] = ("optimizer=sgd", "network.depth=1")

ALL: Final = (
    Rule(
        "deeper-higher-rate",
        "Deeper networks need a higher learning rate",
        "SGD; the rate that is best for one hidden layer, and about three times that rate, both given to four hidden layers.",
        "Gradients may shrink on their way down through many layers, which asks for larger steps; but layers also multiply what a "
        "step does, which asks for smaller ones.",
        WantsMore(arm(_DEEP_SGD, RATE, (*_SGD, 3.0)), arm(_SHALLOW_SGD, RATE, _SGD)),
    ),
    Rule(
        "small-batches-many-epochs",
        "Small batches with many epochs win",
        "Batches of 16 for 40 epochs against the best of: 16 for 10 epochs, 256 for 10, 256 for 40. Each at the best of three rates.",
        "It is also by far the most steps. Where a network would overfit, more steps are no gift.",
        Better(_batches(16, 40), together(_batches(16, 10), _batches(256, 10), _batches(256, 40))),
    ),
    Rule(
        "unit-range-for-sigmoid",
        "Inputs in [0, 1] suit sigmoid",
        "Sigmoid layers with inputs scaled to [0, 1] against [-1, 1].",
        "Inputs that are all positive push all weights of a unit in one direction at a time, whatever the unit's own range is.",
        Better(_squashed("sigmoid", "min-max"), _squashed("sigmoid", "symmetric")),
    ),
    Rule(
        "symmetric-range-for-tanh",
        "Inputs in [-1, 1] suit tanh",
        "Tanh layers with inputs scaled to [-1, 1] against [0, 1].",
        "Centred inputs meet tanh in its steep middle, and twice the range is twice the signal for the same weights.",
        Better(_squashed("tanh", "symmetric"), _squashed("tanh", "min-max")),
    ),
    Rule(
        "normalised-bears-higher-rate",
        "Batch normalisation allows a higher rate",
        "SGD, three layers with and without batch normalisation; the rate that is best without it, and about ten times that rate: which of the two loses "
        "less by the change?",
        "The scale of weights that a normalisation follows no longer matters, so that a step that is too long does less harm.",
        BearsMore(
            arm(("optimizer=sgd", *_THREE, *_NORMALISED), RATE, _RAISED),
            arm(("optimizer=sgd", *_THREE), RATE, _RAISED),
            by=2,
        ),
    ),
    Rule(
        "normalised-forgives-start",
        "Batch normalisation forgives a bad initialisation",
        "Three layers with and without batch normalisation, weights from N(0, 1) in place of He's: which of the two loses less?",
        "A normalisation divides the too large values by their own spread before they reach the activation.",
        HarmedLess(
            (arm((*_THREE, *_NORMALISED), RATE, _ADAM), arm((*_THREE, *_NORMALISED, *_NORMAL), RATE, _ADAM)),
            (arm(_THREE, RATE, _ADAM), arm((*_THREE, *_NORMAL), RATE, _ADAM)),
        ),
    ),
    Rule(
        "normalisation-before-activation",
        "Batch normalisation belongs before the activation",
        "Three ReLU layers normalised before the activation against after it.",
        "Before it, the activation is met by values around zero; after it, the next layer is.",
        Better(
            arm((*_THREE, *_NORMALISED, "network.normalise_before_activation=true"), RATE, _ADAM),
            arm((*_THREE, *_NORMALISED, "network.normalise_before_activation=false"), RATE, _ADAM),
        ),
    ),
    Rule(
        "dropout-helps",
        "Dropout of 0.2 to 0.5 helps",
        "Two layers of 128 units, 30 epochs: the better of dropout 0.2 and 0.5 against none.",
        "It helps a network that learns its rows by heart, and takes from one that has not learnt them yet.",
        Better(_dropped(0.2, 0.5), _dropped(0.0)),
    ),
    Rule(
        "dropout-underfits",
        "Dropout above 0.5 underfits",
        "The same networks: the better of dropout 0.2 and 0.5 against the better of 0.65 and 0.8.",
        "With most units away, too little of the network is left for each row.",
        Better(_dropped(0.2, 0.5), _dropped(0.65, 0.8)),
    ),
    Rule(
        "decay-betters-the-end",
        "Letting the learning rate fall betters the last epoch",
        "A rate that falls to zero along a cosine against a constant one, as many epochs, the last weights of both.",
        "Small steps at the end let the noise of the batches average out.",
        Better(arm(("schedule=cosine",), RATE, _ADAM), arm(("schedule=constant",), RATE, _ADAM)),
    ),
    Rule(
        "early-stopping-saves-time",
        "Early stopping saves time without raising the score",
        f"Early stopping (patience 8, at most {_MOST_EPOCHS} epochs, on 12 % of the training rows) against {_MOST_EPOCHS} epochs on all training rows.",
        "It saves steps nearly always; what it does to the score depends on how far the other one overfits.",
        SoonerAlike(
            arm(("stopping=early-stopping", f"stopping.epochs={_MOST_EPOCHS}"), RATE, (1e-3, 3e-3)),
            arm((f"stopping.epochs={_MOST_EPOCHS}",), RATE, (1e-3, 3e-3)),
        ),
    ),
    Rule(
        "normal-weights-saturate",
        "Weights from N(0, 1) saturate units",
        "Two tanh layers with weights from N(0, 1) against Xavier's: the share of units further out than 5 on a row, before the first step.",
        "The sum over n inputs has a spread of the root of n: 8 for 64 units, where tanh is flat beyond 3.",
        MoreSaturated(
            ("network.activation=tanh", *_NORMAL, *_ONCE), ("network.activation=tanh", *_XAVIER, *_ONCE)
        ),
    ),
    Rule(
        "normal-weights-cost-score",
        "Weights from N(0, 1) cost score",
        "The same networks trained: Xavier's initialisation against N(0, 1).",
        "Saturated units have next to no gradient, and what they say at the start must first be unlearnt.",
        Better(
            arm(("network.activation=tanh", *_XAVIER), RATE, _ADAM),
            arm(("network.activation=tanh", *_NORMAL), RATE, _ADAM),
        ),
    ),
    Rule(
        "optimizers-differ",
        "SGD, Adam and RMSprop differ",
        "The three, each at the best of its own five rates. It holds where any two of them differ.",
        "Most of what is said of optimizers is said at one rate for all; the rate that suits one does not suit another.",
        Differ(
            (
                _optimized("sgd", (0.03, 0.1, 0.3, 1.0, 3.0)),
                _optimized("adam", (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)),
                _optimized("rmsprop", (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)),
            )
        ),
    ),
    Rule(
        "wide-beats-deep",
        "Wide beats deep at equal parameters",
        f"One hidden layer against {DEEP_DEPTH} of {DEEP_WIDTH} units with as many parameters in all.",
        "On tables, what a few layers compose is often little; one wide layer is easier to train.",
        Better(
            arm((f"network.width={WIDE}", "network.depth=1"), RATE, _ADAM),
            arm((f"network.width={DEEP_WIDTH}", f"network.depth={DEEP_DEPTH}"), RATE, _ADAM),
        ),
    ),
)  # fmt: skip
