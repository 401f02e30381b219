"""The inputs and the target of a recipe as remedies see them, whether they are a table's or the user's own."""

from __future__ import annotations

from typing import Final, Literal

from liebig.core.evidence import Anatomy, Evidence, InputScales
from liebig.core.recipe import Recipe
from liebig.core.remedy import Situation
from liebig.core.settings import Settings
from liebig.data.pictures.inputs import PictureInputs
from liebig.data.sequences.inputs import SequenceInputs
from liebig.data.table.inputs import TableInputs
from liebig.nets.edits.scale_inputs import ScaleInputs
from liebig.nets.user_module import UserModule
from liebig.remedies.edits import edit, exchange
from liebig.techniques.scalings.divide_by_max import DivideByMax
from liebig.techniques.scalings.min_max import MinMax
from liebig.techniques.scalings.none import NoScaling
from liebig.techniques.scalings.scaling import Scaling
from liebig.techniques.scalings.standardise import Standardise
from liebig.techniques.scalings.symmetric import Symmetric
from liebig.techniques.targets.none import RawTarget
from liebig.techniques.targets.transform import TargetTransform

Range = Literal["standardise", "min-max", "symmetric"]
_SCALINGS: Final[dict[Range, type[Scaling]]] = {"standardise": Standardise, "min-max": MinMax, "symmetric": Symmetric}
#: Spreads between these are those of scaled inputs.
_NARROW, _WIDE = 0.2, 5.0


def own_inputs(recipe: Recipe) -> bool:
    """True when the inputs are the user's own, and neither a table's, nor pictures, nor sequences."""
    return not isinstance(recipe.inputs, TableInputs | PictureInputs | SequenceInputs)


def are_numbers(recipe: Recipe, situation: Situation) -> bool:
    """True when what enters the network are real numbers (not codes of words)."""
    anatomy = situation.evidence.get(Anatomy)
    return not own_inputs(recipe) or (anatomy is not None and anatomy.floats)


def are_scaled(recipe: Recipe, evidence: Evidence) -> bool:
    """True when the inputs are known to have about unit spread as they come."""
    if isinstance(recipe.inputs, TableInputs):
        return not isinstance(recipe.inputs.scale, (NoScaling, DivideByMax))
    if isinstance(recipe.inputs, PictureInputs):
        return recipe.inputs.scale == "standardise"
    if isinstance(recipe.inputs, SequenceInputs):
        return recipe.inputs.scale != "none"
    scales = evidence.get(InputScales)
    if scales is None:
        return False
    moving = sorted(spread for spread in scales.spread if spread > 0)
    return bool(moving) and moving[len(moving) // 20] >= _NARROW and moving[-1 - len(moving) // 20] <= _WIDE


def scaled(recipe: Recipe, situation: Situation, scale: Range) -> Recipe | None:
    """With scaled inputs: by the encoder of a table, by a first layer of constants in a network of one's own."""
    if isinstance(recipe.inputs, TableInputs):
        return edit(recipe, "inputs", {"scale": _SCALINGS[scale].model_validate({})})
    if isinstance(recipe.inputs, PictureInputs):
        by_bytes = {"standardise": "standardise", "min-max": "divide-by-255"}.get(scale)
        return None if by_bytes is None else edit(recipe, "inputs", {"scale": by_bytes})
    if isinstance(recipe.inputs, SequenceInputs):
        return edit(recipe, "inputs", {"scale": "standardise"}) if scale == "standardise" else None
    if not isinstance(recipe.network, UserModule) or not are_numbers(recipe, situation):
        return None
    return exchange(recipe, "network", recipe.network.with_edit(ScaleInputs(scale=scale)))


def scales_now(recipe: Recipe) -> bool:
    """True when the recipe scales its inputs itself."""
    if isinstance(recipe.inputs, TableInputs):
        return not isinstance(recipe.inputs.scale, (NoScaling, DivideByMax))
    if isinstance(recipe.inputs, PictureInputs):
        return recipe.inputs.scale == "standardise"
    if isinstance(recipe.inputs, SequenceInputs):
        return recipe.inputs.scale != "none"
    return isinstance(recipe.network, UserModule) and recipe.network.edit(ScaleInputs) is not None


def target_of(recipe: Recipe) -> Settings | None:
    """How the recipe turns a numeric target, or None for inputs that leave it alone."""
    found = getattr(recipe.inputs, "target", None)
    return found if isinstance(found, TargetTransform) else None


def target_is_raw(recipe: Recipe) -> bool:
    """True when the target is learnt as it came, and could be turned."""
    return isinstance(target_of(recipe), RawTarget)
