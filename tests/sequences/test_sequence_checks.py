"""What is found in recurrent networks and in forecasts: gradients that fade through time, channels that tell the future."""

import numpy as np
import pytest
import torch
from sequence_cases import seasonal

from liebig.checks.fading_through_time import FadingThroughTime
from liebig.checks.horizon_leak import HorizonLeak
from liebig.core.check import Clear, Found, NotApplicable
from liebig.core.evidence import Evidence, SequenceProfile, StepGradients
from liebig.data.sequences.first_recipes import textbook
from liebig.data.sequences.profile import sequence_profile
from liebig.data.sequences.task import sequence_task
from liebig.nets.lstm import LSTM
from liebig.nets.rnn import RNN
from liebig.techniques.initialisations.forget_bias import ForgetBias
from liebig.techniques.initialisations.orthogonal_steps import OrthogonalSteps
from liebig.techniques.initialisations.small_normal import SmallNormal
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.sequences import SEQUENCES
from liebig.train.training import TrainOptions, train
from liebig.trials.blocks import blocks


@pytest.fixture(scope="module")
def early_signs():
    """Sequences of 80 steps whose class shows in their first three steps only."""
    random = np.random.default_rng(0)
    labels = np.arange(120) % 2
    values = random.normal(size=(120, 80, 1)).astype(np.float32)
    values[:, :3, 0] += 4.0 * (2 * labels[:, None] - 1)
    return sequence_task((values, labels))


def trained(found, network, *techniques):
    torch.set_num_threads(1)
    recipe = textbook(found).replace(network=network, techniques=techniques, stopping=FixedEpochs(epochs=6))
    (done,) = train(found.task, [recipe], [blocks(found.task, 0)[0]], options=TrainOptions(), encoding=SEQUENCES)
    return done.run.evidence


def test_a_plain_recurrent_network_fades_and_an_open_one_does_not(early_signs):
    faded = FadingThroughTime().judge(trained(early_signs, RNN(width=16, pool="last"), SmallNormal()))
    assert isinstance(faded, Found)
    assert faded.strength >= 0.5
    assert faded.facts["ratio"].value < 1e-3
    kept = trained(early_signs, LSTM(width=16, pool="mean"), ForgetBias(), OrthogonalSteps())
    assert isinstance(FadingThroughTime().judge(kept), Clear)
    sizes = kept.get(StepGradients).sizes
    assert len(sizes[0]) == 16
    assert all(each > 0 for each in sizes[0])


def gradients(*rows):
    return Evidence((StepGradients(tuple(range(len(rows))), len(rows[0]), rows),))


def test_growing_gradients_are_told_apart_and_forgetting_in_time_is_none():
    growing = FadingThroughTime().judge(gradients(*[(1e6, 1e4, 1e2, 1.0)] * 6))
    assert isinstance(growing, Found)
    assert growing.facts["kind"].value == "grows"
    learnt = gradients(*[(0.5, 0.6, 0.8, 1.0)] * 5, *[(1e-7, 1e-5, 1e-3, 1.0)] * 5)
    assert isinstance(FadingThroughTime().judge(learnt), Clear)
    assert isinstance(FadingThroughTime().judge(gradients((0.1, 1.0))), NotApplicable)


def test_a_channel_that_tells_the_future_is_found(tmp_path):
    series = seasonal(500)
    ahead = np.roll(series, -2) * 3.0 + 1.0  # what stands two steps later
    other = np.random.default_rng(1).normal(size=500)
    for third, leaks in ((ahead, ("channel 2",)), (other, ())):
        whole = np.stack([series, third], axis=1)[:-2]
        np.savez(tmp_path / "s.npz", series=whole.astype(np.float32))
        profile = sequence_profile(sequence_task(tmp_path / "s.npz", horizon=4).task)
        assert profile.leaking == leaks
        answer = HorizonLeak().judge(Evidence((profile,)))
        assert isinstance(answer, Found if leaks else Clear)
        if leaks:
            assert profile.leaking_step == (2,)


def test_a_smooth_series_is_no_leak(tmp_path):
    smooth = np.sin(np.arange(800) / 40) + np.cumsum(np.random.default_rng(0).normal(size=800)) * 0.01
    np.savez(tmp_path / "s.npz", series=smooth.astype(np.float32)[:, None])
    assert sequence_profile(sequence_task(tmp_path / "s.npz", horizon=4).task).leaking == ()


def test_a_profile_counts_what_is_missing():
    values = np.random.default_rng(0).normal(size=(40, 10, 2)).astype(np.float32)
    values[:, ::5, 0] = np.nan
    profile = sequence_profile(sequence_task((values, np.arange(40) % 2)).task)
    assert isinstance(profile, SequenceProfile)
    assert profile.missing == pytest.approx(0.1)
    assert (profile.shortest, profile.longest) == (10, 10)
