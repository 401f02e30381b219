"""Memory grows from step to step.

Means: Something keeps every step's graph alive (a loss that is added up without detach, outputs in a list): memory grows until there is
  none left.
Measured: tensors with a graph behind them that are alive at the last look beside the first; bytes that memory grew by a step.
Misleads: allocators and caches grow in the first steps and stop: the slope is taken after them, and bytes alone are a hint unless they
  are many times the network.
Source: PyTorch FAQ, "My model reports cuda runtime error: out of memory".
"""

from __future__ import annotations

import math
from typing import Final

from liebig.checks.numbers import log_ramp, ramp, scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence
from liebig.core.evidence import MemoryGrowth as Growth

_LEAST: Final = 2e7  # bytes in all that are worth a word: below lies the noise of an allocator


class MemoryGrowth(Check):
    """Graphs that stay alive, or memory that grows without end."""

    name = "memory-growth"
    stave = Stave.MACHINE
    needs = (Growth,)
    of_code = True
    explains = frozenset({"device-underused"})
    words = {
        "en": Telling(
            headline="Memory grows with every step.",
            evidence="Over {steps:,.0f} steps it grew by {bytes:.3g} kB a step{graphs}.",
            advice="Keep numbers, not tensors with a graph: total += loss.item(), or loss.detach(); detach the hidden state between steps; empty lists of outputs.",
            short="the growing memory",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        memory = evidence.get(Growth)
        assert memory is not None
        if memory.steps < 10:
            return NotApplicable("fewer than ten steps were seen")
        more = memory.graphs_last - memory.graphs_first
        by_graphs = 0.97 * ramp(more / memory.steps, 0.1, 0.6) * ramp(float(more), 5.0, 30.0)
        grown = memory.bytes_per_step * memory.steps if math.isfinite(memory.bytes_per_step) else 0.0
        by_bytes = log_ramp(grown / (_LEAST + memory.network_bytes), 2.0, 50.0)
        strength = max(by_graphs, 0.6 * by_bytes if more > 5 else scaled_to_hint(0.5 * by_bytes))
        if strength < 0.05:
            return Clear()
        facts = {
            "steps": Fact(float(memory.steps), "steps"),
            "bytes": Fact(max(0.0, grown / memory.steps / 1e3), "kB"),
            "graphs": Fact(
                f"; {memory.graphs_last:,} tensors with a graph behind them are alive, at the first look {memory.graphs_first:,}"
                + (f" (as from {memory.place})" if memory.place else "")
                if more > 5
                else ""
            ),
        }
        return Found(strength, memory.place, facts)
