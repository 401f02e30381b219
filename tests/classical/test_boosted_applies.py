"""Which boosted trees are asked of a table."""

from liebig.classical import Shape, challenger_named


def test_levels_as_numbers_are_another_algorithm_only_where_there_are_levels() -> None:
    ordinal, native = challenger_named("boosted-trees-ordinal"), challenger_named("boosted-trees")
    shapes = [Shape(100, 3, categories, 1) for categories in (0, 2)]
    assert [ordinal.applies(each) for each in shapes] == [False, True]
    assert [native.applies(each) for each in shapes] == [True, True]


def test_deep_trees_are_said_to_cost_more() -> None:
    shape = Shape(5_000, 8, 0, 1)
    slow, deep = (challenger_named(f"boosted-trees-{each}").predicted_seconds(shape) for each in ("slow", "deep"))
    assert deep > slow


def test_trees_that_draw_columns_vary_with_their_seed_on_few_rows_too() -> None:
    assert challenger_named("boosted-trees-slow").varies(100)
    assert not challenger_named("boosted-trees").varies(100)
    assert not challenger_named("linear").varies(100_000)
