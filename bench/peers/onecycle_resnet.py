"""ResNet-18 from scratch as a practised hand trains it: standardised pictures, mirror images (not of grey pictures), crops and cutout,
SGD with Nesterov's momentum over one cycle, label smoothing; bfloat16 and channels last. It times some steps first and takes as
many epochs as the budget pays for, one hundred at most."""

from __future__ import annotations

import math
import time

import torch
from picture_parts import asked
from torch import nn
from torch.nn import functional

it = asked()
torch.manual_seed(0)
x, y = torch.from_numpy(it.x_train).float(), torch.from_numpy(it.y_train)
mean, spread = x.mean((0, 1, 2)), x.std((0, 1, 2))


def ready(pixels: torch.Tensor) -> torch.Tensor:
    return ((pixels.float() - mean) / spread).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.past = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.past = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.first(x) + self.past(x))


def resnet18(channels: int, classes: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(channels, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    if it.x_train.shape[1] > 40:
        layers.append(nn.MaxPool2d(2))
    width = 64
    for stage in range(4):
        for block in range(2):
            outputs = 64 * 2**stage
            layers.append(Block(width, outputs, 2 if stage and not block else 1))
            width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def changed(pictures: torch.Tensor) -> torch.Tensor:
    """Crops of the padded picture, mirror images, one blank square."""
    count, channels, height, width = pictures.shape
    pad, blank = height // 8, height // 4
    padded = functional.pad(pictures, (pad, pad, pad, pad), "reflect")
    out = torch.empty_like(pictures)
    for i in range(count):
        top, left = (int(torch.randint(0, 2 * pad + 1, ())) for _ in range(2))
        view = padded[i, :, top : top + height, left : left + width]
        out[i] = view.flip(-1) if channels == 3 and torch.rand(()) < 0.5 else view
        top, left = int(torch.randint(0, height - blank, ())), int(torch.randint(0, width - blank, ()))
        out[i, :, top : top + blank, left : left + blank] = 0
    return out


network = resnet18(x.shape[3], it.classes).to(memory_format=torch.channels_last)
pictures, size = ready(x), 128 if len(x) >= 2000 else 64
loss = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)


def step(rows: torch.Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(network(changed(pictures[rows])), y[rows])
    found.backward()
    optimizer.step()


state = {name: value.clone() for name, value in network.state_dict().items()}
for group in optimizer.param_groups:
    group["lr"] = 0.0
for number in range(4):
    if number == 1:
        began = time.perf_counter()
    step(torch.arange(min(size, len(x))))
each = (time.perf_counter() - began) / 3
network.load_state_dict(state)
optimizer.state.clear()
steps = math.ceil(len(x) / size)
epochs = max(1, min(100, int(0.95 * it.seconds_left() / (each * steps))))
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=epochs * steps, pct_start=0.25)
for _ in range(epochs):
    if it.seconds_left() < each * steps:
        break
    for rows in torch.randperm(len(x)).split(size):
        step(rows)
        schedule.step()
network.eval()
test = ready(torch.from_numpy(it.x_test))
with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
    shares = torch.cat([network(part).float() for part in test.split(256)])
it.answer(shares.numpy())
