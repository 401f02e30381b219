"""Which recipes are tried first, and how that moves with what was seen."""

from types import SimpleNamespace

import pytest
from remedy_cases import found, recipe, situation

from liebig.checks.learning_rate_too_high import LearningRateTooHigh
from liebig.checks.overfitting import Overfitting
from liebig.checks.underfitting import Underfitting
from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.core.check import Finding
from liebig.core.trial import Verdict
from liebig.data.table.inputs import TableInputs
from liebig.remedies.edits import merged, rate_of
from liebig.remedies.priors import expected_gain, measured, spread_of
from liebig.remedies.ranking import Seen, proposals, seen_in, twin, updated

RAW = recipe(inputs=TableInputs(scale="none", numbers="plain"))


def test_the_strongest_finding_with_the_best_remedy_comes_first():
    ranked = proposals(RAW, [found(UnscaledInputs, 0.9), found(Overfitting, 0.2)], situation())
    assert ranked[0].name == "scale: standardise"
    assert ranked[0].answers == "unscaled-inputs"
    assert [each.worth for each in ranked] == sorted((each.worth for each in ranked), reverse=True)


def test_no_digest_twice_none_tried_and_never_the_incumbent():
    ranked = proposals(RAW, [found(UnscaledInputs), found(Underfitting)], situation())
    digests = [each.recipe.digest for each in ranked]
    assert len(digests) == len(set(digests))
    assert RAW.digest not in digests
    rest = proposals(RAW, [found(UnscaledInputs), found(Underfitting)], situation(), tried=set(digests[:3]))
    assert [each.recipe.digest for each in rest] == digests[3:]


def test_without_findings_there_is_still_something_to_try():
    ranked = proposals(recipe(), [], situation())
    assert "ensemble of 4 seeds" in [each.name for each in ranked[:8]]
    assert all(each.answers == "" for each in ranked)


def test_a_warnings_cure_comes_first_and_a_hints_does_not():
    high = [each.remedy for each in proposals(recipe(), [found(LearningRateTooHigh, 0.9, found=1e-4)], situation())]
    assert high[0] == "lower-rate"
    assert (
        proposals(recipe(), [found(LearningRateTooHigh, 0.9, found=1e-4)], situation())[0].name
        == "rate 0.001 -> 0.0001"
    )
    hint = [each.remedy for each in proposals(recipe(), [found(LearningRateTooHigh, 0.3)], situation())]
    assert hint[0] != "lower-rate"
    failed = [Seen("lower-rate", -3.0, 0.2)] * 3
    seen = proposals(recipe(), [found(LearningRateTooHigh, 0.9)], situation(), seen=failed)
    assert seen[0].remedy != "lower-rate"


def test_a_consequence_counts_half():
    cause = Finding(UnscaledInputs(), 0.8, consequences=(found(Overfitting, 0.8),))
    within = {each.name: each.worth for each in proposals(RAW, [cause], situation()) if each.answers == "overfitting"}
    beside = proposals(RAW, [found(UnscaledInputs), found(Overfitting)], situation())
    for each in beside:
        if each.answers == "overfitting" and each.name in within:
            assert within[each.name] == pytest.approx(each.worth / 2)


def test_what_was_seen_moves_a_remedy():
    prior = measured(0.0, 3, 12, 2)
    mean, spread = updated(prior, "wider", [Seen("wider", 2.0, 0.4), Seen("deeper", -9.0, 0.1)])
    assert 0.5 < mean < 2.0
    assert spread < spread_of(prior)
    good = proposals(recipe(), [found(Underfitting)], situation(), seen=[Seen("wider", 3.0, 0.3)])
    bad = proposals(recipe(), [found(Underfitting)], situation(), seen=[Seen("wider", -3.0, 0.3)])
    place = [next(i for i, each in enumerate(ranked) if each.remedy == "wider") for ranked in (good, bad)]
    assert place[0] < place[1]


def test_outcomes_are_read_from_a_study():
    look = SimpleNamespace(difference=0.02, spread=4.0, noise=1e-4, d_variance=1e-4)
    trials = (
        SimpleNamespace(treatment=SimpleNamespace(remedy="wider"), looks=(look,), verdict=Verdict.LIKELY),
        SimpleNamespace(treatment=SimpleNamespace(remedy="higher-rate"), looks=(), verdict=Verdict.WORSE),
        SimpleNamespace(treatment=SimpleNamespace(remedy="deeper"), looks=(), verdict=None),
    )
    first, second = seen_in(SimpleNamespace(trials=trials))
    assert (first.remedy, first.effect, first.error) == ("wider", pytest.approx(1.0), pytest.approx(0.5))
    assert second.remedy == "higher-rate"
    assert second.effect < -1


def test_the_cures_of_all_causes_are_tried_together_first():
    both = proposals(RAW, [found(UnscaledInputs), found(Underfitting)], situation())[0]
    assert both.is_cure
    assert both.remedy == "standardise-inputs + wider"
    assert {change.path for change in RAW.diff(both.recipe)} == {"inputs.scale.kind", "network.width"}
    assert not any(" + " in each.remedy for each in proposals(RAW, [found(UnscaledInputs)], situation()))
    hint = proposals(RAW, [found(UnscaledInputs), found(Underfitting, 0.3)], situation())
    assert not any(" + " in each.remedy for each in hint)


def test_changes_are_merged_by_field():
    wide = next(each for each in proposals(RAW, [found(Underfitting)], situation()) if each.remedy == "wider")
    drop = next(each for each in proposals(RAW, [found(Overfitting)], situation()) if each.remedy == "more-dropout")
    both = merged(RAW, wide.recipe, drop.recipe)
    assert both is not None
    assert {change.path for change in RAW.diff(both)} == {"network.width", "network.dropout"}
    assert merged(RAW, RAW, RAW) == RAW


def test_twins_are_at_the_found_rate():
    ranked = next(each for each in proposals(RAW, [], situation()) if each.finds_rate)
    other = twin(ranked, 0.0237)
    assert other is not None
    assert other.name == f"{ranked.name}, rate 0.024"
    assert rate_of(other.recipe) == pytest.approx(0.024)
    assert twin(ranked, rate_of(ranked.recipe)) is None


def test_priors_from_counts():
    even, won, spread = measured(0.0, 3, 11, 3), measured(0.6, 8, 9, 0), measured(0.0, 6, 4, 7)
    assert even.low == pytest.approx(-even.high)
    assert won.low > even.low
    assert spread_of(spread) > spread_of(even)
    assert "3 won, 11 tied, 3 lost" in even.source


def test_the_gain_of_a_try_is_never_negative():
    assert expected_gain(0.0, 1.0) == pytest.approx(0.3989, abs=1e-4)
    assert expected_gain(5.0, 0.1) == pytest.approx(5.0)
    assert 0 <= expected_gain(-5.0, 1.0) < 1e-5
