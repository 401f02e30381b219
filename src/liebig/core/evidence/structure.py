"""What the network is."""

from __future__ import annotations

from dataclasses import dataclass

from liebig.core.evidence.bag import Measurement


@dataclass(frozen=True, slots=True)
class LayerShape(Measurement):
    """One layer: its kind, shape and cost.

    Kinds are "linear", "packed-linear", "conv", "embedding", "recurrent", "attention", "batch-norm", "batch-norm-2d" (over
    places as well), "layer-norm", "group-norm", "dropout", "activation", "other". A parameter "name.weight" belongs to the
    layer `name`. `flops` are for one example forward. `activation` is the nonlinearity that the answer of a linear layer or
    a convolution meets before the next one: "" where it is known that there is none, "unknown" where it was not seen.
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


@dataclass(frozen=True, slots=True)
class Organ(Measurement):
    """One part of a user's own network, as one pass on a batch met it.

    `name` is the module's dotted path ("" for a function that the network calls itself), `kind` one of "linear",
    "convolution", "recurrent", "attention", "embedding", "batch-norm", "layer-norm", "group-norm", "other-norm", "dropout",
    "activation". `inputs` and `outputs` count features or channels. `activation` is the kind of the activation that follows
    (an activation's own; "" for none), `normalised` says that a normalisation follows before the next layer. `dimensions`
    are those of the answer, the batch counted. `rate` is a dropout's. `calls` is how often the pass used it, `is_last` that
    no layer comes after it. `movable` is False for what lies inside a block of torch's own or shares its weights.
    `same_shape`: what leaves has the shape of what enters. `resizable`: a hidden layer that can have another width.
    """

    name: str
    kind: str
    inputs: int
    outputs: int
    activation: str = ""
    normalised: bool = False
    dimensions: int = 2
    rate: float = 0.0
    calls: int = 1
    is_last: bool = False
    movable: bool = True
    same_shape: bool = False
    resizable: bool = False


@dataclass(frozen=True, slots=True)
class Anatomy(Measurement):
    """A user's own network as it was built: its parts in the order in which a batch meets them.

    `input_shape` is that of the first input, the batch left out; `floats` says that it holds real numbers. `ends_in` is the
    activation that makes the answer ("softmax", "log-softmax", "sigmoid", "relu", ...; "" for none). `blocks` are modules
    whose answer has the shape of what enters them. `untraceable` says why the network cannot be written out as a graph ("" where it can): then
    functions that it calls itself cannot be exchanged.
    """

    organs: tuple[Organ, ...]
    input_shape: tuple[int, ...]
    floats: bool
    ends_in: str = ""
    blocks: tuple[str, ...] = ()
    untraceable: str = ""

    @property
    def layers(self) -> tuple[Organ, ...]:
        """Linear layers and convolutions, the answer's among them."""
        return tuple(each for each in self.organs if each.kind in {"linear", "convolution"})

    @property
    def hidden(self) -> tuple[Organ, ...]:
        """Linear layers and convolutions but those that make the answer."""
        return tuple(each for each in self.layers if not each.is_last)
