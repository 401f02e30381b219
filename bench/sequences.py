"""Sequences: `liebig improve` beside what people use, at equal time on the same machine.

    python bench/sequences.py [--budget 300] [--only liebig] [--systems NAME...] [SET...]

Systems: ``liebig`` (its command, the test part given with the data), ``rocket`` (random convolutions, ridge chosen by leaving rows
out; Dempster, Petitjean & Webb 2020, written here from the paper), ``lstm`` (one LSTM layer of 64, Adam 1e-3, early stopping on a
fifth, in plain PyTorch), ``boosting`` (scikit-learn's histogram boosting on seven numbers of each channel); for forecasts
``seasonal-naive``, ``ridge`` (on all steps, the penalty chosen on the latest fifth) and ``lstm``. Everybody is scored once on the test
part. Peers take what they need, Liebig its budget.

Ties: scores within one standard error of the better one's over the test rows share a rank. The last line is one JSON object:
``{"scores": {set: {system: score}}, "mean_rank": {system: ...}, "forecasts_won": ..., "budget": ...}``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import Ridge, RidgeClassifierCV, RidgeCV
from torch import nn
from torch.nn import functional

_DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
_ANSWERS: Final = ("basic_motions", "italy_power", "indoor_movement", "plaid_appliance", "covid_deaths")
_FORECASTS: Final = ("daily_min_temperature", "vic_electricity")
_KERNELS: Final = 2_000
_PENALTIES: Final = np.logspace(-3, 3, 10)

Array = NDArray[Any]


def read(name: str) -> dict[str, Array]:
    with np.load(_DATA / f"{name}.npz", allow_pickle=False) as file:
        found = {key: file[key] for key in file.files}
    for part in ("train", "test"):
        found.setdefault(f"len_{part}", np.full(len(found[f"x_{part}"]), found[f"x_{part}"].shape[1]))
    return found


def kind_of(data: dict[str, Array]) -> str:
    if data["y_train"].ndim == 2:
        return "forecast"
    return "classes" if np.issubdtype(data["y_train"].dtype, np.integer) else "numbers"


# --- Liebig ----------------------------------------------------------------------------------------------------------------


def liebig(name: str, data: dict[str, Array], budget: float) -> Array:
    """The study's model on the test part, by the command line."""
    command = [str(Path(sys.executable).with_name("liebig"))]
    with tempfile.TemporaryDirectory() as folder:
        study, out, new = (Path(folder) / each for each in ("study", "out.csv", "new.npz"))
        path = str(_DATA / f"{name}.npz")
        subprocess.run([*command, "improve", path, "--budget", f"{budget:g}s", "--study", str(study)], check=True,
                       stdout=sys.stderr, env=dict(os.environ))  # fmt: skip
        np.savez(new, x=data["x_test"], lengths=data["len_test"])
        subprocess.run([*command, "predict", str(study), str(new), "-o", str(out)], check=True, stdout=sys.stderr)
        lines = [line.split(",") for line in out.read_text().splitlines()]
    kind = kind_of(data)
    if kind == "forecast":
        return np.array([[float(each) for each in line[1:]] for line in lines[1:]])
    if kind == "numbers":
        return np.array([float(line[1]) for line in lines[1:]])
    codes = {str(each): code for code, each in enumerate(data["names"])}
    return np.array([codes[line[1]] for line in lines[1:]])


# --- peers -----------------------------------------------------------------------------------------------------------------


def rocket(name: str, data: dict[str, Array], budget: float) -> Array:
    """Share of positive values and the largest of random convolutions; ridge."""
    random, channels = np.random.default_rng(0), data["x_train"].shape[2]
    steps = int(np.median(data["len_train"]))
    kernels = []
    for _ in range(_KERNELS):
        taps = int(random.choice([7, 9, 11]))
        weights = random.normal(size=(int(min(channels, 2 ** random.uniform(0, np.log2(channels + 1)))), taps))
        dilation = int(2 ** random.uniform(0, max(np.log2(max(steps - 1, 1) / (taps - 1)), 0)))
        kernels.append((weights - weights.mean(1, keepdims=True), random.choice(channels, len(weights), replace=False),
                        random.uniform(-1, 1), dilation, int(random.integers(2))))  # fmt: skip
    inputs = [_rocket_numbers(data[f"x_{part}"], data[f"len_{part}"], kernels) for part in ("train", "test")]
    centre, spread = inputs[0].mean(0), inputs[0].std(0) + 1e-8
    train, test = ((each - centre) / spread for each in inputs)
    model = RidgeClassifierCV(_PENALTIES) if kind_of(data) == "classes" else RidgeCV(_PENALTIES)
    return np.asarray(model.fit(train, data["y_train"]).predict(test))


