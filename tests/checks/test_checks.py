"""Each check on evidence written out by hand; the contract of all of them; whatever evidence comes."""

import dataclasses
import math
import re
import string
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_evidence import HEALTHY, HINTS, LAYERS, POOR, SICK, curves, falling, of

from liebig.checks import ALL, diagnose
from liebig.checks.loader_bound import LoaderBound
from liebig.checks.poor_initialisation import PoorInitialisation
from liebig.core.card import CHECK_SECTIONS, card_of
from liebig.core.check import Check, Clear, Found, NotApplicable, NotMeasured
from liebig.core.evidence import (
    Cooled,
    EpochCurves,
    Evidence,
    FinalScore,
    InitialWeights,
    LayerShape,
    LearningCurve,
    LoaderWait,
    Measurement,
    NonFinite,
    Structure,
    UpdateRatios,
)

BY_NAME = {check.name: check for check in ALL}
check_cases = pytest.mark.parametrize("check", ALL, ids=lambda check: check.name)


def sick(name: str) -> Evidence:
    return HEALTHY.having(*SICK[name])


# --- what each sees --------------------------------------------------------------------------------------------


@check_cases
def test_healthy_evidence_finds_nothing(check: Check) -> None:
    assert isinstance(check(HEALTHY), (Clear, NotApplicable))


@check_cases
def test_sick_evidence_is_found_and_told(check: Check) -> None:
    answer = check(sick(check.name))
    assert isinstance(answer, Found)
    assert answer.strength >= 0.2 if check.name in HINTS else answer.strength >= 0.5
    told = check.tell(answer.facts, answer.place)
    for text in (told.headline, told.evidence, told.advice):
        assert text.endswith(".")
        assert not re.search(r"\bnan\b|[{}]|\d%|  ", text), text


@check_cases
def test_without_what_it_needs_it_says_what_is_absent(check: Check) -> None:
    for absent in [check.needs[0], *check.needs]:
        kinds = absent if isinstance(absent, tuple) else (absent,)
        less = Evidence(tuple(each for each in sick(check.name) if type(each) not in kinds))
        assert check(less) == NotMeasured(kinds[0].__name__)
    assert isinstance(check(Evidence()), NotMeasured)


#: What these see is a fault whatever comes of it, or is of the data alone.
_WITHOUT_OUTCOME = {
    "non-finite", "bad-features", "leakage", "shifted-parts", "too-little-data", "class-imbalance", "learning-rate-not-decayed",
    "trained-too-long", "unscaled-inputs", "unscaled-targets", "loss-output-mismatch", "loss-broadcast",
    "gradients-not-cleared", "missing-eval-mode", "missing-train-mode", "label-noise", "bad-augmentation", "loader-bound",
    "host-sync", "device-underused", "memory-growth", "causal-leak", "faint-pictures", "wrong-layout", "odd-pictures",
    "picture-shortcut", "horizon-leak",
}  # fmt: skip


@check_cases
def test_a_mechanism_is_no_warning_where_the_outcome_is_good(check: Check) -> None:
    if check.name in _WITHOUT_OUTCOME:
        pytest.skip("speaks of the data, or of a fault by itself")
    good = of(FinalScore)
    answer = check(sick(check.name).having(dataclasses.replace(good, loss=0.02, train_loss=0.02)))
    assert not isinstance(answer, Found) or answer.strength < 0.5


def test_first_of_a_sick_diagnosis_is_its_own_cause() -> None:
    for name in SICK:
        if name in HINTS or name == "trained-too-long":
            continue  # weaker than what they come with
        diagnosis = diagnose(sick(name))
        assert diagnosis.findings[0].check.name == name, (name, [f.check.name for f in diagnosis.findings])


