"""The loss compares every row with every other.

Means: Answers of shape (n, 1) and targets of shape (n,), or the reverse, are stretched to (n, n): each answer is held against
  the targets of all rows. The best that the network can do is to answer the mean for everyone.
Measured: the shapes at the loss call, and that of what it computes before it takes the mean: larger than both.
Misleads: distances of all pairs are meant in some losses; where no loss function of torch is called only the pair (n,) and (n, 1)
  counts.
Source: the broadcasting rules of NumPy and torch; torch warns of it once in mse_loss.
"""

from __future__ import annotations

from math import prod

from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, LossCall, LossCalls


class LossBroadcast(Check):
    """Answers and targets are stretched against each other."""

    name = "loss-broadcast"
    stave = Stave.START
    needs = (LossCalls,)
    of_code = True
    explains = POOR_RESULT | LOST_SIGNAL | {"loss-output-mismatch", "misaligned-labels", "learning-rate-too-low", "oscillating-loss",
                                            "unscaled-targets", "over-regularised", "batch-size"}  # fmt: skip
    words = {
        "en": Telling(
            headline="The loss compares every row with every other.",
            evidence="{function}{where} gets answers of shape {answers} and targets of shape {targets}: they are stretched to {result}, so each answer is held against the targets of all {rows:.0f} rows, and the best answer is the same mean for everyone.",
            advice="Give both one shape: {change}.",
            short="the stretched shapes in the loss",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        calls = evidence.get(LossCalls)
        assert calls is not None
        if not calls.calls:
            return NotApplicable("no call of a loss function was seen")
        stretched = [call for call in calls.calls if _is_stretched(call)]
        if not stretched:
            return Clear()
        first = next((call for call in stretched if call.training), stretched[0])
        longer = len(first.input_shape) > len(first.target_shape)
        facts = {
            "function": Fact("The loss" if first.function == "by hand" else first.function),
            "where": Fact(f" at {first.place}" if first.place else ""),
            "answers": Fact(_shape(first.input_shape)),
            "targets": Fact(_shape(first.target_shape)),
            "result": Fact(_shape(first.result_shape)),
            "rows": Fact(float(max(first.input_shape[:1] + first.target_shape[:1], default=0)), "rows"),
            "change": Fact("outputs.squeeze(-1), or targets.unsqueeze(-1)" if longer else "targets.squeeze(-1)"),
            "since": Fact(float(first.step), "step"),
        }
        return Found(0.98, first.place, facts)


def _is_stretched(call: LossCall) -> bool:
    """The result holds more values than either of what it was made from."""
    one, other = call.input_shape, call.target_shape
    if not call.result_shape or prod(call.result_shape) <= max(prod(one), prod(other)):
        return False
    short, long = sorted((one, other), key=len)
    row_against_column = len(long) == 2 and long[1] == 1 and short == long[:1]
    return row_against_column if call.function == "by hand" else True


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
