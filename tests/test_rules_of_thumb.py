"""Rules of thumb: the questions, on made-up trainings; the recipes, on small tables; the page."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import rules
from rules_of_thumb import page, questions, records, running
from rules_of_thumb.questions import Answer, Arm, Changes, Measured, arm

from liebig.core.run import Score
from liebig.data.table.task import table_task
from liebig.nets.mlp import MLP

BLOCKS, EXAMPLES = 10, 200


def made(
    worth: Callable[[Changes], float],
    steps: Callable[[Changes], int] = lambda changes: 100,
    saturated: Callable[[Changes], float] = lambda changes: 0.0,
) -> questions.Runs:
    """Trainings whose examples score what their recipe is worth and some luck, part of it the same for all recipes."""

    def runs(changes: Changes) -> list[Measured]:
        own = np.random.default_rng(zlib.crc32("".join(changes).encode()))
        measured = []
        for block in range(BLOCKS):
            shared = np.random.default_rng(block).normal(size=EXAMPLES)
            values = worth(changes) + shared + 0.1 * own.normal(size=EXAMPLES)
            rows = np.arange(EXAMPLES, dtype=np.int64) + block * EXAMPLES
            score = Score(float(values.mean()), rows, values - values.mean())
            measured.append(Measured(score, steps(changes), saturated(changes) + 0.01 * own.normal()))
        return measured

    return runs


def named(name: str) -> Arm:
    return arm((name,), "rate", (1, 2, 3))


@pytest.mark.parametrize(("gain", "answer"), [(0.2, Answer.HOLDS), (-0.2, Answer.FAILS), (0.0, Answer.OPEN)])
def test_better_needs_an_interval_that_excludes_zero(gain: float, answer: Answer) -> None:
    told = questions.Better(named("a"), named("b")).told(made(lambda changes: gain if changes[0] == "a" else 0.0))
    assert told.answer is answer
    assert told.low < told.difference < told.high
    assert (told.low > 0) == (answer is Answer.HOLDS)
    assert (told.high < 0) == (answer is Answer.FAILS)


def test_identical_trainings_show_nothing() -> None:
    same = Arm((("a",),))
    assert questions.Better(same, same).told(made(lambda changes: 0.0)).answer is Answer.OPEN


def test_a_choice_is_made_in_the_other_half_of_the_blocks() -> None:
    first, second = made(lambda changes: 0.0)(("a",)), made(lambda changes: 1.0)(("b",))
    half = BLOCKS // 2
    mixed = {
        "a": [*second[:half], *first[half:]],
        "b": [*first[:half], *second[half:]],
    }  # a is better in the first half
    at = questions.chosen(Arm((("a",), ("b",))), lambda changes: mixed[changes[0]])
    assert at == (1,) * half + (0,) * half


def test_what_is_best_at_a_higher_rate_wants_more() -> None:
    shallow, deep = arm(("shallow",), "rate", (1, 2, 3)), arm(("deep",), "rate", (1, 2, 3, 4))

    def worth(peak: int) -> Callable[[Changes], float]:
        best = {"shallow": 2, "deep": peak}
        return lambda changes: -0.2 * abs(int(changes[1].partition("=")[2]) - best[changes[0]])

    asked = questions.WantsMore(deep, shallow)
    assert asked.told(made(worth(3))).answer is Answer.HOLDS
    assert asked.told(made(worth(1))).answer is Answer.FAILS


def test_what_falls_less_when_the_rate_is_raised_bears_more() -> None:
    sides = [arm((name,), "rate", (1, 2, 3)) for name in ("steady", "touchy")]

    def worth(changes: Changes) -> float:
        raised = int(changes[1].partition("=")[2]) - 1
        return 5.0 - raised * (0.1 if changes[0] == "steady" else 0.4)

    assert questions.BearsMore(*sides, by=2).told(made(worth)).answer is Answer.HOLDS
    assert questions.BearsMore(*reversed(sides), by=2).told(made(worth)).answer is Answer.FAILS


def test_harm_is_what_is_lost_by_it_not_what_is_left() -> None:
    worth = {"strong": 5.0, "strong harmed": 3.0, "weak": 1.0, "weak harmed": 0.5}
    strong, weak = ((named(name), named(f"{name} harmed")) for name in ("strong", "weak"))
    assert questions.HarmedLess(weak, strong).told(made(lambda changes: worth[changes[0]])).answer is Answer.HOLDS
    assert questions.HarmedLess(strong, weak).told(made(lambda changes: worth[changes[0]])).answer is Answer.FAILS


@pytest.mark.parametrize(
    ("gain", "steps", "answer", "aside"),
    [
        (0.0, 40, Answer.HOLDS, "60% of the steps saved"),
        (0.0, 100, Answer.FAILS, "0% of the steps saved"),
        (0.5, 40, Answer.FAILS, "60% of the steps saved, the score raised"),
        (-0.5, 40, Answer.FAILS, "60% of the steps saved, the score lowered"),
    ],
)
def test_stopping_saves_and_leaves_the_score(gain: float, steps: int, answer: Answer, aside: str) -> None:
    told = questions.SoonerAlike(named("soon"), named("late")).told(
        made(
            lambda changes: gain if changes[0] == "soon" else 0.0,
            lambda changes: steps if changes[0] == "soon" else 100,
        )
    )
    assert (told.answer, told.aside) == (answer, aside)


def test_saturation_is_a_share_of_units() -> None:
    asked = questions.MoreSaturated(("normal",), ("xavier",))
    told = asked.told(made(lambda changes: 0.0, saturated=lambda changes: 0.3 if changes[0] == "normal" else 0.02))
    assert told.answer is Answer.HOLDS
    assert told.difference == pytest.approx(0.28, abs=0.05)
    assert asked.told(made(lambda changes: 0.0, saturated=lambda changes: 0.0)).answer is not Answer.HOLDS


def test_one_pair_that_differs_is_enough_and_all_must_be_alike_to_fail() -> None:
    asked = questions.Differ((("sgd", named("sgd")), ("adam", named("adam")), ("rmsprop", named("rmsprop"))))
    told = asked.told(made(lambda changes: 0.3 if changes[0] == "adam" else 0.0))
    assert told.answer is Answer.HOLDS
    assert told.aside.startswith("adam before")
    assert told.difference > 0
    assert asked.told(made(lambda changes: 0.0)).answer is not Answer.HOLDS


# --- the records ------------------------------------------------------------------------------------------------------------


def small(kind: str) -> running.Ground:
    random = np.random.default_rng(0)
    x = random.normal(size=(120, 3))
    numbers = {f"x{i}": x[:, i] for i in range(3)}
    y = x.sum(axis=1) if kind == "regression" else np.where(x.sum(axis=1) > 0, "yes", "no")
    return running.ground("small", table_task(pl.DataFrame({**numbers, "y": y}), "y", kind=kind), 4)


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_every_recipe_of_every_rule_can_be_written(kind: str) -> None:
    at = small(kind)
    for rule in records.ALL:
        digests = {
            running.changed(
                at.plain, (each.replace(records.WIDE, str(at.wide)) for each in changes), kind == "binary"
            ).digest
            for changes in rule.question.recipes
        }
        assert len(digests) == len(set(rule.question.recipes)), f"{rule.name} asks for the same recipe twice"
    assert len({rule.name for rule in records.ALL}) == len(records.ALL)


def test_wide_has_the_parameters_of_deep() -> None:
    at = small("regression")
    signature = running.TABLES.fit_encoder(
        at.found.task, at.plain.inputs, at.blocks[0].fit, running.Wants(False, False)
    ).signature
    deep = MLP(width=records.DEEP_WIDTH, depth=records.DEEP_DEPTH).structure(signature, 1).parameters
    assert MLP(width=at.wide, depth=1).structure(signature, 1).parameters == pytest.approx(deep, rel=0.01)


def test_a_training_that_breaks_counts_as_an_answer_that_ignores_its_input() -> None:
    at = small("regression")
    trainings = running.Trainings(at)
    broken: Changes = ("optimizer=sgd", "optimizer.learning_rate=100", "stopping.epochs=2")
    assert trainings.train([broken], looks_inside=False) == len(at.blocks)
    assert trainings.train([broken], looks_inside=False) == 0
    for each, block in zip(trainings(broken), at.blocks, strict=True):
        spread = float(np.std(at.found.task.target[block.select]))
        assert -each.score.value == pytest.approx(spread, rel=0.2)
        assert len(each.score.influence) == len(block.select)


# --- the benchmark and its page -------------------------------------------------------------------------------------------


def row(rule: str, table: str, answer: Answer) -> page.Row:
    return page.Row(rule, table, "accuracy", answer.value, 0.0123, 0.001, 0.02, "", 100, 3.0)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("hhhh", "held on all 4"),
        ("hhho", "a good first guess"),
        ("hhhf", "and failed on 1: a good first guess"),
        ("hofo", "it depends on the table"),
        ("offo", "failed on 2 of 4 tables and held on none"),
        ("hfff", "failed on 3 of 4 tables and held on 1"),
        ("oooo", "Nothing was shown on any of the 4"),
    ],
)
def test_the_lesson_follows_from_the_counts(answers: str, said: str) -> None:
    kinds = {"h": Answer.HOLDS, "f": Answer.FAILS, "o": Answer.OPEN}
    assert said in page.lesson([row("r", str(i), kinds[each]) for i, each in enumerate(answers)])


def test_the_page_tells_each_rule_with_its_counts() -> None:
    rule = records.ALL[0]
    rows = [row(rule.name, "adult", Answer.HOLDS), row(rule.name, "letter", Answer.OPEN)]
    told = page.as_page(records.ALL, rows, page.Facts("2026-01-01", "a machine", 2000, 10))
    assert f"| [{rule.claim}](#deeper-networks-need-a-higher-learning-rate) | ✓ | · | 1 | 0 | 1 |" in told
    assert "| adult | +0.0123 | +0.0010 to +0.0200 | accuracy | holds |" in told
    assert records.ALL[1].claim not in told


def test_the_page_in_the_documentation_has_every_rule() -> None:
    told = (Path(__file__).parents[1] / "docs" / "rules-of-thumb.md").read_text(encoding="utf-8")
    for rule in records.ALL:
        assert f"## {rule.claim}\n" in told
        assert rule.compared in told
        assert rule.why in told


def test_an_interrupted_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    for part, count in (("train", 120), ("test", 60)):
        x = random.normal(size=count)
        pl.DataFrame({"x": x, "z": random.normal(size=count), "y": x**2}).write_csv(tmp_path / f"waves.{part}.csv")
    spec = {"name": "waves", "kind": "tabular", "task": "regression", "target": "y", "metric": "rmse",
            "file": {part: f"waves.{part}.csv" for part in ("train", "test")}}  # fmt: skip
    (tmp_path / "index.json").write_text(json.dumps([spec]))
    asked = ["rules.py", "--data", str(tmp_path), "--tables", "waves", "--only", "normal-weights-saturate", "--blocks", "4",
             "--rows", str(tmp_path / "rows.jsonl"), "--page", str(tmp_path / "page.md")]  # fmt: skip
    monkeypatch.setattr(sys, "argv", asked)
    rules.main()
    first = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert first["rules"] == {"normal-weights-saturate": {"holds": 1, "does not hold": 0, "not shown": 0}}
    assert "Weights from N(0, 1) saturate units" in (tmp_path / "page.md").read_text(encoding="utf-8")

    def never(*_: object) -> None:
        raise AssertionError("what is known was asked again")

    monkeypatch.setattr(rules, "ground_of", never)
    rules.main()
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == first
