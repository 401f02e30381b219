"""The procedure against a slow reference that follows TRIALS word by word."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from liebig.core.run import Score
from liebig.core.task import FULL, Fidelity
from liebig.core.trial import Verdict
from liebig.trials.procedure import (
    COMPARE_ALPHA,
    ROW_A,
    ROW_B,
    Spread,
    judge,
    judge_saving,
    level,
    margin_between_seeds,
    pairs,
    rescued,
    round_alpha,
    saves,
)


def scores(seed: int, blocks: int, examples: int, work: int, gain: float = 0.0, stays: float = 0.0):
    """Control and treatment over random select parts of unequal size."""
    rng = np.random.default_rng(seed)
    component = stays * rng.standard_normal(work)
    control, treatment = [], []
    for block in range(blocks):
        rows = np.sort(rng.choice(work, examples + block % 3, replace=False))
        for side, into in ((0, control), (1, treatment)):
            utility = rng.standard_normal(len(rows)) + side * (gain + component[rows])
            into.append(Score(float(utility.mean()), rows, utility - utility.mean(), seconds=2.0 - side))
    return control, treatment


def slow(control, treatment):
    """D, s2, X, C with dictionaries of examples and naive loops."""
    blocks = len(control)
    d, g = [], []
    for one, other in zip(control, treatment, strict=True):
        d.append(other.value - one.value)
        g.append({int(r): b - a for r, a, b in zip(one.rows, one.influence, other.influence, strict=True)})
    mean = sum(d) / blocks
    variance = sum((each - mean) ** 2 for each in d) / (blocks - 1)
    noise = sum(sum(v * v for v in each.values()) / len(each) ** 2 for each in g) / blocks
    common = 0.0
    for i in range(blocks):
        for j in range(blocks):
            if i != j:
                both = set(g[i]) & set(g[j])
                common += sum(g[i][e] * g[j][e] for e in both) / (len(g[i]) * len(g[j]))
    return mean, variance, noise, common / (blocks * (blocks - 1))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("stays", [0.0, 1.0])
def test_pairs_agree_with_the_slow_reference(seed, stays):
    control, treatment = scores(seed, blocks=5, examples=20, work=70, gain=0.3, stays=stays)
    seen = pairs(control, treatment)
    expected = slow(control, treatment)
    assert (seen.difference, seen.block_variance, seen.noise, seen.common) == pytest.approx(expected, rel=1e-9)


def test_names_of_examples_may_be_sparse():
    control, treatment = scores(1, 3, 20, 60)
    far = (
        [Score(s.value, s.rows * 10_000_019, s.influence) for s in control],
        [Score(s.value, s.rows * 10_000_019, s.influence) for s in treatment],
    )
    assert pairs(*far).common == pytest.approx(pairs(control, treatment).common)


def test_a_look_agrees_with_the_slow_reference():
    control, treatment = scores(3, blocks=5, examples=40, work=200, gain=0.4, stays=0.8)
    d, s2, x, c = slow(control, treatment)
    older = [(3, 0.7), (5, 12.0), (2, 2.0)]  # blocks and q of other treatments; one is above the cap
    spread = Spread()
    for blocks, ratio in older:
        spread = spread.seeing(blocks, ratio)
    seen = pairs(control, treatment)
    look = judge(seen, spread.seeing(5, seen.ratio), level(ROW_A, 5, round_alpha(2), 4))

    qs = [(b, min(q, 8.0)) for b, q in older] + [(5, min(s2 / x, 8.0))]
    n = 0.6 * sum(b - 1 for b, _ in qs)
    phi = (4 * 1.5 + 0.6 * sum((b - 1) * q for b, q in qs)) / (4 + n)
    d0 = min(8.0, 4 + n)
    steadied = (d0 * phi * x + 4 * s2) / (d0 + 4)
    v = steadied / 5 + max(c, 0.0)
    z, nu = d / math.sqrt(v), d0 + 4
    tau2 = phi * x
    a = 0.165 * 0.06 * 0.18 / 4
    assert look.spread == pytest.approx(phi)
    assert look.degrees == pytest.approx(nu)
    assert look.d_variance == pytest.approx(v)
    assert look.z == pytest.approx(z)
    assert look.p == pytest.approx(student.sf(z, nu), rel=1e-6)
    assert look.better == pytest.approx(student.cdf(z * math.sqrt(tau2 / (tau2 + v)), nu))
    assert look.threshold == pytest.approx(a)
    assert look.low == pytest.approx(d - student.isf(a, nu) * math.sqrt(v))
    assert look.estimate == pytest.approx(d * 0.64 * tau2 / (0.64 * tau2 + v))
    assert look.seconds_ratio == pytest.approx(2.0)


def test_large_select_parts_have_a_larger_prior():
    assert Spread().ratio(999) == 1.5
    assert Spread().ratio(1000) == 3.0
    assert Spread().weight == 4.0
    assert Spread(1000.0, 1000.0).weight == 8.0


def test_what_rounds_may_spend_never_exceeds_the_study():
    assert sum(round_alpha(n) for n in range(1, 200)) == pytest.approx(0.06)
    assert [round_alpha(n) for n in (1, 5)] == [pytest.approx(0.0108)] * 2
    assert round_alpha(6) == pytest.approx(0.003)
    with pytest.raises(ValueError, match="counted from 1"):
        round_alpha(0)


def test_looks_and_their_shares():
    assert ROW_A.looks == (3, 5, 8, 12)
    assert ROW_B.looks == (3, 5, 8, 12, 20)
    at = level(ROW_B, 20, COMPARE_ALPHA, 2)
    assert at.proven == pytest.approx(0.34 * 0.05 / 2)
    assert at.worse == pytest.approx(0.34 * 0.05)


def test_identical_predictions_are_unclear():
    control, _ = scores(0, 3, 20, 60)
    look = judge(pairs(control, control), Spread(), level(ROW_A, 3, 0.05, 1))
    assert look.verdict is Verdict.UNCLEAR
    assert look.low == look.high == look.difference == 0.0


def test_nothing_is_proven_at_reduced_fidelity():
    control, treatment = scores(0, 8, 50, 250, gain=3.0)
    seen = pairs(control, treatment)
    assert judge(seen, Spread(), level(ROW_A, 8, 0.05, 1, FULL)).verdict is Verdict.PROVEN
    assert judge(seen, Spread(), level(ROW_A, 8, 0.05, 1, Fidelity(0.5))).verdict is Verdict.LIKELY


def test_a_clear_loss_is_worse():
    control, treatment = scores(0, 5, 50, 250, gain=-3.0)
    assert judge(pairs(control, treatment), Spread(), level(ROW_A, 5, 0.01, 4)).verdict is Verdict.WORSE


def test_only_complete_pairs_are_compared():
    control, treatment = scores(0, 3, 20, 60)
    failed = Score(float("nan"), np.empty(0, np.int64), np.empty(0))
    with pytest.raises(ValueError, match="finished runs"):
        pairs(control, [*treatment[:2], failed])
    with pytest.raises(ValueError, match="same examples"):
        pairs(control, treatment[::-1])
    with pytest.raises(ValueError, match="two or more"):
        pairs(control[:1], treatment[:1])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1e-6, 0.01, 100.0, 1e7]), st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_units_or_on_the_order_of_blocks(seed, unit, shuffler):
    control, treatment = scores(seed, 5, 25, 100, gain=0.4)
    at = level(ROW_A, 5, 0.05, 1)

    def look(one, other):
        seen = pairs(one, other)
        return judge(seen, Spread().seeing(5, seen.ratio), at)

    order = list(range(5))
    shuffler.shuffle(order)
    scaled = [
        [Score(unit * side[b].value, side[b].rows, unit * side[b].influence) for b in order]
        for side in (control, treatment)
    ]
    plain, other = look(control, treatment), look(*scaled)
    assert other.verdict is plain.verdict
    assert other.z == pytest.approx(plain.z, rel=1e-6)
    assert other.better == pytest.approx(plain.better, rel=1e-6)
    assert other.low == pytest.approx(unit * plain.low, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1.5, 2.0), st.sampled_from(ROW_B.looks), st.sampled_from([1, 4]))
def test_the_interval_excludes_zero_exactly_when_proven(seed, gain, blocks, treatments):
    control, treatment = scores(seed, blocks, 30, 150, gain=gain)
    look = judge(pairs(control, treatment), Spread(), level(ROW_B, blocks, 0.06, treatments))
    assert (look.low > 0) == (look.verdict is Verdict.PROVEN)
    assert look.low <= look.difference <= look.high


def test_the_loss_is_judged_beside_the_metric():
    control, treatment = scores(5, 3, 30, 90)
    better, worse = scores(6, 3, 30, 90, gain=1.0)
    with_loss = [[Score(s.value, s.rows, s.influence, s.value, s.influence) for s in side] for side in (better, worse)]
    assert math.isnan(judge(pairs(control, treatment), Spread(), level(ROW_A, 3, 0.05, 1)).loss_z)
    look = judge(pairs(*with_loss), Spread(), level(ROW_A, 3, 0.05, 1))
    assert look.loss_z == pytest.approx(look.z)


def test_equal_needs_the_whole_interval_above_the_margin():
    control, treatment = scores(2, 12, 200, 1000)
    seen, at = pairs(control, treatment), level(ROW_A, 12, COMPARE_ALPHA, 1)
    wide = judge_saving(seen, Spread(), at, margin=10.0)
    assert wide.verdict is Verdict.EQUAL
    assert saves(wide)  # each treatment run took half of the control's seconds
    narrow = judge_saving(seen, Spread(), at, margin=1e-6)
    assert narrow.verdict is not Verdict.EQUAL
    same = judge_saving(pairs(control, control), Spread(), at, margin=1e-6)
    assert same.verdict is Verdict.EQUAL
    assert not saves(same)  # as fast as itself


def test_a_true_loss_of_the_margin_is_rarely_called_equal():
    margin, called = 0.1, 0
    for seed in range(400):
        control, treatment = scores(seed, 12, 100, 500, gain=-margin)
        seen = pairs(control, treatment)
        look = judge_saving(seen, Spread().seeing(12, seen.ratio), level(ROW_A, 12, COMPARE_ALPHA, 1), margin)
        called += look.verdict is Verdict.EQUAL
    assert called <= 0.05 * 400


def test_the_margin_pools_seeds_inside_splits():
    assert margin_between_seeds([[1.0, 3.0], [10.0, 12.0]]) == pytest.approx(0.5 * math.sqrt(2.0))
    with pytest.raises(ValueError, match="two seeds"):
        margin_between_seeds([[1.0]])


def test_a_rescued_treatment_is_likely_and_says_nothing_of_the_spread():
    look = rescued(3, rank=2)
    assert look.verdict is Verdict.LIKELY
    assert look.z == 2
    assert Spread().seeing(3, math.nan) == Spread()
