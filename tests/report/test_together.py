"""How models that answer together are told."""

from dataclasses import replace

import study_cases as cases

from liebig.core.decision import Decision
from liebig.core.study import Combined, Member, Sealed, Study
from liebig.core.task import TaskKind
from liebig.core.trial import Verdict
from liebig.report import ReportData, report_data, to_html, to_json, to_text


def test_the_last_rung_says_who_answers_and_how_far_that_is_known() -> None:
    data = report_data(cases.together(), cases.CHECKS)
    last, below = data.ladder[-1], data.ladder[-2]
    assert last.name == "3 models that answer together"
    assert last.why.startswith("60 % boosted trees, 30 % ")
    assert last.position == below.position + 0.004
    assert last.effect is not None
    assert last.effect.verdict == "likely"
    assert any("the sealed part alone judges it" in sentence for sentence in data.lead)
    assert any("boosted trees" in line for line in data.summary)
    page, text = to_html(data), to_text(data)
    for told in (page, text):
        assert "nswering together" in told or "ANSWERING TOGETHER" in told
        assert "other algorithm" in told
    assert "for 1,000 rows" in text
    plain = to_json(data)["combination"]
    assert [each["weight"] for each in plain["members"]] == [0.1, 0.6, 0.3]
    assert plain["adopted"] is True


def test_the_recipe_and_the_diagnosis_are_the_best_networks() -> None:
    data = report_data(cases.together(), cases.CHECKS)
    assert data.recipe_name == report_data(cases.likely(), cases.CHECKS).recipe_name
    assert data.seal is not None
    assert data.seal.handed_over_is_final


def test_what_was_weighed_and_not_kept_is_told_without_a_rung() -> None:
    data = report_data(cases.apart(), cases.CHECKS)
    assert len(data.ladder) == len(report_data(cases.likely(), cases.CHECKS).ladder)
    assert data.combination is not None
    assert "not likely to be better together" in data.combination.sentences[1]
    assert "ANSWERING TOGETHER" in to_text(data)


def test_one_other_algorithm_may_answer_alone() -> None:
    alone = replace(cases.combined(True, (Member("boosted-trees", 1.0, False),)), digest="combination-1")
    entries = [alone if isinstance(each, Combined) else each for each in cases.together().entries]
    data = report_data(type(cases.together())(tuple(entries)), cases.CHECKS)
    assert data.headline.startswith("Your model gained")
    assert data.ladder[-1].name == "boosted trees in its place"
    assert any("that of boosted trees alone" in sentence for sentence in data.lead)


def test_numbers_are_averaged_as_numbers() -> None:
    entries = (replace(cases.regression().entries[0]), *cases.regression().entries[1:-1], cases.combined(True))
    study = type(cases.together())(entries)
    assert study.began.kind is TaskKind.REGRESSION
    data = report_data(study, cases.CHECKS)
    assert data.combination is not None
    assert "the mean of their numbers" in data.combination.sentences[1]
    assert data.ladder[-1].position == data.ladder[-2].position - 0.004


# --- how answers are read ---------------------------------------------------------------------------------------------


def read(decision: Decision, seeds: int = 1, alone: bool = False) -> ReportData:
    """The study of several models, whose answers are read so."""
    study = cases.together()
    entries = []
    for each in study.entries:
        if isinstance(each, Combined):
            members = (Member(each.control, 1.0, True),) if alone else each.members
            decided = cases.look(0.021, 0.006, Verdict.LIKELY)
            each = replace(each, members=members, decision=decision, decided=decided)
        elif isinstance(each, Sealed):
            each = replace(each, seeds=seeds)
        entries.append(each)
    return report_data(Study(tuple(entries)), cases.CHECKS)


def test_from_which_probability_a_class_is_named_is_said() -> None:
    data = read(Decision(1.0, (0.0, 0.8)))
    assert data.combination is not None
    assert data.combination.reading == ">50K is named from a probability of 0.31 on"
    assert any("worth +0.021 ROC AUC [+0.015, +0.027]" in each for each in data.combination.sentences)
    assert any("named from a probability of 0.31 on" in each for each in data.summary)
    assert "&gt;50K is named from a probability of 0.31 on" in to_html(data)


def test_one_network_that_is_read_otherwise_is_a_rung_of_its_own() -> None:
    data = read(Decision(1.0, (0.0, 0.8)), alone=True)
    assert data.ladder[-1].name == ">50K is named from a probability of 0.31 on"
    assert data.ladder[-1].why == ""
    assert data.headline.startswith("Your model gained")


def test_a_temperature_is_said_where_it_is_used() -> None:
    assert read(Decision(1.3)).combination.reading == "probabilities are made milder (temperature 1.30)"  # type: ignore[union-attr]
    # Mostly other algorithms answer: more seeds of the network change little.
    assert "milder" in read(Decision(1.3), seeds=4).combination.reading  # type: ignore[union-attr]
    several = read(Decision(1.3), seeds=4, alone=True)
    assert several.combination is not None
    assert several.combination.reading == ""
    assert any("the mean of several seeds is milder" in each for each in several.combination.sentences)


def test_of_several_classes_the_favoured_is_named() -> None:
    assert "classes like >50K" in read(Decision(1.0, (-0.5, 0.9, -0.4))).combination.reading  # type: ignore[union-attr]
