"""Exponential moving average of the weights.

Does: evaluates with a running mean of the weights that forgets over `horizon` epochs (decay exp(-1 / steps of the
    horizon)), corrected for its start, so that early averages are means of what has been seen.
Helps: under a constant rate (measured: 11 wins, 6 ties on 17 tables); lets training stop at any moment.
Misleads: with a rate that decays to zero it adds nothing; statistics of a batch normalisation stay those of the raw weights.
Source: Polyak & Juditsky 1992; correction as in Kingma & Ba 2015, section 3; without it torch's get_ema_avg_fn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.settings import STACKABLE
from liebig.stack.beside import beside
from liebig.stack.tree import scalars
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, Stage, Technique

_WRITTEN: Final = '''def average(averaged, network, step, horizon):
    """Move the averaged weights to the network's: a mean that forgets over `horizon` steps, unbiased from the first on."""
    share = math.expm1(-1 / horizon) / math.expm1(-(step + 1) / horizon)
    with torch.no_grad():
        for mean, weight in zip(averaged.parameters(), network.parameters()):
            mean.lerp_(weight, share)
        for mean, buffer in zip(averaged.buffers(), network.buffers()):
            mean.copy_(buffer)
'''


class EMA(Technique):
    """Settings of the exponential moving average."""

    claims = "averaging"

    kind: Literal["ema"] = "ema"
    horizon: Annotated[float, Field(gt=0, le=10_000), STACKABLE] = 1.0

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(
            helpers=(_WRITTEN,), begin=("averaged = copy.deepcopy(network)",),
            after_step=(f"average(averaged, network, step, {self.horizon!r} * steps_per_epoch)",), answers="averaged",
        )  # fmt: skip

    @classmethod
    def stage(cls, records: Sequence[EMA], ground: Ground) -> EMAStage:  # type: ignore[override]  # its own records
        steps = scalars(records, "horizon").double() * ground.steps_per_epoch
        return EMAStage((-1.0 / steps).to(ground.device, torch.float32))


@dataclass(frozen=True, slots=True, eq=False)
class EMAStage(Stage):
    """K moving averages. `log_decay` [K]; the state is the average, a list like the weights."""

    log_decay: Tensor

    def start(self, weights: list[Tensor]) -> list[Tensor]:
        return [each.clone() for each in weights]

    def after_step(self, weights: list[Tensor], state: list[Tensor], step: int) -> list[Tensor]:
        # The newest weights' share in the mean with weights decay^age: 1 at step 0, towards 1 - decay.
        share = torch.expm1(self.log_decay) / torch.expm1(self.log_decay * (step + 1))
        for average, weight in zip(state, weights, strict=True):
            average.lerp_(weight, beside(share, weight))
        return state

    def eval_weights(self, weights: list[Tensor], state: list[Tensor]) -> list[Tensor]:
        return state
