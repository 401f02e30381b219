"""What changes pictures of a training batch, and what whitens the first layer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from liebig.nets.whitened_cnn import WhitenedCNN
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws, ReplayedDraws, mixed_seeds, step_word
from liebig.stack.specs import Signature
from liebig.techniques.batches import FOR_PICTURES, rand_augment
from liebig.techniques.batches.colour_jitter import ColourJitter
from liebig.techniques.batches.cut_mix import CutMix
from liebig.techniques.batches.cutout import Cutout
from liebig.techniques.batches.pictures import reflected
from liebig.techniques.batches.rand_augment import RandAugment
from liebig.techniques.batches.random_affine import RandomAffine
from liebig.techniques.batches.random_crop import RandomCrop
from liebig.techniques.batches.random_flip import RandomFlip
from liebig.techniques.initialisations.whiten_patches import WhitenPatches
from liebig.techniques.stage import Ground

CPU = torch.device("cpu")
EVERY = pytest.mark.parametrize("kind", FOR_PICTURES, ids=lambda each: each.__name__)


def ground(outputs=3, specs=()):
    return Ground(specs, outputs, True, 100, 4, 10, (), CPU)


def batch_of(rows=8, side=10, groups=1, members=1, seed=0):
    dense = torch.randn(groups, rows, 3, side, side, generator=torch.Generator().manual_seed(seed))
    target = torch.arange(rows).remainder(3).float().expand(groups, rows)
    return Batch(dense, target, member_group=torch.arange(members) % groups)


def applied(record, batch, members=1, step=0, seeds=None):
    stage = type(record).stage([record] * members, ground())
    return stage.on_batch(batch, Draws(seeds or tuple(range(members)), step, CPU))


@EVERY
@pytest.mark.parametrize(("groups", "members"), [(1, 1), (1, 3), (2, 2), (2, 4)])
def test_every_member_has_pictures_of_its_own_and_the_same_alone(kind, groups, members):
    batch = batch_of(groups=groups, members=members)
    found = applied(kind(), batch, members)
    assert found.dense.shape == (members, 8, 3, 10, 10)
    assert found.target.shape[:2] == (members, 8) or found.member_group is not None
    last = members - 1
    group = int(batch.member_group[last])
    own = Batch(
        batch.dense[group : group + 1], batch.target[group : group + 1], member_group=torch.zeros(1, dtype=torch.int64)
    )
    single = applied(kind(), own, 1, seeds=(last,))
    torch.testing.assert_close(found.dense[last], single.dense[0])
    told = found.target[last] if found.member_group is None else found.target[found.member_group[last]]
    torch.testing.assert_close(told, single.target[0])


@EVERY
def test_it_changes_anew_in_every_step(kind):
    batch = batch_of(rows=16)
    assert not torch.equal(applied(kind(), batch, step=0).dense, applied(kind(), batch, step=1).dense)


def test_a_crop_shows_a_part_of_the_picture_and_its_mirrored_edge():
    side = 16
    ramp = torch.arange(side * side).float().view(1, 1, 1, side, side).expand(1, 64, 1, side, side)
    found = applied(
        RandomCrop(padding=0.125), Batch(ramp, torch.zeros(1, 64), member_group=torch.zeros(1, dtype=torch.int64))
    )
    shifts = {(int(each[0, 8, 8]) // side - 8, int(each[0, 8, 8]) % side - 8) for each in found.dense[0]}
    assert len(shifts) > 10
    assert max(abs(each) for pair in shifts for each in pair) == 2
    assert reflected(torch.arange(-2, 6), 4).tolist() == [2, 1, 0, 1, 2, 3, 2, 1]
    assert reflected(torch.arange(-1, 2), 1).tolist() == [0, 0, 0]


def test_half_of_the_pictures_are_mirrored():
    batch = batch_of(rows=400, side=4)
    found = applied(RandomFlip(), batch).dense[0]
    turned = torch.tensor([torch.equal(a, b.flip(-1)) for a, b in zip(found, batch.dense[0], strict=True)])
    kept = torch.tensor([torch.equal(a, b) for a, b in zip(found, batch.dense[0], strict=True)])
    assert bool((turned ^ kept).all())
    assert 0.4 < turned.float().mean() < 0.6


def test_cutout_blanks_a_square_at_most():
    batch = batch_of(rows=100, side=20)
    found = applied(Cutout(size=0.5), batch).dense[0]
    blank = (found == 0).all(1)
    assert blank.flatten(1).sum(1).max() == 100
    assert bool(torch.where(blank[:, None], torch.zeros(()), batch.dense[0]).eq(found).all())


def test_jitter_changes_tones_and_not_what_is_where():
    batch = batch_of(rows=50, side=8)
    found = applied(ColourJitter(strength=0.2), batch).dense[0]
    for before, after in zip(batch.dense[0].flatten(2), found.flatten(2), strict=True):
        for a, b in zip(before, after, strict=True):
            assert np.corrcoef(a, b)[0, 1] > 0.9999
    factors = found.flatten(2).std(2) / batch.dense[0].flatten(2).std(2)
    assert 0.75 < factors.min() < 0.9
    assert 1.1 < factors.max() < 1.25


def test_a_quarter_turn_and_none():
    picture = torch.randn(1, 1, 2, 9, 9)
    batch = Batch(picture, torch.zeros(1, 1), member_group=torch.zeros(1, dtype=torch.int64))
    torch.testing.assert_close(applied(RandomAffine(turn=0, zoom=0), batch).dense, picture)
    turned = [applied(RandomAffine(turn=180, zoom=0), batch, step=step).dense for step in range(200)]
    errors = [float((each - picture.rot90(k, (3, 4))).abs().mean()) for each in turned for k in range(4)]
    assert min(errors) < 0.2 < max(errors)
    wide = torch.zeros(1, 1, 1, 8, 24)
    wide[0, 0, 0, 3:5, 11:13] = 1.0  # about the centre: it stays there
    found = applied(
        RandomAffine(turn=90, zoom=0), Batch(wide, torch.zeros(1, 1), member_group=torch.zeros(1, dtype=torch.int64))
    )
    assert found.dense[0, 0, 0, 3:5, 11:13].min() > 0.4


def test_mixed_targets_are_as_large_as_the_areas():
    rows = 200
    dense = torch.arange(rows).float().view(1, rows, 1, 1, 1).expand(1, rows, 3, 12, 12)
    target = torch.arange(rows).remainder(3).float()[None]
    found = applied(CutMix(share=1.0), Batch(dense, target, member_group=torch.zeros(1, dtype=torch.int64)))
    torch.testing.assert_close(found.target.sum(2), torch.ones(1, rows))
    own = (found.dense[0, :, 0] == torch.arange(rows).view(-1, 1, 1)).float().mean((1, 2))
    classes = target[0].long()
    other = torch.stack(
        [torch.unique(found.dense[0, i, 0])[torch.unique(found.dense[0, i, 0]) != i][:1].sum() for i in range(rows)]
    )
    same = classes == classes[other.long() % rows]
    told = found.target[0].gather(1, classes[:, None])[:, 0]
    torch.testing.assert_close(told[~same & (own < 1)], own[~same & (own < 1)])
    few = applied(CutMix(share=0.5), Batch(dense, target, member_group=torch.zeros(1, dtype=torch.int64)))
    assert 0.3 < (few.target.amax(2) < 1).float().mean() < 0.7


def test_numbers_are_mixed_as_they_are():
    stage = CutMix.stage([CutMix(share=1.0)], Ground((), 1, False, 100, 4, 10, (), CPU))
    batch = Batch(
        torch.randn(1, 6, 1, 8, 8), torch.arange(6).float()[None], member_group=torch.zeros(1, dtype=torch.int64)
    )
    found = stage.on_batch(batch, Draws((1,), 0, CPU))
    assert found.target.shape == (1, 6)
    assert 0 <= found.target.min() <= found.target.max() <= 5


def test_whitened_patches_have_unit_variance_and_no_correlation():
    network = WhitenedCNN(width=4, blocks=1)
    signature = Signature(3 * 16 * 16, picture=(3, 16, 16))
    specs = network.parameters(signature, 2)
    smooth = torch.nn.functional.avg_pool2d(
        torch.randn(32, 3, 18, 18, generator=torch.Generator().manual_seed(0)), 3, 1
    )
    batch = Batch(smooth[None], torch.zeros(1, 32), member_group=torch.zeros(2, dtype=torch.int64))
    weights = [torch.randn(2, *spec.shape) for spec in specs]
    stage = WhitenPatches.stage([WhitenPatches(least=1e-6)] * 2, ground(2, specs))
    prepared = stage.prepare(weights, (0, 1), batch, lambda _: [])
    place = next(i for i, spec in enumerate(specs) if spec.name == "whitening.weight")
    first, second = prepared[place]
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(first[:12], -first[12:])
    answers = torch.nn.functional.conv2d(smooth, first[:12]).permute(1, 0, 2, 3).flatten(1)
    torch.testing.assert_close(answers @ answers.T / answers.shape[1], torch.eye(12), atol=0.02, rtol=0)
    assert all(torch.equal(a, b) for i, (a, b) in enumerate(zip(prepared, weights, strict=True)) if i != place)


def test_patches_of_one_tone_do_no_harm():
    network = WhitenedCNN(width=4, blocks=1)
    specs = network.parameters(Signature(64, picture=(1, 8, 8)), 2)
    batch = Batch(torch.zeros(1, 4, 1, 8, 8), torch.zeros(1, 4), member_group=torch.zeros(1, dtype=torch.int64))
    stage = WhitenPatches.stage([WhitenPatches()], ground(2, specs))
    prepared = stage.prepare([torch.randn(1, *spec.shape) for spec in specs], (0,), batch, lambda _: [])
    assert all(bool(torch.isfinite(each).all()) for each in prepared)


# --- RandAugment: Pillow is the reference ---------------------------------------------------------------------------------------


def photographs(count=6, side=24, seed=0):
    """Smooth colour pictures with black and white in each, uint8 [count, side, side, 3]."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    found = np.stack(
        [np.asarray(Image.fromarray(each).resize((side, side), Image.Resampling.BICUBIC)) for each in small]
    )
    found = found.copy()
    found[:, 0, 0], found[:, -1, -1] = 0, 255
    return found


