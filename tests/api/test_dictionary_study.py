"""A study of a network whose batches are dictionaries, trained by a step of the user's own: what is handed over, and the script."""

import runpy
import sys

import numpy as np
import pytest
import torch

import liebig

PROJECT = """
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

import liebig

X = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
CODES = torch.randint(0, 3, (300,), generator=torch.Generator().manual_seed(1))
Y = (X[:, 0] + CODES > 1).long()
ROWS = [{"numbers": X[i], "codes": CODES[i], "label": Y[i]} for i in range(300)]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.last = nn.Embedding(3, 2), nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, numbers, codes):
        return self.last(torch.cat([numbers, self.table(codes)], 1))


def step(network, batch):
    return cross_entropy(network(batch["numbers"], batch["codes"]), batch["label"])


task = liebig.module(
    Net, train=DataLoader(ROWS, batch_size=32, shuffle=True), step=step, metric="accuracy", epochs=3,
    optimizer=(torch.optim.Adam, {"lr": 1e-2}),
)
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dictionary")
    (folder / "dictionary_project.py").write_text(PROJECT)
    sys.path.insert(0, str(folder))
    project = __import__("dictionary_project")
    yield project, liebig.improve(project.task, trials=1, study=folder / "study")
    sys.path.remove(str(folder))


def test_it_predicts_from_a_dictionary(done):
    project, study = done
    for model in (study.best, liebig.load(study.path / "model", build=project.Net)):
        given = {"codes": project.CODES, "numbers": project.X, "label": project.Y}
        assert np.array_equal(model.predict(given), model.predict((project.X, project.CODES)))
    with pytest.raises(liebig.UserError, match="codes"):
        study.best.predict({"numbers": project.X})


def test_the_script_trains_it_without_liebig(done):
    project, study = done
    text = (study.path / "train.py").read_text()
    assert "liebig" not in text.replace("given to Liebig", "").replace(str(study.path.parent), "")
    network = runpy.run_path(str(study.path / "train.py"))["train"](project.ROWS)
    with torch.no_grad():
        right = (network(project.X, project.CODES).argmax(1) == project.Y).float().mean()
    assert right > 0.6
