"""A study on disk, told in every form: what studies of tables and of a user's own network have in common."""

from __future__ import annotations

import math
import shutil
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liebig.api import environment
from liebig.api.reporting import StudyTold, tell_study, write_page
from liebig.coach.loop import Handed
from liebig.coach.training import TrainingRunner
from liebig.core.errors import UserError
from liebig.core.study import Ended, Ran, Study
from liebig.store.ledger import StudyStore


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StudyOnDisk:
    """A study on disk. `ledger` is everything that happened."""

    path: Path
    ledger: Study

    @property
    def told(self) -> StudyTold:
        return tell_study(self.ledger)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report as one offline page (default: `report.html` in the study); returns where."""
        return write_page(self.told, Path(path) if path else self.path / "report.html")

    def summary(self) -> str:
        """The last lines of the command: what was gained, what limited, where things lie."""
        return f"{self.told.headline}\n\n{self._places()}"

    @abstractmethod
    def _places(self) -> str:
        """Where the model, the report and whatever else was written lie, a line each."""

    def as_json(self) -> dict[str, Any]:
        """The report as a plain object, with the places of what was written."""
        return {**self.told.plain, "study": str(self.path), "model": str(self.path / "model"),
                "report": str(self.path / "report.html")}  # fmt: skip

    def _repr_html_(self) -> str:
        return self.told.fragment

    def __repr__(self) -> str:
        return f"<liebig study {self.path}: {self.told.headline.splitlines()[0]}>"


@contextmanager
def undone_when_refused(store: StudyStore, is_new: bool) -> Iterator[None]:
    """A new study in which nothing could be trained leaves nothing behind when the user is told why."""
    try:
        yield
    except UserError:
        if is_new and not any(store.study.all(Ran)):
            store.close()
            shutil.rmtree(store.path, ignore_errors=True)
        raise


def sealed_score(study: Study) -> float:
    """The score on the sealed part of what is handed over; NaN while the seal is closed."""
    sealed = study.sealed
    if sealed is None:
        return math.nan
    return sealed.final_score if sealed.handed_over == sealed.final else sealed.baseline_score


def end(store: StudyStore, handed: Handed, runner: TrainingRunner, clock: Callable[[], float]) -> None:
    """Write the last entry of the ledger."""
    training = sum(ran.seconds for ran in handed.study.all(Ran))
    store.append(
        Ended(clock(), handed.reason, clock(), runner.trainer.training_seconds or training, environment.peak_gib())
    )
