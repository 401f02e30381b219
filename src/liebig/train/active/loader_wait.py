"""The loader against a batch that is already there.

Does: reads batches from a loader as the loop's, timing each wait, with a training step on a copy between; then times the same steps
  with one batch that is kept.
Shows: how much of a step is waiting for data, and how long a step would take without.
Misleads: the first batches warm caches of files up, so they are left out; a cached file system is faster than a cold one.
Source: Mohan et al. 2021, arXiv:2007.06775 (data stalls measured against cached input).
"""

from __future__ import annotations

import inspect
import math
import os
import time
from collections.abc import Iterator
from itertools import repeat
from statistics import median
from typing import Any, Final

import torch
from torch.utils.data import DataLoader

from liebig.core.evidence import LoaderWait
from liebig.train.active.learning import one_step, optimizers_at
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.rows import iter_is_self
from liebig.train.active.workbench import Bench, Refused, train_mode

_BATCHES: Final = 16
_LEAST: Final = 3


class LoaderWaitProbe(ActiveProbe):
    """Median wait, compute and cached step."""

    makes = LoaderWait
    share = 0.15

    def measure(self, bench: Bench) -> LoaderWait:
        source = bench.subject.train
        if isinstance(source, (torch.Tensor, tuple, dict)) or not hasattr(source, "__iter__") or iter_is_self(source):
            raise Refused("the training data have no loader")
        if isinstance(source, list):
            raise Refused("the training batches are in memory")
        workers = source.num_workers if isinstance(source, DataLoader) else 0
        reader = _alike(source) if isinstance(source, DataLoader) else source
        bench.copy.to_present()
        train_mode(bench)
        optimizers = optimizers_at(bench, bench.rate if math.isfinite(bench.rate) else 1e-4)
        # Workers read ahead: only after their stock is used up is the wait that of the long run.
        ahead = workers * (getattr(source, "prefetch_factor", None) or 2) if workers else 0
        reading = iter(reader)
        try:
            waits, computes, batch = _timed(bench, reading, optimizers, ahead)
        finally:
            del reading  # workers end here
        if len(waits) < _LEAST:
            raise Refused(f"there was no time for {_LEAST} batches")
        _, cached, _ = _timed(bench, repeat(batch), optimizers, 0, len(waits))
        return LoaderWait(median(waits), median(computes), median(cached), workers, _place(source))


def _timed(
    bench: Bench, batches: Iterator[Any], optimizers: list[torch.optim.Optimizer], ahead: int, most: int = _BATCHES
) -> tuple[list[float], list[float], Any]:
    """Waits and computations of steps, the first (and those of stock) left out where there are others; the last batch."""
    waits: list[float] = []
    computes: list[float] = []
    last: Any = None
    skipped = 1 + ahead
    for _ in range(most + skipped):
        began = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            break
        last = batch
        waited = time.perf_counter()
        one_step(bench, optimizers, bench.on_device(batch))
        waits.append(waited - began)
        computes.append(time.perf_counter() - waited)
        if bench.clock.left() < 0 and len(waits) > _LEAST:
            break
    kept = slice(min(skipped, max(0, len(waits) - _LEAST)), None)
    return waits[kept], computes[kept], last


def _alike(loader: DataLoader[Any]) -> DataLoader[Any]:
    """A loader of the same settings: the loop's own may have workers that wait for it."""
    if not loader.num_workers:
        return loader
    return DataLoader(
        loader.dataset,
        batch_size=loader.batch_size,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        prefetch_factor=loader.prefetch_factor,
    )


def _place(source: Any) -> str:
    """Where the data set reads a row: "file.py:41"; empty for torch's own."""
    dataset = getattr(source, "dataset", source)
    for _ in range(8):  # a Subset of a Subset ...
        if type(dataset).__module__.partition(".")[0] != "torch" or not hasattr(dataset, "dataset"):
            break
        dataset = dataset.dataset
    read = getattr(type(dataset), "__getitem__", None) or getattr(type(dataset), "__iter__", None)
    if getattr(read, "__module__", "torch").partition(".")[0] == "torch":
        return ""
    try:
        lines, line = inspect.getsourcelines(read)  # type: ignore[arg-type]  # None raises TypeError, caught below
        path = inspect.getsourcefile(read)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return ""
    return f"{os.path.basename(path)}:{line}" if path and lines else ""