def test_a_curve_that_falls_only_because_the_rate_decays_is_less_sure() -> None:
    slow = curves(
        tuple(2.3 - 0.03 * i for i in range(20)), tuple(2.3 - 0.03 * i for i in range(20)), rates=(1e-3,) * 20
    )
    decayed = dataclasses.replace(slow, rates=tuple(1e-3 * (1 - i / 20) for i in range(20)))
    check = BY_NAME["still-improving"]
    constant, cosine = (check(HEALTHY.having(each, POOR)) for each in (slow, decayed))
    assert isinstance(constant, Found)
    assert isinstance(cosine, Found)
    assert cosine.strength < constant.strength


def test_overfitting_is_mended_where_the_best_epoch_was_kept() -> None:
    rising = curves(falling(1.5, 0.01), tuple(0.4 + 0.02 * abs(i - 3) for i in range(20)))
    score = dataclasses.replace(of(FinalScore), loss=0.2, train_loss=0.05)
    check = BY_NAME["overfitting"]
    left, kept = (check(HEALTHY.having(dataclasses.replace(rising, selected=at), score)) for at in (19, 3))
    assert isinstance(left, Found)
    assert not isinstance(kept, Found) or kept.strength < left.strength


def test_weak_signals_learnt_by_heart_are_not_called_misaligned() -> None:
    below_chance = dataclasses.replace(POOR, metric="rmse", higher_is_better=False, score=1.4, chance=1.0, train_score=0.2,
                                       error=0.05, loss=1.9, chance_loss=1.0, train_loss=0.1)  # fmt: skip
    once_better = curves(falling(1.0, 0.1), tuple(0.6 + 0.07 * i for i in range(20)))
    answer = BY_NAME["misaligned-labels"](HEALTHY.having(below_chance, once_better))
    assert not isinstance(answer, Found) or answer.strength < 0.5


def test_imbalance_is_a_hint_where_ranks_are_judged() -> None:
    by_rank = dataclasses.replace(of(FinalScore), metric="roc_auc")
    answer = BY_NAME["class-imbalance"](sick("class-imbalance").having(by_rank))
    assert isinstance(answer, Found)
    assert answer.strength < 0.5


def test_a_wait_seen_from_outside_is_a_hint_until_it_is_long() -> None:
    def strength(wait: float) -> float:
        answer = LoaderBound()(HEALTHY.having(LoaderWait(wait, 1.3e-3, math.nan, -1)))
        return answer.strength if isinstance(answer, Found) else 0.0

    assert 0.0 < strength(7.8e-3) <= strength(2e-2) < 0.5 <= strength(0.1)


def test_small_weights_are_blamed_less_where_a_normalisation_follows_and_not_where_much_was_learnt() -> None:
    def strength(evidence: Evidence) -> float:
        answer = PoorInitialisation()(evidence)
        return answer.strength if isinstance(answer, Found) else 0.0

    small = InitialWeights(LAYERS, (0.02,) * 3, (0.08,) * 3, (0.0,) * 3, (1.0,) * 3)
    poor = sick("poor-initialisation").having(small)
    structure = of(Structure)
    norm = LayerShape("norm", "layer-norm", 64, 64, 128, 128, 0, "")
    normalised = poor.having(dataclasses.replace(structure, layers=(*structure.layers, norm)))
    assert strength(normalised) < 0.5 <= strength(poor)
    assert strength(HEALTHY.having(small)) < 0.35


def test_twice_the_rows_follow_the_power_law() -> None:
    answer = BY_NAME["too-little-data"](sick("too-little-data"))
    assert isinstance(answer, Found)
    assert answer.facts["gain"].value == pytest.approx(0.25), "0.8 -> 0.6 for twice the rows, and so once more"


# --- the contract of all ---------------------------------------------------------------------------------------


def test_names_are_unique_kebab_case_and_have_their_own_sick_evidence() -> None:
    assert len(BY_NAME) == len(ALL)
    assert set(SICK) == set(BY_NAME)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in BY_NAME)


