"""How it is told what more rows would bring."""

from dataclasses import replace

import study_cases as cases

from liebig.core.study import Explained, Study, TrainedAgain
from liebig.report import report_data, to_html, to_json, to_text
from liebig.report.populations import training_notes


def having(study: Study, *more: Explained) -> Study:
    """`study` with these before its end, in place of what was measured there."""
    kept = [
        each for each in study.entries if not (isinstance(each, Explained) and "Growth" in type(each.what).__name__)
    ]
    return Study((*kept[:-1], *more, kept[-1]))


def test_twice_the_rows_are_told_on_the_page_and_in_the_last_lines() -> None:
    data = report_data(cases.rich(), cases.CHECKS)
    sentence = "Twice the rows should bring +0.003 ROC AUC (+0.001 to +0.005)."
    assert data.growth is not None
    assert data.growth.sentence == sentence
    assert sentence in data.lead
    assert data.summary[-1] == sentence
    page = to_html(data)
    assert "More rows?" in page
    assert 'class="band"' in page
    assert "MORE ROWS" in to_text(data)
    assert to_json(data)["growth"]["now"] == 18400.0


def test_an_interval_that_holds_nothing_promises_nothing() -> None:
    study = having(cases.rich(), Explained(9.0, "final", cases.growth(-0.002, 0.004)))
    data = report_data(study, cases.CHECKS)
    assert "not known to help" in data.growth.sentence  # type: ignore[union-attr]
    study = having(cases.rich(), Explained(9.0, "final", cases.growth(-0.004, -0.001)))
    data = report_data(study, cases.CHECKS)
    assert data.growth.sentence == "Twice the rows should bring nothing."  # type: ignore[union-attr]


def test_a_loss_that_falls_with_rows_is_told_as_it_is_read() -> None:
    measured = cases.growth(100.0, 400.0, turn=-1.0, whole=52000.0)
    study = having(cases.regression(), Explained(9.0, "base", measured))
    data = report_data(study, cases.CHECKS)
    assert data.growth is not None
    assert data.growth.twice.difference == -250.0
    assert "\N{MINUS SIGN}250 RMSE" in data.growth.sentence
    assert "measured of textbook network" in data.growth.sentence  # not of what is handed over


def test_what_could_not_be_measured_is_not_told() -> None:
    failed = replace(cases.growth(), rows=(), reason="a network could not be trained")
    assert report_data(having(cases.rich(), Explained(9.0, "final", failed)), cases.CHECKS).growth is None
    assert "More rows?" not in to_html(report_data(cases.likely(), cases.CHECKS))


def test_a_training_on_all_rows_that_did_not_fit_is_said() -> None:
    study = Study().adding(Explained(1.0, "digest", TrainedAgain(80, 20, in_time=False)))
    assert training_notes(study) == (
        "the budget did not pay for training once more on all rows: what the seal judged is what is handed over",
    )
