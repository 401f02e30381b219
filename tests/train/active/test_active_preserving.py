"""After probing everything is as it was, bit by bit."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from probed_networks import Locked, blobs, mlp, subject, trained
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from liebig.core.evidence import FinalScore, LossCall, OneBatch
from liebig.train.active import ALL, ActiveProbe, Subject, probe
from liebig.train.active.preserving import preserved
from liebig.train.active.running import run_probes
from liebig.train.active.workbench import Bench


def state(given: Subject) -> list[Any]:
    """All that a probe could move."""
    model = given.model
    tensors = [*model.parameters(), *model.buffers()]
    moments = [
        value.clone() if isinstance(value, torch.Tensor) else value
        for optimizer in given.optimizers
        for own in optimizer.state.values()
        for value in own.values()
    ]
    return [
        [each.detach().clone() for each in tensors],
        [None if each.grad is None else each.grad.clone() for each in model.parameters()],
        [each.requires_grad for each in model.parameters()],
        [module.training for module in model.modules()],
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        moments,
        [group["lr"] for optimizer in given.optimizers for group in optimizer.param_groups],
        random.getstate(),
        np.random.get_state(),
        torch.get_rng_state(),
        [module.calls for module in model.modules() if isinstance(module, Locked)],
    ]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


@pytest.mark.parametrize("make", [mlp, Locked])
def test_everything_is_as_before(make: Any) -> None:
    given = trained(subject(make()))
    given.model[0].weight.requires_grad_(False) if isinstance(given.model, nn.Sequential) else None
    next(given.model.children()).eval()
    before = state(given)
    found = probe(given)
    assert found.evidence.get(FinalScore) is not None
    assert found.evidence.get(OneBatch) is not None
    assert all(same(a, b) for a, b in zip(before, state(given), strict=True))


class _Raising(ActiveProbe):
    """Moves what it can, then raises."""

    makes = OneBatch
    share = 1.0

    def measure(self, bench: Bench) -> OneBatch:
        for parameter in bench.model.parameters():
            parameter.data.mul_(2.0)
            parameter.requires_grad_(False)
        bench.model.eval()
        torch.rand(1), np.random.rand(), random.random()
        raise ZeroDivisionError("by a probe")


@pytest.mark.parametrize("make", [mlp, Locked])
def test_a_probe_that_raises_leaves_nothing_and_takes_no_other_with_it(make: Any) -> None:
    given = trained(subject(make()))
    before = state(given)
    found = run_probes(given, (_Raising(), ALL[0]))
    assert found.reasons == {"OneBatch": "ZeroDivisionError: by a probe"}
    assert found.evidence.get(FinalScore) is not None
    assert all(same(a, b) for a, b in zip(before, state(given), strict=True))


def test_preserved_puts_back_when_the_body_raises() -> None:
    model = mlp()
    before = [each.detach().clone() for each in model.parameters()]
    torch_state = torch.get_rng_state()

    def body() -> None:
        with preserved(model):
            for each in model.parameters():
                each.data.add_(1.0)
            torch.rand(3)
            raise KeyError("x")

    with pytest.raises(KeyError):
        body()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert torch.equal(torch_state, torch.get_rng_state())


def test_generators_of_loader_sampler_and_data_set_are_put_back() -> None:
    generator, sampling = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)

    class Drawing(TensorDataset):
        def __init__(self, *tensors: torch.Tensor) -> None:
            super().__init__(*tensors)
            self.rng = np.random.default_rng(3)

        def __getitem__(self, i: int) -> Any:
            x, y = super().__getitem__(i)
            return x + float(self.rng.normal()), y

    data = Drawing(*blobs())
    loader = DataLoader(data, batch_size=16, sampler=RandomSampler(data, generator=sampling), generator=generator)
    before = generator.get_state(), sampling.get_state(), data.rng.bit_generator.state
    probe(subject(train=loader, valid=loader))
    assert torch.equal(before[0], generator.get_state())
    assert torch.equal(before[1], sampling.get_state())
    assert before[2] == data.rng.bit_generator.state


def test_a_loss_that_holds_parameters_of_the_network_adds_nothing_to_their_gradients() -> None:
    given = subject()
    model = given.model

    def penalised(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(output, target) + 1e-3 * sum(p.square().sum() for p in model.parameters())

    given = trained(subject(model, loss=penalised))
    before = state(given)
    probe(given)
    assert all(same(a, b) for a, b in zip(before, state(given), strict=True))


def test_under_no_grad_and_inference_mode() -> None:
    with torch.no_grad():
        assert probe(subject()).evidence.get(OneBatch) is not None
        assert not torch.is_grad_enabled()


def test_seen_loss_call_is_a_plain_value() -> None:
    call = LossCall(
        "cross_entropy", "", 0, True, "", (16, 3), (16,), (16,), 0, 0, 0, 0, 0, 2, True, 1.0, 16
    )  # fmt: skip
    assert probe(subject(loss_call=call)).evidence.get(FinalScore) is not None
