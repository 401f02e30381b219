"""Every scaling against scikit-learn's own, and on columns that break naive ones."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

from liebig.core.card import TECHNIQUE_SECTIONS, card_of
from liebig.data.table.inputs import TableInputs
from liebig.techniques import numbers, scalings, targets
from liebig.techniques.scalings.divide_by_max import DivideByMax
from liebig.techniques.scalings.min_max import MinMax
from liebig.techniques.scalings.none import NoScaling
from liebig.techniques.scalings.quantile import Quantile
from liebig.techniques.scalings.robust import Robust
from liebig.techniques.scalings.standardise import Standardise
from liebig.techniques.scalings.symmetric import Symmetric


def applied(scaling, fit, values):
    fitted = {name: torch.from_numpy(np.asarray(each)) for name, each in scaling.fit(fit).items()}
    return scaling.apply(torch.from_numpy(values), fitted).numpy()


@pytest.fixture
def rows():
    generator = np.random.default_rng(0)
    return np.stack(
        [generator.normal(5, 3, 400), np.exp(generator.normal(0, 2, 400)), generator.integers(0, 4, 400).astype(float)],
        1,
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (MinMax(), MinMaxScaler()),
        (Symmetric(), MinMaxScaler(feature_range=(-1, 1))),
        (DivideByMax(), MaxAbsScaler()),
        (Standardise(), StandardScaler()),
        (Robust(limit=0.0), RobustScaler()),
        (Quantile(quantiles=100), QuantileTransformer(n_quantiles=100, output_distribution="normal", subsample=None)),
    ],
)
def test_scaling_agrees_with_scikit_learn(ours, theirs, rows):
    new = np.concatenate([rows[:50], rows[:5] * 3 + 1, -rows[:5] * 7])
    np.testing.assert_allclose(applied(ours, rows, new), theirs.fit(rows).transform(new), rtol=1e-6, atol=1e-6)


def test_none_leaves_values(rows):
    assert (applied(NoScaling(), rows, rows) == rows).all()


def test_robust_bends_far_values_into_its_limit(rows):
    far = np.array([[1e9, 1e9, 1e9], [-1e9, -1e9, -1e9]])
    bent = applied(Robust(limit=3.0), rows, far)
    assert (np.abs(bent) <= 3.0).all()
    near = applied(Robust(limit=3.0), rows, rows)
    straight = applied(Robust(limit=0.0), rows, rows)
    np.testing.assert_allclose(near, straight / np.sqrt(1 + (straight / 3) ** 2))


@pytest.mark.parametrize("kind", scalings.ALL)
def test_constant_huge_and_missing_cells_stay_finite(kind):
    values = np.stack([np.full(30, 7.0), np.linspace(-1e200, 1e200, 30), np.linspace(0, 1e-310, 30)], 1)
    values[3, 1] = np.nan
    known = np.where(np.isnan(values), 0.0, values)
    assert np.isfinite(applied(kind(), values, known)).all()


def test_numbers_are_told_by_their_kind_alone():
    inputs = TableInputs(scale="quantile", numbers="piecewise-linear", target="log")
    assert (inputs.scale.kind, inputs.numbers.bins, inputs.target.kind) == ("quantile", 32, "log")


@pytest.mark.parametrize("kind", [*scalings.ALL, *numbers.ALL, *targets.ALL])
def test_card_is_complete(kind):
    card = card_of(kind.model_fields["kind"].default, kind)
    assert set(TECHNIQUE_SECTIONS) <= set(card.sections)
