"""The engine itself and the script of the same recipe come to the same weights, on rows that both read in order."""

import sys
import types

import numpy as np
import torch
from torch import nn

import liebig
from liebig.api.module_improving import script_of
from liebig.coach.module_training import train_module
from liebig.nets.edits import InsertNormalisation, Reinitialise, SwapActivation
from liebig.stack.draws import member_seed
from liebig.techniques.averaging import EMA
from liebig.techniques.batching import InOrder
from liebig.techniques.gradients import ClipNorm
from liebig.techniques.optimizers import AdamW
from liebig.techniques.schedules import Cosine
from liebig.techniques.stopping import FixedEpochs
from liebig.trials.blocks import blocks


def build():
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 3))


def test_the_engine_and_the_script_come_to_the_same_weights(monkeypatch):
    x = torch.randn(240, 6, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0] > 0).long() + (x[:, 1] * x[:, 2] > 0).long()
    found = liebig.module(build, train=(x, y), loss=nn.CrossEntropyLoss(), batch_size=16, epochs=3)
    plain = found.baseline
    edits = (InsertNormalisation(after=("0", "2"), normalisation="layer"), SwapActivation(new="gelu"), Reinitialise())
    network = plain.network
    for edit in edits:
        network = network.with_edit(edit)
    recipe = plain.replace(
        network=network, batching=InOrder(size=16), optimizer=AdamW(learning_rate=0.01, weight_decay=0.1),
        schedule=Cosine(warmup=0.1), stopping=FixedEpochs(epochs=4), techniques=(EMA(horizon=1.0), ClipNorm(limit=0.5)),
    )  # fmt: skip
    (trained,) = train_module(found, [recipe], count=1, probes=False, keep_models=True)
    block = blocks(found.task, 0, 3)[0]
    rows = np.sort(np.concatenate([block.fit, block.stop]))
    here = types.ModuleType(__name__)
    here.build = build
    monkeypatch.setitem(sys.modules, build.__module__, here)
    seed = member_seed(block.init_seed, 0)
    text = script_of(found, recipe, seed)
    space = {"__name__": "script"}
    exec(text, space)
    network = space["train"]((x[rows], y[rows]))
    weights = torch.cat([each.detach().flatten() for each in network.parameters()])
    assert trained.model.weights.shape[1] == len(weights)
    torch.testing.assert_close(weights, trained.model.weights[0], rtol=1e-3, atol=1e-4)
