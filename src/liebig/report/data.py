"""What a report says, as frozen plain values. The renderers read nothing else.

Scores and differences are as the user reads them: for RMSE a difference below zero is an improvement. NaN: not known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """What the study came to: the report's first line."""

    EMPTY = "nothing trained yet"
    OPEN = "seal not opened"
    NOTHING_HELPED = "nothing helped"
    NOT_BETTER = "winner not better on the sealed part"
    GAINED = "gained, not proven"
    PROVEN = "gain proven"


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference with its interval. `verdict` is a `core.trial.Verdict` value, "" where none was given."""

    difference: float
    low: float
    high: float
    verdict: str = ""
    blocks: int = 0

    @property
    def half_width(self) -> float:
        return abs(self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Measure:
    """The metric, and the direction in which it is good."""

    name: str
    title: str
    higher_is_better: bool
    unit: str = ""

    @property
    def direction(self) -> str:
        return "higher is better" if self.higher_is_better else "lower is better"

    def is_better(self, difference: float) -> bool:
        return difference > 0 if self.higher_is_better else difference < 0


@dataclass(frozen=True, slots=True)
class FigureCard:
    """One of the numbers at the top. `tone` is "gain", "loss" or ""."""

    label: str
    value: str
    note: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class PartTold:
    """One part of a recipe: what leaving it out costs. `worth` is None where the budget did not reach it."""

    name: str
    why: str
    worth: Effect | None


@dataclass(frozen=True, slots=True)
class RungTold:
    """One rung. `score` is its mean over its own blocks; `position` is the first rung's score plus the differences
    measured since, each in the same blocks: rungs are compared by position."""

    name: str
    why: str
    score: float
    position: float
    effect: Effect | None
    at: float
    parts: tuple[PartTold, ...] = ()


@dataclass(frozen=True, slots=True)
class StaveTold:
    """One stave: its height is 1 - the strongest finding of its group; NaN where nothing of its group was measured."""

    name: str
    height: float
    finding: str

    @property
    def measured(self) -> bool:
        return not math.isnan(self.height)


@dataclass(frozen=True, slots=True)
class FindingTold:
    check: str
    stave: str
    strength: float
    certainty: str
    headline: str
    evidence: str
    advice: str
    consequences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiagnosisTold:
    """Findings strongest first, and how many of the other checks were clear, not applicable, not measured."""

    name: str
    findings: tuple[FindingTold, ...]
    staves: tuple[StaveTold, ...]
    clear: int
    not_applicable: int
    not_measured: int


@dataclass(frozen=True, slots=True)
class TrialTold:
    """One treatment's story. `effect` is None while no look is complete."""

    name: str
    why: str
    purpose: str
    round: int
    beside: str
    effect: Effect | None
    adopted: bool
    reason: str
    full: bool
    looks: int


@dataclass(frozen=True, slots=True)
class CurvesTold:
    """Curves by epoch, each [epochs] with NaN where not evaluated; `selected` is the epoch (0-based) that is kept."""

    name: str
    train_loss: tuple[float, ...]
    stop_loss: tuple[float, ...]
    train_metric: tuple[float, ...]
    stop_metric: tuple[float, ...]
    rates: tuple[float, ...]
    selected: int


@dataclass(frozen=True, slots=True)
class LayerTold:
    name: str
    kind: str
    inputs: int
    outputs: int
    parameters: int
    trained: int
    flops: int
    activation: str


@dataclass(frozen=True, slots=True)
class NetworkTold:
    family: str
    members: int
    layers: tuple[LayerTold, ...]
    parameters: int
    trained: int
    flops: int

    @property
    def frozen(self) -> int:
        return self.parameters - self.trained


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts [n] between edges [n + 1]."""

    step: int
    counts: tuple[float, ...]
    edges: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LayerHistograms:
    """What leaves one layer's activation at the first and at the last look."""

    layer: str
    activation: str
    first: Histogram
    last: Histogram
    dead: float
    saturated: float


@dataclass(frozen=True, slots=True)
class CapacityPoint:
    name: str
    parameters: int
    fit_score: float
    select_score: float


@dataclass(frozen=True, slots=True)
class GrowthTold:
    """Scores against training rows, and where that leads: `points` (rows, score) were measured, `line` (rows, score, low, high) is
    expected. Twice the `now` rows should change the score by `twice`, an effect as the user reads it. `sentence` says so."""

    name: str
    points: tuple[tuple[float, float], ...]
    line: tuple[tuple[float, float, float, float], ...]
    now: float
    twice: Effect
    sentence: str


