"""How much faster is a population than one network at a time?

    python bench/engine.py [--quick]

Both sides do identical work on this machine in this run, in alternating pairs; medians are told. One network at a time is
plain PyTorch: float32, `torch.nn` layers, fused AdamW, batches by indexing. Beside each: model FLOP utilisation, the
achieved FLOP/s over those of a large matrix product in the same precision. The last line is one JSON object.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from liebig.core.evidence import InputScales
from liebig.core.metric import ROC_AUC
from liebig.core.recipe import Recipe
from liebig.core.task import FULL, Block, Parts, Task, TaskKind
from liebig.data.table.inputs import TableInputs
from liebig.hardware.rates import matrix_flops
from liebig.nets.mlp import MLP
from liebig.stack.batch import Batch
from liebig.stack.specs import Signature
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.loop import Population, Watching
from liebig.train.options import TrainOptions
from liebig.train.plan import Member, network_of, order_seed, plans, training_rows
from liebig.train.stacked import initial_weights
from liebig.train.training import machine_for, train

INPUTS = 32


@dataclass(frozen=True)
class PlainEncoder:
    """The inputs are random numbers already."""

    signature: Signature

    def target_to_model(self, target: Any) -> Any:
        return target.astype(np.float32)

    def target_from_model(self, answers: Any) -> Any:
        return answers

    def input_scales(self, task: Any, rows: Any) -> InputScales:
        return InputScales((), (), (), ())

    def encode_frame(self, frame: Any, device: Any, dtype: Any) -> Batch:
        raise NotImplementedError


@dataclass(frozen=True)
class PlainFeed:
    inputs: Tensor
    target: Tensor
    signature: Signature

    def batch(self, rows: Tensor) -> Batch:
        shape = (*rows.shape, self.inputs.shape[1])
        flat = rows.reshape(-1)
        return Batch(self.inputs.index_select(0, flat).view(shape), self.target.index_select(0, flat).view(rows.shape))

    def judging(self, rows: Tensor) -> Batch:
        return self.batch(rows)

    def keeping(self, groups: Sequence[int]) -> PlainFeed:
        return self


class PlainEncoding:
    def fit_encoder(self, task: Any, inputs: Any, rows: Any, wants: Any) -> PlainEncoder:
        return PlainEncoder(Signature(INPUTS))

    def feed(self, task: Any, encoders: Any, device: Any, dtype: Any) -> PlainFeed:
        inputs = torch.from_numpy(task.data).to(device, dtype)
        return PlainFeed(inputs, torch.from_numpy(task.target).float().to(device), Signature(INPUTS))


ENCODING = PlainEncoding()


def make_task(rows: int) -> Task[Any]:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(rows, INPUTS)).astype(np.float32)
    noise = rng.normal(size=rows)
    target = (inputs[:, 0] + inputs[:, 1] * inputs[:, 2] + np.sin(inputs[:, 3]) + noise > 0).astype(np.float64)
    work = np.arange(rows)
    return Task("numbers", TaskKind.BINARY, "y", target, ("0", "1"), ROC_AUC, Parts(work, work[:0]), inputs)


def make_recipe(
    width: int, batch: int, epochs: int, rate: float, decay: float, dropout: float, smoothing: float
) -> Recipe:
    return Recipe(
        inputs=TableInputs(), network=MLP(width=width, activation="relu", dropout=dropout),
        objective=CrossEntropy(label_smoothing=smoothing),
        optimizer=AdamW(learning_rate=rate, weight_decay=decay), schedule=Constant(), batching=Shuffled(size=batch),
        stopping=FixedEpochs(epochs=epochs), compute=Compute(),
    )  # fmt: skip


def make_block(index: int, fit: int, select: int) -> Block:
    rows = np.random.default_rng(index).permutation(fit + select)
    return Block(index, rows[:fit], rows[:0], rows[fit:], 100 + index, 200 + index)


class Network(nn.Module):
    """What a person would write."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(INPUTS, width), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out.squeeze(1)


