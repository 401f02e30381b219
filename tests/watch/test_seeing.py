"""What a watch sees of a loop: each measurement on a small loop of which it is known what should be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import loops
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from liebig.checks import diagnose as diagnosed
from liebig.core.evidence import (
    ClassRecall,
    EpochCurves,
    Evidence,
    GradientClearing,
    InitialLoss,
    InputScales,
    LoaderWait,
    LossCall,
    LossCalls,
    Measurement,
    MemoryGrowth,
    ModuleModes,
    NonFinite,
    ParameterUse,
    PartScales,
    SharedRows,
    SkippedSteps,
    StepLosses,
    Structure,
    UnitStatistics,
)
from liebig.watch import Watch, hanging

M = TypeVar("M", bound=Measurement)


def seen(watch: Watch, kind: type[M]) -> M:
    assert watch.error is None, watch.error
    measured = watch.evidence.get(kind)
    assert measured is not None, kind
    return measured


def trained(
    net: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy,
    steps: int = 20,
    rate: float = 0.1,
) -> Watch:
    torch.manual_seed(0)
    inputs, target = loops.data()
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], rate)
    with Watch(net, optimizer) as watch:
        for number in range(steps):
            chosen = torch.arange(number * 16, number * 16 + 16) % loops.ROWS
            optimizer.zero_grad()
            loss(net(inputs[chosen]), target[chosen]).backward()
            optimizer.step()
    return watch


def first_call(watch: Watch) -> LossCall:
    return seen(watch, LossCalls).calls[0]


def test_a_loss_call_is_told_with_what_made_its_input_and_where() -> None:
    net = nn.Sequential(nn.Linear(loops.FEATURES, loops.CLASSES), nn.Softmax(dim=1))
    call = first_call(trained(net))
    assert (call.function, call.made_by, call.rows) == ("cross_entropy", "softmax", 16)
    assert call.place.endswith(f"test_seeing.py:{trained.__code__.co_firstlineno + 13}")
    assert call.input_shape == (16, loops.CLASSES)
    assert 0.99 < call.sums_low <= call.sums_high < 1.01
    assert (call.target_low, call.target_high, call.target_whole) == (0.0, 2.0, True)


def test_functions_show_as_modules_do() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(loops.FEATURES, 9), nn.Linear(9, 8)
            self.head = nn.Linear(8, 1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.sigmoid(self.head(self.two(functional.dropout(self.one(x).tanh(), 0.1, self.training))))

    watch = trained(Net(), lambda a, y: functional.binary_cross_entropy(a.squeeze(1), (y > 0).float()))
    layers = {layer.name: layer.activation for layer in seen(watch, Structure).layers}
    assert layers == {"one": "tanh", "two": "", "head": "sigmoid"}
    units = seen(watch, UnitStatistics).looks[0]
    assert [(unit.layer, unit.activation, unit.units) for unit in units] == [("one", "tanh", 9)]
    assert first_call(watch).made_by == "sigmoid"


def test_a_loss_by_hand_is_seen_with_its_shapes() -> None:
    net = nn.Linear(loops.FEATURES, 1)
    call = first_call(trained(net, lambda a, y: ((a - y.float()) ** 2).mean(), rate=1e-3))
    assert call.function == "by hand"
    assert (call.input_shape, call.target_shape, call.result_shape) == ((16, 1), (16,), (16, 16))
    losses = seen(trained(net, lambda a, y: ((a[:, 0] - y.float()) ** 2).mean(), rate=1e-3), StepLosses)
    assert losses.batch == 16


def test_a_call_that_raises_is_kept() -> None:
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    watch = Watch(net, optimizer)
    with pytest.raises(IndexError, match="out of bounds"):
        functional.cross_entropy(net(torch.randn(3, 4)), torch.tensor([0, 1, 2]))
    watch.close()
    call = first_call(watch)
    assert "out of bounds" in call.failed
    assert call.target_high == 2.0


def test_the_initial_loss_is_beside_that_of_the_pooled_prior() -> None:
    initial = seen(trained(nn.Linear(loops.FEATURES, loops.CLASSES)), InitialLoss)
    shares = torch.bincount(loops.data()[1]) / loops.ROWS
    assert abs(initial.baseline - float(-(shares * shares.log()).sum())) < 0.02
    squares = trained(nn.Linear(loops.FEATURES, 1), lambda a, y: functional.mse_loss(a[:, 0], y.float()), rate=1e-3)
    assert abs(seen(squares, InitialLoss).baseline - float(loops.data()[1].float().var(correction=0))) < 0.1


def test_gradients_that_are_kept_are_told_from_accumulated_ones() -> None:
    inputs, target = loops.data()
    for clears, parts, expected in ((True, 1, 0), (False, 1, 9), (True, 4, 0)):
        net = loops.mlp()
        optimizer = torch.optim.SGD(net.parameters(), 1e-3)
        with Watch(net, optimizer) as watch:
            for _ in range(10):
                if clears:
                    optimizer.zero_grad(set_to_none=parts == 1)
                for x, y in zip(inputs.chunk(parts), target.chunk(parts), strict=True):
                    functional.cross_entropy(net(x), y).backward()
                optimizer.step()
        clearing = seen(watch, GradientClearing)
        assert (clearing.kept, clearing.steps, clearing.backward_calls) == (expected, 9, float(parts))


def test_parameters_that_are_not_trained_are_named() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.frozen, self.idle = nn.Linear(loops.FEATURES, 5), nn.Linear(5, 5), nn.Linear(2, 2)
            self.frozen.weight.requires_grad_(False)
            self.listed = [nn.Linear(5, 5)]
            self.head = nn.Linear(5, loops.CLASSES)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.listed[0](self.frozen(self.body(x)).relu()).relu())

    torch.manual_seed(0)
    net = Net()
    inputs, target = loops.data()
    optimizer = torch.optim.SGD([p for name, p in net.named_parameters() if "head" not in name], 0.1)
    with Watch(net, optimizer) as watch:
        for _ in range(3):
            optimizer.zero_grad()
            functional.cross_entropy(net(inputs), target).backward()
            optimizer.step()
    use = seen(watch, ParameterUse)
    assert use.frozen == ("frozen.weight",)
    assert use.left_out == ("head.weight", "head.bias")
    assert use.without_gradient == ("idle.weight", "idle.bias")
    assert use.unregistered == ("Linear(5, 5)",)
    assert use.unmoved == ()
    assert use.fresh == ("frozen.weight",)


def _evaluated(net: nn.Module, valid: Tensor, flag: bool, epochs: int = 5) -> Watch:
    torch.manual_seed(0)
    inputs, target = loops.data()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    with Watch(net, optimizer) as watch:
        for _ in range(epochs):
            net.train()
            for chosen in torch.randperm(loops.ROWS).split(16):
                optimizer.zero_grad()
                functional.cross_entropy(net(inputs[chosen]), target[chosen]).backward()
                optimizer.step()
            net.train(flag)
            with torch.no_grad():
                right = net(valid).argmax(1) == valid[:, : loops.CLASSES].argmax(1)
            watch.log(val_acc=right.float().mean(), note="any", train_loss=0.5)
    return watch


def test_evaluation_is_seen_with_its_flag_its_rows_and_its_recall() -> None:
    inputs, _ = loops.data()
    fresh = torch.randn(64, loops.FEATURES)
    wrong = _evaluated(loops.mlp(), fresh, True)
    modes = seen(wrong, ModuleModes)
    assert modes.evaluated == modes.evaluated_in_training == 5
    assert modes.sensitive == ("2",)
    assert modes.place.startswith("tests/watch/test_seeing.py:")
    good = _evaluated(loops.mlp(), fresh, False)
    assert seen(good, ModuleModes).evaluated_in_training == 0
    assert seen(good, SharedRows).share == 0.0
    recall = seen(good, ClassRecall)
    assert sum(recall.rows) == 64
    assert seen(_evaluated(loops.mlp(), inputs.clone(), False), SharedRows).share > 0.9


def test_what_is_logged_becomes_curves() -> None:
    curves = seen(_evaluated(loops.mlp(), torch.randn(64, loops.FEATURES), False), EpochCurves)
    assert len(curves.stop_metric) == 5
    assert (curves.metric, curves.higher_is_better, curves.train_loss[0]) == ("accuracy", True, 0.5)
    assert curves.rates[0] == 1e-2
    assert curves.stop_rows == 64


def test_layers_that_are_switched_off_while_training_are_named() -> None:
    net = loops.mlp()
    net.eval()
    modes = seen(trained(net), ModuleModes)
    assert modes.trained_in_training == 0
    assert modes.switched_off == ("2",)


def test_scales_of_inputs_are_seen_by_feature() -> None:
    scales = seen(trained(nn.Linear(loops.FEATURES, loops.CLASSES)), InputScales)
    inputs, _ = loops.data()
    assert len(scales.mean) == loops.FEATURES
    assert abs(scales.spread[0] - float(inputs[:, 0].std())) < 0.1


def test_steps_that_a_scaler_leaves_out_are_no_fault() -> None:
    torch.manual_seed(0)
    parts = loops.scaled()
    with Watch(parts.net, parts.optimizers) as watch:
        loops.run(parts)
    skipped = seen(watch, SkippedSteps)
    assert skipped.skipped >= 1
    assert skipped.seen > skipped.skipped
    assert watch.evidence.get(NonFinite) is None


def test_the_first_tensor_that_is_not_finite_is_named() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(loops.FEATURES, 8), nn.Linear(8, loops.CLASSES)
            self.calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return self.two(torch.exp(self.one(x) * (1000.0 if self.calls == 4 else 1.0)))

    told = seen(trained(Net(), rate=1e-3, steps=8), NonFinite)
    assert (told.step, told.layer, told.direction) == (3, "one", "forward")


def test_graphs_that_are_kept_and_waits_are_seen() -> None:
    net, kept = loops.mlp(), torch.zeros(())
    inputs, target = loops.data()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with Watch(net, optimizer) as watch:
        for _ in range(40):
            optimizer.zero_grad()
            loss = functional.cross_entropy(net(inputs), target)
            loss.backward()
            optimizer.step()
            kept = kept + loss
    memory = seen(watch, MemoryGrowth)
    assert memory.graphs_last == 40
    assert memory.place.startswith("tests/watch/test_seeing.py:")
    assert seen(watch, LoaderWait).compute > 0


@pytest.mark.parametrize("to_none", [True, False])
def test_optimizers_that_step_in_turn_clear_their_own_gradients(to_none: bool) -> None:
    net = loops.mlp()
    inputs, target = loops.data()
    optimizers = [torch.optim.SGD(net[0].parameters(), 0.05), torch.optim.Adam(net[-1].parameters(), 0.01)]
    with Watch(net, optimizers) as watch:
        for _ in range(10):
            for optimizer in optimizers:
                optimizer.zero_grad(set_to_none=to_none)
                functional.cross_entropy(net(inputs), target).backward()
                optimizer.step()
    clearing = seen(watch, GradientClearing)
    assert clearing.steps >= 10
    assert clearing.kept == 0


def test_inputs_that_are_prepared_otherwise_for_judging_are_seen_beside_those_of_training() -> None:
    rows = torch.rand(64, loops.FEATURES)
    scales = seen(_evaluated(loops.mlp(), 10.0 * rows + 5.0, False), PartScales)
    assert scales.other_rows == 64 * 5
    assert min(scales.other_mean) > 5.0 > max(scales.mean)
    assert "shifted-parts" in {each.check.name for each in diagnosed(Evidence((scales,))).findings}
    same, _ = loops.data()
    moved = _evaluated(loops.mlp(), same[:64] + 1e-3, False).evidence
    assert "shifted-parts" not in {each.check.name for each in diagnosed(moved).findings}


def test_between_looks_the_network_is_left_alone_but_where_an_evaluation_is_expected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hanging, "_SHARE", 0.0)  # as on a machine whose steps take no time
    net = loops.mlp()
    inputs, target = loops.data()
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    passes, hooked = [], 0
    with Watch(net, optimizer) as watch:
        for number in range(1500):
            optimizer.zero_grad()
            functional.cross_entropy(net(inputs[:4]), target[:4]).backward()
            optimizer.step()
            hooked += len(net._forward_pre_hooks)
            if number % 100 == 99:
                net.eval()
                with torch.no_grad():
                    net(inputs)
                net.train()
                passes.append(number)
    assert seen(watch, ModuleModes).evaluated == len(passes)
    assert hooked < 1000
