"""The page that tells what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rules_of_thumb.questions import Answer
from rules_of_thumb.records import PLAIN_TOLD, Rule

_MARKS: Final = {Answer.HOLDS: "✓", Answer.FAILS: "✗", Answer.OPEN: "·"}


@dataclass(frozen=True, slots=True)
class Row:
    """What one table says of one rule. `unit` is what the difference is in; it is positive as the rule claims it.
    `seconds` are the processor's."""

    rule: str
    table: str
    unit: str
    answer: str
    difference: float
    low: float
    high: float
    aside: str
    trainings: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page says of the measurement itself."""

    date: str
    machine: str
    rows: int
    blocks: int


def counted(rows: Sequence[Row]) -> dict[Answer, int]:
    """On how many tables the rule holds, does not hold, is not shown."""
    return {answer: sum(row.answer == answer for row in rows) for answer in Answer}


def lesson(rows: Sequence[Row]) -> str:
    """The sentence for whoever wants to know whether to follow the rule."""
    count, all_of = counted(rows), len(rows)
    holds, fails = count[Answer.HOLDS], count[Answer.FAILS]
    against = f", and failed on {fails}" if fails else ""
    if holds == all_of:
        return f"It held on all {all_of} tables: rely on it."
    if 2 * holds > all_of:
        return f"It held on {holds} of {all_of} tables{against}: a good first guess."
    if fails and not holds:
        return f"It failed on {fails} of {all_of} tables and held on none: do not rely on it with tables like these."
    if 2 * fails > all_of:
        return f"It failed on {fails} of {all_of} tables and held on {holds}: do not rely on it without trying."
    if not holds:
        return f"Nothing was shown on any of the {all_of} tables: whatever it is worth, it is less than these rows can tell."
    return f"It held on {holds} of {all_of} tables{against}: it depends on the table, so try it on yours."


def as_page(rules: Sequence[Rule], rows: Sequence[Row], facts: Facts) -> str:
    """The page, in Markdown. Rules and tables that were not asked are left out."""
    asked = [rule for rule in rules if any(row.rule == rule.name for row in rows)]
    tables = list(dict.fromkeys(row.table for row in rows))
    sections = [line for rule in asked for line in _section(rule, [row for row in rows if row.rule == rule.name])]
    return "\n".join([*_head(rows, tables, facts), *_matrix(asked, tables, rows), "", *sections]).rstrip() + "\n"


def _head(rows: Sequence[Row], tables: Sequence[str], facts: Facts) -> list[str]:
    trainings, minutes = sum(row.trainings for row in rows), sum(row.seconds for row in rows) / 60
    judged = len(rows)
    return [
        "# Rules of thumb",
        "",
        f"Every course tells them. Here each is asked of {len(tables)} real tables: do they hold?",
        "",
        f"On each table the rule's two sides are trained in the same {facts.blocks} blocks: the same splits, the same order of rows, the same initial "
        "weights where shapes agree. A side whose learning rate is not what is asked has the best of several rates, chosen on the other half of the blocks, so that "
        "no side is judged at a rate that suits only the other. The difference is taken inside each block and on the same rows "
        "([the proof](proof.md)), in the table's metric, positive where the rule's side is better:",
        "",
        "- **✓ holds**: the 95 % interval of the difference lies wholly on the rule's side;",
        "- **✗ does not hold**: it lies wholly on the other side;",
        "- **· not shown**: it does not exclude zero. That is not the same as wrong: the effect may be small, or not there.",
        "",
        f"Of {judged} judgements a few stand on the wrong side by luck: at 95 %, about {0.025 * judged:.0f} on each side if no rule had any effect. Unless it is said otherwise "
        f"the network is the plain one: {PLAIN_TOLD}. A training that breaks, or does worse than an answer that ignores its input, counts as that answer. The tables have at most "
        f"{facts.rows:,} rows here: what is not shown on them may show on more.",
        "",
        f"Measured by `python bench/rules.py` on {facts.date} ({facts.machine}): {trainings:,} trainings in {minutes:.0f} minutes of processor time.",
        "",
    ]  # fmt: skip


def _matrix(rules: Sequence[Rule], tables: Sequence[str], rows: Sequence[Row]) -> list[str]:
    found = {(row.rule, row.table): row for row in rows}
    lines = [
        f"| rule | {' | '.join(each.replace('_', ' ') for each in tables)} | holds | does not | not shown |",
        f"|---|{':-:|' * (len(tables) + 3)}",
    ]
    for rule in rules:
        own = [found.get((rule.name, table)) for table in tables]
        marks = " | ".join(_MARKS[Answer(row.answer)] if row else "" for row in own)
        counts = " | ".join(str(each) for each in counted([row for row in own if row]).values())
        lines.append(f"| [{rule.claim}](#{_anchor(rule.claim)}) | {marks} | {counts} |")
    return lines


def _section(rule: Rule, rows: Sequence[Row]) -> list[str]:
    aside = any(row.aside for row in rows)
    lines = [
        f"## {rule.claim}",
        "",
        f"**{lesson(rows)}** {rule.why}",
        "",
        f"Compared: {rule.compared}",
        "",
        f"| table | difference | 95 % interval | in | answer |{' |' if aside else ''}",
        f"|---|--:|:-:|---|---|{'---|' if aside else ''}",
    ]
    for row in rows:
        told = f"| {row.table} | {number(row.difference)} | {number(row.low)} to {number(row.high)} | {row.unit} | {row.answer} |"
        lines.append(f"{told} {row.aside} |" if aside else told)
    return [*lines, ""]


def number(value: float) -> str:
    """With its sign and about three digits that count."""
    if abs(value) >= 1000:
        return f"{value:+,.0f}"
    return f"{value:+.4f}" if abs(value) < 1 else f"{value:+.3g}"


def _anchor(title: str) -> str:
    kept = "".join(each for each in title.lower() if each.isalnum() or each in "- _")
    return kept.replace(" ", "-")
