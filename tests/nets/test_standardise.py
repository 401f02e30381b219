"""The layer that standardises inputs."""

import pytest
import torch

import liebig


def test_features_have_mean_0_and_spread_1():
    inputs = torch.randn(200, 5) * torch.tensor([1.0, 1e3, 1e-3, 1.0, 0.0]) + torch.tensor([0.0, 5e3, 0.0, -7.0, 3.0])
    scaled = liebig.Standardise(inputs)(inputs)
    assert torch.allclose(scaled.mean(0), torch.zeros(5), atol=1e-4)
    assert torch.allclose(scaled[:, :4].std(0, correction=0), torch.ones(4), atol=1e-4)
    assert torch.equal(scaled[:, 4], torch.zeros(200))


def test_pictures_are_standardised_by_channel():
    pictures = torch.rand(20, 3, 4, 4) * 255
    scaled = liebig.Standardise(pictures)(pictures)
    assert torch.allclose(scaled.mean((0, 2, 3)), torch.zeros(3), atol=1e-4)
    assert liebig.Standardise(pictures).mean.shape == (1, 3, 1, 1)


def test_it_travels_with_the_network():
    inputs = torch.randn(10, 2)
    network = torch.nn.Sequential(liebig.Standardise(inputs), torch.nn.Linear(2, 1))
    assert {"0.mean", "0.spread"} <= set(network.state_dict())
    assert [name for name, _ in network.named_parameters()] == ["1.weight", "1.bias"]


@pytest.mark.parametrize("wrong", [[1.0, 2.0], torch.zeros(3), torch.zeros(3, 2, dtype=torch.long), torch.zeros(0, 2)])
def test_what_has_no_spread_to_measure_is_refused_in_a_sentence(wrong):
    with pytest.raises(liebig.UserError, match="needs the training inputs"):
        liebig.Standardise(wrong)
