"""Faults in code on evidence written out by hand: which kind it is, and that what is meant stays silent."""

import math
from dataclasses import replace

import pytest
from written_evidence import HEALTHY, LAYERS, POOR, call, calls, of

from liebig.checks import ALL
from liebig.core.check import Answer, Clear, Found, NotApplicable, NotMeasured
from liebig.core.evidence import (
    Causality,
    Evidence,
    GradientClearing,
    GradientNorms,
    HostSyncs,
    LoaderWait,
    LossCalls,
    MemoryGrowth,
    ModuleModes,
    NonFinite,
    ParameterUse,
    ProbeCost,
    SharedRows,
    SkippedSteps,
)

BY_NAME = {check.name: check for check in ALL}
PROBABILITIES = {"low": 0.0, "high": 1.0, "sums_low": 1.0, "sums_high": 1.0}
NUMBERS = {
    "function": "mse_loss", "input_shape": (32, 1), "target_shape": (32, 1), "result_shape": (32, 1), "target_whole": False,
    "target_low": -1.7, "target_high": 2.1, "sums_low": math.nan, "sums_high": math.nan,
}  # fmt: skip
BITS = {
    "function": "binary_cross_entropy_with_logits", "input_shape": (32, 1), "target_shape": (32, 1), "result_shape": (32, 1),
    "target_low": 0.0, "target_high": 1.0, "sums_low": math.nan, "sums_high": math.nan,
}  # fmt: skip
ONE_HOT = {
    "function": "mse_loss", "target_shape": (32, 10), "result_shape": (32, 10), "target_high": 1.0, "target_sums_low": 1.0,
    "target_sums_high": 1.0,
}  # fmt: skip


def mismatch(evidence: Evidence = HEALTHY, **changes: object) -> Answer:
    return BY_NAME["loss-output-mismatch"](evidence.having(calls(**changes)))


def kind_of(answer: Answer) -> str:
    assert isinstance(answer, Found), answer
    return str(answer.facts["kind"].value)


# --- loss and output -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("softmax-twice", {"made_by": "softmax"} | PROBABILITIES),
        ("softmax-twice", {"made_by": "div"} | PROBABILITIES),  # a softmax written by hand
        ("bounded-logits", {"made_by": "sigmoid", "low": 0.3, "high": 0.7}),
        ("probabilities-for-logs", {"function": "nll_loss", "made_by": "softmax"} | PROBABILITIES),
        ("raw-for-logs", {"function": "nll_loss", "made_by": ""}),
        ("probabilities-for-logs", {"function": "kl_div", "made_by": "softmax"} | PROBABILITIES),
        ("sigmoid-twice", BITS | {"made_by": "sigmoid", "low": 0.4, "high": 0.6}),
        ("cut-logits", BITS | {"made_by": "relu", "low": 0.0}),
        ("bits-range", BITS | {"target_low": -1.0}),
        ("bits-range", BITS | {"target_low": 1.0, "target_high": 2.0}),
        ("softmax-of-one", BITS | {"function": "binary_cross_entropy", "made_by": "softmax", "low": 1.0, "high": 1.0}),
        ("softmax-of-one", NUMBERS | {"made_by": "squeeze", "low": 1.0, "high": 1.0}),
        ("one-class", {"input_shape": (32, 1), "target_high": 0.0, "loss": 0.0}),
        ("cut-numbers", NUMBERS | {"made_by": "relu", "low": 0.0}),
        ("bounded-numbers", NUMBERS | {"made_by": "sigmoid", "low": 0.0, "high": 1.0}),
        ("bounded-numbers", NUMBERS | {"made_by": "tanh", "target_low": 20.0, "target_high": 300.0}),
        ("label-range", {"failed": "Target 10 is out of bounds.", "loss": math.nan, "target_high": 12.0}),
        ("labels-from-one", {"failed": "Target 10 is out of bounds.", "loss": math.nan, "target_low": 1.0,
                             "target_high": 10.0}),
    ],
)  # fmt: skip
def test_the_wrong_pair_is_named_with_function_and_place(kind: str, changes: dict[str, object]) -> None:
    answer = mismatch(**changes)
    assert kind_of(answer) == kind
    assert isinstance(answer, Found)
    assert answer.strength >= 0.9
    told = BY_NAME["loss-output-mismatch"].tell(answer.facts, answer.place)
    assert "train.py:41" in told.evidence
    assert str(answer.facts["function"].value) in told.headline + told.evidence


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("squared-one-hot", ONE_HOT | {"made_by": "softmax"} | PROBABILITIES),
        ("squared-bits", NUMBERS | {"made_by": "sigmoid", "target_low": 0.0, "target_high": 1.0, "target_whole": True}),
        ("cut-logits", {"made_by": "relu", "low": 0.0}),
    ],
)
def test_what_can_be_a_choice_is_a_warning_only_where_the_outcome_is_poor(
    kind: str, changes: dict[str, object]
) -> None:
    poor, good = (mismatch(HEALTHY.having(*more), **changes) for more in ((POOR,), ()))
    assert kind_of(poor) == kind_of(good) == kind
    assert isinstance(poor, Found)
    assert isinstance(good, Found)
    assert poor.strength >= 0.5
    assert good.strength < poor.strength
    assert good.strength <= 0.5


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"function": "nll_loss", "made_by": "log_softmax", "high": 0.0, "sums_low": 1.0, "sums_high": 1.0},
        BITS,
        BITS | {"function": "binary_cross_entropy", "made_by": "sigmoid", "low": 0.1, "high": 0.9},
        NUMBERS,
        NUMBERS | {"made_by": "sigmoid", "low": 0.0, "high": 1.0, "target_low": 0.0, "target_high": 1.0},
        {"target_shape": (32, 10), "target_high": 0.9, "target_whole": False},
    ],
)
def test_the_right_pair_is_clear(changes: dict[str, object]) -> None:
    assert mismatch(**changes) == Clear()


