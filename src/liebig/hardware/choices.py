"""What Liebig switches on here, and why: asked of the very functions that training asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch

from liebig.hardware.device import usable_device
from liebig.hardware.facts import Facts
from liebig.hardware.measuring import Rate
from liebig.hardware.precision import bfloat16_gain, fastest_dtype
from liebig.hardware.threads import Threads

#: The populations that are asked about: members, batch, width.
_SMALL: Final = (8, 128, 128)
_LARGE: Final = (8, 1024, 512)


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting, what it is here, and why."""

    name: str
    chosen: str
    why: str


def choices(facts: Facts, asked: str = "auto", rates: Sequence[Rate] = ()) -> tuple[Choice, ...]:
    """The device, the threads, the precision and the layout that training would take at this moment, and how steps are made.
    `rates` are those that were measured, of which the layout is told."""
    usable = usable_device(asked)
    with Threads() as threads:
        taken = threads.choose()
        precision = _precision(usable.device)
        given = threads.given
    return (
        _device(facts, usable.device, usable.instead), _threads(taken, given), precision, _layout(usable.device, rates),
        _steps(usable.device),
    )  # fmt: skip


def _device(facts: Facts, device: torch.device, instead: str) -> Choice:
    if instead:
        return Choice("device", str(device), instead)
    if device.type == "cuda":
        return Choice("device", str(device), f"{torch.cuda.get_device_name(device)} works with this torch")
    if facts.build.mps and device.type == "cpu":
        return Choice(
            "device", "cpu", "Apple's graphics processor is used only where a recipe asks for it (compute.device)"
        )
    why = (
        "there is no graphics processor"
        if not facts.has_card
        else "the graphics processor cannot be used yet: see above"
    )
    return Choice("device", str(device), why)


def _threads(taken: int, given: int) -> Choice:
    if given < 2:
        return Choice("threads", "1", "this process was given one")
    if taken == given:
        return Choice("threads", str(taken), "all that were given: together they are faster than one at this moment")
    return Choice("threads", "1", f"one is faster than all {given} at this moment: something else is using the machine")


def _precision(device: torch.device) -> Choice:
    parts = []
    for members, batch, width in (_SMALL, _LARGE):
        dtype = fastest_dtype(device, members, batch, width)
        gain = bfloat16_gain(device, members, batch, width)
        parts.append((str(dtype).removeprefix("torch."), width, gain))
    if device.type == "mps":
        return Choice("precision", "float32", "other precisions are not measured on Apple's graphics processor")
    told = ", ".join(f"{gain:.1f} times as fast at width {width}" for _, width, gain in parts)
    small, large = parts[0][0], parts[1][0]
    chosen = small if small == large else f"{small} for small networks, {large} for large ones"
    return Choice("precision", chosen, f"products in bfloat16 are {told}; decided anew for each size of network")


def _layout(device: torch.device, rates: Sequence[Rate]) -> Choice:
    """Of pictures in memory. What was measured is one convolution; the network itself is timed before it is trained."""
    measured = {each.name: each.value for each in rates if each.kind == "convolution" and each.device == str(device)}
    parts, gains = [], []
    for precision in ("float32", "bfloat16"):
        plain, last = measured.get(f"{precision} NCHW"), measured.get(f"{precision} channels-last")
        if plain and last:
            gains.append(last / plain)
            parts.append(f"{last / plain:.1f} times as fast in {precision}")
    chosen = "channels-last" if gains and max(gains) > 1.0 else "plain"
    told = f"a convolution is {' and '.join(parts)} with channels-last; " if parts else ""
    return Choice("layout", chosen, f"{told}a network of your own is timed in both before it is trained")


def _steps(device: torch.device) -> Choice:
    if device.type == "cuda":
        return Choice("steps", "replayed", "a step is recorded once and replayed, where that gives the same gradients")
    return Choice("steps", "as they are", "asking for an operation costs little on a processor")