def by_ours(operation, pictures, strength):
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    ends = torch.zeros(len(x), 1, 1, 1), torch.full((len(x), 1, 1, 1), 255.0)
    found = operation(x, torch.full((len(x), 1, 1, 1), strength), rand_augment.Tones(*ends))
    return found.permute(0, 2, 3, 1).numpy()


def by_pillow(change, pictures):
    return np.stack([np.asarray(change(Image.fromarray(each))).astype(float) for each in pictures])


@pytest.mark.parametrize(
    ("operation", "change", "most"),
    [
        (rand_augment.unchanged, lambda strength: lambda p: p, 0.01),
        (rand_augment.auto_contrast, lambda strength: ImageOps.autocontrast, 1.01),
        (rand_augment.solarised, lambda strength: lambda p: ImageOps.solarize(p, 255 - 255 * abs(strength)), 0.01),
        (rand_augment.posterised, lambda strength: lambda p: ImageOps.posterize(p, 8 - round(4 * abs(strength))), 0.01),
        (
            rand_augment.brighter,
            lambda strength: lambda p: ImageEnhance.Brightness(p).enhance(1 + 0.9 * strength),
            1.01,
        ),
        (
            rand_augment.more_contrast,
            lambda strength: lambda p: ImageEnhance.Contrast(p).enhance(1 + 0.9 * strength),
            1.51,
        ),
        (rand_augment.more_colour, lambda strength: lambda p: ImageEnhance.Color(p).enhance(1 + 0.9 * strength), 1.51),
        (rand_augment.sharper, lambda strength: lambda p: ImageEnhance.Sharpness(p).enhance(1 + 0.9 * strength), 1.51),
    ],
)
@pytest.mark.parametrize("strength", [0.5, -0.5, 1.0])
def test_operations_on_tones_are_those_of_pillow(operation, change, most, strength):
    pictures = photographs()
    apart = np.abs(by_ours(operation, pictures, strength) - by_pillow(change(strength), pictures))
    assert apart.max() <= most


