"""Target transformations: what goes in comes back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import StandardScaler

from liebig.techniques import targets
from liebig.techniques.targets.log import LogTarget
from liebig.techniques.targets.standardise import StandardisedTarget

reals = hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e6, 1e6))


@pytest.mark.parametrize("kind", targets.ALL)
@given(target=reals)
def test_answers_are_turned_back(kind, target):
    transform = kind()
    fitted = transform.fit(target)
    model = transform.to_model(target, fitted)
    assert np.isfinite(model).all()
    size = max(1.0, float(np.abs(target).max()))
    np.testing.assert_allclose(transform.from_model(model, fitted), target, atol=1e-6 * size)


def test_standardised_is_scikit_learns():
    target = np.random.default_rng(0).gamma(2, 50, 100)
    transform = StandardisedTarget()
    ours = transform.to_model(target, transform.fit(target))
    np.testing.assert_allclose(ours, StandardScaler().fit_transform(target[:, None])[:, 0])


def test_log_is_the_standardised_logarithm():
    target = np.array([1.0, 10.0, 100.0])
    transform = LogTarget()
    ours = transform.to_model(target, transform.fit(target))
    np.testing.assert_allclose(ours, StandardScaler().fit_transform(np.log(target)[:, None])[:, 0])


def test_log_never_overflows():
    transform = LogTarget()
    fitted = transform.fit(np.array([1.0, 2.0, 1e6]))
    assert np.isfinite(transform.from_model(np.array([1e9]), fitted)).all()
    assert np.isfinite(transform.to_model(np.array([-5.0, 0.0]), fitted)).all()
