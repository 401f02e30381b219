"""Clipping against torch's for each member, penalties against their sums, max-norm against torch.renorm."""

import pytest
import torch
from technique_cases import SPECS, ground, only, weight_list

from liebig.stack.flat import DECAYED
from liebig.techniques.gradients import ClipNorm, ClipValue
from liebig.techniques.penalties import L1, L2, MaxNorm


def member(tensors, k):
    return [torch.nn.Parameter(each[k].clone()) for each in tensors]


@pytest.mark.parametrize("limits", [(0.5, 2.0, 1e5)])
def test_clip_norm_is_torchs_for_each_member(limits):
    gradients = weight_list(3)
    stage = ClipNorm.stage([ClipNorm(limit=limit) for limit in limits], ground())
    clipped = stage.on_gradients([each.clone() for each in gradients])
    for k, limit in enumerate(limits):
        parameters = member(gradients, k)
        for each in parameters:
            each.grad = each.detach().clone()
        torch.nn.utils.clip_grad_norm_(parameters, limit)
        for ours, theirs in zip(clipped, parameters, strict=True):
            torch.testing.assert_close(ours[k], theirs.grad)


def test_clip_value_is_torchs_for_each_member():
    gradients, limits = weight_list(3), (0.1, 1.0, 100.0)
    stage = ClipValue.stage([ClipValue(limit=limit) for limit in limits], ground())
    clipped = stage.on_gradients([each.clone() for each in gradients])
    for k, limit in enumerate(limits):
        for ours, before in zip(clipped, gradients, strict=True):
            assert torch.equal(ours[k], before[k].clamp(-limit, limit))


def test_clipping_works_in_place_on_views_of_a_buffer():
    flat = torch.randn(2, 20) * 100
    parts = [flat[:, :12].view(2, 3, 4), flat[:, 12:]]
    ClipNorm.stage([ClipNorm(limit=1.0)] * 2, ground()).on_gradients(parts)
    torch.testing.assert_close(flat.norm(dim=1), torch.ones(2))


def test_a_gradient_of_zero_stays_zero():
    clipped = ClipNorm.stage([ClipNorm()], ground()).on_gradients([torch.zeros(1, 3)])
    assert not clipped[0].any()


@pytest.mark.parametrize(("kind", "measure"), [(L1, torch.abs), (L2, torch.square)], ids=["l1", "l2"])
def test_penalties_sum_over_weights_only(kind, measure):
    weights, strengths = [each.requires_grad_() for each in weight_list(2)], (0.01, 0.3)
    stage = kind.stage([kind(strength=strength) for strength in strengths], ground())
    penalty = stage.on_loss(weights)
    for k, strength in enumerate(strengths):
        expected = sum(measure(w[k]).sum() for w, spec in zip(weights, SPECS, strict=True) if spec.role in DECAYED)
        torch.testing.assert_close(penalty[k], strength * expected)
    penalty.sum().backward()
    for weight, spec in zip(weights, SPECS, strict=True):
        assert (weight.grad is not None) == (spec.role in DECAYED)
    alone = only(stage, 1).on_loss([each[1:].detach() for each in weights])
    torch.testing.assert_close(alone, penalty[1:].detach())
    assert kind.stage([kind()], ground(SPECS[1:2])).on_loss(weights[1:2]) is None


def test_max_norm_is_torchs_renorm_of_each_unit():
    weights, limits = weight_list(2), (1.0, 2.5)
    stage = MaxNorm.stage([MaxNorm(limit=limit) for limit in limits], ground())
    changed = [each.clone() for each in weights]
    stage.after_step(changed, (), 0)
    for spec, before, after in zip(SPECS, weights, changed, strict=True):
        for k, limit in enumerate(limits):
            if spec.name in ("layers.0.weight", "layers.1.weight"):
                torch.testing.assert_close(after[k], torch.renorm(before[k], 2, 1, limit), rtol=1e-4, atol=1e-5)
            else:
                assert torch.equal(after[k], before[k])