@check_cases
def test_card_has_its_sections(check: Check) -> None:
    card = card_of(check.name, type(check))
    assert card.title
    for section in CHECK_SECTIONS:
        assert card.sections.get(section), section


@check_cases
def test_words_are_sentences(check: Check) -> None:
    for language, plain in check.words.items():
        for telling in (plain, *check.kinds.get(language, {}).values()):
            for text in (telling.headline, telling.evidence, telling.advice):
                assert text[0].isupper() or text[0] in "{"
                assert text.endswith((".", "}"))
                assert "  " not in text
            assert len(next(string.Formatter().parse(telling.headline))[0]) < 90
            assert telling.short, "a finding is named where it stands under its cause"
            assert not telling.short.endswith(".")
    assert "en" in check.words


def test_what_is_explained_exists_and_has_no_cycle() -> None:
    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name in BY_NAME, f"{path[-1]} explains {name}, which is no check"
        assert name not in path, f"cycle: {path}"
        for symptom in BY_NAME[name].explains:
            walk(symptom, (*path, name))

    for name in BY_NAME:
        walk(name, ())


@check_cases
def test_checks_are_stateless(check: Check) -> None:
    assert not vars(check)
    assert check(sick(check.name)) == check(sick(check.name))


# --- whatever comes --------------------------------------------------------------------------------------------

numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf, 1e-300, 1e300, 0.5]),
)
counts = st.one_of(st.integers(0, 60), st.sampled_from([0, 1, 10**9]))
names = st.sampled_from(["", "a", "layers.0", "relu", "tanh", "linear", "batch-norm", "roc_auc", "rmse", "constant"])


def anything(hint: Any, length: int) -> st.SearchStrategy[Any]:
    """Values of a field's type. Tuples of one measurement have one length, as those who make them promise."""
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        size = 3 if get_origin(inner) is tuple else length
        return st.lists(anything(inner, 3), min_size=length, max_size=length).map(tuple) if size else st.just(())
    if dataclasses.is_dataclass(hint):
        return measured(hint)  # type: ignore[arg-type]  # a nested measurement
    return {float: numbers, int: counts, str: names, bool: st.booleans()}[hint]


@st.composite
def measured(draw: st.DrawFn, kind: type[Measurement]) -> Measurement:
    length = draw(st.sampled_from([0, 1, 2, 3, 8, 20]))
    hints = get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):
        # Layers are named once, and each look has a number for each of them.
        by_look = any("tuple[tuple" in str(hint) for hint in hints.values())
        size = 3 if field.name == "layers" and by_look and get_args(hints[field.name])[0] is str else length
        values[field.name] = draw(anything(hints[field.name], size))
    return kind(**values)


KINDS = tuple(dict.fromkeys([NonFinite, *(type(each) for each in HEALTHY)]))


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    """Healthy or sick evidence with some measurements replaced by anything, and some absent."""
    base = draw(st.sampled_from([HEALTHY, *(sick(name) for name in SICK)]))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=3, unique=True))
    gone = draw(st.lists(st.sampled_from(KINDS), max_size=2))
    replaced = base.having(*(draw(measured(kind)) for kind in kinds))
    return Evidence(tuple(each for each in replaced if type(each) not in gone))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(evidences())
def test_no_check_raises_and_every_strength_is_one(evidence: Evidence) -> None:
    diagnosis = diagnose(evidence)
    for name, answer in diagnosis.answers.items():
        assert not isinstance(answer, NotMeasured) or "failed" not in answer.what, (name, answer)
        if isinstance(answer, Found):
            assert 0.0 <= answer.strength <= 1.0
            told = BY_NAME[name].tell(answer.facts, answer.place)
            assert "{" not in told.evidence
    assert str(diagnosis)
    assert diagnosis._repr_html_()


def _watched_outcome(train_score: float, score: float) -> FinalScore:
    return FinalScore("accuracy", True, score, 0.5, 0.01, train_score, 0.15, 0.69, 0.01, 0.2, 100, 300)


