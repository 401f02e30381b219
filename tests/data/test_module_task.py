"""A user's network and data as a task: what is found, what is refused, in one sentence each."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.data.module.task import module_task

X = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()


def net(outputs=3):
    return lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, outputs))


class Items(Dataset):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, row):
        return self.items[row]


@pytest.mark.parametrize(
    ("outputs", "target", "loss", "kind", "objective"),
    [
        (3, Y, None, TaskKind.MULTICLASS, "cross-entropy"),
        (2, (Y > 0).long(), nn.CrossEntropyLoss(), TaskKind.BINARY, "cross-entropy"),
        (1, (Y > 0).float()[:, None], nn.BCEWithLogitsLoss(), TaskKind.BINARY, "cross-entropy"),
        (1, X[:, :1], nn.MSELoss(), TaskKind.REGRESSION, "mse"),
        (1, X[:, 0], nn.MSELoss(), TaskKind.REGRESSION, "users-loss"),  # it broadcasts: exactly what the user does
        (3, nn.functional.one_hot(Y, 3).float(), nn.MSELoss(), TaskKind.MULTICLASS, "users-loss"),
        (3, Y, nn.CrossEntropyLoss(weight=torch.ones(3)), TaskKind.MULTICLASS, "users-loss"),
    ],
)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_kind_and_objective(outputs, target, loss, kind, objective):
    metric = "accuracy" if outputs == 3 else None
    found = module_task(net(outputs), train=(X, target), loss=loss, metric=metric)
    assert found.task.kind is kind
    assert found.baseline.objective.kind == objective


@pytest.mark.parametrize(
    ("optimizer", "kind"),
    [
        (None, "adam"),
        (torch.optim.AdamW, "adamw"),
        ((torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}), "momentum"),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), "nesterov"),
        (lambda model: torch.optim.RMSprop(model.parameters(), lr=0.01), "rmsprop"),
        (lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True), "users-optimizer"),
        (lambda m: torch.optim.SGD([{"params": m[0].parameters()}, {"params": m[2].parameters(), "lr": 1}], lr=0.1),
         "users-optimizer"),
    ],
)  # fmt: skip
def test_optimizer(optimizer, kind):
    assert module_task(net(), train=(X, Y), optimizer=optimizer).baseline.optimizer.kind == kind


def test_an_optimizer_that_was_made_is_read():
    found = module_task(net(), train=(X, Y), optimizer=torch.optim.Adam(net()().parameters(), lr=0.02))
    assert found.baseline.optimizer.learning_rate == 0.02


def test_a_loader_is_taken_apart():
    loader = DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True, drop_last=True)
    found = module_task(net(), train=loader)
    assert (found.baseline.batching.kind, found.baseline.batching.size) == ("shuffled", 16)
    assert found.baseline.inputs.drop_last
    plain = module_task(net(), train=DataLoader(TensorDataset(X, Y), batch_size=16))
    assert plain.baseline.batching.kind == "in-order"


def test_a_sampler_of_indices_is_a_subset():
    rows = DataLoader(TensorDataset(X, Y), batch_size=16, sampler=SubsetRandomSampler(range(60)))
    rest = DataLoader(TensorDataset(X, Y), batch_size=16, sampler=SubsetRandomSampler(range(60, 100)))
    found = module_task(net(), train=rows, valid=rest)
    assert found.lengths == (60, 40, 0)


def test_parts():
    found = module_task(net(), train=Subset(TensorDataset(X, Y), range(70)), valid=(X[70:], Y[70:]))
    assert len(found.task.parts.sealed) == pytest.approx(14, abs=2)
    assert set(found.task.parts.fixed_select) == set(range(70, 100))
    assert any("set aside" in note for note in found.notes)
    given = module_task(net(), train=(X[:70], Y[:70]), valid=(X[70:85], Y[70:85]), test=(X[85:], Y[85:]), resplit=True)
    assert given.task.parts.test_given
    assert given.task.parts.fixed_select is None
    assert list(given.task.parts.sealed) == list(range(85, 100))


def test_rows_that_change_are_read_each_time():
    class Augmented(Dataset):
        transform = staticmethod(lambda x: x + torch.randn(4))

        def __len__(self):
            return 60

        def __getitem__(self, row):
            return self.transform(X[row]), Y[row]

    plain = Augmented()
    plain.transform = lambda x: x
    found = module_task(net(), train=Augmented(), valid=plain)
    rows = torch.arange(5)
    assert not found.users.whole
    assert not torch.equal(found.users.items.batch(rows)[0][0], X[:5])
    assert torch.equal(found.users.judged.batch(rows)[0][0], X[:5])


def test_a_metric_of_ones_own():
    def near(target, predictions):
        return float((np.abs(target - predictions) < 0.5).mean())

    found = module_task(net(1), train=(X, X[:, :1]), metric=(near, "higher"))
    assert found.task.metric.name == "near"
    assert found.task.metric.higher_is_better


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(X, Y, strict=True))


def test_an_iterable_set_is_read_once():
    found = module_task(net(), train=DataLoader(Stream(), batch_size=8), valid=TensorDataset(X[:30], Y[:30]))
    assert found.lengths == (100, 30, 0)


WEIGHTED = WeightedRandomSampler(torch.ones(100), 100)


@pytest.mark.parametrize("train", [Stream(), DataLoader(TensorDataset(X, Y), 8, sampler=WEIGHTED)])
def test_a_users_own_split_is_kept(train):
    with pytest.raises(UserError, match="give valid="):
        module_task(net(), train=train)
    found = module_task(net(), train=train, valid=(X[:30], Y[:30]), resplit=True)
    assert not found.resplit
    assert found.task.parts.fixed_select.tolist() == list(range(100, 130))


def test_a_batch_sampler_of_torchs_is_taken_apart():
    batches = BatchSampler(RandomSampler(range(100)), 8, drop_last=True)
    found = module_task(net(), train=DataLoader(TensorDataset(X, Y), batch_sampler=batches))
    assert found.baseline.batching.size == 8
    assert found.baseline.inputs.drop_last


class Picture:
    __module__ = "PIL.Image"


SAME = net()()
TWO = nn.Linear(4, 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"build": SAME}, "fresh network"),
        ({"build": lambda: SAME}, "the same network"),
        ({"build": lambda: nn.Sequential(TWO, nn.ReLU())}, "share parameters"),
        ({"build": lambda: 3}, "torch.nn.Module"),
        ({"build": lambda: nn.Linear(4, 3, device="meta")}, "meta"),
        ({"build": lambda: nn.Linear(7, 3)}, "does not run on a batch"),
        ({"train": Items([(Picture(), 1)] * 40)}, "PIL picture"),
        ({"train": Items([("some words", 1)] * 40)}, "text came"),
        ({"train": Items([(X[0], "cat")] * 40)}, "text came"),
        ({"train": Items([])}, "empty"),
        ({"train": DataLoader(Items([]), batch_size=4)}, "empty"),
        ({"valid": Items([])}, "valid must have rows"),
        ({"train": X}, "single tensor"),
        ({"train": (X, Y[:50])}, "as many targets"),
        ({"train": 5}, "Dataset"),
        ({"train": Items([{"x": X[0], "z": 1}] * 40)}, "must be the target"),
        ({"train": Items([{"x": X[0], "z": 1}] * 40), "target": "zz"}, "Did you mean"),
        ({"train": Items([{"x": "some words", "y": 1}] * 40)}, "text came"),
        ({"train": Items([{"x": X[0], "w": X[1], "y": 1}] * 40)}, "does not run on a batch"),
        ({"train": Items([X[0]] * 40)}, "(input, target)"),
        ({"train": (X, Y + 1)}, "begin at 1"),
        ({"train": (X, Y * 5)}, "labels must lie in 0..2"),
        ({"train": (X, Y * 0)}, "two classes"),
        ({"train": (X[:10], Y[:10])}, "at least 20 rows"),
        ({"train": (X, X[:, :2])}, "one value, or one for each class"),
        ({"train": (X, torch.full((100, 1), torch.nan))}, "finite"),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, "one number"),
        ({"loss": lambda a, t: torch.tensor(1.0)}, "depend on"),
        ({"loss": lambda a, t: (a @ t.float()).mean()}, "does not fit"),
        ({"loss": 3}, "loss must be"),
        ({"metric": lambda t, p: 0.0}, '"higher"'),
        ({"metric": "rmse"}, "one number is learnt"),
        ({"metric": "acuracy"}, "accuracy"),
        ({"optimizer": torch.optim.LBFGS}, "closure"),
        ({"optimizer": 3}, "optimizer must be"),
        ({"batch_size": 0}, "batch_size"),
        ({"epochs": 1.5}, "epochs"),
        ({"step": lambda model, batch: batch["x"]}, "step(network, batch) failed"),
    ],
)
def test_bad_input_is_one_sentence(changes, words):
    given = {"build": net(), "train": (X, Y), **changes}
    with pytest.raises(UserError) as caught:
        module_task(given.pop("build"), **given)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_items_of_different_lengths_need_a_collate():
    ragged = Items([(torch.zeros(1 + row % 3), row % 2) for row in range(40)])
    with pytest.raises(UserError, match="collate_fn"):
        module_task(net(), train=ragged)
