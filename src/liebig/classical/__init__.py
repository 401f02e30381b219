"""Which other algorithms are there? One file each, one fit/predict contract."""

from typing import Final

from liebig.classical.boosted_trees import BoostedTrees
from liebig.classical.challenger import Answerer, Challenger, Question, Shape
from liebig.classical.lightgbm_trees import LightGBMTrees
from liebig.classical.linear import Linear
from liebig.classical.nearest_neighbours import NearestNeighbour
from liebig.classical.support_vectors import SupportVectors
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


def installed() -> tuple[Challenger, ...]:
    """The challengers that can run here."""
    return tuple(each for each in ALL if each.is_installed)


__all__ = ["ALL", "Answerer", "Challenger", "ClassicalTable", "Question", "Shape", "installed"]
