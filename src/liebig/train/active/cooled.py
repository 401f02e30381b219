"""The rate let down.

Does: trains the network on from where it stands, twice on the same batches: at the rate of the loop, and with the rate going down
  to nothing. The first is judged several times on its way, so that one lucky or unlucky moment does not stand for it. Both are
  judged on rows for evaluation and on training rows.
Shows: what the noise of the steps alone costs. Weights that jump about a good place find it when the steps become small; weights that
  are far from any do not.
Misleads: short: a network that needs many small steps gains more than is seen here. Optimizers begin without their memory, in both.
Source: Robbins & Monro 1951; Smith et al. 2018, arXiv:1711.00489 (noise goes with rate over batch).
"""

from __future__ import annotations

import math
from typing import Final

import torch

from liebig.core.evidence import Cooled
from liebig.train.active.final_score import judged_parts
from liebig.train.active.judging import Judged, standard_error
from liebig.train.active.learning import learn_in_parts, optimizers_at
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, Refused

_STEPS: Final = 300
_LEAST: Final = 60
_PARTS: Final = 6
_JUDGED: Final = 4  # of the parts, the last ones
_ROWS: Final = 1_024
#: Share of the loss of chance below which there is too little left for this to matter.
_NEARLY_ALL: Final = 0.03


class CooledProbe(ActiveProbe):
    """Loss at the loop's own rate and with the rate let down, on the same batches."""

    makes = Cooled
    share = 0.15

    def measure(self, bench: Bench) -> Cooled:
        if not bench.copy.optimizers or not bench.rate > 0:
            raise Refused("no optimizer was given")
        _, before = judged_parts(bench)
        if before.loss < _NEARLY_ALL * before.chance_loss:
            raise Refused("nearly all of the loss is learnt: no rate could win much")
        steps = bench.steps_within(0.25, _STEPS, _LEAST)
        steady = _trained(bench, steps, _JUDGED, falling=False)
        ((cooled, known),) = _trained(bench, steps, 1, falling=True)
        usual = torch.stack([others.losses for others, _ in steady]).mean(0)
        own = torch.stack([mine.losses for _, mine in steady]).mean(0)
        unit = 1.0 / known.chance_loss
        return Cooled(
            float(usual.mean()), cooled.loss, cooled.chance_loss, standard_error(usual - cooled.losses), steps,
            float(before.losses[: len(own)].mean()) * unit, float(own.mean()) * unit, known.loss * unit,
            standard_error(own - known.losses) * unit,
        )  # fmt: skip


def _trained(bench: Bench, steps: int, moments: int, *, falling: bool) -> list[tuple[Judged, Judged]]:
    """Rows for evaluation and training rows judged after each of the last parts of a training from the weights of now."""
    bench.copy.to_present()
    optimizers = optimizers_at(bench, bench.rate)
    parts = [(group, float(group["lr"])) for each in optimizers for group in each.param_groups]
    batches = bench.train.endless(bench.batch, bench.generator(5))
    seen: list[tuple[Judged, Judged]] = []

    def at(step: int) -> None:
        for group, rate in parts:
            group["lr"] = rate * (1.0 - step / steps if falling else 1.0)

    done = 0
    for losses in learn_in_parts(bench, optimizers, batches, steps, _PARTS, before=at):
        if not all(map(math.isfinite, losses)):
            break
        done += 1
        if done <= _PARTS - moments:
            continue
        others = bench.judged(bench.valid, _ROWS) if bench.valid is not None else None
        own = bench.judged(bench.train, _ROWS)
        if others is None or own is None:
            raise Refused("the answers of the copies are not finite")
        seen.append((others, own))
    if done < _PARTS:
        raise Refused("the copies did not train to their end")
    return seen