def _falling_curves() -> EpochCurves:
    losses = tuple(0.65 - 0.04 * epoch for epoch in range(12))
    nothing = (math.nan,) * 12
    return EpochCurves(
        losses, losses, nothing, nothing, nothing, (1e-3,) * 12, nothing, 11, 12, 100, nothing, True, "accuracy"
    )


def test_training_ends_too_early_only_where_rows_of_both_parts_are_still_missed() -> None:
    missed, answered = (
        diagnose(Evidence((_falling_curves(), _watched_outcome(0.8, score)))).answers["still-improving"]
        for score in (0.8, 0.98)
    )
    assert isinstance(missed, Found)
    assert missed.strength >= 0.5
    assert not isinstance(answered, Found) or answered.strength < 0.5


@pytest.mark.parametrize(
    ("others", "own", "warns"),
    [
        ((0.55, 0.3), (0.7, 0.7, 0.6), True),
        ((0.55, 0.52), (0.7, 0.7, 0.6), True),  # by three standard errors, and certain on the training rows
        ((0.55, 0.545), (0.7, 0.7, 0.6), False),  # what is won on the training rows is not carried over
        ((0.55, 0.6), (0.7, 0.7, 0.6), False),
        ((0.55, 0.3), (0.7, 0.7, 0.7), False),  # nothing is won on the training rows: no noise was taken out
        ((0.55, 0.3), (0.61, 0.7, 0.6), False),  # the loop stood better than the copies did at its rate
    ],
)
def test_a_rate_that_is_kept_too_long_is_one_whose_fall_mends_the_loss(
    others: tuple[float, float], own: tuple[float, float, float], warns: bool
) -> None:
    outcome = dataclasses.replace(_watched_outcome(0.8, 0.8), loss=0.5, train_loss=0.45)
    evidence = Evidence((outcome, Cooled(*others, 0.69, 0.01, 300, *own, 0.01)))
    answer = diagnose(evidence).answers["learning-rate-not-decayed"]
    assert (isinstance(answer, Found) and answer.strength >= 0.5) is warns


def test_more_rows_count_where_they_take_off_a_noticeable_part_of_the_loss_of_chance() -> None:
    """The same share of the loss: of much that is left, and of little."""
    much, little = (
        diagnose(Evidence((LearningCurve((500, 1000), (before, after), (1e-3, 1e-3), 2.3),))).answers["too-little-data"]
        for before, after in ((1.2, 0.8), (0.12, 0.08))
    )
    assert isinstance(much, Found)
    assert much.strength >= 0.5
    assert not isinstance(little, Found)


def test_what_the_fall_of_the_rate_mends_does_not_depend_on_the_unit_of_the_target() -> None:
    outcome = dataclasses.replace(_watched_outcome(0.8, 0.8), loss=0.5, train_loss=0.45)
    for unit in (1.0, 2_900.0):
        cooled = Cooled(
            0.55 * unit, 0.3 * unit, outcome.chance_loss * unit, 0.01 * unit, 300, 0.7, 0.7, 0.6, 0.01
        )  # fmt: skip
        answer = diagnose(Evidence((outcome, cooled))).answers["learning-rate-not-decayed"]
        assert isinstance(answer, Found)
        assert answer.strength >= 0.5


def test_a_rate_that_the_schedule_let_down_at_once_is_told_with_its_step() -> None:
    steps = (*range(20), *range(20, 400, 20))
    rates = tuple(0.02 * 0.1 ** (step // 3) for step in steps)
    moved = UpdateRatios(steps, ("0.weight",), ((0.01,),) * len(steps), rates)
    outcome = dataclasses.replace(_watched_outcome(0.5, 0.5), loss=0.69, train_loss=0.69)
    finding = diagnose(Evidence((outcome, moved))).findings[0]
    assert finding.check.name == "learning-rate-too-low"
    assert "From step 8 of 380 on" in finding.tell().evidence
