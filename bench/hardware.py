"""What does Liebig make of this machine?

    python bench/hardware.py [--quick]

1. Settings: a plain three-block CNN, batches of 128 pictures of 3 x 32 x 32, one training step each, on every device: float32 in
   PyTorch's own layout against channels-last, against bfloat16 products (autocast, float32 weights), and against both together.
   All four take turns in one run; medians are told. Both are seen to learn the same pictures (loss after the same steps).
2. The same CNN trained on the device that Liebig takes: the loop that tutorials show (float32, a DataLoader, batches moved to the
   device, the loss read in each step) against Liebig, which is given the network and the data and finds the settings itself. The
   same rows, batches, epochs and optimizer; what Liebig spends on measuring is told beside. Accuracy on 2,000 other pictures.
3. Where a graphics processor works: a population of 64 small MLPs there against one network at a time there.

The last line is one JSON object.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from engine import shape
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from liebig.core.event import EpochEnded, Event
from liebig.core.recipe import Recipe
from liebig.core.task import Block
from liebig.data.module.feed import ModuleEncoder
from liebig.data.module.task import ModuleTask, module_task
from liebig.hardware.device import default_device
from liebig.hardware.measuring import median_seconds
from liebig.hardware.reading import processor_name
from liebig.hardware.threads import Threads
from liebig.train.modules import MODULES
from liebig.train.training import TrainOptions, train
from liebig.train.tune import Tuned, tuned
from liebig.trials.blocks import blocks

BATCH = 128
CLASSES = 10


@dataclass(frozen=True)
class Setting:
    name: str
    channels_last: bool
    bfloat16: bool


SETTINGS = (
    Setting("float32", False, False),
    Setting("float32, channels-last", True, False),
    Setting("bfloat16", False, True),
    Setting("bfloat16, channels-last", True, True),
)


def network(seed: int = 0) -> nn.Module:
    """Three blocks of two convolutions, each normalised, and a linear layer over their means."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    inputs = 3
    for width in (32, 64, 128):
        for _ in range(2):
            layers += [nn.Conv2d(inputs, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, CLASSES))


def pictures(device: torch.device, batches: int) -> list[tuple[Tensor, Tensor]]:
    """Noise around a picture of each class: something to learn."""
    random = torch.Generator().manual_seed(0)
    patterns = torch.randn(CLASSES, 3, 32, 32, generator=random)
    found = []
    for _ in range(batches):
        labels = torch.randint(CLASSES, (BATCH,), generator=random)
        noise = torch.randn(BATCH, 3, 32, 32, generator=random)
        found.append(((patterns[labels] + 2 * noise).to(device), labels.to(device)))
    return found


