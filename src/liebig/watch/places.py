"""Where in the user's code? The first frame outside torch and Liebig, as "file.py:41"."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from pathlib import Path
from types import FrameType
from typing import Final

import torch

_TORCH: Final = str(Path(torch.__file__).parent) + os.sep
_OURS: Final = str(Path(__file__).parent.parent) + os.sep
_LIBRARIES: Final = tuple(
    {sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)


def users_place() -> str:
    """The line that the user wrote; of a library's where no frame is the user's own; "" where there is neither."""
    frame: FrameType | None = sys._getframe(1)
    library = ""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((_TORCH, _OURS)) and not file.startswith("<frozen"):
            if not file.startswith(_LIBRARIES):
                return _told(file, frame.f_lineno)
            library = library or _told(file, frame.f_lineno)
        frame = frame.f_back
    return library


def called_by_user() -> bool:
    """Whether the nearest frame outside Liebig is not one of torch's own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_OURS):
            return not file.startswith(_TORCH)
        frame = frame.f_back
    return False


def _told(file: str, line: int) -> str:
    return f"{_short(file)}:{line}"


@functools.lru_cache(maxsize=64)
def _short(file: str) -> str:
    """As a user names the file: from where the program was started, where it lies below that."""
    if "ipykernel" in file or file.startswith("<ipython"):
        return "cell"
    path = Path(file)
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path.name
