"""The joint search: candidates near a recipe, all in one population."""

from typing import Annotated, Literal

from pydantic import Field

from liebig.coach.search import around
from liebig.coach.simulation import simulated_recipe
from liebig.core.settings import STACKABLE, Settings


class Numbers(Settings):
    kind: Literal["numbers"] = "numbers"
    rate: Annotated[float, Field(gt=0, le=10), STACKABLE] = 1e-3
    share: Annotated[float, Field(ge=0, lt=1), STACKABLE] = 0.2
    quantile: Annotated[float, Field(gt=0, lt=1), STACKABLE] = 0.5
    width: Annotated[int, Field(ge=1)] = 64


RECIPE = simulated_recipe().replace(optimizer=Numbers())


def test_candidates_are_new_and_train_as_one_population():
    found = list(around(RECIPE, 3, 12))
    assert len({each.recipe.digest for each in found} | {RECIPE.digest}) == 13
    assert {each.recipe.population_key for each in found} == {RECIPE.population_key}
    assert {each.recipe.optimizer.width for each in found} == {64}
    assert any(each.recipe.optimizer.rate != 1e-3 for each in found)


def test_what_is_learnt_is_not_searched():
    assert {each.recipe.optimizer.quantile for each in around(RECIPE, 0, 20)} == {0.5}


def test_the_same_seed_draws_the_same_and_another_others():
    digests = [[each.recipe.digest for each in around(RECIPE, seed, 6)] for seed in (1, 1, 2)]
    assert digests[0] == digests[1]
    assert not set(digests[0]) & set(digests[2])


class Plain(Settings):
    kind: Literal["plain"] = "plain"


def test_a_recipe_without_numbers_has_no_neighbours():
    slots = dict.fromkeys(name for name, _ in simulated_recipe().slots())
    assert list(around(simulated_recipe().replace(**dict.fromkeys(slots, Plain())), 0, 5)) == []
