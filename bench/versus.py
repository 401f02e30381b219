"""`liebig improve` beside other tools, at equal time on the same machine.

    python bench/versus.py [--budget 120] [--systems NAME...] [--again NAME...] [--rows FILE] [TABLE...]

Each peer has an environment of its own, made by ``bench/peers/setup.sh``, and a script in ``bench/peers`` that is given the
training file, the test file without its answers being used, and the budget in seconds from the process' start. Liebig is run
as its command, with ``--refit all`` as peers train on all rows, too. Everybody is scored on the table's test file.

Every (system, table, budget, version) is one line of FILE (bench/versus.jsonl), its predictions beside it under bench/.cache;
what is there is not run again unless named by --again. Two systems tie on a table where their scores differ by less than two
standard errors of the paired difference over the test rows. The last line is one JSON object: ``{"mean_rank": {system: ...},
"wins": {system: [wins, ties, losses] of Liebig against it}, "predict_seconds": ..., "tables": ...}``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

import numpy as np
from tables import improve, paired, tables_of

import liebig
from liebig.core.arrays import Predictions
from liebig.data.table.reading import read_table
from liebig.data.table.task import TableTask, table_task

_HERE: Final = Path(__file__).resolve().parent
_DATA: Final = _HERE.parents[1] / "shared" / "data"
_CACHE: Final = _HERE / ".cache" / "versus"
#: With these tables one works; all are asked for with --all.
_USUAL: Final = (
    "adult", "higgs_7k", "oil_spill", "letter", "soybean", "california_housing", "elevators", "flight_delay",
)  # fmt: skip
#: A process that has not ended after so many times its budget is ended.
_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool in an environment of its own: `package` tells its version, `script` runs it."""

    environment: str
    package: str
    script: str
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def python(self) -> Path:
        return _HERE / ".peers" / self.environment / "bin" / "python"


