"""Pictures: what `liebig fit` and `liebig improve` reach beside other ways, at equal time on the same machine.

    python bench/images.py [--budget 600] [--only liebig] [--systems NAME...] [--rows FILE] [--data ../shared/data] [NAME...]

`fit` is the command with the starting recipe, from its start to its end: it trains on all training pictures and takes the time that
its recipe takes. Its score is of the test part, which stands in as the valid part: the starting recipe trains a fixed number of
epochs and hands over the last weights, so that nothing is chosen there (asserted). `liebig` is ``liebig improve`` with the
test part sealed. `onecycle` is a ResNet-18 from scratch with one-cycle SGD, flips, crops and cutout in plain PyTorch; `keras` a
Keras 3 CNN with its tutorial's layers and callbacks; `tuner` KerasTuner's random search over that CNN. Peers are given the
pictures decoded to the same size; the last two have an environment of their own (``bench/peers/setup.sh keras``).

Every finished (system, set, budget) is a line of FILE and is not run again while it stands there. The last line is one JSON object:
``{"cifar10_5k": {"liebig": ..., "fit": ..., "keras": ..., "onecycle": ..., "tuner": ...}, ...}``, accuracies on the test part.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

import liebig
from liebig.data.pictures.task import PictureTask, picture_task

_HERE: Final = Path(__file__).resolve().parent
_DATA: Final = _HERE.parents[1] / "shared" / "data"
_NAMES: Final = ("cifar10_5k", "mnist_10k", "cats_dogs")
_OWN: Final = ("liebig", "fit")
_PEERS: Final = {"onecycle": "onecycle_resnet.py", "keras": "keras_cnn.py", "tuner": "keras_tuner_search.py"}
#: A process that has not ended after so many times its budget is ended.
_PATIENCE: Final = 3.0


@dataclass(frozen=True, slots=True)
class Row:
    """What one system did on one set: accuracy on the test part, seconds from the process' start to its end."""

    system: str
    name: str
    budget: float
    accuracy: float
    seconds: float
    failure: str = ""


def commanded(words: Sequence[str], patience: float, variables: dict[str, str] | None = None) -> tuple[str, float]:
    """Standard output and seconds of one command. Raises RuntimeError where it fails or does not end."""
    began = time.monotonic()
    try:
        done = subprocess.run(
            list(words), capture_output=True, text=True, check=False, timeout=patience,
            env={**os.environ, **(variables or {})},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"did not end in {patience:.0f} s") from error
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    return done.stdout, time.monotonic() - began


def improved(path: Path, found: PictureTask, budget: float, folder: Path) -> tuple[float, float]:
    """``liebig improve``: its model's accuracy on the test part, asked for here once more, and seconds."""
    study = folder / "study"
    words = [
        sys.executable,
        "-m",
        "liebig.cli",
        "improve",
        str(path),
        "--budget",
        f"{budget:g}s",
        "--study",
        str(study),
    ]
    _, seconds = commanded([*words, "--json"], _PATIENCE * budget)
    rows = found.task.parts.sealed
    answers = liebig.load(study).predict(found.task.data.pixels[rows])
    truth = [found.task.classes[int(code)] for code in found.task.target[rows]]
    return float(np.mean(np.asarray(answers) == np.asarray(truth))), seconds


def fitted(path: Path, budget: float, folder: Path) -> tuple[float, float]:
    """``liebig fit`` on all training pictures, scored on the test part."""
    words = [sys.executable, "-m", "liebig.cli", "fit", str(scored_on_test(path, folder)), "--run", str(folder / "run")]
    told, seconds = commanded([*words, "--verbose", "0", "--json"], _PATIENCE * budget)
    run = json.loads(told)
    if run["recipe"]["stopping"]["kind"] != "epochs":
        raise RuntimeError("the recipe chooses its epoch on the part that it is scored on")
    return float(run["score"]), seconds


def scored_on_test(path: Path, folder: Path) -> Path:
    """The same pictures with the test part as the valid part, too."""
    if path.suffix == ".npz":
        with np.load(path) as file:
            parts = {name: file[name] for name in file.files}
        made = folder / path.name
        np.savez(made, **parts, x_valid=parts["x_test"], y_valid=parts["y_test"])
        return made
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "tree")
    (test,) = [each for each in (folder / "tree").rglob("test") if each.is_dir()]
    shutil.copytree(test, test.with_name("valid"))
    return test.parent


