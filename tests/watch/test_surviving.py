"""A watched loop ends with the same weights, nothing of ours stays, and no fault of ours reaches it."""

from __future__ import annotations

import copy
import importlib
import io
import pickle

import loops
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

import liebig
from liebig.core.errors import UserError
from liebig.core.evidence import GradientNorms, ProbeCost, StepLosses, UpdateRatios
from liebig.watch import Watch
from liebig.watch.stack import enter, leave

_INSIDE_UNSEEN = {"compiled", "compiled_unseen", "compiled_inside", "data_parallel"}


@pytest.mark.parametrize("name", loops.ALL)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_weights_are_bit_identical_and_nothing_is_left(name: str) -> None:
    torch.manual_seed(0)
    alone = loops.ALL[name]()
    expected = loops.run(alone)
    torch.manual_seed(0)
    parts = loops.ALL[name]()
    before = list(loops.hooks(parts.net.modules(), parts.optimizers))
    with liebig.watch(parts.net, parts.optimizers) as watch:
        got = loops.run(parts)
    assert watch.error is None, watch.error
    assert got == expected
    for a, b in zip(alone.net.parameters(), parts.net.parameters(), strict=True):
        assert torch.equal(a, b)
    assert list(loops.hooks(parts.net.modules(), parts.optimizers)) == before
    assert _get_current_function_mode_stack() == []
    evidence = watch.evidence
    cost = evidence.get(ProbeCost)
    assert cost is not None
    assert cost.watched
    ratios = evidence.get(UpdateRatios)
    assert ratios is not None or name in {"complex_weights", "compiled_unseen"}
    if name != "compiled_unseen":
        losses = evidence.get(StepLosses)
        assert losses is not None
        assert 0.0 < losses.loss[0] < 20.0
        assert evidence.get(GradientNorms) is not None
    assert str(watch.diagnose())


@pytest.mark.parametrize("how", ["copied", "pickled", "saved"])
@pytest.mark.parametrize("steps", [0, 1, 5, 30])
def test_a_copy_of_a_watched_network_is_not_watched_and_works(how: str, steps: int) -> None:
    torch.manual_seed(0)
    parts = loops.plain()
    watch = Watch(parts.net, parts.optimizers)
    loops.run(parts, steps)
    if how == "copied":
        other, optimizer = copy.deepcopy((parts.net, parts.optimizers[0]))
    elif how == "pickled":
        other, optimizer = pickle.loads(pickle.dumps((parts.net, parts.optimizers[0])))
    else:
        file = io.BytesIO()
        torch.save((parts.net, parts.optimizers[0]), file)
        assert b"liebig" not in file.getvalue(), "a saved network needs no Liebig to be loaded"
        file.seek(0)
        other, optimizer = torch.load(file, weights_only=False)
    seen = watch.evidence.get(ProbeCost)
    functional.cross_entropy(other(torch.zeros(4, loops.FEATURES)), torch.zeros(4, dtype=torch.long)).backward()
    optimizer.step()
    now = watch.evidence.get(ProbeCost)
    assert seen is not None
    assert now is not None
    assert now.steps == seen.steps
    watch.close()
    assert watch.error is None


def test_an_error_of_the_user_passes_through_and_nothing_is_left() -> None:
    net = nn.Sequential(nn.Linear(4, 2))
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with pytest.raises(IndexError), liebig.watch(net, optimizer) as watch:
        functional.cross_entropy(net(torch.randn(3, 4)), torch.tensor([0, 1, 2])).backward()
    assert _get_current_function_mode_stack() == []
    assert not net._forward_pre_hooks
    assert watch.error is None
    assert str(watch.diagnose())


def test_a_fault_of_ours_ends_watching_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken inside")

    torch.manual_seed(0)
    expected = loops.run(loops.plain())
    torch.manual_seed(0)
    parts = loops.plain()
    watch = Watch(parts.net, parts.optimizers)
    monkeypatch.setattr(watch._observer.recorder, "see", broken)
    assert loops.run(parts) == expected
    assert isinstance(watch.error, ValueError)
    assert not parts.net._forward_pre_hooks
    assert "broken inside" in str(watch.diagnose())


def test_a_watch_that_is_dropped_lets_go() -> None:
    parts = loops.plain()
    watch = Watch(parts.net, parts.optimizers)
    loops.run(parts, 3)
    del watch
    loops.run(parts, 3)
    assert not parts.net._forward_pre_hooks
    assert _get_current_function_mode_stack() == []


class Mode(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        return func(*args, **(kwargs or {}))


def test_modes_of_others_are_left_as_they_are() -> None:
    ours, other = Mode(), Mode()
    with torch.device("cpu"):
        enter(ours)
        with other:
            assert leave(ours)
            enter(ours)
        assert ours in _get_current_function_mode_stack()
    assert _get_current_function_mode_stack() == [ours]
    torch.set_default_device("cpu")
    assert ours in _get_current_function_mode_stack()
    torch.set_default_device(None)
    assert leave(ours)
    assert not leave(ours)
    assert _get_current_function_mode_stack() == []


def test_the_package_can_be_called_whatever_was_imported() -> None:
    parts = loops.plain()
    for _ in range(2):
        liebig.watch(parts.net, parts.optimizers[0]).close()
    importlib.import_module("liebig.watch.places")

    liebig.watch(parts.net, parts.optimizers[0]).close()
    assert isinstance(liebig.watch(parts.net, parts.optimizers), liebig.Watch)


def test_mistakes_are_told_in_one_sentence() -> None:
    net = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with pytest.raises(UserError, match=r"needs the network, a torch.nn.Module, however a str came"):
        liebig.watch("net", optimizer)
    with pytest.raises(UserError, match="needs a torch optimizer, or several, however a float came"):
        liebig.watch(net, 0.1)
    with pytest.raises(UserError, match="at least one optimizer"):
        liebig.watch(net, [])
    with pytest.raises(UserError, match="probe needs the data"):
        liebig.watch(net, optimizer).probe()
