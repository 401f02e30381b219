"""One writer for a directory: a lock that the kernel gives back when its process dies."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: Windows locks bytes, and nobody can read them meanwhile: lock one far behind the process number.
_FAR = 1 << 30


class Taken(Exception):
    """Another process holds the lock; `holder` is its number, 0 when it is not known."""

    def __init__(self, holder: int) -> None:
        super().__init__(holder)
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is held. The file stays when it is let go: removing it would let two processes hold two files."""

    descriptor: int

    @staticmethod
    def take(path: Path) -> Lock:
        """Hold the lock `path`, a file beside what it protects. Raises Taken, or OSError where it cannot be written."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _hold(descriptor)
        except OSError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise Taken(holder) from error
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except OSError:
            os.close(descriptor)
            raise
        return Lock(descriptor)

    def release(self) -> None:
        """Let go. The number in the file is emptied, so that nobody is told of a process that is gone."""
        with contextlib.suppress(OSError):
            os.ftruncate(self.descriptor, 0)
        os.close(self.descriptor)


def _hold(descriptor: int) -> None:
    if sys.platform == "win32":
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(descriptor: int) -> int:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, 32).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else 0
