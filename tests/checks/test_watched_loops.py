"""A loop that only logs, or not even that: what is known of its outcome, and that its checks work and stay silent."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional
from written_evidence import HEALTHY, LAYERS, SICK, call, curves, falling, of, units

import liebig
from liebig.checks import diagnose
from liebig.checks.outcome import loss_floor, outcome
from liebig.checks.strength import disappoints, matrices, room
from liebig.core.check import Found
from liebig.core.evidence import (
    ClassRecall,
    EpochCurves,
    Evidence,
    FinalScore,
    GradientNorms,
    InitialLoss,
    InitialWeights,
    LabelAgreement,
    LayerShape,
    LearningCurve,
    LossCalls,
    Measurement,
    ModuleModes,
    NoiseScale,
    NonFinite,
    OneBatch,
    RateRange,
    Regularised,
    SameBatchTwice,
    ShuffledInputs,
    StepLosses,
    Structure,
    UnitStatistics,
    UpdateRatios,
    WeightNorms,
)

NAN20 = (math.nan,) * 20
#: What only data can tell.
_ACTIVE = (
    FinalScore, ClassRecall, LabelAgreement, LearningCurve, NoiseScale, OneBatch, RateRange, Regularised, ShuffledInputs,
    SameBatchTwice,
)  # fmt: skip


def logged(train: tuple[float, ...], stop: tuple[float, ...], accuracy: float = math.nan) -> EpochCurves:
    n = len(train)
    nothing = (math.nan,) * n
    return EpochCurves(train, stop, (accuracy,) * n, nothing, nothing, nothing, tuple(map(float, range(n))), n - 1, n, 0,
                       nothing, True, "accuracy")  # fmt: skip


def steps(start: float, end: float) -> StepLosses:
    looks = (*range(50), *(60 * 2**i for i in range(8)))
    return StepLosses(looks, falling(start, end, len(looks)), (0.05,) * len(looks), 8000, 32)


def without(evidence: Evidence, *kinds: type[Measurement]) -> Evidence:
    return Evidence(tuple(each for each in evidence if type(each) not in kinds))


#: A healthy loop that logs its losses, and one that logs nothing.
LOGS = without(HEALTHY, *_ACTIVE).having(logged(falling(1.5, 0.02), falling(1.4, 0.08), 0.97), steps(2.3, 0.02))
SILENT = without(LOGS, EpochCurves)


# --- the outcome -----------------------------------------------------------------------------------------------


def test_a_measured_outcome_goes_before_a_logged_one() -> None:
    assert outcome(HEALTHY) is of(FinalScore)


def test_the_outcome_is_read_from_what_was_logged() -> None:
    score = outcome(LOGS)
    assert score is not None
    assert score.train_loss == pytest.approx(0.02, abs=1e-3)
    assert score.loss == pytest.approx(0.08, abs=1e-3)
    assert score.chance_loss == of(InitialLoss).baseline
    assert room(LOGS) < 0.05


def test_the_outcome_is_read_from_the_steps_where_nothing_was_logged() -> None:
    score = outcome(SILENT)
    assert score is not None
    assert score.train_loss == pytest.approx(0.02, abs=1e-3)
    assert math.isnan(score.loss)
    assert disappoints(SILENT) == 0.0
    assert outcome(Evidence()) is None
    assert disappoints(Evidence()) == 0.5


def test_losses_that_were_summed_are_not_taken_for_means() -> None:
    summed = LOGS.having(logged(tuple(40.0 * each for each in falling(1.5, 0.02)), NAN20))
    assert room(summed) < 0.05


def test_accuracy_may_be_kinder_than_a_loss_with_a_unit_of_its_own() -> None:
    doubled = without(LOGS, EpochCurves).having(logged(falling(2.3, 1.5), falling(2.3, 1.52), 0.97), steps(2.3, 1.5))
    assert room(doubled) < 0.05


def test_smoothing_leaves_a_loss_that_is_not_missing() -> None:
    smoothed = LOGS.having(LossCalls((call(smoothing=0.1),)), logged(falling(1.5, 0.52), NAN20), steps(2.3, 0.52))
    assert loss_floor(smoothed) == pytest.approx(0.500, abs=0.01)
    assert room(smoothed) < 0.05


def test_a_run_that_broke_has_learnt_nothing() -> None:
    assert room(SILENT.having(NonFinite(3, "", "the loss", "forward"))) == 1.0


# --- silent on the healthy -------------------------------------------------------------------------------------


@pytest.mark.parametrize("evidence", [LOGS, SILENT], ids=["logs", "silent"])
def test_a_healthy_loop_raises_no_warning(evidence: Evidence) -> None:
    assert diagnose(evidence).warnings == ()


def test_what_starts_by_other_rules_is_not_called_poor() -> None:
    """Embeddings, recurrent weights, positions and a residual branch that starts at zero."""
    names = ("embed.weight", "position", "lstm.weight_ih_l0", "block.up.weight", "block.down.weight", "head.weight")
    weights = InitialWeights(names, (1.0, 0.0, 0.05, 0.1, 0.0, 0.1), (16.0, 0.0, 0.05, 1.0, 0.0, 1.0),
                             (0.0, 1.0, 0.0, 0.0, 1.0, 0.0), (1.0, 1.0, 1.0, 0.0, 1.0, 1.0))  # fmt: skip
    kinds = {"embed": "embedding", "lstm": "recurrent", "block.up": "linear", "block.down": "linear", "head": "linear"}
    shapes = tuple(LayerShape(name, kind, 64, 64, 4096, 4096, 8192, "unknown") for name, kind in kinds.items())
    evidence = SILENT.having(weights, Structure("foreign", shapes), steps(4.0, 2.0), InitialLoss(4.0, 4.0, 0.2, 0.0))
    assert matrices(evidence, names) == [3, 4, 5]
    assert disappoints(evidence) == 1.0
    assert diagnose(evidence).warnings == ()


def test_a_gradient_that_comes_back_was_not_lost() -> None:
    looks = ((0.0, 0.0, 0.5), (1e-4, 1e-3, 0.5), (1e-3, 1e-2, 0.5), *(((0.3, 0.4, 0.5),) * 6))
    norms = GradientNorms(tuple(range(9)), LAYERS, looks, looks)
    assert diagnose(SILENT.having(norms, steps(2.3, 1.6))).warnings == ()


def test_bent_networks_may_have_two_layers_in_a_row() -> None:
    shapes = (
        LayerShape("a", "linear", 9, 64, 640, 640, 1, ""),
        LayerShape("b", "linear", 64, 64, 640, 640, 1, "relu"),
        LayerShape("c", "linear", 64, 10, 640, 640, 1),
    )
    assert diagnose(SILENT.having(Structure("foreign", shapes), steps(2.3, 1.6))).warnings == ()


def test_raw_inputs_into_a_normalisation_are_scaled_there() -> None:
    first = LayerShape("norm", "batch-norm", 2, 2, 4, 4, 1)
    structure = Structure("foreign", (first, *of(Structure).layers))
    raw = SILENT.having(*SICK["unscaled-inputs"][:1], structure, steps(2.3, 1.6))
    assert diagnose(raw).warnings == ()


# --- and speaks on the sick ------------------------------------------------------------------------------------

_PASSIVE = {
    "unscaled-inputs", "unscaled-targets", "poor-initialisation", "vanishing-gradient", "saturated-units",
    "learning-rate-too-high", "learning-rate-too-low", "over-regularised", "missing-nonlinearity", "tiny-batch-normalisation",
    "untrained-parameters", "gradients-not-cleared", "missing-train-mode",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(_PASSIVE))
@pytest.mark.parametrize("base", [LOGS, SILENT], ids=["logs", "silent"])
def test_mechanisms_are_found_without_a_measured_outcome(name: str, base: Evidence) -> None:
    measured = [each for each in SICK[name] if not isinstance(each, (*_ACTIVE, EpochCurves))]
    outcomes: list[Measurement] = [steps(2.3, 2.25)]
    if base is LOGS:
        outcomes.append(logged(falling(2.3, 2.25), falling(2.3, 2.26), 0.12))
    if name == "unscaled-targets":
        outcomes[0] = steps(1e10, 9e8)
        outcomes[1:] = [logged((9e8,) * 20, (9e8,) * 20)] * (base is LOGS)
    if name == "tiny-batch-normalisation":
        outcomes[0] = replace(steps(2.3, 2.25), batch=2)
    first = diagnose(base.having(*measured, *outcomes)).findings[0]
    assert first.check.name == name
    assert first.is_warning


def test_not_learning_by_the_steps_alone() -> None:
    diagnosis = diagnose(SILENT.having(steps(2.31, 2.3)))
    assert [each.check.name for each in diagnosis.findings[:1]] == ["not-learning"]


def test_overfitting_by_the_logs_alone() -> None:
    rising = logged(falling(1.5, 0.01), tuple(0.4 + 0.03 * abs(i - 3) for i in range(20)))
    assert diagnose(LOGS.having(rising)).findings[0].check.name == "overfitting"


def test_labels_that_are_not_of_their_rows_by_the_logs_alone() -> None:
    apart = logged(falling(2.3, 0.3), tuple(2.31 + 0.05 * i for i in range(20)), 0.1)
    assert diagnose(LOGS.having(apart, steps(2.3, 0.3))).findings[0].check.name == "misaligned-labels"


def test_wrong_labels_by_the_logs_alone() -> None:
    """Training rows that stay harder than others, and nothing that makes them so."""
    harder = LOGS.having(logged(falling(2.3, 1.2), falling(2.3, 0.6), 0.84), steps(2.3, 1.2))
    plain = harder.having(replace(of(ModuleModes), sensitive=()))
    assert diagnose(plain).findings[0].check.name == "label-noise"
    assert not isinstance(diagnose(harder).answers["label-noise"], Found), "dropout makes training rows harder"


def test_dropout_that_is_too_strong_by_the_logs_alone() -> None:
    layers = (*of(Structure).layers, LayerShape("drop", "dropout", 64, 64, 0, 0, 0))
    noisy = LOGS.having(
        logged(falling(2.3, 1.7), falling(2.3, 0.6), 0.8), steps(2.3, 1.7), Structure("foreign", layers)
    )
    assert diagnose(noisy).findings[0].check.name == "over-regularised"


def test_causes_come_in_the_order_in_which_one_leads_to_the_next() -> None:
    """The rate, then the units that died of it, then the gradient that vanished for that."""
    dead = UnitStatistics((0, 5, 999), ((units(),), (units(0.9),), (units(0.97),)))
    late = ((0.4, 0.5, 0.6), (0.4, 0.5, 0.6), (0.4, 0.5, 0.6), (0.0, 1e-9, 0.5), (0.0, 1e-9, 0.5), (0.0, 1e-9, 0.5))
    norms = GradientNorms((0, 1, 2, 50, 100, 999), LAYERS, late, late)
    ratios = UpdateRatios(tuple(range(20)), LAYERS, ((0.3, 0.4, 0.5),) * 20, (0.3,) * 20)
    text = str(diagnose(SILENT.having(dead, norms, ratios, steps(2.3, 2.3))))
    assert text.startswith("1. The learning rate is too high.")
    assert "certain" in text.splitlines()[0]
    follows = " ".join(text.split())
    assert 'The 97 % dead units in layer "layers.0", the vanished gradients' in follows
    assert "follow from that." in follows
    assert "instead of 0.3, with a warm-up of 100 steps." in follows


def test_units_that_died_are_counted_among_those_that_were_alive() -> None:
    """Half of a deep layer is silent from the start: when the rest dies, the rate is named, and the dead units follow."""
    dying = UnitStatistics((0, 5, 999), ((units(0.5),), (units(0.5),), (units(0.95),)))
    first = diagnose(SILENT.having(dying, steps(2.3, 2.3))).findings[0]
    assert first.check.name == "learning-rate-too-high"
    assert "dead-units" in {each.check.name for each in first.consequences}


def test_what_was_learnt_and_lost_between_two_looks_is_read_from_the_epochs() -> None:
    """The last look still saw a falling loss; the epochs that were logged rose to chance after it."""
    early = StepLosses((*range(9), 34, 205), falling(2.6, 1.4, 11), (0.05,) * 11, 510, 32)
    rose = (2.2, 1.8, 1.3, 1.0, 0.9, 0.9, 1.4, 1.6, 2.6, 2.3, *(2.3,) * 10)
    told = diagnose(SILENT.having(early, logged(rose, rose, 0.1)))
    assert told.findings[0].check.name == "learning-rate-too-high"
    assert "It had been down at 0.9 and is 2.3 at the end" in " ".join(str(told).split())
    kept = (2.2, 1.8, 1.3, 1.0, 0.9, 0.9, *(0.8,) * 14)
    others = diagnose(SILENT.having(early, logged(kept, kept, 0.6))).findings
    assert "learning-rate-too-high" not in {each.check.name for each in others}


def test_a_cause_does_not_explain_what_was_there_before_it() -> None:
    born_dead = UnitStatistics((0, 999), ((units(0.99),), (units(0.99),)))
    ratios = UpdateRatios(tuple(range(20)), LAYERS, ((0.2, 0.2, 0.2),) * 20)
    found = diagnose(SILENT.having(born_dead, ratios, steps(2.3, 2.3))).findings
    assert found[0].check.name == "poor-initialisation"
    rate = next((each for each in found if each.check.name == "learning-rate-too-high"), None)
    assert rate is None or "dead-units" not in {each.check.name for each in rate.consequences}


def test_weights_that_shrink_are_not_needed_to_see_that_training_is_healthy() -> None:
    assert not isinstance(diagnose(without(SILENT, WeightNorms)).answers["over-regularised"], Found)


def test_what_is_missing_says_how_to_get_it() -> None:
    last = str(diagnose(SILENT)).splitlines()[-1]
    assert last.startswith("Watched 1,000 steps at 0.5 % cost. ")
    assert "no validation loss: watch.log(valid_loss=...)" in last
    assert "watch.probe()" in last


def test_a_curve_on_a_handful_of_rows_is_not_trusted() -> None:
    few = replace(curves(falling(1.5, 0.02), tuple(0.3 + 0.1 * (-1) ** i for i in range(20))), stop_rows=20,
                  stop_loss_error=NAN20)  # fmt: skip
    assert diagnose(LOGS.having(few)).warnings == ()


def test_chance_of_many_outputs_is_the_mean_of_each() -> None:
    """Also where the number of columns is in step with any sample across them: every column has a mean of its own."""
    torch.manual_seed(0)
    goal = 0.1 * torch.randn(320, 64) + torch.linspace(0.0, 3.0, 64)
    net = nn.Linear(64, 64)
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    with liebig.watch(net, optimizer) as watch:
        for rows in goal.split(32):
            optimizer.zero_grad()
            functional.mse_loss(net(rows), rows).backward()
            optimizer.step()
    initial = watch.evidence.get(InitialLoss)
    assert initial is not None
    assert initial.baseline == pytest.approx(0.01, rel=0.1)
    assert initial.target_mean == pytest.approx(1.5, rel=0.1)
