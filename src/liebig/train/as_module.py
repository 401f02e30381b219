"""One network of a recipe as an ordinary module with an ordinary optimizer: what active probes experiment on.

The arithmetic is the engine's own, for one member: the same forward pass, the same loss, the same step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from liebig.nets.network import Mode
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.flat import views
from liebig.techniques.objectives.answers import class_logarithms
from liebig.techniques.stage import Ground, OptimizerSettings, Stage
from liebig.train.stacked import Stacked

#: Under which a network hands out its answers as the objective takes them.
OUTPUTS = "outputs"


@dataclass(frozen=True, slots=True, eq=False)
class _Engine:
    """What is shared by all copies of a network: nothing in it is trained."""

    stack: Stacked
    parts: tuple[str, ...]  # of a batch, in the order in which they are handed to the network
    is_classification: bool

    def __deepcopy__(self, memo: Mapping[int, Any]) -> Self:
        return self


class RecipeNetwork(nn.Module):
    """The first member of `stack`, with its weights of now. It is called with the parts of a batch (`dense`, then `numbers` and
    `codes` where there are any), each [B, ...], and answers with the outputs [B, C]; a network of several answers a row with a
    dictionary: what is judged under "logits" [B, C], and what the objective takes under "outputs" [B, answers, C]."""

    def __init__(self, stack: Stacked, parts: Sequence[str], is_classification: bool) -> None:
        super().__init__()
        self._engine = _Engine(stack, tuple(parts), is_classification)
        self._step = 0
        for spec, value in zip(stack.specs, stack.weights, strict=True):
            self.register_parameter(_plain(spec.name), nn.Parameter(value[:1].detach().clone()))
        for number, value in enumerate(stack.buffers):
            self.register_buffer(f"buffer_{number}", value[:1].detach().clone())

    def forward(
        self, dense: Tensor, second: Tensor | None = None, third: Tensor | None = None
    ) -> Tensor | dict[str, Tensor]:
        engine = self._engine
        parts = [each for each in (dense, second, third) if each is not None]
        named = {name: part[None] for name, part in zip(engine.parts, parts, strict=True)}
        batch = Batch(
            named["dense"], torch.zeros(1, len(dense), device=dense.device), named.get("numbers"), named.get("codes")
        )
        draws = None
        if self.training:
            self._step += 1
            draws = Draws(engine.stack.seeds[:1], self._step, dense.device)
        mode = Mode(self.training, draws)
        outputs = engine.stack.forward(list(self.parameters()), list(self.buffers()), batch, mode).float()[0]
        return outputs if outputs.dim() == 2 else {"logits": self._judged(outputs), OUTPUTS: outputs}

    def _judged(self, outputs: Tensor) -> Tensor:
        """One answer [B, C] of several [B, answers, C]: their mean, of classes as logits."""
        if not self._engine.is_classification:
            return outputs.mean(1)
        if outputs.shape[-1] == 1:
            return outputs.sigmoid().mean(1).logit(1e-6)
        return class_logarithms(outputs).logsumexp(1) - torch.log(torch.tensor(float(outputs.shape[1])))

    def loss(self, answer: Tensor | Mapping[str, Tensor], target: Tensor) -> Tensor:
        """The mean loss as it was trained, of an answer and its targets [B] or [B, 1]."""
        outputs = answer if isinstance(answer, Tensor) else answer[OUTPUTS]
        return self._engine.stack.objective.losses(outputs[None], target.reshape(1, -1).float()).mean()


class RecipeOptimizer(Optimizer):
    """A recipe's optimizer, and what its techniques do to gradients, as torch's optimizers are used. All parameters of a
    `RecipeNetwork` stand in its one group, in their order."""

    def __init__(
        self, params: Any, lr: float, settings: OptimizerSettings, ground: Ground, stages: tuple[Stage, ...]
    ) -> None:
        super().__init__(params, {"lr": lr, "settings": settings, "ground": ground, "stages": stages})
        self._stage = type(settings).stage([settings], ground)
        self._kept: Any = None
        self._step = 0

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no step evaluates the network itself
        (group,) = self.param_groups
        parameters, specs = group["params"], group["ground"].specs
        weights = torch.cat([each.reshape(1, -1) for each in parameters], 1)
        gradients = torch.cat(
            [(torch.zeros_like(each) if each.grad is None else each.grad).reshape(1, -1) for each in parameters], 1
        )
        for stage in group["stages"]:
            parts = views(gradients, specs)
            changed = stage.on_gradients(parts)
            if changed is not parts:
                torch._foreach_copy_(parts, changed)
        if self._kept is None:
            self._kept = self._stage.start(weights)
        rates = torch.tensor([float(group["lr"])], device=weights.device)
        self._kept = self._stage.step(weights, gradients, rates, self._kept, self._step)
        self._step += 1
        torch._foreach_copy_(list(parameters), views(weights, specs))


def optimizer_of(network: RecipeNetwork, settings: OptimizerSettings, ground: Ground) -> RecipeOptimizer:
    """The recipe's optimizer on all parameters of `network`, at its own rate."""
    stages = tuple(each for each in network._engine.stack.stages if type(each).on_gradients is not Stage.on_gradients)
    return RecipeOptimizer(list(network.parameters()), settings.learning_rate, settings, ground, stages)


def state_with(network: RecipeNetwork, weights: Tensor, buffers: Sequence[Tensor]) -> dict[str, Tensor]:
    """The state of `network` with other weights [n] and buffers each [*shape]."""
    specs = network._engine.stack.specs
    values = zip(specs, views(weights[None], specs), strict=True)
    return {
        **{_plain(spec.name): value for spec, value in values},
        **{f"buffer_{number}": each[None] for number, each in enumerate(buffers)},
    }


def _plain(name: str) -> str:
    """The name of a parameter as a module allows it."""
    return name.replace(".", "_")
