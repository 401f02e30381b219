"""Rows that stand in both parts.

Does: compares the inputs of rows for evaluation with those of training rows, by their values, and by their distance where the inputs
  are real numbers: a row is shared when its nearest training row is much nearer than training rows are to each other.
Shows: an evaluation that asks for what was trained on.
Misleads: inputs that take few values meet by chance, and some rows repeat themselves by nature: the share of training rows that
  equal another one (of the commonest class, where copies were made on purpose they are of the others) is taken off. In one
  dimension only equal values count.
Source: Barz & Denzler 2020, arXiv:1902.00423 (near-duplicates between the parts of a data set).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any, Final

import torch
from torch import Tensor

from liebig.core.evidence import SharedRows
from liebig.train.active.nested import mapped, tensors_of
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.rows import Rows
from liebig.train.active.workbench import Bench, Refused

_NEAR: Final = 0.05  # of the median distance of a training row to the nearest other
_COMPARED: Final = 2_048  # rows of each part for distances
_FEATURES: Final = 256  # a longer row is projected on so many directions
_CONTINUOUS: Final = 0.5  # share of different values in a column from which on values do not meet by chance
_CLASSES: Final = 200  # of more values a target is a number
_LONG: Final = 16  # whole numbers in a row (words) from which on rows do not meet by chance


class SharedRowsProbe(ActiveProbe):
    """Share of the rows for evaluation whose inputs are, or nearly are, those of a training row."""

    makes = SharedRows
    share = 0.08

    def measure(self, bench: Bench) -> SharedRows:
        if bench.valid is None:
            raise Refused("no rows for evaluation were given")
        if bench.subject.train is bench.subject.valid:
            return SharedRows(bench.valid.count, 1.0, bench.train.count)
        train, valid = _hashes(bench, bench.train), _hashes(bench, bench.valid)
        if not train or not valid:
            raise Refused("the inputs are no tensors")
        known = set(train)
        exact = torch.tensor([each in known for each in valid])
        inputs = flat_inputs(bench, bench.train), flat_inputs(bench, bench.valid)
        shared = exact
        if inputs[0] is not None and inputs[1] is not None and inputs[0].shape[1] == inputs[1].shape[1]:
            near = _near(inputs[0], inputs[1])
            shared = exact.clone()
            shared[: len(near)] |= near
        share = float(shared.double().mean())
        if _is_telling(bench, inputs[0]):
            return SharedRows(len(valid), max(0.0, share - _repeated_by_nature(bench, train)), len(train))
        by_chance = 1.0 - len(known) / len(train)
        share = max(0.0, share - by_chance) if share < 1.0 or by_chance > 0 else share
        return SharedRows(len(valid), share, len(train))


def _repeated_by_nature(bench: Bench, hashes: list[bytes]) -> float:
    """The share of training rows of the commonest class that equal another one: rows that repeat themselves by nature meet
    across any split, as often. Who copies rows before a split to balance classes copies those of the others."""
    times = Counter(hashes)
    twice = torch.tensor([times[each] > 1 for each in hashes])
    target = bench.passing.split(bench.train.batch).target if bench.train.is_table else None
    if isinstance(target, Tensor) and target.numel() == len(twice):
        codes = target.detach().cpu().reshape(-1)
        kinds, counts = torch.unique(codes, return_counts=True)
        if len(kinds) <= _CLASSES:
            twice = twice[codes == kinds[counts.argmax()]]
    return float(twice.double().mean())


def _hashes(bench: Bench, rows: Rows) -> list[bytes]:
    """One hash of the inputs of each row."""
    found: list[bytes] = []
    for batch in [rows.batch] if rows.is_table else rows.batches:
        parts = bench.passing.split(batch)
        tensors = [each.detach().cpu() for each in tensors_of([parts.inputs, _inputs_only(bench, batch)]) if each.dim()]
        if not tensors:
            return []
        flat = [each.reshape(len(each), -1).contiguous().numpy() for each in tensors]
        for i in range(len(flat[0])):
            found.append(hashlib.blake2b(b"".join(each[i].tobytes() for each in flat), digest_size=16).digest())
    return found


def _inputs_only(bench: Bench, batch: Any) -> dict[str, Any]:
    """Inputs that are given by name, the target left out."""
    parts = bench.passing.split(batch)
    return {name: value for name, value in parts.named.items() if value is not parts.target}


def flat_inputs(bench: Bench, rows: Rows) -> Tensor | None:
    """Inputs [n, features] of at most so many rows of real numbers; None where they are none, or of one feature."""
    if not rows.is_table:
        return None
    parts = bench.passing.split(rows.batch)
    tensors = tensors_of([parts.inputs, _inputs_only(bench, rows.batch)])
    if (
        len(tensors) != 1
        or not (tensors[0].is_floating_point() or tensors[0].dtype is torch.uint8)
        or not tensors[0].dim()
    ):
        return None
    flat = tensors[0][:_COMPARED].detach().cpu().float().reshape(min(len(tensors[0]), _COMPARED), -1)
    if flat.shape[1] < 2 or not bool(flat.isfinite().all()):
        return None
    if flat.shape[1] > _FEATURES:
        generator = torch.Generator().manual_seed(7)
        flat = flat @ (torch.randn(flat.shape[1], _FEATURES, generator=generator) / _FEATURES**0.5)
    return flat


def _near(train: Tensor, valid: Tensor) -> Tensor:
    """Which rows of `valid` [m, f] lie nearer to a row of `train` [n, f] than training rows lie to each other."""
    spread = train.std(0)
    scale = torch.where(spread > 0, 1.0 / spread.clamp(min=1e-12), torch.zeros_like(spread))
    train, valid = train * scale, valid * scale
    own = torch.cdist(train, train, compute_mode="use_mm_for_euclid_dist")
    own.fill_diagonal_(float("inf"))
    nearest = own.amin(1)
    apart = nearest[nearest > 1e-3 * train.shape[1] ** 0.5]  # rows that stand twice in training are no measure
    if not len(apart):
        return torch.zeros(len(valid), dtype=torch.bool)
    return torch.cdist(valid, train, compute_mode="use_mm_for_euclid_dist").amin(1) < _NEAR * float(apart.median())


def _is_telling(bench: Bench, flat: Tensor | None) -> bool:
    """Whether equal inputs cannot be chance: a column of many different values, or long rows of whole numbers."""
    if flat is not None:
        rows = torch.unique(flat, dim=0) if len(flat) > 1 else flat
        most = max((len(torch.unique(column)) for column in rows.T[:_FEATURES]), default=0)
        return most > _CONTINUOUS * len(rows) or (flat.shape[1] >= _LONG and len(rows) > 0.5 * len(flat))
    lengths: list[int] = []
    mapped(lambda each: _noted(each, lengths), bench.passing.split(bench.train.first(2)).inputs)
    return sum(lengths) >= _LONG


def _noted(tensor: Tensor, lengths: list[int]) -> Tensor:
    lengths.append(tensor[0].numel() if tensor.dim() else 1)
    return tensor
