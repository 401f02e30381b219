"""Measured rates: each a number or a reason, settings put back afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from liebig.hardware import measuring
from liebig.hardware.choices import choices
from liebig.hardware.measuring import Rate, measured_rates, median_seconds
from liebig.hardware.reading import read_facts

CPU = torch.device("cpu")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_SECONDS", 0.001)
    monkeypatch.setattr(measuring, "_MATRIX", {"cpu": 64})
    monkeypatch.setattr(measuring, "_CONVOLUTION", {"cpu": (2, 4, 4, 8)})
    monkeypatch.setattr(measuring, "_COPIED", {"cpu": 1 << 20})
    monkeypatch.setattr(measuring, "_READ", 2 << 20)


@pytest.mark.usefixtures("quick")
def test_every_rate_is_a_number_or_says_why_not() -> None:
    told: list[str] = []
    precision, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
    rates = measured_rates(CPU, told.append)
    assert {rate.kind for rate in rates} == {"matrix", "memory", "convolution", "transfer", "decode", "disk"}
    for rate in rates:
        assert rate.value is None or rate.value > 0
        assert rate.value is not None or rate.note.startswith("not measured: ")
    assert len(told) >= 6
    assert (torch.get_float32_matmul_precision(), torch.get_num_threads()) == (precision, threads)


@pytest.mark.usefixtures("quick")
def test_what_a_processor_lacks_is_said() -> None:
    by_name = {rate.name: rate for rate in measured_rates(CPU)}
    assert by_name["TF32"].value is None
    assert "Ampere" in by_name["TF32"].note
    assert "no graphics processor" in by_name["host to device"].note


def test_without_pillow_nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "find_spec", lambda name: None)
    assert measuring.decode_rate().note == "not measured: Pillow is not installed"


def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    rate = measuring.disk_rate(str(tmp_path / "not there"))
    assert rate.value is None
    assert rate.note.startswith("not measured: ")


def test_a_disk_says_that_a_cache_may_serve_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_READ", 1 << 20)
    rate = measuring.disk_rate(str(tmp_path))
    assert isinstance(rate, Rate)
    assert "cache" in rate.note


@pytest.mark.usefixtures("quick")
def test_a_precision_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def product(device: torch.device, dtype: torch.dtype, size: int) -> object:
        raise RuntimeError('"addmm" not implemented for Half\nmore')

    monkeypatch.setattr(measuring, "_product", product)
    assert {rate.note for rate in measuring.matrix_rates(CPU) if rate.name == "float16"} == {
        'not measured: "addmm" not implemented for Half'
    }


def test_what_takes_long_is_not_done_often(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    monkeypatch.setattr(measuring, "_once", lambda work, device: done.append(work()) or 60.0)
    assert median_seconds(lambda: None, CPU, 0.3) == 60.0
    assert len(done) == 2


def test_what_is_switched_on_is_told_with_its_reason() -> None:
    told = {choice.name: choice for choice in choices(read_facts(), "cpu")}
    assert set(told) == {"device", "threads", "precision", "layout", "steps"}
    assert told["device"].chosen == "cpu"
    assert all(choice.why for choice in told.values())


def test_the_layout_is_told_with_what_was_measured() -> None:
    rates = [
        Rate("convolution", name, "cpu", "GFLOP/s", value)
        for name, value in (
            ("float32 NCHW", 100.0), ("float32 channels-last", 120.0), ("bfloat16 NCHW", 200.0), ("bfloat16 channels-last", 500.0)
        )
    ]  # fmt: skip
    told = {choice.name: choice for choice in choices(read_facts(), "cpu", rates)}
    assert told["layout"].chosen == "channels-last"
    assert told["layout"].why.startswith(
        "a convolution is 1.2 times as fast in float32 and 2.5 times as fast in bfloat16"
    )
    slower = [Rate("convolution", "float32 NCHW", "cpu", "GFLOP/s", 100.0),
              Rate("convolution", "float32 channels-last", "cpu", "GFLOP/s", 90.0)]  # fmt: skip
    assert {choice.name: choice for choice in choices(read_facts(), "cpu", slower)}["layout"].chosen == "plain"
