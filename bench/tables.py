"""What `liebig improve` hands over, against the textbook network, on tables whose test files it never sees.

    python bench/tables.py [--budget 60] [--data ../shared/data] [--rows FILE] [--markdown] [NAME...]

For each table: the textbook network and the starting recipe, each trained once on all training rows; then ``liebig improve``
as a process of its own, from its start to its end, with ``--refit all``, so that all three have seen the same rows. All
three are scored on the table's test file. Better and worse mean by more than two standard errors of the paired difference
over the test rows, from each row's influence on the metric.

With ``--markdown`` the rows are also printed as the table of docs/benchmarks.md. With ``--rows FILE`` every finished table is a line of FILE, and tables that are already there are not run again. The last
line is one JSON object: `better` and `worse` count tables; `budget_excess` is the largest overrun and `in_steps` the
smallest share of the budget inside training steps, both over the tables that were run, as fractions.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import liebig
from liebig.core.arrays import Predictions
from liebig.core.metric import Metric
from liebig.core.run import Run
from liebig.core.study import Ended
from liebig.core.task import Block, Task
from liebig.data.table.content import TableData
from liebig.data.table.first_recipes import starting, textbook
from liebig.data.table.task import TableTask, table_task
from liebig.store.ledger import read_study
from liebig.train.training import TrainOptions, train

_POLL = 0.1  # seconds between two looks at the memory of a command
_STOP_SHARE = 0.12  # of the training rows, for the recipe that chooses its epoch
_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Row:
    """One table. Scores as the metric is read; `difference` is final - textbook, oriented so that larger is better, and
    `se` its standard error over the test rows."""

    name: str
    metric: str
    textbook: float
    starting: float
    final: float
    difference: float
    se: float
    seconds: float
    peak_gib: float
    in_steps: float

    @property
    def better(self) -> bool:
        return self.difference > 2 * self.se

    @property
    def worse(self) -> bool:
        return self.difference < -2 * self.se


@dataclass(frozen=True, slots=True)
class Improved:
    """What one ``liebig improve`` cost and left behind."""

    study: Path
    seconds: float
    peak_gib: float


def tables_of(data: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """The tables of the folder's index, or those of them that are named."""
    index = [each for each in json.loads((data / "index.json").read_text()) if each["kind"] == "tabular"]
    unknown = set(names) - {each["name"] for each in index}
    if unknown:
        sys.exit(f"there is no table {', '.join(sorted(unknown))} in {data}")
    return [each for each in index if not names or each["name"] in names]


def whole_block(task: Task[TableData], seed: int = 0) -> Block:
    """All work rows to train on, the sealed test rows to score: what a model that is handed over is trained like."""
    rows = np.random.default_rng(seed).permutation(task.parts.work)
    stop = max(1, round(_STOP_SHARE * len(rows)))
    return Block(0, fit=rows[stop:], stop=rows[:stop], select=task.parts.sealed, init_seed=seed, order_seed=seed)


def trained_on_all(table: TableTask) -> tuple[Run, Run]:
    """The textbook network and the starting recipe, trained on all work rows and predicting the test rows."""
    recipes = (textbook(table), starting(table))
    first, second = train(table.task, recipes, (whole_block(table.task),), options=TrainOptions(probes=False))
    return first.run, second.run


def improve(path: Path, spec: Mapping[str, Any], budget: float, study: Path) -> Improved:
    """Run the command a user would run, and measure it from outside. Raises RuntimeError where it fails."""
    command = [
        *(sys.executable, "-m", "liebig.cli", "improve", str(path), "--target", spec["target"], "--task", spec["task"]),
        *("--metric", spec["metric"], "--budget", f"{budget:g}s", "--study", str(study), "--refit", "all", "--json"),
    ]
    began, peak = time.monotonic(), 0
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=told)
        try:
            while process.poll() is None:
                peak = max(peak, _peak_kib(process.pid))
                time.sleep(_POLL)
        except BaseException:
            process.kill()  # an interrupted benchmark leaves nothing running
            raise
        seconds = time.monotonic() - began
        if process.returncode != 0:
            told.seek(0)
            end = told.read()[-2000:]
            raise RuntimeError(f"liebig improve {path.name} ended with exit code {process.returncode}: {end}")
    return Improved(study, seconds, peak / 2**20)


