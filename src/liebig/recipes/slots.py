"""Which plug-ins can stand in which slot: the one place that knows every `ALL` tuple."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from liebig.core.settings import Settings
from liebig.data.module.inputs import ModuleInputs
from liebig.data.pictures.inputs import PictureInputs
from liebig.data.sequences.inputs import SequenceInputs
from liebig.data.table.inputs import TableInputs
from liebig.nets import ALL as POPULATION_NETWORKS
from liebig.nets import FOR_PICTURES as PICTURE_NETWORKS
from liebig.nets import FOR_SEQUENCES as SEQUENCE_NETWORKS
from liebig.nets.user_module import UserModule
from liebig.techniques.averaging import ALL as AVERAGING
from liebig.techniques.batches import ALL as BATCHES
from liebig.techniques.batches import FOR_PICTURES as PICTURE_BATCHES
from liebig.techniques.batches import FOR_SEQUENCES as SEQUENCE_BATCHES
from liebig.techniques.batching import ALL as BATCHING
from liebig.techniques.batching.own_order import OwnOrder
from liebig.techniques.compute import ALL as COMPUTE
from liebig.techniques.ensembles import ALL as ENSEMBLES
from liebig.techniques.gradients import ALL as GRADIENTS
from liebig.techniques.initialisations import ALL as INITIALISATIONS
from liebig.techniques.initialisations import FOR_PICTURES as PICTURE_INITIALISATIONS
from liebig.techniques.initialisations import FOR_SEQUENCES as SEQUENCE_INITIALISATIONS
from liebig.techniques.objectives import ALL as OBJECTIVES
from liebig.techniques.objectives.users_loss import UsersLoss
from liebig.techniques.optimizers import ALL as OPTIMIZERS
from liebig.techniques.optimizers.users_optimizer import UsersOptimizer
from liebig.techniques.penalties import ALL as PENALTIES
from liebig.techniques.pretraining import ALL as PRETRAINING
from liebig.techniques.pretraining import FOR_PICTURES as PICTURE_PRETRAINING
from liebig.techniques.schedules import ALL as SCHEDULES
from liebig.techniques.schedules.users_schedule import UsersSchedule
from liebig.techniques.stage import Technique
from liebig.techniques.stopping import ALL as STOPPING

NETWORKS: Final[tuple[type[Settings], ...]] = (*POPULATION_NETWORKS, *PICTURE_NETWORKS, *SEQUENCE_NETWORKS, UserModule)
INPUTS: Final[tuple[type[Settings], ...]] = (TableInputs, PictureInputs, SequenceInputs, ModuleInputs)
#: What stands for functions of the user's own fits into a recipe for a user's own network only.
OWN: Final[tuple[type[Settings], ...]] = (UserModule, ModuleInputs, UsersLoss, UsersOptimizer, UsersSchedule, OwnOrder)
#: What reads or changes sequences, and stands in no other recipe.
SEQUENCES: Final[tuple[type[Settings], ...]] = (
    SequenceInputs,
    *SEQUENCE_NETWORKS,
    *SEQUENCE_BATCHES,
    *SEQUENCE_INITIALISATIONS,
)
#: What reads or changes pictures, and stands in no other recipe.
PICTURES: Final[tuple[type[Settings], ...]] = (
    PictureInputs,
    *PICTURE_NETWORKS,
    *PICTURE_BATCHES,
    *PICTURE_INITIALISATIONS,
    *PICTURE_PRETRAINING,
)
TECHNIQUES: Final[tuple[type[Technique], ...]] = (
    *INITIALISATIONS,
    *PRETRAINING,
    *AVERAGING,
    *GRADIENTS,
    *PENALTIES,
    *BATCHES,
    *ENSEMBLES,
)

#: What can stand in each slot of a recipe, in the order in which a recipe is written; `techniques` holds several.
SLOTS: Final[Mapping[str, tuple[type[Settings], ...]]] = MappingProxyType(
    {
        "inputs": INPUTS,
        "network": NETWORKS,
        "objective": (*OBJECTIVES, UsersLoss),
        "optimizer": (*OPTIMIZERS, UsersOptimizer),
        "schedule": (*SCHEDULES, UsersSchedule),
        "batching": BATCHING,
        "stopping": STOPPING,
        "techniques": TECHNIQUES,
        "compute": COMPUTE,
    }
)


def kind_of(settings: type[Settings]) -> str:
    """The kind that a settings class is written by."""
    kind = settings.model_fields["kind"].default
    if not isinstance(kind, str):
        raise TypeError(f"{settings.__name__} must narrow `kind` to a Literal with a default, however {kind!r} came")
    return kind
