"""What was seen of a recipe, from the ledger."""

from __future__ import annotations

from typing import Final

from liebig.coach.affording import size_of
from liebig.core.evidence import Evidence, LearningCurve
from liebig.core.recipe import Recipe
from liebig.core.study import Diagnosed, Explained, Profiled, Study
from liebig.core.task import Fidelity

#: Evidence is kept of so many blocks of a recipe.
EVIDENCE_BLOCKS: Final = 3


def evidence_of_blocks(study: Study, digest: str, fidelity: Fidelity) -> list[Evidence]:
    """What was seen of a recipe in each block of which evidence is kept, in the order of the blocks; what was measured of it over
    blocks is in each."""
    runs, curve = study.scores.get((digest, fidelity), {}), curve_of(study, digest)
    seen = [run.evidence for block, run in sorted(runs.items()) if block < EVIDENCE_BLOCKS]
    return seen if curve is None else [each.having(curve) for each in seen]


def curve_of(study: Study, digest: str) -> LearningCurve | None:
    """The losses of a recipe on parts of its rows; None where they were not measured."""
    found = (each.what for each in study.all(Explained) if each.digest == digest)
    return next((each for each in found if isinstance(each, LearningCurve)), None)


def evidence_as_diagnosed(study: Study, digest: str) -> list[Evidence]:
    """What a recipe's diagnosis in the ledger was made of, block by block, with what the data show. Of one that was not
    diagnosed yet, what there is at its largest fidelity."""
    places = [i for i, entry in enumerate(study.entries) if isinstance(entry, Diagnosed) and entry.digest == digest]
    place = places[-1] if places else None
    then = study if place is None else Study(study.entries[:place])
    having = [fidelity for each, fidelity in then.scores if each == digest]
    if not having:
        return []
    seen = evidence_of_blocks(then, digest, max(having, key=size_of))
    profiled = study.last(Profiled)
    return [each.having(*profiled.evidence) if profiled else each for each in seen]


def evidence_of(study: Study, recipe: Recipe) -> Evidence:
    """What was seen of `recipe` in its first block at the largest fidelity, with what the data show."""
    runs = [
        (size_of(fidelity), -block, run)
        for (digest, fidelity), by_block in study.scores.items()
        if digest == recipe.digest
        for block, run in by_block.items()
        if run.evidence.measurements
    ]
    seen = max(runs, key=lambda each: each[:2])[2].evidence if runs else Evidence()
    profiled = study.last(Profiled)
    return seen.having(*profiled.evidence) if profiled else seen
