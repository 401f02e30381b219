"""Findings to and from the ledger: a note names its check, a finding holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from liebig.checks.diagnosis import Diagnosis
from liebig.core.check import Check, Finding
from liebig.core.study import Diagnosed, FindingNote


def note_of(finding: Finding) -> FindingNote:
    """The finding as the ledger keeps it."""
    consequences = tuple(note_of(each) for each in finding.consequences)
    return FindingNote(finding.check.name, finding.strength, finding.place, dict(finding.facts), consequences)


def finding_of(note: FindingNote, checks: Sequence[Check]) -> Finding:
    """The finding that a note is of. Raises KeyError for a check that is not among `checks`."""
    by_name: Mapping[str, Check] = {check.name: check for check in checks}
    return _finding(note, by_name)


def _finding(note: FindingNote, by_name: Mapping[str, Check]) -> Finding:
    consequences = tuple(_finding(each, by_name) for each in note.consequences)
    return Finding(by_name[note.check], note.strength, note.place, note.facts, consequences)


def diagnosed(at: float, digest: str, diagnosis: Diagnosis) -> Diagnosed:
    """A diagnosis as an entry of the ledger; `digest` names the recipe, or is "data"."""
    return Diagnosed(at, digest, tuple(note_of(each) for each in diagnosis.findings), dict(diagnosis.others))
