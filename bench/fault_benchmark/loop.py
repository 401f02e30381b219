"""The loop, as a user writes it; watched, or unwatched with somebody looking at every step."""

from __future__ import annotations

import contextlib
import copy
import io
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

import liebig
from fault_benchmark.data import Pair, Parts
from fault_benchmark.setup import Augment, Setup
from liebig.checks.diagnosis import Diagnosis
from liebig.core.evidence import Evidence

#: Shares of the steps after which a watched loop is asked for a diagnosis.
EARLY = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.35, 0.5, 0.75)


class Observer(Protocol):
    """Looks at an unwatched loop, and changes nothing."""

    def begin(self, network: nn.Module, optimizer: torch.optim.Optimizer, setup: Setup, parts: Parts) -> None: ...

    def stepped(self, step: int, loss: float, x: Tensor, y: Tensor) -> None: ...

    def epoch(self, train_loss: float, train_score: float, valid_loss: float, valid_score: float) -> None: ...


@dataclass(frozen=True)
class Ran:
    """What a training left behind. `score` is on the clean hold-out: accuracy, or R squared. `early` are diagnoses by
    share of the steps; what was not asked for is None."""

    network: nn.Module
    score: float
    train_score: float
    valid_score: float
    steps: int
    seconds: float
    early: tuple[tuple[float, Diagnosis], ...] = ()
    passive: Diagnosis | None = None
    with_data: Diagnosis | None = None
    probe_seconds: float = float("nan")
    evidence: Evidence | None = None


class _Rows(Dataset[tuple[Tensor, Tensor]]):
    """A set whose rows take time to read, or are augmented when they are read."""

    def __init__(self, pair: Pair, seconds: float, augment: Augment | None) -> None:
        self.pair, self.seconds, self.transform = pair, seconds, augment

    def __len__(self) -> int:
        return len(self.pair)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        if self.seconds:
            time.sleep(self.seconds)
        x = self.pair.x[row]
        return (self.transform(x) if self.transform else x), self.pair.y[row]


class _Batches:
    """Slices of a tensor in a new order each time."""

    def __init__(self, pair: Pair, batch: int) -> None:
        self.pair, self.batch = pair, batch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.randperm(len(self.pair)).split(self.batch):
            if len(rows) > 1 or self.batch == 1:
                yield self.pair.x[rows], self.pair.y[rows]

    def __len__(self) -> int:
        whole, rest = divmod(len(self.pair), self.batch)
        return whole + (rest > 1 or (rest == 1 and self.batch == 1))


def loaders(setup: Setup, parts: Parts) -> tuple[DataLoader[tuple[Tensor, Tensor]], DataLoader[tuple[Tensor, Tensor]]]:
    """What a user hands to `watch(train=, valid=)`."""
    augment = setup.augment if setup.loader else None
    own = setup.slow or augment
    rows = _Rows(parts.train, setup.slow, augment) if own else TensorDataset(parts.train.x, parts.train.y)
    train = DataLoader(rows, setup.batch, shuffle=True, drop_last=len(parts.train) % setup.batch == 1)
    held = _Rows(parts.valid, 0.0, None) if augment else TensorDataset(parts.valid.x, parts.valid.y)
    return train, DataLoader(held, 256)


def network_of(setup: Setup, parts: Parts) -> nn.Module:
    network = setup.build(parts.train.x.shape[1], parts.outputs)
    if setup.pretrain:
        body = train(setup.pretrain, seed=0).network
        own = dict(network.named_parameters())
        last = list(own)[-2:]
        known = {name: value for name, value in body.state_dict().items() if name not in last}
        network.load_state_dict(known, strict=False)
    return network


