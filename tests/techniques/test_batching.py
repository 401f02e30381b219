"""Orders of an epoch: all rows once, or all classes alike."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from liebig.techniques.batching import ALL, Balanced, InOrder, OwnOrder, Shuffled


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_shuffled_goes_through_all_rows_once():
    order = Shuffled().order(torch.zeros(101), generator())
    assert sorted(order.tolist()) == list(range(101))
    assert order.tolist() != list(range(101))
    assert Shuffled(accumulate=4).accumulates == 4


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), st.integers(0, 99))
def test_balanced_draws_classes_alike(codes, seed):
    target = torch.tensor(codes, dtype=torch.float32)
    order = Balanced().order(target, generator(seed))
    assert len(order) == len(codes)
    drawn = torch.bincount(target[order].long(), minlength=5)
    present = drawn[torch.unique(target).long()]
    assert present.max() - present.min() <= 1
    assert drawn.sum() == len(codes)
    # Within a class every row comes as often as any other, to within one.
    times = torch.bincount(order, minlength=len(codes))
    for code in set(codes):
        of_class = times[target == code]
        assert of_class.max() - of_class.min() <= 1


def test_the_generator_alone_decides():
    target = torch.randint(0, 3, (60,), generator=generator()).float()
    for kind in (each for each in ALL if each is not OwnOrder):  # which draws by the user's sampler
        assert torch.equal(kind().order(target, generator(5)), kind().order(target, generator(5)))
        differs = not torch.equal(kind().order(target, generator(5)), kind().order(target, generator(6)))
        assert differs == (kind is not InOrder)
    assert Balanced().accumulates == 1


def test_common_rows_that_wait_come_in_other_epochs():
    target = torch.tensor([0.0] * 90 + [1.0] * 10)
    seen = torch.cat([Balanced().order(target, generator(epoch)) for epoch in range(12)])
    assert set(seen.tolist()) == set(range(100))
