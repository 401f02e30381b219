"""What this machine does in a second, measured and not looked up: products, copies, convolutions, transfers, decoding, reading.

Each number is the median of as many tries as its share of the time allows, after one that is not counted. All of it together takes
about ten seconds on a processor; another program that computes at the same time lowers every number.
"""

from __future__ import annotations

import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from liebig.hardware.memory import free_bytes
from liebig.hardware.threads import Threads

_SECONDS: Final = 0.2  # for one number
_LEAST: Final = 3
_SMALLER: Final = 4  # side of the product that is tried first
_MATRIX: Final = {"cpu": 1024, "mps": 2048, "cuda": 8192}
#: A convolution of a small picture network: its batch, channels in and out, and the picture's side.
_CONVOLUTION: Final = {"cpu": (64, 32, 64, 32), "mps": (128, 64, 64, 32), "cuda": (512, 128, 128, 32)}
_COPIED: Final = {"cpu": 128 << 20, "mps": 128 << 20, "cuda": 1 << 30}
_READ: Final = 64 << 20
_PICTURE: Final = 256

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rate:
    """One measured number. `kind` groups what may be compared; `value` is None where it was not measured, and `note` then
    says why (or else what to bear in mind)."""

    kind: str
    name: str
    device: str
    unit: str
    value: float | None
    note: str = ""


def measured_rates(device: torch.device, tell: Tell = lambda _: None) -> tuple[Rate, ...]:
    """All rates of the processor, and of `device` where that is another."""
    found: list[Rate] = []
    with Threads() as threads:

        def begin(what: str) -> None:
            tell(what)
            threads.choose()  # on a busy machine threads that wait for each other would be measured, not the processor

        for each in dict.fromkeys([torch.device("cpu"), device]):
            begin(f"products on {each}")
            found += matrix_rates(each)
            begin(f"memory of {each}")
            found.append(memory_rate(each))
            begin(f"convolutions on {each}")
            found += convolution_rates(each)
        begin("from memory to the device")
        found.append(transfer_rate(device))
        begin("decoding pictures")
        found.append(decode_rate())
        begin("reading from disk")
        found.append(disk_rate())
    return tuple(found)


def median_seconds(work: Callable[[], object], device: torch.device, seconds: float = _SECONDS) -> float:
    """Median seconds of `work`, tried for so long (at least three times, or once where once is longer than that). The first
    try is not counted: libraries set themselves up in it, and a graphics processor wakes up."""
    first = _once(work, device)
    if first > 4 * seconds:
        return min(first, _once(work, device))
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while len(taken) < _LEAST or time.perf_counter() < until:
        taken.append(_once(work, device))
    return statistics.median(taken)


