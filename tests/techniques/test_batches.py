"""Mixup by the paper's formula, noise of the right size, both for each member by its own seed."""

import pytest
import torch
from scipy import stats
from technique_cases import ground, only

from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.techniques.batches import FeatureNoise, Mixup

ROWS = 40


def batch(groups=2, rows=ROWS, classes=3, member_group=(0, 0, 1)):
    generator = torch.Generator().manual_seed(4)
    return Batch(
        dense=torch.randn(groups, rows, 4, generator=generator),
        target=torch.randint(0, classes, (groups, rows), generator=generator).float(),
        numbers=torch.randn(groups, rows, 2, generator=generator),
        codes=torch.randint(0, 9, (groups, rows, 3), generator=generator),
        weight=torch.rand(groups, rows, generator=generator),
        member_group=None if member_group is None else torch.tensor(member_group),
    )


def draws(*seeds, step=3):
    return Draws(seeds, step, torch.device("cpu"))


def test_mixup_is_the_papers_sum_of_two_rows():
    before = batch()
    stage = Mixup.stage([Mixup(alpha=0.4), Mixup(alpha=2.0), Mixup(alpha=1.0)], ground())
    after = stage.on_batch(before, draws(1, 2, 3))
    shares = stage.shares(draws(1, 2, 3))
    assert after.member_group is None
    assert after.dense.shape == (3, ROWS, 4)
    assert after.target.shape == (3, ROWS, 3)
    for k, group in enumerate((0, 0, 1)):
        share = shares[k].item()
        dense, classes = before.dense[group], torch.nn.functional.one_hot(before.target[group].long(), 3).float()
        # The partner of all rows is a fixed number of places further on; find it by the first row.
        candidates = share * dense[0] + (1 - share) * dense
        shift = int((candidates - after.dense[k, 0]).abs().sum(dim=1).argmin())
        assert shift != 0
        torch.testing.assert_close(after.dense[k], share * dense + (1 - share) * dense.roll(-shift, 0))
        torch.testing.assert_close(after.target[k], share * classes + (1 - share) * classes.roll(-shift, 0))
        numbers, weight, codes = before.numbers[group], before.weight[group], before.codes[group]
        torch.testing.assert_close(after.numbers[k], share * numbers + (1 - share) * numbers.roll(-shift, 0))
        torch.testing.assert_close(after.weight[k], share * weight + (1 - share) * weight.roll(-shift, 0))
        assert torch.equal(after.codes[k], codes if share >= 0.5 else codes.roll(-shift, 0))


@pytest.mark.parametrize("alpha", [0.2, 0.4, 1.0, 5.0])
def test_shares_follow_the_beta_distribution(alpha):
    stage = Mixup.stage([Mixup(alpha=alpha)] * 50, ground())
    shares = torch.cat([stage.shares(draws(*range(50), step=step)) for step in range(60)])
    assert stats.kstest(shares.numpy(), stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_numbers_and_two_classes_are_mixed_as_they_are():
    for on in (ground(outputs=1, is_classification=False), ground(outputs=1, shares=(0.5, 0.5))):
        after = Mixup.stage([Mixup()] * 3, on).on_batch(batch(classes=2), draws(1, 2, 3))
        assert after.target.shape == (3, ROWS)
        assert ((after.target >= 0) & (after.target <= 1)).all()


def test_noise_has_each_members_spread():
    before, spreads = batch(rows=3000), (0.05, 0.2, 1.0)
    stage = FeatureNoise.stage([FeatureNoise(spread=spread) for spread in spreads], ground())
    after = stage.on_batch(before, draws(1, 2, 3))
    for k, group in enumerate((0, 0, 1)):
        noise = after.dense[k] - before.dense[group]
        assert noise.std().item() == pytest.approx(spreads[k], rel=0.05)
        assert (after.numbers[k] - before.numbers[group]).std().item() == pytest.approx(spreads[k], rel=0.05)
        assert torch.equal(after.target[k], before.target[group])
        assert torch.equal(after.codes[k], before.codes[group])
    assert not torch.equal(after.dense[0] - before.dense[0], after.dense[1] - before.dense[0])


def test_noise_keeps_the_compute_precision():
    low = batch()
    low = Batch(low.dense.bfloat16(), low.target, member_group=low.member_group)
    assert (
        FeatureNoise.stage([FeatureNoise()] * 3, ground()).on_batch(low, draws(1, 2, 3)).dense.dtype is torch.bfloat16
    )
    assert Mixup.stage([Mixup()] * 3, ground()).on_batch(low, draws(1, 2, 3)).dense.dtype is torch.bfloat16


RECORDS = [
    [Mixup(alpha=0.2), Mixup(alpha=1.0), Mixup(alpha=3.0)],
    [FeatureNoise(spread=0.1), FeatureNoise(spread=0.2), FeatureNoise(spread=0.3)],
]


@pytest.mark.parametrize("records", RECORDS, ids=lambda records: records[0].kind)
def test_members_draw_for_themselves(records):
    """The same rows and seed give the same batch, whoever else is in the stack, and in whatever form the rows come."""
    stage, before = type(records[0]).stage(records, ground()), batch()
    together = stage.on_batch(before, draws(11, 22, 33))
    for k, group in enumerate((0, 0, 1)):
        seed = (11, 22, 33)[k]
        single = Batch(before.dense[group][None], before.target[group][None], member_group=torch.tensor([0]))
        for alone_stage in (only(stage, k), type(records[k]).stage([records[k]], ground())):
            alone = alone_stage.on_batch(single, draws(seed))
            torch.testing.assert_close(alone.dense[0], together.dense[k])
            torch.testing.assert_close(alone.target[0], together.target[k])
    again = stage.on_batch(batch(groups=3, member_group=None), draws(11, 22, 33))
    assert again.dense.shape == together.dense.shape


@pytest.mark.parametrize("records", RECORDS, ids=lambda records: records[0].kind)
def test_a_batch_of_one_row(records):
    after = type(records[0]).stage(records, ground()).on_batch(batch(rows=1), draws(1, 2, 3))
    assert torch.isfinite(after.dense).all()
    assert after.dense.shape == (3, 1, 4)
