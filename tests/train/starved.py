"""Trains a population under `ulimit -v`, in a process of its own: prints its endings and how often it was halved."""

import resource
import sys
from pathlib import Path

import numpy as np
import torch
from conftest import PlainEncoding, make_block

from liebig.core.event import PopulationHalved
from liebig.core.metric import ROC_AUC
from liebig.core.recipe import Recipe
from liebig.core.task import Parts, Task, TaskKind
from liebig.data.table.inputs import TableInputs
from liebig.nets.mlp import MLP
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.training import TrainOptions, train

torch.set_num_threads(1)
rng = np.random.default_rng(0)
inputs = rng.normal(size=(400, 5)).astype(np.float32)
target = (inputs[:, 0] > 0).astype(np.float64)
task = Task("t", TaskKind.BINARY, "y", target, ("0", "1"), ROC_AUC, Parts(np.arange(300), np.arange(300, 400)), inputs)
recipe = Recipe(
    inputs=TableInputs(), network=MLP(width=1024), objective=CrossEntropy(), optimizer=AdamW(), schedule=Constant(),
    batching=Shuffled(size=128), stopping=FixedEpochs(epochs=1), compute=Compute(precision="float32"),
    techniques=(SeedEnsemble(members=16),),
)  # fmt: skip
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
limit = used + int(sys.argv[1]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
halved = []
trained = train(
    task, [recipe], [make_block(0)], encoding=PlainEncoding(), options=TrainOptions(memory=10**12, probes=False),
    on_event=lambda event: halved.append(event.members) if isinstance(event, PopulationHalved) else None,
)  # fmt: skip
print(trained[0].run.outcome.ending.value, halved)
