"""On how many tables does each rule of thumb hold?

    python bench/rules.py [--data ../shared/data] [--only RULE...] [--tables NAME...] [--rows FILE] [--page docs/rules-of-thumb.md]

Each rule is a frozen record (`rules_of_thumb/records.py`): what it claims, and the recipes that answer it. On each table all of them are
trained in the same blocks, as populations, and the difference is judged once: it holds, it does not hold, or nothing is shown
(`rules_of_thumb/questions.py`). With ``--rows FILE`` every answer is a line of FILE, and what is already there is not asked again. With ``--page
FILE`` the page is written from all of them. The last line is one JSON object: for each rule on how many tables it holds, does not
hold, is not shown.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import torch
from rules_of_thumb.page import Facts, Row, as_page, counted, number
from rules_of_thumb.records import ALL, Rule
from rules_of_thumb.running import Ground, Trainings, ground_of, tables_of

from liebig.hardware.reading import processor_name

_DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
TABLES: Final = (
    "adult", "credit_default", "higgs_7k", "letter", "abalone", "california_housing", "diamonds", "elevators",
)  # fmt: skip


def asked_of(ground: Ground, rule: Rule, trainings: Trainings) -> Row:
    """What one table says of one rule."""
    began = time.process_time()
    trained = trainings.train(rule.question.recipes, rule.question.looks_inside)
    told = rule.question.told(trainings)
    return Row(
        rule.name, ground.name, rule.question.unit or ground.found.task.metric.title, told.answer.value, told.difference, told.low,
        told.high, told.aside, trained, round(time.process_time() - began, 2),
    )  # fmt: skip


def told(row: Row) -> str:
    interval = f"{number(row.low)} to {number(row.high)}"
    return f"{row.table:20}{row.rule:34}{row.answer:15}{number(row.difference):>10}  {interval:24}{row.seconds:6.1f} s  {row.aside}"


def finished(rows_file: Path | None) -> list[Row]:
    """The answers that an earlier call left."""
    if rows_file is None or not rows_file.exists():
        return []
    return [Row(**json.loads(line)) for line in rows_file.read_text().splitlines() if line.strip()]


def summary(rules: Sequence[Rule], rows: Sequence[Row]) -> dict[str, Any]:
    """The last line of the benchmark."""
    return {
        "tables": len({row.table for row in rows}),
        "seconds": round(sum(row.seconds for row in rows)),
        "rules": {
            rule.name: {answer.value: count for answer, count in counted([row for row in rows if row.rule == rule.name]).items()}
            for rule in rules
        },
    }  # fmt: skip


def machine() -> str:
    """What was measured on, in a few words."""
    threads = torch.get_num_threads()
    return f"{processor_name()}, {threads} thread{'s' if threads > 1 else ''}, torch {torch.__version__.split('+')[0]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with index.json and the tables")
    parser.add_argument("--tables", nargs="+", default=TABLES, metavar="NAME", help="tables that are asked")
    parser.add_argument("--only", nargs="+", default=(), choices=[rule.name for rule in ALL], metavar="RULE")
    parser.add_argument("--most-rows", type=int, default=1500, help="rows of a table (1,500)")
    parser.add_argument("--blocks", type=int, default=8, help="blocks, in which every recipe is trained (8)")
    parser.add_argument("--rows", type=Path, default=None, help="file of answers, to go on where it stopped")
    parser.add_argument("--page", type=Path, default=None, help="file of the page, in Markdown")
    asked = parser.parse_args()
    rules = [rule for rule in ALL if not asked.only or rule.name in asked.only]
    if not (asked.data / "index.json").exists():
        print(f"there are no tables in {asked.data}: nothing to measure (name their folder with --data)")
        print(json.dumps(summary(rules, ())))
        return
    known = {(row.rule, row.table): row for row in finished(asked.rows)}
    rows = []
    for spec in tables_of(asked.data, asked.tables):
        rows += answers(asked, spec, rules, known)
    if asked.page is not None:
        facts = Facts(datetime.now(UTC).date().isoformat(), machine(), asked.most_rows, asked.blocks)
        asked.page.write_text(as_page(ALL, rows, facts), encoding="utf-8")
        print(f"the page is {asked.page}", file=sys.stderr)
    print(json.dumps(summary(rules, rows)))


def answers(
    asked: argparse.Namespace, spec: dict[str, Any], rules: Sequence[Rule], known: dict[tuple[str, str], Row]
) -> list[Row]:
    """What one table says of each rule; it is read only where something is left to ask."""
    rows: list[Row] = []
    trainings: Trainings | None = None
    for rule in rules:
        row = known.get((rule.name, spec["name"]))
        if row is None:
            if trainings is None:
                ground = ground_of(asked.data, spec, asked.most_rows, asked.blocks)
                trainings = Trainings(ground)
            row = asked_of(ground, rule, trainings)
            if asked.rows is not None:
                with asked.rows.open("a") as file:
                    file.write(json.dumps(asdict(row)) + "\n")
            print(told(row), flush=True)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
