"""Ground and weights that the tests of techniques stand on."""

import torch

from liebig.stack.specs import ParameterSpec, Role
from liebig.stack.tree import keep_members
from liebig.techniques.stage import Ground

#: A small network: 6 inputs, two hidden layers, one of them normalised, 3 outputs.
SPECS = (
    ParameterSpec("layers.0.weight", (6, 5), Role.WEIGHT, 6, 5, "relu"),
    ParameterSpec("layers.0.bias", (5,), Role.BIAS, 6, 5, "relu"),
    ParameterSpec("layers.0.norm.scale", (5,), Role.SCALE, 5, 5),
    ParameterSpec("layers.0.norm.shift", (5,), Role.SHIFT, 5, 5),
    ParameterSpec("layers.1.weight", (5, 8), Role.WEIGHT, 5, 8, "tanh"),
    ParameterSpec("layers.1.bias", (8,), Role.BIAS, 5, 8, "tanh"),
    ParameterSpec("output.weight", (8, 3), Role.WEIGHT, 8, 3, is_last=True),
    ParameterSpec("output.bias", (3,), Role.BIAS, 8, 3, is_last=True),
)
SIZE = sum(spec.size for spec in SPECS)


def ground(specs=SPECS, outputs=3, is_classification=True, shares=(0.7, 0.2, 0.1), epochs=10, steps_per_epoch=4):
    return Ground(specs, outputs, is_classification, 100, steps_per_epoch, epochs, shares, torch.device("cpu"))


def flat_weights(members, seed=0):
    return torch.randn(members, SIZE, generator=torch.Generator().manual_seed(seed))


def weight_list(members, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(members, *spec.shape, generator=generator) for spec in SPECS]


def only(value, *members):
    """`value` with only these members."""
    return keep_members(value, torch.tensor(members))
