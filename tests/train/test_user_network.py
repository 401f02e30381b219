"""A user's own network in the population's loop: it must be exactly the user's own loop."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from liebig.coach.module_training import train_module
from liebig.core.run import Ending
from liebig.data.module.task import module_task
from liebig.nets.surgery import network_for
from liebig.stack.draws import member_seed
from liebig.techniques.averaging.ema import EMA
from liebig.techniques.gradients.clip_norm import ClipNorm
from liebig.techniques.stopping.early_stopping import EarlyStopping
from liebig.train.modules import MODULES
from liebig.train.options import TrainOptions
from liebig.train.plan import order_seed, user_network
from liebig.train.training import train
from liebig.trials.blocks import blocks

EPOCHS, SIZE = 3, 16


def data(rows=203, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(rows, 6, generator=generator)
    return inputs, (inputs[:, :classes] + 0.3 * torch.randn(rows, classes, generator=generator)).argmax(1)


def build():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def build_with_norm():
    # Before a normalisation a bias has no gradient but rounding, which Adam would blow up.
    return nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def build_with_dropout():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.4), nn.Linear(8, 3))


def own_loss(answer, target):
    return functional.cross_entropy(answer, target) + 0.01 * answer.square().mean()


def users_loop(found, loss, make_optimizer, block, rows):
    """What a user writes, in the order of the block, from the same first weights."""
    users = found.users
    encoder = MODULES.fit_encoder(found.task, found.baseline.inputs, rows, None)
    network = network_for(user_network(found.baseline).record, encoder.materials, member_seed(block.init_seed, 0))
    optimizer = make_optimizer(network.parameters())
    inputs, target = users.items.parts[0].leaves[0], users.items.parts[0].target
    network.train()
    for epoch in range(EPOCHS):
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(order_seed(block, epoch)))
        order = torch.from_numpy(rows)[order]
        for start in range(0, len(order), SIZE):
            some = order[start : start + SIZE]
            optimizer.zero_grad()
            loss(network(inputs[some]), target[some]).backward()
            optimizer.step()
    return network.eval()


@pytest.mark.parametrize(
    ("make", "optimizer", "loss"),
    [
        (build, lambda p: torch.optim.Adam(p, lr=0.01), nn.CrossEntropyLoss()),
        (build_with_norm, lambda p: torch.optim.SGD(p, lr=0.1), nn.CrossEntropyLoss()),
        (build, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01), nn.CrossEntropyLoss()),
        (build_with_norm, lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1), own_loss),
        (build, lambda p: torch.optim.Adamax(p, lr=0.01), own_loss),
        (build, lambda p: torch.optim.RMSprop(p, lr=0.01), nn.CrossEntropyLoss(label_smoothing=0.1)),
    ],
)
def test_it_is_the_users_own_loop(make, optimizer, loss):
    found = module_task(
        make, train=data(), loss=loss, optimizer=optimizer, batch_size=SIZE, epochs=EPOCHS, metric="accuracy"
    )
    block = blocks(found.task, 0)[0]
    rows = np.concatenate([block.fit, block.stop])
    rows = rows[:-1] if len(rows) % SIZE == 1 else rows
    (trained,) = train(found.task, [found.baseline], [block], options=TrainOptions(keep_models=True), encoding=MODULES)
    network = users_loop(found, loss, optimizer, block, rows)
    expected = torch.cat([each.detach().reshape(-1) for each in network.parameters()])
    torch.testing.assert_close(trained.model.weights[0], expected, rtol=2e-4, atol=2e-5)
    with torch.no_grad():
        answers = network(data()[0][torch.from_numpy(block.select)]).softmax(1).numpy()
    np.testing.assert_allclose(trained.run.predictions, answers, rtol=1e-3, atol=1e-4)


def test_what_is_drawn_depends_on_the_member_alone():
    found = module_task(build_with_dropout, train=data(), batch_size=SIZE, epochs=2)
    first = train_module(found, [found.baseline], count=2)
    alone = train_module(found, [found.baseline], count=1)
    np.testing.assert_array_equal(first[0].run.predictions, alone[0].run.predictions)
    assert not np.array_equal(first[0].run.predictions, first[1].run.predictions)


def test_techniques_work_on_a_users_network():
    found = module_task(
        build_with_norm, train=data(), batch_size=SIZE, epochs=40, optimizer=(torch.optim.Adam, {"lr": 0.02})
    )
    recipe = found.baseline.replace(stopping=EarlyStopping(epochs=30, patience=9), techniques=(EMA(), ClipNorm()))
    (trained,) = train_module(found, [recipe], count=1)
    assert trained.run.outcome.ending.usable
    assert found.task.metric.score(found.task.target[trained.run.rows], trained.run.predictions) > 0.5


def test_a_network_that_diverges_says_where():
    found = module_task(
        build, train=(data()[0] * 1e4, data()[1]), optimizer=(torch.optim.SGD, {"lr": 900.0}), batch_size=SIZE, epochs=2
    )
    (trained,) = train_module(found, [found.baseline], count=1)
    assert trained.run.outcome.ending is Ending.DIVERGED


def test_a_step_of_ones_own_is_called():
    calls = []

    def step(network, batch):
        calls.append(1)
        inputs, target = batch
        return functional.cross_entropy(network(inputs), target)

    found = module_task(build, train=data(), step=step, batch_size=SIZE, epochs=2)
    (trained,) = train_module(found, [found.baseline], count=1)
    assert found.baseline.objective.kind == "users-loss"
    assert trained.run.outcome.ending is Ending.FINISHED
    assert len(calls) > 10


def test_sequences_of_numbers_and_several_inputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.cell, self.end = nn.Embedding(20, 8), nn.GRU(8, 8, batch_first=True), nn.Linear(9, 2)

        def forward(self, words, number):
            _, state = self.cell(self.words(words))
            return self.end(torch.cat([state[0], number], 1))

    words = torch.randint(0, 20, (120, 5), generator=torch.Generator().manual_seed(0))
    number = torch.randn(120, 1, generator=torch.Generator().manual_seed(1))
    found = module_task(Two, train=(words, number, (words[:, 0] > 9).long()), batch_size=SIZE, epochs=6,
                        optimizer=(torch.optim.Adam, {"lr": 0.01}))  # fmt: skip
    (trained,) = train_module(found, [found.baseline], count=1)
    assert trained.run.outcome.ending is Ending.FINISHED
    assert trained.run.predictions.ndim == 1
