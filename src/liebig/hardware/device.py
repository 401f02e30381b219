"""Which device trains: a graphics processor where one works, else the processor; and what is said where one was asked for in vain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from liebig.hardware.advice import steps
from liebig.hardware.reading import read_facts

#: What torch's errors say when it is the device that failed, and not the program: it is gone, or hangs.
_GONE = (
    "device lost",
    "has fallen off the bus",
    "unspecified launch failure",
    "device-side hardware",
    "uncorrectable ecc error",
    "no cuda-capable device is detected",
    "cuda driver version is insufficient",
    "cuda unknown error",
    "unknown error",
    "device is busy or unavailable",
    "devices are busy or unavailable",
    "system not yet initialized",
    "no kernel image is available",
)


@dataclass(frozen=True, slots=True)
class UsableDevice:
    """A device that can be trained on; `instead` is the sentence that says why it is another than was asked for."""

    device: torch.device
    instead: str = ""


_failed: dict[str, str] = {}


def default_device() -> torch.device:
    """The device of "auto": a graphics processor that works, else the processor."""
    return usable_device("auto").device


def usable_device(name: str) -> UsableDevice:
    """The device of that name ("auto", "cpu", "mps", "cuda", "cuda:1"), or the processor with one sentence why."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cpu":
        return UsableDevice(device)
    reason = _failed.get(device.type) or _refusal(name)
    if not reason:
        return UsableDevice(device)
    return UsableDevice(torch.device("cpu"), f"{reason}; training goes on with the processor")


def device_failed(device: torch.device, error: BaseException) -> bool:
    """True where `error` says that `device` itself stopped working. Then it is not used again in this process: torch
    cannot be made to let go of a device that was lost."""
    if device.type == "cpu" or not _says_gone(error):
        return False
    _failed[device.type] = f"The device {device} stopped working ({_first_line(error)})"
    return True


def _says_gone(error: BaseException) -> bool:
    text = str(error).casefold()
    return isinstance(error, RuntimeError) and any(words in text for words in _GONE)


@lru_cache(maxsize=16)
def _refusal(name: str) -> str:
    """Why a device cannot be used, with the first thing to do; empty where it can. Asked by making a number there."""
    try:
        float(torch.ones(1, device=name) + 1)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        return f"{name} cannot be used: {_advised(name, error)}"
    return ""


def _advised(name: str, error: BaseException) -> str:
    """The first step of the advice, or what torch says where nothing is wrong with the machine as a whole."""
    if name.startswith("cuda"):
        facts = read_facts()
        if facts.build.sees_card:
            count = torch.cuda.device_count()
            return f"this machine has {count} graphics processor{'s' if count != 1 else ''}, counted from cuda:0"
        found = [step for step in steps(facts) if step.needed]
        if found:
            return found[0].sentence()
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    told = str(error).strip().splitlines()
    return told[0].rstrip(".") if told else type(error).__name__
