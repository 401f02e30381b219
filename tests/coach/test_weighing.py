"""Weights of models that answer together: against brute force, and where nothing is to be gained."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from liebig.coach.weighing import ADDITIONS, MOST_MEMBERS, Part, chosen_weights, cross_fitted_weights, greedy
from liebig.core.metric import ACCURACY, MAE, RMSE, ROC_AUC
from liebig.core.run import Score
from liebig.core.trial import Verdict
from liebig.train.combination import mixed
from liebig.trials.procedure import ROW_A, Spread, judge, level, pairs


def part_of(target: np.ndarray, answers: list[np.ndarray], first: int = 0) -> Part:
    names = np.arange(first, first + len(target))
    return Part(names, target, None, tuple(each.astype(np.float32) for each in answers))


def test_two_are_weighed_as_well_as_a_search_over_all_weights_does() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=2000)
    answers = [target + rng.normal(scale=0.5, size=2000), target + rng.normal(scale=1.0, size=2000)]
    part = part_of(target, answers)
    weights = chosen_weights([part], RMSE)
    best = min(np.linspace(0, 1, 101), key=lambda w: RMSE.score(target, mixed(answers, (w, 1 - w))))
    assert weights[0] == pytest.approx(best, abs=1.5 / ADDITIONS)
    assert sum(weights) == pytest.approx(1.0)


def test_greedy_finds_the_best_of_all_mixtures_where_the_score_is_smooth() -> None:
    def worth(counts: tuple[int, ...]) -> float:
        share = np.array(counts) / sum(counts)
        return -float(((share - [0.5, 0.25, 0.25, 0.0]) ** 2).sum())

    every = [each for each in product(range(9), repeat=4) if sum(each)]
    assert worth(tuple(int(16 * each) for each in greedy(worth, 4))) == pytest.approx(max(map(worth, every)))


def test_undefined_scores_and_slight_members_get_no_weight() -> None:
    def worth(counts: tuple[int, ...]) -> float:
        return float("nan") if counts[0] else float(counts[1] > 0)

    assert greedy(worth, 3) == (0.0, 1.0, 0.0)
    many = greedy(lambda counts: -max(counts) / sum(counts), 16)
    assert 0 < sum(each > 0 for each in many) <= max(MOST_MEMBERS, 10)
    assert sum(many) == pytest.approx(1.0)


@pytest.mark.parametrize("metric", [ROC_AUC, ACCURACY])
def test_probabilities_of_different_strengths_help_each_other(metric) -> None:
    rng = np.random.default_rng(1)
    pieces = []
    for block in range(3):
        x = rng.normal(size=(1500, 2))
        target = (x.sum(axis=1) + rng.normal(scale=0.3, size=1500) > 0).astype(float)
        answers = [1 / (1 + np.exp(-2 * x[:, i])) for i in range(2)]
        pieces.append(part_of(target, answers, 1500 * block))
    folds = cross_fitted_weights(pieces, metric)
    assert folds is not None
    for part, weights in zip(pieces, folds, strict=True):
        alone = [metric.score(part.target, each) for each in part.answers]
        assert metric.score(part.target, mixed(part.answers, weights)) > max(alone) + 0.05


def test_a_block_is_judged_by_weights_that_have_not_seen_its_examples() -> None:
    rng = np.random.default_rng(2)
    target = rng.normal(size=40)
    pieces = [part_of(target[i : i + 20], [rng.normal(size=20), rng.normal(size=20)], i) for i in (0, 10, 20)]
    folds = cross_fitted_weights(pieces, RMSE)
    assert folds is not None
    # The middle part shares its first half with the first and its second half with the last.
    kept = [pieces[0].taking(np.arange(20) < 10), pieces[2].taking(np.arange(20) >= 10)]
    assert folds[1] == chosen_weights(kept, RMSE)
    changed = [pieces[0], replace(pieces[1], target=-5 * pieces[1].target), pieces[2]]
    again = cross_fitted_weights(changed, RMSE)
    assert again is not None
    assert again[1] == folds[1]


def test_blocks_of_the_same_examples_cannot_be_cross_fitted() -> None:
    part = part_of(np.arange(10.0), [np.zeros(10), np.ones(10)])
    assert cross_fitted_weights([part, part, part], RMSE) is None


def null_look(seed: int, candidates: int, examples: int = 120, blocks: int = 3):
    """Candidates whose mean absolute errors are equal in truth, and whose mixtures' are no better: the answers are never
    below the target, so that the error of a mean is the mean of the errors."""
    rng = np.random.default_rng(seed)
    pieces, before, after = [], [], []
    for block in range(blocks):
        errors = rng.exponential(size=(candidates, examples))
        pieces.append(part_of(np.zeros(examples), list(errors), block * examples))
    folds = cross_fitted_weights(pieces, MAE)
    assert folds is not None
    for part, weights in zip(pieces, folds, strict=True):
        for answer, kept in ((part.answers[0], before), (mixed(part.answers, weights), after)):
            kept.append(Score(-MAE.score(part.target, answer), part.names, MAE.influence(part.target, answer)))
    seen = pairs(before, after)
    at = replace(level(ROW_A, blocks, 0.05, candidates - 1), at_most_likely=True)
    return judge(seen, Spread().seeing(blocks, seen.ratio), at)


@pytest.mark.parametrize("candidates", [2, 8])
def test_equal_candidates_are_taken_no_more_often_than_likely_says(candidates: int) -> None:
    studies = 400
    looks = [null_look(seed, candidates) for seed in range(studies)]
    taken = sum(look.verdict is Verdict.LIKELY for look in looks)
    assert not any(look.verdict is Verdict.PROVEN for look in looks)
    # Likely means a probability of 0.8 of being better: of true nulls at most a fifth, within three standard errors.
    assert taken / studies < 0.2 + 3 * (0.2 * 0.8 / studies) ** 0.5
