"""What a network consists of, before a number is drawn: its parameters, its buffers, what enters it, what can be given back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from math import prod


class Role(StrEnum):
    """What a parameter is for. Weight decay and Muon act on weights only."""

    WEIGHT = "weight"
    BIAS = "bias"
    SCALE = "scale"  # of a normalisation, or the per-member scalings of a packed ensemble
    SHIFT = "shift"  # of a normalisation
    EMBEDDING = "embedding"
    FREQUENCY = "frequency"
    FROZEN = "frozen"  # of a backbone that is not trained: it has no gradient, and does not decay


class Encodes(Enum):
    """What can be given back from what stands before a network's output layer: a picture (it has places), the row of a table,
    or nothing."""

    NOTHING = auto()
    PICTURES = auto()
    ROWS = auto()


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One parameter tensor of one member.

    A linear weight has shape (inputs, outputs): ``x [B, inputs] @ weight``. `activation` is the kind of the activation
    that follows the layer ("" for none): initialisation chooses its gain by it. `is_last` marks the output layer.
    `incoming` are the dimensions over which one unit's incoming weights lie (a foreign layer has its units first). `gates`
    is set for a layer that goes from step to step: so many square parts lie one below the other, and `is_recurrent` marks
    those that read what the step before left.
    """

    name: str
    shape: tuple[int, ...]
    role: Role
    fan_in: int
    fan_out: int
    activation: str = ""
    is_last: bool = False
    incoming: tuple[int, ...] = (-2,)
    gates: int = 0
    is_recurrent: bool = False

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class BufferSpec:
    """One tensor that a member carries without learning it (running statistics), and the value it starts from."""

    name: str
    shape: tuple[int, ...]
    start: float


@dataclass(frozen=True, slots=True)
class Signature:
    """What enters a network: `dense` encoded values, `numbers` scaled numbers for a learnt numeric embedding, and one
    integer code for each entry of `levels` (that many levels each, 0 is "unseen or missing") for learnt category
    embeddings. `columns` names the source column of each dense value. `picture` is (channels, height, width) where the
    dense values are those of a picture: they then come as [G, B, channels, height, width]. `sequence` is (steps, channels)
    where they are those of a sequence, [G, B, steps, channels], whose last channel is 1 where a step is and 0 behind the end;
    `anchor` is the channel whose next values are forecast, -1 where none is."""

    dense: int
    numbers: int = 0
    levels: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    picture: tuple[int, ...] = ()
    sequence: tuple[int, ...] = ()
    anchor: int = -1


@dataclass(frozen=True, slots=True)
class Wants:
    """What a network asks of the encoder besides dense values."""

    numbers: bool = False  # numbers separately, for a learnt numeric embedding (the dense part keeps the rest)
    codes: bool = False  # categories as integer codes, for learnt embeddings, in place of one-hot
