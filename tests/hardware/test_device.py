"""A device that is not there, or that disappears: one sentence, and the processor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from machines import MACHINES, WORKING

from liebig.hardware import device
from liebig.hardware.facts import Facts

CPU, CARD = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What one test makes fail is not remembered by the next."""
    device._refusal.cache_clear()
    device._failed.clear()
    yield
    device._refusal.cache_clear()
    device._failed.clear()


def refused_on(monkeypatch: pytest.MonkeyPatch, facts: Facts, error: Exception) -> str:
    """The sentence for cuda on such a machine."""

    def ones(*_sizes: int, device: str) -> torch.Tensor:
        raise error

    monkeypatch.setattr(device, "read_facts", lambda: facts)
    monkeypatch.setattr(device.torch, "ones", ones)
    usable = device.usable_device("cuda")
    assert usable.device == CPU
    assert "\n" not in usable.instead
    return usable.instead


def test_the_processor_is_always_there() -> None:
    assert device.usable_device("cpu") == device.UsableDevice(CPU)


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ("no card", "No NVIDIA graphics processor is seen"),
        ("build for processors alone", "--index-url https://download.pytorch.org/whl/cu130"),
        ("driver too old for the build", "Driver 550.54.15 is too old"),
        ("card without driver", "its driver does not answer"),
    ],
)
def test_a_card_that_cannot_be_used_is_told_with_the_first_step(
    monkeypatch: pytest.MonkeyPatch, machine: str, words: str
) -> None:
    told = refused_on(monkeypatch, MACHINES[machine], AssertionError("Torch not compiled with CUDA enabled"))
    assert told.startswith("cuda cannot be used: ")
    assert words in told
    assert told.endswith("; training goes on with the processor")


def test_a_number_that_no_card_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.torch.cuda, "device_count", lambda: 1)
    told = refused_on(monkeypatch, WORKING, RuntimeError("CUDA error: invalid device ordinal"))
    assert "1 graphics processor, counted from cuda:0" in told


def test_what_torch_says_where_nothing_is_wrong_with_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = replace(WORKING, build=replace(WORKING.build, sees_card=False, cuda=None), system=WORKING.system)
    told = refused_on(monkeypatch, replace(silent, cards=()), RuntimeError("odd.\nmore"))
    assert "cuda cannot be used" in told


@pytest.mark.parametrize(
    ("error", "gone"),
    [
        (RuntimeError("CUDA error: unspecified launch failure"), True),
        (RuntimeError("CUDA error: uncorrectable ECC error encountered\nCUDA kernel errors might be"), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), False),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("unknown error"), False),
    ],
)
def test_which_errors_say_that_the_device_is_gone(error: Exception, gone: bool) -> None:
    assert device.device_failed(CARD, error) is gone
    assert device.device_failed(CPU, error) is False


def test_a_device_that_was_lost_is_not_used_again() -> None:
    assert device.device_failed(CARD, RuntimeError("CUDA error: unspecified launch failure"))
    usable = device.usable_device("cuda")
    assert usable.device == CPU
    assert usable.instead.startswith("The device cuda stopped working (CUDA error: unspecified launch failure)")


def test_of_itself_a_card_that_does_not_work_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(device, "_refusal", lambda name: "cuda cannot be used: so")
    assert device.default_device() == CPU
    assert device.usable_device("auto").instead.startswith("cuda cannot be used")
