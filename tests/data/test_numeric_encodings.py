"""Piecewise-linear codes against the paper's formula; where edges are placed."""

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from liebig.techniques.numbers.encoding import codes, positions
from liebig.techniques.numbers.piecewise_linear import PiecewiseLinear
from liebig.techniques.numbers.plain import PlainNumbers


def by_the_paper(x, edges):
    """Equation 1 of arXiv:2203.05556, outer bins not extended."""
    code = []
    for low, high in pairwise(edges):
        code.append(0.0 if x < low else 1.0 if x >= high else (x - low) / (high - low))
    return code


def encode(values, edges, width):
    table = np.full((1, width + 2), np.inf)
    table[0, : len(edges)] = edges
    place = positions(torch.from_numpy(values)[:, None], torch.from_numpy(table))
    return codes(place.expand(-1, width), torch.arange(width)).numpy()


def test_codes_are_the_papers():
    edges = np.array([-2.0, 0.0, 0.5, 3.0, 10.0])
    values = np.array([-5.0, -2.0, -1.0, 0.0, 0.2, 0.5, 2.9, 3.0, 9.0, 10.0, 99.0])
    np.testing.assert_allclose(encode(values, edges, 4), [by_the_paper(x, edges) for x in values])


def test_a_column_with_fewer_edges_leaves_codes_at_zero():
    code = encode(np.array([-1.0, 0.5, 7.0]), np.array([0.0, 1.0]), 5)
    np.testing.assert_allclose(code, [[0, 0, 0, 0, 0], [0.5, 0, 0, 0, 0], [1, 0, 0, 0, 0]])


def test_few_values_are_edges_themselves():
    encoding = PiecewiseLinear(bins=32)
    values = np.array([3.0, 1.0, 1.0, 8.0, 3.0])
    assert encoding.width(3) == 2
    assert encoding.edges_of(values, 2).tolist() == [1.0, 3.0, 8.0]


def test_two_values_have_no_codes_beside_their_number():
    assert PiecewiseLinear().width(2) == 0
    assert PiecewiseLinear(keep_number=False).width(2) == 1
    assert PlainNumbers().width(1000) == 0


def test_mixed_edges_see_what_hides_behind_zeros():
    values = np.concatenate([np.zeros(920), np.linspace(1, 1000, 80)])
    mixed = PiecewiseLinear(edges="mixed").edges_of(values, 32)
    rows_only = PiecewiseLinear(edges="quantile").edges_of(values, 32)
    assert len(rows_only) <= 5
    assert len(mixed) >= 15


@given(hnp.arrays(np.float64, st.integers(1, 200), elements=st.floats(-1e12, 1e12)), st.integers(2, 64))
def test_edges_rise_strictly_and_fit(values, bins):
    for edges in ("mixed", "quantile"):
        encoding = PiecewiseLinear(bins=bins, edges=edges)
        width = encoding.width(max(len(np.unique(values)), 3))
        found = encoding.edges_of(values, width)
        assert 1 <= len(found) <= width + 1
        assert (np.diff(found) > 0).all()
        code = encode(values, found, width)
        assert ((code >= 0) & (code <= 1)).all()
