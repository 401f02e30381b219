"""Score on augmented inputs.

Does: where the training set gives other inputs when the same row is read twice, judges the network on the same rows augmented and clean
  (read through the transform of the rows for evaluation); and a copy trained on the clean
  rows for at most as many steps as the loop made, beside the network itself on the validation rows.
Shows: an augmentation after which inputs no longer carry their label.
Misleads: some loss on augmented rows is what augmentation is for.
Source: Shorten & Khoshgoftaar 2019, "A survey on image data augmentation" (safe and unsafe augmentations).
"""

from __future__ import annotations

import copy
import math
from itertools import islice
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Subset, default_collate

from liebig.core.errors import UserError
from liebig.core.evidence import AugmentedScore
from liebig.train.active.judging import Judged, Kind, standard_error
from liebig.train.active.learning import learn, optimizers_at
from liebig.train.active.nested import tensors_of
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.rows import Rows, read_rows
from liebig.train.active.workbench import Bench, Refused, train_mode

_TRANSFORMS: Final = ("transform", "transforms")
_ROWS: Final = 512
_STEPS: Final = 400
_TRIED: Final = 3  # rows that are read twice


class AugmentedScoreProbe(ActiveProbe):
    """Training score clean, augmented, and of a copy trained on clean rows."""

    makes = AugmentedScore
    share = 0.3

    def measure(self, bench: Bench) -> AugmentedScore:
        judge = bench.judging()
        if judge.kind is Kind.NUMBERS:
            raise Refused("the target is a number")
        augmented_set, collate = _dataset(bench.subject.train)
        if not _is_random(augmented_set):
            raise Refused("the training set gives the same inputs whenever a row is read")
        clean_set = _cleaned(
            augmented_set, _dataset(bench.subject.valid)[0] if bench.subject.valid is not None else None
        )
        augmented = _read(augmented_set, collate, bench.clock.left() / 6)
        clean = _read(clean_set, collate, bench.clock.left() / 6)
        bench.copy.to_present()
        before, after = bench.judged(clean, _ROWS), bench.judged(augmented, _ROWS)
        if before is None or after is None:
            raise Refused("the network's answers are not finite")
        size = min(len(before.correct), len(after.correct))
        error = standard_error(before.correct[:size] - after.correct[:size])
        others = bench.valid if bench.valid is not None else clean
        present, alone = bench.judged(others, _ROWS), _trained(bench, clean, others)
        scores = float(before.correct.mean()), float(after.correct.mean())
        chance = float(before.chance_correct.mean())
        if present is None or alone is None:
            return AugmentedScore(*scores, math.nan, error, chance)
        return AugmentedScore(
            *scores, float(alone.correct.mean()), error, chance, float(present.correct.mean()),
            standard_error(alone.correct - present.correct),
        )  # fmt: skip


def _dataset(source: Any) -> tuple[Any, Any]:
    """The data set behind a source, and how its rows are put together. Raises Refused where there is none with places."""
    if isinstance(source, DataLoader):
        found, collate = source.dataset, source.collate_fn
    else:
        found, collate = source, default_collate
    if not (hasattr(found, "__getitem__") and hasattr(found, "__len__")) or isinstance(
        found, (tuple, list, dict, Tensor)
    ):
        raise Refused("the training data are no data set whose rows can be read again")
    return found, collate


def _is_random(dataset: Any) -> bool:
    for i in range(min(_TRIED, len(dataset))):
        once, again = tensors_of(dataset[i]), tensors_of(dataset[i])
        for one, other in zip(once, again, strict=False):
            if one.shape != other.shape or not torch.equal(one, other):
                return True
    return False


def _cleaned(dataset: Any, valid: Any) -> Any:
    """A shallow copy of the data set that transforms rows as `valid` does. Raises Refused where it cannot."""
    if isinstance(dataset, Subset):
        inner = valid.dataset if isinstance(valid, Subset) else valid
        return Subset(_cleaned(dataset.dataset, inner), dataset.indices)
    names = [name for name in _TRANSFORMS if hasattr(dataset, name) and hasattr(valid, name)]
    other = [name for name in names if getattr(dataset, name) is not getattr(valid, name)]
    if not other:
        raise Refused(
            "there is no clean version of the training rows: neither part has a transform that could be exchanged"
        )
    twin = copy.copy(dataset)
    for name in other:
        setattr(twin, name, getattr(valid, name))
    if _is_random(twin):
        raise Refused("the transform of the rows for evaluation is random too")
    return twin


def _read(dataset: Any, collate: Any, seconds: float) -> Rows:
    try:
        return read_rows(DataLoader(dataset, batch_size=64, collate_fn=collate), _ROWS, seconds)
    except UserError as error:
        raise Refused(str(error)) from error


def _trained(bench: Bench, clean: Rows, others: Rows) -> Judged | None:
    """A copy trained on the clean rows, judged on `others`; None where it cannot be. For as many steps as the loop made, or
    as time allows: with fewer it only looks worse than it is."""
    wanted = min(bench.subject.steps, _STEPS, int(bench.clock.left() / max(bench.step_seconds, 1e-7)))
    if not clean.is_table or wanted < 1:
        return None
    bench.copy.to_start()
    train_mode(bench)
    losses = learn(
        bench, optimizers_at(bench, bench.rate), islice(clean.endless(bench.batch, bench.generator(11)), wanted)
    )
    return bench.judged(others, _ROWS) if len(losses) == wanted else None
