import math
from dataclasses import replace

from liebig.core.trial import Look, Verdict
from liebig.trials.race import race, ranks, search_race


def look(better: float, z: float | None = None, loss_z: float = math.nan, verdict: Verdict | None = None) -> Look:
    z = (better - 0.5) * 4 if z is None else z
    verdict = verdict or (Verdict.LIKELY if better >= 0.8 else Verdict.UNCLEAR)
    return Look(3, z, z - 1, z + 1, verdict, better, z, 0.1, 1, 1, 1, 0, 1.5, 8, 0.001, z / 2, loss_z)


def test_the_best_likely_is_adopted_at_once():
    standing = race({"a": look(0.85), "b": look(0.95), "c": look(0.1)}, 3)
    assert standing.adopted == "b"
    assert standing.likely == ("b", "a")
    assert set(standing.leaving) == {"a", "c"}


def test_three_blocks_keep_two_five_keep_one_eight_give_up():
    looks = {"a": look(0.6), "b": look(0.7), "c": look(0.5), "d": look(0.2)}
    assert race(looks, 3).going_on == ("b", "a")
    assert race(looks, 5).going_on == ("b",)
    assert race(looks, 8).going_on == ()
    assert set(race(looks, 8).leaving) == set(looks)


def test_who_has_no_hope_does_not_go_on():
    assert race({"a": look(0.29), "b": look(0.31)}, 3).going_on == ("b",)
    worse = replace(look(0.4), verdict=Verdict.WORSE)
    assert race({"a": worse}, 3).going_on == ()


def test_classification_is_ranked_by_metric_and_loss():
    looks = {"a": look(0.9, z=1.5, loss_z=-1.0), "b": look(0.85, z=1.0, loss_z=1.0)}
    assert ranks(looks) == {"a": 0.5, "b": 2.0}
    assert race(looks, 3).adopted == "b"
    assert ranks({"a": look(0.9, z=1.0)}) == {"a": 1.0}


def test_a_large_gain_stands_before_a_small_and_steady_one():
    large = replace(look(0.99, z=20.0), difference=2.0, d_variance=0.01)
    small = replace(look(0.99, z=40.0), difference=1.0, d_variance=0.000625)
    assert race({"small": small, "large": large}, 3).adopted == "large"


def test_the_unit_of_the_loss_is_common_too():
    large = replace(look(0.9, z=1.0, loss_z=2.0), loss_difference=1.0)
    small = replace(look(0.9, z=1.0, loss_z=4.0), loss_difference=0.5)
    found = ranks({"small": small, "large": large})
    assert found["large"] - found["small"] == (1.0 - 0.5) / ((0.5 + 0.125) / 2)


def test_a_favoured_recipe_gives_way_only_to_what_is_clearly_better():
    looks = {"known": look(0.9, z=1.5), "new": look(0.9, z=2.0)}
    assert race(looks, 3).adopted == "new"
    assert race(looks, 3, {"known"}).adopted == "known"
    assert race({"known": look(0.9, z=1.5), "new": look(0.99, z=2.8)}, 3, {"known"}).adopted == "new"
    assert race({"known": look(0.7), "new": look(0.85)}, 3, {"known"}).adopted == "new"


def test_a_search_adopts_nobody_before_its_last_look():
    looks = {name: look(0.9 - 0.01 * i) for i, name in enumerate("abcdef")}
    assert search_race(looks, 3).adopted is None
    assert search_race(looks, 3).going_on == ("a", "b", "c", "d")
    assert search_race(looks, 5).going_on == ("a", "b")
    assert search_race(looks, 8).adopted == "a"