def train(
    setup: Setup, seed: int, *, watched: bool = False, probe: bool = True, observer: Observer | None = None
) -> Ran:
    """Train as `setup` says. A watched run is diagnosed on the way, at the end without data, and, with `probe`, at last with
    data."""
    parts = setup.data.parts(seed)
    torch.manual_seed(seed)
    network = network_of(setup, parts)
    torch.manual_seed(seed)
    optimizer = setup.optimizer(network)
    given, held = loaders(setup, parts)
    watch = liebig.watch(network, optimizer, train=given, valid=held, loss=setup.loss) if watched else None
    if observer:
        observer.begin(network, optimizer, setup, parts)
    batches: Iterable[tuple[Tensor, Tensor]] = (
        given if setup.loader or setup.slow else _Batches(parts.train, setup.batch)
    )
    total = setup.epochs * len(given)
    schedule = setup.schedule(optimizer, total) if setup.schedule else None
    moments = [max(1, round(share * total)) for share in EARLY]
    early: list[tuple[float, Diagnosis]] = []
    best, waited, kept = float("inf"), 0, copy.deepcopy(network.state_dict()) if setup.patience else {}
    step, history = 0, torch.zeros(())
    began = time.perf_counter()
    spent = 0.0
    quiet = contextlib.redirect_stdout(io.StringIO())
    with quiet if setup.each_step else contextlib.nullcontext():
        for _ in range(setup.epochs):
            if setup.trains:
                network.train()
            else:
                network.eval()
            total_loss, right, seen = 0.0, 0.0, 0
            for x, y in batches:
                if setup.augment and not setup.loader:
                    x = setup.augment(x)
                if setup.clears and step % setup.accumulate == 0:
                    optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16, enabled=setup.bfloat16):
                    outputs = network(x)
                    loss = setup.loss(outputs, y)
                (loss / setup.accumulate).backward()
                if setup.clip:
                    nn.utils.clip_grad_norm_(network.parameters(), setup.clip)
                if (step + 1) % setup.accumulate == 0:
                    optimizer.step()
                if schedule:
                    schedule.step()
                if setup.keeps_graph:
                    history = history + loss
                if setup.each_step:
                    setup.each_step(loss, network)
                total_loss += loss.item() * len(x)
                right, seen = right + _right(outputs.detach(), y), seen + len(x)
                if observer:
                    observer.stepped(step, loss.item(), x, y)
                step += 1
                if watch and step in moments:
                    paused = time.perf_counter()
                    early.append((step / total, watch.diagnose()))
                    spent += time.perf_counter() - paused
            if setup.evaluates:
                network.eval()
            with torch.no_grad():
                outputs = network(parts.valid.x)
                valid_loss = setup.loss(outputs, parts.valid.y).item()
                valid_score = _score(outputs, parts.valid.y)
            train_loss = total_loss / seen
            if watch and parts.classes:
                watch.log(
                    train_loss=train_loss, train_accuracy=right / seen,
                    valid_loss=valid_loss, valid_accuracy=valid_score,
                )  # fmt: skip
            elif watch:
                watch.log(train_loss=train_loss, valid_loss=valid_loss)
            if observer:
                observer.epoch(train_loss, right / seen if parts.classes else float("nan"), valid_loss, valid_score)
            if setup.patience:
                waited = 0 if valid_loss < best else waited + 1
                if valid_loss < best:
                    best, kept = valid_loss, copy.deepcopy(network.state_dict())
                if waited >= setup.patience:
                    break
    if setup.patience:
        network.load_state_dict(kept)
    seconds = time.perf_counter() - began - spent
    passive = with_data = evidence = None
    probing = float("nan")
    if watch:
        passive, evidence = watch.diagnose(), watch.evidence
        if probe:
            paused = time.perf_counter()
            watch.probe()
            probing = time.perf_counter() - paused
            with_data, evidence = watch.diagnose(), watch.evidence
        watch.close()
    network.eval()
    with torch.no_grad():
        score = held_score(network, parts)
        on_train = _score(network(parts.train.x), parts.train.y)
    return Ran(
        network, score, on_train, valid_score, step, seconds, tuple(early), passive, with_data, probing, evidence
    )


def held_score(network: nn.Module, parts: Parts) -> float:
    """The score on the clean hold-out. A network of sequences is asked for the last place of ones cut short: it has no
    future to look at."""
    x, y = parts.hold.x, parts.hold.y
    if not parts.classes or x.dtype != torch.long or y.dim() == 1:
        return _score(network(x), y)
    places = range(7, x.shape[1], 4)
    right = [(network(x[:, : place + 1])[:, -1].argmax(-1) == y[:, place]).float().mean() for place in places]
    return float(torch.stack(right).mean())


def _right(outputs: Tensor, y: Tensor) -> float:
    """How many rows are answered rightly; places of a sequence count as parts of a row. 0 for numbers."""
    if y.dtype == torch.long:
        hits = (outputs.argmax(-1) == y).float()
        return float(hits.reshape(len(y), -1).mean(1).sum())
    if outputs.shape == y.shape and outputs.shape[-1] == 1 and bool(((y == 0) | (y == 1)).all()):
        return float(((outputs > 0) == (y > 0.5)).sum())
    if outputs.shape == y.shape and outputs.dim() == 2 and bool((y.sum(1) == 1).all()):
        return float((outputs.argmax(1) == y.argmax(1)).sum())
    return 0.0


def _score(outputs: Tensor, y: Tensor) -> float:
    if y.dtype == torch.long or (outputs.shape == y.shape and _right(outputs, y) > 0):
        return _right(outputs, y) / len(y)
    answers = outputs.float().reshape(len(y), -1)
    truth = y.reshape(len(y), -1)
    return float(1.0 - functional.mse_loss(answers, truth) / truth.var(0, correction=0).mean())
