"""A process that appends entries as fast as it can and says the number of each that was kept. Killed by its test."""

import os
import sys
from pathlib import Path

import numpy as np
from bare_recipes import parse_bare

from liebig.core.evidence import Evidence
from liebig.core.run import Ending, Outcome, Score
from liebig.core.study import Ran
from liebig.core.task import FULL
from liebig.store.ledger import StudyStore, is_study


def ran(number: int) -> Ran:
    """An entry with arrays of its own, told by its number."""
    random = np.random.default_rng(number)
    score = Score(0.5, np.arange(500), random.normal(size=500).astype(np.float32).astype(np.float64))
    outcome = Outcome(Ending.FINISHED, number)
    return Ran(float(number), f"{number:016x}", number, FULL, outcome, score, 1, 1.0, Evidence())


def write_on(path: Path, say: int) -> None:
    """Append until killed; the word of each entry goes to the file descriptor `say`."""
    opened = StudyStore.open(path, parse_bare) if is_study(path) else StudyStore.create(path, parse_bare)
    with opened as store:
        os.write(say, b"open\n")
        for number in range(len(store.study.entries), 1_000_000):
            store.append(ran(number))
            os.write(say, f"{number}\n".encode())


if __name__ == "__main__":
    write_on(Path(sys.argv[1]), sys.stdout.fileno())
