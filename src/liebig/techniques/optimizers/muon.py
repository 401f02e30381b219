"""Muon: momentum made orthogonal.

Does: replaces the momentum of each hidden weight matrix by the nearest matrix whose singular values are about 1 (five
    steps of a Newton-Schulz iteration), scaled to the size of an AdamW step (0.2 x root of the longer side), so that one
    rate suits both; everything that is not a hidden matrix goes by AdamW. Weight decay is decoupled.
Helps: large matrices; learns faster for the same steps (measured on letter and california_housing).
Misleads: overfits faster, too: never without early stopping; a step costs about twice as much (measured).
Source: Jordan 2024, Muon; Liu et al. 2025, arXiv:2502.16982, section 2.2 (scale); equals torch.optim.Muon with
    match_rms_adamw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from liebig.stack.specs import ParameterSpec, Role
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.decay import Decay, decay_of
from liebig.techniques.optimizers.fields import EPSILON, Beta, Epsilon, LearningRate, Momentum, WeightDecay
from liebig.techniques.optimizers.moments import Moments, adam_update, no_moments
from liebig.techniques.script import GROUPS, Script, ScriptGround, torch_optimizer
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_SMALLEST_NORM = 1e-7


class Muon(OptimizerSettings):
    """Settings of Muon; the betas and epsilon are those of AdamW for all that is not a hidden matrix."""

    kind: Literal["muon"] = "muon"
    learning_rate: LearningRate = 3e-3
    weight_decay: WeightDecay = 0.01
    momentum: Momentum = 0.95
    beta1: Beta = 0.9
    beta2: Beta = 0.999
    epsilon: Epsilon = EPSILON

    def as_script(self, ground: ScriptGround) -> Script:
        names, rate, decay = set(ground.matrices), self.learning_rate, self.weight_decay
        rest = (
            torch_optimizer("AdamW", rate, decay, ground, {"betas": (self.beta1, self.beta2), "eps": self.epsilon})
            .optimizer[0]
            .removeprefix("optimizer = ")
        )
        rest = rest.replace("network.parameters()", "others").replace("groups(network, ", "groups_of(others, ")
        muon = f"torch.optim.Muon(matrices, lr={rate!r}, weight_decay={decay!r}, momentum={self.momentum!r}, "
        return Script(
            helpers=(_BOTH, GROUPS.replace("def groups(network, decay)", "def groups_of(parameters, decay)").replace(
                "network.parameters()", "parameters")),
            optimizer=(
                f"hidden = {sorted(names)!r}",
                "matrices = [p for name, p in network.named_parameters() if name in hidden and p.requires_grad]",
                "others = [p for name, p in network.named_parameters() if name not in hidden and p.requires_grad]",
                f"optimizer = Both({muon}adjust_lr_fn=\"match_rms_adamw\"), {rest})",
            ),
        )  # fmt: skip

    @classmethod
    def stage(cls, records: Sequence[Muon], ground: Ground) -> MuonStage:  # type: ignore[override]  # its own records
        first = records[0]
        matrices, rest = _parts(ground.specs)
        momentum = scalars(records, "momentum", ground.device)
        betas = (first.beta1, first.beta2)
        return MuonStage(momentum, betas, first.epsilon, matrices, rest, decay_of(records, ground))


_BOTH = '''class Both(torch.optim.Optimizer):
    """Muon for the hidden matrices, AdamW for all else, as one optimizer."""

    def __init__(self, *parts):
        self.parts = parts
        self.param_groups = [group for part in parts for group in part.param_groups]

    def step(self):
        for part in self.parts:
            part.step()

    def zero_grad(self):
        for part in self.parts:
            part.zero_grad()
'''


@dataclass(frozen=True, slots=True)
class _Matrix:
    """A hidden matrix: its columns in the buffer and its two sides."""

    span: slice
    shape: tuple[int, int]


def _parts(specs: Sequence[ParameterSpec]) -> tuple[tuple[_Matrix, ...], tuple[slice, ...]]:
    """Hidden matrices, and the columns of all the rest (neighbours joined)."""
    matrices: list[_Matrix] = []
    rest: list[slice] = []
    start = 0
    for spec in specs:
        span = slice(start, start + spec.size)
        start = span.stop
        if spec.role is Role.WEIGHT and len(spec.shape) == 2 and not spec.is_last:
            matrices.append(_Matrix(span, (spec.shape[0], spec.shape[1])))
        elif rest and rest[-1].stop == span.start:
            rest[-1] = slice(rest[-1].start, span.stop)
        else:
            rest.append(span)
    return tuple(matrices), tuple(rest)


@dataclass(frozen=True, slots=True, eq=False)
class MuonState:
    """Momentum of each hidden matrix [K, inputs, outputs]; moments and gathered gradients [K, r] of the rest."""

    momenta: tuple[Tensor, ...]
    rest: Moments
    gathered: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class MuonStage(OptimizerStage):
    """K Muons; `momentum` [K]."""

    momentum: Tensor
    betas: tuple[float, float]
    epsilon: float
    matrices: tuple[_Matrix, ...]
    rest: tuple[slice, ...]
    decay: Decay

    def start(self, weights: Tensor) -> MuonState:
        momenta = tuple(weights.new_zeros(len(weights), *each.shape) for each in self.matrices)
        others = weights.new_zeros(len(weights), sum(span.stop - span.start for span in self.rest))
        return MuonState(momenta, no_moments(others), others)

    def step(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: MuonState, step: int) -> MuonState:
        self.decay.shrink(weights, rates)
        share = self.momentum[:, None, None]
        for matrix, momentum in zip(self.matrices, state.momenta, strict=True):
            shape = (len(weights), *matrix.shape)
            gradient = gradients[:, matrix.span].view(shape)
            momentum.lerp_(gradient, 1.0 - share)
            update = orthogonal(gradient.lerp_(momentum, share))
            scale = rates * (0.2 * math.sqrt(max(matrix.shape)))
            weights[:, matrix.span].view(shape).addcmul_(update.float(), scale[:, None, None], value=-1.0)
        self._step_rest(weights, gradients, rates, state, step)
        return state

    def _step_rest(self, weights: Tensor, gradients: Tensor, rates: Tensor, state: MuonState, step: int) -> None:
        if not self.rest:
            return
        torch.cat([gradients[:, span] for span in self.rest], dim=1, out=state.gathered)
        beta1, beta2 = self.betas
        update = adam_update(state.rest, state.gathered, step, beta1=beta1, beta2=beta2, epsilon=self.epsilon)
        start = 0
        for span in self.rest:
            end = start + span.stop - span.start
            weights[:, span].addcmul_(update[:, start:end], rates[:, None])
            start = end


def orthogonal(matrices: Tensor) -> Tensor:
    """For each of `matrices` [K, a, b] nearly U V^T of its singular value decomposition, bfloat16 [K, a, b]: the singular
    values lie in about 0.7..1.2. Works on the shorter side, in bfloat16 as the source does."""
    first, second, third = _COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    value = (matrices.mT if tall else matrices).to(torch.bfloat16)
    norm = torch.linalg.vector_norm(value, dim=(1, 2), keepdim=True).clamp_(min=_SMALLEST_NORM)
    value = value / norm
    for _ in range(_ITERATIONS):
        gram = value @ value.mT
        gram = torch.baddbmm(gram, gram, gram, beta=second, alpha=third)
        value = torch.baddbmm(value, gram, value, beta=first)
    return value.mT if tall else value