def _peak_kib(process: int) -> int:
    """The most memory that a running process has had in RAM. What `wait4` tells is no less than its parent had."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def predictions_of(study: Path, frame: pl.DataFrame, kind_is_regression: bool) -> Predictions:
    """What the model that was handed over answers, as metrics want it: one column for two classes."""
    model = liebig.load(study)
    if kind_is_regression:
        return np.asarray(model.predict(frame), dtype=np.float32)
    shares = np.asarray(model.predict_proba(frame), dtype=np.float32)
    return shares[:, 1] if shares.shape[1] == 2 else shares


def paired(
    metric: Metric, target: np.ndarray[Any, Any], before: Predictions, after: Predictions
) -> tuple[float, float]:
    """The oriented difference after - before and its standard error over the rows, from paired influences."""
    difference = metric.oriented(metric.score(target, after)) - metric.oriented(metric.score(target, before))
    influence = metric.influence(target, after) - metric.influence(target, before)
    n = len(target)
    return difference, float(np.sqrt((influence**2).sum() / (n * (n - 1))))


def measure(data: Path, spec: Mapping[str, Any], budget: float) -> Row:
    """One table, whole."""
    path, test = data / spec["file"]["train"], data / spec["file"]["test"]
    table = table_task(path, spec["target"], kind=spec["task"], metric=spec["metric"], test=test)
    task = table.task
    first, second = trained_on_all(table)
    if first.predictions is None or second.predictions is None:
        raise RuntimeError(f"{spec['name']}: {first.outcome.sentence} {second.outcome.sentence}")
    truth = task.target[first.rows]
    frame = pl.read_parquet(test) if test.suffix == ".parquet" else pl.read_csv(test, infer_schema_length=None)
    with tempfile.TemporaryDirectory() as folder:
        done = improve(path, spec, budget, Path(folder) / "study")
        final = predictions_of(done.study, frame, not task.kind.is_classification)
        ended = read_study(done.study).last(Ended)
    if len(final) != len(truth):
        raise RuntimeError(f"{spec['name']}: {len(final)} predictions for {len(truth)} test rows")
    # The run's rows may be in another order than the file's; the sealed rows stand in the file's order.
    order = np.argsort(first.rows, kind="stable")
    truth, before, start = (
        truth[order],
        first.predictions[order],
        second.predictions[np.argsort(second.rows, kind="stable")],
    )
    metric = task.metric
    difference, error = paired(metric, truth, before, final)
    return Row(
        name=spec["name"],
        metric=metric.name,
        textbook=metric.score(truth, before),
        starting=metric.score(truth, start),
        final=metric.score(truth, final),
        difference=difference,
        se=error,
        seconds=round(done.seconds, 2),
        peak_gib=round(done.peak_gib, 3),
        in_steps=round(ended.training_seconds / budget, 3) if ended is not None else float("nan"),
    )


def told(row: Row) -> str:
    verdict = "better" if row.better else "worse" if row.worse else "equal"
    return (
        f"{row.name:22} {row.metric:9} textbook {row.textbook:<11.5g} starting {row.starting:<11.5g} "
        f"improve {row.final:<11.5g} {row.difference:+.4g} ± {2 * row.se:.2g}  {verdict:7}"
        f"{row.seconds:6.1f} s  {row.peak_gib:.2f} GiB  {row.in_steps:.0%} in steps"
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """The rows as the table of docs/benchmarks.md, and the sentence below it."""
    head = "| table | metric | textbook | starting | improve | difference | seconds | peak GiB | in training |"
    lines = [head, "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        scores = " | ".join(_short(each) for each in (row.textbook, row.starting, row.final))
        difference = f"{row.difference:+,.4g}" if abs(row.difference) < 1e4 else f"{row.difference:+,.0f}"
        difference = f"**{difference}**" if row.better else f"_{difference}_" if row.worse else difference
        lines.append(
            f"| {row.name} | {row.metric} | {scores} | {difference} ± {2 * row.se:,.4g} | {row.seconds:.1f} | "
            f"{row.peak_gib:.2f} | {row.in_steps:.0%} |"
        )
    better, worse = sum(row.better for row in rows), sum(row.worse for row in rows)
    told = f"Better by more than two standard errors on {better} of {len(rows)}, worse on {worse}."
    return "\n".join([*lines, "", told])


def _short(score: float) -> str:
    return f"{score:,.0f}" if abs(score) >= 100 else f"{score:.4g}"


def summary(rows: Sequence[Row], budget: float) -> dict[str, Any]:
    """The last line of the benchmark."""
    kept = ("name", "textbook", "starting", "final", "se", "seconds", "peak_gib")
    return {
        "tables": len(rows),
        "better": sum(row.better for row in rows),
        "worse": sum(row.worse for row in rows),
        "budget_excess": round(max((row.seconds / budget - 1 for row in rows), default=0.0), 4),
        "in_steps": min((row.in_steps for row in rows), default=0.0),
        "rows": [{name: value for name, value in asdict(row).items() if name in kept} for row in rows],
    }


def finished(rows_file: Path | None) -> dict[str, Row]:
    """The rows that an earlier call left."""
    if rows_file is None or not rows_file.exists():
        return {}
    rows = [Row(**json.loads(line)) for line in rows_file.read_text().splitlines() if line.strip()]
    return {row.name: row for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="tables; all where none is named")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of each `liebig improve` (60)")
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with index.json and the tables")
    parser.add_argument("--rows", type=Path, default=None, help="file of finished tables, to go on where it stopped")
    parser.add_argument("--markdown", action="store_true", help="print the rows as a markdown table, too")
    asked = parser.parse_args()
    if not (asked.data / "index.json").exists():
        print(f"there are no tables in {asked.data}: nothing to measure (name their folder with --data)")
        print(json.dumps(summary((), asked.budget)))
        return
    rows, done = [], finished(asked.rows)
    for spec in tables_of(asked.data, asked.names):
        row = done.get(spec["name"]) or measure(asked.data, spec, asked.budget)
        if asked.rows is not None and row.name not in done:
            with asked.rows.open("a") as file:
                file.write(json.dumps(asdict(row)) + "\n")
        rows.append(row)
        print(told(row), flush=True)
    if asked.markdown:
        print(as_markdown(rows))
    print(json.dumps(summary(rows, asked.budget)))


if __name__ == "__main__":
    main()
