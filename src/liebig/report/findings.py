"""Findings and diagnoses of the ledger in words, and the staves of the barrel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from liebig.core.check import Check, Stave, Telling
from liebig.core.study import Diagnosed, FindingNote, Study
from liebig.report.data import DiagnosisTold, FindingTold, StaveTold
from liebig.report.words import plain_name

#: The digest under which the ledger keeps what was found in the data.
DATA: Final = "data"


@dataclass(frozen=True, slots=True)
class Teller:
    """Findings of the ledger in words."""

    checks: Mapping[str, Check]

    def stave(self, name: str) -> Stave | None:
        check = self.checks.get(name)
        return check.stave if check else None

    def tell(self, note: FindingNote) -> Telling:
        check = self.checks.get(note.check)
        if check is not None:
            try:
                return check.tell(note.facts, note.place)
            except (KeyError, ValueError):
                # A ledger written by an older version lacks facts that today's words name.
                pass
        facts = ", ".join(
            f"{plain_name(name)} {fact.value}{fact.unit and ' '}{fact.unit}" for name, fact in note.facts.items()
        )
        return Telling(f"{plain_name(note.check).capitalize()}{f' ({note.place})' if note.place else ''}", facts, "")

    def finding(self, note: FindingNote) -> FindingTold:
        told, stave = self.tell(note), self.stave(note.check)
        certainty = "certain" if note.strength >= 0.9 else "likely" if note.strength >= 0.5 else "hint"
        return FindingTold(
            note.check,
            stave.value if stave else "",
            note.strength,
            certainty,
            told.headline,
            told.evidence,
            told.advice,
            tuple(self.tell(each).headline for each in beneath(note)),
        )


def beneath(note: FindingNote) -> Iterator[FindingNote]:
    for each in note.consequences:
        yield each
        yield from beneath(each)


def diagnosed_of(study: Study, digest: str | None) -> Diagnosed | None:
    return next(
        (each for each in reversed(study.entries) if isinstance(each, Diagnosed) and each.digest == digest), None
    )


def diagnosis_told(study: Study, digest: str | None, teller: Teller) -> DiagnosisTold | None:
    """The diagnosis of one recipe. The barrel also holds what was found in the data, which every recipe shares."""
    own, shared = diagnosed_of(study, digest), diagnosed_of(study, DATA)
    if digest is None or own is None:
        return None
    return _told(study.recipes[digest].name if digest in study.recipes else digest, own, (own, shared), teller)


def data_told(study: Study, teller: Teller) -> DiagnosisTold | None:
    own = diagnosed_of(study, DATA)
    return _told("the data", own, (own,), teller) if own else None


def _told(name: str, own: Diagnosed, barrel: Sequence[Diagnosed | None], teller: Teller) -> DiagnosisTold:
    answers = [answer.partition(":")[0] for answer in own.others.values()]
    return DiagnosisTold(
        name,
        tuple(teller.finding(note) for note in sorted(own.findings, key=lambda each: -each.strength)),
        tuple(_stave(stave, [each for each in barrel if each], teller) for stave in Stave),
        answers.count("clear"),
        answers.count("not applicable"),
        answers.count("not measured"),
    )


def _stave(stave: Stave, diagnoses: Sequence[Diagnosed], teller: Teller) -> StaveTold:
    found = [
        each
        for diagnosis in diagnoses
        for note in diagnosis.findings
        for each in (note, *beneath(note))
        if teller.stave(each.check) is stave
    ]
    if found:
        strongest = max(found, key=lambda note: note.strength)
        return StaveTold(stave.value, 1.0 - strongest.strength, teller.tell(strongest).headline)
    clear = any(
        teller.stave(name) is stave and answer == "clear"
        for diagnosis in diagnoses
        for name, answer in diagnosis.others.items()
    )
    return StaveTold(stave.value, 1.0 if clear else math.nan, "")
