"""What the network is."""

from __future__ import annotations

from dataclasses import dataclass

from liebig.core.evidence.bag import Measurement


@dataclass(frozen=True, slots=True)
class LayerShape(Measurement):
    """One layer: its kind ("linear", "batch-norm", "activation", ...), shape and cost.

    `flops` are for one example forward. `activation` is what follows a linear layer ("" for none).
    """

    name: str
    kind: str
    inputs: int
    outputs: int
    parameters: int
    trained: int
    flops: int
    activation: str = ""


@dataclass(frozen=True, slots=True)
class Structure(Measurement):
    """The network's card. `family` is the network's kind, `members` how many networks answer together."""

    family: str
    layers: tuple[LayerShape, ...]
    members: int = 1

    @property
    def parameters(self) -> int:
        return self.members * sum(layer.parameters for layer in self.layers)

    @property
    def trained(self) -> int:
        return self.members * sum(layer.trained for layer in self.layers)

    @property
    def flops(self) -> int:
        return self.members * sum(layer.flops for layer in self.layers)
