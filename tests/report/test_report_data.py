"""What the report says of each kind of study."""

import json
import math
from dataclasses import replace

import pytest
import study_cases as cases

from liebig.core.study import Ended
from liebig.report import ReportData, report_data, to_html, to_json, to_text
from liebig.report.data import Standing
from liebig.report.text import columns_of


def told(name: str) -> ReportData:
    return report_data(cases.ALL[name](), cases.CHECKS)


@pytest.mark.parametrize("name", cases.ALL)
def test_every_study_is_told_in_every_form(name: str) -> None:
    data = told(name)
    page, text = to_html(data), to_text(data)
    plain = json.dumps(to_json(data), allow_nan=False)
    assert data.headline in text.replace("\n", " ")
    assert json.loads(plain)["headline"] == data.headline
    assert page.startswith("<!doctype html>")
    assert max(map(columns_of, text.splitlines())) <= 100
    assert "nan" not in text.split()


@pytest.mark.parametrize(
    ("name", "standing", "first"),
    [
        ("rich", Standing.PROVEN, "Your network gained +0.041 ROC AUC on data it never saw."),
        ("likely", Standing.GAINED, "Your network gained +0.002 ROC AUC on data it never saw."),
        ("failed", Standing.NOTHING_HELPED, "Nothing that was tried is shown to help."),
        ("handed back", Standing.NOT_BETTER, "so the textbook network is handed over: 0.886."),
        ("unfinished", Standing.OPEN, "The best so far is the scale: quantile to normal"),
        ("minimal", Standing.EMPTY, "No network has been trained yet."),
        ("regression", Standing.PROVEN, "Your network's RMSE fell by 8,877 on data it never saw."),
        ("together", Standing.PROVEN, "Your models together gained +0.021 ROC AUC on data they never saw."),
        ("apart", Standing.GAINED, "Your network gained +0.002 ROC AUC on data it never saw."),
    ],
)
def test_the_first_line_says_what_was_gained(name: str, standing: Standing, first: str) -> None:
    data = told(name)
    assert data.standing is standing
    assert first in data.headline


def test_only_what_is_proven_is_called_so() -> None:
    assert told("rich").proof == "That is proven: +0.037 to +0.045."
    assert told("regression").proof == "That is proven: 7,310 to 10,444."
    assert "not proven" in told("likely").proof
    for name in ("failed", "unfinished", "minimal", "handed back"):
        assert "proven" not in told(name).headline + told(name).proof


def test_rungs_stand_at_the_sum_of_their_measured_steps() -> None:
    ladder = told("rich").ladder
    assert [rung.name for rung in ladder][-1] == "eight networks together"
    assert [round(rung.position - ladder[0].position, 4) for rung in ladder] == [0.0, 0.016, 0.026, 0.0302]
    assert ladder[1].why.startswith("capital_gain is 5200 times larger")


def test_parts_stand_beneath_their_rung_and_unmeasured_ones_say_so() -> None:
    start = told("rich").ladder[2]
    assert [part.worth is None for part in start.parts] == [False, False, False, True]
    worth = start.parts[0].worth
    assert worth is not None
    assert worth.difference == pytest.approx(-0.0231)  # what leaving it out changes
    assert worth.low < worth.difference < worth.high
    assert "not measured" in to_text(told("rich"))


def test_a_stave_is_as_tall_as_its_strongest_finding_is_weak() -> None:
    data = told("rich")
    assert data.before is not None
    assert data.after is not None
    before = {stave.name: stave for stave in data.before.staves}
    assert before["scale"].height == pytest.approx(0.06)
    assert before["gradient"].height == pytest.approx(0.45)  # a consequence counts too
    assert before["overfit"].height == 1.0
    assert math.isnan(before["machine"].height)
    assert before["data"].height == pytest.approx(0.7)  # found in the data, shared by every recipe
    after = {stave.name: stave for stave in data.after.staves}
    assert after["scale"].height == 1.0
    assert not after["start"].measured


def test_lower_is_better_is_told_in_the_users_direction() -> None:
    data = told("regression")
    first = data.trials[0].effect
    assert first is not None
    assert (first.difference, first.low, first.high) == (-9223.0, -10433.0, -8013.0)
    assert data.ladder[-1].position == pytest.approx(61234.0 - 9223.0)
    assert "lower is better" in to_text(data)
    assert "lower is better" in to_html(data)


def test_ablations_are_not_told_as_trials() -> None:
    names = [trial.name for trial in told("rich").trials]
    assert "scaling: quantile, else none" not in names
    assert names[0] == "scale: quantile to normal"
    assert len(names) == 8


def test_a_finding_of_an_unknown_check_is_told_by_its_name() -> None:
    data = report_data(cases.rich())
    assert data.before is not None
    assert data.before.findings[0].headline == "Unscaled inputs (capital_gain)"
    assert not any(stave.measured for stave in data.before.staves)


def test_words_that_miss_a_fact_do_not_break_the_page() -> None:
    study = cases.rich()
    entries = tuple(
        replace(each, findings=(cases.finding("unscaled-inputs", 0.9, "age"),)) if getattr(each, "digest", "") == "base"
        and hasattr(each, "findings") else each
        for each in study.entries
    )  # fmt: skip
    assert "Unscaled inputs (age)" in to_text(report_data(replace(study, entries=entries), cases.CHECKS))


def test_the_recipe_given_as_toml_is_shown_as_it_came() -> None:
    data = report_data(cases.rich(), cases.CHECKS, recipe_toml='[network]\nkind = "mlp"\n')
    assert data.recipe_toml == '[network]\nkind = "mlp"\n'
    assert ("network.size", "128", "256") in [(each.path, each.before, each.after) for each in data.changes]


def test_json_holds_null_where_nothing_is_known() -> None:
    plain = to_json(told("rich"))
    staves = {stave["name"]: stave["height"] for stave in plain["before"]["staves"]}
    assert staves["machine"] is None
    assert plain["standing"] == "gain proven"
    assert plain["network"]["parameters"] == 8 * (55040 + 512 + 65792 + 257)


def test_curves_histograms_capacity_and_rows_come_from_what_was_measured() -> None:
    data = told("rich")
    assert [(each.name, each.selected) for each in data.curves] == [
        ("textbook network", 14),
        ("eight networks together", 17),
    ]
    assert [each.layer for each in data.histograms] == ["hidden 1", "hidden 2", "hidden 3"]
    assert [point.parameters for point in data.capacity] == [9000, 34000, 121000, 470000]
    assert data.importance[0].column == "capital_gain"
    assert data.worst_rows[1].row == 40211
    assert [each.name for each in data.challengers] == ["boosted trees", "logistic regression"]
    assert "12 trials" in data.footer


def test_a_study_that_ended_says_why() -> None:
    study = cases.failed()
    assert study.last(Ended) is not None
    assert "nothing is likely to help any more" in report_data(study).footer


def test_a_record_of_another_kind_is_one_change() -> None:
    rung = report_data(cases.exchanged(), cases.CHECKS).ladder[-1]
    assert rung.name == "optimizer: EMA"
    assert rung.parts == ()
