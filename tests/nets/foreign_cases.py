"""Networks as users write them, each with a first batch."""

import torch
from torch import nn
from torch.nn import functional


class Pictures(nn.Module):
    """Functions between modules, a dropout called as a function, a log-softmax at the end."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.second, self.hidden, self.answer = nn.Conv2d(8, 8, 3, padding=1), nn.Linear(128, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = functional.relu(self.norm(self.first(x)))
        x = functional.max_pool2d(functional.relu(self.second(x)), 2).flatten(1)
        x = functional.dropout(functional.relu(self.hidden(x)), 0.3, self.training)
        return functional.log_softmax(self.answer(x), 1)


def nested():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Sequential(nn.Linear(32, 32), nn.Tanh(), nn.Dropout(0.2)),
        nn.Linear(32, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Linear(32, 10), nn.Softmax(1),
    )  # fmt: skip


class Shared(nn.Module):
    """One layer used three times."""

    def __init__(self):
        super().__init__()
        self.layer, self.bend, self.answer = nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)

    def forward(self, x):
        for _ in range(3):
            x = self.bend(self.layer(x))
        return self.answer(x)


class Branching(nn.Module):
    """What it does depends on the values: nothing can trace it."""

    def __init__(self):
        super().__init__()
        self.layer, self.answer = nn.Linear(8, 16), nn.Linear(16, 2)

    def forward(self, x):
        h = functional.relu(self.layer(x))
        if h.sum() > 1e9:
            h = h * 2
        return self.answer(h)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.memory, self.answer = (
            nn.Embedding(20, 16),
            nn.GRU(16, 24, batch_first=True),
            nn.Linear(24, 2),
        )

    def forward(self, x):
        return self.answer(self.memory(self.embedding(x))[0][:, -1])


class Tied(nn.Module):
    """The answer's weights are the embedding's."""

    def __init__(self):
        super().__init__()
        self.embedding, self.hidden, self.answer = nn.Embedding(20, 8), nn.Linear(8, 8), nn.Linear(8, 20, bias=False)
        self.answer.weight = self.embedding.weight

    def forward(self, x):
        return self.answer(torch.tanh(self.hidden(self.embedding(x))))


def attention():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    return nn.Sequential(
        nn.Linear(5, 16), nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(16, 3)
    )


def batch(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


CASES = {
    "pictures": (Pictures, (batch(6, 1, 8, 8),)),
    "nested": (nested, (batch(6, 8, 8),)),
    "shared": (Shared, (batch(6, 8),)),
    "branching": (Branching, (batch(6, 8),)),
    "tokens": (Tokens, (torch.arange(42).reshape(6, 7) % 20,)),
    "tied": (Tied, (torch.arange(42).reshape(6, 7) % 20,)),
    "attention": (attention, (batch(6, 7, 5),)),
}
