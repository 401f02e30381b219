"""The study on disk: a directory whose ``study.sqlite`` holds the entries, one row each, never changed.

SQLite in WAL mode with ``synchronous = NORMAL``: a commit is handed to the kernel before `append` returns, so that killing
the process loses nothing of it; only a power cut can lose the last commits, and never damages the file. Arrays lie beside
the entries, compressed, under their digest.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import quote

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from liebig.core.errors import StudyBusy, UserError
from liebig.core.study import Entry, Study
from liebig.recipes import recipe_from_plain
from liebig.store.codec import pack_array, pack_entry, unpack_array, unpack_entry
from liebig.store.forms import AnyArray, ParseRecipe, Reading, Unreadable
from liebig.store.lock import Lock, Taken

FILE: Final = "study.sqlite"
_LOCK: Final = "study.lock"

#: Raised by one when an older Liebig could not read what a newer one writes.
FORMAT: Final = 1
#: "Lieb", in SQLite's application_id: ``file study.sqlite`` tells whose it is.
_APPLICATION: Final = 0x4C696562

_METADATA: Final = MetaData()
_ENTRIES: Final = Table(
    "entries",
    _METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("text", String, nullable=False),
    Column("time", Float, nullable=False),
)
_ARRAYS: Final = Table(
    "arrays",
    _METADATA,
    Column("name", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("shape", String, nullable=False),
    Column("data", LargeBinary, nullable=False),
)


def next_free(path: Path) -> Path:
    """`path` if nothing is there, else ``path-2``, ``path-3``, ...: the first name that is free. Writes nothing."""
    if not path.exists():
        return path
    number = 2
    while (numbered := path.with_name(f"{path.name}-{number}")).exists():
        number += 1
    return numbered


def is_study(path: Path) -> bool:
    """True when the directory holds a study."""
    return (path / FILE).is_file()


class StudyStore:
    """A study on disk, and the same study in memory. Made by `create`, `open` and `open_for_reading`."""

    def __init__(self, path: Path, connection: Connection, lock: Lock | None, parse_recipe: ParseRecipe) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock
        self._parse_recipe = parse_recipe
        self._arrays: dict[str, AnyArray] = {}
        self._study = Study()
        self._one_at_a_time = threading.Lock()
        self._is_open = True

    @classmethod
    def create(cls, path: Path, parse_recipe: ParseRecipe = recipe_from_plain) -> StudyStore:
        """Begin a study in the directory `path`, which is made, and hold it for writing.

        Raises UserError when something is there already or the directory cannot be written; then nothing is left behind.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(f'a new study needs a directory that is not there yet, however "{path}" exists')
        made = not path.exists()
        try:
            path.mkdir(parents=True, exist_ok=True)
            return cls._open_writing(path, parse_recipe, new=True)
        except BaseException as error:
            _remove_study(path, made)
            if isinstance(error, OSError):
                raise UserError(f'the study "{path}" cannot be written: {error.strerror or error}') from error
            raise

    @classmethod
    def open(cls, path: Path, parse_recipe: ParseRecipe = recipe_from_plain) -> StudyStore:
        """Go on with a study, and hold it for writing.

        Raises StudyBusy when another process writes it, UserError when it is no study, is damaged or of a newer version.
        """
        _require_study(path)
        try:
            return cls._open_writing(path, parse_recipe, new=False)
        except OSError as error:
            raise UserError(f'the study "{path}" cannot be written: {error.strerror or error}') from error

    @classmethod
    def open_for_reading(cls, path: Path, parse_recipe: ParseRecipe = recipe_from_plain) -> StudyStore:
        """Read a study, also while another process writes it. Raises UserError as `open` does."""
        _require_study(path)
        with _told(path, "read"):
            store = cls(path, _connect(path, _reading_options(path)), None, parse_recipe)
        with _closing_on_error(store):
            store._check_format()
            store.refresh()
        return store

    @classmethod
    def _open_writing(cls, path: Path, parse_recipe: ParseRecipe, *, new: bool) -> StudyStore:
        try:
            lock = Lock.take(path / _LOCK)
        except Taken as error:
            by = f"process {error.holder}" if error.holder else "another process"
            raise StudyBusy(f'the study "{path}" is being written by {by}; wait until it has ended') from error
        try:
            with _told(path, "written"):
                connection = _connect(path, "mode=rwc" if new else "mode=rw")
        except BaseException:
            lock.release()
            raise
        store = cls(path, connection, lock, parse_recipe)
        with _closing_on_error(store):
            if new:
                store._make_tables()
            store._check_format()
            with _told(path, "written"):
                connection.execute(text("PRAGMA synchronous = NORMAL"))
                connection.rollback()
            store.refresh()
        return store

    def _make_tables(self) -> None:
        with _told(self.path, "written"):
            self._connection.execute(text("PRAGMA journal_mode = WAL"))
            self._connection.rollback()
            with self._connection.begin():
                self._connection.execute(text(f"PRAGMA application_id = {_APPLICATION}"))
                self._connection.execute(text(f"PRAGMA user_version = {FORMAT}"))
                _METADATA.create_all(self._connection)

    def _check_format(self) -> None:
        with _told(self.path, "read"):
            application = self._connection.execute(text("PRAGMA application_id")).scalar_one()
            version = self._connection.execute(text("PRAGMA user_version")).scalar_one()
            self._connection.rollback()
        if application != _APPLICATION:
            raise UserError(f'"{self.path / FILE}" is no study of Liebig')
        if version > FORMAT:
            raise UserError(
                f'the study "{self.path}" was written by a newer Liebig (format {version}); '
                f"this one reads up to format {FORMAT}"
            )

    @property
    def study(self) -> Study:
        """The entries so far. A value: it does not change when more are appended."""
        return self._study

    def append(self, *entries: Entry) -> Study:
        """Keep `entries`, all or none, and return the study with them. What is returned for survives a kill.

        Arrays are held as they were kept (float32 where that keeps seven digits), so that a study that is resumed decides
        as one that ran through. Raises UserError when the disk is full, ValueError when the store only reads.
        """
        if self._lock is None or not self._is_open:
            raise ValueError("this study is not open for writing")
        packed = [pack_entry(entry) for entry in entries]
        with self._one_at_a_time, _told(self.path, "written"):
            first = len(self._study.entries) + 1
            new = {name: array for _, each in packed for name, array in each.arrays.items() if name not in self._arrays}
            with self._connection.begin():
                for name, array in new.items():
                    dtype, shape, data = pack_array(array)
                    row = {"name": name, "type": dtype, "shape": shape, "data": data}
                    self._connection.execute(insert(_ARRAYS).prefix_with("OR IGNORE"), row)
                for sequence, (kind, each) in enumerate(packed, first):
                    entry_row = {"sequence": sequence, "kind": kind, "text": each.text, "time": time.time()}
                    self._connection.execute(insert(_ENTRIES), entry_row)
            self._arrays.update(new)
            reading = Reading(self._array, self._parse_recipe)
            kept = (
                unpack_entry(kind, each.text, reading) if each.arrays else entry
                for entry, (kind, each) in zip(entries, packed, strict=True)
            )
            self._study = self._study.adding(*kept)
        return self._study

    def refresh(self) -> Study:
        """Read what another process has appended since. Raises UserError when an entry cannot be read."""
        reading = Reading(self._array, self._parse_recipe)
        with self._one_at_a_time, _told(self.path, "read"):
            known = len(self._study.entries)
            query = select(_ENTRIES).where(_ENTRIES.c.sequence > known).order_by(_ENTRIES.c.sequence)
            rows = self._connection.execute(query).all()
            entries = []
            for expected, row in enumerate(rows, known + 1):
                if row.sequence != expected:
                    raise UserError(f'the study "{self.path}" is damaged: entry {expected} is missing')
                entries.append(self._entry(row.sequence, row.kind, row.text, reading))
            self._connection.rollback()
            self._study = self._study.adding(*entries)
        return self._study

    def _entry(self, sequence: int, kind: str, said: str, reading: Reading) -> Entry:
        try:
            return unpack_entry(kind, said, reading)
        except (ValueError, TypeError, UserError) as error:
            raise UserError(
                f'entry {sequence} of the study "{self.path}" cannot be read '
                f"(written by a newer Liebig, or damaged): {error}"
            ) from error

    def _array(self, name: str) -> AnyArray:
        if name not in self._arrays:
            row = self._connection.execute(select(_ARRAYS).where(_ARRAYS.c.name == name)).one_or_none()
            if row is None:
                raise Unreadable(f"the array {name} is missing")
            self._arrays[name] = unpack_array(row.type, row.shape, row.data)
        return self._arrays[name]

    def close(self) -> None:
        """Close; twice is no mistake. The last process to leave folds the log into the one file."""
        if not self._is_open:
            return
        self._is_open = False
        engine = self._connection.engine
        with contextlib.suppress(DBAPIError):
            self._connection.close()
        engine.dispose()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> StudyStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def read_study(path: Path, parse_recipe: ParseRecipe = recipe_from_plain) -> Study:
    """The study in the directory `path`, as it is now. Raises UserError."""
    with StudyStore.open_for_reading(path, parse_recipe) as store:
        return store.study


