"""`compare`: any recipes beside the first of them, in the same blocks, with the same trials as `improve`.

Treatments that are proven, equal or worse leave; blocks are added for the rest while the answer is open and time allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, nan
from typing import Final

from liebig.coach.runner import Request, Result, Runner
from liebig.core.event import Event, Listener, Stop, TrialJudged, TrialsRunning, silent
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.run import Score
from liebig.core.trial import Look, Verdict
from liebig.trials.procedure import COMPARE_ALPHA, ROW_A, ROW_B, judge, judge_saving, level, pairs, spread_over

_SETTLED: Final = frozenset({Verdict.PROVEN, Verdict.EQUAL, Verdict.WORSE})


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One recipe after a comparison. `score` is the oriented mean over its blocks (NaN where it failed). The control has no
    look; `verdict` None means that no look was complete. `evidence` is of the first block."""

    name: str
    recipe: Recipe
    blocks: int
    score: float
    seconds: float
    epochs: int
    evidence: Evidence
    look: Look | None = None
    verdict: Verdict | None = None
    reason: str = ""


def compare(
    runner: Runner,
    recipes: Sequence[tuple[str, Recipe]],
    clock: Callable[[], float],
    listener: Listener = silent,
    *,
    budget: float = inf,
    blocks: int = 12,
    margin: float | None = None,
) -> tuple[Compared, ...]:
    """Compare `recipes`, the first of which is the control; one answer for each, in their order.

    At most `blocks` blocks and `budget` seconds of `clock`. With a `margin` (in the metric's unit) a treatment that is not
    worse by more than it is Equal. The error rate is paid for by the number of treatments and of looks (TRIALS, section 4).
    """
    contest = _Contest(runner, recipes, clock, listener, budget, margin)
    row = ROW_A if blocks <= max(ROW_A.looks) else ROW_B
    for look in (each for each in row.looks if each <= blocks):
        if not contest.train(look, max(each for each in row.looks if each <= blocks)):
            break
        looked = {
            index: pairs(contest.scores(0, look), contest.scores(index, look)) for index in sorted(contest.active)
        }
        spread = spread_over([*looked.values()])
        at = level(row, look, COMPARE_ALPHA, len(recipes) - 1)
        for index, seen in looked.items():
            judged = judge(seen, spread, at) if margin is None else judge_saving(seen, spread, at, margin)
            contest.judged(index, judged)
    return contest.answers()


class _Contest:
    """What a comparison knows so far."""

    def __init__(
        self,
        runner: Runner,
        recipes: Sequence[tuple[str, Recipe]],
        clock: Callable[[], float],
        listener: Listener,
        budget: float,
        margin: float | None,
    ) -> None:
        self._runner, self._recipes, self._clock, self._listener, self._budget = (
            runner,
            recipes,
            clock,
            listener,
            budget,
        )
        self._margin = margin
        self.active = set(range(1, len(recipes)))
        self._results: list[dict[int, Result]] = [{} for _ in recipes]
        self._looks: dict[int, Look] = {}
        self._reasons: dict[int, str] = {}
        self._stopped = False

    def _tell(self, event: Event) -> None:
        if isinstance(self._listener(event), Stop):
            self._stopped = True

    def train(self, until: int, last: int) -> bool:
        """Complete the first `until` blocks for the control and for who is still in; False where time does not allow it."""
        if not self.active or self._stopped:
            return False
        racing = [0, *sorted(self.active)]
        wanted = [(index, block) for block in range(until) for index in racing if block not in self._results[index]]
        requests = [Request(self._recipes[index][1], block) for index, block in wanted]
        first = not any(self._results)
        left = self._budget - self._clock()
        if not first and self._runner.predicted_seconds(requests) > left:
            return False
        names = tuple(self._recipes[index][0] for index in racing)
        self._tell(TrialsRunning(names, until, until, last, self._clock(), self._budget))
        results = self._runner.run(requests, None if self._budget == inf else self._budget)
        for (index, block), result in zip(wanted, results, strict=True):
            self._results[index][block] = result
        for index in sorted(self.active):
            sick = next((r for r in self._results[index].values() if r.score.failed), None)
            if sick is not None:
                self._leave(index, f"it failed: {sick.outcome.sentence or sick.outcome.ending.value}")
        control_failed = any(r.score.failed for r in self._results[0].values())
        if control_failed:
            for index in sorted(self.active):
                self._reasons[index] = "the first recipe failed, so that there is nothing to compare with"
            self.active.clear()
        return bool(self.active)

    def scores(self, index: int, until: int) -> list[Score]:
        results = self._results[index]
        return [replace(results[block].score, seconds=results[block].seconds) for block in range(until)]

    def _leave(self, index: int, reason: str) -> None:
        self._reasons[index] = reason
        self.active.discard(index)

    def judged(self, index: int, look: Look) -> None:
        """Keep a look; who is settled leaves."""
        self._looks[index] = look
        settled = look.verdict in _SETTLED
        if settled:
            self._leave(index, f"{look.verdict.value} after {look.blocks} blocks")
        self._tell(
            TrialJudged(
                self._recipes[index][0], look.difference, look.low, look.high, look.verdict, look.blocks, "", settled,
                self._clock(),
            )
        )  # fmt: skip

    def answers(self) -> tuple[Compared, ...]:
        return tuple(self._answer(index) for index in range(len(self._recipes)))

    def _answer(self, index: int) -> Compared:
        name, recipe = self._recipes[index]
        results = self._results[index]
        values = [each.score.value for each in results.values()]
        failed = not values or any(each.score.failed for each in results.values())
        look = self._looks.get(index)
        verdict = look.verdict if look else None
        if index and failed and results:
            verdict = Verdict.WORSE
        return Compared(
            name=name,
            recipe=recipe,
            blocks=len(values),
            score=nan if failed else sum(values) / len(values),
            seconds=sum(each.seconds for each in results.values()),
            epochs=sorted(each.epochs for each in results.values())[len(results) // 2] if results else 0,
            evidence=results[0].evidence if 0 in results else Evidence(),
            look=look,
            verdict=verdict,
            reason=self._reasons.get(index, ""),
        )
