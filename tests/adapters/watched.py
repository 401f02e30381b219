"""What the tests of all adapters share: a small table of two classes, and a look for what a watch left behind."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack
from torch.utils.data import DataLoader, TensorDataset

from liebig.core.evidence import EpochCurves
from liebig.watch.adapters.adapter import Adapter


def rows(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """`count` rows of eight numbers, and the class, 0 or 1, that a plane through the origin gives them."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(count, 8, generator=generator)
    return numbers, (numbers[:, :4].sum(1) > 0).long()


TRAIN = TensorDataset(*rows(96, seed=0))
VALID = TensorDataset(*rows(64, seed=1))


def loader(data: TensorDataset, batch: int = 16) -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(data, batch_size=batch)


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))


def left_behind(model: nn.Module, *optimizers: torch.optim.Optimizer) -> list[str]:
    """Every hook on the network, its parameters and the optimizers, and every function mode; empty when all is as it was."""
    found = [f"mode {each}" for each in _get_current_function_mode_stack()]
    for name, module in model.named_modules():
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
        found += [f"{name}: {hook}" for each in hooks for hook in each.values()]
        if "forward" in vars(module):
            found.append(f"{name}: forward is replaced")
    for name, parameter in model.named_parameters():
        found += [f"{name}: {hook}" for hook in (parameter._backward_hooks or {}).values()]
        found += [
            f"{name}: {hook}" for hook in (getattr(parameter, "_post_accumulate_grad_hooks", None) or {}).values()
        ]
    for optimizer in optimizers:
        hooks = (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks)
        found += [f"optimizer: {hook}" for each in hooks for hook in each.values()]
    return found


def curves(adapter: Adapter) -> EpochCurves:
    assert adapter.watch is not None
    found = adapter.watch.evidence.get(EpochCurves)
    assert found is not None, "nothing was logged"
    return found


def same(a: nn.Module, b: nn.Module) -> bool:
    """Whether all weights are equal, bit for bit."""
    mine, others = a.state_dict(), b.state_dict()
    return mine.keys() == others.keys() and all(torch.equal(mine[name], others[name]) for name in mine)