def training(setting: Setting, device: torch.device, batches: list[tuple[Tensor, Tensor]]) -> Callable[[int], float]:
    """A function that trains so many steps and returns the last loss."""
    layout = torch.channels_last if setting.channels_last else torch.contiguous_format
    model = network(0).to(device).to(memory_format=layout)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    around = torch.autocast(device.type, torch.bfloat16) if setting.bfloat16 else nullcontext()

    def steps(count: int) -> float:
        loss = torch.zeros(())
        for step in range(count):
            inputs, labels = batches[step % len(batches)]
            with around:
                loss = nn.functional.cross_entropy(model(inputs.contiguous(memory_format=layout)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    return steps


def measured(device: torch.device, rounds: int, steps: int) -> dict[str, dict[str, float]]:
    """Images in a second and the loss after all steps, of each setting."""
    batches = pictures(device, 8)
    trained = {setting.name: training(setting, device, batches) for setting in SETTINGS}
    losses, rates = {}, {name: [] for name in trained}
    for name, run in trained.items():
        run(2)  # the first steps choose kernels
        losses[name] = float("nan")
    for _ in range(rounds):
        for name, run in trained.items():
            began = time.perf_counter()
            losses[name] = run(steps)
            rates[name].append(BATCH * steps / (time.perf_counter() - began))
    return {
        name: {"images_per_second": round(statistics.median(rates[name]), 1), "loss": round(losses[name], 4)}
        for name in trained
    }


# --- the same network, the tutorial's loop against Liebig ----------------------------------------------------------------


def drawn(rows: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pictures of ten classes that a network tells apart mostly, not always."""
    coarse = torch.randn(CLASSES, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    patterns = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3)
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (rows,), generator=random)
    return 0.4 * patterns[labels] + torch.randn(rows, 3, 32, 32, generator=random), labels


@dataclass(frozen=True)
class Trained:
    images_per_second: float
    accuracy: float


def plain_loop(device: torch.device, train_rows: TensorDataset, valid: tuple[Tensor, Tensor], epochs: int) -> Trained:
    """What a tutorial shows."""
    model = network().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    loader = DataLoader(train_rows, batch_size=BATCH, shuffle=True)
    began, total = time.perf_counter(), 0.0
    model.train()
    for _ in range(epochs):
        for inputs, labels in loader:
            inputs, labels = inputs.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
    seconds = time.perf_counter() - began
    model.eval()
    with torch.no_grad():
        answers = torch.cat([model(part.to(device)).argmax(1).cpu() for part in valid[0].split(500)])
    return Trained(len(train_rows) * epochs / seconds, float((answers == valid[1]).float().mean()))


def of_liebig(found: ModuleTask, recipe: Recipe, block: Block) -> Trained:
    """Its time is that from before its first weights to the end of the last epoch."""
    ended: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochEnded):
            ended.append(event.seconds)

    options = TrainOptions(probes=False)
    (done,) = train(found.task, [recipe], [block], options=options, encoding=MODULES, on_event=listen)
    seconds = ended[-1]
    predictions = done.run.predictions
    assert predictions is not None
    right = predictions.argmax(1) == found.task.target[block.select]
    return Trained(len(block.fit) * recipe.stopping.epochs / seconds, float(right.mean()))  # type: ignore[attr-defined]


def waiting_share(found: ModuleTask, block: Block, step_seconds: float) -> float:
    """Share of a step in which it waits for its batch: rows picked out of what lies on the device."""
    device = default_device()
    feed = MODULES.feed(found.task, [ModuleEncoder.of_rows(found.users, block.fit)], device, torch.float32)
    rows = torch.from_numpy(block.fit[:BATCH])[None].to(device)
    return median_seconds(lambda: feed.batch(rows), device) / step_seconds


def side_by_side(device: torch.device, rows: int, epochs: int, pairs: int) -> dict[str, object]:
    train_rows, valid = TensorDataset(*drawn(rows, 1)), drawn(2000, 2)
    found = module_task(
        network, train=train_rows, valid=valid, test=drawn(20, 3), loss=nn.CrossEntropyLoss(), metric="accuracy",
        optimizer=(torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}), batch_size=BATCH, epochs=epochs,
    )  # fmt: skip
    block = blocks(found.task, 0, 3)[0]
    began = time.perf_counter()
    settings = tuned(found.task, found.baseline, block, MODULES, seconds=12.0)
    measuring = time.perf_counter() - began
    told_settings(settings)
    best = settings.less or settings.same
    recipe = found.baseline.replace(compute=best.compute)
    plain, ours = [], []
    for _ in range(pairs):
        plain.append(plain_loop(device, train_rows, valid, epochs))
        ours.append(of_liebig(found, recipe, block))
    slow, fast = (statistics.median(each.images_per_second for each in some) for some in (plain, ours))
    scores = [statistics.mean(each.accuracy for each in some) for some in (plain, ours)]
    waiting = waiting_share(found, block, best.seconds)
    times = statistics.median(b.images_per_second / a.images_per_second for a, b in zip(plain, ours, strict=True))
    print(f"  the tutorial's loop on {device}: {slow:,.0f} images/s, accuracy {scores[0]:.4f}")
    print(
        f"  Liebig ({best.name}, {best.compute.device}): {fast:,.0f} images/s, accuracy {scores[1]:.4f}: {times:.2f}x; "
        f"{waiting:.2%} of a step waits for data"
    )
    return {
        "plain": round(slow, 1), "liebig": round(fast, 1), "times": round(times, 2), "settings": best.name,
        "accuracy": [round(each, 4) for each in scores], "measuring_seconds": round(measuring, 2), "waiting": round(waiting, 5),
    }  # fmt: skip


def told_settings(settings: Tuned) -> None:
    for each in settings.timings:
        rate = f"{each.rows_per_second:>10,.0f} images/s" if not each.why else each.why
        print(f"  measured: {each.name:<28} {each.compute.device:<5} {rate}")


def main() -> None:
    quick = "--quick" in sys.argv
    rounds, steps = (2, 2) if quick else (7, 8)
    told: dict[str, object] = {"processor": processor_name(), "threads": torch.get_num_threads()}
    card = default_device()
    for device in dict.fromkeys([torch.device("cpu"), card]):
        with Threads() as threads:
            threads.choose()
            found = measured(device, rounds, steps if device.type == "cpu" else 10 * steps)
        plain = found["float32"]["images_per_second"]
        print(f"{device}: three-block CNN, batch {BATCH}, training")
        for name, each in found.items():
            rate = each["images_per_second"]
            print(f"  {name:<26} {rate:>10,.0f} images/s   {rate / plain:4.2f} x   loss {each['loss']:.3f}")
        both = found["bfloat16, channels-last"]["images_per_second"]
        told[device.type] = {"settings": found, "times": round(both / plain, 2)}
    on_card = card.type == "cuda"
    rows, epochs, pairs = (8192, 12, 3) if on_card else (2048, 2, 3)
    print(f"{card}: {rows:,} pictures, {epochs} epochs")
    with Threads() as threads:
        threads.choose()
        told["loop"] = side_by_side(card, 512 if quick else rows, 1 if quick else epochs, 1 if quick else pairs)
    if on_card:
        told["card"] = torch.cuda.get_device_name(card)
        population = shape(32, 32, 64, 60 if quick else 400, 1 if quick else 3)
        print(f"{card}: 64 MLPs of width 32, batch 32: {population.speedup:.1f}x one at a time, "
              f"{population.steps_per_second:,.0f} steps/s of all")  # fmt: skip
        told["population"] = {"times": round(population.speedup, 1), "steps": round(population.steps_per_second, 1)}
    else:
        print("no graphics processor works here: its part is left out")
        told["card"] = None
    print(json.dumps(told))


if __name__ == "__main__":
    main()
