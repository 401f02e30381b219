"""Cards that `liebig explain` shows."""

import pytest

from liebig.core.errors import UserError
from liebig.recipes.cards import catalogue, field_table, technique, technique_cards


def test_names_are_unique_and_lead_to_their_cards():
    names = [each.name for each in catalogue()]
    assert len(set(names)) == len(names)
    assert set(technique_cards()) == set(names)
    assert technique("ema").card.title == "Exponential moving average of the weights"
    assert technique("objective.quantile").path == "objective.quantile"
    assert technique("inputs.scale.quantile").area == "Scale of numbers"


def test_fields_have_defaults_and_bounds():
    assert field_table("ema").splitlines() == [
        "In a recipe: techniques.ema",
        "  field    default  takes",
        "  horizon  1.0      a number, above 0 and at most 10000",
    ]
    assert field_table("zero") == "In a recipe: techniques.zero (no fields)."
    rows = {each.name: each for each in technique("mlp").fields}
    assert rows["dropout"].stackable
    assert not rows["width"].stackable
    assert rows["activation"].default == "gelu"
    assert "silu or identity" in rows["activation"].takes


def test_an_unknown_name_is_told():
    with pytest.raises(UserError, match=r'no technique "emma"\. Did you mean "ema"'):
        technique("emma")
