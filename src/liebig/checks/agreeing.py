"""What several runs of one recipe agree on: one diagnosis out of those of its blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from liebig.checks.diagnosis import Diagnosis
from liebig.core.check import Answer, Clear, Finding, Found


def agreed(diagnoses: Sequence[Diagnosis]) -> Diagnosis:
    """What most blocks agree on: findings that more than half of them have, at their median strength, told with the facts
    of the first block that has them. Raises ValueError for no diagnosis."""
    if not diagnoses:
        raise ValueError("at least one diagnosis is needed, however none came")
    if len(diagnoses) == 1:
        return diagnoses[0]
    strengths: dict[str, list[float]] = {}
    for each in diagnoses:
        for finding in each.findings:
            _collect(finding, strengths)
    needed = len(diagnoses) / 2
    held = {
        name: median([*seen, *([0.0] * (len(diagnoses) - len(seen)))])
        for name, seen in strengths.items()
        if len(seen) > needed
    }
    chosen: dict[str, Finding] = {}
    for each in diagnoses:
        for finding in each.findings:
            kept = _keep(finding, held)
            if kept is not None:
                chosen.setdefault(kept.check.name, kept)
    below = Counter(inner.check.name for finding in chosen.values() for inner in finding.consequences)
    top = [finding for name, finding in chosen.items() if name not in below]
    top.sort(key=lambda finding: -finding.strength)
    answers = {
        name: _answer([each.answers.get(name) for each in diagnoses], name in held) for name in _asked(diagnoses)
    }
    return replace(diagnoses[0], findings=tuple(top), answers=answers)


def _collect(finding: Finding, strengths: dict[str, list[float]]) -> None:
    strengths.setdefault(finding.check.name, []).append(finding.strength)
    for each in finding.consequences:
        _collect(each, strengths)


def _keep(finding: Finding, held: Mapping[str, float]) -> Finding | None:
    strength = held.get(finding.check.name)
    if strength is None:
        return None
    inner = tuple(kept for each in finding.consequences if (kept := _keep(each, held)) is not None)
    return replace(finding, strength=strength, consequences=inner)


def _asked(diagnoses: Sequence[Diagnosis]) -> list[str]:
    """The names of all checks that answered in some block, in order."""
    return list(dict.fromkeys(name for each in diagnoses for name in each.answers))


def _answer(answers: Sequence[Answer | None], held: bool) -> Answer:
    """One check's answer: of the first block that found what is held, else of the first that found nothing. What some
    blocks found and most did not is clear."""
    given = [each for each in answers if each is not None]
    own = [each for each in given if isinstance(each, Found) is held]
    return own[0] if own else Clear()
