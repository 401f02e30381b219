"""Training loops as people write them, each trained once watched and once not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

ROWS, FEATURES, CLASSES = 64, 6, 3


@dataclass
class Parts:
    """What a loop is made of; `step` makes one training step on a batch."""

    net: nn.Module
    optimizers: list[torch.optim.Optimizer]
    step: Callable[[Tensor, Tensor, int], None]


def data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(ROWS, FEATURES, generator=generator)
    return inputs, inputs[:, :CLASSES].argmax(1)


def mlp(*more: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(FEATURES, 8), nn.ReLU(), nn.Dropout(0.2), *more, nn.Linear(8, CLASSES))


def _usual(net: nn.Module, optimizer: torch.optim.Optimizer, call: Callable[..., Tensor] | None = None) -> Parts:
    def step(x: Tensor, y: Tensor, number: int) -> None:
        optimizer.zero_grad()
        functional.cross_entropy((call or net)(x), y).backward()
        optimizer.step()

    return Parts(net, [optimizer], step)


def plain() -> Parts:
    net = mlp()
    return _usual(net, torch.optim.Adam(net.parameters(), 1e-2))


def in_place() -> Parts:
    net = nn.Sequential(nn.Linear(FEATURES, 8), nn.ReLU(inplace=True), nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ELU(inplace=True), nn.Linear(8, CLASSES))  # fmt: skip
    return _usual(net, torch.optim.SGD(net.parameters(), 0.1, momentum=0.9))


def scaled() -> Parts:
    """Mixed precision with a gradient scaler whose first scale is far too large: the first steps are left out."""
    net = mlp()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=4)

    def step(x: Tensor, y: Tensor, number: int) -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = functional.cross_entropy(net(x).float(), y)
        scaler.scale(loss * 4).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()

    return Parts(net, [optimizer], step)


def accumulated() -> Parts:
    net = mlp()
    optimizer = torch.optim.AdamW(net.parameters(), 1e-2)

    def step(x: Tensor, y: Tensor, number: int) -> None:
        for part, goal in zip(x.chunk(4), y.chunk(4), strict=True):
            (functional.cross_entropy(net(part), goal) / 4).backward()
        optimizer.step()
        optimizer.zero_grad()

    return Parts(net, [optimizer], step)


def several_optimizers() -> Parts:
    net = mlp()
    one = torch.optim.SGD([{"params": net[0].weight, "lr": 0.1}, {"params": net[0].bias}], lr=0.05)
    two = torch.optim.Adam(net[3].parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.StepLR(one, 5, 0.5)

    def step(x: Tensor, y: Tensor, number: int) -> None:
        one.zero_grad()
        two.zero_grad()
        functional.cross_entropy(net(x), y).backward()
        one.step()
        if number % 3 != 1:
            two.step()
        schedule.step()

    return Parts(net, [one, two], step)


def shared_and_frozen() -> Parts:
    net = nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.Tanh(), nn.Linear(FEATURES, FEATURES), nn.Tanh(), nn.Linear(FEATURES, CLASSES))  # fmt: skip
    net[2].weight = net[0].weight
    net[4].bias.requires_grad_(False)
    return _usual(net, torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.1))


class Wrapped(nn.Module):
    """Dicts and tuples in and out, and a loss that the network itself returns."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp()

    def forward(self, *, batch: dict[str, Tensor]) -> dict[str, object]:
        answers = self.net(batch["inputs"])
        return {"loss": functional.cross_entropy(answers, batch["labels"]), "more": (answers, None)}


def own_loss() -> Parts:
    net = Wrapped()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)

    def step(x: Tensor, y: Tensor, number: int) -> None:
        optimizer.zero_grad(set_to_none=False)
        loss = net(batch={"inputs": x, "labels": y})["loss"]
        assert isinstance(loss, Tensor)
        loss.backward()
        optimizer.step()

    return Parts(net, [optimizer], step)


def closure() -> Parts:
    net = mlp()
    optimizer = torch.optim.LBFGS(net.parameters(), 0.1, max_iter=4)

    def step(x: Tensor, y: Tensor, number: int) -> None:
        def again() -> Tensor:
            optimizer.zero_grad()
            loss = functional.cross_entropy(net(x), y)
            loss.backward()
            return loss

        optimizer.step(again)

    return Parts(net, [optimizer], step)


