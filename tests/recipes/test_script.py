"""Every technique that a network of one's own can use, in plain PyTorch: the script and the stages come to the same weights."""

import sys
import types

import pytest
import torch
from plain_engine import materials_of, trained_by_stages
from torch import nn

from liebig.core.errors import UserError
from liebig.core.recipe import Recipe
from liebig.data.module.inputs import ModuleInputs
from liebig.nets.edits import (
    InsertDropout,
    InsertNormalisation,
    Reinitialise,
    ScaleInputs,
    SwapActivation,
    WidenHidden,
    WrapResidual,
)
from liebig.nets.surgery import anatomy_of, operated
from liebig.nets.user_module import UserModule
from liebig.recipes.script import Names, script_ground, training_script
from liebig.recipes.slots import PICTURES, SEQUENCES, SLOTS, kind_of
from liebig.techniques.averaging import EMA, SWA, SnapshotEnsemble
from liebig.techniques.batches import FeatureNoise, Mixup
from liebig.techniques.batching import Balanced, InOrder, Shuffled
from liebig.techniques.compute import Compute
from liebig.techniques.gradients import ClipNorm, ClipValue
from liebig.techniques.initialisations import BaseRateBias
from liebig.techniques.objectives import MAE, MSE, CrossEntropy, Focal, GeneralisedCrossEntropy, Huber, Quantile
from liebig.techniques.optimizers import ALL as OPTIMIZERS
from liebig.techniques.optimizers import SGD, Adam, AdamW, Momentum
from liebig.techniques.penalties import L1, L2, MaxNorm
from liebig.techniques.schedules import ALL as SCHEDULES
from liebig.techniques.schedules import Constant, Cosine, Plateau
from liebig.techniques.script import ScriptGround
from liebig.techniques.stopping import BestEpoch, EarlyStopping, FixedEpochs
from liebig.techniques.targets.log import LogTarget
from liebig.techniques.targets.standardise import StandardisedTarget


def build():
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 3))


def with_one_output():
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1))


def rows(classes, count=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 5, generator=generator)
    score = x[:, 0] + 0.5 * x[:, 1] * x[:, 2]
    if classes == 0:
        return x, score
    return x, torch.bucketize(score, torch.linspace(-0.7, 0.7, classes - 1) if classes > 2 else torch.zeros(1))


def recipe(**slots):
    plain = {
        "inputs": ModuleInputs(), "network": UserModule(source="mine:build"), "objective": CrossEntropy(),
        "optimizer": SGD(learning_rate=0.1), "schedule": Constant(), "batching": InOrder(size=8),
        "stopping": FixedEpochs(epochs=4), "techniques": (), "compute": Compute(),
    }  # fmt: skip
    return Recipe(**{**plain, **slots})


@pytest.fixture
def mine(monkeypatch):
    """The user's own module, from which scripts import."""
    module = types.ModuleType("mine")
    module.build, module.with_one_output = build, with_one_output
    monkeypatch.setitem(sys.modules, "mine", module)
    return module


