"""The machine, as a user asks for it: one object or one page, and how a table of one's own trains on each device."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import liebig
from liebig.api import this_machine
from liebig.api.this_machine import DeviceSpeed, worth_of
from liebig.cli import _exit_code
from liebig.core.errors import UserError
from liebig.core.event import Stage
from liebig.hardware.facts import Build, Card, Facts, System
from liebig.hardware.measuring import Rate

FACTS = Facts(System.LINUX, "AMD EPYC", 4, 2, 24 << 30, Build("2.13.0+cpu"))
CARD = replace(FACTS, cards=(Card("NVIDIA H100 80GB HBM3", (9, 0), 80 << 30),), card_on_bus=True, driver="580.95.05")
RATES = (
    Rate("matrix", "float32", "cpu", "GFLOP/s", 190.0),
    Rate("matrix", "TF32", "cpu", "GFLOP/s", None, "not measured: NVIDIA's cards from Ampere on have it"),
    Rate("matrix", "bfloat16", "cpu", "GFLOP/s", 420.0),
)


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is known, so that nothing is measured."""
    monkeypatch.setattr(this_machine, "read_facts", lambda: FACTS)
    monkeypatch.setattr(this_machine, "measured_rates", lambda device, tell: RATES)


def test_the_page_has_facts_rates_and_what_is_switched_on() -> None:
    stages: list[str] = []
    told = liebig.machine(on_event=lambda event: stages.append(event.what) if isinstance(event, Stage) else None)
    page = str(told)
    for words in (
        "2 of 4 cores", "24.0 GiB", "graphics    none", "2.13.0+cpu, built without CUDA", "███████████████      420 GFLOP/s",
        "not measured: NVIDIA's cards", "Switched on here:", "threads", "precision",
    ):  # fmt: skip
        assert words in page
    assert stages
    assert told.worth == ""


def test_what_to_do_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_machine, "read_facts", lambda: CARD)
    page = str(liebig.machine())
    assert "This torch cannot use the graphics processor yet" in page
    assert "$ python -m pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu130" in page
    assert "NVIDIA H100 80GB HBM3, compute capability 9.0, 80 GiB" in page


def test_a_card_that_works_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    build = Build("2.13.0+cu130", "13.0", ("sm_90",), "9.13.0", sees_card=True)
    monkeypatch.setattr(this_machine, "read_facts", lambda: replace(CARD, build=build, memory_limit=8 << 30))
    page = str(liebig.machine())
    assert "This torch can use the graphics processor." in page
    assert "cuDNN 9.13.0, for sm_90" in page
    assert "8.0 of 24.0 GiB (the container's limit)" in page


def test_the_command_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(["hardware", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["facts"]["system"] == "Linux"
    assert [step["name"] for step in told["steps"]] == ["no-card"]
    assert [rate["value"] for rate in told["rates"]] == [190.0, None, 420.0]
    assert {choice["name"] for choice in told["switched_on"]} == {"device", "threads", "precision", "layout", "steps"}
    assert told["training"] == []


def test_a_table_is_timed_on_every_device(small_table: Path) -> None:
    told = liebig.machine(small_table, "answer", recipe="textbook")
    assert told.speeds[0].device == "cpu"
    assert all(speed.rows_per_second > 0 and speed.seconds > 0 for speed in told.speeds)
    assert "rows/s" in str(told)
    assert "on the processor" in told.worth


def test_a_network_of_the_users_is_timed_under_every_setting_that_applies() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(200, 6, generator=generator)
    found = liebig.module(
        lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2)), train=(inputs, (inputs[:, 0] > 0).long()),
        loss=nn.CrossEntropyLoss(), metric="accuracy", batch_size=16, epochs=3,
    )  # fmt: skip
    told = liebig.machine(found)
    assert {speed.setting for speed in told.speeds if speed.device == "cpu"} == {"as it is, on cpu", "bfloat16"}
    assert all(speed.rows_per_second > 0 and speed.seconds > 0 for speed in told.speeds)
    page = str(told)
    assert "Training on this network:" in page
    assert "Batches of 16 rows train" in page
    assert json.loads(json.dumps(told.as_json()))["batches"]["tried"][0]["rows"] == 16
    with pytest.raises(UserError, match="a target belongs to a table"):
        liebig.machine(found, "answer")


def test_a_target_needs_its_table(small_table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="no table came"):
        liebig.machine(target="answer")
    assert _exit_code(["hardware", "--table", str(small_table), "--target", "anser"]) == 2
    assert 'Did you mean "answer"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("processor", "card", "words"),
    [
        (600.0, 60.0, "is worth it: 60 s on cuda against 10 min on the processor, 10.0 times as fast"),
        (4.0, 1.0, "saves too little to matter"),
        (60.0, 80.0, "is not worth it here"),
    ],
)
def test_when_the_card_is_worth_it(processor: float, card: float, words: str) -> None:
    assert words in worth_of(CARD, (DeviceSpeed("cpu", 1.0, processor, 1), DeviceSpeed("cuda", 1.0, card, 1)))


def test_without_a_second_device_there_is_nothing_to_compare() -> None:
    alone = (DeviceSpeed("cpu", 1.0, 30.0, 1),)
    assert "no graphics processor is there" in worth_of(FACTS, alone)
    assert "cannot be used yet" in worth_of(CARD, alone)
