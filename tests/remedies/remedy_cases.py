"""A plain recipe, a finding and a situation, for the tests of remedies."""

from liebig.core.check import Fact, Finding
from liebig.core.evidence import ColumnProfile, DataProfile, EpochCurves, Evidence
from liebig.core.recipe import Recipe
from liebig.core.remedy import Situation
from liebig.core.task import TaskKind
from liebig.data.table.inputs import TableInputs
from liebig.nets.activations.relu import ReLU
from liebig.nets.mlp import MLP
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.stopping.epochs import FixedEpochs


def column(name, kind="number", **values):
    plain = {
        "why": "", "missing": 0.0, "distinct": 50, "top_share": 0.1, "mean": 0.0, "spread": 1.0, "low": -1.0, "high": 1.0,
        "median": 0.0, "tail": 2.0, "single_score": 0.1,
    }  # fmt: skip
    return ColumnProfile(name=name, kind=kind, **{**plain, **values})


PROFILE = DataProfile(
    rows=5000,
    columns=(
        column("age"),
        column("city", "category", distinct=2000),
        column("row", "identifier", distinct=5000),
        column("one", "constant", distinct=1),
    ),
    target=column("y", low=1.0, tail=20.0),
    class_counts=(4900, 100),
    duplicate_rows=0,
    shared_rows=0,
    dropped_targets=0,
)


def curves(epochs=10, planned=10, selected=9, metric="accuracy"):
    values = tuple(1.0 / (i + 1) for i in range(epochs))
    return EpochCurves(
        values, values, values, values, values, values, values, selected, planned, 500, values, True, metric
    )


def situation(kind=TaskKind.BINARY, *more, rows=5000, found_rate=None):
    return Situation(kind, rows, 20, Evidence((PROFILE, *more)), found_rate)


def recipe(**slots):
    plain = {
        "inputs": TableInputs(),
        "network": MLP(activation=ReLU()),
        "objective": CrossEntropy(),
        "optimizer": Adam(learning_rate=1e-3),
        "schedule": Constant(),
        "batching": Shuffled(size=128),
        "stopping": FixedEpochs(epochs=10),
        "compute": Compute(),
    }
    return Recipe(**{**plain, **slots})


def found(check, strength=0.8, place="", **facts):
    return Finding(check(), strength, place, {name: Fact(value) for name, value in facts.items()})
