"""Networks of the benchmark, and how their weights begin: small modules as a user would write them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn

#: Makes a fresh network for so many inputs and outputs.
Build = Callable[[int, int], nn.Module]
#: Changes the weights of a linear layer in place.
Start = Callable[[nn.Linear], None]
Layer = Callable[[], nn.Module]
#: Makes a normalisation for so many units.
Norm = Callable[[int], nn.Module]


class Exponential(nn.Module):
    """An activation that nobody should use."""

    def forward(self, x: Tensor) -> Tensor:
        return x.exp()


def mlp(
    *widths: int,
    activation: Layer = nn.ReLU,
    norm: Norm | None = None,
    dropout: float = 0.0,
    first: Norm | None = None,
    last: Layer | None = None,
    start: Start | None = None,
) -> Build:
    """A plain stack of linear layers."""

    def build(inputs: int, outputs: int) -> nn.Module:
        layers: list[nn.Module] = [first(inputs)] if first else []
        for before, after in itertools.pairwise((inputs, *widths)):
            layers.append(nn.Linear(before, after))
            if norm:
                layers.append(norm(after))
            layers.append(activation())
            if dropout:
                layers.append(nn.Dropout(dropout))
        layers.append(nn.Linear(widths[-1] if widths else inputs, outputs))
        if last:
            layers.append(last())
        return started(nn.Sequential(*layers), start)

    return build


def started(network: nn.Module, start: Start | None) -> nn.Module:
    if start:
        with torch.no_grad():
            for layer in network.modules():
                if isinstance(layer, nn.Linear):
                    start(layer)
    return network


def he(layer: nn.Linear) -> None:
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)


def constant(value: float) -> Start:
    def start(layer: nn.Linear) -> None:
        nn.init.constant_(layer.weight, value)
        nn.init.zeros_(layer.bias)

    return start


def uniform(limit: float) -> Start:
    def start(layer: nn.Linear) -> None:
        nn.init.uniform_(layer.weight, -limit, limit)
        nn.init.uniform_(layer.bias, -limit, limit)

    return start


def normal(spread: float) -> Start:
    def start(layer: nn.Linear) -> None:
        nn.init.normal_(layer.weight, std=spread)
        nn.init.zeros_(layer.bias)

    return start


def hidden_bias(value: float) -> Build:
    """Started by He, with this bias in the hidden layers."""

    def build(inputs: int, outputs: int) -> nn.Module:
        network = mlp(64, 64, start=he)(inputs, outputs)
        with torch.no_grad():
            for layer in list(network.children())[:-1]:
                if isinstance(layer, nn.Linear):
                    layer.bias.fill_(value)
        return network

    return build


def cnn(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, outputs),
    )  # fmt: skip


class Residual(nn.Module):
    """x + branch(norm(x)), the branch's last layer starting at zero on purpose."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(nn.functional.gelu(self.up(self.norm(x))))


def residual(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, 48), Residual(48), Residual(48), nn.LayerNorm(48), nn.Linear(48, outputs))


class RowReader(nn.Module):
    """Reads a picture row by row."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 48, batch_first=True)
        self.head = nn.Linear(48, outputs)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.gru(x)
        return self.head(states[:, -1])


def row_reader(inputs: int, outputs: int) -> nn.Module:
    return RowReader(outputs)


class Shades(nn.Module):
    """A transformer over sequences of shades: two layers, pre-normalised, learned places."""

    def __init__(self, shades: int, causal: bool, width: int = 32, length: int = 24) -> None:
        super().__init__()
        self.embed, self.places = nn.Embedding(shades, width), nn.Embedding(length, width)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(2)
        )
        self.head = nn.Linear(width, shades)
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1) if self.causal else None
        h = self.embed(x) + self.places(torch.arange(length, device=x.device))
        for layer in self.layers:
            h = layer(h, src_mask=mask)
        return self.head(h)


def shades(causal: bool) -> Build:
    return lambda inputs, outputs: Shades(outputs, causal)


class BagOfTokens(nn.Module):
    def __init__(self, tokens: int, outputs: int) -> None:
        super().__init__()
        self.embed = nn.EmbeddingBag(tokens, 32, mode="mean")
        self.body = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.embed(x))


def bag_of_tokens(inputs: int, outputs: int) -> nn.Module:
    return BagOfTokens(3 * inputs, outputs)


def autoencoder(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 64), nn.ReLU(),
        nn.Linear(64, outputs),
    )  # fmt: skip


class TwoTowers(nn.Module):
    """Two halves of the picture, each with a body of its own, and layers used in `forward` as functions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(inputs // 2, 48), nn.Linear(inputs - inputs // 2, 48)
        self.head = nn.Linear(96, outputs)

    def forward(self, x: Tensor) -> Tensor:
        half = self.left.in_features
        left, right = torch.relu(self.left(x[:, :half])), torch.tanh(self.right(x[:, half:]))
        return self.head(torch.cat([left, right], dim=1))


def doubles(build: Build) -> Build:
    """The same network in float64, for inputs in float32."""

    class Doubled(nn.Module):
        def __init__(self, body: nn.Module) -> None:
            super().__init__()
            self.body = body.double()

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x.double()).float()

    return lambda inputs, outputs: Doubled(build(inputs, outputs))


def frozen_but_last(build: Build) -> Build:
    """All layers but the last are frozen as they were drawn."""

    def frozen(inputs: int, outputs: int) -> nn.Module:
        network = build(inputs, outputs)
        for layer in list(network.children())[:-1]:
            layer.requires_grad_(False)
        return network

    return frozen
