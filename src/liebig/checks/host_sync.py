"""The host waits for the device in each step.

Means: `.item()`, `.cpu()` or the print of a tensor makes Python wait until the device has computed everything: the queue runs empty,
  and the next step starts late. Printing in each step costs time on every machine.
Measured: such waits between two steps, counted on looks; prints in a step; what they cost of a step, where that was measured.
Misleads: one `.item()` a step on a CPU costs next to nothing and is a habit of nearly everyone: it is not found there.
Source: PyTorch performance tuning guide, "Avoid unnecessary CPU-GPU synchronization".
"""

from __future__ import annotations

import math

from liebig.checks.numbers import log_ramp, ramp, scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, HostSyncs


class HostSync(Check):
    """Waits and prints in each step."""

    name = "host-sync"
    stave = Stave.MACHINE
    needs = (HostSyncs,)
    of_code = True
    explains = frozenset({"device-underused"})
    words = {
        "en": Telling(
            headline="Each step waits for the device.",
            evidence="{call}{where} and its like make Python wait {count:.0f} times in a step{cost}.",
            advice="Keep running sums as tensors (loss.detach()), and call .item() or print once in a hundred steps.",
            short="the waits in each step",
        )
    }
    kinds = {
        "en": {
            "printed": Telling(
                headline="Each step prints.",
                evidence="{printed:.0f} lines and {count:.0f} values are fetched and written in a step, first by {call}{where}{cost}.",
                advice="Keep running sums as tensors (loss.detach()), and print once in a hundred steps or once an epoch.",
                short="the prints in each step",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        syncs = evidence.get(HostSyncs)
        assert syncs is not None
        if not math.isfinite(syncs.per_step):
            return NotApplicable("no step was seen closely")
        share = syncs.seconds / syncs.step_seconds if syncs.step_seconds > 0 else math.nan
        strength = max(_by_count(syncs), 0.95 * ramp(share, 0.05, 0.25))
        if strength < 0.05:
            return Clear()
        facts = {
            "kind": Fact("printed" if syncs.printed >= 0.5 else "waits"),
            "call": Fact(syncs.call or ".item()"),
            "where": Fact(f" at {syncs.place}" if syncs.place else ""),
            "count": Fact(syncs.per_step, "a step", 1.0),
            "printed": Fact(syncs.printed, "a step"),
            "cost": Fact(f"; they cost {share:.0%} of its time" if math.isfinite(share) else ""),
        }
        return Found(min(1.0, strength), syncs.place, facts)


def _by_count(syncs: HostSyncs) -> float:
    """What the number of waits alone says: on a CPU nothing, unless each step prints."""
    printing = 0.75 * ramp(syncs.printed, 0.3, 0.9)
    if syncs.device.startswith("cpu"):
        # Next to free there; but who fetches a dozen numbers in each step may write them somewhere, too.
        return max(printing, scaled_to_hint(0.4 * log_ramp(syncs.per_step, 4.0, 16.0)))
    return max(printing, scaled_to_hint(0.3 * ramp(syncs.per_step, 0.5, 1.0)), 0.7 * ramp(syncs.per_step, 1.0, 6.0))
