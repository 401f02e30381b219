"""How is a recipe written? The one place that knows every `ALL` tuple: TOML, JSON, single changes, what suits a task."""

from liebig.recipes.changing import set_field
from liebig.recipes.fitting import task_complaint
from liebig.recipes.reading import recipe_from_file, recipe_from_json, recipe_from_plain, recipe_from_toml
from liebig.recipes.slots import SLOTS
from liebig.recipes.writing import recipe_to_json, recipe_to_plain, recipe_to_toml

__all__ = [
    "SLOTS",
    "recipe_from_file",
    "recipe_from_json",
    "recipe_from_plain",
    "recipe_from_toml",
    "recipe_to_json",
    "recipe_to_plain",
    "recipe_to_toml",
    "set_field",
    "task_complaint",
]
