"""All active probes in turn, on one workbench; everything is as it was after."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch

from liebig.core.errors import UserError
from liebig.core.evidence import Evidence, Measurement
from liebig.train.active.copying import copy_of, unwrapped, used_rate
from liebig.train.active.learning import step_seconds
from liebig.train.active.nested import to_device
from liebig.train.active.passing import passing_for
from liebig.train.active.preserving import preserved
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.rows import Rows, loader_batch, read_rows
from liebig.train.active.subject import Subject
from liebig.train.active.workbench import Bench, Clock, Refused, evaluating, judge_of, train_mode

SECONDS: Final = 6.0  # in all, where no other limit is given
_READING: Final = 0.2  # of all time, for both parts together
_ROWS: Final = 2_048  # of each part that are kept
_BATCH: Final = 32


@dataclass(frozen=True, slots=True)
class Probed:
    """What was measured, and for each measurement that was not, why. `seconds` is what it cost, `by_probe` that of each."""

    evidence: Evidence
    reasons: Mapping[str, str]
    seconds: float
    by_probe: Mapping[str, float] = field(default_factory=dict)


def run_probes(subject: Subject, probes: Sequence[ActiveProbe], seconds: float = SECONDS) -> Probed:
    """Make the measurements of `probes` on `subject` within about `seconds`.

    Never raises for what a network or its data do: a measurement that could not be made is absent, with its reason. Raises
    UserError where `seconds` is not above 0.
    """
    if not seconds > 0:
        raise UserError(f"seconds must be above 0, however {seconds} came")
    began = time.perf_counter()
    model = unwrapped(subject.model)
    readers = (subject.train, subject.valid, subject.loss, subject.step)
    with preserved(model, *readers), torch.inference_mode(False), torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of short batches, schedules without steps: they speak of the experiments
        try:
            bench = _bench(subject, began + seconds)
        except Exception as error:  # noqa: BLE001  # a user's network, loss or data may raise anything
            reasons = {probe.makes.__name__: _reason(error) for probe in probes}
            return Probed(Evidence(), reasons, time.perf_counter() - began)
        made, reasons, spent = _all(bench, probes, seconds)
    return Probed(Evidence(tuple(made)), reasons, time.perf_counter() - began, spent)


def _all(
    bench: Bench, probes: Sequence[ActiveProbe], seconds: float
) -> tuple[list[Measurement], dict[str, str], dict[str, float]]:
    made: list[Measurement] = []
    reasons: dict[str, str] = {}
    spent: dict[str, float] = {}
    for probe in probes:
        name, start = probe.makes.__name__, time.perf_counter()
        if start > bench.clock.until:
            reasons[name] = "the time was over"
            continue
        bench.clock.give(probe.share * seconds)
        torch.manual_seed(0)  # what a probe draws does not depend on which came before; put back at the end
        try:
            made.append(probe.measure(bench))
        except Exception as error:  # noqa: BLE001  # one probe that fails must not take the others with it
            reasons[name] = _reason(error)
        spent[name] = time.perf_counter() - start
    return made, reasons, spent


def _bench(subject: Subject, until: float) -> Bench:
    seconds = until - time.perf_counter()
    if subject.train is None:
        raise Refused("no training data were given")
    train = _read("train", subject.train, seconds * _READING * 0.6)
    valid = None
    if subject.valid is not None:
        valid = train if subject.valid is subject.train else _read("valid", subject.valid, seconds * _READING * 0.4)
    copy = copy_of(subject)
    size = subject.batch or loader_batch(subject.train) or _BATCH
    size = max(1, min(size, train.count))
    clock = Clock(until, until)
    first = to_device(train.first(size), copy.device)
    with evaluating(copy.model):
        passing = passing_for(copy.model, first, copy.loss, copy.step, subject.loss_call)
    rate = used_rate(subject)
    bench = Bench(subject, copy, train, valid, passing, size, rate, "", clock, 0.0)
    bench.judge = judge_of(passing, copy.model, first, train)
    bench.step_seconds = _timed(bench, first)
    return bench


def _read(part: str, source: Any, seconds: float) -> Rows:
    try:
        return read_rows(source, _ROWS, seconds)
    except UserError as error:
        raise UserError(f"{part}: {error}") from error


def _timed(bench: Bench, batch: Any) -> float:
    """Seconds of a training step; of a pass without gradient, doubled twice, where no step can be made."""
    bench.copy.to_start()
    train_mode(bench)
    try:
        return step_seconds(bench, batch, bench.rate if math.isfinite(bench.rate) else 1e-4)
    except (Refused, RuntimeError):
        began = time.perf_counter()
        bench.copy.to_present()
        with evaluating(bench.model), torch.no_grad():
            bench.passing.loss(bench.model, batch)
        return 4 * (time.perf_counter() - began)


def _reason(error: Exception) -> str:
    if isinstance(error, (Refused, UserError)):
        return str(error)
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