@pytest.mark.parametrize(
    "changes",
    [
        {"made_by": "log_softmax", "high": 0.0},
        ONE_HOT,
        {"target_low": 1.0, "rows": 100},
        NUMBERS | {"made_by": "relu", "low": 0.0, "target_low": 0.0},
        NUMBERS | {"target_whole": True, "target_low": 0.0, "target_high": 9.0, "rows": 100},
    ],
)
def test_what_does_no_harm_is_a_hint(changes: dict[str, object]) -> None:
    answer = mismatch(HEALTHY.having(POOR), **changes)
    assert isinstance(answer, Found)
    assert answer.strength < 0.5


def test_the_floor_of_a_second_softmax_is_told() -> None:
    answer = mismatch(made_by="softmax", **PROBABILITIES)
    assert isinstance(answer, Found)
    assert answer.facts["floor"].value == pytest.approx(1.4612, abs=1e-4)


def test_evaluating_calls_do_not_speak_for_training() -> None:
    train, judge = call(), call(training=False, made_by="softmax", place="train.py:60", **PROBABILITIES)
    assert BY_NAME["loss-output-mismatch"](HEALTHY.having(LossCalls((train, judge)))) == Clear()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (NUMBERS | {"target_shape": (32,), "result_shape": (32, 32)}, True),
        (NUMBERS | {"function": "by hand", "input_shape": (32,), "result_shape": (32, 32)}, True),
        (NUMBERS | {"function": "by hand", "input_shape": (32, 1, 8), "target_shape": (32, 8), "result_shape": (32, 32, 8)},
         False),  # distances of all pairs, meant so
        (NUMBERS, False),
        (NUMBERS | {"target_shape": (1, 1)}, False),
    ],
)  # fmt: skip
def test_shapes_that_are_stretched(changes: dict[str, object], found: bool) -> None:
    answer = BY_NAME["loss-broadcast"](HEALTHY.having(calls(**changes)))
    assert isinstance(answer, Found) is found


# --- parameters, gradients, modes ------------------------------------------------------------------------------


def use(**changes: object) -> ParameterUse:
    return replace(of(ParameterUse), **changes)  # type: ignore[arg-type]  # what a test wants changed


def untrained(*more: object, **changes: object) -> Answer:
    return BY_NAME["untrained-parameters"](HEALTHY.having(use(**changes), *more))  # type: ignore[arg-type]


