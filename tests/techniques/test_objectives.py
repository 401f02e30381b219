"""Objectives against torch's losses, members against themselves alone, answers against the mean."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, mean_pinball_loss
from sklearn.utils.class_weight import compute_class_weight
from technique_cases import ground, only
from torch.nn import functional

from liebig.techniques.objectives import (
    ALL,
    FOR_CLASSES,
    MAE,
    MSE,
    CrossEntropy,
    Focal,
    GeneralisedCrossEntropy,
    Huber,
    Quantile,
)

B, C = 17, 3
TORCH = torch.Generator().manual_seed(5)
OUTPUTS = torch.randn(2, B, C, generator=TORCH) * 2
CODES = torch.randint(0, C, (2, B), generator=TORCH).float()
LOGITS = torch.randn(2, B, 1, generator=TORCH) * 2
YES = torch.randint(0, 2, (2, B), generator=TORCH).float()
NUMBERS = torch.randn(2, B, generator=TORCH)
SHARES = (0.7, 0.2, 0.1)


def multiclass(**fields):
    return CrossEntropy.stage([CrossEntropy(**fields)] * 2, ground())


def binary(**fields):
    return CrossEntropy.stage([CrossEntropy(**fields)] * 2, ground(outputs=1, shares=(0.8, 0.2)))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_cross_entropy_is_torchs(smoothing, weights):
    stage = multiclass(label_smoothing=smoothing, class_weights=weights)
    weight = 1 / (C * torch.tensor(SHARES)) if weights == "balanced" else None
    for member in range(2):
        expected = functional.cross_entropy(
            OUTPUTS[member], CODES[member].long(), weight, label_smoothing=smoothing, reduction="none"
        )
        torch.testing.assert_close(stage.losses(OUTPUTS, CODES)[member], expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_soft_classes_are_torchs(smoothing, weights):
    soft = torch.softmax(torch.randn(2, B, C, generator=torch.Generator().manual_seed(1)), dim=-1)
    stage = multiclass(label_smoothing=smoothing, class_weights=weights)
    weight = 1 / (C * torch.tensor(SHARES)) if weights == "balanced" else None
    expected = functional.cross_entropy(OUTPUTS[0], soft[0], weight, label_smoothing=smoothing, reduction="none")
    torch.testing.assert_close(stage.losses(OUTPUTS, soft)[0], expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_one_output_is_two_classes(smoothing, weights):
    """Torch's cross-entropy of the logits [0, z] has the same smoothing and the same weights."""
    stage = binary(label_smoothing=smoothing, class_weights=weights)
    both = torch.cat((torch.zeros_like(LOGITS), LOGITS), dim=-1)
    weight = 1 / (2 * torch.tensor([0.8, 0.2])) if weights == "balanced" else None
    expected = functional.cross_entropy(both[0], YES[0].long(), weight, label_smoothing=smoothing, reduction="none")
    torch.testing.assert_close(stage.losses(LOGITS, YES)[0], expected)
    if not smoothing and weights == "none":
        plain = functional.binary_cross_entropy_with_logits(LOGITS[0, :, 0], YES[0], reduction="none")
        torch.testing.assert_close(stage.losses(LOGITS, YES)[0], plain)


def test_mixed_targets_of_two_classes():
    mixed = 0.3 * YES + 0.7 * YES.roll(1, dims=1)
    plain = functional.binary_cross_entropy_with_logits(LOGITS[..., 0], mixed, reduction="none")
    torch.testing.assert_close(binary().losses(LOGITS, mixed), plain)
    torch.testing.assert_close(binary().losses(LOGITS, torch.stack((1 - mixed, mixed), dim=-1)), plain)


def test_balanced_weights_are_scikit_learns():
    target = np.repeat([0, 1, 2], [70, 20, 10])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=target)
    assert multiclass(class_weights="balanced").class_weights[0].tolist() == pytest.approx(expected.tolist())


def test_a_class_without_rows_has_a_finite_weight():
    stage = CrossEntropy.stage([CrossEntropy(class_weights="balanced")], ground(shares=(0.9, 0.1, 0.0)))
    assert torch.isfinite(stage.class_weights).all()


def test_focal_is_the_papers_formula():
    stage = Focal.stage([Focal(gamma=0.0), Focal(gamma=2.0)], ground())
    losses = stage.losses(OUTPUTS, CODES)
    torch.testing.assert_close(losses[0], functional.cross_entropy(OUTPUTS[0], CODES[0].long(), reduction="none"))
    p = torch.softmax(OUTPUTS[1], dim=-1)[torch.arange(B), CODES[1].long()]
    torch.testing.assert_close(losses[1], -((1 - p) ** 2) * p.log(), rtol=1e-4, atol=1e-6)
    binary_stage = Focal.stage([Focal(gamma=1.5)] * 2, ground(outputs=1))
    p = torch.where(YES > 0, torch.sigmoid(LOGITS[..., 0]), 1 - torch.sigmoid(LOGITS[..., 0]))
    torch.testing.assert_close(binary_stage.losses(LOGITS, YES), -((1 - p) ** 1.5) * p.log(), rtol=1e-4, atol=1e-6)


def test_generalised_cross_entropy_is_the_papers_formula():
    stage = GeneralisedCrossEntropy.stage([GeneralisedCrossEntropy(q=1e-4), GeneralisedCrossEntropy(q=0.7)], ground())
    losses = stage.losses(OUTPUTS, CODES)
    plain = functional.cross_entropy(OUTPUTS[0], CODES[0].long(), reduction="none")
    torch.testing.assert_close(losses[0], plain, rtol=1e-3, atol=1e-4)
    p = torch.softmax(OUTPUTS[1], dim=-1)[torch.arange(B), CODES[1].long()]
    torch.testing.assert_close(losses[1], (1 - p**0.7) / 0.7, rtol=1e-4, atol=1e-6)
    one = GeneralisedCrossEntropy.stage([GeneralisedCrossEntropy(q=1.0)] * 2, ground(outputs=1))
    p = torch.where(YES > 0, torch.sigmoid(LOGITS[..., 0]), 1 - torch.sigmoid(LOGITS[..., 0]))
    torch.testing.assert_close(one.losses(LOGITS, YES), 1 - p, rtol=1e-4, atol=1e-6)


