"""Batches that are dictionaries: which entry is the target, and how the network is handed the others."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from liebig.core.errors import UserError
from liebig.data.module.task import module_task

X = torch.randn(80, 4, generator=torch.Generator().manual_seed(0))
CODES = torch.randint(0, 3, (80,), generator=torch.Generator().manual_seed(1))
Y = (X[:, 0] > 0).long()


class ByName(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.last = nn.Embedding(3, 2), nn.Linear(6, 2)

    def forward(self, codes, numbers, scale=1.0):
        return self.last(torch.cat([numbers * scale, self.table(codes)], 1))


class Whole(ByName):
    def forward(self, batch):
        return super().forward(batch["codes"], batch["numbers"])


class Nested(ByName):
    def forward(self, batch):
        return super().forward(batch["of"]["codes"], batch["of"]["numbers"])


class WithLoss(ByName):
    def forward(self, batch):
        logits = super().forward(batch["codes"], batch["numbers"])
        return {"loss": cross_entropy(logits, batch["label"]), "logits": logits}


def rows(**more):
    return [
        {"numbers": X[i], "codes": CODES[i], "label": Y[i], **{k: v[i] for k, v in more.items()}} for i in range(80)
    ]


def expected(network):
    return ByName.forward(network, CODES[:7], X[:7])


@pytest.mark.parametrize("build", [ByName, Whole, WithLoss])
@pytest.mark.parametrize("more", [{}, {"weight": X[:, 1]}])
def test_a_network_is_handed_what_it_takes(build, more):
    users = module_task(
        build, train=DataLoader(rows(**more), batch_size=8), step=lambda net, batch: net_loss(net, batch)
    ).users
    leaves, target = users.items.batch(torch.arange(7))
    network = build()
    answer = network(*users.shape.inputs(leaves))
    assert torch.equal(answer["logits"] if build is WithLoss else answer, expected(network))
    whole = users.shape.batch(leaves, target)
    assert torch.equal(whole["label"], Y[:7])
    assert set(whole) == {"numbers", "codes", "label", *more}
    assert torch.equal(whole["numbers"], X[:7])


def net_loss(network, batch):
    if isinstance(network, WithLoss):
        return network(batch)["loss"]
    given = (batch,) if isinstance(network, Whole) else (batch["codes"], batch["numbers"])
    return cross_entropy(network(*given), batch["label"])


def test_a_dictionary_may_stand_before_the_target():
    pairs = [({"numbers": X[i], "codes": CODES[i]}, Y[i]) for i in range(80)]
    for build in (ByName, Whole):
        users = module_task(build, train=pairs, loss=cross_entropy).users
        leaves, target = users.items.batch(torch.arange(7))
        network = build()
        assert torch.equal(network(*users.shape.inputs(leaves)), expected(network))
        assert torch.equal(users.shape.batch(leaves, target)[0]["numbers"], X[:7])
        assert torch.equal(users.shape.batch(leaves, target)[1], Y[:7])


def test_dictionaries_may_be_nested():
    deep = [{"of": {"numbers": X[i], "codes": CODES[i]}, "price": X[i, 0]} for i in range(80)]

    class Price(Nested):
        def forward(self, batch):
            return super().forward(batch)[:, 0]

    users = module_task(Price, train=deep, target="price").users
    leaves, target = users.items.batch(torch.arange(7))
    network = Price()
    assert torch.equal(network(*users.shape.inputs(leaves)), expected(network)[:, 0])
    assert torch.equal(users.shape.batch(leaves, target)["price"], X[:7, 0])


def test_one_entry_is_handed_over_by_itself():
    users = module_task(lambda: nn.Linear(4, 2), train=[{"picture": X[i], "y": Y[i]} for i in range(80)]).users
    assert torch.equal(users.shape.inputs(users.items.batch(torch.arange(7))[0])[0], X[:7])


def test_entries_that_leave_a_gap_are_told():
    with pytest.raises(UserError, match=r"forward\(codes, numbers, scale\)"):
        module_task(ByName, train=[{"numbers": X[i], "label": Y[i]} for i in range(80)])
