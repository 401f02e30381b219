"""What more rows would bring: the law through a few sizes, and whether its interval keeps its word."""

import numpy as np
import pytest

from liebig.trials.growth import law_of

ROWS = (125.0, 250.0, 500.0, 1000.0)


def truth(rows, exponent, step=0.02, whole=0.9):
    """A score that the last doubling up to 1,000 rows raised by `step`."""
    return whole - step * ((np.asarray(rows) / 1000) ** -exponent - 1) / (2**exponent - 1)


def runs(rng, exponent, noise, blocks=3, step=0.02):
    whole = truth(ROWS, exponent, step)[None] + rng.normal(size=(blocks, 1)) * 0.02
    return whole + rng.normal(size=(blocks, len(ROWS))) * noise


@pytest.mark.parametrize("exponent", [0.1, 0.35, 0.8])
@pytest.mark.parametrize("noise", [0.001, 0.005])
def test_twice_the_rows_bring_what_the_interval_says(exponent: float, noise: float) -> None:
    rng = np.random.default_rng(1)
    brings = float(truth(2000, exponent) - truth(1000, exponent))
    found = [law_of(ROWS, runs(rng, exponent, noise)) for _ in range(100)]
    gains = [each.gain(1000, 2000) for each in found if each is not None]
    assert len(gains) == 100
    assert sum(each.low <= brings <= each.high for each in gains) >= 93
    # It says something: little noise tells whether more rows help.
    if noise < 0.002:
        assert sum(each.low > 0 for each in gains) >= 95
        assert np.median([each.high - each.low for each in gains]) < 1.2 * 0.02


def test_noise_alone_promises_nothing() -> None:
    rng = np.random.default_rng(2)
    gains = [law_of(ROWS, runs(rng, 0.3, 0.004, step=0.0)).gain(1000, 2000) for _ in range(200)]  # type: ignore[union-attr]
    assert sum(each.low > 0 for each in gains) <= 10


def test_the_law_passes_through_what_was_measured_and_widens_beyond() -> None:
    scores = np.tile(truth(ROWS, 0.4), (3, 1)) + np.array([[0.01], [0.0], [-0.01]])
    law = law_of(ROWS, scores, noise=1e-7)
    assert law is not None
    for rows, score in zip(ROWS, scores.mean(axis=0), strict=True):
        assert law.score(rows).value == pytest.approx(score, abs=2e-3)
    widths = [law.score(rows).high - law.score(rows).low for rows in (1000, 2000, 8000)]
    assert widths == sorted(widths)
    assert law.gain(1000, 1000).value == 0.0


def test_a_curve_that_no_law_fits_is_not_trusted() -> None:
    jump = np.tile([0.5, 0.5, 0.5, 0.9], (3, 1)) + np.array([[0.001], [0.0], [-0.001]])
    law = law_of(ROWS, jump + np.random.default_rng(3).normal(size=(3, 4)) * 1e-4)
    assert law is not None
    gained = law.gain(1000, 2000)
    assert gained.low < 0 < gained.high
    assert gained.high - gained.low > 0.2


def test_too_few_sizes_or_blocks_tell_nothing() -> None:
    assert law_of(ROWS[:2], np.zeros((3, 2))) is None
    assert law_of(ROWS, np.zeros((1, 4))) is None
    assert law_of(ROWS, np.full((3, 4), np.nan)) is None
    same = law_of(ROWS, np.full((3, 4), 0.7))
    assert same is not None
    assert same.gain(1000, 2000).value == pytest.approx(0.0, abs=1e-12)