def peer(system: str, found: PictureTask, budget: float, folder: Path) -> tuple[float, float]:
    """Another way, given the decoded pictures."""
    task, data = found.task, found.task.data
    labels, (work, sealed) = task.target.astype(np.int64), (task.parts.work, task.parts.sealed)
    np.savez(folder / "parts.npz", x_train=data.pixels[work], y_train=labels[work], x_test=data.pixels[sealed],
             classes=len(task.classes))  # fmt: skip
    own = _HERE / ".peers" / "keras" / "bin" / "python"
    python = sys.executable if system == "onecycle" else str(own)
    words = [python, str(_HERE / "peers" / _PEERS[system]), str(folder / "parts.npz"), f"{budget:g}"]
    _, seconds = commanded(
        [*words, str(folder / "out.npz")], _PATIENCE * budget, {"OMP_NUM_THREADS": str(os.cpu_count() or 1)}
    )
    with np.load(folder / "out.npz") as file:
        answers = file["classes"]
    return float(np.mean(answers == labels[sealed])), seconds


def measured(system: str, name: str, data: Path, budget: float) -> Row:
    """One system on one set."""
    path = next(data / f"{name}{ending}" for ending in (".npz", ".zip") if (data / f"{name}{ending}").exists())
    found = picture_task(path)
    if not found.task.parts.test_given:
        raise RuntimeError(f"{path} has no test part")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        try:
            if system == "liebig":
                accuracy, seconds = improved(path, found, budget, folder)
            elif system == "fit":
                accuracy, seconds = fitted(path, budget, folder)
            else:
                accuracy, seconds = peer(system, found, budget, folder)
        except RuntimeError as error:
            return Row(system, name, budget, float("nan"), float("nan"), str(error)[-500:])
    return Row(system, name, budget, round(accuracy, 4), round(seconds, 1))


def finished(file: Path | None) -> dict[tuple[str, str, float], Row]:
    """The rows that an earlier call left."""
    if file is None or not file.exists():
        return {}
    rows = [Row(**json.loads(line)) for line in file.read_text().splitlines() if line.strip()]
    return {(row.system, row.name, row.budget): row for row in rows if not row.failure}


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """The last line of the benchmark."""
    names = dict.fromkeys(row.name for row in rows)
    return {name: {row.system: row.accuracy for row in rows if row.name == name and not row.failure} for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"sets; {', '.join(_NAMES)} where none is named")
    parser.add_argument(
        "--budget", type=float, default=600.0, help="seconds of each run, from the process' start (600)"
    )
    parser.add_argument("--only", choices=["liebig"], help="run Liebig alone")
    parser.add_argument("--systems", nargs="*", default=None, help="who is run")
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with the pictures")
    parser.add_argument("--rows", type=Path, default=None, help="file of finished runs, to go on where it stopped")
    asked = parser.parse_args()
    systems = asked.systems or (_OWN if asked.only else (*_OWN, *_PEERS))
    unknown = set(systems) - {*_OWN, *_PEERS}
    if unknown:
        sys.exit(f"there is no system {', '.join(sorted(unknown))}; there are {', '.join((*_OWN, *_PEERS))}")
    names = asked.names or [name for name in _NAMES if list(asked.data.glob(f"{name}.*"))]
    if not names:
        print(f"there are no pictures in {asked.data}: nothing to measure (name their folder with --data)")
    rows, done = [], finished(asked.rows)
    for name in names:
        for system in systems:
            row = done.get((system, name, asked.budget))
            if row is None:
                row = measured(system, name, asked.data, asked.budget)
                if asked.rows is not None:
                    with asked.rows.open("a") as file:
                        file.write(json.dumps(asdict(row)) + "\n")
            rows.append(row)
            told = row.failure.strip().splitlines()[-1] if row.failure.strip() else ""
            print(f"{row.name:<14}{row.system:<10}{row.accuracy:>8.4f}{row.seconds:>9.1f} s  {told}", flush=True)
    print(json.dumps(summary(rows)))


if __name__ == "__main__":
    main()
