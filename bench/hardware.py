"""What do layout and precision give a plain picture network, on every device of this machine?

    python bench/hardware.py [--quick]

A plain three-block CNN, batches of 128 pictures of 3 x 32 x 32, one training step each: float32 in PyTorch's own layout against
channels-last, against bfloat16 products (autocast, float32 weights), and against both together. All four take turns in one run,
several times; medians are told. The score is another question: both are seen to learn the same random pictures (loss after the same
steps). Parts for a graphics processor are left out where none works. The last line is one JSON object.
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
from torch import Tensor, nn

from liebig.hardware.device import default_device
from liebig.hardware.reading import processor_name
from liebig.hardware.threads import Threads

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


def network(seed: int) -> nn.Module:
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
    if card.type == "cpu":
        print("no graphics processor works here: its part is left out")
        told["cuda"] = None
    elif card.type == "cuda":
        told["card"] = torch.cuda.get_device_name(card)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
