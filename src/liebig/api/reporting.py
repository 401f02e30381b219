"""`report`: a study or a run, told as a page, as text, as a plain object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from liebig.api.telling import diagnosis_json
from liebig.checks import ALL as CHECKS
from liebig.checks import Diagnosis, diagnose
from liebig.core.errors import UserError
from liebig.core.study import Study
from liebig.recipes import recipe_to_toml
from liebig.report import (
    Compared,
    ComparisonData,
    ReportData,
    comparison_data,
    comparison_to_html,
    comparison_to_json,
    comparison_to_text,
    report_data,
    study_html_fragment,
    to_html,
    to_json,
    to_text,
)
from liebig.store.ledger import is_study, read_study
from liebig.store.runs import RunDirectory, run_at


class Told(Protocol):
    """A report, ready to be told in any form."""

    @property
    def text(self) -> str: ...

    @property
    def plain(self) -> Mapping[str, Any]: ...

    @property
    def page(self) -> str: ...


def write_page(told: Told, path: Path) -> Path:
    """Write the page; returns where. Raises UserError when it cannot be written."""
    try:
        path.write_text(told.page, encoding="utf-8")
    except OSError as error:
        raise UserError(f'the report "{path}" cannot be written: {error.strerror or error}') from error
    return path


@dataclass(frozen=True)
class StudyTold:
    """The report of a study."""

    data: ReportData

    @cached_property
    def text(self) -> str:
        return to_text(self.data)

    @cached_property
    def plain(self) -> Mapping[str, Any]:
        return to_json(self.data)

    @cached_property
    def fragment(self) -> str:
        """A small piece of HTML for notebooks."""
        return study_html_fragment(self.data)

    @property
    def headline(self) -> str:
        """What was gained and whether it is proven; what limited most."""
        return "\n".join(each for each in self.data.summary if each)

    @cached_property
    def page(self) -> str:
        return to_html(self.data)


@dataclass(frozen=True)
class RunTold:
    """The report of a single run: its curves and what limits it."""

    run: RunDirectory

    @cached_property
    def _data(self) -> ComparisonData:
        told = self.run.manifest()
        shown = Compared(
            told.name, self.run.evidence(), None, told.score, told.score_error, told.epochs, told.seconds,
            told.outcome.ending.value,
        )  # fmt: skip
        return comparison_data(told.name, told.metric, told.higher_is_better, [shown])

    @cached_property
    def _diagnosis(self) -> Diagnosis:
        return diagnose(self.run.evidence())

    @property
    def text(self) -> str:
        return f"{comparison_to_text(self._data)}\n\n{self._diagnosis}"

    @property
    def plain(self) -> Mapping[str, Any]:
        return {**comparison_to_json(self._data), "diagnosis": diagnosis_json(self._diagnosis)}

    @property
    def page(self) -> str:
        limits = f"<section><h2>What limits it</h2>{self._diagnosis._repr_html_()}</section>"
        return comparison_to_html(self._data).replace("</main>", f"{limits}</main>", 1)


def tell_study(study: Study) -> StudyTold:
    """The report of a study."""
    sealed = study.sealed
    digest = study.network_of(sealed.handed_over) if sealed else study.incumbent
    toml = recipe_to_toml(study.recipes[digest].recipe) if digest else None
    return StudyTold(report_data(study, CHECKS, recipe_toml=toml))


def report(path: str | Path) -> Told:
    """The report of the study or the run at `path`. Raises UserError when there is none."""
    place = Path(path)
    return tell_study(read_study(place)) if is_study(place) else RunTold(run_at(path))
