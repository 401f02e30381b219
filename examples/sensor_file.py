"""A file of sensor readings, made here: which of three machines is it, by half a second of vibration?

Writes `machines.npz` (into the folder that is named, if one is), trains the starting recipe once, says what limits it, and predicts.
In a shell the same is

    python examples/sensor_file.py .
    liebig fit machines.npz
    liebig diagnose machines-runs/1
    liebig improve machines.npz --budget 2m
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import liebig


def readings(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vibration of `count` machines on two axes, with lengths that vary, and which machine each is."""
    random = np.random.default_rng(seed)
    machine = random.integers(3, size=count)
    lengths = random.integers(60, 101, count)
    at = np.arange(100)[None, :, None] / 100
    turns = np.array([6, 9, 13])[machine][:, None, None] * random.normal(1, 0.03, (count, 1, 1))
    loose = (machine == 2)[:, None, None] * np.sin(2 * np.pi * 3 * turns * at)
    phase = random.uniform(0, 2 * np.pi, (count, 1, 2))
    values = np.sin(2 * np.pi * turns * at + phase) + 0.5 * loose + 0.8 * random.normal(size=(count, 100, 2))
    values[np.arange(100)[None] >= lengths[:, None]] = 0.0  # behind the end
    return values.astype(np.float32), machine, lengths


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    x, y, lengths = readings(300, seed=0)
    x_test, y_test, len_test = readings(150, seed=1)
    np.savez(
        folder / "machines.npz", x_train=x, y_train=y, len_train=lengths, x_test=x_test, y_test=y_test, len_test=len_test,
        names=np.array(["pump", "fan", "drill"]), channels=np.array(["across", "along"]),
    )  # fmt: skip
    run = liebig.fit(
        folder / "machines.npz", changes=("stopping.epochs=15",), run=folder / "sensor-run", on_event=liebig.silent
    )
    print(run.summary())
    print(run.diagnose())
    model = liebig.load(folder / "sensor-run")
    answers = model.predict(x_test[:5])
    print("the first five of the test part:", ", ".join(answers))
