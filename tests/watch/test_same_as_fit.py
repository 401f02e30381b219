"""A fault that a recipe can express is named alike, whoever owns the loop: `liebig.fit`, or a loop that is watched."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

import liebig
from liebig.watch import Watch

EPOCHS, BATCH, TRAINED, HELD = 8, 32, 960, 480


@dataclass(frozen=True)
class Fault:
    """The same fault as changes of the textbook recipe and as a loop of the user's own."""

    changes: tuple[str, ...]
    network: Callable[[], nn.Module]
    optimizer: Callable[[nn.Module], torch.optim.Optimizer]
    scaled: bool = True


def mlp(depth: int, width: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    widths = (64, *(width,) * depth)
    layers = [each for a, b in itertools.pairwise(widths) for each in (nn.Linear(a, b), activation())]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def zero() -> nn.Module:
    net = mlp(3, 64)
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    return net


def adam(rate: float = 1e-3) -> Callable[[nn.Module], torch.optim.Optimizer]:
    return lambda net: torch.optim.Adam(net.parameters(), rate)


def sgd(rate: float) -> Callable[[nn.Module], torch.optim.Optimizer]:
    return lambda net: torch.optim.SGD(net.parameters(), rate)


FAULTS = {
    "learning-rate-too-high": Fault(("optimizer.learning_rate=0.3",), lambda: mlp(2, 64), adam(0.3)),
    "unscaled-inputs": Fault(
        ("optimizer=sgd", "optimizer.learning_rate=0.1"), lambda: mlp(2, 64), sgd(0.1), scaled=False
    ),
    "vanishing-gradient": Fault(
        ("network.depth=11", "network.width=32", "network.activation=sigmoid"), lambda: mlp(11, 32, nn.Sigmoid), adam()
    ),
    "poor-initialisation": Fault(("network.depth=3", "techniques.zero=on"), zero, adam()),
}  # fmt: skip


def data(scaled: bool) -> tuple[Tensor, Tensor]:
    digits = load_digits()
    order = torch.randperm(len(digits.target), generator=torch.Generator().manual_seed(0))[: TRAINED + HELD]
    inputs = torch.tensor(digits.data, dtype=torch.float32)[order]
    return inputs / 16.0 if scaled else inputs * 255.0, torch.tensor(digits.target)[order]


def watched(fault: Fault) -> str:
    inputs, target = data(fault.scaled)
    torch.manual_seed(0)
    net = fault.network()
    optimizer = fault.optimizer(net)
    with Watch(net, optimizer) as watch:
        for _ in range(EPOCHS):
            net.train()
            losses = []
            for rows in torch.randperm(TRAINED).split(BATCH):
                optimizer.zero_grad()
                loss = functional.cross_entropy(net(inputs[rows]), target[rows])
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            net.eval()
            with torch.no_grad():
                answers = net(inputs[TRAINED:])
            watch.log(
                train_loss=torch.stack(losses).mean(),
                valid_loss=functional.cross_entropy(answers, target[TRAINED:]),
                valid_accuracy=(answers.argmax(1) == target[TRAINED:]).float().mean(),
            )
    return watch.diagnose().findings[0].check.name


def fitted(fault: Fault, folder: Path) -> str:
    inputs, target = data(fault.scaled)
    frame = pd.DataFrame(inputs.numpy(), columns=[f"x{place}" for place in range(64)])
    frame = frame.assign(target=[f"c{label}" for label in target.tolist()])
    run = liebig.fit(
        frame[:TRAINED],
        "target",
        recipe="textbook",
        changes=(
            "network.depth=2", "network.width=64", f"batching.size={BATCH}", "compute.threads=1", f"stopping.epochs={EPOCHS}",
            *fault.changes,
        ),
        test=frame[TRAINED:],
        run=folder / "run",
        task="multiclass",
    )  # fmt: skip
    return run.diagnose().findings[0].check.name


@pytest.mark.parametrize("name", FAULTS)
def test_the_first_finding_is_the_same(name: str, tmp_path: Path) -> None:
    assert (watched(FAULTS[name]), fitted(FAULTS[name], tmp_path)) == (name, name)
