"""Several blocks, one diagnosis."""

import pytest

from liebig.checks import ALL, Diagnosis
from liebig.checks.agreeing import agreed
from liebig.core.check import Clear, Finding, Found, NotMeasured

FIRST, SECOND, THIRD = ALL[:3]


def block(*found: tuple[object, float], **answers: object) -> Diagnosis:
    findings = tuple(Finding(check, strength) for check, strength in found)  # type: ignore[arg-type]
    said = {check.name: Found(strength) for check, strength in found}  # type: ignore[attr-defined]
    return Diagnosis(findings, {**{check.name: Clear() for check in (FIRST, SECOND)}, **said, **answers})  # type: ignore[dict-item]


def test_what_most_blocks_have_is_kept_at_its_median_strength() -> None:
    held = agreed([block((FIRST, 0.9), (SECOND, 0.4)), block((FIRST, 0.5)), block((FIRST, 0.7))])
    assert [(each.check, each.strength) for each in held.findings] == [(FIRST, 0.7)]


def test_answers_say_what_is_held() -> None:
    held = agreed([block((SECOND, 0.8)), block((FIRST, 0.5)), block((FIRST, 0.7))])
    assert isinstance(held.answers[FIRST.name], Found), "most found it, although the first did not"
    assert isinstance(held.answers[SECOND.name], Clear), "one found it, and most did not"
    assert SECOND.name in held.others
    assert FIRST.name not in held.others


def test_a_reason_why_nothing_was_measured_is_kept() -> None:
    why = {THIRD.name: NotMeasured("Structure")}
    assert agreed([block(**why), block(**why)]).answers[THIRD.name] == NotMeasured("Structure")


def test_one_block_speaks_for_itself_and_none_is_refused() -> None:
    alone = block((FIRST, 0.9))
    assert agreed([alone]) is alone
    with pytest.raises(ValueError, match="at least one"):
        agreed([])
