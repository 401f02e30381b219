"""Settings are found by timing real steps, and nothing of it stays."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from liebig.data.module.task import module_task
from liebig.hardware.device import UsableDevice
from liebig.train import tune
from liebig.train.modules import MODULES
from liebig.train.options import TrainOptions
from liebig.train.training import train
from liebig.train.tune import Timing, Tuned, timings, tuned, variants_of
from liebig.trials.blocks import blocks


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def pictures(rows=60):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(rows, 3, 8, 8, generator=generator)
    return inputs, (inputs.mean((1, 2, 3)) > 0).long()


def convolutions():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(512, 2))


def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 2))


def found_of(build=convolutions, **more):
    return module_task(
        build, train=pictures(), loss=nn.CrossEntropyLoss(), metric="accuracy", batch_size=8, epochs=2,
        optimizer=(torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}), **more,
    )  # fmt: skip


def trained(found, **compute):
    recipe = found.baseline.replace(compute=found.baseline.compute.model_copy(update=compute))
    block = blocks(found.task, 0, 3)[0]
    options = TrainOptions(probes=False, keep_models=True)
    return train(found.task, [recipe], [block], options=options, encoding=MODULES)[0].model.weights[0]


def test_another_layout_trains_to_the_same_weights():
    found = found_of()
    assert torch.allclose(trained(found), trained(found, layout="channels-last"), rtol=1e-3, atol=1e-5)


def test_a_lower_precision_trains_to_nearly_the_same_weights_and_hands_over_float32():
    found = found_of()
    exact, less = trained(found), trained(found, precision="bfloat16")
    assert less.dtype == torch.float32
    assert not torch.equal(exact, less)
    assert torch.allclose(exact, less, atol=0.02)


def test_what_applies_is_tried_and_timed(monkeypatch):
    monkeypatch.setattr(tune, "_TURN", 0.001)
    found = found_of()
    block = blocks(found.task, 0, 3)[0]
    names = [name for name, _ in variants_of(found.task, found.baseline, found.baseline.compute)]
    assert names == ["as it is", "channels-last", "bfloat16", "channels-last and bfloat16"]
    settings = tuned(found.task, found.baseline, block, MODULES, seconds=9.0)
    assert len(settings.timings) >= 4
    assert all(each.seconds > 0 and each.rows == 8 for each in settings.timings)
    assert settings.same.compute.precision == "float32"


def test_a_network_without_pictures_has_no_layout():
    found = found_of(dense)
    names = [name for name, _ in variants_of(found.task, found.baseline, found.baseline.compute)]
    assert names == ["as it is", "bfloat16"]


def test_a_setting_that_fails_is_left_out_and_says_why(monkeypatch):
    monkeypatch.setattr(tune, "_TURN", 0.001)
    found = found_of()
    block = blocks(found.task, 0, 3)[0]
    absent = found.baseline.compute.model_copy(update={"layout": "channels-last"})

    class Refusing(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = convolutions()

        def forward(self, x):
            if x.is_contiguous(memory_format=torch.channels_last):
                raise RuntimeError("view size is not compatible\nand more")
            return self.inner(x)

    found = found_of(Refusing)
    some = timings(
        found.task, found.baseline, block, MODULES, [("as it is", found.baseline.compute), ("x", absent)], 9.0
    )
    assert some[0].seconds > 0
    assert some[1].why == "RuntimeError: view size is not compatible"


def test_random_numbers_go_on_as_if_nothing_had_been():
    found = found_of()
    block = blocks(found.task, 0, 3)[0]
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    wanted = torch.rand(1), random.random(), np.random.rand()
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    tuned(found.task, found.baseline, block, MODULES, seconds=0.01)
    assert (torch.rand(1), random.random(), np.random.rand()) == wanted


def test_without_another_device_nothing_is_timed(monkeypatch):
    monkeypatch.setattr(tune, "timings", None)
    found = found_of(dense)
    block = blocks(found.task, 0, 3)[0]
    monkeypatch.setattr(tune, "devices_of", lambda present: [("as it is, on cpu", present)])
    assert tune.fastest_device(found.task, found.baseline, block, MODULES) == "cpu"


@pytest.mark.parametrize(("processor", "other", "wanted"), [(0.1, 0.05, "mps"), (0.1, 0.095, "cpu"), (0.1, 0.2, "cpu")])
def test_the_device_is_the_one_whose_steps_take_less_time(monkeypatch, processor, other, wanted):
    found = found_of(dense)
    block = blocks(found.task, 0, 3)[0]
    compute = found.baseline.compute
    elsewhere = compute.model_copy(update={"device": "mps"})
    monkeypatch.setattr(tune, "devices_of", lambda present: [("as it is", compute), ("on mps", elsewhere)])
    monkeypatch.setattr(
        tune, "timings", lambda *_: (Timing("as it is", compute, 8, processor), Timing("on mps", elsewhere, 8, other))
    )
    monkeypatch.setattr(tune, "usable_device", lambda name: UsableDevice(torch.device(name)))
    assert tune.fastest_device(found.task, found.baseline, block, MODULES) == wanted


def test_settings_on_top_of_others_bear_both_names():
    compute = found_of(dense).baseline.compute
    elsewhere = compute.model_copy(update={"device": "mps"})
    present, best = Timing("as it is", compute, 8, 0.4), Timing("on mps", elsewhere, 8, 0.1)
    assert tune._beside(present, present, [("bfloat16", compute)]) == [("bfloat16", compute)]
    assert tune._beside(best, present, [("bfloat16", compute)]) == [("on mps, bfloat16", compute)]


def test_how_many_times_as_fast():
    compute = found_of(dense).baseline.compute
    slow, same, less = (Timing(name, compute, 8, seconds) for name, seconds in (("a", 0.4), ("b", 0.2), ("c", 0.1)))
    assert Tuned((slow, same, less), same, less).times == 2.0
    assert Tuned((slow, same, less), same, less).times_in_less == 2.0
    assert Tuned((slow,), slow, None).times_in_less == 1.0
