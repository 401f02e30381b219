"""The study on disk: nothing is lost, nobody else writes, mistakes are one sentence."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bare_recipes import bare_recipe, parse_bare
from killed_writer import ran, write_on

from liebig.core.errors import StudyBusy, UserError
from liebig.core.study import Ended, Noted, Study
from liebig.store import ledger
from liebig.store.ledger import StudyStore, next_free, read_study

WRITER = Path(__file__).with_name("killed_writer.py")


def ended(number: int) -> Ended:
    return Ended(float(number), f"reason {number}", 1.0, 1.0, 1.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StudyStore]:
    with StudyStore.create(tmp_path / "it-study", parse_bare) as created:
        yield created


def test_next_free_counts_on(tmp_path: Path) -> None:
    wanted = tmp_path / "adult-study"
    assert next_free(wanted) == wanted
    wanted.mkdir()
    assert next_free(wanted) == tmp_path / "adult-study-2"
    (tmp_path / "adult-study-2").mkdir()
    assert next_free(wanted) == tmp_path / "adult-study-3"


def test_what_is_appended_is_there_when_opened_again(store: StudyStore) -> None:
    recipe = bare_recipe()
    note = Noted(1.0, recipe.digest, "textbook", recipe)
    returned = store.append(note, ran(3))
    assert returned is store.study
    store.close()
    with StudyStore.open(store.path, parse_bare) as again:
        assert again.study.entries[0] == note
        back, written = again.study.entries[1], ran(3)
        assert np.array_equal(back.score.influence, written.score.influence)  # type: ignore[attr-defined]
        assert back.outcome == written.outcome  # type: ignore[attr-defined]
        again.append(ended(2))
    assert len(read_study(store.path, parse_bare).entries) == 3


def test_a_resumed_study_holds_the_same_numbers_as_the_one_that_ran(store: StudyStore) -> None:
    influence = np.random.default_rng(0).normal(size=100)  # not representable in float32
    entry = ran(1)
    object.__setattr__(entry.score, "influence", influence)
    live = next(store.append(entry).all(type(entry)))
    store.close()
    resumed = next(read_study(store.path, parse_bare).all(type(entry)))
    assert np.array_equal(live.score.influence, resumed.score.influence)
    assert live.score.influence.dtype == np.float64
    assert np.allclose(live.score.influence, influence, rtol=1e-6)


def test_rows_that_runs_share_are_kept_once(store: StudyStore) -> None:
    for number in range(4):
        store.append(ran(number))
    count = sqlite3.connect(store.path / ledger.FILE).execute("SELECT count(*) FROM arrays").fetchone()[0]
    assert count == 5  # one array of rows, four of influences


def test_a_closed_study_is_one_file(store: StudyStore) -> None:
    store.append(ended(1))
    store.close()
    store.close()
    assert {each.name for each in store.path.iterdir()} == {ledger.FILE, "study.lock"}
    with pytest.raises(ValueError, match="not open for writing"):
        store.append(ended(2))


def test_reading_while_another_writes(store: StudyStore) -> None:
    store.append(ended(1))
    with StudyStore.open_for_reading(store.path, parse_bare) as reader:
        assert len(reader.study.entries) == 1
        store.append(ended(2), ran(7))
        before = reader.study
        assert len(reader.refresh().entries) == 3
        assert len(before.entries) == 1
        with pytest.raises(ValueError, match="not open for writing"):
            reader.append(ended(3))


def test_all_entries_of_one_append_or_none(store: StudyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append(ended(1))
    with pytest.raises(TypeError):
        store.append(ended(2), Ended("late", "r", 1.0, 1.0, 1.0))  # type: ignore[arg-type]
    assert len(store.study.entries) == 1
    assert len(read_study(store.path, parse_bare).entries) == 1
    store.append(ended(2))
    assert len(store.study.entries) == 2


def killed_after(path: Path, seconds: float) -> list[int]:
    """The numbers of the entries that a process was told are kept, before it was killed."""
    listen, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(listen)
        write_on(path, say)
        os._exit(0)
    os.close(say)
    with os.fdopen(listen) as heard:
        assert heard.readline() == "open\n"  # the lock of the one killed before is gone
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        said = [int(line) for line in heard.read().splitlines()]
    os.waitpid(child, 0)
    return said


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")
def test_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    path, kept = tmp_path / "killed-study", 0
    moments = random.Random(5)
    for _ in range(15):
        said = killed_after(path, moments.uniform(0.0, 0.05))
        assert said == list(range(kept, kept + len(said)))
        entries = read_study(path, parse_bare).entries
        # One more may have been committed in the moment between the commit and the word of it.
        assert kept + len(said) <= len(entries) <= kept + len(said) + 1
        kept = len(entries)
    assert kept > 15
    for number, entry in enumerate(read_study(path, parse_bare).entries):
        assert entry.outcome.step == number  # type: ignore[attr-defined]
        assert np.array_equal(entry.score.influence, ran(number).score.influence)  # type: ignore[attr-defined]


def test_a_second_process_is_told_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "busy-study"
    writer = subprocess.Popen([sys.executable, str(WRITER), str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(StudyBusy, match=rf'busy-study" is being written by process {writer.pid}'):
            StudyStore.open(path, parse_bare)
        assert isinstance(read_study(path, parse_bare), Study)
    finally:
        writer.kill()
        writer.communicate()
    StudyStore.open(path, parse_bare).close()


def test_the_same_process_cannot_write_twice(store: StudyStore) -> None:
    with pytest.raises(StudyBusy, match=f"process {os.getpid()}"):
        StudyStore.open(store.path, parse_bare)


@pytest.mark.parametrize("opens", [StudyStore.open, StudyStore.open_for_reading])
def test_what_is_no_study_is_said(opens: object, tmp_path: Path) -> None:
    cases = {
        "absent": "there is no study",
        "empty": "is no study: a directory",
        "file": "is no study",
        "text": "damaged",
    }
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / ledger.FILE).write_text("a,b\n1,2\n" * 1000)
    for name, said in cases.items():
        with pytest.raises(UserError, match=said):
            opens(tmp_path / name, parse_bare)  # type: ignore[operator]
    other = tmp_path / "other"
    other.mkdir()
    sqlite3.connect(other / ledger.FILE).execute("CREATE TABLE t (x)").connection.commit()
    with pytest.raises(UserError, match="is no study of Liebig"):
        opens(other, parse_bare)  # type: ignore[operator]


def test_a_newer_study_is_said(store: StudyStore) -> None:
    store.close()
    with sqlite3.connect(store.path / ledger.FILE) as raw:
        raw.execute(f"PRAGMA user_version = {ledger.FORMAT + 1}")
    with pytest.raises(UserError, match=rf"newer Liebig \(format {ledger.FORMAT + 1}\)"):
        StudyStore.open(store.path, parse_bare)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("INSERT INTO entries VALUES (2, 'Foretold', '{}', 0)", 'entry 2 .* knows no entry "Foretold"'),
        ("INSERT INTO entries VALUES (2, 'Ended', '{', 0)", "entry 2 .* not JSON"),
        ("INSERT INTO entries VALUES (3, 'Ended', '{}', 0)", "damaged: entry 2 is missing"),
        ("DELETE FROM arrays", "entry 1 .* array .* is missing"),
        ("UPDATE arrays SET data = X'00'", "entry 1 .* array is damaged"),
        ("DROP TABLE entries", "is damaged"),
    ],
)
def test_damage_is_one_sentence_and_lets_go(store: StudyStore, statement: str, said: str) -> None:
    store.append(ran(1))
    store.close()
    with sqlite3.connect(store.path / ledger.FILE) as raw:
        raw.execute(statement)
    for _ in range(2):  # a failed opening holds no lock
        with pytest.raises(UserError, match=said):
            StudyStore.open(store.path, parse_bare)


def test_half_a_file_is_one_sentence(store: StudyStore) -> None:
    for number in range(40):
        store.append(ran(number))
    store.close()
    file = store.path / ledger.FILE
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(UserError, match="damaged"):
        StudyStore.open(store.path, parse_bare)


def test_a_full_disk_is_one_sentence_and_the_study_stays(store: StudyStore) -> None:
    store.append(ran(1))
    store._connection.exec_driver_sql("PRAGMA max_page_count = 12")  # SQLite's own "disk is full"
    store._connection.rollback()
    many = [ran(number) for number in range(2, 100)]
    with pytest.raises(UserError, match="the disk is full"):
        list(map(store.append, many))
    kept = len(store.study.entries)
    store.close()
    assert len(read_study(store.path, parse_bare).entries) == kept >= 1


def test_nothing_is_left_behind_where_a_study_cannot_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger.Lock, "take", full)
    with pytest.raises(UserError, match="cannot be written: No space left on device"):
        StudyStore.create(tmp_path / "new-study", parse_bare)
    assert not (tmp_path / "new-study").exists()


def test_a_study_does_not_begin_over_something_else(store: StudyStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (store.path, tmp_path / "file"):
        with pytest.raises(UserError, match="a directory that is not there yet"):
            StudyStore.create(path, parse_bare)
    assert (store.path / ledger.FILE).exists()
    with pytest.raises(UserError, match="cannot be written"):
        StudyStore.create(tmp_path / "file" / "inside", parse_bare)


def test_an_archive_that_cannot_be_written_is_read(store: StudyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append(ended(1))
    store.close()
    copy = store.path.with_name("archive ?#% ü")
    shutil.copytree(store.path, copy)
    copy.chmod(stat.S_IRUSR | stat.S_IXUSR)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everything
    try:
        assert len(read_study(copy, parse_bare).entries) == 1
        assert {each.name for each in copy.iterdir()} == {ledger.FILE, "study.lock"}
    finally:
        copy.chmod(stat.S_IRWXU)
