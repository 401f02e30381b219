"""A diagnosis: causes before symptoms, told; the barrel; the ledger's notes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_evidence import HEALTHY, POOR, SICK, UnitStatistics, of, units

from liebig.checks import ALL, barrel, diagnose
from liebig.checks.diagnosis import with_causes
from liebig.checks.notes import diagnosed, finding_of, note_of
from liebig.core.check import Answer, Certainty, Check, Finding, NotMeasured, Stave, Telling
from liebig.core.evidence import Evidence, InitialLoss, ProbeCost

BY_NAME = {check.name: check for check in ALL}
LEARNING = SICK["learning-rate-too-high"]
DEAD = UnitStatistics((0, 999), ((units(),), (units(0.99),)))


class Broken(Check):
    """A check with a fault of its own."""

    name = "broken"
    stave = Stave.MACHINE
    needs = ()
    words = {"en": Telling("Broken.", "Broken.", "Mend it.")}

    def judge(self, evidence: Evidence) -> Answer:
        return [][0]  # type: ignore[no-any-return]  # the fault


def found(**strengths: float) -> list[Finding]:
    return [Finding(BY_NAME[name.replace("_", "-")], strength) for name, strength in strengths.items()]


# --- causes ----------------------------------------------------------------------------------------------------


def test_symptoms_stand_under_their_cause() -> None:
    (first,) = with_causes(found(dead_units=0.95, learning_rate_too_high=0.8, not_learning=0.7))
    assert first.check.name == "learning-rate-too-high"
    assert {each.check.name for each in first.consequences} == {"dead-units", "not-learning"}
    assert first.strength == pytest.approx(0.95 * 0.95), "a cause is as urgent as what follows from it"


def test_a_weak_cause_does_not_explain_a_strong_symptom() -> None:
    first, second = with_causes(found(learning_rate_too_high=0.2, dead_units=0.95))
    assert first.check.name == "dead-units"
    assert not first.consequences
    assert second.check.name == "learning-rate-too-high"


def test_the_root_of_a_chain_takes_all() -> None:
    (first,) = with_causes(found(unscaled_inputs=0.9, learning_rate_too_high=0.9, dead_units=0.9, underfitting=0.9))
    assert first.check.name == "unscaled-inputs"
    assert len(first.consequences) == 3


def test_findings_without_a_tie_stay_apart_strongest_first() -> None:
    findings = with_causes(found(bad_features=0.3, leakage=0.8))
    assert [each.check.name for each in findings] == ["leakage", "bad-features"]


@given(st.dictionaries(st.sampled_from(sorted(BY_NAME)), st.floats(0.05, 1.0)))
def test_every_finding_is_told_once_whatever_is_found(strengths: dict[str, float]) -> None:
    findings = with_causes([Finding(BY_NAME[name], strength) for name, strength in strengths.items()])
    told = [each.check.name for finding in findings for each in (finding, *finding.consequences)]
    assert sorted(told) == sorted(strengths)
    assert all(a.strength >= b.strength for a, b in itertools.pairwise(findings))
    assert all(0 <= finding.strength <= 1 for finding in findings)


# --- told ------------------------------------------------------------------------------------------------------


def test_a_diagnosis_is_told_as_people_read() -> None:
    text = str(diagnose(HEALTHY.having(POOR, *LEARNING, DEAD)))
    first, *_, last = text.splitlines()
    assert first.startswith("1. The learning rate is too high.")
    assert first.endswith(Certainty.CERTAIN.value)
    assert len(first) == 100
    assert "dead units" in text, "the consequence is named"
    assert "moved by 40.0 % of their size" in text
    assert last.startswith("Watched 1,000 steps at 0.5 % cost. ")
    assert "checks clear" in last
    assert all(len(line) <= 100 for line in text.splitlines()[:-1])


def test_at_most_three_are_shown() -> None:
    apart = ("leakage", "loader-bound", "causal-leak", "memory-growth", "bad-augmentation")
    sick = HEALTHY.having(*(each for name in apart for each in SICK[name]))
    diagnosis = diagnose(sick)
    assert len(diagnosis.findings) > 3
    assert "4. " not in str(diagnosis)
    assert "more finding" in str(diagnosis)


def test_a_healthy_run_is_told_so() -> None:
    diagnosis = diagnose(HEALTHY)
    assert diagnosis.findings == ()
    assert str(diagnosis).startswith("Nothing is found that limits this run.")
    assert set(diagnosis.others) == set(BY_NAME)


def test_what_is_not_measured_is_named_in_words() -> None:
    diagnosis = diagnose(Evidence((ProbeCost(0.1, 10.0),)))
    assert diagnosis.others["overfitting"] == "not measured: final score"
    assert "final score" in str(diagnosis)
    assert "FinalScore" not in str(diagnosis)


def test_html_is_escaped() -> None:
    odd = HEALTHY.having(*SICK["class-imbalance"])
    text = diagnose(odd)._repr_html_()
    assert "The class &quot;b&quot; is lost." in text
    assert "The class &quot;b&quot; is lost." in text
    assert text.startswith("<div")
    assert text.endswith("</div>")


# --- robust ----------------------------------------------------------------------------------------------------


def test_one_fault_does_not_sink_the_rest() -> None:
    diagnosis = diagnose(HEALTHY.having(*SICK["leakage"]), (Broken(), *ALL))
    assert diagnosis.findings[0].check.name == "leakage"
    answer = diagnosis.answers["broken"]
    assert isinstance(answer, NotMeasured)
    assert answer.what == "the check failed: IndexError: list index out of range"


@pytest.mark.parametrize("name", ["", *SICK])
def test_none_of_ours_fails(name: str) -> None:
    evidence = HEALTHY.having(*SICK[name]) if name else Evidence()
    assert not [said for said in diagnose(evidence).others.values() if "failed" in said]


# --- the barrel ------------------------------------------------------------------------------------------------


def test_a_stave_is_as_high_as_its_strongest_finding_lets_it() -> None:
    heights = barrel(diagnose(HEALTHY.having(POOR, *LEARNING, DEAD)))
    assert set(heights) == set(Stave)
    assert heights[Stave.RATE] == pytest.approx(0.0, abs=0.06)
    assert heights[Stave.GRADIENT] == pytest.approx(0.0), "a consequence shortens its own stave, too"
    assert heights[Stave.SCALE] == 1.0
    assert heights[Stave.MACHINE] == 1.0


def test_a_group_of_which_nothing_was_measured_has_no_height() -> None:
    heights = barrel(diagnose(Evidence((of(InitialLoss),))))
    assert heights[Stave.OVERFIT] is None
    assert barrel(diagnose(HEALTHY))[Stave.OVERFIT] == 1.0


# --- the ledger ------------------------------------------------------------------------------------------------


def test_a_finding_survives_its_note() -> None:
    finding = diagnose(HEALTHY.having(POOR, *LEARNING, DEAD)).findings[0]
    assert finding.consequences
    again = finding_of(note_of(finding), ALL)
    assert again == finding
    assert again.tell() == finding.tell()


def test_a_diagnosis_is_an_entry_of_the_ledger() -> None:
    diagnosis = diagnose(HEALTHY.having(POOR, *LEARNING))
    entry = diagnosed(3.0, "abc", diagnosis)
    assert entry.at == 3.0
    assert [note.check for note in entry.findings] == [each.check.name for each in diagnosis.findings]
    assert entry.others["leakage"] == "clear"
    assert "learning-rate-too-high" not in entry.others