def _once(work: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    began = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def matrix_rates(device: torch.device) -> list[Rate]:
    """GFLOP/s of large matrix products in each precision. TF32 (float32 rounded to 10 bits where it is multiplied) exists on
    NVIDIA's cards from Ampere on."""
    kinds: list[tuple[str, torch.dtype, str]] = [
        ("float32", torch.float32, "highest"),
        ("TF32", torch.float32, "high"),
        ("bfloat16", torch.bfloat16, "highest"),
        ("float16", torch.float16, "highest"),
    ]
    rates = []
    for name, dtype, precision in kinds:
        if name == "TF32" and not _has_tf32(device):
            note = "not measured: NVIDIA's cards from Ampere on have it"
            rates.append(Rate("matrix", name, str(device), "GFLOP/s", None, note))
        else:
            rates.append(_matrix_rate(device, name, dtype, precision))
    return rates


def _has_tf32(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


@contextmanager
def _float32_products(precision: str) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@torch.no_grad()
def _matrix_rate(device: torch.device, name: str, dtype: torch.dtype, precision: str) -> Rate:
    """A small product is timed first: some precisions are emulated, and a large one would take minutes."""
    try:
        with _float32_products(precision):
            size = _MATRIX.get(device.type, 1024)
            small = size // _SMALLER
            trial = _product(device, dtype, small)
            least = min(_once(trial, device) for _ in range(_LEAST))
            seconds = median_seconds(trial, device, 0.02)
            if least * _SMALLER**3 < _SECONDS:
                small, seconds = size, median_seconds(_product(device, dtype, size), device)
    except (RuntimeError, NotImplementedError) as error:
        return Rate("matrix", name, str(device), "GFLOP/s", None, f"not measured: {_first_line(error)}")
    note = "" if small == size else "slow here: a small product was timed"
    return Rate("matrix", name, str(device), "GFLOP/s", 2e-9 * small**3 / seconds, note)


def _product(device: torch.device, dtype: torch.dtype, size: int) -> Callable[[], object]:
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return lambda: torch.mm(left, right)


@torch.no_grad()
def memory_rate(device: torch.device) -> Rate:
    """GB/s of copying a block that no cache holds; what is read and what is written count."""
    size = _COPIED.get(device.type, _COPIED["cpu"])
    if device.type != "mps":
        size = max(1 << 20, min(size, free_bytes(device) // 8))
    source = torch.ones(size // 4, device=device)
    target = torch.empty_like(source)
    seconds = median_seconds(lambda: target.copy_(source), device)
    return Rate("memory", "copy", str(device), "GB/s", 2e-9 * size / seconds)


def convolution_rates(device: torch.device) -> list[Rate]:
    """GFLOP/s of a 3x3 convolution, forward and back, by layout and precision."""
    rates = []
    for dtype in (torch.float32, torch.bfloat16):
        for layout, memory_format in (("NCHW", torch.contiguous_format), ("channels-last", torch.channels_last)):
            name = f"{str(dtype).removeprefix('torch.')} {layout}"
            try:
                flops, step = _convolution(device, dtype, memory_format)
                value, note = 1e-9 * flops / median_seconds(step, device), ""
            except (RuntimeError, NotImplementedError) as error:
                value, note = None, f"not measured: {_first_line(error)}"
            rates.append(Rate("convolution", name, str(device), "GFLOP/s", value, note))
    return rates


def _convolution(
    device: torch.device, dtype: torch.dtype, memory_format: torch.memory_format
) -> tuple[float, Callable[[], object]]:
    """The operations of a step, and the step."""
    batch, inputs, outputs, side = _CONVOLUTION.get(device.type, _CONVOLUTION["cpu"])
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False).to(device, dtype)
    layer = layer.to(memory_format=memory_format)  # type: ignore[call-overload]  # its stubs know no layout alone
    x = torch.randn(batch, inputs, side, side, device=device).to(dtype).contiguous(memory_format=memory_format)
    x.requires_grad_()
    back = torch.randn(batch, outputs, side, side, device=device).to(dtype).contiguous(memory_format=memory_format)

    def step() -> object:
        return torch.autograd.grad(layer(x), [x, layer.weight], back)

    return 3 * 2.0 * batch * side * side * inputs * outputs * 9, step


def transfer_rate(device: torch.device) -> Rate:
    """GB/s from the processor's memory to the device, out of memory that is pinned for it."""
    name, unit = "host to device", "GB/s"
    if device.type != "cuda":
        return Rate("transfer", name, str(device), unit, None, "not measured: there is no graphics processor in use")
    size = _COPIED["cpu"]
    source = torch.ones(size // 4).pin_memory()
    target = torch.empty_like(source, device=device)
    seconds = median_seconds(lambda: target.copy_(source, non_blocking=True), device)
    return Rate("transfer", name, str(device), unit, 1e-9 * size / seconds)


def decode_rate() -> Rate:
    """Pictures in a second that one core decodes: JPEG of 256 x 256 by Pillow, where that is installed."""
    name, unit = f"JPEG {_PICTURE}x{_PICTURE}, one core", "images/s"
    if find_spec("PIL") is None:
        return Rate("decode", name, "cpu", unit, None, "not measured: Pillow is not installed")
    pictures: Any = import_module("PIL.Image")
    across = torch.linspace(0, 6.3, _PICTURE)
    waves = torch.stack([torch.sin(across[:, None] * k + across[None]) for k in (1, 2, 3)], dim=2)
    pixels = ((waves + 1) * 120).to(torch.uint8).numpy()
    held = io.BytesIO()
    pictures.fromarray(pixels).save(held, "JPEG", quality=90)
    seconds = median_seconds(lambda: pictures.open(io.BytesIO(held.getvalue())).load(), torch.device("cpu"), 0.2)
    return Rate("decode", name, "cpu", unit, 1 / seconds)


def disk_rate(directory: str | None = None) -> Rate:
    """GB/s of reading a file from its beginning to its end. The file was just written: where the system does not let it go
    from its cache, that is what is measured, and the note says so."""
    name, unit = "reading in order", "GB/s"
    place = directory or tempfile.gettempdir()
    try:
        with tempfile.NamedTemporaryFile(dir=place) as file:
            block = os.urandom(1 << 20)
            for _ in range(_READ >> 20):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
            taken = [_read_seconds(Path(file.name)) for _ in range(_LEAST)]
    except OSError as error:
        return Rate("disk", name, "disk", unit, None, f"not measured: {_first_line(error)}")
    note = f"a file in {place}; the system's cache may have served it"
    return Rate("disk", name, "disk", unit, 1e-9 * _READ / statistics.median(taken), note)


def _read_seconds(path: Path) -> float:
    with path.open("rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        room = bytearray(4 << 20)
        began = time.perf_counter()
        while file.readinto(room):
            pass
        return time.perf_counter() - began


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
