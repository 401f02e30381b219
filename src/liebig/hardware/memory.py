"""Memory that is free: of the device, and of the processor within what a container allows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil
import torch

_CGROUP: Final = Path("/sys/fs/cgroup")
_NO_LIMIT: Final = 1 << 60  # what version 1 says in the place of "max" is above it


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None  # absent, or "max"


def cgroup_limit(root: Path = _CGROUP) -> int | None:
    """Bytes that this control group (version 2, then 1) may use, or None without a limit."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = _number(root / name)
        if limit is not None and limit < _NO_LIMIT:
            return limit
    return None


def cgroup_free(root: Path = _CGROUP) -> int | None:
    """Bytes left under the limit of this control group (version 2, then 1), or None without one. Cached files count as
    free: the kernel gives them back."""
    for limit_name, used_name, cached_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = _number(root / limit_name), _number(root / used_name)
        if limit is None or used is None or limit >= _NO_LIMIT:
            continue
        return max(0, limit - used + _cached(root / limit_name, cached_name))
    return None


def _cached(limit: Path, name: str) -> int:
    try:
        lines = (limit.parent / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)


def is_out_of_memory(error: BaseException) -> bool:
    """True for what is raised when memory cannot be allocated, on any device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(words in str(error) for words in ("not enough memory", "can't allocate memory", "out of memory"))


def free_bytes(device: torch.device) -> int:
    """Bytes that can still be allocated on `device`."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    allowed = cgroup_free()
    return free if allowed is None else min(free, allowed)
