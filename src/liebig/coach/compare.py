"""`compare`: which of these recipes is better? The trials' machinery without a study: the first recipe is the control, the
others are treatments in the same blocks, and blocks are added while an answer is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, nan

from liebig.coach.runner import Request, Result, Runner
from liebig.core.event import Event, Listener, Stop, TrialJudged, TrialsRunning, silent
from liebig.core.recipe import Recipe
from liebig.core.run import Ending, Score
from liebig.core.trial import Look, Verdict
from liebig.trials.procedure import COMPARE_ALPHA, ROW_A, Row, judge, judge_saving, level, pairs, spread_over


@dataclass(frozen=True, slots=True)
class Contestant:
    """A recipe and what it is called."""

    name: str
    recipe: Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One treatment against the control. `looks` are all looks so far, `verdict` what stands (Proven stays proven),
    `reason` a sentence where no verdict could be reached. `results` are the runs by block."""

    contestant: Contestant
    looks: tuple[Look, ...]
    verdict: Verdict
    reason: str
    results: tuple[Result, ...]

    @property
    def look(self) -> Look | None:
        return self.looks[-1] if self.looks else None


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The control's runs by block, and each treatment beside it."""

    control: Contestant
    results: tuple[Result, ...]
    treatments: tuple[Compared, ...]
    reason: str

    def mean_score(self) -> float:
        """The control's mean score, oriented so that larger is better."""
        return mean_of(self.results)


def mean_of(results: Sequence[Result]) -> float:
    """Mean oriented score of the runs that finished; NaN without any."""
    values = [each.score.value for each in results if not each.score.failed]
    return sum(values) / len(values) if values else nan


def compare(
    contestants: Sequence[Contestant],
    runner: Runner,
    *,
    row: Row = ROW_A,
    margin: float | None = None,
    seconds: float = inf,
    clock: Callable[[], float],
    listener: Listener = silent,
) -> Comparison:
    """Judge all recipes against the first, at the looks of `row`, until each is decided or `seconds` on `clock` are spent.

    With `margin` (in the metric's unit) a treatment may be called Equal. The error rate over all treatments and looks is
    0.05. Raises ValueError with fewer than two recipes or where two are the same.
    """
    if len(contestants) < 2:
        raise ValueError(f"compare needs two recipes or more, however {len(contestants)} came")
    if len({each.recipe.digest for each in contestants}) < len(contestants):
        raise ValueError("compare needs different recipes, however two are the same")
    race = _Race(tuple(contestants), runner, row, margin, seconds, clock, listener)
    return race.run()


