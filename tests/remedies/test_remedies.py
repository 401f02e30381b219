"""What every remedy promises, over all of them, and what single ones do."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from remedy_cases import curves, found, recipe, situation

from liebig import checks, remedies
from liebig.checks.batch_size import BatchSize
from liebig.checks.class_imbalance import ClassImbalance
from liebig.checks.device_underused import DeviceUnderused
from liebig.checks.exploding_gradient import ExplodingGradient
from liebig.checks.gradients_not_cleared import GradientsNotCleared
from liebig.checks.label_noise import LabelNoise
from liebig.checks.learning_rate_too_high import LearningRateTooHigh
from liebig.checks.loss_broadcast import LossBroadcast
from liebig.checks.loss_output_mismatch import LossOutputMismatch
from liebig.checks.overfitting import Overfitting
from liebig.checks.poor_initialisation import PoorInitialisation
from liebig.checks.saturated_units import SaturatedUnits
from liebig.checks.still_improving import StillImproving
from liebig.checks.tiny_batch_normalisation import TinyBatchNormalisation
from liebig.checks.underfitting import Underfitting
from liebig.checks.untrained_parameters import UntrainedParameters
from liebig.core.card import REMEDY_SECTIONS, card_of
from liebig.core.check import Fact, Finding
from liebig.core.evidence import Anatomy, Organ, RateRange
from liebig.core.remedy import Depth
from liebig.core.task import TaskKind
from liebig.data.module.inputs import ModuleInputs
from liebig.data.pictures.inputs import PictureInputs
from liebig.data.sequences.inputs import SequenceInputs
from liebig.data.table.inputs import TableInputs
from liebig.nets.activations.gelu import GELU
from liebig.nets.activations.identity import Identity
from liebig.nets.activations.relu import ReLU
from liebig.nets.activations.selu import SELU
from liebig.nets.activations.sigmoid import Sigmoid
from liebig.nets.activations.tanh import Tanh
from liebig.nets.mlp import MLP
from liebig.nets.normalisations.batch import BatchNorm
from liebig.nets.normalisations.layer import LayerNorm
from liebig.nets.normalisations.none import NoNormalisation
from liebig.nets.packed import PackedMLP
from liebig.nets.plain_cnn import PlainCNN
from liebig.nets.resnet import ResNet
from liebig.nets.rnn import RNN
from liebig.nets.user_module import UserModule
from liebig.remedies.batch_and_rate import BatchAndRate
from liebig.remedies.drop_bad_features import DropBadFeatures
from liebig.remedies.edits import edit, rate_of
from liebig.remedies.initialise_for_activation import InitialiseForActivation
from liebig.remedies.larger_batches import LargerBatches
from liebig.remedies.longer import Longer
from liebig.remedies.lower_rate import LowerRate
from liebig.remedies.more_dropout import MoreDropout
from liebig.remedies.no_batch_normalisation import NoBatchNormalisation
from liebig.remedies.range_for_activation import RangeForActivation
from liebig.remedies.range_test_rate import RangeTestRate
from liebig.remedies.ranking import proposals
from liebig.remedies.seed_ensemble import EnsembleOfSeeds
from liebig.remedies.weigh_classes import WeighClasses
from liebig.remedies.wider import Wider
from liebig.techniques.averaging.ema import EMA
from liebig.techniques.batching.balanced import Balanced
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.gradients.clip_norm import ClipNorm
from liebig.techniques.initialisations.he import He
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.mse import MSE
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.optimizers.momentum import Momentum
from liebig.techniques.optimizers.muon import Muon
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.schedules.cosine import Cosine
from liebig.techniques.schedules.plateau import Plateau
from liebig.techniques.stopping.early_stopping import EarlyStopping
from liebig.techniques.stopping.epochs import FixedEpochs

ACTIVATIONS = st.sampled_from([Sigmoid(), Tanh(), ReLU(), GELU(), SELU()])
NORMALISATIONS = st.sampled_from([NoNormalisation(), BatchNorm(), LayerNorm()])
NETWORKS = st.builds(
    lambda kind, width, depth, dropout, residual, activation, normalisation: kind(
        width=width, depth=depth, dropout=dropout, residual=residual, activation=activation, normalisation=normalisation
    ),
    st.sampled_from([MLP, PackedMLP]),
    st.sampled_from([8, 64, 256, 1024]),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.1, 0.25, 0.5]),
    st.booleans(),
    ACTIVATIONS,
    NORMALISATIONS,
)
INPUTS = st.builds(
    lambda scale, numbers, target: TableInputs(scale=scale, numbers=numbers, target=target),
    st.sampled_from(["none", "min-max", "symmetric", "max", "standardise", "robust", "quantile"]),
    st.sampled_from(["plain", "piecewise-linear"]),
    st.sampled_from(["none", "standardise"]),
)
RATES = st.sampled_from([1e-5, 1e-3, 3e-3, 0.1])
TECHNIQUES = st.sets(st.sampled_from([He(), EMA(horizon=1.0), ClipNorm(limit=1.0)]), max_size=3)


@st.composite
def recipes(draw):
    regression = draw(st.booleans())
    rate = draw(RATES)
    slots = {
        "inputs": draw(INPUTS),
        "network": draw(NETWORKS),
        "objective": MSE() if regression else CrossEntropy(label_smoothing=draw(st.sampled_from([0.0, 0.1]))),
        "optimizer": draw(st.sampled_from([Adam, AdamW, Momentum, Muon]))(learning_rate=rate),
        "schedule": draw(st.sampled_from([Constant(), Cosine(warmup=0.1), Plateau()])),
        "batching": draw(st.sampled_from([Shuffled(size=2), Shuffled(size=128), Balanced(size=64)])),
        "stopping": draw(st.sampled_from([FixedEpochs(epochs=1), FixedEpochs(epochs=20), EarlyStopping(epochs=45)])),
        "techniques": tuple(draw(TECHNIQUES)),
        "compute": Compute(),
    }
    try:
        made = recipe(**slots)
    except ValueError:
        made = recipe()
    kind = TaskKind.REGRESSION if isinstance(made.objective, MSE) else TaskKind.BINARY
    return made, situation(kind, curves(), found_rate=draw(st.sampled_from([None, 1e-2])))


def asked(remedy):
    """A finding for each check that the remedy answers, and none."""
    return [None, *(found(check, 0.9, place="age", **FACTS.get(check, {})) for check in remedy.answers)]


#: What a remedy reads of a finding.
FACTS = {BatchSize: {"advised": 32.0}, LossOutputMismatch: {"kind": "squared-one-hot", "function": "mse_loss"}}


REMEDIES = pytest.mark.parametrize("remedy", remedies.ALL, ids=lambda each: each.name)


def test_names_are_their_own_and_there_are_enough():
    names = [each.name for each in remedies.ALL]
    assert len(names) == len(set(names)) >= 25
    assert all(name == name.lower() and " " not in name for name in names)


@REMEDIES
def test_the_card_is_whole(remedy):
    card = card_of(remedy.name, type(remedy))
    assert card.title
    assert all(card.sections.get(section) for section in REMEDY_SECTIONS)


@REMEDIES
def test_the_prior_has_an_interval_and_a_source(remedy):
    prior = remedy.prior
    assert prior.low <= prior.effect <= prior.high
    assert prior.low < prior.high
    assert prior.source


@REMEDIES
def test_advice_is_one_sentence(remedy):
    checks_answered = remedy.answers or (Underfitting,)
    for check in checks_answered:
        advice = remedy.advise(found(check, place="age"))
        assert advice.endswith(".")
        assert advice[0].isupper()
        assert ". " not in advice


@REMEDIES
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=recipes())
def test_proposals_change_what_the_remedy_says_and_nothing_else(remedy, made):
    start, around = made
    for finding in asked(remedy):
        proposals = remedy.propose(start, finding, around)
        assert proposals == remedy.propose(start, finding, around)
        for proposal in proposals:
            changed = start.diff(proposal.recipe)
            assert changed, "a proposal differs from its input"
            assert proposal.name
            assert len(proposal.name) <= 60
            for change in changed:
                assert any(change.path == path or change.path.startswith(f"{path}.") for path in remedy.changes), change


@REMEDIES
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=recipes())
def test_a_remedy_does_not_propose_what_is_in_already(remedy, made):
    start, around = made
    for finding in asked(remedy):
        for proposal in remedy.propose(start, finding, around):
            again = remedy.propose(proposal.recipe, finding, around)
            assert proposal.recipe.digest not in {each.recipe.digest for each in again}


@REMEDIES
def test_every_remedy_proposes_something_somewhere(remedy):
    """A remedy that never applies would pass all of the above. What is told only never does."""
    if remedy.depth is Depth.CODE:
        assert not any(remedy.propose(recipe(), finding, situation()) for finding in asked(remedy))
        assert remedy.answers
        return
    plain = recipe(stopping=EarlyStopping(epochs=45)) if remedy.name == "use-muon" else recipe()
    pictures = recipe(inputs=PictureInputs())
    of_pictures = (
        "augment-at-random", "blank-squares", "crop-pictures", "cut-and-mix", "jitter-colours", "mirror-pictures", "turn-pictures", "use-convolutions",
    )  # fmt: skip
    of_sequences = (
        "attend-to-steps", "augment-sequences", "go-step-by-step", "scale-each-sequence", "summarise-sequences",
        "use-temporal-convolutions",
    )  # fmt: skip
    special = {
        **dict.fromkeys(of_pictures, pictures),
        **dict.fromkeys(of_sequences, recipe(inputs=SequenceInputs())),
        "keep-memory": recipe(inputs=SequenceInputs(), network=RNN()),
        "pretrain-network": recipe(inputs=PictureInputs(), network=PlainCNN()),
        "unfreeze-backbone": recipe(inputs=PictureInputs(), network=ResNet(backbone="own.pth", trains="output")),
        "pass-layers-by": recipe(network=MLP(activation=ReLU(), width=16, depth=16)),
        "no-batch-normalisation": recipe(network=MLP(normalisation=BatchNorm()), batching=Shuffled(size=4)),
        "range-for-activation": recipe(network=MLP(activation=Sigmoid())),
        "less-dropout": recipe(network=MLP(dropout=0.5)),
        "less-regularisation": recipe(objective=CrossEntropy(label_smoothing=0.1)),
        "huber-loss": recipe(objective=MSE()),
        "standardise-inputs": recipe(inputs=TableInputs(scale="none")),
        "piecewise-linear-numbers": recipe(inputs=TableInputs(numbers="plain")),
        "standardise-target": recipe(inputs=TableInputs(target="none"), objective=MSE()),
        "log-target": recipe(objective=MSE()),
        "match-loss": recipe(objective=MSE()),
        "insert-activation": recipe(network=MLP(activation=Identity())),
        "unsquash-activation": recipe(network=MLP(activation=Sigmoid(), depth=6)),
    }
    if remedy.name == "faster-settings":
        own = recipe(inputs=ModuleInputs(), network=UserModule(), compute=Compute(precision="float32"))
        measured = Finding(DeviceUnderused(), 0.4, "", {"setting": Fact("bfloat16"), "times": Fact(2.0)})
        assert (
            remedy.propose(own, measured, situation(TaskKind.BINARY, curves()))[0].recipe.compute.precision
            == "bfloat16"
        )
        return
    if remedy.name == "tame-activation":
        growing = Anatomy((Organ("0", "linear", 2, 8, "exp"), Organ("1", "activation", 8, 8, "exp")), (2,), True)
        start = recipe(inputs=ModuleInputs(), network=UserModule())
        proposal = remedy.propose(start, found(ExplodingGradient), situation(TaskKind.BINARY, growing))[0]
        assert proposal.recipe.network.edits[0].new == "relu"
        return
    regression = remedy.name in {"huber-loss", "standardise-target", "log-target"}
    around = situation(TaskKind.REGRESSION if regression else TaskKind.BINARY, curves(), found_rate=0.05)
    start = special.get(remedy.name, plain)
    assert any(remedy.propose(start, finding, around) for finding in asked(remedy))


def test_every_check_is_answered_or_told():
    answered = {check.name for remedy in remedies.ALL for check in remedy.answers}
    assert {check.name for check in checks.ALL} <= answered


def test_faults_of_code_alone_are_told_alone():
    told = {check.name for remedy in remedies.ALL if remedy.depth is Depth.CODE for check in remedy.answers}
    tried = {check.name for remedy in remedies.ALL if remedy.depth is not Depth.CODE for check in remedy.answers}
    assert {
        "loss-broadcast", "untrained-parameters", "gradients-not-cleared", "missing-eval-mode", "missing-train-mode",
        "misaligned-labels", "loader-bound", "host-sync", "memory-growth", "causal-leak",
    } <= told - tried  # fmt: skip


def test_what_is_told_names_the_place_and_the_numbers():
    def told(name, check, place="", **facts):
        remedy = next(each for each in remedies.ALL if each.name == name)
        return remedy.advise(found(check, 0.9, place, **facts))

    assert "backward() at train.py:41" in told("clear-gradients", GradientsNotCleared, "train.py:41")
    shapes = told(
        "align-shapes", LossBroadcast, "train.py:7", answers="(32, 1)", targets="(32)", change="outputs.squeeze(-1)"
    )
    assert shapes == (
        "Give the loss answers and targets of one shape at train.py:7 ((32, 1) against (32)): outputs.squeeze(-1)."
    )
    assert "nn.ModuleList" in told(
        "train-all-parameters", UntrainedParameters, kind="unregistered", names="Linear(64, 64)"
    )
    assert "about 64 rows" in told("batch-and-rate", BatchSize, advised=64.0)
    softmax = told(
        "match-loss",
        LossOutputMismatch,
        "train.py:9",
        kind="softmax-twice",
        function="cross_entropy",
        made_by="softmax",
    )
    assert softmax == (
        "Take the softmax at the end of the network away, so that cross_entropy gets raw answers at train.py:9."
    )
    assert "first 17 (given 3, rather 8)" in told(
        "mend-labels", LabelNoise, suspects=" The most suspect rows: 17 (given 3, rather 8)."
    )


def test_advice_uses_what_was_found():
    def advice(remedy, check, **facts):
        return remedy.advise(found(check, 0.9, **facts))

    assert (
        advice(LowerRate(), LearningRateTooHigh, used=0.3, found=0.003) == "Lower the learning rate from 0.3 to 0.003."
    )
    assert "to a third" in advice(LowerRate(), LearningRateTooHigh, used=0.3, found=float("nan"))
    assert "3.3e-05" not in advice(
        LowerRate(), LearningRateTooHigh, used=1e-4, found=1e-3
    )  # the test found a higher one
    assert "15 epochs in place of 5" in advice(Longer(), StillImproving, trained=5.0)
    stop = next(each for each in remedies.ALL if each.name == "stop-early")
    assert stop.advise(found(Overfitting, 0.9, best=7.0, trained=80.0)).endswith("(the best was epoch 7 of 80).")


def test_stopping_early_waits_in_steps_where_an_epoch_has_few():
    stop = next(each for each in remedies.ALL if each.name == "stop-early")

    def rule(rows, size, epochs=10):
        before = recipe(batching=Shuffled(size=size), stopping=FixedEpochs(epochs=epochs))
        return stop.propose(before, None, situation(rows=rows))[0].recipe.stopping

    assert (rule(5000, 128).patience, rule(5000, 128).epochs) == (8, 45)
    assert (rule(10, 32).patience, rule(10, 32).epochs) == (64, 360), "an epoch is one step: eight of those are noise"
    assert (rule(100, 25).patience, rule(100, 25).epochs) == (16, 90)
    assert rule(10, 32, epochs=1000).epochs == 1000


def test_a_probes_range_test_is_read_too():
    probed = situation(TaskKind.BINARY, RateRange((1e-4, 1e-2), (2.0, 1.0), 1e-3, 0.03, 0.1))
    assert RangeTestRate().propose(recipe(), None, probed)[0].name == "rate 0.001 -> 0.03 (range test)"


def test_batch_and_rate_move_together():
    finding = found(BatchSize, advised=32.0)
    slow = BatchAndRate().propose(recipe(), finding, situation())[0].recipe
    assert slow.batching.size == 32
    assert rate_of(slow) == pytest.approx(1e-3 / 2)
    plain = BatchAndRate().propose(recipe(optimizer=Momentum(learning_rate=0.1)), finding, situation())[0].recipe
    assert rate_of(plain) == pytest.approx(0.1 / 4)
    assert BatchAndRate().propose(recipe(), None, situation()) == ()


def test_tiny_batches_beside_batch_statistics_grow():
    small = recipe(network=MLP(normalisation=BatchNorm()), batching=Shuffled(size=2))
    assert LargerBatches().propose(small, found(TinyBatchNormalisation), situation())[0].recipe.batching.size == 32


def test_dropout_goes_up_by_steps_and_ends():
    start, names = recipe(network=MLP(dropout=0.1)), []
    while proposals := MoreDropout().propose(start, found(Overfitting), situation()):
        names.append(proposals[0].name)
        start = proposals[0].recipe
    assert names == ["dropout 0.1 -> 0.3", "dropout 0.3 -> 0.5"]


def test_the_range_and_the_initialisation_suit_the_activation():
    sigmoid, tanh = recipe(network=MLP(activation=Sigmoid())), recipe(network=MLP(activation=Tanh()))
    remedy = RangeForActivation()
    assert remedy.propose(sigmoid, found(SaturatedUnits), situation())[0].name == "scale: 0 to 1"
    assert remedy.propose(tanh, found(SaturatedUnits), situation())[0].name == "scale: -1 to 1"
    assert remedy.propose(recipe(), found(SaturatedUnits), situation()) == ()
    named = [InitialiseForActivation().propose(each, None, situation())[0].name for each in (sigmoid, recipe())]
    assert named == ["initialisation: Xavier", "initialisation: He"]


def test_longer_is_not_proposed_where_a_rule_stopped_before_its_cap():
    rule = recipe(stopping=EarlyStopping(epochs=45))
    assert Longer().propose(rule, found(StillImproving), situation(TaskKind.BINARY, curves(20, 45))) == ()
    assert Longer().propose(rule, found(StillImproving), situation(TaskKind.BINARY, curves(45, 45)))
    proposal = Longer().propose(recipe(), found(StillImproving), situation(TaskKind.BINARY, curves()))[0]
    assert proposal.name == "longer: 10 -> 30 epochs"
    assert proposal.recipe.stopping.epochs == 30


def test_fair_remedies_ask_for_a_rate_of_their_own():
    for remedy in remedies.ALL:
        paths = {path.partition(".")[0] for path in remedy.changes}
        if remedy.name in {
            "wider",
            "deeper",
            "batch-normalisation",
            "gelu-activation",
            "use-momentum",
            "smaller-batches",
        }:
            start, finding = recipe(), found(remedy.answers[0])
            assert all(each.finds_rate for each in remedy.propose(start, finding, situation())), remedy.name
        elif paths <= {"schedule", "stopping", "inputs"}:
            for finding in asked(remedy):
                assert not any(each.finds_rate for each in remedy.propose(recipe(), finding, situation())), remedy.name


def test_rates_move_far_only_for_a_warning():
    rates = [rate_of(each.recipe) for each in LowerRate().propose(recipe(), found(LearningRateTooHigh), situation())]
    assert rates == pytest.approx([1e-4, 3.33e-5, 3.33e-4])
    rates = [rate_of(each.recipe) for each in LowerRate().propose(recipe(), None, situation())]
    assert rates == pytest.approx([3.33e-4])


def test_the_range_tests_rate_is_taken_where_it_disagrees():
    assert RangeTestRate().propose(recipe(), None, situation()) == ()
    assert RangeTestRate().propose(recipe(), None, situation(found_rate=1.2e-3)) == ()
    assert (
        RangeTestRate().propose(recipe(), None, situation(found_rate=0.0213))[0].name
        == "rate 0.001 -> 0.021 (range test)"
    )


def test_class_weights_are_not_for_ranks():
    finding = found(ClassImbalance)
    assert WeighClasses().propose(recipe(), finding, situation(TaskKind.BINARY, curves(metric="accuracy")))
    assert WeighClasses().propose(recipe(), finding, situation(TaskKind.BINARY, curves(metric="roc_auc"))) == ()


def test_batches_grow_only_while_an_epoch_has_some():
    finding = found(LearningRateTooHigh)
    assert LargerBatches().propose(recipe(), finding, situation(rows=100_000))
    assert LargerBatches().propose(recipe(), finding, situation(rows=1000)) == ()


def test_batch_normalisation_leaves_only_tiny_batches():
    normed = MLP(normalisation=BatchNorm())
    assert NoBatchNormalisation().propose(recipe(network=normed, batching=Shuffled(size=4)), None, situation())
    assert NoBatchNormalisation().propose(recipe(network=normed), None, situation()) == ()


def test_ensembles_grow_to_eight():
    first = EnsembleOfSeeds().propose(recipe(), None, situation())[0]
    second = EnsembleOfSeeds().propose(first.recipe, None, situation())[0]
    assert [first.name, second.name] == ["ensemble of 4 seeds", "ensemble of 8 seeds"]
    assert EnsembleOfSeeds().propose(second.recipe, None, situation()) == ()


def test_bounds_are_not_passed():
    assert Wider().propose(recipe(network=MLP(width=1024)), found(Underfitting), situation()) == ()
    assert edit(recipe(), "network", {"dropout": 7.0}) is None


def test_bad_columns_are_dropped_by_name():
    assert DropBadFeatures().propose(recipe(), None, situation()) == ()


@pytest.mark.parametrize(("width", "deep", "proposed"), [(16, 16, True), (8, 8, True), (64, 16, False), (8, 4, False)])
def test_only_many_narrow_layers_are_passed_by(width, deep, proposed):
    start = recipe(network=MLP(activation=ReLU(), width=width, depth=deep))
    remedy = next(each for each in remedies.ALL if each.name == "pass-layers-by")
    made = remedy.propose(start, found(PoorInitialisation), situation())
    assert [each.recipe.network.residual for each in made] == [True] * proposed
    assert remedy.propose(start, None, situation()) == ()


def test_many_narrow_layers_are_passed_by_before_they_are_drawn_anew():
    narrow, wide = (recipe(network=MLP(activation=ReLU(), width=width, depth=16)) for width in (16, 128))
    first = [proposals(each, [found(PoorInitialisation)], situation())[0].remedy for each in (narrow, wide)]
    assert first == ["pass-layers-by", "initialise-for-activation"]


def test_wrong_labels_are_answered_by_what_learns_them_late():
    ranked = proposals(recipe(), [found(LabelNoise, 1.0)], situation())
    names = [each.remedy for each in ranked if each.answers == "label-noise"]
    assert names[0] == "robust-loss"
    assert {"cosine-schedule", "more-dropout", "keep-best-epoch"} <= set(names)


def test_a_lost_class_is_answered_by_its_own_remedies_first():
    ranked = proposals(recipe(), [found(ClassImbalance, 0.7)], situation())
    assert {each.remedy for each in ranked[:2]} == {"balance-batches", "weigh-classes"}