@dataclass(frozen=True, slots=True)
class ImportanceTold:
    """How much worse the score is when this column is shuffled: positive is lost score."""

    column: str
    loss: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class WorstRow:
    row: int
    truth: str
    answer: str
    loss: float
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ChallengerTold:
    """Another algorithm on the same blocks; `effect` is challenger against the best network at that time."""

    name: str
    score: float
    effect: Effect
    seconds: float


@dataclass(frozen=True, slots=True)
class MemberTold:
    """One model of a combination: what it is called, whether it is a network, its share of the answer (0..1)."""

    name: str
    is_network: bool
    weight: float


@dataclass(frozen=True, slots=True)
class CombinationTold:
    """Models that answer together, or would have. `effect` is theirs beside the best network in the same blocks, with weights
    that the block judged had no part in; `adopted` says that the seal judged them. `reading` says in a few words how their answers are
    read, "" as they come. `sentences` explain it."""

    members: tuple[MemberTold, ...]
    effect: Effect | None
    reading: str
    candidates: int
    adopted: bool
    reason: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecipeChange:
    """One line of the recipe that changed, as TOML values; "" where it was, or is, absent."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SealTold:
    baseline_score: float
    final_score: float
    effect: Effect
    proven: bool
    rows: int
    handed_over_is_final: bool
    seconds_per_row: float
    epochs: Mapping[str, int]
    seeds: int
    fits: int


@dataclass(frozen=True, slots=True)
class WorstPicture:
    """One picture that the network answered wrongly; `picture` is a PNG in base64."""

    name: str
    truth: str
    answer: str
    loss: float
    picture: str


@dataclass(frozen=True, slots=True)
class SuspectPicture:
    """One picture whose label is doubted, and what it rather shows; `margin` is how much more probable that is."""

    name: str
    label: str
    rather: str
    margin: float
    picture: str


@dataclass(frozen=True, slots=True)
class SuspectsTold:
    """The contact sheet of doubted labels, the surest doubt first; `asked` pictures were asked. Of answers that were as sure the
    share `agreed` with the label."""

    pictures: tuple[SuspectPicture, ...]
    asked: int
    agreed: float


@dataclass(frozen=True, slots=True)
class CopiedPicture:
    """One picture of a group that are the same, or nearly."""

    name: str
    label: str
    is_tested: bool
    picture: str


@dataclass(frozen=True, slots=True)
class DuplicatesTold:
    """The contact sheet of near duplicates: some of `groups` groups, of which `contradicting` have pictures with different labels."""

    shown: tuple[tuple[CopiedPicture, ...], ...]
    groups: int
    contradicting: int


@dataclass(frozen=True, slots=True)
class ConfusionTold:
    """How often a class (row) was answered as which (column). `commonest` are the mistakes made most: truth, answer, count."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    commonest: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class AugmentedPicture:
    """A picture as it is and as it is trained on, PNGs in base64."""

    name: str
    plain: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportData:
    """A study, told. Built by `report.build.report_data`; rendered as HTML, text and JSON."""

    name: str
    target: str
    task: str
    measure: Measure
    standing: Standing
    headline: str
    proof: str
    lead: tuple[str, ...]
    summary: tuple[str, ...]
    decimals: int
    cards: tuple[FigureCard, ...]
    seal: SealTold | None
    ladder: tuple[RungTold, ...]
    before: DiagnosisTold | None
    after: DiagnosisTold | None
    data: DiagnosisTold | None
    parts: tuple[PartTold, ...]
    trials: tuple[TrialTold, ...]
    challengers: tuple[ChallengerTold, ...]
    combination: CombinationTold | None
    curves: tuple[CurvesTold, ...]
    network: NetworkTold | None
    histograms: tuple[LayerHistograms, ...]
    capacity: tuple[CapacityPoint, ...]
    growth: GrowthTold | None
    importance: tuple[ImportanceTold, ...]
    worst_rows: tuple[WorstRow, ...]
    worst_pictures: tuple[WorstPicture, ...]
    suspects: SuspectsTold | None
    duplicates: DuplicatesTold | None
    confusion: ConfusionTold | None
    augmented: tuple[AugmentedPicture, ...]
    recipe_name: str
    is_users_network: bool
    recipe_toml: str
    changes: tuple[RecipeChange, ...]
    environment: Mapping[str, str]
    notes: tuple[str, ...]
    footer: str
