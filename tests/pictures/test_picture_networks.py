"""Networks that read pictures: shapes, sizes, members, views."""

import pytest
import torch
from torch import nn

from liebig.nets import FOR_PICTURES
from liebig.nets.network import Mode
from liebig.nets.plain_cnn import PlainCNN
from liebig.nets.residual_cnn import ResidualCNN
from liebig.nets.resnet import ResNet
from liebig.nets.whitened_cnn import WhitenedCNN
from liebig.recipes.slots import kind_of
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.specs import Signature

CPU = torch.device("cpu")
SMALL = tuple(kind for kind in FOR_PICTURES if kind is not ResNet)  # that one has a width of its own, and tests
EVERY = pytest.mark.parametrize("kind", SMALL, ids=kind_of)


def made(network, picture, outputs=3, members=1, seed=0):
    signature = Signature(picture[0] * picture[1] * picture[2], picture=picture)
    generator = torch.Generator().manual_seed(seed)
    specs = network.parameters(signature, outputs)
    weights = [torch.stack([network.draw(spec, generator) for _ in range(members)]) for spec in specs]
    buffers = [torch.full((members, *each.shape), each.start) for each in network.buffers(signature, outputs)]
    return type(network).forward([network] * members, signature, outputs, CPU), weights, buffers, signature


def batch_of(rows, picture, members=1, seed=1):
    dense = torch.randn(1, rows, *picture, generator=torch.Generator().manual_seed(seed))
    return Batch(dense, torch.zeros(1, rows), member_group=torch.zeros(members, dtype=torch.int64))


@EVERY
@pytest.mark.parametrize("picture", [(1, 8, 8), (3, 12, 20), (3, 64, 64), (4, 9, 5)])
def test_it_answers_and_every_weight_has_a_gradient(kind, picture):
    network = kind(width=4)
    forward, weights, buffers, signature = made(network, picture)
    leaves = [each.requires_grad_() for each in weights]
    # Blocks of a residual network begin as nothing: what stands before a scale of 0 gets its gradient with the next step.
    leaves = [each + 0.1 if each.dim() == 2 and bool((each == 0).all()) else each for each in leaves]
    outputs = forward(leaves, buffers, batch_of(6, picture), Mode(True, Draws((1,), 0, CPU)))
    assert outputs.shape == (1, 6, 3)
    found = torch.autograd.grad(outputs.square().sum(), leaves)
    assert all(torch.isfinite(each).all() for each in found)
    structure = network.structure(signature, 3)
    assert structure.parameters == sum(each[0].numel() for each in weights)
    assert structure.flops > 0
    assert network.units(signature, 3) > 0


@EVERY
def test_who_else_is_in_the_stack_changes_nothing(kind):
    network, picture = kind(width=4, dropout=0.3), (3, 12, 12)
    forward, weights, buffers, signature = made(network, picture, members=3)
    batch = batch_of(5, picture, members=3)
    together = forward(weights, [each.clone() for each in buffers], batch, Mode(True, Draws((7, 8, 9), 4, CPU)))
    alone = type(network).forward([network], signature, 3, CPU)
    single = alone(
        [each[2:] for each in weights], [each[2:].clone() for each in buffers], batch_of(5, picture),
        Mode(True, Draws((9,), 4, CPU)),
    )  # fmt: skip
    torch.testing.assert_close(together[2:], single)


@EVERY
def test_a_look_is_shown_every_layer(kind):
    network, picture = kind(width=4), (3, 16, 16)
    forward, weights, buffers, signature = made(network, picture, members=2)
    seen = []
    forward(weights, buffers, batch_of(4, picture, 2), Mode(False, tap=lambda name, *rest: seen.append((name, *rest))))
    names = {each.name for each in network.structure(signature, 3).layers}
    assert {each[0] for each in seen} <= names
    assert len(seen) >= network.hidden - 1
    assert all(before.shape == after.shape and before.shape[0] == 2 for _, _, before, after in seen)


def test_the_residual_network_has_the_size_that_its_paper_says():
    small = ResidualCNN(width=64, blocks=2, stages=4)
    assert small.structure(Signature(3 * 224 * 224, picture=(3, 224, 224)), 1000).parameters == 11_689_512
    assert small.structure(Signature(3 * 224 * 224, picture=(3, 224, 224)), 1000).flops / 2 == pytest.approx(1.814e9, rel=0.01)  # fmt: skip


def test_a_plain_network_is_the_one_that_torch_has():
    network, picture = PlainCNN(width=4, blocks=2), (3, 8, 8)
    forward, weights, buffers, _ = made(network, picture)
    twin = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip
    with torch.no_grad():
        for own, value in zip(twin.parameters(), weights, strict=True):
            own.copy_(value[0])
    batch = batch_of(6, picture)
    for training in (True, False):
        twin.train(training)
        torch.testing.assert_close(forward(weights, buffers, batch, Mode(training))[0], twin(batch.dense[0]))


def test_views_are_averaged_only_where_the_answer_is_handed_over():
    picture = (3, 10, 10)
    forward, weights, buffers, _ = made(WhitenedCNN(width=4, mirrored=True, shifted=True), picture)
    plain, *_ = made(WhitenedCNN(width=4), picture)
    batch = batch_of(4, picture)
    once = plain(weights, buffers, batch, Mode(False))
    torch.testing.assert_close(forward(weights, buffers, batch, Mode(False)), once)
    final = forward(weights, buffers, batch, Mode(False, final=True))
    assert not torch.allclose(final, once)
    turned = Batch(batch.dense.flip(-1), batch.target, member_group=batch.member_group)
    torch.testing.assert_close(forward(weights, buffers, turned, Mode(False, final=True)), final)


def test_pictures_are_answered_alike_in_parts_and_as_a_whole():
    picture = (1, 8, 8)
    forward, weights, buffers, _ = made(PlainCNN(width=4), picture)
    batch = batch_of(600, picture)
    whole = forward(weights, buffers, batch, Mode(False))
    some = Batch(batch.dense[:, 250:260], batch.target[:, 250:260], member_group=batch.member_group)
    torch.testing.assert_close(whole[:, 250:260], forward(weights, buffers, some, Mode(False)))


def test_plain_values_are_refused():
    with pytest.raises(ValueError, match="needs pictures"):
        PlainCNN().parameters(Signature(8), 2)
