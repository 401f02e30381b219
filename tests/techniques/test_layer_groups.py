"""Rates by layer, and layers that join later: groups are told by names."""

import torch
from technique_cases import SPECS, ground, weight_list

from liebig.nets.resnet import ResNet
from liebig.nets.whitened_cnn import WhitenedCNN
from liebig.stack.specs import Signature
from liebig.techniques.averaging.ema import EMA
from liebig.techniques.gradients.deferred_layers import DeferredLayers
from liebig.techniques.gradients.discriminative_rates import DiscriminativeRates
from liebig.techniques.gradients.groups import depths


def groups_of(network, outputs=2):
    specs = network.parameters(Signature(3 * 32 * 32, picture=(3, 32, 32)), outputs)
    return {spec.name: depth for spec, depth in zip(specs, depths(specs), strict=True)}


def test_groups_follow_the_names():
    assert depths(SPECS) == (2, 2, 2, 2, 1, 1, 0, 0)
    found = groups_of(ResNet())
    assert found["output.weight"] == 0
    assert {found[f"layer{stage}.0.conv1.weight"] for stage in (4, 3, 2, 1)} == {1, 2, 3, 4}
    assert found["layer4.1.conv2.norm.scale"] == 1
    assert found["conv1.weight"] == found["conv1.norm.shift"] == 5
    assert groups_of(WhitenedCNN(blocks=2))["whitening.weight"] == 3


def test_steps_shrink_from_layer_to_layer():
    stage = DiscriminativeRates.stage([DiscriminativeRates(factor=0.5), DiscriminativeRates(factor=0.1)], ground())
    weights = weight_list(2)
    before = [each.clone() for each in weights]
    state = stage.start(weights)
    for step in range(2):
        moved = [each.add_(1.0) for each in weights]
        state = stage.after_step(moved, state, step)
    for depth, weight, old in zip(depths(SPECS), weights, before, strict=True):
        torch.testing.assert_close(weight[0] - old[0], torch.full_like(old[0], 2 * 0.5**depth))
        torch.testing.assert_close(weight[1] - old[1], torch.full_like(old[1], 2 * 0.1**depth))


def test_layers_join_from_the_output_downwards():
    stage = DeferredLayers.stage([DeferredLayers(epochs=2)], ground(steps_per_epoch=3))
    weights = weight_list(1)
    before, state = [each.clone() for each in weights], None
    state = stage.start(weights)
    joined = {}
    for step in range(15):
        for weight in weights:
            weight.add_(1.0)
        state = stage.after_step(weights, state, step)
        for place, (weight, old) in enumerate(zip(weights, before, strict=True)):
            if place not in joined and not torch.equal(weight, old):
                joined[place] = step
    assert [joined[place] for place in range(8)] == [12, 12, 12, 12, 6, 6, 0, 0]


def test_layers_join_together():
    stage = DeferredLayers.stage([DeferredLayers(epochs=2, together=True)], ground(steps_per_epoch=3))
    weights = weight_list(1)
    before = [each.clone() for each in weights]
    state, joined = stage.start(weights), {}
    for step in range(8):
        for weight in weights:
            weight.add_(1.0)
        state = stage.after_step(weights, state, step)
        for place, (weight, old) in enumerate(zip(weights, before, strict=True)):
            if place not in joined and not torch.equal(weight, old):
                joined[place] = step
    assert [joined[place] for place in range(8)] == [6, 6, 6, 6, 6, 6, 0, 0]


def test_averages_see_what_is_left_of_a_step():
    """Techniques act in the order of their names: what is taken back is taken back before weights are averaged."""
    assert DeferredLayers().kind < EMA().kind
    assert DiscriminativeRates().kind < EMA().kind
