"""What is each remedy worth on tables, before anything is known of one? The numbers that stand in the remedies' files.

    python bench/priors.py [--data ../shared/data] [--rows FILE] [--control starting|textbook] [--blocks 5] [--most 8000] [NAME...]

For each table: the control (the starting recipe with a single network, or the textbook network) and, beside it in the same blocks, the first
proposal of every remedy that has one for it, whatever its checks found. An effect is the mean difference over the blocks in units of
a block's difference between equal recipes, as everywhere in the coach; a win or a loss lies beyond two standard errors. A treatment that fails is a loss.

Every finished (control, table) is some lines of FILE (default bench/priors.jsonl), and is not run again. What is told of a remedy is the median over tables with its wins, ties
and losses, as ``measured(...)`` takes them, and between which medians it lies when any one table is left out: a prior that hangs on one
table is none. The last line is one JSON object: `tables`, and `remedies` with `effect`, `low`, `high` (one table left out), `wins`, `ties`,
`losses`, and `now`, the prior in the remedy's file.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

import polars as pl

from liebig.checks import diagnose
from liebig.checks.agreeing import agreed
from liebig.coach.runner import Request, Result
from liebig.coach.training import TrainingRunner
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Situation
from liebig.core.run import Score
from liebig.data.table.first_recipes import starting, textbook
from liebig.data.table.task import TableTask, table_task
from liebig.remedies import ALL
from liebig.remedies.ranking import proposals
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.trials.procedure import Pairs, pairs, spread_over

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_KEPT = Path(__file__).with_name("priors.jsonl")
#: A treatment that failed, in block standard deviations.
_FAILED = -3.0
#: A treatment that takes so many times as long as its control is left out.
_DEAREST = 8.0


@dataclass(frozen=True, slots=True)
class Effect:
    """One remedy on one table: `effect` in block standard deviations, `error` its standard error."""

    control: str
    table: str
    remedy: str
    name: str
    answers: str
    effect: float
    error: float
    blocks: int

    @property
    def won(self) -> bool:
        return self.effect > 2 * self.error

    @property
    def lost(self) -> bool:
        return self.effect < -2 * self.error


def control_of(found: TableTask, name: str) -> Recipe:
    return textbook(found) if name == "textbook" else starting(found).without_technique(SeedEnsemble)


def effects_on(found: TableTask, control: str, blocks: int) -> Iterator[Effect]:
    """The effect of every remedy that has something to propose."""
    runner = TrainingRunner(found, seed=0, clock=lambda: 0.0, keeps_answers=False)
    recipe = control_of(found, control)
    whole = [Request(recipe, block) for block in range(blocks)]
    before = runner.run(whole, None)
    if any(each.score.failed for each in before):
        return
    evidence = [each.evidence.having(found.profile) for each in before if each.evidence.measurements]
    findings = agreed([diagnose(each) for each in evidence]).findings
    situation = Situation(
        found.task.kind, len(found.task.parts.work), len(found.task.data.inputs), evidence[0],
        runner.trainer.found_rate(recipe),
    )  # fmt: skip
    most = _DEAREST * runner.predicted_seconds(whole)
    tried: dict[str, tuple[Proposal, str]] = {}
    for ranked in proposals(recipe, findings, situation):
        requests = [Request(ranked.recipe, block) for block in range(blocks)]
        if ranked.remedy not in tried and " + " not in ranked.remedy and runner.predicted_seconds(requests) <= most:
            tried[ranked.remedy] = ranked.proposal, ranked.answers
    seen: dict[str, Pairs | None] = {}
    for remedy, (proposal, _) in tried.items():
        after = runner.run([Request(proposal.recipe, block) for block in range(blocks)], None)
        seen[remedy] = _pairs(before, after)
    spread = spread_over(each for each in seen.values() if each is not None)
    for remedy, each in seen.items():
        proposal, answers = tried[remedy]
        effect, error = _FAILED, 1.0
        if each is not None:
            unit = math.sqrt(spread.ratio(each.examples) * each.noise)
            effect = each.difference / unit if unit > 0 else 0.0
            error = math.sqrt(1 / blocks + (each.common / unit**2 if unit > 0 else 0.0))
        yield Effect(control, found.task.name, remedy, proposal.name, answers, effect, error, blocks)


def _pairs(before: Sequence[Result], after: Sequence[Result]) -> Pairs | None:
    """None where a treatment failed."""
    scores: list[Score] = [each.score for each in after]
    return None if any(each.failed for each in scores) else pairs([each.score for each in before], scores)


def told(effects: Sequence[Effect]) -> dict[str, dict[str, object]]:
    """Each remedy over its tables."""
    found: dict[str, dict[str, object]] = {}
    for remedy in ALL:
        own = [each for each in effects if each.remedy == remedy.name]
        if not own:
            continue
        values = [each.effect for each in own]
        without = [median([*values[:i], *values[i + 1 :]]) for i in range(len(values))] if len(values) > 1 else values
        wins, losses = sum(each.won for each in own), sum(each.lost for each in own)
        found[remedy.name] = {
            "effect": round(median(values), 2), "low": round(min(without), 2), "high": round(max(without), 2), "wins": wins,
            "ties": len(own) - wins - losses, "losses": losses, "now": remedy.prior.effect,
        }  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_DATA)
    parser.add_argument("--rows", type=Path, default=_KEPT)
    parser.add_argument("--control", choices=("starting", "textbook"), default="starting")
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--most", type=int, default=8_000, help="rows of a table that are used, at most")
    parser.add_argument("names", nargs="*", metavar="NAME")
    asked = parser.parse_args()
    index = json.loads((asked.data / "index.json").read_text())
    tables = [each for each in index if each["kind"] == "tabular" and (not asked.names or each["name"] in asked.names)]
    lines = asked.rows.read_text().splitlines() if asked.rows.is_file() else []
    kept = [Effect(**json.loads(line)) for line in lines]
    for spec in tables:
        if any(each.table == spec["name"] and each.control == asked.control for each in kept):
            continue
        path = asked.data / spec["file"]["train"]
        frame = pl.read_csv(path, infer_schema_length=None) if path.suffix == ".csv" else pl.read_parquet(path)
        frame = frame.sample(asked.most, seed=0) if len(frame) > asked.most else frame
        found = table_task(frame, spec["target"], metric=spec["metric"])
        done = [replace(each, table=spec["name"]) for each in effects_on(found, asked.control, asked.blocks)]
        kept += done
        with asked.rows.open("a") as file:  # a table's lines at once: one that was cut short is measured anew
            file.writelines(json.dumps(asdict(each)) + "\n" for each in done)
        for each in done:
            print(
                f"{each.table:<22} {each.remedy:<28} {each.effect:+6.2f} +-{each.error:.2f}  {each.name}",
                file=sys.stderr,
            )
    own = [each for each in kept if each.control == asked.control]
    remedies = told(own)
    for name, each in sorted(remedies.items()):
        counts = f"{each['wins']}, {each['ties']}, {each['losses']}"
        print(
            f"{name:<28} measured({each['effect']}, {counts})   one table left out {each['low']} to {each['high']}   now {each['now']}"
        )
    print(json.dumps({"tables": len({each.table for each in own}), "remedies": remedies}))


if __name__ == "__main__":
    main()