class Complex(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(FEATURES, CLASSES, dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        return (x.to(torch.complex64) @ self.weight).abs()


def complex_weights() -> Parts:
    net = Complex()
    return _usual(net, torch.optim.Adam(net.parameters(), 1e-2))


def sparse() -> Parts:
    net = nn.Sequential(nn.Embedding(50, 8, sparse=True), nn.Flatten(), nn.Linear(8 * FEATURES, CLASSES))
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    return _usual(net, optimizer, lambda x: net((x.abs() * 10).long().clamp(0, 49)))


def compiled() -> Parts:
    net = mlp()
    return _usual(torch.compile(net, backend="eager"), torch.optim.SGD(net.parameters(), 0.1))


def compiled_unseen() -> Parts:
    """The network itself is watched; what is called is its compiled self."""
    net = mlp()
    return _usual(net, torch.optim.SGD(net.parameters(), 0.1), torch.compile(net, backend="eager", fullgraph=True))


def compiled_inside() -> Parts:
    net = nn.Sequential(torch.compile(nn.Linear(FEATURES, 8), backend="eager"), nn.ReLU(), nn.Linear(8, CLASSES))
    return _usual(net, torch.optim.SGD(net.parameters(), 0.1))


def data_parallel() -> Parts:
    net = nn.DataParallel(mlp())
    return _usual(net, torch.optim.SGD(net.parameters(), 0.1))


def parts_called() -> Parts:
    """The watched module is never called itself: its children are."""
    net = nn.ModuleDict({"body": nn.Sequential(nn.Linear(FEATURES, 8), nn.ReLU()), "head": nn.Linear(8, CLASSES)})
    return _usual(net, torch.optim.SGD(net.parameters(), 0.1), lambda x: net["head"](net["body"](x)))


def by_hand() -> Parts:
    net = nn.Sequential(nn.Linear(FEATURES, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(net.parameters(), 0.01)

    def step(x: Tensor, y: Tensor, number: int) -> None:
        optimizer.zero_grad()
        ((net(x).squeeze(1) - y.float()) ** 2).mean().backward()
        optimizer.step()

    return Parts(net, [optimizer], step)


def under_a_device() -> Parts:
    """Contexts that are modes themselves, entered before and after the forward pass, and left before the backward pass."""
    net = mlp()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)

    def step(x: Tensor, y: Tensor, number: int) -> None:
        optimizer.zero_grad()
        with torch.device("cpu"):
            answers = net(x)
            with torch.device("meta"):
                assert torch.empty(1).device.type == "meta"
            assert torch.empty(1).device.type == "cpu"
            loss = functional.cross_entropy(answers, y)
        loss.backward()
        optimizer.step()

    return Parts(net, [optimizer], step)


def recurrent() -> Parts:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTM(FEATURES, 5, batch_first=True)
            self.head = nn.Linear(5, CLASSES)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.cell(x[:, None].expand(-1, 4, -1))[0][:, -1])

    net = Net()
    return _usual(net, torch.optim.Adam(net.parameters(), 1e-2))


def transformer() -> Parts:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.TransformerEncoderLayer(FEATURES, 2, 16, batch_first=True)
            self.head = nn.Linear(FEATURES, CLASSES)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.block(x[:, None].expand(-1, 4, -1)).mean(1))

    net = Net()
    return _usual(net, torch.optim.Adam(net.parameters(), 1e-2))


ALL: dict[str, Callable[[], Parts]] = {
    each.__name__: each
    for each in (
        plain, in_place, scaled, accumulated, several_optimizers, shared_and_frozen, own_loss, closure, complex_weights,
        sparse, compiled, compiled_unseen, compiled_inside, data_parallel, parts_called, by_hand, under_a_device, recurrent,
        transformer,
    )
}  # fmt: skip


def run(parts: Parts, steps: int = 24, evaluate: int = 6) -> list[float]:
    """Train; every `evaluate` steps the network is evaluated. Gives back the sums of all weights after each step."""
    inputs, target = data()
    sums = []
    for number in range(steps):
        parts.net.train()
        chosen = torch.randint(0, ROWS, (16,))
        parts.step(inputs[chosen], target[chosen], number)
        sums.append(float(sum(p.detach().abs().double().sum() for p in parts.net.parameters())))
        if number % evaluate == evaluate - 1 and not isinstance(parts.net, nn.ModuleDict | Wrapped):
            parts.net.eval()
            with torch.no_grad(), contextlib.suppress(RuntimeError):
                parts.net(inputs)
    return sums


def hooks(modules: Iterable[nn.Module], optimizers: Iterable[torch.optim.Optimizer]) -> Iterator[object]:
    """Everything that hangs on modules and optimizers."""
    for module in modules:
        for name, value in vars(module).items():
            if "hook" in name and isinstance(value, dict):
                yield name, sorted(map(str, value.items()))
    for optimizer in optimizers:
        yield sorted(map(str, optimizer._optimizer_step_pre_hooks.items()))
        yield sorted(map(str, optimizer._optimizer_step_post_hooks.items()))
