"""Which other algorithms are there? One file each, one fit/predict contract."""

from typing import Final

from liebig.classical.boosted_trees import BoostedTrees, FittedTrees
from liebig.classical.challenger import Answerer, Challenger, Constant, Question, Shape
from liebig.classical.lightgbm_trees import FittedLightGBM, LightGBMTrees
from liebig.classical.linear import FittedLinear, Linear
from liebig.classical.naive import FittedNaive, Naive
from liebig.classical.nearest_neighbours import NearestNeighbour, Neighbourhood
from liebig.classical.ridge_on_lags import FittedRidge, RidgeOnLags
from liebig.classical.rocket import FittedRocket, Rocket
from liebig.classical.storing import Stored
from liebig.classical.support_vectors import FittedBorder, FittedRegression, SupportVectors
from liebig.classical.table import ClassicalTable

#: Every challenger, the ones most likely to win first.
ALL: Final[tuple[Challenger, ...]] = (
    BoostedTrees(),
    BoostedTrees(
        name="boosted-trees-slow", title="boosted trees, slow", rate=0.03, trees=600, patience=30, columns=0.5
    ),
    BoostedTrees(
        name="boosted-trees-deep",
        title="boosted trees, deep",
        rate=0.03,
        trees=600,
        patience=30,
        leaves=63,
        columns=0.5,
    ),
    BoostedTrees(name="boosted-trees-ordinal", title="boosted trees, levels as numbers", native=False),
    Linear(),
    SupportVectors(),
    NearestNeighbour(),
    LightGBMTrees(),
)

#: Challengers that read sequences themselves: for one answer to each, and for the next values of a channel.
FOR_SEQUENCES: Final[tuple[Challenger, ...]] = (Rocket(),)
FOR_FORECASTS: Final[tuple[Challenger, ...]] = (
    RidgeOnLags(),
    Naive(name="seasonal-naive", title="the last season repeated", seasonal=True),
    Naive(),
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
    FittedRocket,
    FittedNaive,
    FittedRidge,
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


def challenger_named(name: str) -> Challenger:
    """The challenger of this name. Raises StopIteration where there is none."""
    return next(each for each in (*installed(), *FOR_SEQUENCES, *FOR_FORECASTS) if each.name == name)


def installed() -> tuple[Challenger, ...]:
    """The challengers of tables that can run here."""
    return tuple(each for each in ALL if each.is_installed)


__all__ = [
    "ALL",
    "FITTED",
    "FOR_FORECASTS",
    "FOR_SEQUENCES",
    "Answerer",
    "Challenger",
    "ClassicalTable",
    "Question",
    "Shape",
    "Stored",
    "answerer_of",
    "challenger_named",
    "installed",
]
