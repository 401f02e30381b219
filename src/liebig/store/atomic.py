"""Files and directories that are there whole or not at all: written beside their place, brought to the disk, renamed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from liebig.core.errors import UserError


@contextlib.contextmanager
def replacing(path: Path, what: str) -> Iterator[Path]:
    """A place beside `path` to write a file at; it takes the place of `path` when the block ends well, and is gone when it
    does not. `what` names the thing in the sentence. Raises UserError when it cannot be written."""
    beside = _beside(path)
    with _told(path, what):
        try:
            _require_parent(path)
            yield beside
            _to_disk(beside)
            os.replace(beside, path)
            _to_disk(path.parent)
        finally:
            with contextlib.suppress(OSError):
                beside.unlink()


def write_file(path: Path, content: bytes, what: str) -> None:
    """Write one file whole. Raises UserError."""
    with replacing(path, what) as beside:
        _write(beside, content)


def write_directory(path: Path, files: Mapping[str, bytes], what: str) -> None:
    """Write a directory of `files` whole, in place of the one that is there.

    A kill or a full disk at any moment leaves the one before or the new one: between the two renames the one before stands
    under another name, where `standing` finds it. Raises UserError.
    """
    beside, before = _beside(path), _before(path)
    with _told(path, what):
        try:
            _require_parent(path)
            settle(path)
            _sweep(path)
            beside.mkdir()
            for name, content in files.items():
                _write(beside / name, content)
            _to_disk(beside)
            if path.exists():
                os.rename(path, before)
            os.rename(beside, path)
            _to_disk(path.parent)
        except BaseException:
            settle(path)
            shutil.rmtree(beside, ignore_errors=True)
            raise
    shutil.rmtree(before, ignore_errors=True)


def standing(path: Path) -> Path:
    """Where the directory stands: at `path`, or, where a kill came between two renames, under its other name. Changes
    nothing, so that readers may ask while another process writes."""
    before = _before(path)
    return before if before.is_dir() and not path.exists() else path


def settle(path: Path) -> None:
    """Put back the directory before, where a kill came between the two renames of `write_directory`; else clear it away."""
    before = _before(path)
    if before.is_dir() and not path.exists():
        with contextlib.suppress(OSError):
            os.rename(before, path)
    elif before.is_dir():
        shutil.rmtree(before, ignore_errors=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.writing-{os.getpid()}")


def _before(path: Path) -> Path:
    return path.with_name(f".{path.name}.before")


def _sweep(path: Path) -> None:
    """Clear away what processes that were killed left half-written."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.writing-(\d+)")
    for each in path.parent.iterdir():
        found = pattern.fullmatch(each.name)
        if found and (int(found[1]) == os.getpid() or not psutil.pid_exists(int(found[1]))):
            shutil.rmtree(each, ignore_errors=True)


def _require_parent(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o644)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _to_disk(path: Path) -> None:
    """Bring a file, or a directory's list of names, to the disk. Windows cannot open directories, and has no need to."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UserError(f'{what} "{path}" cannot be written: {why}') from error
