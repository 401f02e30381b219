"""`diagnose`: what limits a run, or the best of a study?"""

from __future__ import annotations

from pathlib import Path

from liebig.api.fitting import FittedRun
from liebig.api.probing import diagnosis_of
from liebig.checks import Diagnosis
from liebig.checks import diagnose as diagnosed
from liebig.checks.agreeing import agreed
from liebig.coach.seen import evidence_as_diagnosed
from liebig.core.errors import UserError
from liebig.core.evidence import Evidence
from liebig.core.study import Study
from liebig.store.ledger import is_study, read_study
from liebig.store.runs import run_at


def diagnose(run: object, *, probe: bool = False) -> Diagnosis:
    """What limits `run`: a run directory, a study's directory, what `fit` or `improve` gave back, or Evidence.

    With `probe` experiments are made on a copy of the network of a run of `fit` first, which take some seconds: one batch learnt
    by heart, shuffled inputs, a learning-rate range test and others. What they measure is written into the run directory.

    Of a study it is the incumbent that is diagnosed: what most of its blocks agree on, as in the report. Raises UserError when there is no such run.
    """
    if isinstance(run, str | Path):
        path = Path(run)
        if is_study(path):
            _refuse(probe, f'"{path}"')
            return _of_study(read_study(path))
        return diagnosis_of(run_at(run), probe=probe)
    if isinstance(run, FittedRun):
        return run.diagnose(probe=probe)
    _refuse(probe, f"a {type(run).__name__}")
    if isinstance(run, Evidence):
        return diagnosed(run)
    evidence = getattr(run, "evidence", None)
    if isinstance(evidence, Evidence):
        return diagnosed(evidence)
    ledger = getattr(run, "ledger", None)
    if isinstance(ledger, Study):
        return _of_study(ledger)
    raise UserError(f"diagnose takes a run or a study, however a {type(run).__name__} came")


def _refuse(probe: bool, what: str) -> None:
    if probe:
        raise UserError(
            f"experiments need a run of liebig fit, whose table and network can be read again, however {what} came"
        )


def _of_study(study: Study) -> Diagnosis:
    """What limits the incumbent. Raises UserError before anything was trained."""
    seen = evidence_as_diagnosed(study, study.incumbent) if study.incumbent is not None else []
    if not seen:
        raise UserError("this study has trained nothing yet that could be diagnosed")
    return agreed([diagnosed(each) for each in seen])