class _Race:
    """What is known so far; decides nothing but when to stop."""

    def __init__(
        self,
        contestants: tuple[Contestant, ...],
        runner: Runner,
        row: Row,
        margin: float | None,
        seconds: float,
        clock: Callable[[], float],
        listener: Listener,
    ) -> None:
        self.contestants, self.runner, self.row, self.margin = contestants, runner, row, margin
        self.seconds, self.clock, self.listener = seconds, clock, listener
        self.results: dict[str, list[Result]] = {each.recipe.digest: [] for each in contestants}
        self.looks: dict[str, list[Look]] = {each.recipe.digest: [] for each in contestants[1:]}
        self.stopped = ""

    @property
    def control(self) -> Contestant:
        return self.contestants[0]

    def run(self) -> Comparison:
        reason = "every treatment is decided"
        for blocks in self.row.looks:
            open_ones = [each for each in self.contestants[1:] if self._is_open(each)]
            if not open_ones:
                break
            if not self._reach(blocks, open_ones):
                reason = self.stopped or "the time given does not pay for more blocks"
                break
            self._look(blocks, [each for each in open_ones if self._failure(each) is None])
            if self.stopped:
                reason = self.stopped
                break
        else:
            if any(self._is_open(each) for each in self.contestants[1:]):
                reason = f"all {self.row.looks[-1]} blocks are judged"
        return Comparison(
            self.control, self._results(self.control), tuple(map(self._compared, self.contestants[1:])), reason
        )

    def _results(self, contestant: Contestant) -> tuple[Result, ...]:
        return tuple(self.results[contestant.recipe.digest])

    def _is_open(self, contestant: Contestant) -> bool:
        decided = {Verdict.PROVEN, Verdict.WORSE, Verdict.EQUAL}
        looks = self.looks[contestant.recipe.digest]
        return self._failure(contestant) is None and not any(look.verdict in decided for look in looks)

    def _failure(self, contestant: Contestant) -> str | None:
        for who in (self.control, contestant):
            for block, result in enumerate(self.results[who.recipe.digest]):
                if result.score.failed:
                    told = result.outcome.sentence or f"its run {result.outcome.ending}"
                    return f"{who.name}, block {block + 1}: {told}"
        return None

    def _reach(self, blocks: int, open_ones: Sequence[Contestant]) -> bool:
        """Train what the look at `blocks` needs; False where time does not pay for it."""
        everyone = (self.control, *open_ones)
        requests = [
            Request(each.recipe, block)
            for each in everyone
            for block in range(len(self.results[each.recipe.digest]), blocks)
        ]
        began = len(self._results(self.control))
        left = self.seconds - self.clock()
        if began and self.runner.predicted_seconds(requests) > left:
            return False
        names = tuple(each.name for each in everyone)
        self._tell(TrialsRunning(names, began + 1, blocks, self.row.looks[-1], self.clock(), self.seconds))
        if self.stopped:
            return False
        results = self.runner.run(requests, self.seconds if self.seconds < inf else None)
        whole = True
        for request, result in zip(requests, results, strict=True):
            if result.outcome.ending in {Ending.OUT_OF_BUDGET, Ending.ASKED}:
                whole = False
            elif len(self.results[request.recipe.digest]) == request.block:
                self.results[request.recipe.digest].append(result)
        return whole

    def _look(self, blocks: int, some: Sequence[Contestant]) -> None:
        control = _scores(self.results[self.control.recipe.digest][:blocks])
        seen = {each: pairs(control, _scores(self.results[each.recipe.digest][:blocks])) for each in some}
        spread = spread_over(seen.values())
        at = level(self.row, blocks, COMPARE_ALPHA, len(self.contestants) - 1)
        for each, pair in seen.items():
            look = judge(pair, spread, at) if self.margin is None else judge_saving(pair, spread, at, self.margin)
            self.looks[each.recipe.digest].append(look)
            final = blocks == self.row.looks[-1] or not self._is_open(each)
            self._tell(
                TrialJudged(
                    each.name, look.difference, look.low, look.high, look.verdict, blocks, "", final, self.clock()
                )
            )

    def _tell(self, event: Event) -> None:
        answer = self.listener(event)
        if isinstance(answer, Stop):
            self.stopped = answer.reason

    def _compared(self, contestant: Contestant) -> Compared:
        looks = tuple(self.looks[contestant.recipe.digest])
        failure = self._failure(contestant)
        verdict = looks[-1].verdict if looks else Verdict.UNCLEAR
        if any(look.verdict is Verdict.PROVEN for look in looks):
            verdict = Verdict.PROVEN
        elif failure is not None:
            own = any(result.score.failed for result in self.results[contestant.recipe.digest])
            control = any(result.score.failed for result in self.results[self.control.recipe.digest])
            verdict = Verdict.WORSE if own and not control else Verdict.UNCLEAR
        return Compared(contestant, looks, verdict, failure or "", self._results(contestant))


def _scores(results: Sequence[Result]) -> list[Score]:
    return [replace(each.score, seconds=each.seconds) for each in results]


def curves(comparison: Comparison) -> Iterator[tuple[str, Result]]:
    """Each contestant's first run by name, for curves side by side."""
    named: Mapping[str, tuple[Result, ...]] = {
        comparison.control.name: comparison.results,
        **{each.contestant.name: each.results for each in comparison.treatments},
    }
    for name, results in named.items():
        if results:
            yield name, results[0]