def test_tones_are_equalised_as_pillow_does():
    pictures = photographs(side=256)  # of few places Pillow, which counts in whole steps, is a tenth off
    apart = np.abs(by_ours(rand_augment.equalised, pictures, 1.0) - by_pillow(ImageOps.equalize, pictures))
    assert np.quantile(apart, 0.99) < 3
    flat = np.full((2, 8, 8, 3), 90, np.uint8)
    np.testing.assert_array_equal(by_ours(rand_augment.equalised, flat, 1.0), flat)


def test_places_are_moved_as_pillow_does():
    """Nearest and bilinear reading differ a little; the direction and the amount must not."""
    pictures = photographs(side=40)
    inner = np.s_[:, 12:28, 12:28]

    def affine(coefficients):
        return by_pillow(
            lambda p: p.transform(p.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR), pictures
        )

    moved = {
        rand_augment.shifted_across: affine((1, 0, 0.2 * 0.45 * 40, 0, 1, 0)),
        rand_augment.shifted_down: affine((1, 0, 0, 0, 1, 0.2 * 0.45 * 40)),
        rand_augment.sheared_across: affine((1, 0.2 * 0.3, -0.2 * 0.3 * 20, 0, 1, 0)),
        rand_augment.sheared_down: affine((1, 0, 0, 0.2 * 0.3, 1, -0.2 * 0.3 * 20)),
        rand_augment.turned: by_pillow(lambda p: p.rotate(0.2 * 30, Image.Resampling.BILINEAR), pictures),
    }
    for operation, expected in moved.items():
        apart = np.abs(by_ours(operation, pictures, 0.2) - expected)[inner]
        assert apart.mean() < 2.5, operation.__name__


