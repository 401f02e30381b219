"""Best epoch.

Does: trains all `epochs` and hands over the weights of the epoch that was best on a held-out stop part.
Helps: like early stopping without its impatience: a late recovery is not missed; schedules that must run to their end.
Misleads: costs the whole length, and the best of many epochs on a small stop part is partly luck.
Source: Prechelt 1998, section 2; checkpoints of the best epoch, as every framework has them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Decision, Progress, StoppingSettings
from liebig.techniques.stopping.monitor import Best, Mode, Monitor, watch, watched_in_script


class BestEpoch(StoppingSettings):
    """Settings of the best epoch."""

    kind: Literal["best-epoch"] = "best-epoch"
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 30
    monitor: Monitor = "metric"
    mode: Mode = "auto"

    def as_script(self, ground: ScriptGround) -> Script:
        watched, rises = watched_in_script(self.monitor, self.mode, ground.higher_is_better)
        return Script(
            begin=("best, kept = None, None",),
            after_evaluation=(
                f"if best is None or {watched} {'>' if rises else '<'} best:",
                f"    best, kept = {watched}, copy.deepcopy(answering.state_dict())",
            ),
            at_the_end=("answering.load_state_dict(kept)",),
        )

    @property
    def chooses(self) -> bool:
        return True

    def start(self) -> Best:
        return Best()

    def after_epoch(self, state: Best, progress: Progress) -> tuple[Best, Decision]:
        best, better = watch(state, progress, self.monitor, self.mode)
        done = progress.epoch + 1 >= self.epochs
        return best, Decision(better, done, f"all {self.epochs} epochs are done" if done else "")
