"""The six tests of TRIALS, section 12, on few studies: through the same coach and trials code as `improve`."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import binom

from liebig.coach.simulation import Measure, World, simulated_study
from liebig.core.run import Score
from liebig.core.study import Looked, Ran
from liebig.core.trial import Verdict
from liebig.trials.procedure import COMPARE_ALPHA, ROW_A, Spread, judge, level, pairs


def proven(study):
    return any(trial.verdict is Verdict.PROVEN for trial in study.trials)


def at_most(share, studies):
    """Not more than chance allows once in ten thousand times at the allowed `share`."""
    return binom.ppf(0.9999, studies, share)


@pytest.mark.parametrize(
    ("examples", "measure"), [(60, Measure.ACCURACY), (300, Measure.LOSS), (3000, Measure.LOSS)], ids=str
)
def test_a_equal_recipes_are_rarely_proven(examples, measure):
    studies = 80
    world = World(examples, measure, uneven=0.4)
    assert sum(proven(simulated_study(world, seed)) for seed in range(studies)) <= at_most(0.03, studies)


def test_b_a_common_component_is_paid_for():
    studies = 80
    world = World(300, common=0.06, uneven=0.4)
    assert sum(proven(simulated_study(world, seed)) for seed in range(studies)) <= at_most(0.04, studies)


def test_c_two_noise_units_are_proven():
    found = 0
    for seed in range(60):
        study = simulated_study(World(300, effects={2: 2.0}), seed, rounds=1)
        found += any(t.treatment.name == "idea 2" and t.verdict is Verdict.PROVEN for t in study.trials)
    assert found >= binom.ppf(0.0001, 60, 0.97)


def test_c_half_a_noise_unit_is_not():
    found = sum(proven(simulated_study(World(300, effects={2: 0.5}), seed, rounds=1)) for seed in range(60))
    assert found <= 20


def test_e_a_fixed_select_set_is_caught():
    """Recipes that are equal in truth differ on the user's one select set, again and again: C sees it."""
    studies, found, common = 60, 0, []
    for seed in range(studies):
        study = simulated_study(World(300, common=0.5, fixed_select=True), seed)
        found += proven(study)
        common += [entry.look.common / entry.look.noise for entry in study.all(Looked)]
    assert found <= at_most(0.05, studies)
    moving = simulated_study(World(300, common=0.5), 0)
    assert np.mean(common) > 2 * np.mean([entry.look.common / entry.look.noise for entry in moving.all(Looked)])


def test_e_without_the_common_term_it_would_not_be():
    """The test above can fail: the same scores, judged as if blocks shared no example, are Proven far too often."""
    found, trials = 0, 0
    for seed in range(30):
        study = simulated_study(World(300, common=0.5, fixed_select=True), seed)
        for trial in study.trials:
            for look in trial.looks:
                z = look.difference / np.sqrt(look.d_variance - max(look.common, 0.0))
                found += z > 4.5
                trials += 1
    assert found > 0.01 * trials


def test_f_permuted_seeds_of_one_recipe_are_not_proven():
    """Runs of one recipe under several seeds, handed to control and treatment at random inside blocks."""
    study = simulated_study(World(300, common=0.0), 1)
    runs = {}
    for ran in study.all(Ran):
        runs.setdefault(ran.block, []).append(ran.score)
    rng = np.random.default_rng(0)
    spent, found, replays = level(ROW_A, 3, COMPARE_ALPHA, 1), 0, 300
    for _ in range(replays):
        drawn = [rng.permutation(len(runs[b]))[:2] for b in range(3)]
        seen = pairs([runs[b][i] for b, (i, _) in enumerate(drawn)], [runs[b][j] for b, (_, j) in enumerate(drawn)])
        found += judge(seen, Spread().seeing(3, seen.ratio), spent).verdict is Verdict.PROVEN
    assert found <= at_most(0.12 * COMPARE_ALPHA, replays)


def test_best_of_fifty_epochs_is_not_better_than_the_last_on_noise():
    """Chosen on the stop part, scored on select: choosing among pure noise gains nothing (TRIALS, section 13)."""
    studies, found = 100, 0
    for seed in range(studies):
        rng = np.random.default_rng(seed)
        world = partial(rng.standard_normal)
        control, treatment = [], []
        for _ in range(12):
            rows, truth = np.sort(rng.choice(500, 100, replace=False)), world(100)
            stop = world(50)  # the stop part's score of each epoch says nothing of select
            epochs = 0.5 * world((50, 100))
            for epoch, into in ((-1, control), (int(np.argmax(stop)), treatment)):
                utility = -((truth - epochs[epoch]) ** 2)
                into.append(_score(rows, utility))
        seen = pairs(control, treatment)
        look = judge(seen, Spread().seeing(12, seen.ratio), level(ROW_A, 12, COMPARE_ALPHA, 1))
        found += look.verdict is Verdict.PROVEN
    assert found <= at_most(0.05, studies)


def _score(rows, utility):
    return Score(float(utility.mean()), rows, utility - utility.mean())
