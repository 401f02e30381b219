"""What bends? One file for each activation; the sum type that a network holds stands here."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
from liebig.nets.activations.activation import Activation
from liebig.nets.activations.elu import ELU
from liebig.nets.activations.gelu import GELU
from liebig.nets.activations.identity import Identity
from liebig.nets.activations.leaky_relu import LeakyReLU
from liebig.nets.activations.relu import ReLU
from liebig.nets.activations.selu import SELU
from liebig.nets.activations.sigmoid import Sigmoid
from liebig.nets.activations.silu import SiLU
from liebig.nets.activations.tanh import Tanh

ALL: Final[tuple[type[Activation], ...]] = (Sigmoid, Tanh, ReLU, LeakyReLU, ELU, SELU, GELU, SiLU, Identity)

AnyActivation = Annotated[
    Sigmoid | Tanh | ReLU | LeakyReLU | ELU | SELU | GELU | SiLU | Identity,
    Field(discriminator="kind"),
    BY_KIND,
]
