"""The recorder against numbers worked out by hand, on small stacks."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from liebig.core.evidence import (
    GradientNorms,
    InitialLoss,
    InitialWeights,
    NonFinite,
    ProbeCost,
    StepLosses,
    UnitStatistics,
    UpdateRatios,
    WeightNorms,
)
from liebig.probes.look import Look, SeenLayer, SeenWeight
from liebig.probes.recorder import Recorder
from liebig.probes.schedule import Seeing, looks_until, open_looks


def weight(value: Tensor, gradient: Tensor | None = None, change: Tensor | None = None, name: str = "w") -> SeenWeight:
    return SeenWeight(name, value, gradient, change)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_losses_are_means_with_their_sampling_error() -> None:
    recorder = Recorder(2, 100)
    losses = torch.tensor([[1.0, 3.0, 1.0, 3.0], [5.0, 5.0, 5.0, 5.0]])
    recorder.see(Look(0, losses=losses))
    recorder.see(Look(1, losses=losses + 1))
    seen = recorder.evidence(0).get(StepLosses)
    assert seen == StepLosses((0, 1), (2.0, 3.0), (0.5, 0.5), 100, 4)
    other = recorder.evidence(1).get(StepLosses)
    assert other is not None
    assert other.batch_noise == (0.0, 0.0)


def test_what_was_not_shown_is_absent() -> None:
    recorder = Recorder(1, 10)
    recorder.see(Look(0, losses=torch.ones(1, 4)))
    evidence = recorder.evidence(0)
    for kind in (InitialLoss, InitialWeights, GradientNorms, UpdateRatios, WeightNorms, UnitStatistics, NonFinite):
        assert evidence.get(kind) is None
    assert evidence.get(ProbeCost) is not None


def test_evidence_of_nothing_holds_the_cost_alone() -> None:
    assert [type(each) for each in Recorder(3, 10).evidence(2)] == [ProbeCost]


@pytest.mark.parametrize("members", [1, 3])
def test_norms_and_ratios(members: int) -> None:
    recorder = Recorder(members, 10)
    value, gradient, change = (normal(members, 4, 3, seed=i) for i in range(3))
    bias = normal(members, 3, seed=9)
    recorder.see(Look(3, (weight(value, gradient, change, "a"), weight(bias, bias, bias, "b"))))
    last = members - 1
    norms, ratios = recorder.evidence(last).get(GradientNorms), recorder.evidence(last).get(UpdateRatios)
    sizes = recorder.evidence(last).get(WeightNorms)
    assert norms is not None
    assert ratios is not None
    assert sizes is not None
    assert norms.layers == ratios.layers == ("a",), "biases are left out"
    assert norms.norms[0][0] == pytest.approx(float(gradient[last].norm()), rel=1e-5)
    assert norms.rms[0][0] == pytest.approx(float(gradient[last].square().mean().sqrt()), rel=1e-5)
    assert ratios.ratios[0][0] == pytest.approx(float(change[last].norm() / value[last].norm()), rel=1e-5)
    assert sizes.norms[0][0] == pytest.approx(float(value[last].norm()), rel=1e-5)


def test_light_looks_without_gradients_still_give_update_ratios() -> None:
    recorder = Recorder(1, 100)
    value = normal(1, 4, 3)
    recorder.see(Look(0, (weight(value, value, value * 0.1),)))
    recorder.see(Look(20, (weight(value, None, value * 0.2),)))
    norms, ratios = recorder.evidence(0).get(GradientNorms), recorder.evidence(0).get(UpdateRatios)
    assert norms is not None
    assert norms.steps == (0,)
    assert ratios is not None
    assert ratios.ratios[1][0] == pytest.approx(0.2, rel=1e-5)


def test_members_that_left_keep_their_evidence_and_their_number() -> None:
    recorder = Recorder(3, 10)
    recorder.see(Look(0, losses=torch.tensor([[0.0], [1.0], [2.0]])))
    recorder.keep([0, 2])
    recorder.see(Look(1, losses=torch.tensor([[10.0], [12.0]])))
    recorder.keep([1])
    recorder.see(Look(2, losses=torch.tensor([[22.0]])))
    curves = [recorder.evidence(member).get(StepLosses) for member in range(3)]
    assert [curve.loss for curve in curves if curve] == [(0.0, 10.0), (1.0,), (2.0, 12.0, 22.0)]


def test_a_look_of_the_wrong_number_of_members_is_refused() -> None:
    recorder = Recorder(3, 10)
    with pytest.raises(ValueError, match="must show the 3 members present, however it shows 2"):
        recorder.see(Look(0, losses=torch.ones(2, 4)))


def test_a_member_reads_the_same_alone_and_in_a_stack() -> None:
    value, gradient = normal(3, 6, 5), normal(3, 6, 5, seed=1)
    before = normal(3, 8, 5, seed=2)
    layer = SeenLayer("l", "relu", before, before.relu())

    def look(keep: slice) -> Look:
        part = SeenLayer("l", "relu", layer.before[keep], layer.after[keep])
        return Look(0, (weight(value[keep], gradient[keep], gradient[keep]),), (part,), before[keep, :, 0].square())

    stack, alone = Recorder(3, 10), Recorder(1, 10)
    stack.see(look(slice(0, 3)))
    alone.see(look(slice(1, 2)))
    for kind in (StepLosses, InitialWeights, GradientNorms, UnitStatistics):
        ours, theirs = stack.evidence(1).get(kind), alone.evidence(0).get(kind)
        assert str(ours)[:40] == str(theirs)[:40]
        assert repr(ours) == repr(theirs) or kind is GradientNorms


# --- the initial loss ------------------------------------------------------------------------------------------


def test_initial_loss_of_classes_is_the_cross_entropy_beside_the_entropy_of_the_prior() -> None:
    recorder = Recorder(1, 10, is_classification=True, class_shares=(0.5, 0.25, 0.25))
    outputs, target = normal(1, 8, 3), torch.tensor([[0, 1, 2, 0, 1, 2, 0, 0]])
    recorder.see(Look(0, outputs=outputs, target=target))
    seen = recorder.evidence(0).get(InitialLoss)
    assert seen is not None
    assert seen.loss == pytest.approx(float(torch.nn.functional.cross_entropy(outputs[0], target[0])), rel=1e-5)
    assert seen.baseline == pytest.approx(1.5 * math.log(2), rel=1e-5)
    assert seen.target_scale == 0.0


def test_initial_loss_of_two_classes_with_one_output() -> None:
    recorder = Recorder(1, 10, is_classification=True, class_shares=(0.5, 0.5))
    outputs, target = torch.full((1, 4, 1), 2.0), torch.ones(1, 4)
    recorder.see(Look(0, outputs=outputs, target=target))
    seen = recorder.evidence(0).get(InitialLoss)
    assert seen is not None
    assert seen.loss == pytest.approx(math.log1p(math.exp(-2.0)), rel=1e-5)


def test_initial_loss_of_numbers_is_the_squared_error_beside_the_variance() -> None:
    recorder = Recorder(1, 10)
    target = torch.tensor([[2.0, 4.0, 6.0]])
    recorder.see(Look(0, outputs=torch.zeros(1, 3, 1), target=target))
    seen = recorder.evidence(0).get(InitialLoss)
    assert seen is not None
    assert seen.loss == pytest.approx(56 / 3)
    assert seen.baseline == pytest.approx(8 / 3)
    assert seen.target_mean == pytest.approx(4.0)
    assert seen.target_scale == pytest.approx(math.sqrt(8 / 3))


def test_bits_with_one_output_are_taken_for_classes_unless_told_otherwise() -> None:
    target, outputs = torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2, 1)
    for told, expected in ((None, math.log(2)), (False, 0.5), (True, math.log(2))):
        recorder = Recorder(1, 10, is_classification=told)
        recorder.see(Look(0, outputs=outputs, target=target))
        seen = recorder.evidence(0).get(InitialLoss)
        assert seen is not None
        assert seen.loss == pytest.approx(expected, rel=1e-5)


def test_initial_loss_of_mixed_targets_and_of_packed_answers() -> None:
    recorder = Recorder(1, 10, is_classification=True)
    mixed = torch.tensor([[[0.5, 0.5], [1.0, 0.0]]])
    recorder.see(Look(0, outputs=torch.zeros(1, 2, 7, 2), target=mixed))
    seen = recorder.evidence(0).get(InitialLoss)
    assert seen is not None
    assert seen.loss == pytest.approx(math.log(2), rel=1e-5)


def test_only_step_zero_has_an_initial_loss() -> None:
    recorder = Recorder(1, 10)
    recorder.see(Look(1, outputs=torch.zeros(1, 3, 2), target=torch.zeros(1, 3)))
    assert recorder.evidence(0).get(InitialLoss) is None


# --- the initial weights ---------------------------------------------------------------------------------------


def initial(value: Tensor, gradient: Tensor | None, outputs_first: bool = False) -> InitialWeights:
    recorder = Recorder(value.shape[0], 10)
    recorder.see(Look(0, (SeenWeight("w", value, gradient, None, outputs_first),), losses=torch.ones(1, 64)))
    seen = recorder.evidence(0).get(InitialWeights)
    assert seen is not None
    return seen


def test_random_weights_are_all_different_and_their_gain_is_by_the_inputs() -> None:
    value = normal(1, 50, 40) * 0.2
    seen = initial(value, normal(1, 50, 40, seed=1))
    assert seen.spread[0] == pytest.approx(0.2, rel=0.05)
    assert seen.gain[0] == pytest.approx(0.2 * math.sqrt(50), rel=0.05)
    assert seen.duplicate_units == (0.0,)
    assert seen.gradient_rank == (1.0,)


def test_torch_layout_is_read_by_its_own_inputs() -> None:
    value = normal(1, 40, 50) * 0.2
    assert initial(value, value, outputs_first=True).gain[0] == pytest.approx(0.2 * math.sqrt(50), rel=0.05)


@pytest.mark.parametrize("fill", [0.0, 0.01, -3.0])
def test_constant_weights_are_all_duplicates(fill: float) -> None:
    seen = initial(torch.full((1, 20, 12), fill), torch.ones(1, 20, 12))
    assert seen.duplicate_units == (1.0,)
    assert seen.gradient_rank[0] == pytest.approx(1 / 12)


def test_some_duplicates_are_counted_as_units() -> None:
    value = normal(1, 20, 10)
    value[..., 3] = value[..., 7]
    assert initial(value, None).duplicate_units == pytest.approx((0.2,))


def test_rank_of_a_gradient_of_few_directions_even_when_it_has_all_but_vanished() -> None:
    gradient = normal(1, 30, 2) @ normal(1, 2, 30, seed=1)
    for scale in (1.0, 1e-20, 1e12):
        assert initial(normal(1, 30, 30), gradient * scale).gradient_rank == pytest.approx((2 / 16,))


def test_no_gradient_no_rank_and_a_zero_gradient_has_none() -> None:
    assert math.isnan(initial(normal(1, 5, 5), None).gradient_rank[0])
    assert initial(normal(1, 5, 5), torch.zeros(1, 5, 5)).gradient_rank == (0.0,)


# --- units -----------------------------------------------------------------------------------------------------


def units(activation: str, before: Tensor, after: Tensor, step: int = 0) -> UnitStatistics:
    recorder = Recorder(before.shape[0], 1000)
    recorder.see(Look(step, layers=(SeenLayer("l", activation, before, after),)))
    seen = recorder.evidence(0).get(UnitStatistics)
    assert seen is not None
    return seen


def test_a_unit_is_dead_when_silent_on_every_row_only() -> None:
    before = normal(1, 64, 10)
    before[..., :3] = -before[..., :3].abs() - 0.1
    before[:, 1:, 5] = -1.0
    before[:, 0, 5] = 2.0
    layer = units("relu", before, before.relu()).looks[0][0]
    assert layer.dead == pytest.approx(0.3)
    assert layer.units == 10
    assert layer.saturated == 0.0
    assert layer.mean == pytest.approx(float(before.mean()), abs=1e-5)
    assert layer.out_spread == pytest.approx(float(before.relu().std(correction=0)), rel=1e-4)


def test_gelu_units_far_below_zero_are_dead() -> None:
    before = torch.cat([normal(1, 64, 5), torch.full((1, 64, 5), -8.0)], dim=2)
    assert units("gelu", before, torch.nn.functional.gelu(before)).looks[0][0].dead == pytest.approx(0.5)


def test_a_layer_that_is_silent_altogether_is_dead() -> None:
    assert units("tanh", torch.zeros(1, 8, 4), torch.zeros(1, 8, 4)).looks[0][0].dead == 1.0


def test_one_huge_unit_does_not_silence_the_rest() -> None:
    after = torch.cat([normal(1, 64, 9).abs() + 0.1, torch.full((1, 64, 1), 1e6)], dim=2)
    assert units("relu", after, after).looks[0][0].dead == 0.0


def test_saturation_is_of_bounded_activations() -> None:
    before = torch.tensor([[[-6.0, 0.0], [1.0, 7.0]]])
    assert units("tanh", before, before.tanh()).looks[0][0].saturated == pytest.approx(0.5)
    assert units("relu", before, before.relu()).looks[0][0].saturated == 0.0


def test_histograms_at_step_zero_and_at_the_end() -> None:
    recorder = Recorder(2, 1000)
    for step in (0, 5, 100, 999):
        after = normal(2, 64, 7, seed=step)
        recorder.see(Look(step, layers=(SeenLayer("l", "relu", after, after),)))
    seen = recorder.evidence(1).get(UnitStatistics)
    assert seen is not None
    assert [bool(look[0].histogram) for look in seen.looks] == [True, False, False, True]
    last, after = seen.looks[-1][0], normal(2, 64, 7, seed=999)[1].flatten()
    counts, edges = np.histogram(after.numpy(), bins=30)
    assert last.edges == pytest.approx(edges, rel=1e-5)
    assert sum(last.histogram) == 64 * 7
    assert np.abs(np.array(last.histogram) - counts).max() <= 1, "an entry on an edge may fall to either side"


# --- values that are not finite --------------------------------------------------------------------------------


def test_the_first_place_that_is_not_finite_is_named() -> None:
    recorder = Recorder(2, 10)
    fine, sick = torch.ones(2, 4, 3), torch.ones(2, 4, 3)
    sick[1, 0, 0] = float("inf")
    bad = torch.tensor([[1.0], [float("nan")]])
    for step, after, loss in ((0, fine, torch.ones(2, 1)), (1, sick, bad), (2, sick, bad)):
        recorder.see(Look(step, (weight(fine, after),), (SeenLayer("l", "exp", fine, after),), loss))
    assert recorder.evidence(0).get(NonFinite) is None
    assert recorder.evidence(1).get(NonFinite) == NonFinite(1, "l", "what leaves the activation", "forward")


def test_a_gradient_that_breaks_first_is_named_from_the_output_side() -> None:
    recorder = Recorder(1, 10)
    value = torch.ones(1, 2, 2)
    recorder.see(Look(0, (weight(value, value * math.inf, name="a"), weight(value, value * math.nan, name="b")),
                      losses=torch.ones(1, 3)))  # fmt: skip
    assert recorder.evidence(0).get(NonFinite) == NonFinite(0, "b", "the gradient", "backward")


def test_what_the_loop_saw_between_looks_counts() -> None:
    recorder = Recorder(2, 1000)
    recorder.diverged(1, 70)
    recorder.diverged(1, 80)
    assert recorder.evidence(1).get(NonFinite) == NonFinite(70, "", "the loss", "forward")
    assert recorder.evidence(0).get(NonFinite) is None


# --- when to look ----------------------------------------------------------------------------------------------


def test_looks_are_dense_at_first_then_rare_and_whole_at_the_last_step() -> None:
    looks = looks_until(5000)
    assert set(range(10)) <= set(looks)
    assert looks[0] is looks[1] is looks[9] is looks[4999] is Seeing.WHOLE
    late = [step for step in sorted(looks) if step > 9]
    assert 20 <= len(late) <= 40
    assert all(later <= 1.3 * step or later - step <= 2 for step, later in itertools.pairwise(late))
    assert 10 <= sum(looks[step] is Seeing.WHOLE for step in late) <= 20


def test_a_run_is_looked_at_in_the_steps_of_any_loop() -> None:
    looks = looks_until(5000)
    assert [(step, seeing) for step, seeing in open_looks() if step < 4999] == [
        (step, seeing) for step, seeing in sorted(looks.items()) if step < 4999
    ]


def test_a_run_of_a_few_steps_is_seen_whole_at_its_last() -> None:
    assert looks_until(20)[19] is Seeing.WHOLE
    assert looks_until(1) == {0: Seeing.WHOLE}


def test_looking_stops_when_it_has_cost_too_much_but_the_start_is_always_seen() -> None:
    recorder = Recorder(1, 5000)
    recorder.spent(1e6)
    assert recorder.wants(9) is Seeing.WHOLE
    assert recorder.wants(11) is Seeing.NOTHING
    assert Recorder(1, 5000).wants(11) is Seeing.LIGHT