def _rocket_numbers(values: Array, lengths: Array, kernels: list[Any]) -> Array:
    found = np.empty((len(values), 2 * len(kernels)), dtype=np.float32)
    for row, (own, length) in enumerate(zip(values, lengths, strict=True)):
        series = own[:length]
        series = (series - series.mean(0)) / (series.std(0) + 1e-8)  # each by its own, as published
        x = torch.from_numpy(np.ascontiguousarray(series.T, dtype=np.float32))[None]
        for place, (weights, channels, bias, dilation, pads) in enumerate(kernels):
            padding = (
                (weights.shape[1] - 1) * dilation // 2 if pads or (weights.shape[1] - 1) * dilation >= length else 0
            )
            kernel = torch.from_numpy(weights.astype(np.float32))[None]
            answer = functional.conv1d(x[:, channels], kernel, None, 1, padding, dilation)[0, 0] + bias
            found[row, 2 * place] = float((answer > 0).float().mean())
            found[row, 2 * place + 1] = float(answer.max())
    return found


def boosting(name: str, data: dict[str, Array], budget: float) -> Array:
    """Histogram boosting on what each channel is like."""
    train, test = (_numbers(data[f"x_{part}"], data[f"len_{part}"]) for part in ("train", "test"))
    few = {"min_samples_leaf": max(2, min(20, len(train) // 10))}
    model = (
        HistGradientBoostingClassifier(**few) if kind_of(data) == "classes" else HistGradientBoostingRegressor(**few)
    )
    return np.asarray(model.fit(train, data["y_train"]).predict(test))


def _numbers(values: Array, lengths: Array) -> Array:
    rows = []
    for own, length in zip(values, lengths, strict=True):
        series = own[:length]
        change = np.diff(series, axis=0)
        parts = (series.mean(0), series.std(0), series.min(0), series.max(0), np.median(series, 0), series[-1], np.abs(change).mean(0))  # fmt: skip
        rows.append(np.concatenate([*parts, [length]]))
    return np.array(rows)


class _Plain(nn.Module):
    """One layer, the state of the last step, one linear layer."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.layer, self.last = nn.LSTM(channels, 64, batch_first=True), nn.Linear(64, outputs)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        states = self.layer(x)[0]
        answer: torch.Tensor = self.last(states[torch.arange(len(x)), lengths - 1])
        return answer


def lstm(name: str, data: dict[str, Array], budget: float) -> Array:
    """As a tutorial trains it: standardised, Adam 1e-3, batches of 32, early stopping with ten epochs of patience."""
    torch.manual_seed(0)
    kind = kind_of(data)
    there = np.arange(data["x_train"].shape[1])[None] < data["len_train"][:, None]
    centre, spread = data["x_train"][there].mean(0), data["x_train"][there].std(0) + 1e-8
    x, test = (
        torch.from_numpy(((data[f"x_{part}"] - centre) / spread).astype(np.float32)) for part in ("train", "test")
    )
    lengths, test_lengths = (torch.from_numpy(data[f"len_{part}"].astype(np.int64)) for part in ("train", "test"))
    level, unit = (0.0, 1.0) if kind == "classes" else (float(data["y_train"].mean()), float(data["y_train"].std()))
    y = torch.from_numpy(data["y_train"].astype(np.int64) if kind == "classes" else ((data["y_train"] - level) / unit).astype(np.float32))  # fmt: skip
    outputs = int(y.max()) + 1 if kind == "classes" else (y.shape[1] if y.ndim == 2 else 1)
    network = _Plain(x.shape[2], outputs)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)

    def loss(rows: torch.Tensor) -> torch.Tensor:
        answer = network(x[rows], lengths[rows])
        if kind == "classes":
            return functional.cross_entropy(answer, y[rows])
        return functional.mse_loss(answer if y.ndim == 2 else answer[:, 0], y[rows])

    order = torch.arange(len(x)) if kind == "forecast" else torch.randperm(len(x))
    fit, stop = order[: -len(x) // 5], order[-len(x) // 5 :]
    best, kept, without, began = float("inf"), network.state_dict(), 0, time.monotonic()
    while without < 10 and time.monotonic() - began < budget:
        network.train()
        for rows in fit[torch.randperm(len(fit))].split(32):
            optimizer.zero_grad()
            loss(rows).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        network.eval()
        with torch.no_grad():
            now = float(np.mean([float(loss(rows)) for rows in stop.split(256)]))
        without += 1
        if now < best:
            best, kept, without = now, {key: each.clone() for key, each in network.state_dict().items()}, 0
    network.load_state_dict(kept)
    with torch.no_grad():
        answers = torch.cat(
            [network(*each) for each in zip(test.split(256), test_lengths.split(256), strict=True)]
        ).numpy()
    if kind == "classes":
        return np.asarray(answers.argmax(1))
    return np.asarray((answers if y.ndim == 2 else answers[:, 0]) * unit + level)


def _channel(data: dict[str, Array]) -> int:
    """The channel that goes on: in which a later window shows what was wanted."""
    same = [np.isclose(data["x_train"][1:, -1, c][:, None], data["y_train"][:-1]).any(1).mean() for c in range(data["x_train"].shape[2])]  # fmt: skip
    return int(np.argmax(same))


def seasonal_naive(name: str, data: dict[str, Array], budget: float) -> Array:
    """What stood a season before, by the season that is best on what is learnt from."""
    channel, horizon = _channel(data), data["y_train"].shape[1]

    def repeated(x: Array, season: int) -> Array:
        return x[:, x.shape[1] - season :, channel][:, np.arange(horizon) % season]

    errors = [((repeated(data["x_train"], each) - data["y_train"]) ** 2).mean() for each in range(1, data["x_train"].shape[1] + 1)]  # fmt: skip
    return repeated(data["x_test"], int(np.argmin(errors)) + 1)


def ridge(name: str, data: dict[str, Array], budget: float) -> Array:
    train, test = (
        data[f"x_{part}"].reshape(len(data[f"x_{part}"]), -1).astype(np.float64) for part in ("train", "test")
    )
    centre, spread = train.mean(0), train.std(0) + 1e-8
    train, test, cut = (train - centre) / spread, (test - centre) / spread, int(0.8 * len(train))
    errors = []
    for penalty in np.logspace(-1, 5, 10):
        model = Ridge(penalty).fit(train[:cut], data["y_train"][:cut])
        errors.append(((model.predict(train[cut:]) - data["y_train"][cut:]) ** 2).mean())
    return np.asarray(Ridge(np.logspace(-1, 5, 10)[int(np.argmin(errors))]).fit(train, data["y_train"]).predict(test))


SYSTEMS: Final[dict[str, Callable[[str, dict[str, Array], float], Array]]] = {
    "liebig": liebig, "rocket": rocket, "lstm": lstm, "boosting": boosting,
}  # fmt: skip
FORECASTERS: Final[dict[str, Callable[[str, dict[str, Array], float], Array]]] = {
    "liebig": liebig, "seasonal-naive": seasonal_naive, "ridge": ridge, "lstm": lstm,
}  # fmt: skip


# --- scores ----------------------------------------------------------------------------------------------------------------


def score(data: dict[str, Array], answers: Array) -> tuple[float, float]:
    """Accuracy, or RMSE, and its standard error over the test rows."""
    truth = data["y_test"]
    if kind_of(data) == "classes":
        right = answers == truth
        return float(right.mean()), float(
            np.sqrt(max(right.mean() * (1 - right.mean()), 0.25 / len(right)) / len(right))
        )
    squares = ((answers - truth) ** 2).reshape(len(truth), -1).mean(1)
    rmse = float(np.sqrt(squares.mean()))
    return rmse, float(squares.std() / np.sqrt(len(squares)) / (2 * rmse))


def ranks(scores: dict[str, tuple[float, float]], high: bool) -> dict[str, float]:
    """Mean ranks; whoever is within one standard error of a better one shares the rank."""
    turn = 1 if high else -1
    found = {}
    for name, (own, _) in scores.items():
        ahead = sum(turn * (other - own) > error for each, (other, error) in scores.items() if each != name)
        equal = sum(abs(other - own) <= error for each, (other, error) in scores.items() if each != name)
        found[name] = 1 + ahead + equal / 2
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", default=[*_ANSWERS, *_FORECASTS])
    parser.add_argument("--budget", type=float, default=300.0)
    parser.add_argument("--only", help="one system alone")
    parser.add_argument("--systems", nargs="*")
    asked = parser.parse_args()
    wanted = [asked.only] if asked.only else asked.systems
    table: dict[str, dict[str, float]] = {}
    ranked: dict[str, list[float]] = {}
    won = 0
    for name in asked.sets:
        data = read(name)
        systems = FORECASTERS if kind_of(data) == "forecast" else SYSTEMS
        scores = {}
        for system, run in systems.items():
            if wanted and system not in wanted:
                continue
            began = time.monotonic()
            scores[system] = score(data, run(name, data, asked.budget))
            value, error = scores[system]
            print(f"{name:<24}{system:<16}{value:10.4f} +-{error:.4f}{time.monotonic() - began:8.1f} s", flush=True)
        table[name] = {system: round(value, 4) for system, (value, _) in scores.items()}
        if kind_of(data) == "forecast":
            others = [value for system, (value, _) in scores.items() if system in {"seasonal-naive", "ridge"}]
            won += "liebig" in scores and all(scores["liebig"][0] < each for each in others)
        else:
            for system, rank in ranks(scores, kind_of(data) == "classes").items():
                ranked.setdefault(system, []).append(rank)
    means = {system: round(mean(each), 3) for system, each in ranked.items()}
    print(json.dumps({"scores": table, "mean_rank": means, "forecasts_won": won, "budget": asked.budget}))


if __name__ == "__main__":
    main()
