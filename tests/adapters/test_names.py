"""Names of metrics, as five frameworks and their users write them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from liebig.watch.adapters.names import mean, named


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("train_loss", "train_loss"),
        ("val_loss", "valid_loss"),
        ("valid_acc", "valid_accuracy"),
        ("validation/accuracy", "valid_accuracy"),
        ("val/f1_score", "valid_f1_score"),
        ("Val-AUC", "valid_auc"),
        ("eval_loss", "valid_loss"),
        ("eval_runtime", None),
        ("loss_train", "train_loss"),
        ("acc/val", "valid_accuracy"),
        ("train_loss_epoch", "train_loss"),
        ("train_loss_step", None),
        ("test_loss", None),
        ("loss", None),
        ("lr-Adam", None),
        ("train", None),
        ("", None),
    ],
)
def test_a_part_and_a_metric_are_read_from_a_name(given: str, expected: str | None) -> None:
    assert list(named({given: 0.5})) == ([] if expected is None else [expected])


def test_names_without_a_part_belong_to_the_part_that_is_told() -> None:
    logs = {"loss": 1.0, "acc": 0.5, "val_loss": 2.0, "epoch": 3, "learning_rate": 0.1}
    assert named(logs, unmarked="train") == {"train_loss": 1.0, "train_accuracy": 0.5, "valid_loss": 2.0}


def test_the_mean_over_an_epoch_is_preferred_to_a_value_of_the_same_name() -> None:
    assert named({"train_loss": 9.0, "train_loss_epoch": 1.0, "train_loss_step": 7.0}) == {"train_loss": 1.0}


def test_only_single_numbers_are_taken_nan_among_them() -> None:
    values = {
        "val_a": torch.tensor(0.25),
        "val_b": np.float32(0.5),
        "val_c": np.zeros(3),
        "val_d": "good",
        "val_e": True,
        "val_f": None,
        "val_g": torch.zeros(2, 2),
        "val_h": math.nan,
    }
    found = named(values)
    assert list(found) == ["valid_a", "valid_b", "valid_h"]
    assert math.isnan(found["valid_h"])


def test_the_mean_of_nothing_is_nan() -> None:
    assert mean([1.0, 2.0]) == 1.5
    assert math.isnan(mean([]))
