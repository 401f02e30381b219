"""What is seen of networks that read sequences step by step."""

from __future__ import annotations

from dataclasses import dataclass

from liebig.core.evidence.bag import Measurement


@dataclass(frozen=True, slots=True)
class StepGradients(Measurement):
    """How much the loss of a recurrent network depends on what enters at each place of a sequence: `sizes` has one row for each look
    (at the optimizer's `steps`), root mean squares from the first to the last of `places` equal parts of each sequence."""

    steps: tuple[int, ...]
    places: int
    sizes: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class SequenceProfile(Measurement):
    """The sequences to learn from, before anything is trained: how many, their steps (shortest, longest), the share of values that are
    missing. `leaking` are channels whose last step tells a value that is still to be forecast, `leaking_step` the step of the
    horizon that each tells (1 is the next)."""

    sequences: int
    shortest: int
    longest: int
    missing: float
    leaking: tuple[str, ...]
    leaking_step: tuple[int, ...]
