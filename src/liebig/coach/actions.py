"""The closed set of what the coach can do next. Frozen values: the policy answers one, the loop does it."""

from __future__ import annotations

from dataclasses import dataclass

from liebig.coach.advice import Idea
from liebig.core.study import Purpose
from liebig.core.task import Fidelity
from liebig.core.trial import Verdict


@dataclass(frozen=True, slots=True)
class LookAtData:
    """Profile the data and run the checks on them."""


@dataclass(frozen=True, slots=True)
class NoteBaseline:
    """Write the baseline's recipe down."""


@dataclass(frozen=True, slots=True)
class Job:
    """Train the recipe `digest` in `block`."""

    digest: str
    block: int


@dataclass(frozen=True, slots=True)
class Train:
    """Train these at one fidelity. `round` is 0 for the baseline; `look` the look that they are for."""

    jobs: tuple[Job, ...]
    fidelity: Fidelity
    round: int
    look: int


@dataclass(frozen=True, slots=True)
class Diagnose:
    """Ask what limits the recipe `digest`, from its runs at this fidelity."""

    digest: str
    fidelity: Fidelity


@dataclass(frozen=True, slots=True)
class MeasureGrowth:
    """Train the recipe `digest` on these `shares` of the rows that its runs at `fidelity` had, to see what more rows would bring."""

    digest: str
    fidelity: Fidelity
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class BeginRound:
    """Begin a paid round: `ideas` beside `control`, in the same blocks."""

    number: int
    purpose: Purpose
    control: str
    ideas: tuple[Idea, ...]
    fidelity: Fidelity


@dataclass(frozen=True, slots=True)
class TakeLook:
    """Judge these treatments of a round over its first `blocks` blocks, whose runs are all there."""

    round: int
    digests: tuple[str, ...]
    blocks: int


@dataclass(frozen=True, slots=True)
class Leave:
    """These treatments leave their round: (digest, verdict, reason)."""

    round: int
    leaving: tuple[tuple[str, Verdict, str], ...]


@dataclass(frozen=True, slots=True)
class Adopt:
    """The best of a round becomes the incumbent; the others leave."""

    round: int
    digest: str
    verdict: Verdict
    leaving: tuple[tuple[str, Verdict, str], ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """What was adopted at reduced fidelity does not hold at full size: go back to `digest`."""

    round: int
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class EndRound:
    """A round is over, and why."""

    round: int
    reason: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """Judge a classical algorithm in the first `blocks` blocks."""

    name: str
    blocks: int
    fidelity: Fidelity


@dataclass(frozen=True, slots=True)
class Combine:
    """Weigh the incumbent (the first of `names`) and others over the first `blocks` blocks, where their answers are there."""

    names: tuple[str, ...]
    blocks: int
    fidelity: Fidelity


@dataclass(frozen=True, slots=True)
class OpenSeal:
    """Train baseline and winner once more and open the seal, once; the study is then closed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left to do."""

    reason: str


Action = (
    LookAtData
    | NoteBaseline
    | Train
    | Diagnose
    | MeasureGrowth
    | BeginRound
    | TakeLook
    | Leave
    | Adopt
    | Withdraw
    | EndRound
    | Challenge
    | Combine
    | OpenSeal
    | Finish
)