def test_a_pretrained_backbone_that_is_frozen_on_purpose_is_no_warning() -> None:
    frozen = {"frozen": LAYERS[:2], "trained_values": 650, "head_only": True}
    for outcome in (of(type(POOR)), replace(POOR, train_loss=0.5, loss=0.6)):
        answer = untrained(outcome, **frozen)
        assert not isinstance(answer, Found) or answer.strength < 0.5
    left = untrained(replace(POOR, train_loss=0.5), left_out=LAYERS[:2], trained_values=650, head_only=True)
    assert not isinstance(left, Found) or left.strength < 0.5


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("nothing", {"left_out": LAYERS, "elsewhere": 6, "trained_values": 0}),
        ("still", {"trained_values": 0}),
        ("fresh", {"frozen": LAYERS[:2], "fresh": LAYERS[:2], "trained_values": 650, "head_only": True}),
        ("fresh", {"left_out": LAYERS[:2], "fresh": LAYERS[:2], "trained_values": 650, "head_only": True}),
        ("left-out", {"left_out": LAYERS[:1], "trained_values": 3000}),
        ("no-gradient", {"without_gradient": LAYERS[:1], "trained_values": 3000}),
        ("unmoved", {"unmoved": LAYERS[1:2], "trained_values": 1000}),
        ("unregistered", {"unregistered": ("Linear(64, 64)",)}),
    ],
)
def test_why_a_part_is_not_trained(kind: str, changes: dict[str, object]) -> None:
    answer = untrained(POOR, **changes)
    assert kind_of(answer) == kind
    assert isinstance(answer, Found)
    assert answer.strength >= 0.5


def test_weights_behind_dead_units_are_not_called_untrained() -> None:
    nothing = replace(of(GradientNorms), norms=((0.0, 0.0, 0.5),) * 3)
    answer = untrained(POOR, nothing, unmoved=LAYERS[:2], trained_values=650)
    assert not isinstance(answer, Found)


def test_accumulated_gradients_are_clear() -> None:
    assert BY_NAME["gradients-not-cleared"](HEALTHY.having(GradientClearing(20, 0, 4.0, 3.0))) == Clear()


@pytest.mark.parametrize(
    ("name", "modes"),
    [
        ("missing-eval-mode", ModuleModes(900, 900, 50, 50, (), ())),
        ("missing-eval-mode", ModuleModes(900, 900, 0, 0, ("drop",), ())),
        ("missing-train-mode", ModuleModes(900, 0, 50, 0, (), ())),
    ],
)
def test_a_mode_that_changes_nothing_is_not_applicable(name: str, modes: ModuleModes) -> None:
    assert isinstance(BY_NAME[name](HEALTHY.having(modes)), NotApplicable)


def test_batch_normalisation_that_stands_still_on_purpose_is_a_hint() -> None:
    answer = BY_NAME["missing-train-mode"](HEALTHY.having(POOR, ModuleModes(900, 900, 50, 0, ("bn", "drop"), ("bn",))))
    assert isinstance(answer, Found)
    assert answer.strength < 0.5


def test_a_loop_of_liebigs_own_cannot_have_faults_in_code() -> None:
    own = Evidence((ProbeCost(0.1, 10.0),))
    for check in ALL:
        if check.of_code:
            assert isinstance(check(own), NotApplicable), check.name
            assert isinstance(check(Evidence((ProbeCost(0.1, 10.0, 5, True),))), NotMeasured), check.name


# --- numbers, rows, machine ------------------------------------------------------------------------------------


def test_a_step_that_the_scaler_leaves_out_now_and_then_is_normal() -> None:
    broken = NonFinite(3, "layers.0", "the gradient", "backward")
    check = BY_NAME["non-finite"]
    assert check(HEALTHY.having(broken, SkippedSteps(2, 500, 65536.0))) == Clear()
    assert kind_of(check(HEALTHY.having(broken, SkippedSteps(400, 500, 1e-3)))) == "skipped"
    assert kind_of(check(HEALTHY.having(broken))) == "backward"


def test_evaluating_training_rows_alone_is_a_hint_where_nothing_is_judged_by_it() -> None:
    shared = SharedRows(400, 1.0, 1300)
    check = BY_NAME["leakage"]
    judged = check(HEALTHY.having(shared))
    alone = check(Evidence((shared,)))
    assert isinstance(judged, Found)
    assert isinstance(alone, Found)
    assert judged.strength > 0.9
    assert alone.strength < 0.5


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        ("host-sync", HostSyncs(3.0, "", ".item()")),  # a habit, and free on a CPU
        ("loader-bound", LoaderWait(2e-4, 3e-4, math.nan, 0)),  # what handing over a small batch costs
        ("memory-growth", MemoryGrowth(1e3, 1000, 20_000, 3, 4)),
        ("causal-leak", Causality(0.5, 32, False)),
    ],
)
def test_what_costs_nothing_is_no_finding(name: str, evidence: HostSyncs) -> None:
    assert not isinstance(BY_NAME[name](HEALTHY.having(evidence)), Found)


def test_on_a_gpu_waits_count() -> None:
    answer = BY_NAME["host-sync"](HEALTHY.having(HostSyncs(6.0, "", ".item()", device="cuda:0")))
    assert isinstance(answer, Found)
    assert answer.strength >= 0.5
