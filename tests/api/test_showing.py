"""Who sees a verb's progress in Python: a terminal and a notebook do, a file does not, a listener takes it all."""

from __future__ import annotations

import io
import sys

import pytest
import torch
from torch import nn

import liebig
from liebig.core.event import Event, silent

X = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _network() -> nn.Module:
    return nn.Linear(4, 2)


@pytest.fixture
def task() -> liebig.ModuleTask:
    return liebig.module(_network, train=(X, Y), epochs=1)


def test_a_terminal_sees_the_ladder(task, tmp_path, monkeypatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    liebig.improve(task, trials=1, study=tmp_path / "study")
    told = screen.getvalue()
    assert "10 parameters, 200 rows, 2 classes" in told
    assert "metric      accuracy" in told
    assert "\r" not in told, "the program's own lines stay whole: nothing is drawn over"


def test_a_file_sees_nothing(task, tmp_path, monkeypatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    liebig.improve(task, trials=1, study=tmp_path / "study")
    assert written.getvalue() == ""


@pytest.mark.parametrize("stream", [None, _Terminal()])
def test_a_listener_or_silence_is_the_users_choice(task, tmp_path, monkeypatch, stream) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    events: list[Event] = []
    liebig.improve(task, trials=1, study=tmp_path / "heard", on_event=events.append)
    assert events
    liebig.improve(task, trials=1, study=tmp_path / "silent", on_event=silent)
    assert stream is None or stream.getvalue() == ""


def test_fit_tells_its_epochs_in_a_notebook(small_table, tmp_path, monkeypatch) -> None:
    cell = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stderr", cell)
    liebig.fit(small_table, target="answer", changes=("stopping.epochs=2",), run=tmp_path / "run")
    assert "batches an epoch, at most 2 epochs" in cell.getvalue()
