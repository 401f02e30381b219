"""How models that answer together are told."""

from dataclasses import replace

import study_cases as cases

from liebig.core.study import Combined, Member
from liebig.core.task import TaskKind
from liebig.report import report_data, to_html, to_json, to_text


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
