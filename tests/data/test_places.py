"""Targets that are several for each row: what is recognised, what is refused."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from liebig.core.errors import UserError
from liebig.core.places import Placed
from liebig.core.task import TaskKind
from liebig.data.module.task import module_task

ROWS, LENGTH, WORDS = 60, 6, 5
TOKENS = torch.randint(0, WORDS, (ROWS, LENGTH), generator=torch.Generator().manual_seed(0))
NEXT = TOKENS.roll(-1, 1)
PICTURES = torch.rand(ROWS, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def tagger(words: int = WORDS) -> nn.Module:
    """Classes last: [rows, length, words]."""
    return nn.Sequential(nn.Embedding(WORDS, 8), nn.Linear(8, words))


def painter(channels: int) -> nn.Module:
    """Classes second: [rows, channels, 8, 8]."""
    return nn.Conv2d(1, channels, 3, padding=1)


def over_places(answer: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(answer.reshape(-1, answer.shape[-1]), target.reshape(-1))


def places(build, train, **given):
    found = module_task(build, train=train, **given)
    assert found.task.kind is TaskKind.PLACES
    form = found.users.form
    assert form.places is not None
    return found, form


def test_words_of_a_sequence() -> None:
    found, form = places(tagger, (TOKENS, NEXT), loss=over_places)
    assert (form.places.kind, form.places.shape, form.classes, form.class_dim) == (Placed.CLASSES, (LENGTH,), WORDS, 2)
    assert found.task.metric.name == "accuracy"
    assert found.baseline.objective.kind == "users-loss"
    assert any("6 targets" in note for note in found.notes)
    answer = tagger()(TOKENS[:3])
    assert form.canonical(answer).shape == (3, LENGTH, WORDS)
    torch.testing.assert_close(form.restored(found.users.placed[:3]), NEXT[:3])


def test_pixels_of_a_picture_in_torch_s_own_order() -> None:
    mask = (PICTURES[:, 0] * 3).long()
    found, form = places(partial(painter, 3), (PICTURES, mask), loss=nn.CrossEntropyLoss())
    assert (form.places.kind, form.places.shape, form.class_dim) == (Placed.CLASSES, (8, 8), 1)
    answer = painter(3)(PICTURES[:2])
    torch.testing.assert_close(form.canonical(answer)[1, 11], answer[1, :, 1, 3])
    assert sum(form.places.shares) == pytest.approx(1.0)
    assert found.users.placed.shape == (ROWS, 64)


@pytest.mark.parametrize("target_shape", [(ROWS, 1, 8, 8), (ROWS, 8, 8)])
def test_a_mask_of_yes_and_no(target_shape: tuple[int, ...]) -> None:
    mask = (PICTURES > 0.7).float().reshape(target_shape)

    def loss(answer: Tensor, target: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(answer.reshape(target.shape), target)

    given = nn.BCEWithLogitsLoss() if len(target_shape) == 4 else loss
    metric = "accuracy"
    if given is loss:
        found = module_task(partial(painter, 1), train=(PICTURES, mask), loss=given, metric="rmse")
        assert found.users.form.places.kind is Placed.NUMBERS, "nothing says that a loss of one's own is for yes and no"
        return
    _, form = places(partial(painter, 1), (PICTURES, mask), loss=given, metric=metric)
    assert form.places.kind is Placed.BITS
    assert form.places.shares[1] == pytest.approx(0.3, abs=0.05)


def test_several_numbers_a_row() -> None:
    x = PICTURES.flatten(1)
    found, form = places(partial(nn.Linear, 64, 3), (x, x[:, :3]), loss=nn.MSELoss())
    assert form.places.kind is Placed.NUMBERS
    assert found.task.metric.name == "rmse"
    found, form = places(partial(nn.Linear, 64, 64), (x, x), loss=nn.MSELoss(), metric="mae")
    assert found.task.metric.name == "mae"


def test_labels_that_are_none() -> None:
    padded = NEXT.clone()
    padded[:, -2:] = -100
    _, form = places(tagger, (TOKENS, padded), loss=lambda a, t: functional.cross_entropy(a.transpose(1, 2), t))
    assert form.places.ignored == -100
    _, form = places(
        tagger, (TOKENS, NEXT), loss=lambda a, t: functional.cross_entropy(a.transpose(1, 2), t, ignore_index=0),
        ignore_index=0,
    )  # fmt: skip
    assert form.places.ignored == 0
    assert form.places.shares[0] == 0.0
    pad = partial(functional.cross_entropy, ignore_index=2)
    found, form = places(partial(painter, 3), (PICTURES, (PICTURES[:, 0] * 3).long()), loss=pad)
    assert form.places.ignored == 2
    assert any("counts as no label" in note for note in found.notes)


@pytest.mark.parametrize(
    ("build", "train", "given", "says"),
    [
        (tagger, (TOKENS, NEXT + 1), {"loss": over_places}, r"labels must lie in 0\.\.4.*need target - 1"),
        (tagger, (TOKENS, NEXT[:, :3]), {"loss": over_places}, "one value, or one for each class, for each target"),
        (tagger, (TOKENS, NEXT), {}, "wants the classes second"),
        (tagger, (TOKENS, NEXT), {"loss": over_places, "metric": "roc_auc"}, 'accuracy or log_loss, .* however "roc_auc"'),
        (tagger, (TOKENS, torch.zeros_like(NEXT)), {"loss": over_places}, "at least two classes"),
        (tagger, (TOKENS, torch.full_like(NEXT, -100)), {"loss": over_places}, "must have labels"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_one_sentence(build, train, given, says) -> None:
    with pytest.raises(UserError, match=says):
        module_task(build, train=train, **given)


def test_one_hot_and_single_targets_are_as_before() -> None:
    x = PICTURES.flatten(1)
    codes = torch.arange(ROWS) % 3
    one_hot = functional.one_hot(codes, 3).float()
    assert (
        module_task(partial(nn.Linear, 64, 3), train=(x, one_hot), loss=nn.MSELoss()).task.kind is TaskKind.MULTICLASS
    )
    single = module_task(partial(nn.Linear, 64, 1), train=(x, x[:, :1]), loss=nn.MSELoss())
    assert single.task.kind is TaskKind.REGRESSION
    assert np.isfinite(single.task.target).all()
