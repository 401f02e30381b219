"""Networks learn to give pictures back: against the same written plainly, and by the formulas of the papers."""

import numpy as np
import pytest
import torch
from torch import nn

from liebig.nets.network import Mode
from liebig.nets.plain_cnn import PlainCNN
from liebig.nets.vision_transformer import VisionTransformer
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.specs import Signature
from liebig.techniques.pretraining import Autoencoder, MaskedPatches, reconstruction
from liebig.techniques.pretraining.masked_patches import blank_patches
from liebig.techniques.pretraining.reconstruction import first_decoder, rate_at, reconstruction_losses
from liebig.techniques.stage import Ground, Unlabelled

CPU = torch.device("cpu")


def made(network, picture, members=1):
    """Ground, weights, buffers and forward pass of a network."""
    signature = Signature(int(np.prod(picture)), picture=picture)
    specs = network.parameters(signature, 3)
    weights = [
        torch.stack([network.draw(spec, torch.Generator().manual_seed(10 * k + i)) for k in range(members)])
        for i, spec in enumerate(specs)
    ]
    buffers = [torch.full((members, *each.shape), each.start) for each in network.buffers(signature, 3)]
    forward = type(network).forward([network] * members, signature, 3, CPU)
    return Ground(specs, 3, True, 100, 4, 10, (), CPU), weights, buffers, forward


def unlabelled(forward, buffers, batches, late=lambda: False):
    """One list of batches [K, B, channels, height, width] in every epoch."""
    rows = sum(each.shape[1] for each in batches)
    return Unlabelled(
        rows, lambda epoch, size: [batch_of(each) for each in batches],
        lambda weights, batch: forward.features(weights, buffers, batch, Mode(True)), late,
    )  # fmt: skip


def batch_of(dense, **more):
    return Batch(dense, torch.zeros(dense.shape[:2]), **more)


def pictures(count, picture=(3, 8, 8), members=1, seed=0):
    return torch.randn(members, count, *picture, generator=torch.Generator().manual_seed(seed))


def test_an_autoencoder_learns_as_one_written_with_torch_does():
    """Three batches, two epochs: the same weights as plain modules, a transposed convolution and torch's Adam."""
    ground, weights, buffers, forward = made(PlainCNN(width=4, blocks=2), (3, 8, 8))
    batches = [pictures(8, seed=seed) for seed in range(3)]
    stage = Autoencoder.stage([Autoencoder(epochs=2, size=8, noise=0.0, learning_rate=0.01)], ground)
    learnt = stage.pretrain(weights, [7], unlabelled(forward, buffers, batches))

    encoder = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
    )  # fmt: skip
    decoder = nn.ConvTranspose2d(8, 3, 4, stride=4)
    with torch.no_grad():
        for own, value in zip(encoder.parameters(), weights[:-2], strict=True):
            own.copy_(value[0])
        for own, value in zip(
            decoder.parameters(), first_decoder(torch.zeros(1, 1, 8, 2, 2), batches[0], [7]), strict=True
        ):
            own.copy_(value[0])
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01, betas=(0.9, 0.95))
    for step, batch in enumerate(batches * 2):
        adam.param_groups[0]["lr"] = 0.01 * rate_at(step, 6)
        adam.zero_grad()
        nn.functional.mse_loss(decoder(encoder(batch[0])), batch[0]).backward()
        adam.step()

    for own, value in zip(encoder.parameters(), learnt[:-2], strict=True):
        torch.testing.assert_close(value[0], own.detach(), rtol=1e-4, atol=1e-5)
    for value, before in zip(learnt[-2:], weights[-2:], strict=True):
        assert torch.equal(value, before), "the output layer is not pretrained"
    assert not any(each.requires_grad for each in learnt)


def naive_masked_loss(answer, picture, blank, side):
    """What section 3 of the paper says, patch by patch: mean square over each blank patch of the answer's distance to the
    patch less its mean, by its spread."""
    found = []
    for i in range(answer.shape[0]):
        for top in range(0, picture.shape[2], side):
            for left in range(0, picture.shape[3], side):
                if not blank[i, 0, top, left]:
                    continue
                patch = picture[i, :, top : top + side, left : left + side]
                target = (patch - patch.mean()) / np.sqrt(patch.var() + 1e-6)
                found.append(np.square(answer[i, :, top : top + side, left : left + side] - target).mean())
    return np.mean(found)


def test_masked_patches_are_judged_as_the_paper_says():
    ground, *_ = made(PlainCNN(width=4), (3, 12, 8))
    stage = MaskedPatches.stage([MaskedPatches(patch=4)], ground)
    batch, answer = pictures(5, (3, 12, 8), members=2), pictures(5, (3, 12, 8), members=2, seed=9)
    shown, blank = stage.shown(batch_of(batch), Draws((3, 4), 0, CPU))
    losses = reconstruction_losses(answer, stage.wanted(batch_of(batch)), blank)
    for k in range(2):
        expected = naive_masked_loss(answer[k].double().numpy(), batch[k].double().numpy(), blank[k].numpy(), 4)
        assert float(losses[k]) == pytest.approx(expected, rel=1e-4)
    assert torch.equal(shown.dense, torch.where(blank, torch.zeros_like(batch), batch))