def written(made, classes, make=build, seed=3, decays_everything=False, **names):
    train, bare = rows(classes), make()
    outputs = classes if classes > 2 else 1
    batches = -(-len(train[0]) // made.batching.size)
    shares = tuple((train[1] == code).float().mean().item() for code in range(classes))
    around = ScriptGround(
        outputs, classes > 0, len(train[0]), -(-batches // made.batching.accumulates), made.stopping.epochs, shares,
        decays_everything=decays_everything, higher_is_better=classes > 0,
    )  # fmt: skip
    surgery = operated(made.network, materials_of(make, train[0]), seed)
    ground = script_ground(surgery.network, anatomy_of(bare, (train[0][:8],)), around)
    named = Names(build=f"mine:{make.__name__}", **{"metric": "accuracy" if classes else "rmse", **names})
    return training_script(made, ground, surgery, named, seed)


def run(text, classes):
    space = {"__name__": "script"}
    exec(compile(text, "script", "exec"), space)
    return space["train"](rows(classes), rows(classes, 24, seed=9))


def both(made, classes=3, make=build, decays_everything=False):
    network = run(written(made, classes, make, decays_everything=decays_everything), classes)
    wanted, _ = trained_by_stages(made, make, rows(classes), rows(classes, 24, seed=9), classes, 3, decays_everything)
    assert set(wanted) == {name for name, _ in network.named_parameters()}
    for name, value in network.named_parameters():
        torch.testing.assert_close(
            value.detach(), wanted[name], rtol=2e-4, atol=2e-5, msg=lambda m, n=name: f"{n}: {m}"
        )
    return network


RATES = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "adagrad": 0.05}


@pytest.mark.parametrize(
    "kind", [each for each in OPTIMIZERS if each.model_fields["kind"].default != "users-optimizer"]
)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_optimizers(mine, kind, decay):
    rate = RATES.get(kind.model_fields["kind"].default, 3e-3)
    both(recipe(optimizer=kind(learning_rate=rate, weight_decay=decay)))
    if decay:
        both(recipe(optimizer=kind(learning_rate=rate, weight_decay=decay)), decays_everything=True)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules(mine, kind):
    made = kind(patience=0, factor=0.5, threshold=0.3) if kind is Plateau else kind()
    both(recipe(schedule=made))
    if "warmup" in kind.model_fields:
        both(recipe(schedule=kind(warmup=0.3), optimizer=Momentum(learning_rate=0.05)))
    if kind is Cosine:
        both(recipe(schedule=Cosine(cycles=3, final=0.1)))


@pytest.mark.parametrize(
    "stopping",
    [FixedEpochs(epochs=5), BestEpoch(epochs=6), BestEpoch(epochs=6, monitor="loss"), EarlyStopping(epochs=8, patience=1),
     EarlyStopping(epochs=8, patience=2, monitor="loss", min_delta=0.05), EarlyStopping(epochs=6, restore_best=False)],
)  # fmt: skip
def test_stopping(mine, stopping):
    both(recipe(stopping=stopping, optimizer=Adam(learning_rate=0.1)))


@pytest.mark.parametrize(
    "technique",
    [EMA(horizon=1.0), EMA(horizon=0.3), SWA(start=0.5), ClipNorm(limit=0.05), ClipValue(limit=0.01), L1(strength=0.01),
     L2(strength=0.01), MaxNorm(limit=0.7), BaseRateBias()],
    ids=lambda each: each.kind,
)  # fmt: skip
def test_techniques(mine, technique):
    both(recipe(techniques=(technique,), optimizer=AdamW(learning_rate=0.02)))


@pytest.mark.parametrize(
    "objective",
    [CrossEntropy(), CrossEntropy(label_smoothing=0.2), CrossEntropy(class_weights="balanced"),
     CrossEntropy(class_weights="balanced", label_smoothing=0.1), Focal(gamma=2.0), GeneralisedCrossEntropy(q=0.7)],
)  # fmt: skip
def test_objectives_for_classes(mine, objective):
    both(recipe(objective=objective))
    both(recipe(objective=objective), classes=2, make=with_one_output)


@pytest.mark.parametrize("objective", [MSE(), MAE(), Huber(delta=0.5), Quantile(quantile=0.8)])
def test_objectives_for_numbers(mine, objective):
    both(recipe(objective=objective), classes=0, make=with_one_output)


def test_gradients_of_several_batches(mine):
    made = recipe(batching=Shuffled(size=9, accumulate=3))
    text = written(made, 3).replace(", shuffle=True", "")
    wanted, _ = trained_by_stages(made, build, rows(3), rows(3, 24, seed=9), 3, 3)
    for name, value in run(text, 3).named_parameters():
        torch.testing.assert_close(value.detach(), wanted[name], rtol=2e-4, atol=2e-5)


def test_all_together_with_surgery(mine):
    network = UserModule(
        source="mine:build",
        edits=(
            ScaleInputs(), WidenHidden(factor=2), Reinitialise(), SwapActivation(old="relu", new="gelu"),
            InsertNormalisation(after=("0",), normalisation="layer"), WrapResidual(blocks=("2",)),
        ),
    )  # fmt: skip
    made = recipe(
        network=network, objective=CrossEntropy(label_smoothing=0.1), optimizer=AdamW(learning_rate=0.02, weight_decay=0.1),
        schedule=Cosine(warmup=0.1), techniques=(EMA(horizon=1.0), ClipNorm(limit=0.5)), stopping=EarlyStopping(epochs=6),
    )  # fmt: skip
    trained = both(made)
    assert trained(rows(3)[0]).shape == (40, 3)
    text = written(made, 3)
    assert "liebig" not in text.lower().replace("given to liebig", "")
    assert max(len(line) for line in text.splitlines()) < 400


@pytest.mark.parametrize("technique", [Mixup(), FeatureNoise(spread=0.3), None])
def test_what_draws_runs_and_learns(mine, technique):
    """Chance goes another way in a script: it must learn as well, on rows that it has not seen."""
    made = recipe(
        techniques=(technique,) if technique else (), optimizer=Adam(learning_rate=0.02), stopping=FixedEpochs(epochs=40),
        network=UserModule(edits=(InsertDropout(before=("2",)),)), batching=Balanced(size=8) if not technique else Shuffled(size=8),
    )  # fmt: skip
    network = run(written(made, 3), 3)
    x, y = rows(3, 200, seed=5)
    assert (network(x).argmax(1) == y).float().mean() > 0.6
    assert not network.training


@pytest.mark.parametrize("target", [StandardisedTarget(), LogTarget()])
def test_a_transformed_target_is_turned_back(mine, target):
    def numbers(count, seed):
        x, y = rows(0, count, seed)
        return x, (y * 5 + 200) if target.kind == "standardise" else torch.exp(y) * 100

    made = recipe(
        inputs=ModuleInputs(target=target), objective=MSE(), optimizer=Adam(learning_rate=0.02), batching=Shuffled(size=16),
        stopping=BestEpoch(epochs=60),
    )  # fmt: skip
    space = {"__name__": "script"}
    exec(written(made, 0, with_one_output), space)
    network = space["train"](numbers(300, 0), numbers(100, 1))
    x, y = numbers(200, 2)
    left = (network(x).flatten() - y).square().mean() / y.var()
    assert left < 0.6
    assert {"mean", "spread"} <= set(network.state_dict())


def test_a_script_says_where_things_come_from(mine):
    text = written(recipe(), 3, train="mine:train_set", valid="mine:valid_set", path="/somewhere")
    assert "from mine import build as build" in text
    assert "    from mine import train_set as train_set" in text
    assert "sys.path.insert(0, '/somewhere')" in text
    assert "train_set = ..." in written(recipe(), 3)
    other = written(recipe(stopping=BestEpoch(epochs=3)), 3, metric="roc_auc")
    assert "roc_auc is not computed here" in other
    space = {"__name__": "script"}
    exec(other, space)
    with pytest.raises(ValueError, match="give valid_set"):
        space["train"](rows(3))


def test_answers_that_are_probabilities(mine):
    def sure():
        return nn.Sequential(build(), nn.Softmax(1))

    mine.sure = sure
    text = written(recipe(), 3, sure, says="probabilities")
    assert "to_logits(outputs)" in text
    run(text, 3)


def test_what_has_no_plain_script_is_told(mine):
    made = recipe(schedule=Cosine(cycles=2), techniques=(SnapshotEnsemble(cycles=2),))
    with pytest.raises(
        UserError, match=r"techniques\.snapshot-ensemble snapshot-ensemble has no lines of plain PyTorch"
    ):
        written(made, 3)


#: What several networks need, what only Liebig's own networks read (pictures and sequences among them), and what is the user's own.
WITHOUT = {
    "seed-ensemble", "snapshot-ensemble", "variance-calibration", "he", "xavier", "lecun", "orthogonal", "zero",
    "small-normal", "standard-normal", "users-optimizer", "discriminative-rates", "deferred-layers",
    "autoencoder", "masked-features",
    *(kind_of(each) for each in (*PICTURES, *SEQUENCES)),
}  # fmt: skip


def test_every_technique_that_a_network_of_ones_own_can_use_is_written():
    ground = ScriptGround(3, True, 40, 5, 4, (0.3, 0.3, 0.4))
    for slot, kinds in SLOTS.items():
        if slot in {"inputs", "network", "compute"}:
            continue
        for kind in kinds:
            record = kind.model_validate({})
            assert (record.as_script(ground) is None) == (record.kind in WITHOUT), record.kind
