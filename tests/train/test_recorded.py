"""Steps replayed on a graphics processor are the steps themselves; and what is replayed draws the same numbers."""

import pytest
import torch
from torch import nn

from liebig.data.module.task import module_task
from liebig.stack.draws import Draws, ReplayedDraws, mixed_seeds, step_word
from liebig.techniques.batches.mixup import Mixup
from liebig.train import recorded
from liebig.train.health import Health
from liebig.train.modules import MODULES
from liebig.train.options import TrainOptions
from liebig.train.recorded import Steps
from liebig.train.training import train
from liebig.trials.blocks import blocks as blocks_of

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
ROWS, SIZE, EPOCHS = 203, 16, 4


@pytest.mark.parametrize("step", [0, 1, 7, 123_456_789])
def test_replayed_draws_are_the_draws_of_their_step(step):
    seeds, device = (3, 2**32 - 1, 12345), torch.device("cpu")
    real = Draws(seeds, step, device)
    word = torch.zeros(1, dtype=torch.int32)
    replayed = ReplayedDraws(seeds, 0, device, mixed_seeds(seeds, device), word)
    word.fill_(step_word(step))
    for stream in (0, 1, 7001, 1 << 17):
        assert torch.equal(real.bits(9, stream), replayed.bits(9, stream))
    keep = torch.tensor([0.5, 0.9, 1.0])
    assert torch.equal(real.kept(keep, (4, 5), 3, torch.bfloat16), replayed.kept(keep, (4, 5), 3, torch.bfloat16))


def test_a_sick_member_is_named_at_once_on_the_processor():
    health = Health(torch.device("cpu"))
    assert health.sick(torch.tensor([1.0, 2.0]), wait=False) == []
    assert health.sick(torch.tensor([1.0, float("nan")]), wait=False) == [1]


def test_on_the_processor_nothing_is_recorded():
    assert not Steps(torch.device("cpu"), 100).records


def test_a_shape_is_recorded_where_enough_steps_of_it_are_to_come():
    steps = Steps(torch.device("cpu"), 1000)
    steps._made = 100
    assert steps._is_worth(recorded._Seen(99))
    assert not steps._is_worth(recorded._Seen(1))
    steps._made = 990
    assert not steps._is_worth(recorded._Seen(980))


def weights_of(task, recipe, block, encoding):
    options = TrainOptions(probes=False, keep_models=True, device="cuda")
    (done,) = train(task, [recipe], [block], options=options, encoding=encoding)
    return done.model.weights[0]


def both_ways(monkeypatch, task, recipe, block, encoding):
    """Weights with steps replayed and as they are, and why not if they were not."""
    refusals, replays = [], []

    class Told(Steps):
        def __call__(self, stack, feed, rows, draws):
            found = super().__call__(stack, feed, rows, draws)
            refusals.append(self.refused)
            replays.append(len(self._recordings))
            return found

    monkeypatch.setattr("liebig.train.loop.Steps", Told)
    monkeypatch.setattr(recorded, "_WORTH", -1000)
    replayed = weights_of(task, recipe, block, encoding)
    monkeypatch.setattr(recorded, "_AS_THEY_ARE", 10**9)
    return replayed, weights_of(task, recipe, block, encoding), refusals, replays


@pytest.mark.gpu
@GPU
def test_a_population_replays_its_steps(monkeypatch, task, recipe, block, encoding):
    network = recipe.network.model_copy(update={"dropout": 0.3})
    some = recipe.replace(network=network).with_technique(Mixup())
    replayed, real, refusals, replays = both_ways(monkeypatch, task, some, block, encoding)
    assert not any(refusals)
    assert max(replays) >= 1
    assert torch.allclose(replayed, real, rtol=1e-3, atol=1e-4)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.calls = nn.Linear(6, 3), 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x) * (1 + 0.01 * self.calls)


class Asking(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, x):
        answer = self.layer(x)
        return answer if answer.detach().mean().item() > -100 else -answer


def with_norm():
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.4), nn.Linear(8, 3))


def found_of(build):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(ROWS, 6, generator=generator)
    return module_task(
        build, train=(inputs, inputs[:, :3].argmax(1)), loss=nn.CrossEntropyLoss(), metric="accuracy",
        optimizer=(torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}), batch_size=SIZE, epochs=EPOCHS,
    )  # fmt: skip


@pytest.mark.gpu
@GPU
@pytest.mark.parametrize(("build", "is_recorded"), [(with_norm, True), (Counting, False), (Asking, False)])
def test_a_network_of_the_users_replays_its_steps_where_they_are_one_step(monkeypatch, build, is_recorded):
    found = found_of(build)
    block = blocks_of(found.task, 0, 3)[0]
    replayed, real, refusals, replays = both_ways(monkeypatch, found.task, found.baseline, block, MODULES)
    assert any(refusals) is not is_recorded
    assert (max(replays) > 0) is is_recorded
    assert torch.allclose(replayed, real, rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
@GPU
def test_a_member_that_diverges_leaves_though_its_steps_are_replayed(task, recipe, block, encoding):
    wild = recipe.replace(optimizer=recipe.optimizer.model_copy(update={"learning_rate": 1e30}))
    options = TrainOptions(probes=False, device="cuda")
    done = train(task, [recipe, wild], [block], options=options, encoding=encoding)
    assert [each.run.outcome.ending.usable for each in done] == [True, False]