def plain_network(
    recipe: Recipe, flat: Tensor, device: torch.device | str = "cpu"
) -> tuple[Network, torch.optim.Optimizer]:
    net_settings, settings = recipe.network, recipe.optimizer
    assert isinstance(net_settings, MLP)
    assert isinstance(settings, AdamW)
    net, start = Network(net_settings.width, net_settings.dropout), 0
    for layer in net.layers:
        if isinstance(layer, nn.Linear):
            count = layer.weight.numel()
            layer.weight.data = flat[start : start + count].view(layer.in_features, layer.out_features).T.clone()
            layer.bias.data = flat[start + count : start + count + layer.out_features].clone()
            start += count + layer.out_features
    rate, decay = settings.learning_rate, settings.weight_decay
    net.to(device)
    groups = [
        {"params": [p for p in net.parameters() if p.dim() > 1], "weight_decay": decay},
        {"params": [p for p in net.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    return net, torch.optim.AdamW(groups, lr=rate, fused=True)


def plain_training(
    net: Network, optimizer: torch.optim.Optimizer, recipe: Recipe, inputs: Tensor, target: Tensor, block: Block, epochs: int,
    after_epoch: Callable[[Network, list[Tensor]], None] | None = None,
) -> list[Tensor]:  # fmt: skip
    """One network, one batch after the other. Returns the losses of all steps."""
    rows = torch.from_numpy(training_rows(recipe, block, FULL))
    size = recipe.batching.size  # type: ignore[attr-defined]
    smoothing = recipe.objective.label_smoothing  # type: ignore[attr-defined]
    losses: list[Tensor] = []
    for epoch in range(epochs):
        net.train()
        generator = torch.Generator().manual_seed(order_seed(block, epoch))
        order = rows[torch.randperm(len(rows), generator=generator)].to(inputs.device)
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            wanted = target[batch]
            if smoothing:
                wanted = wanted * (1 - smoothing) + 0.5 * smoothing
            loss = nn.functional.binary_cross_entropy_with_logits(net(inputs[batch]), wanted)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.detach())
        if after_epoch is not None:
            after_epoch(net, losses)
    return losses


@torch.no_grad()
def plain_loss(nets: Sequence[tuple[Network, torch.optim.Optimizer]], inputs: Tensor, target: Tensor) -> float:
    """Mean cross-entropy of networks over all rows, in evaluation mode."""
    losses = [nn.functional.binary_cross_entropy_with_logits(net.eval()(inputs), target) for net, _ in nets]
    return float(torch.stack(losses).mean())


def mean_loss(members: Sequence[Member], weights: Sequence[Tensor], inputs: Tensor, target: Tensor) -> float:
    """The same of the engine's weights."""
    nets = [plain_network(member.recipe, flat, inputs.device) for member, flat in zip(members, weights, strict=True)]
    return plain_loss(nets, inputs, target)


@dataclass(frozen=True)
class Comparison:
    speedup: float
    utilisation: float
    steps_per_second: float
    loss_gap: float = 0.0


def compare(recipes: Sequence[Recipe], blocks: Sequence[Block], task: Task[Any], pairs: int) -> Comparison:
    """One epoch of all recipes in all blocks: as a population, and one at a time."""
    plan = plans(task, recipes, blocks, FULL, lambda recipe, wants, rows: PlainEncoder(Signature(INPUTS)))[0]
    machine = machine_for(plan, task, TrainOptions())
    inputs = torch.from_numpy(task.data).to(machine.device)
    target = torch.from_numpy(task.target).float().to(machine.device)
    specs = network_of(plan.recipe).parameters(plan.signature, 1)
    flat = initial_weights(plan, specs, 1)
    feed = ENCODING.feed(task, [], machine.device, machine.dtype)
    ratios, engine_times, gaps = [], [], []
    for pair in range(pairs + 1):
        population = Population(task, plan, feed, machine, Watching(lambda event: None, None, False))
        began = time.perf_counter()
        done = {id(each.member): each for each in population.run()}
        engine = time.perf_counter() - began
        nets = [
            plain_network(member.recipe, row, machine.device) for member, row in zip(plan.members, flat, strict=True)
        ]
        began = time.perf_counter()
        for net, member in zip(nets, plan.members, strict=True):
            losses = plain_training(*net, member.recipe, inputs, target, member.course.block, 1)
        float(losses[-1])  # wait for the device
        alone = time.perf_counter() - began
        if pair == 0:
            continue  # the first of both warms up
        ratios.append(alone / engine)
        engine_times.append(engine)
        ours = [done[id(member)].sets[0].weights for member in plan.members]
        gaps.append(abs(mean_loss(plan.members, ours, inputs, target) / plain_loss(nets, inputs, target) - 1))
    engine = statistics.median(engine_times)
    steps, batch = plan.steps_per_epoch, len(plan.members[0].course.rows) / plan.steps_per_epoch
    weights = sum(spec.size for spec in specs if len(spec.shape) == 2)
    flops = 6 * weights * batch * len(plan.members) * steps
    return Comparison(
        statistics.median(ratios), flops / engine / matrix_flops(machine.device, machine.dtype), steps / engine,
        float(statistics.median(gaps)),
    )  # fmt: skip


def shape(width: int, batch: int, members: int, steps: int, pairs: int) -> Comparison:
    task = make_task(batch * steps)
    rng = np.random.default_rng(1)
    recipes = [
        make_recipe(width, batch, 1, float(rng.uniform(5e-4, 5e-3)), float(rng.uniform(0, 0.1)), 0.0, 0.0)
        for _ in range(members)
    ]
    return compare(recipes, [make_block(0, batch * steps, 0)], task, pairs)


def round_of_trials(pairs: int) -> Comparison:
    """Five recipes that differ in rate, decay, dropout and smoothing, by three blocks; 200 steps of 128 rows."""
    rows = 128 * 200
    task = make_task(rows)
    recipes = [
        make_recipe(128, 128, 1, rate, decay, dropout, smoothing)
        for rate, decay, dropout, smoothing in (
            (1e-3, 0.01, 0.0, 0.0), (3e-3, 0.01, 0.1, 0.0), (1e-3, 0.1, 0.2, 0.05), (5e-4, 0.0, 0.1, 0.1), (2e-3, 0.05, 0.3, 0.0),
        )
    ]  # fmt: skip
    return compare(recipes, [make_block(i, rows, 0) for i in range(3)], task, pairs)


def single(pairs: int) -> float:
    """Seconds of `train` for one 128-128 network, 20 epochs, probes on, over those of a tight loop that evaluates alike."""
    fit, select = 8000, 2000
    task, block = make_task(fit + select), make_block(0, fit, select)
    recipe = make_recipe(128, 128, 20, 1e-3, 0.01, 0.0, 0.0)
    options = TrainOptions(precision=None, probes=True)
    inputs, target = torch.from_numpy(task.data), torch.from_numpy(task.target).float()
    watched, sample = torch.from_numpy(block.select), torch.from_numpy(block.fit[:2048])
    plan = plans(task, [recipe], [block], FULL, lambda *_: PlainEncoder(Signature(INPUTS)))[0]
    flat = initial_weights(plan, network_of(recipe).parameters(plan.signature, 1), 1)[0]

    def evaluate(net: Network, losses: list[Tensor]) -> None:
        net.eval()
        with torch.no_grad():
            for rows in (watched, sample):
                answers = net(inputs[rows])
                float(nn.functional.binary_cross_entropy_with_logits(answers, target[rows]))
                ROC_AUC.score(task.target[rows.numpy()], torch.sigmoid(answers).numpy())

    ratios = []
    for pair in range(pairs + 1):
        began = time.perf_counter()
        train(task, [recipe], [block], options=options, encoding=ENCODING)
        ours = time.perf_counter() - began
        net, optimizer = plain_network(recipe, flat)
        began = time.perf_counter()
        plain_training(net, optimizer, recipe, inputs, target, block, 20, evaluate)
        theirs = time.perf_counter() - began
        if pair:
            ratios.append(ours / theirs)
    return statistics.median(ratios)


def main(arguments: Sequence[str]) -> None:
    pairs = 3 if "--quick" in arguments else 9
    speedup, utilisation = {}, {}
    for name, width, batch, members, steps in (  # named by width, and by members where there are two of a width
        ("32", 32, 32, 64, 60), ("128", 128, 128, 16, 60), ("128x32", 128, 128, 32, 60), ("256", 256, 1024, 16, 12),
    ):  # fmt: skip
        found = shape(width, batch, members, steps, pairs)
        speedup[name], utilisation[name] = round(found.speedup, 2), round(found.utilisation, 3)
        print(f"width {width}, batch {batch}, {members} members: {found.speedup:.1f}x one at a time, "
              f"{found.utilisation:.0%} of the machine's matrix rate, {found.steps_per_second:.0f} steps/s")  # fmt: skip
    trials = round_of_trials(pairs)
    utilisation["round"] = round(trials.utilisation, 3)
    print(
        f"a round of 5 recipes by 3 blocks: {trials.speedup:.1f}x, mean loss after 200 steps within {trials.loss_gap:.2%}"
    )
    alone = single(pairs)
    print(f"fit of one network, probes on: {alone:.2f}x the time of a tight loop")
    print(json.dumps({"speedup": speedup, "round": round(trials.speedup, 2), "round_loss_gap": round(trials.loss_gap, 4),
                      "mfu": utilisation, "single": round(alone, 3)}))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
