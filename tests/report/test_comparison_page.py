"""Recipes side by side."""

import json

import pytest
import study_cases as cases

from liebig.core.evidence import Evidence
from liebig.core.trial import Verdict
from liebig.report import Compared, comparison_data, comparison_to_html, comparison_to_json, comparison_to_text


def compared(verdict: Verdict, difference: float) -> list[Compared]:
    return [
        Compared("plain <b>", Evidence((cases.curves(0.86, 20, 19),)), None, 0.861, 0.003),
        Compared(
            "early stopping",
            Evidence((cases.curves(0.88, 12, 9),)),
            cases.look(difference, 0.004, verdict),
            0.881,
            0.003,
        ),
    ]


def test_the_best_is_named_with_its_interval() -> None:
    data = comparison_data("adult.csv", "roc_auc", True, compared(Verdict.PROVEN, 0.02))
    assert (
        data.headline == "early stopping is better than plain <b> by +0.020 [+0.016, +0.024] ROC AUC. That is proven."
    )
    page = comparison_to_html(data)
    assert "plain &lt;b&gt;" in page
    assert "plain <b>" not in page
    assert page.count("<svg") >= 8
    text = comparison_to_text(data)
    assert max(map(len, text.splitlines())) <= 100
    assert json.loads(json.dumps(comparison_to_json(data), allow_nan=False))["first"] == "plain <b>"


def test_what_is_only_likely_is_not_called_proven() -> None:
    assert "not proven" in comparison_data("t", "roc_auc", True, compared(Verdict.LIKELY, 0.02)).headline
    assert "Nothing is better" in comparison_data("t", "roc_auc", True, compared(Verdict.WORSE, -0.02)).headline
    assert "Nothing is shown" in comparison_data("t", "roc_auc", True, compared(Verdict.UNCLEAR, 0.001)).headline


def test_an_error_that_falls_is_better() -> None:
    data = comparison_data("t", "rmse", False, compared(Verdict.PROVEN, 0.02))
    assert "by −0.020 [−0.024, −0.016] RMSE" in data.headline


def test_runs_without_a_trial_say_that_curves_prove_nothing() -> None:
    data = comparison_data("runs", "roc_auc", True, [Compared("a", Evidence()), compared(Verdict.PROVEN, 0.1)[0]])
    assert "no trial was run" in data.headline
    comparison_to_html(data)
    comparison_to_text(data)


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="at least one"):
        comparison_data("t", "roc_auc", True, [])