def test_focal_has_finite_slopes_where_it_is_certain():
    outputs = torch.tensor([[[90.0, -90.0, 0.0], [-90.0, 90.0, 0.0]]], requires_grad=True)
    Focal.stage([Focal(gamma=0.5)], ground()).losses(outputs, torch.zeros(1, 2)).sum().backward()
    assert torch.isfinite(outputs.grad).all()


@pytest.mark.parametrize(
    ("record", "reference"),
    [
        (MSE(), functional.mse_loss),
        (MAE(), functional.l1_loss),
        (Huber(delta=0.7), lambda a, b, reduction: functional.huber_loss(a, b, reduction=reduction, delta=0.7)),
    ],
    ids=["mse", "mae", "huber"],
)
def test_losses_of_numbers_are_torchs(record, reference):
    stage = type(record).stage([record] * 2, ground(outputs=1, is_classification=False))
    torch.testing.assert_close(stage.losses(LOGITS, NUMBERS), reference(LOGITS[..., 0], NUMBERS, reduction="none"))


def test_quantile_is_scikit_learns():
    stage = Quantile.stage([Quantile(quantile=0.2), Quantile(quantile=0.9)], ground(outputs=1, is_classification=False))
    losses = stage.losses(LOGITS, NUMBERS).mean(dim=1)
    for member, quantile in enumerate((0.2, 0.9)):
        expected = mean_pinball_loss(NUMBERS[member].numpy(), LOGITS[member, :, 0].numpy(), alpha=quantile)
        assert losses[member].item() == pytest.approx(expected, rel=1e-5)


def case(kind):
    if kind in FOR_CLASSES:
        return ground(), OUTPUTS, CODES
    return ground(outputs=1, is_classification=False), LOGITS, NUMBERS


OWN = [
    [CrossEntropy(label_smoothing=0.0), CrossEntropy(label_smoothing=0.2)],
    [Focal(gamma=1.0), Focal(gamma=3.0)],
    [GeneralisedCrossEntropy(q=0.2), GeneralisedCrossEntropy(q=0.9)],
    [Huber(delta=0.1), Huber(delta=2.0)],
    [Quantile(quantile=0.1), Quantile(quantile=0.8)],
]


@pytest.mark.parametrize("records", OWN, ids=lambda records: records[0].kind)
def test_members_have_values_of_their_own(records):
    on, outputs, target = case(type(records[0]))
    stage = type(records[0]).stage(records, on)
    together = stage.losses(outputs, target)
    for member, record in enumerate(records):
        part = slice(member, member + 1)
        alone = type(record).stage([record], on).losses(outputs[part], target[part])
        torch.testing.assert_close(together[part], alone)
        torch.testing.assert_close(only(stage, member).losses(outputs[part], target[part]), alone)
    assert not torch.allclose(together[0], type(records[1]).stage([records[1]] * 2, on).losses(outputs, target)[0])


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_packed_answers(kind):
    """Losses are each answer's own; predictions are the mean; the judged loss is that of the mean."""
    on, outputs, target = case(kind)
    stage = kind.stage([kind()] * 2, on)
    answers = torch.stack((outputs, outputs.flip(1), 0.5 * outputs), dim=2)
    losses = stage.losses(answers, target)
    assert losses.shape == (2, B, 3)
    for answer in range(3):
        torch.testing.assert_close(losses[:, :, answer], stage.losses(answers[:, :, answer], target))
    mean = torch.stack([stage.predictions(answers[:, :, answer]) for answer in range(3)]).mean(dim=0)
    torch.testing.assert_close(stage.predictions(answers), mean)
    same = outputs.unsqueeze(2).expand(-1, -1, 4, -1)
    torch.testing.assert_close(stage.judged(same, target), stage.judged(outputs, target))


@pytest.mark.parametrize("kind", FOR_CLASSES, ids=lambda kind: kind.__name__)
def test_the_judged_loss_is_the_log_loss_of_the_predictions(kind):
    stage = kind.stage([kind()] * 2, ground())
    assert stage.judged(OUTPUTS, CODES)[0].mean().item() == pytest.approx(
        log_loss(CODES[0], stage.predictions(OUTPUTS)[0].numpy(), labels=[0, 1, 2]), rel=1e-5
    )
    packed = torch.stack((LOGITS, -0.3 * LOGITS), dim=2)
    stage = kind.stage([kind()] * 2, ground(outputs=1))
    assert stage.predictions(packed).shape == (2, B)
    assert stage.judged(packed, YES)[1].mean().item() == pytest.approx(
        log_loss(YES[1], stage.predictions(packed)[1].numpy()), rel=1e-5
    )


def test_extreme_outputs_stay_finite():
    wild = torch.tensor([[[1e4], [-1e4]]])
    stage = CrossEntropy.stage([CrossEntropy(label_smoothing=0.1)], ground(outputs=1))
    assert torch.isfinite(stage.losses(wild, torch.tensor([[0.0, 1.0]]))).all()
    assert torch.isfinite(stage.judged(wild, torch.tensor([[0.0, 1.0]]))).all()
    numbers = MSE.stage([MSE()], ground(outputs=1, is_classification=False))
    assert numbers.judged(wild, torch.zeros(1, 2)).shape == (1, 2)
