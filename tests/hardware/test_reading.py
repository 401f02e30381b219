"""Reading a machine: other answers of its tools, other files; whatever is absent is absent."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from liebig.hardware import reading
from liebig.hardware.facts import System
from liebig.hardware.memory import cgroup_limit


def test_cards_out_of_what_the_driver_answers() -> None:
    cards, driver = reading.read_cards(
        "NVIDIA H100 80GB HBM3, 9.0, 81559, 550.54.15\nTesla, T4, 7.5, 15360, 550.54.15\n"
    )
    assert driver == "550.54.15"
    assert [(card.name, card.capability) for card in cards] == [
        ("NVIDIA H100 80GB HBM3", (9, 0)), ("Tesla, T4", (7, 5)),
    ]  # fmt: skip
    assert cards[0].memory_bytes == 81559 << 20


@pytest.mark.parametrize("told", ["", "No devices were found", "NVIDIA-SMI has failed because it couldn't communicate"])
def test_a_driver_that_says_nothing_has_no_cards(told: str) -> None:
    assert reading.read_cards(told) == ((), None)


def test_what_an_old_driver_does_not_tell_is_absent() -> None:
    (card,), driver = reading.read_cards("Tesla K80, [N/A], [N/A], 390.10")
    assert (card.capability, card.memory_bytes, driver) == (None, None, "390.10")
    assert card.shown_capability == "unknown"


def test_the_machine_at_hand_is_read() -> None:
    facts = reading.read_facts()
    assert facts.build.version == torch.__version__
    assert 1 <= facts.usable_cores <= facts.cores
    assert facts.memory_bytes > 0


def test_a_machine_without_any_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading.shutil, "which", lambda *_args, **_names: None)
    monkeypatch.setattr(reading.platform, "system", lambda: "Linux")
    monkeypatch.setattr(reading, "_said_by", lambda command: "")
    facts = reading.read_facts(tmp_path, {})
    assert facts.system is System.LINUX
    assert not facts.card_on_bus
    assert facts.driver is None
    assert facts.toolkit.compiler is None
    assert facts.processor


def test_a_card_is_seen_without_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_said_by", lambda command: "")
    for name, maker, kind in (("0000:00:1f.3", "0x8086", "0x040300"), ("0000:01:00.0", "0x10de", "0x030000")):
        device = tmp_path / "sys/bus/pci/devices" / name
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{maker}\n")
        (device / "class").write_text(f"{kind}\n")
    assert reading.read_facts(tmp_path, {}).card_on_bus


def test_a_network_card_of_the_same_maker_is_none(tmp_path: Path) -> None:
    device = tmp_path / "sys/bus/pci/devices/0000:03:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x10de\n")
    (device / "class").write_text("0x020000\n")
    assert not reading.read_facts(tmp_path, {}).card_on_bus


def test_wsl_colab_and_what_hides_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading.platform, "system", lambda: "Linux")
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/osrelease").write_text("5.15.167.4-microsoft-standard-WSL2\n")
    facts = reading.read_facts(tmp_path, {"COLAB_RELEASE_TAG": "x", "CUDA_VISIBLE_DEVICES": ""})
    assert facts.system is System.WSL
    assert facts.colab
    assert facts.hidden_by == ""


def test_a_toolkit_where_installers_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_said_by", lambda command: "Cuda compilation tools, release 13.0, V13.0.88")
    compiler = tmp_path / "usr/local/cuda-13.0/bin/nvcc"
    compiler.parent.mkdir(parents=True)
    compiler.touch()
    toolkit = reading.read_facts(tmp_path, {"PATH": str(tmp_path)}).toolkit
    assert (toolkit.compiler, toolkit.version, toolkit.on_path, toolkit.home) == (str(compiler), "13.0", False, None)


def test_a_container_pays_for_cores_and_memory(tmp_path: Path) -> None:
    assert reading.cpu_quota(tmp_path) is None
    assert cgroup_limit(tmp_path) is None
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "memory.max").write_text("1000\n")
    assert reading.cpu_quota(tmp_path) == 1.5
    assert cgroup_limit(tmp_path) == 1000
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert reading.cpu_quota(tmp_path) is None
    assert cgroup_limit(tmp_path) is None
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("200000\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert reading.cpu_quota(tmp_path) == 2.0


def test_windows_lists_a_card_without_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(command: list[str]) -> str:
        return "Intel(R) UHD Graphics\r\nNVIDIA GeForce RTX 3060\r\n" if command[0] == "powershell" else ""

    monkeypatch.setattr(reading.platform, "system", lambda: "Windows")
    monkeypatch.setattr(reading, "_said_by", said)
    facts = reading.read_facts(tmp_path, {})
    assert facts.card_on_bus
    assert facts.driver is None