LIEBIG: Final = "liebig"
PEERS: Final[Mapping[str, Peer]] = {
    "lightgbm": Peer("lightgbm", "lightgbm", "lightgbm_default.py"),
    "flaml": Peer("flaml", "flaml", "flaml_automl.py"),
    "autogluon": Peer("autogluon", "autogluon.tabular", "autogluon_best.py"),
    "autogluon-networks": Peer("autogluon", "autogluon.tabular", "autogluon_best.py", (("PEER_NETWORKS", "1"),)),
    "realmlp": Peer("pytabkit", "pytabkit", "pytabkit_model.py", (("PEER_MODEL", "RealMLP_TD"),)),
    "tabm": Peer("pytabkit", "pytabkit", "pytabkit_model.py", (("PEER_MODEL", "TabM_D"),)),
    "random-search": Peer("scikit", "scikit-learn", "scikit_search.py"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one system did on one table. `score` is oriented, larger is better; NaN where it failed, and `failure` says how."""

    system: str
    table: str
    budget: float
    version: str
    score: float
    seconds: float
    predict_seconds: float
    failure: str = ""

    @property
    def key(self) -> tuple[str, str, float, str]:
        return self.system, self.table, self.budget, self.version

    @property
    def predictions(self) -> Path:
        return _CACHE / f"{self.system}-{self.table}-{self.budget:g}-{self.version}.npz"


def version_of(system: str) -> str:
    if system == LIEBIG:
        told = subprocess.run(["git", "describe", "--always"], cwd=_HERE, capture_output=True, text=True, check=False)
        return told.stdout.strip() or "unknown"
    peer = PEERS[system]
    code = f"import importlib.metadata as m; print(m.version({peer.package!r}))"
    told = subprocess.run([str(peer.python), "-c", code], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def run(system: str, data: Path, spec: Mapping[str, Any], budget: float, version: str) -> Row:
    """One system on one table; its predictions are written where the row says."""
    train, test = data / spec["file"]["train"], data / spec["file"]["test"]
    found = table_task(train, spec["target"], kind=spec["task"], metric=spec["metric"], test=test)
    row = Row(system, spec["name"], budget, version, float("nan"), 0.0, 0.0)
    _CACHE.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.npz"
        answers, told, ended = (
            _liebig(train, test, spec, budget, Path(folder)) if system == LIEBIG
            else _peer(PEERS[system], train, test, spec, budget, out)
        )  # fmt: skip
        seconds = (ended or time.monotonic()) - began
        if answers is None:
            return Row(*row.key, float("nan"), round(seconds, 2), float("nan"), told[-300:])
        predictions, classes, predicting = answers
    values = as_metric_wants(found, predictions, classes)
    np.savez(row.predictions, predictions=values)
    metric, truth = found.task.metric, truth_of(found)
    score = metric.oriented(metric.score(truth, values))
    return Row(*row.key, float(score), round(seconds, 2), round(predicting, 4))


Answers = tuple[np.ndarray[Any, Any], list[str], float]


def _liebig(
    train: Path, test: Path, spec: Mapping[str, Any], budget: float, folder: Path
) -> tuple[Answers | None, str, float]:
    try:
        done = improve(train, spec, budget, folder / "study")
    except RuntimeError as error:
        return None, str(error), time.monotonic()
    ended = time.monotonic()
    model, frame = liebig.load(done.study), read_table(test).frame  # peers are timed with the table at hand, too
    began = time.perf_counter()
    if spec["task"] == "regression":
        predictions, classes = np.asarray(model.predict(frame), dtype=np.float64), []
    else:
        predictions = np.asarray(model.predict_proba(frame), dtype=np.float64)
        classes = [str(each) for each in model.classes_]
    return (predictions, classes, time.perf_counter() - began), "", ended


def _peer(
    peer: Peer, train: Path, test: Path, spec: Mapping[str, Any], budget: float, out: Path
) -> tuple[Answers | None, str, float]:
    command = [
        *(str(peer.python), str(_HERE / "peers" / peer.script), str(train), str(test), spec["target"], spec["task"]),
        *(spec["metric"], f"{budget:g}", str(out)),
    ]
    environment = {**os.environ, **dict(peer.variables), "OMP_NUM_THREADS": "2"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE * budget, env=environment
        )
    except subprocess.TimeoutExpired:
        return None, f"did not end in {_PATIENCE * budget:g} s", time.monotonic()
    ended = time.monotonic()
    if done.returncode or not out.exists():
        return None, done.stderr, ended
    with np.load(out) as found:
        predicting = float(found["predict_seconds"])
        return (found["predictions"], [str(each) for each in found["classes"]], predicting), "", ended - predicting


def as_metric_wants(found: TableTask, predictions: np.ndarray[Any, Any], classes: Sequence[str]) -> Predictions:
    """Probabilities in the order of the task's classes, one column for two of them; values for regression."""
    task = found.task
    if not task.kind.is_classification:
        return np.asarray(predictions, dtype=np.float32).reshape(-1)
    columns = np.zeros((len(predictions), len(task.classes)), dtype=np.float32)
    for place, name in enumerate(task.classes):
        if str(name) in classes:
            columns[:, place] = predictions[:, list(classes).index(str(name))]
    return columns[:, 1] if len(task.classes) == 2 else columns


def truth_of(found: TableTask) -> np.ndarray[Any, Any]:
    """The test file's answers, in its order."""
    return found.task.target[np.sort(found.task.parts.sealed)]


def mean_ranks(rows: Mapping[tuple[str, str], Row], systems: Sequence[str], tables: Sequence[str]) -> dict[str, float]:
    """Mean over tables of each system's rank by score; a failed run is last, equals share their ranks' mean."""
    ranks: dict[str, list[float]] = {system: [] for system in systems}
    for table in tables:
        scores = {system: rows[system, table].score for system in systems}
        scores = {system: -np.inf if score != score else score for system, score in scores.items()}
        for system, score in scores.items():
            above = sum(each > score for each in scores.values())
            equal = sum(each == score for each in scores.values())
            ranks[system].append(above + (equal + 1) / 2)
    return {system: round(mean(each), 3) for system, each in ranks.items()}


def record_against(data: Path, one: Row, other: Row, spec: Mapping[str, Any]) -> int:
    """1 where `one` is better than `other` by more than two standard errors of the paired difference, -1 where worse."""
    if one.failure or other.failure:
        return int(bool(other.failure)) - int(bool(one.failure))
    train, test = data / spec["file"]["train"], data / spec["file"]["test"]
    found = table_task(train, spec["target"], kind=spec["task"], metric=spec["metric"], test=test)
    before, after = (np.load(each.predictions)["predictions"] for each in (other, one))
    difference, error = paired(found.task.metric, truth_of(found), before, after)
    return 1 if difference > 2 * error else -1 if difference < -2 * error else 0


def finished(file: Path) -> dict[tuple[str, str, float, str], Row]:
    if not file.exists():
        return {}
    rows = [Row(**json.loads(line)) for line in file.read_text().splitlines() if line.strip()]
    return {row.key: row for row in rows if row.failure or row.predictions.exists()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="TABLE", help="tables; the usual eight where none is named")
    parser.add_argument("--all", action="store_true", help="all tables")
    parser.add_argument(
        "--budget", type=float, default=120.0, help="seconds of each run, from the process' start (120)"
    )
    parser.add_argument("--systems", nargs="*", default=[LIEBIG, *PEERS], help="who is run")
    parser.add_argument("--again", nargs="*", default=[], help="systems that are run although they were")
    parser.add_argument("--rows", type=Path, default=_HERE / "versus.jsonl", help="file of finished runs")
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with index.json and the tables")
    asked = parser.parse_args()
    unknown = set(asked.systems) - {LIEBIG, *PEERS}
    if unknown:
        sys.exit(f"there is no system {', '.join(sorted(unknown))}; there are {', '.join([LIEBIG, *PEERS])}")
    absent = [each for each in asked.systems if each != LIEBIG and not PEERS[each].python.exists()]
    if absent:
        sys.exit(f"bench/peers/setup.sh was not run for {', '.join(absent)}")
    specs = tables_of(asked.data, asked.names or ([] if asked.all else _USUAL))
    done, rows = finished(asked.rows), {}
    versions = {system: version_of(system) for system in asked.systems}
    for spec in specs:
        for system in asked.systems:
            key = (system, spec["name"], asked.budget, versions[system])
            row = done.get(key) if system not in asked.again else None
            if row is None:
                row = run(system, asked.data, spec, asked.budget, versions[system])
                with asked.rows.open("a") as file:
                    file.write(json.dumps(asdict(row)) + "\n")
            rows[system, spec["name"]] = row
            print(
                f"{row.table:<22}{row.system:<20}{row.score:>12.5g}{row.seconds:>8.1f} s"
                f"{row.predict_seconds:>9.3f} s to predict  {row.failure.strip().splitlines()[-1:] or ''}",
                flush=True,
            )
    print(json.dumps(summary(asked.data, rows, asked.systems, specs)))


def summary(
    data: Path, rows: Mapping[tuple[str, str], Row], systems: Sequence[str], specs: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    tables = [spec["name"] for spec in specs]
    wins: dict[str, list[int]] = {}
    for system in systems:
        if system != LIEBIG and LIEBIG in systems:
            found = [record_against(data, rows[LIEBIG, s["name"]], rows[system, s["name"]], s) for s in specs]
            wins[system] = [found.count(1), found.count(0), found.count(-1)]
    return {
        "mean_rank": mean_ranks(rows, systems, tables),
        "wins": wins,
        "predict_seconds": {
            system: median(rows[system, table].predict_seconds for table in tables) for system in systems
        },
        "tables": len(tables),
    }


if __name__ == "__main__":
    main()
