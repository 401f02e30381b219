"""The machine and the versions that a result came from."""

from __future__ import annotations

import platform
from importlib.metadata import version

import psutil

from liebig.hardware.reading import processor_name, usable_cores

_SHOWN = ("liebig", "torch", "numpy", "polars", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of Python, Liebig and what computes."""
    return {"python": platform.python_version(), **{name: version(name) for name in _SHOWN}}


def processor() -> str:
    """The processor's name, where the system tells it."""
    return processor_name()


def cores() -> int:
    """Cores that this process may use."""
    return usable_cores()


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
