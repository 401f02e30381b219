"""A device that is not there or disappears: one sentence, and the processor trains."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from liebig.core.event import DeviceReplaced, PopulationHalved, TrainingBegan
from liebig.core.run import Ending
from liebig.hardware import device as devices
from liebig.hardware.memory import is_out_of_memory
from liebig.screen import FitScreen
from liebig.techniques.compute.auto import Compute
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.train import training
from liebig.train.stacked import Machine
from liebig.train.training import TrainOptions, train


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What one test makes fail is not remembered by the next."""
    devices._refusal.cache_clear()
    devices._failed.clear()
    yield
    devices._refusal.cache_clear()
    devices._failed.clear()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a card")
def test_a_card_that_is_not_there_is_told_and_the_processor_trains(task, recipe, block, encoding):
    told = []
    asked = recipe.replace(compute=Compute(device="cuda", precision="float32"))
    run = train(task, [asked], [block], encoding=encoding, on_event=told.append)[0].run
    assert run.outcome.ending is Ending.FINISHED
    (sentence,) = {event.sentence for event in told if isinstance(event, DeviceReplaced)}
    assert sentence.startswith("cuda cannot be used: ")
    assert sentence.endswith("training goes on with the processor")


def test_nothing_is_told_where_the_processor_was_asked_for(task, recipe, block, encoding):
    told = []
    train(task, [recipe], [block], encoding=encoding, options=TrainOptions(device="cpu"), on_event=told.append)
    assert not any(isinstance(event, DeviceReplaced) for event in told)


def test_a_device_that_disappears_is_told_and_what_it_trained_is_trained_anew(
    task, recipe, block, encoding, monkeypatch
):
    """The first machine says that it is a card, and its first training fails as a card's does."""
    told, real, machines = [], training.machine_for, []

    class Card:
        type = "cuda"

        def __str__(self) -> str:
            return "cuda:0"

    def machine_for(plan, task, options):
        machines.append(real(plan, task, options))
        return machines[-1] if len(machines) > 1 else Machine(Card(), torch.float32)

    def usable(name):
        return devices.UsableDevice(torch.device("cpu"), devices._failed.get("cuda", ""))

    monkeypatch.setattr(training, "machine_for", machine_for)
    monkeypatch.setattr(training, "usable_device", usable)
    monkeypatch.setattr(training, "free_bytes", lambda device: 1 << 34)
    feed = encoding.feed

    class Encoding:
        fit_encoder = staticmethod(encoding.fit_encoder)

        @staticmethod
        def feed(task, encoders, device, dtype):
            if isinstance(device, Card):
                raise RuntimeError("CUDA error: unspecified launch failure\nmore")
            return feed(task, encoders, device, dtype)

    run = train(task, [recipe], [block], encoding=Encoding(), on_event=told.append)[0].run
    assert run.outcome.ending is Ending.FINISHED
    (event,) = [event for event in told if isinstance(event, DeviceReplaced)]
    assert event.sentence == "The device cuda:0 stopped working (CUDA error: unspecified launch failure)"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried to"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.05 GB, max allowed: 9.07 GB)"),
        MemoryError(),
    ],
)
def test_memory_that_runs_out_halves_on_any_device(task, recipe, block, encoding, error):
    recipe, told = recipe.with_technique(SeedEnsemble(members=4)), []

    def listen(event):
        told.append(event)
        if isinstance(event, TrainingBegan) and event.members > 2:
            raise error

    run = train(task, [recipe], [block], encoding=encoding, on_event=listen)[0].run
    assert is_out_of_memory(error)
    assert [event.members for event in told if isinstance(event, PopulationHalved)] == [4]
    assert run.outcome.ending is Ending.FINISHED


def test_the_screen_tells_it_once(capsys):
    screen = FitScreen(live=False)
    for _ in range(3):
        screen.listen(DeviceReplaced("cuda cannot be used: so; training goes on with the processor"))
    assert capsys.readouterr().err.count("cuda cannot be used") == 1
