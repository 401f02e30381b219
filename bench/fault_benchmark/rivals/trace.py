"""What the rivals see of an unwatched run: at the end of every epoch one look at gradients, weights and activations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fault_benchmark.data import Parts
from fault_benchmark.setup import Setup


@dataclass(frozen=True)
class Layer:
    """One weight matrix at one look: statistics of its gradient, itself and its last change."""

    norm: float
    mean_size: float  # of the gradient's absolute values
    zeros: float  # share of the gradient that is zero
    finite: bool
    weight_mean: float
    weight_spread: float
    weight_low: float
    weight_high: float
    change: float  # norm of the change since the look before over the norm of the weight
    same: bool  # within 1e-5 of the look before


@dataclass(frozen=True)
class Activation:
    """What enters and leaves one activation over a batch. `dead` is the share of units with no answer above zero;
    `zeros` that of all answers."""

    kind: str
    dead: float
    zeros: float
    low_inputs: float  # share of what enters at or below -5
    high_inputs: float
    beyond: float  # share of units always beyond SageMaker's bounds of saturation
    mean: float


class Trace:
    """Collects while the loop runs, and changes nothing: it reads gradients, and makes a forward pass in evaluation mode
    whose randomness and statistics are put back."""

    def __init__(self) -> None:
        self.losses: list[float] = []  # by step
        self.epochs: list[tuple[float, float, float, float]] = []  # training loss, score, validation loss, score
        self.layers: list[tuple[Layer, ...]] = []  # by look
        self.activations: list[tuple[Activation, ...]] = []
        self.outputs: list[tuple[float, float, float]] = []  # low, high, mean
        self.rates: list[float] = []

    def begin(self, network: nn.Module, optimizer: torch.optim.Optimizer, setup: Setup, parts: Parts) -> None:
        self.network, self.optimizer, self.setup, self.parts = network, optimizer, setup, parts
        self.inputs = parts.train.x.float()
        self._weights = [(name, each) for name, each in network.named_parameters() if each.dim() >= 2]
        self._before = [each.detach().clone() for _, each in self._weights]
        self._batch = parts.train.x[: setup.batch]

    def stepped(self, step: int, loss: float, x: Tensor, y: Tensor) -> None:
        self.losses.append(loss)

    def epoch(self, train_loss: float, train_score: float, valid_loss: float, valid_score: float) -> None:
        self.epochs.append((train_loss, train_score, valid_loss, valid_score))
        self.rates.append(self.optimizer.param_groups[0]["lr"])
        with torch.no_grad():
            self.layers.append(
                tuple(self._layer(each, old) for (_, each), old in zip(self._weights, self._before, strict=True))
            )
            self._before = [each.detach().clone() for _, each in self._weights]
            self._look_at_activations()

    def _layer(self, weight: nn.Parameter, old: Tensor) -> Layer:
        gradient = weight.grad if weight.grad is not None else torch.zeros_like(weight)
        finite = bool(gradient.isfinite().all() and weight.isfinite().all())
        return Layer(
            float(gradient.norm()), float(gradient.abs().mean()), float((gradient == 0).float().mean()), finite,
            float(weight.mean()), float(weight.std(correction=0)), float(weight.quantile(0.05)) if weight.numel() < 1e6 else float(weight.min()),
            float(weight.quantile(0.95)) if weight.numel() < 1e6 else float(weight.max()),
            float((weight - old).norm() / (old.norm() + 1e-9)), bool(torch.allclose(weight, old, rtol=1e-5, atol=1e-8)),
        )  # fmt: skip

    def _look_at_activations(self) -> None:
        seen: list[Activation] = []
        kinds = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU)
        hooks = [
            module.register_forward_hook(lambda module, given, out: seen.append(_activation(module, given[0], out)))
            for module in self.network.modules()
            if isinstance(module, kinds) or type(module).__name__ == "Exponential"
        ]
        was = self.network.training
        self.network.eval()
        state = torch.get_rng_state()
        outputs = self.network(self._batch).float()
        torch.set_rng_state(state)
        self.network.train(was)
        for hook in hooks:
            hook.remove()
        self.activations.append(tuple(seen))
        self.outputs.append((float(outputs.min()), float(outputs.max()), float(outputs.mean())))

    @property
    def kinds(self) -> tuple[nn.Module, ...]:
        """The layers without children, in order."""
        return tuple(module for module in self.network.modules() if not list(module.children()))


def _activation(module: nn.Module, given: Tensor, out: Tensor) -> Activation:
    bounds = (-23.0, 16.99999) if isinstance(module, nn.Sigmoid) else (-9.4999, 9.4999)
    flat, answers = given.flatten(1), out.flatten(1)
    beyond = ((flat <= bounds[0]) | (flat >= bounds[1])).float().mean(0)
    return Activation(
        type(module).__name__.lower(), float((answers.amax(0) <= 0).float().mean()), float((answers <= 0).float().mean()),
        float((flat <= -5).float().mean()), float((flat >= 5).float().mean()), float((beyond >= 0.99).float().mean()),
        float(answers.mean()),
    )  # fmt: skip
