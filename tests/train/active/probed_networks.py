"""Tiny networks and data for active probes."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from liebig.train.active import Subject


def blobs(rows: int = 200, features: int = 6, classes: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Well separated classes."""
    generator = torch.Generator().manual_seed(seed)
    centres = 3.0 * torch.randn(classes, features, generator=torch.Generator().manual_seed(99))
    labels = torch.randint(0, classes, (rows,), generator=generator)
    return centres[labels] + torch.randn(rows, features, generator=generator), labels


def mlp(classes: int = 3, features: int = 6, seed: int = 0) -> nn.Sequential:
    """With batch statistics and dropout: both change when a network is run."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(features, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, classes)
    )


def subject(model: nn.Module | None = None, **changes: Any) -> Subject:
    """A classifier of `blobs` in the middle of its training."""
    model = mlp() if model is None else model
    train, valid = blobs(), blobs(80, seed=1)
    values: dict[str, Any] = {
        "optimizers": (torch.optim.Adam(model.parameters(), lr=1e-2),),
        "loss": functional.cross_entropy,
        "train": train,
        "valid": valid,
        "initial": {name: value.clone() for name, value in model.state_dict().items()},
        "batch": 16,
    }
    return Subject(model, **{**values, **changes})


def trained(given: Subject, steps: int = 60) -> Subject:
    """The same after some steps of its loop."""
    generator = torch.Generator().manual_seed(5)
    inputs, labels = given.train
    for _ in range(steps):
        rows = torch.randint(0, len(inputs), (given.batch,), generator=generator)
        loss = given.loss(given.model(inputs[rows]), labels[rows])  # type: ignore[misc]
        for optimizer in given.optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in given.optimizers:
            optimizer.step()
    return given


class Locked(nn.Module):
    """A network that cannot be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = mlp()
        self.lock = threading.Lock()
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.inner(x)


class Named(nn.Module):
    """Takes its batch by name and returns its loss, as Transformers' models do."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = mlp()

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        logits = self.inner(inputs)
        answer = {"logits": logits}
        return answer if labels is None else {"loss": functional.cross_entropy(logits, labels), **answer}


class Steps(nn.Module):
    """A model of sequences of words; `causal` hides the future from its attention."""

    def __init__(self, causal: bool, words: int = 7, width: int = 8) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(words, width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.head = nn.Linear(width, words)
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x)
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if self.causal else None
        return self.head(h + self.attention(h, h, h, attn_mask=mask, need_weights=False)[0])


def sequences(rows: int = 40, length: int = 12, words: int = 7) -> tuple[Tensor, Tensor]:
    """Words, and the next word of each."""
    text = torch.randint(0, words, (rows, length + 1), generator=torch.Generator().manual_seed(3))
    return text[:, :-1], text[:, 1:]


class Noisy(Dataset[tuple[Tensor, Tensor]]):
    """Rows read through a transform."""

    def __init__(self, data: tuple[Tensor, Tensor], transform: Any) -> None:
        self.data, self.transform = data, transform

    def __len__(self) -> int:
        return len(self.data[0])

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.transform(self.data[0][i]), self.data[1][i]