def _require_study(path: Path) -> None:
    if not path.exists():
        raise UserError(f'there is no study "{path}"')
    if not is_study(path):
        raise UserError(f'"{path}" is no study: a directory with a {FILE} was required')


def _remove_study(path: Path, made: bool) -> None:
    """Take back what a failed `create` wrote."""
    for each in (FILE, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-journal", _LOCK):
        with contextlib.suppress(OSError):
            (path / each).unlink()
    if made:
        with contextlib.suppress(OSError):
            path.rmdir()


def _reading_options(path: Path) -> str:
    """A log that another process may still write needs the shared-memory file beside it, so the directory must be
    writeable; where it is not (an archive), a study without a log is read as a file that nobody changes."""
    log = path / f"{FILE}-wal"
    has_log = log.exists() and log.stat().st_size > 0
    return "mode=ro" if has_log or os.access(path, os.W_OK) else "mode=ro&immutable=1"


def _connect(path: Path, options: str) -> Connection:
    address = f"file:{quote(str((path / FILE).absolute()))}?{options}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=30.0, check_same_thread=False)

    return _engine(connect).connect()


def _engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    return create_engine("sqlite://", creator=connect, poolclass=StaticPool)


@contextlib.contextmanager
def _closing_on_error(store: StudyStore) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise


@contextlib.contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """SQLite's own errors in the user's words."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig)
        if "disk is full" in said:
            raise UserError(f'the disk is full: the study "{path}" cannot be written') from error
        if "not a database" in said or "malformed" in said or "no such table" in said:
            raise UserError(f'the study "{path}" is damaged ({said})') from error
        raise UserError(f'the study "{path}" cannot be {what} ({said})') from error
