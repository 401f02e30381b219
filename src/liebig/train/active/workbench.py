"""The workbench: what all probes share, made once. The copy, rows in memory, the way of a batch, the judge, the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from liebig.core.errors import UserError
from liebig.train.active.copying import Copy
from liebig.train.active.judging import Judge, Judged, fitted, judge_for, judged
from liebig.train.active.nested import length, to_device
from liebig.train.active.passing import Passing
from liebig.train.active.rows import Rows
from liebig.train.active.subject import Subject

#: Rows that a whole part is judged on.
JUDGED_ROWS: Final = 2_048
_CHUNK: Final = 512


class Refused(Exception):
    """A probe that does not apply, and why: one sentence."""


@dataclass(slots=True)
class Clock:
    """The time of all probes (`until`, by `time.perf_counter`) and of the one that runs (`mine`)."""

    until: float
    mine: float

    def left(self) -> float:
        """Seconds that the running probe may still take."""
        return min(self.until, self.mine) - time.perf_counter()

    def give(self, seconds: float) -> None:
        """The next probe may take `seconds`, and not more than there are."""
        self.mine = time.perf_counter() + seconds


@dataclass(slots=True, eq=False)
class Bench:
    """What is shared by the probes of one call. The network on it stands as its `copy` was left: say where to begin."""

    subject: Subject
    copy: Copy
    train: Rows
    valid: Rows | None
    passing: Passing
    batch: int
    rate: float  # the largest that the loop used; NaN without an optimizer
    judge: Judge | str
    clock: Clock
    step_seconds: float  # of one training step on a batch
    train_judged: Judged | None = None
    valid_judged: Judged | None = None
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def model(self) -> nn.Module:
        return self.copy.model

    def on_device(self, batch: Any) -> Any:
        return to_device(batch, self.copy.device)

    def generator(self, seed: int = 0) -> torch.Generator:
        """A generator of its own for the order of rows."""
        return torch.Generator().manual_seed(seed)

    def steps_within(self, share: float, most: int, least: int) -> int:
        """How many training steps fit into `share` of the probe's time, at most `most`. Raises Refused below `least`."""
        steps = min(most, int(share * self.clock.left() / max(self.step_seconds, 1e-7)))
        if steps < least:
            raise Refused(f"{least} steps of {self.step_seconds:.2g} s each take longer than there is time for")
        return steps

    def judging(self) -> Judge:
        """The judge. Raises Refused with the reason where answers cannot be judged."""
        if isinstance(self.judge, str):
            raise Refused(self.judge)
        return self.judge

    def answers(self, rows: Rows, most: int = JUDGED_ROWS) -> tuple[Tensor, Tensor]:
        """Answers and targets of the first `most` rows in evaluation mode, on the CPU.

        Raises Refused where the time ends before a batch is answered, or answers cannot be joined.
        """
        size = max(self.batch, min(_CHUNK, most))
        answers: list[Tensor] = []
        targets: list[Tensor] = []
        count = 0
        with evaluating(self.model), torch.no_grad():
            for batch in rows.in_order(size):
                answer, target = self.passing.answer(self.model, self.on_device(batch))
                if not isinstance(target, Tensor):
                    raise Refused("targets are no tensors")
                answers.append(answer.float().cpu())
                targets.append(target.cpu())
                count += length(batch)
                if count >= most or self.clock.left() < 0:
                    break
        try:
            return torch.cat(answers), torch.cat(targets)
        except RuntimeError as error:
            raise Refused("answers of different shapes cannot be judged together") from error

    def judged(self, rows: Rows, most: int = JUDGED_ROWS) -> Judged | None:
        """The rows judged with the network as it stands; None where its answers are not finite."""
        judge = self.judging()
        answers, targets = self.answers(rows, most)
        return judged(judge, answers, targets)


def judge_of(passing: Passing, model: nn.Module, batch: Any, rows: Rows) -> Judge | str:
    """The judge of a network's answers, fitted to the targets of the training rows; or why there is none."""
    try:
        with evaluating(model), torch.no_grad():
            answer, target = passing.answer(model, batch)
            loss = float(passing.loss(model, batch))
    except UserError as error:
        return str(error)
    found = judge_for(answer, target, loss)
    if isinstance(found, str) or not isinstance(target, Tensor):
        return found if isinstance(found, str) else "targets are no tensors"
    targets = [passing.split(each).target for each in ([rows.batch] if rows.is_table else rows.batches)]
    try:
        return fitted(found, answer, torch.cat([each.cpu() for each in targets]))
    except RuntimeError:
        return fitted(found, answer, target.cpu())


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Inside, the network stands in evaluation mode; after, every module stands as before."""
    with modes(model):
        model.eval()
        yield


@contextmanager
def modes(model: nn.Module) -> Iterator[None]:
    """After, the training flag of every module is as before."""
    flags = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, flag in flags:
            module.training = flag


def train_mode(bench: Bench) -> None:
    """The mode in which the loop trains. Where the network as it came stands in training mode, layers that the loop keeps
    out of it (batch statistics of a frozen part) stay out of it."""
    if bench.subject.trains_in_evaluation:
        bench.model.eval()
        return
    bench.model.train()
    if bench.copy.stood_in_training:
        for module, flag in bench.copy.flags:
            module.training = flag


def without_dropout(model: nn.Module) -> None:
    """Training mode, but nothing is dropped."""
    for module in model.modules():
        if isinstance(module, _DropoutNd):
            module.training = False
        elif isinstance(module, (nn.MultiheadAttention, nn.RNNBase)):
            module.dropout = 0.0  # put back with the attributes of the copy


def gradient_mode(model: nn.Module) -> None:
    """Evaluation mode in which a gradient can be taken: cuDNN's recurrent layers need their training flag for that."""
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.RNNBase):
            module.training = True


def has_batch_statistics(model: nn.Module) -> bool:
    """Whether a layer answers by the statistics of its batch in training mode."""
    return any(isinstance(module, _BatchNorm) for module in model.modules())
