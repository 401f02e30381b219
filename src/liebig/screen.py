"""Draws events on standard error: the ladder while `improve` works, a bar for each epoch while `fit` trains.

A terminal gets a live view; anything else gets plain lines. Nothing here changes what is computed.
"""

from __future__ import annotations

import math
import sys
import time
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from liebig.core import event as events
from liebig.core.event import Event, Stop
from liebig.core.trial import Verdict
from liebig.report.numbers import decimals_for, plain_number, signed

_COLOURS = {
    Verdict.PROVEN: "green",
    Verdict.LIKELY: "yellow",
    Verdict.EQUAL: "cyan",
    Verdict.UNCLEAR: "dim",
    Verdict.WORSE: "red",
}
_NAME = 38
_BAR = 15


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, ``1:48``; hours as ``2:05:00``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def bar(share: float, width: int = _BAR) -> str:
    """A bar of `width` cells, filled by `share` in 0..1."""
    full = round(min(1.0, max(0.0, share)) * width)
    return "█" * full + "░" * (width - full)


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


class Screen:
    """Standard error as a place to draw on: permanent lines above, one line at the bottom that changes.

    Use as a context manager; hand `listen` to the verbs as ``on_event``. `live` False: permanent lines alone, also on a
    terminal, for a program that writes on it itself.
    """

    def __init__(self, stream: TextIO | None = None, verbose: int = 1, live: bool = True) -> None:
        # A notebook is written to as a stream of text: its own cells take no changing line.
        self._console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True, force_jupyter=False)
        self._verbose = verbose
        self._live = (
            Live(Text(""), console=self._console, refresh_per_second=8, transient=True)
            if live and self._console.is_terminal and verbose > 0
            else None
        )
        self._drawn = 0.0
        self._told: set[str] = set()
        self._decimals = 4
        self._begun = events.TrainingBegan(1, 0, 0, 0, 0)

    def __enter__(self) -> Screen:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.update(Text(""))
            self._live.stop()

    def line(self, text: Text | str = "") -> None:
        """A permanent line."""
        if self._verbose > 0:
            self._console.print(Text(text) if isinstance(text, str) else text)

    def _bottom(self, text: str) -> None:
        """The line that changes; on anything but a terminal it is told every ten seconds."""
        if self._live:
            self._live.update(Text(text, style="dim"))
        elif self._verbose > 0 and time.monotonic() - self._drawn > 10:
            self._drawn = time.monotonic()
            self.line(text)

    def listen(self, event: Event) -> Stop | None:
        """Draw one event."""
        match event:
            case events.StudyBegan():
                self._study_began(event)
            case events.Stage():
                self._bottom(f"> {event.what}   {clock(event.seconds)}")
            case events.BaselineJudged():
                score = plain_number(event.score, self._decimals)
                self.line(f"{score:>10}  {event.name:<{_NAME + 50}} {clock(event.seconds):>6}")
            case events.TrialsRunning():
                self._trying(event)
            case events.TrialJudged():
                if event.final:
                    self.line(self._tried(event))
            case events.RungAdopted():
                self.line(self._rung(event))
            case events.ChallengerJudged():
                self.line(
                    Text(
                        f"{plain_number(event.score, self._decimals):>10}  ({event.name}, for comparison)", style="dim"
                    )
                )
            case events.TrainingBegan():
                self._begun = event
            case events.DeviceReplaced():
                self._replaced(event)
            case events.PopulationHalved():
                self.line(f"memory ran out at {event.members} networks at once: going on with half as many")
            case events.BatchHalved():
                self.line(
                    f"memory ran out in a batch of {event.rows} rows: going on with {event.pieces} pieces of it, "
                    "whose gradients are averaged"
                )
            case _:
                pass
        return None

    def _replaced(self, event: events.DeviceReplaced) -> None:
        """Once: every population of a study asks for the same device."""
        if event.sentence not in self._told:
            self._told.add(event.sentence)
            self.line(event.sentence)

    def _study_began(self, event: events.StudyBegan) -> None:
        self.line(event.summary)
        self.line(f"metric      {event.metric:<20} machine   {event.machine:<32} sealed   {event.sealed}")
        for note in event.notes:
            self.line(Text(f"note        {note}", style="dim"))
        self.line()

    def _trying(self, event: events.TrialsRunning) -> None:
        share = event.seconds / event.budget if event.budget > 0 and math.isfinite(event.budget) else 0.0
        blocks = f"block {event.block} of {event.first}..{event.last}"
        names = shortened(" · ".join(event.names), 56)
        budget = f" of {clock(event.budget)}" if math.isfinite(event.budget) else ""
        self._bottom(f"> trying  {names}   {blocks}   {bar(share)}   {clock(event.seconds)}{budget}")

    def _difference(self, event: events.TrialJudged | events.RungAdopted) -> Text:
        decimals = decimals_for((event.high - event.low) / 2)
        interval = ""
        if math.isfinite(event.low) and math.isfinite(event.high):
            interval = f"[{signed(event.low, decimals)}, {signed(event.high, decimals)}]"
        row = Text(f"{signed(event.difference, decimals):>9}  {interval:<24} ")
        row.append(f"{event.verdict.value:<8}", style=_COLOURS[event.verdict])
        return row.append(f" {shortened(event.answers, 26):<26}", style="dim")

    def _rung(self, event: events.RungAdopted) -> Text:
        self._decimals = max(3, decimals_for((event.high - event.low) / 2)) if event.score < 100 else 1
        row = Text(f"{plain_number(event.score, self._decimals):>10}  ")
        row.append(f"+ {shortened(event.name, _NAME - 2):<{_NAME - 2}} ", style="bold")
        return row.append(self._difference(event)).append(f" {clock(event.seconds):>6}")

    def _tried(self, event: events.TrialJudged) -> Text:
        row = Text(f"{'':>10}  - {shortened(event.name, _NAME - 2):<{_NAME - 2}} ")
        return row.append(self._difference(event))


