"""Are all losses finite? On a graphics processor the question is asked without waiting for the answer."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


class Health:
    """Sums of losses are asked for after each step. Waiting for each answer would leave a graphics processor idle while the
    next step is prepared: there the answer to one step is read after the next was begun, so that a member whose loss is not
    finite leaves one step later."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._asked: tuple[Tensor, Any] | None = None

    def forget(self) -> None:
        """The members changed: an answer on the way is not theirs."""
        self._asked = None

    def sick(self, totals: Tensor, wait: bool) -> list[int]:
        """Places of members whose sum of losses, of `totals` [K], is not finite. `wait` where nothing comes after it."""
        if self._device.type != "cuda" or wait:
            self._asked = None
            return self._places(totals) if not math.isfinite(float(totals.sum())) else []
        before, self._asked = self._asked, self._ask(totals)
        if before is None:
            return []
        answer, ready = before
        ready.synchronize()
        return [] if math.isfinite(float(answer)) else self._places(totals)

    def _ask(self, totals: Tensor) -> tuple[Tensor, Any]:
        answer = torch.empty((), dtype=totals.dtype, pin_memory=True)
        answer.copy_(totals.sum(), non_blocking=True)
        ready = torch.cuda.Event()  # type: ignore[no-untyped-call]  # of torch
        ready.record()
        return answer, ready

    def _places(self, totals: Tensor) -> list[int]:
        return [i for i, fine in enumerate(torch.isfinite(totals).tolist()) if not fine]
