"""Fitted histogram trees as arrays: what scikit-learn's boosted trees answer by, without the estimator around them.

The walk through a tree is scikit-learn's own (compiled, over threads); only the nodes, the bits of category splits and the
first answer are kept, so that trees are saved as numbers and answer the same when they are loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

from liebig.classical.storing import Arrays, joined, parted

#: What the walk reads of a node, with the type that it is kept in.
_FIELDS: Final = {
    "value": np.float64,
    "feature_idx": np.int64,
    "num_threshold": np.float64,
    "missing_go_to_left": np.uint8,
    "left": np.int64,
    "right": np.int64,
    "is_leaf": np.uint8,
    "is_categorical": np.uint8,
    "bitset_idx": np.int64,
}
_NO_BITS: Final = np.zeros((0, 8), dtype=np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """`trees` in the order in which they were added, those of one round side by side; `first` float64 [outputs] is what they
    are added to. Of category columns (`categorical`, by place) `levels` are the values that were there to learn, ascending;
    `known_bits` uint32 [categories, 8] marks them for the walk, and `feature_place` uint32 [inputs] numbers them."""

    trees: tuple[Any, ...]
    first: NDArray[np.float64]
    categorical: NDArray[np.int64]
    levels: tuple[NDArray[np.float64], ...]
    known_bits: NDArray[np.uint32]
    feature_place: NDArray[np.uint32]

    @staticmethod
    def of(model: Any) -> Forest:
        """The trees of a fitted HistGradientBoostingClassifier or -Regressor."""
        trees = tuple(tree for together in model._predictors for tree in together)
        known, place = model._bin_mapper.make_known_categories_bitsets()
        first = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(-1)
        categorical: NDArray[np.int64] = np.zeros(0, np.int64)
        levels: tuple[NDArray[np.float64], ...] = ()
        if model._preprocessor is not None:
            categorical = np.flatnonzero(model.is_categorical_)
            seen = model._preprocessor.named_transformers_["encoder"].categories_
            levels = tuple(np.asarray(each, np.float64)[~np.isnan(np.asarray(each, np.float64))] for each in seen)
        return Forest(trees, first, categorical, levels, np.asarray(known), np.asarray(place))

    def raw(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """What the trees add up to, float64 [n, outputs]."""
        ready = self._ready(inputs)
        total = np.empty((len(inputs), len(self.first)), dtype=np.float64, order="F")
        total[:] = self.first
        threads = _openmp_effective_n_threads()
        for i, tree in enumerate(self.trees):
            total[:, i % len(self.first)] += tree.predict(ready, self.known_bits, self.feature_place, threads)
        return total

    def probabilities(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities [n, classes that were there to learn]."""
        raw = self.raw(inputs)
        if raw.shape[1] == 1:
            second = expit(raw[:, 0])
            return np.stack([1.0 - second, second], axis=1)
        return np.asarray(softmax(raw, axis=1))

    def _ready(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Categories first, as the numbers of their levels (NaN: missing or not seen), as the trees were grown."""
        if not len(self.categorical):
            return np.ascontiguousarray(inputs, dtype=np.float64)
        ready = np.empty(inputs.shape, dtype=np.float64)
        for place, (column, levels) in enumerate(zip(self.categorical, self.levels, strict=True)):
            values = inputs[:, column].astype(np.float64)
            at = np.searchsorted(levels, values).clip(max=max(len(levels) - 1, 0))
            known = levels[at] == values if len(levels) else np.zeros(len(values), dtype=bool)
            ready[:, place] = np.where(known, at, np.nan)
        rest = np.setdiff1d(np.arange(inputs.shape[1]), self.categorical)
        ready[:, len(self.categorical) :] = inputs[:, rest]
        return ready

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, for `Stored`."""
        found: dict[str, NDArray[Any]] = {}
        for name, kind in _FIELDS.items():
            parts = [tree.nodes[name].astype(kind) for tree in self.trees]
            found |= joined(f"nodes.{name}", parts, np.zeros(0, dtype=kind))
        bits = [tree.raw_left_cat_bitsets.astype(np.int64) for tree in self.trees]
        found |= joined("bits", bits, _NO_BITS.astype(np.int64)) | joined("levels", self.levels, np.zeros(0))
        return found | {
            "first": self.first,
            "categorical": self.categorical,
            "known_bits": self.known_bits.astype(np.int64),
            "feature_place": self.feature_place.astype(np.int64),
        }

    @staticmethod
    def from_arrays(arrays: Arrays) -> Forest:
        """The forest that `arrays` told. Raises ValueError where a tree leads out of itself: the walk is compiled, and
        trusts its numbers."""
        inputs = len(arrays["feature_place"])
        fields = {name: parted(f"nodes.{name}", arrays) for name in _FIELDS}
        trees = []
        for i, bits in enumerate(parted("bits", arrays)):
            nodes = np.zeros(len(fields["value"][i]), dtype=PREDICTOR_RECORD_DTYPE)
            for name, parts in fields.items():
                nodes[name] = parts[i]
            _require_inside(nodes, inputs, len(bits))
            trees.append(TreePredictor(nodes, _NO_BITS, np.ascontiguousarray(bits, dtype=np.uint32)))
        known = np.ascontiguousarray(arrays["known_bits"], dtype=np.uint32).reshape(-1, 8)
        place = arrays["feature_place"].astype(np.uint32)
        if trees and any((tree.nodes["is_categorical"] > 0).any() for tree in trees) and place.max() >= len(known):
            raise ValueError("the trees name categories that are not there")
        return Forest(
            tuple(trees), arrays["first"].astype(np.float64), arrays["categorical"].astype(np.int64),
            tuple(parted("levels", arrays)), known, place,
        )  # fmt: skip


def _require_inside(nodes: NDArray[Any], inputs: int, splits: int) -> None:
    """Raise ValueError where a node leads nowhere, back, or reads what is not there."""
    number = np.arange(len(nodes))
    inner = nodes["is_leaf"] == 0
    after = np.minimum(nodes["left"], nodes["right"])
    ahead = (after > number) & (np.maximum(nodes["left"], nodes["right"]) < len(nodes))
    read = (nodes["feature_idx"] >= 0) & (nodes["feature_idx"] < inputs)
    bits = (nodes["is_categorical"] == 0) | (nodes["bitset_idx"] < splits)
    if len(nodes) == 0 or not (~inner | (ahead & read & bits)).all():
        raise ValueError("a tree leads out of itself")
