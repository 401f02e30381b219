"""The device waits for data.

Means: A good part of each step is spent waiting for its batch: the network could train faster on the same machine.
Measured: seconds from the end of one step to the arrival of the next batch, beside the seconds that the step computes (medians);
  the whole step with a batch that is already there.
Misleads: a wait of a fraction of a millisecond is what handing over a batch costs; the first batches of an epoch wait for workers to
  start, which medians leave out. What lies between two steps need not be the loader: seen from outside, without a batch that
  is already there beside it, a wait of up to 20 ms is never more than a hint.
Source: Mohan et al. 2021, "Analyzing and mitigating data stalls in DNN training", VLDB 14.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import log_ramp, ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, LoaderWait


class LoaderBound(Check):
    """Waiting is a large share of a step, and of a size that is worth an effort."""

    name = "loader-bound"
    stave = Stave.MACHINE
    needs = (LoaderWait,)
    explains = frozenset({"device-underused"})
    words = {
        "en": Telling(
            headline="Training waits for its data.",
            evidence="Of each step {wait:.3g} ms are spent waiting for the batch and {compute:.3g} ms computing: {share:.0%} of the time{cached}.{workers}",
            advice="{advice}",
            short="the wait for data",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        loader = evidence.get(LoaderWait)
        assert loader is not None
        whole = loader.wait + loader.compute
        if not math.isfinite(whole) or not whole > 0 or loader.wait < 0:
            return NotApplicable("no wait was measured")
        share = loader.wait / whole
        # Below a few milliseconds there is nothing to win that anybody would notice.
        worth = log_ramp(loader.wait, 7e-4, 4e-3)
        # Not told apart from what else goes on between two steps: a framework's own work, say, is milliseconds too. So it is a
        # hint, until a wait is longer than all that.
        saved = 0.45 * log_ramp(loader.wait, 2e-3, 1e-2) + 0.4 * log_ramp(loader.wait, 2e-2, 6e-2)
        if math.isfinite(loader.cached) and loader.cached > 0:
            saved = ramp(whole / loader.cached, 1.03, 1.3)
        strength = ramp(share, 0.05, 0.45) * worth * saved
        if strength < 0.05:
            return Clear()
        facts = {
            "wait": Fact(1e3 * loader.wait, "ms"),
            "compute": Fact(1e3 * loader.compute, "ms"),
            "share": Fact(share, "share", 0.05),
            "cached": Fact(
                f" (with a batch that is already there a step takes {1e3 * loader.cached:.3g} ms)"
                if math.isfinite(loader.cached) and loader.cached > 0
                else ""
            ),
            "workers": Fact(_workers(loader)),
            "advice": Fact(_advice(loader)),
        }
        return Found(strength, loader.place, facts)


def _workers(loader: LoaderWait) -> str:
    """How many workers the loader has; nothing where that is not known."""
    where = f" ({loader.place})" if loader.place else ""
    if loader.workers < 0:
        return f" The loop that waits is at {loader.place}." if loader.place else ""
    count = {0: "no workers", 1: "1 worker"}.get(loader.workers, f"{loader.workers} workers")
    return f" The loader has {count}{where}."


def _advice(loader: LoaderWait) -> str:
    """First what costs nothing to try."""
    if loader.workers <= 0:
        return (
            "Give the DataLoader workers (num_workers=2 or more, persistent_workers=True; pin_memory=True on a GPU), or keep "
            "data that fit in memory as one tensor and index it."
        )
    return (
        "Do the slow part once and keep its result (decoded, resized, as tensors); then more workers, a larger prefetch_factor, "
        "or augmentation on the device."
    )
