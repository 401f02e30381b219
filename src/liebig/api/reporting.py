"""`report`: a study or a run, told as a page, as text, as a plain object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from liebig.checks import ALL as CHECKS
from liebig.core.errors import UserError
from liebig.core.study import Study
from liebig.recipes import recipe_to_toml
from liebig.report import ReportData, report_data, study_html_fragment, to_html, to_json, to_text
from liebig.store.ledger import is_study, read_study
from liebig.store.runs import run_at


@dataclass(frozen=True)
class Told:
    """A report, ready to be told in any form."""

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

    def write(self, path: Path) -> Path:
        """Write the page; returns where. Raises UserError when it cannot be written."""
        try:
            path.write_text(to_html(self.data), encoding="utf-8")
        except OSError as error:
            raise UserError(f'the report "{path}" cannot be written: {error.strerror or error}') from error
        return path


def tell_study(study: Study) -> Told:
    """The report of a study."""
    sealed = study.sealed
    digest = sealed.handed_over if sealed else study.incumbent
    toml = recipe_to_toml(study.recipes[digest].recipe) if digest else None
    return Told(report_data(study, CHECKS, recipe_toml=toml))


def report(path: str | Path) -> Told:
    """The report of the study at `path`. Raises UserError when there is none."""
    place = Path(path)
    if is_study(place):
        return tell_study(read_study(place))
    run_at(path)
    raise UserError(f"{path} is a run: `liebig diagnose {path}` tells it, and `liebig compare` shows its curves")
