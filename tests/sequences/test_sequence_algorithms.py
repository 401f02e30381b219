"""Other algorithms on sequences: random convolutions, what repeats, ridge on lags; kept as data and answering the same."""

import numpy as np
import pytest
from sequence_cases import seasonal, waves

from liebig.classical import FOR_FORECASTS, FOR_SEQUENCES, answerer_of, challenger_named
from liebig.classical.filling import filled, lengths_of
from liebig.classical.ridge import solved
from liebig.core.task import TaskKind
from liebig.data.sequences.content import SequenceData
from liebig.data.sequences.windows import cut, season_of, shifts


def data_of(n=80, ragged=True, seed=0):
    values, labels, lengths = waves(n, ragged=ragged, seed=seed)
    values[np.arange(values.shape[1])[None] >= lengths[:, None]] = np.nan
    return SequenceData(values, lengths, ("a", "b"), tuple(map(str, range(n)))), labels.astype(float)


def forecasts(horizon=6, lookback=30):
    found = cut([seasonal(500)[:, None]], 0, horizon, lookback)
    names = tuple(map(str, range(len(found.values))))
    return SequenceData(found.values, np.full(len(found.values), lookback), ("y",), names, 0), found.wanted


@pytest.mark.parametrize("challenger", FOR_SEQUENCES, ids=lambda each: each.name)
def test_random_convolutions_tell_waves_apart_and_are_kept_as_data(challenger):
    data, labels = data_of()
    fit, judge = np.arange(50), np.arange(50, 80)
    answerer = challenger.fit(data.classical(fit), labels[fit], TaskKind.BINARY, 2)
    shares = answerer.predict(data.classical(judge))
    assert ((shares > 0.5) == labels[judge]).mean() >= 0.9
    assert -np.mean(np.log(np.where(labels[judge] > 0.5, shares, 1 - shares))) < 0.5
    again = answerer_of(answerer.stored())
    np.testing.assert_allclose(again.predict(data.classical(judge)), shares, rtol=1e-5)


def test_random_convolutions_learn_numbers():
    data, labels = data_of()
    answerer = challenger_named("rocket").fit(data.classical(np.arange(60)), labels[:60] * 3, TaskKind.REGRESSION)
    error = answerer.predict(data.classical(np.arange(60, 80))) - labels[60:] * 3
    assert np.sqrt((error**2).mean()) < 1.0


def test_a_seasons_repetition_and_ridge_beat_the_last_value():
    data, wanted = forecasts()
    fit, judge = np.arange(300), np.arange(330, len(wanted))
    errors = {}
    for each in FOR_FORECASTS:
        answerer = each.fit(data.classical(fit), wanted[fit], TaskKind.REGRESSION)
        answers = answerer.predict(data.classical(judge))
        assert answers.shape == wanted[judge].shape
        np.testing.assert_allclose(answerer_of(answerer.stored()).predict(data.classical(judge)), answers, rtol=1e-5)
        errors[each.name] = float(np.sqrt(((answers - wanted[judge]) ** 2).mean()))
    assert errors["seasonal-naive"] < 0.3 * errors["naive"]
    assert errors["ridge-on-lags"] <= errors["seasonal-naive"]


def test_one_step_ahead_is_one_number():
    data, wanted = forecasts(1)
    for each in FOR_FORECASTS:
        answerer = each.fit(data.classical(np.arange(100)), wanted[:100, 0], TaskKind.REGRESSION)
        assert answerer.predict(data.classical(np.arange(5))).shape == (5,)


def test_ridge_in_closed_form_is_the_ridge_and_leaves_rows_out():
    random = np.random.default_rng(0)
    for rows, columns in ((30, 5), (12, 40)):
        x, y = random.normal(size=(rows, columns)), random.normal(size=(rows, 2))
        (found,) = solved(x, y, [2.0])
        centred, aimed = x - x.mean(0), y - y.mean(0)
        wanted = np.linalg.solve(centred.T @ centred + 2.0 * np.eye(columns), centred.T @ aimed)
        np.testing.assert_allclose(found.weights, wanted, atol=1e-8)
        rest = np.arange(rows) != 3
        (without,) = solved(x[rest], y[rest], [2.0])
        np.testing.assert_allclose(found.left_out[3], x[3] @ without.weights + without.bias, atol=1e-8)


def test_gaps_are_filled_from_before_then_from_after():
    values = np.array([[[np.nan], [1.0], [np.nan], [3.0], [np.nan]], [[np.nan]] * 5], dtype=np.float32)
    np.testing.assert_array_equal(filled(values)[:, :, 0], [[1, 1, 1, 3, 3], [0] * 5])
    np.testing.assert_array_equal(lengths_of(values), [4, 1])


def test_seasons_and_shifts_are_found():
    assert season_of(seasonal().astype(float)) == 12
    assert season_of(np.random.default_rng(0).normal(size=300)) == 0
    series = seasonal()
    windows = np.stack([series[i : i + 20] for i in (0, 3, 6, 200, 203)])[:, :, None]
    np.testing.assert_array_equal(shifts(windows), [0, 3, 3, 0, 3])


def test_summaries_are_of_what_is_there():
    data, _ = data_of(20)
    longer = SequenceData(
        np.pad(data.values, ((0, 0), (0, 9), (0, 0)), constant_values=np.nan), data.lengths, data.channels, data.names
    )
    np.testing.assert_allclose(longer.summaries, data.summaries, rtol=1e-5, atol=1e-5)
    assert data.summaries.shape == (20, len(data.summary_names))
    assert np.isfinite(data.summaries).all()
    empty = SequenceData(np.full((2, 5, 1), np.nan, np.float32), np.array([5, 3]), ("a",), ("1", "2"))
    assert np.isnan(empty.summaries[:, :-2]).all()
