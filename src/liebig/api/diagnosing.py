"""`diagnose`: what limits a run, or the best of a study?"""

from __future__ import annotations

from pathlib import Path

from liebig.checks import Diagnosis
from liebig.checks import diagnose as diagnosed
from liebig.core.errors import UserError
from liebig.core.evidence import Evidence
from liebig.core.study import Profiled, Study
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
        return diagnosed(evidence_of_study(read_study(path)) if is_study(path) else run_at(run).evidence())
    evidence = getattr(run, "evidence", None)
    if isinstance(evidence, Evidence):
        return diagnosed(evidence)
    ledger = getattr(run, "ledger", None)
    if isinstance(ledger, Study):
        return diagnosed(evidence_of_study(ledger))
    raise UserError(f"diagnose takes a run or a study, however a {type(run).__name__} came")


def evidence_of_study(study: Study, digest: str | None = None) -> Evidence:
    """Evidence of a recipe's first block at its largest fidelity (default: the incumbent), with that of the data."""
    wanted = digest or study.incumbent
    runs = [(f.rows * f.epochs, ran) for (d, f), by in study.scores.items() if d == wanted for ran in by.values()]
    seen = [(size, -ran.block, ran) for size, ran in runs if ran.evidence.measurements]
    if not seen:
        raise UserError("this study has trained nothing yet that could be diagnosed")
    evidence = max(seen, key=lambda each: each[:2])[2].evidence
    profiled = study.last(Profiled)
    return evidence.having(*profiled.evidence) if profiled else evidence
