"""`diagnose`: what limits a run, or the best of a study?"""

from __future__ import annotations

from pathlib import Path

from liebig.checks import Diagnosis
from liebig.checks import diagnose as diagnosed
from liebig.coach.advising import evidence_of
from liebig.core.errors import UserError
from liebig.core.evidence import Evidence
from liebig.core.study import Ran, Study
from liebig.store.ledger import is_study, read_study
from liebig.store.runs import run_at


def diagnose(run: object) -> Diagnosis:
    """What limits `run`: a run directory, a study's directory, what `fit` or `improve` gave back, or Evidence.

    Of a study it is the incumbent that is diagnosed. Raises UserError when there is no such run.
    """
    if isinstance(run, Evidence):
        return diagnosed(run)
    if isinstance(run, str | Path):
        path = Path(run)
        return diagnosed(_evidence_of(read_study(path)) if is_study(path) else run_at(run).evidence())
    evidence = getattr(run, "evidence", None)
    if isinstance(evidence, Evidence):
        return diagnosed(evidence)
    ledger = getattr(run, "ledger", None)
    if isinstance(ledger, Study):
        return diagnosed(_evidence_of(ledger))
    raise UserError(f"diagnose takes a run or a study, however a {type(run).__name__} came")


def _evidence_of(study: Study) -> Evidence:
    """What was seen of the incumbent, with what the data show. Raises UserError before anything was trained."""
    if study.incumbent is None or not any(study.all(Ran)):
        raise UserError("this study has trained nothing yet that could be diagnosed")
    return evidence_of(study, study.recipes[study.incumbent].recipe)
