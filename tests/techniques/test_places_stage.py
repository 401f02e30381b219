"""Rows with several targets, judged: losses, what is kept of answers, and the metrics over places."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from liebig.core.metric import Metric
from liebig.core.places import (
    ACCURACY_OVER_PLACES,
    KNOWN,
    LOG_LOSS_OVER_PLACES,
    MAE_OVER_PLACES,
    RIGHT,
    RMSE_OVER_PLACES,
    Placed,
    Places,
)
from liebig.techniques.objectives.places import PlacesStage

DRAW = torch.Generator().manual_seed(0)
LOGITS = torch.randn(2, 7, 5, 3, generator=DRAW)
CODES = torch.randint(0, 3, (2, 7, 5), generator=DRAW).float()


def test_classes_are_judged_as_torch_judges_them() -> None:
    target = CODES.clone()
    target[:, :3, 2:] = -100
    stage = PlacesStage(Places(Placed.CLASSES, (5,), -100))
    kept = stage.answered(LOGITS, target).double().numpy()
    whole = functional.cross_entropy(LOGITS[0].reshape(-1, 3), target[0].reshape(-1).long())
    assert LOG_LOSS_OVER_PLACES.score(np.zeros(7), kept[0]) == pytest.approx(float(whole), rel=1e-5)
    known = target[0] != -100
    right = (LOGITS[0].argmax(-1) == target[0])[known].float().mean()
    assert ACCURACY_OVER_PLACES.score(np.zeros(7), kept[0]) == pytest.approx(float(right))
    assert kept[0, 0, KNOWN] == 2
    row = functional.cross_entropy(LOGITS[1, 0, :2], target[1, 0, :2].long())
    assert float(stage.judged(LOGITS, target)[1, 0]) == pytest.approx(float(row), rel=1e-5)


def test_one_target_for_all_members_is_enough() -> None:
    stage = PlacesStage(Places(Placed.CLASSES, (5,)))
    shared = stage.answered(LOGITS, CODES[:1])
    torch.testing.assert_close(shared[1], stage.answered(LOGITS[1:], CODES[:1])[0])
    assert stage.judged(LOGITS, CODES[:1]).shape == (2, 7)


def test_a_row_without_labels_counts_for_nothing() -> None:
    target = CODES.clone()
    target[:, 0] = -1
    stage = PlacesStage(Places(Placed.CLASSES, (5,), -1))
    kept = stage.answered(LOGITS, target)
    assert kept[:, 0].abs().sum() == 0
    assert stage.judged(LOGITS, target)[:, 0].abs().sum() == 0
    assert np.isfinite(ACCURACY_OVER_PLACES.influence(np.zeros(7), kept[0].numpy())).all()


def test_yes_and_no_and_numbers() -> None:
    logits, bits = LOGITS[..., :1], (CODES > 0).float()
    kept = PlacesStage(Places(Placed.BITS, (5,))).answered(logits, bits).double().numpy()[0]
    wanted = functional.binary_cross_entropy_with_logits(logits[0, ..., 0], bits[0])
    assert LOG_LOSS_OVER_PLACES.score(np.zeros(7), kept) == pytest.approx(float(wanted), rel=1e-5)
    assert kept[:, RIGHT].sum() == ((logits[0, ..., 0] > 0) == (bits[0] > 0.5)).sum()
    kept = PlacesStage(Places(Placed.NUMBERS, (5,))).answered(logits, CODES).double().numpy()[0]
    error = logits[0, ..., 0] - CODES[0]
    assert RMSE_OVER_PLACES.score(np.zeros(7), kept) == pytest.approx(float(error.square().mean().sqrt()), rel=1e-5)
    assert MAE_OVER_PLACES.score(np.zeros(7), kept) == pytest.approx(float(error.abs().mean()), rel=1e-5)


@pytest.mark.parametrize("metric", [ACCURACY_OVER_PLACES, LOG_LOSS_OVER_PLACES, RMSE_OVER_PLACES, MAE_OVER_PLACES])
def test_influences_are_those_of_rows(metric: Metric) -> None:
    """Against the jackknife: what a row that is left out does to the score."""
    draw = np.random.default_rng(0)
    known = draw.integers(1, 9, 200).astype(np.float64)
    kept = np.stack(
        [known, draw.binomial(known.astype(int), 0.7), known * draw.random(200), known * draw.random(200)], 1
    )
    kept, nothing = kept.astype(np.float32), np.zeros(200)
    whole = metric.oriented(metric.score(nothing, kept))
    influence = metric.influence(nothing, kept)
    assert influence.mean() == pytest.approx(0.0, abs=1e-6)
    for row in (0, 50, 199):
        keep = np.arange(200) != row
        left = metric.oriented(metric.score(nothing[keep], kept[keep]))
        assert influence[row] == pytest.approx(199 * (whole - left), rel=0.08, abs=2e-3)
