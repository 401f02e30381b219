"""The user's own optimizer steps in one operation where torch has one: the same step."""

import pytest
import torch
from torch import nn

from liebig.techniques.optimizers.users_optimizer import fuse


def networks():
    torch.manual_seed(0)
    first = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    second = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    second.load_state_dict(first.state_dict())
    return first, second


def groups(network):
    return [
        {"params": [p for p in network.parameters() if p.dim() > 1], "weight_decay": 0.1},
        {"params": [p for p in network.parameters() if p.dim() == 1], "weight_decay": 0.0, "lr": 0.02},
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.AdamW(p, lr=0.01),
        lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    ],
)
def test_it_is_the_same_step(make):
    first, second = networks()
    plain, fused = make(groups(first)), make(groups(second))
    fuse(fused)
    assert all(group["fused"] for group in fused.param_groups)
    for step in range(5):
        x = torch.randn(6, 4, generator=torch.Generator().manual_seed(step))
        for network, optimizer in ((first, plain), (second, fused)):
            optimizer.zero_grad()
            network(x).square().sum().backward()
            for group in optimizer.param_groups:
                group["lr"] = 0.01 / (step + 1)
            optimizer.step()
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_what_the_user_chose_and_what_has_none_stay():
    network, _ = networks()
    chosen = torch.optim.Adam(network.parameters(), foreach=True)
    fuse(chosen)
    assert not chosen.param_groups[0]["fused"]
    other = torch.optim.Adamax(network.parameters())
    fuse(other)
    assert "fused" not in other.param_groups[0]

    class Own(torch.optim.SGD):
        pass

    own = Own(network.parameters(), lr=0.1)
    fuse(own)
    assert not own.param_groups[0]["fused"]