class FitScreen(Screen):
    """Draws one training: a bar for each epoch, why the rate fell, why training stopped. `verbose` 0: nothing; 1: one
    changing bar; 2: a line for each epoch."""

    def listen(self, event: Event) -> Stop | None:
        match event:
            case events.TrainingBegan():
                self._begun = event
                self.line(
                    f"{event.parameters:,} parameters, {event.rows:,} rows, {event.batches} batches an epoch, "
                    f"at most {event.epochs} epochs"
                )
            case events.BatchesDone():
                share = event.done / max(1, event.batches)
                self._bottom(
                    f"epoch {event.epoch + 1:>3}/{self._begun.epochs}  {bar(share, 24)}  "
                    f"{event.done}/{event.batches} batches   loss {event.loss:.4g}"
                )
            case events.EpochEnded(member=0):
                row = self._epoch(event)
                if self._verbose >= 2:
                    self.line(row)
                else:
                    self._bottom(row)
            case events.RateLowered():
                self.line(
                    f"epoch {event.epoch + 1}: learning rate {event.before:.3g} -> {event.after:.3g}: {event.reason}"
                )
            case events.Stopped():
                who = f" (network {event.member + 1})" if self._begun.members > 1 else ""
                self.line(
                    f"epoch {event.epoch + 1}: stopped{who}: {event.reason}; kept the weights of epoch {event.selected + 1}"
                )
            case events.CheckpointWritten():
                if self._verbose >= 2:
                    self.line(f"epoch {event.epoch + 1}: wrote {event.path} ({event.reason})")
            case events.PopulationHalved() | events.BatchHalved() | events.DeviceReplaced():
                super().listen(event)
            case _:
                pass
        return None

    def _epoch(self, event: events.EpochEnded) -> str:
        row = (
            f"epoch {event.epoch + 1:>3}/{event.epochs}  {bar(1.0, 24)}  {self._begun.batches}/{self._begun.batches} batches   "
            f"loss {event.train_loss:.4g}"
        )
        if not math.isnan(event.stop_loss):
            row += f"   stop loss {event.stop_loss:.4g}   stop {event.stop_metric:.4g}"
        return row + f"   rate {event.rate:.3g}   {clock(event.seconds)}"
