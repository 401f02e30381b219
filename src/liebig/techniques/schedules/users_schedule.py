"""The user's own schedule.

Does: gives each epoch, or each step, the share of the rate that the user's own scheduler gave it; in a training of another
    length the same curve is gone through.
Helps: whenever training is exactly what the user does.
Misleads: what the scheduler reads while training goes on (a loss, the clock) is not known when its rates are written down.
Source: the user; any of torch.optim.lr_scheduler.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from liebig.techniques.schedules.shapes import ALONG, along, values_in_script
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import ScheduleSettings


class UsersSchedule(ScheduleSettings):
    """`name` says which class it was. `factors` are what the rate was multiplied by in each epoch, or along the steps of the whole
    training (`per`)."""

    kind: Literal["users-schedule"] = "users-schedule"
    name: str = ""
    per: Literal["epoch", "step"] = "epoch"
    factors: Annotated[tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], ...], Field(min_length=1)] = (1.0,)

    def as_script(self, ground: ScriptGround) -> Script:
        table = values_in_script("FACTORS", self.factors)
        if self.per == "epoch":
            return Script(helpers=(table,), rate="FACTORS[min(epoch * len(FACTORS) // epochs, len(FACTORS) - 1)]")
        return Script(helpers=(table, ALONG), rate="along(FACTORS, step, total_steps)")

    def multiplier(self, step: int, total_steps: int, steps_per_epoch: int) -> float:
        if self.per == "step":
            return along(self.factors, step, total_steps)
        epochs = max(1, -(-total_steps // max(1, steps_per_epoch)))
        return self.factors[min(step // max(1, steps_per_epoch) * len(self.factors) // epochs, len(self.factors) - 1)]
