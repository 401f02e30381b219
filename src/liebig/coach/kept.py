"""What was answered for select rows, kept in memory while the study runs, so that members can be weighed without training
again. It is not in the ledger: a study that goes on after a kill weighs what it trains anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from liebig.core.arrays import Predictions
from liebig.core.task import Fidelity

#: Bytes that are kept at most.
LIMIT: Final = 64 * 2**20


class KeptAnswers:
    """Predictions by fidelity, name (a recipe's digest, a challenger's name) and block. Beyond `limit` bytes those of the
    smallest fidelity leave first, and of one fidelity the oldest."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit, self._bytes = limit, 0
        self._kept: dict[tuple[Fidelity, str, int], Predictions] = {}

    def put(self, name: str, block: int, fidelity: Fidelity, predictions: Predictions) -> None:
        """Keep these; what was there under the same name is replaced."""
        self._drop((fidelity, name, block))
        self._kept[fidelity, name, block] = predictions
        self._bytes += predictions.nbytes
        while self._bytes > self._limit:
            self._drop(min(self._kept, key=lambda each: each[0].rows * each[0].epochs))

    def get(self, name: str, block: int, fidelity: Fidelity) -> Predictions:
        """Raises KeyError where it is not kept."""
        return self._kept[fidelity, name, block]

    def blocks(self) -> Mapping[Fidelity, Mapping[str, frozenset[int]]]:
        """The blocks that are kept of each name, by fidelity."""
        found: dict[Fidelity, dict[str, frozenset[int]]] = {}
        for fidelity, name, block in self._kept:
            of = found.setdefault(fidelity, {})
            of[name] = of.get(name, frozenset()) | {block}
        return found

    def _drop(self, key: tuple[Fidelity, str, int]) -> None:
        gone = self._kept.pop(key, None)
        self._bytes -= gone.nbytes if gone is not None else 0
