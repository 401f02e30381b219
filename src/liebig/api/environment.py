"""The machine and the versions that a result came from."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

_SHOWN = ("liebig", "torch", "numpy", "polars", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of Python, Liebig and what computes."""
    return {"python": platform.python_version(), **{name: version(name) for name in _SHOWN}}


def processor() -> str:
    """The processor's name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_gib() -> float:
    return float(psutil.virtual_memory().total) / 1024**3


def peak_gib() -> float:
    """The most memory this process has held."""
    usage = psutil.Process().memory_info()
    peak = getattr(usage, "peak_wset", 0)
    if not peak:
        import resource  # not on Windows, which has peak_wset

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)
    return float(peak) / 1024**3


def system() -> str:
    """The operating system and its version."""
    return f"{platform.system()} {platform.release()}"
