"""Which other algorithms are there? One file each, one fit/predict contract."""

from typing import Final

from liebig.classical.boosted_trees import BoostedTrees, FittedTrees
from liebig.classical.challenger import Answerer, Challenger, Constant, Question, Shape
from liebig.classical.lightgbm_trees import FittedLightGBM, LightGBMTrees
from liebig.classical.linear import FittedLinear, Linear
from liebig.classical.nearest_neighbours import NearestNeighbour, Neighbourhood
from liebig.classical.storing import Stored
from liebig.classical.support_vectors import FittedBorder, FittedRegression, SupportVectors
from liebig.classical.table import ClassicalTable

#: Every challenger, the ones most likely to win first.
ALL: Final[tuple[Challenger, ...]] = (
    BoostedTrees(),
    BoostedTrees(name="boosted-trees-slow", title="boosted trees, slow", rate=0.05, trees=300, patience=20),
    BoostedTrees(name="boosted-trees-ordinal", title="boosted trees, levels as numbers", native=False),
    Linear(),
    SupportVectors(),
    NearestNeighbour(),
    LightGBMTrees(),
)

#: What a challenger is when it was fitted, as it can be stored.
FITTED: Final[tuple[type[Answerer], ...]] = (
    Constant,
    FittedTrees,
    FittedLinear,
    Neighbourhood,
    FittedBorder,
    FittedRegression,
    FittedLightGBM,
)


def answerer_of(stored: Stored) -> Answerer:
    """The fitted algorithm that was stored: it answers the same. Raises ValueError for damaged data."""
    kind = next((each for each in FITTED if each.kind == stored.kind), None)
    if kind is None:
        raise ValueError(f'there is no algorithm "{stored.kind}"')
    try:
        return kind.from_stored(stored)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"the {stored.kind} are damaged: {error}") from error


def installed() -> tuple[Challenger, ...]:
    """The challengers that can run here."""
    return tuple(each for each in ALL if each.is_installed)


__all__ = [
    "ALL",
    "FITTED",
    "Answerer",
    "Challenger",
    "ClassicalTable",
    "Question",
    "Shape",
    "Stored",
    "answerer_of",
    "installed",
]