def test_every_operation_is_drawn_and_a_magnitude_of_0_keeps_most_tones():
    batch = batch_of(rows=300, side=12)
    found = applied(RandAugment(rounds=1, magnitude=1.0), batch).dense
    same = (found == batch.dense).flatten(2).all(2)
    assert 0.03 < same.float().mean() < 0.15  # one in fourteen
    mild = applied(RandAugment(rounds=1, magnitude=0.0), batch).dense
    assert (mild - batch.dense).abs().flatten(2).amax(2).lt(
        0.05
    ).float().mean() > 0.8  # but for contrast and equalising


def test_pictures_of_one_pixel_are_borne():
    batch = batch_of(rows=60, side=1)
    assert bool(torch.isfinite(applied(RandAugment(rounds=3, magnitude=1.0), batch).dense).all())


# --- mirror images by turns ----------------------------------------------------------------------------------------------------


def test_pictures_are_mirrored_in_every_other_epoch():
    batch = batch_of(rows=200, side=4)
    order = torch.randperm(200, generator=torch.Generator().manual_seed(3))
    whole = replace(batch, rows=torch.arange(200)[None])
    shuffled = replace(batch, dense=batch.dense[:, order], rows=order[None])

    def mirrored(seen, step):
        found = applied(RandomFlip(alternating=True), seen, step=step).dense[0]
        return torch.tensor([torch.equal(a, b.flip(-1)) for a, b in zip(found, seen.dense[0], strict=True)])

    first, again = mirrored(whole, 0), mirrored(whole, 3)  # four steps an epoch
    assert torch.equal(first, again)
    assert 0.4 < first.float().mean() < 0.6
    assert torch.equal(mirrored(whole, 4), ~first)
    assert torch.equal(mirrored(whole, 8), first)
    assert torch.equal(mirrored(shuffled, 5), ~first[order])


def test_members_mirror_other_pictures():
    batch = replace(batch_of(rows=64, side=4, members=2), rows=torch.arange(64)[None])
    found = applied(RandomFlip(alternating=True), batch, 2).dense
    assert not torch.equal(found[0], found[1])


def test_a_step_that_is_replayed_knows_its_number():
    for step in (0, 1, 77, 100_003):
        word = torch.tensor([step_word(step)], dtype=torch.int32)
        assert int(ReplayedDraws((1,), 0, CPU, mixed_seeds((1,), CPU), word).steps()) == step
