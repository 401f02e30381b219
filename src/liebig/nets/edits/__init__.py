"""How can a user's own network be changed? One file for each edit; the sum type that a recipe holds stands here."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
from liebig.nets.edits.deepen import Deepen
from liebig.nets.edits.dropout_rate import DropoutRate
from liebig.nets.edits.edit import Edit
from liebig.nets.edits.insert_activation import InsertActivation
from liebig.nets.edits.insert_dropout import InsertDropout
from liebig.nets.edits.insert_normalisation import InsertNormalisation
from liebig.nets.edits.reinitialise import Reinitialise
from liebig.nets.edits.remove_layers import RemoveLayers
from liebig.nets.edits.remove_output_activation import RemoveOutputActivation
from liebig.nets.edits.scale_inputs import ScaleInputs
from liebig.nets.edits.swap_activation import SwapActivation
from liebig.nets.edits.swap_normalisation import SwapNormalisation
from liebig.nets.edits.widen_hidden import WidenHidden
from liebig.nets.edits.wrap_residual import WrapResidual

ALL: Final[tuple[type[Edit], ...]] = (
    WidenHidden,
    Deepen,
    RemoveLayers,
    WrapResidual,
    RemoveOutputActivation,
    SwapActivation,
    InsertActivation,
    InsertNormalisation,
    SwapNormalisation,
    InsertDropout,
    DropoutRate,
    ScaleInputs,
    Reinitialise,
)

AnyEdit = Annotated[
    WidenHidden
    | Deepen
    | RemoveLayers
    | WrapResidual
    | RemoveOutputActivation
    | SwapActivation
    | InsertActivation
    | InsertNormalisation
    | SwapNormalisation
    | InsertDropout
    | DropoutRate
    | ScaleInputs
    | Reinitialise,
    Field(discriminator="kind"),
    BY_KIND,
]