@pytest.mark.parametrize("share", [0.2, 0.6, 0.75])
def test_each_picture_loses_so_many_whole_patches(share):
    ground, *_ = made(PlainCNN(width=4), (1, 16, 16))
    stage = MaskedPatches.stage([MaskedPatches(share=share, patch=4)], ground)
    _, blank = stage.shown(batch_of(pictures(6, (1, 16, 16))), Draws((5,), 2, CPU))
    patches = blank[0, :, 0, ::4, ::4]
    assert patches.flatten(1).sum(1).tolist() == [round(share * 16)] * 6
    assert torch.equal(patches.repeat_interleave(4, 1).repeat_interleave(4, 2), blank[0, :, 0])
    assert len({tuple(each.flatten().tolist()) for each in patches}) > 1


def test_some_patch_is_blank_and_some_is_seen():
    assert [blank_patches(0.01, 4), blank_patches(0.99, 4), blank_patches(0.5, 1)] == [1, 3, 1]


@pytest.mark.parametrize("picture", [(1, 1, 1), (3, 2, 5), (3, 9, 7)])
def test_sides_that_no_patch_fits_are_borne(picture):
    ground, weights, buffers, forward = made(PlainCNN(width=4, blocks=2), picture)
    stage = MaskedPatches.stage([MaskedPatches(epochs=1, patch=4)], ground)
    learnt = stage.pretrain(weights, [1], unlabelled(forward, buffers, [pictures(4, picture)]))
    assert all(bool(torch.isfinite(each).all()) for each in learnt)


@pytest.mark.parametrize("network", [PlainCNN(width=4, blocks=2), VisionTransformer(width=8, blocks=1)])
@pytest.mark.parametrize("settings", [Autoencoder(epochs=2), MaskedPatches(epochs=2)])
def test_who_else_is_in_the_stack_changes_nothing(network, settings):
    ground, weights, buffers, forward = made(network, (3, 8, 8), members=2)
    batches = [pictures(6, members=2, seed=seed) for seed in range(2)]
    stage = type(settings).stage([settings] * 2, ground)
    both = stage.pretrain(weights, [5, 6], unlabelled(forward, [each.clone() for each in buffers], batches))
    alone = type(network).forward([network], Signature(192, picture=(3, 8, 8)), 3, CPU)
    second = type(settings).stage([settings], ground).pretrain(
        [each[1:] for each in weights], [6],
        unlabelled(alone, [each[1:].clone() for each in buffers], [each[1:] for each in batches]),
    )  # fmt: skip
    for together, own, before in zip(both, second, weights, strict=True):
        torch.testing.assert_close(together[1:], own, rtol=1e-4, atol=1e-5)
        assert together.shape == before.shape


@pytest.mark.parametrize("settings", [Autoencoder(epochs=30, size=8), MaskedPatches(epochs=30, size=8, patch=2)])
def test_pictures_are_given_back_better_and_better(settings, monkeypatch):
    ground, weights, buffers, forward = made(PlainCNN(width=8, blocks=1), (1, 8, 8))
    # Stripes: what is blank follows from what is seen.
    stripes = torch.sign(torch.sin(torch.arange(8) * 1.6 + torch.arange(32)[:, None]))
    stripes = stripes[None, :, None, None].expand(1, 32, 1, 8, 8).contiguous()
    losses = []

    def recorded(answer, wanted, judged):
        losses.append(float(reconstruction_losses(answer, wanted, judged).detach()))
        return reconstruction_losses(answer, wanted, judged)

    monkeypatch.setattr(reconstruction, "reconstruction_losses", recorded)
    stage = type(settings).stage([settings], ground)
    stage.pretrain(weights, [3], unlabelled(forward, buffers, list(stripes.split(8, dim=1))))
    assert len(losses) == 120
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:8])


def test_the_time_ends_it():
    ground, weights, buffers, forward = made(PlainCNN(width=4, blocks=2), (3, 8, 8))
    seen = []

    def late():
        seen.append(1)
        return len(seen) > 2

    stage = Autoencoder.stage([Autoencoder(epochs=1000)], ground)
    learnt = stage.pretrain(weights, [1], unlabelled(forward, buffers, [pictures(4)], late))
    assert len(seen) == 3
    assert not torch.equal(learnt[0], weights[0])


def test_the_rate_rises_and_falls():
    rates = [rate_at(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[4] == 1.0
    assert rates[-1] < 0.001
    assert rate_at(0, 1) == 1.0
