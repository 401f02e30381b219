"""The study: the append-only ledger of a task, as frozen entries. Resuming is replaying it.

The store keeps the entries, the coach's policy reads the study and answers the next action, the report tells it.
Everything that a study knows is derived from its entries here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from math import isfinite
from typing import TypeVar

from liebig.core.check import Fact
from liebig.core.decision import Decision
from liebig.core.evidence import Evidence, Measurement
from liebig.core.recipe import Recipe
from liebig.core.run import Outcome, Score
from liebig.core.task import Fidelity, TaskKind
from liebig.core.trial import Look, Verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """The parent of every entry. `at` is seconds since the study began (of working time: a pause does not count)."""

    at: float


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts of the machine that the report shows. `precision_gain` is the measured ratio bfloat16 / float32."""

    system: str
    processor: str
    cores: int
    memory_gib: float
    device: str
    precision: str
    precision_gain: float
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Began(Entry):
    """The study begins. What the user asked for, and what was found in the data.

    `source` and `options` are enough to read the same task again (`--resume`): the file and every option as typed.
    `fingerprint` is a digest of the data; on resume it must agree. `looks` is row A (12 blocks) or B (20).
    """

    name: str
    source: str
    options: Mapping[str, str]
    fingerprint: str
    kind: TaskKind
    target: str
    classes: tuple[str, ...]
    metric: str
    higher_is_better: bool
    rows: int
    sealed_rows: int
    work_rows: int
    columns: int
    test_given: bool
    seed: int
    budget: float
    trials: int | None
    looks: str
    machine: Machine
    notes: tuple[str, ...] = ()

    @property
    def ends_at(self) -> float | None:
        """The second of the study at which all must be done; None where trials are counted instead, or nobody waits."""
        return self.budget if self.trials is None and isfinite(self.budget) else None


@dataclass(frozen=True, slots=True)
class Profiled(Entry):
    """Evidence of the data themselves."""

    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Ran(Entry):
    """One recipe was trained in one block and judged. `evidence` may be left out for all but the first blocks."""

    digest: str
    block: int
    fidelity: Fidelity
    outcome: Outcome
    score: Score
    epochs: int
    seconds: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Noted(Entry):
    """A recipe, with the name that the ladder shows; `digest` names it everywhere else."""

    digest: str
    name: str
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class FindingNote:
    """A finding in the ledger: the check by name, the rest as in `core.check.Finding`."""

    check: str
    strength: float
    place: str
    facts: Mapping[str, Fact]
    consequences: tuple[FindingNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosed(Entry):
    """What limits the recipe `digest`: findings, strongest first, and how the other checks answered
    (name -> "clear", "not applicable: ...", "not measured: ..."). `digest` is "data" for the checks on the data."""

    digest: str
    findings: tuple[FindingNote, ...]
    others: Mapping[str, str]


class Purpose(StrEnum):
    """Why a round is run."""

    REMEDIES = "remedies"
    TOGETHER = "together"
    ABLATION = "ablation"  # treatments leave one part out; a look tells the part's worth: control minus treatment
    CONFIRMATION = "confirmation"  # what was adopted at reduced fidelity, at full size against its last full-size rung
    STANDING = "standing"  # the incumbent against the last rung that is proven, over more blocks than it was adopted on
    SEARCH = "search"
    SAVING = "saving"  # judged by `Equal`: same score in less time


@dataclass(frozen=True, slots=True)
class Treatment:
    """One treatment of a round: the recipe, the remedy that made it and the check that it answers ("" for none)."""

    digest: str
    name: str
    remedy: str
    answers: str


@dataclass(frozen=True, slots=True)
class RoundBegan(Entry):
    """A round of trials: treatments beside one control, in the same blocks. `number` counts paid rounds from 1."""

    number: int
    purpose: Purpose
    control: str
    treatments: tuple[Treatment, ...]
    fidelity: Fidelity


@dataclass(frozen=True, slots=True)
class Looked(Entry):
    """One look at one treatment of a round."""

    round: int
    digest: str
    look: Look


@dataclass(frozen=True, slots=True)
class Left(Entry):
    """A treatment left its round, and why (a sentence)."""

    round: int
    digest: str
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Adopted(Entry):
    """A treatment became the incumbent."""

    round: int
    digest: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Withdrawn(Entry):
    """What was adopted at reduced fidelity did not hold at full size: `digest`, a lower rung, is the incumbent again."""

    round: int
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoundEnded(Entry):
    round: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Challenged(Entry):
    """A classical algorithm was judged on the same blocks: its score as the user reads it, beside the incumbent's
    (oriented difference challenger - incumbent, with interval)."""

    name: str
    blocks: int
    score: float
    difference: float
    low: float
    high: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Member:
    """One model of a combination: a recipe by its digest, or a classical algorithm by its name, and its share of the answer."""

    name: str
    weight: float
    is_network: bool


@dataclass(frozen=True, slots=True)
class Combined(Entry):
    """Models that were tried already were weighed against each other, to answer together in place of the incumbent `control`.

    `members` have the weights that all `blocks` choose, `look` compares by cross-fitting: in each block with the weights of the
    other blocks (None where nothing was left to compare). `candidates` counts what was weighed. `adopted` says that the
    combination is what the seal will judge; a later entry with the same digest may take that back. At most Likely (TRIALS
    15): the seal alone speaks for it.
    """

    digest: str
    control: str
    members: tuple[Member, ...]
    candidates: int
    blocks: int
    fidelity: Fidelity
    look: Look | None
    score: float  # mean of the cross-fitted combination over the blocks, as the user reads it
    adopted: bool
    reason: str
    decision: Decision | None = None  # how their answers are read
    decided: Look | None = None  # what that was worth beside answers as they come, by cross-fitting


@dataclass(frozen=True, slots=True)
class Explained(Entry):
    """Something measured for the report alone. `digest` is the recipe it speaks of."""

    digest: str
    what: Measurement


@dataclass(frozen=True, slots=True)
class Sealed(Entry):
    """The seal was opened, once: the study is closed. Scores as the user reads them; the gain is oriented.

    `final` is the winner's digest (of a recipe, or of a `Combined`), `handed_over` what the user gets: the same, or the
    baseline's where the winner is not better there. `epochs` by recipe. `seeds` tells from how many seeds each network of
    the winner was trained for it, and `fits` from how many its other algorithms that vary with their seed were: time that was
    left is spent so.
    """

    baseline: str
    final: str
    handed_over: str
    baseline_score: float
    final_score: float
    gain: float
    low: float
    high: float
    proven: bool
    rows: int
    epochs: Mapping[str, int]
    predict_seconds_per_row: float
    seeds: int = 1
    fits: int = 1


@dataclass(frozen=True, slots=True)
class Ended(Entry):
    """The study ended: why, and where the model and the report lie (relative to the study)."""

    reason: str
    seconds: float
    training_seconds: float
    peak_gib: float


#: Entries that tell of trials.
_TELLING = (RoundBegan, Looked, Left, Adopted)

E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the ladder. The baseline is the first rung, with no trial."""

    digest: str
    name: str
    score: float  # mean over its blocks, as the user reads it
    treatment: Treatment | None
    look: Look | None  # the last look, which may be later than the adoption
    verdict: Verdict | None
    round: int
    at: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One treatment's whole story in one round."""

    round: int
    purpose: Purpose
    control: str
    treatment: Treatment
    looks: tuple[Look, ...]
    verdict: Verdict | None  # None while no look is complete
    adopted: bool
    reason: str
    fidelity: Fidelity


@dataclass(frozen=True, eq=False)
class Study:
    """The entries so far, in order, and all that follows from them."""

    entries: tuple[Entry, ...] = ()

    def adding(self, *entries: Entry) -> Study:
        """This study with more entries. What is known of runs and recipes is carried over, not derived anew: a long study
        is asked after every step."""
        longer = Study((*self.entries, *entries))
        known = vars(self)
        if "scores" in known:
            vars(longer)["scores"] = _with_runs(self.scores, entries)
        if "recipes" in known:
            vars(longer)["recipes"] = _with_notes(self.recipes, entries)
        if "trials" in known and not any(isinstance(entry, _TELLING) for entry in entries):
            vars(longer)["trials"] = self.trials
        return longer

    def all(self, kind: type[E]) -> Iterator[E]:
        """Entries of this type, in order."""
        return (entry for entry in self.entries if type(entry) is kind)

    def last(self, kind: type[E]) -> E | None:
        return next((entry for entry in reversed(self.entries) if type(entry) is kind), None)

    @cached_property
    def began(self) -> Began:
        found = next(self.all(Began), None)
        if found is None:
            raise ValueError("a study begins with a Began entry, however this one has none")
        return found

    @cached_property
    def recipes(self) -> Mapping[str, Noted]:
        """Every recipe of the study by digest, under the name it was given first."""
        return _with_notes({}, self.entries)

    @cached_property
    def scores(self) -> Mapping[tuple[str, Fidelity], Mapping[int, Ran]]:
        """Runs by recipe and fidelity, then by block."""
        return _with_runs({}, self.entries)

    def mean_score(self, digest: str, fidelity: Fidelity | None = None) -> float:
        """Mean score of a recipe over its blocks, as the user reads it; NaN where it has none.

        Without `fidelity`: at the largest fidelity that it was run at.
        """
        having = [(f, runs) for (d, f), runs in self.scores.items() if d == digest and fidelity in (None, f)]
        if not having:
            return float("nan")
        _, runs = max(having, key=lambda each: each[0].rows * each[0].epochs)
        values = [ran.score.value for ran in runs.values() if not ran.score.failed]
        mean = sum(values) / len(values) if values else float("nan")
        return mean if self.began.higher_is_better else -mean

    @cached_property
    def baseline(self) -> str | None:
        """Digest of the first recipe noted."""
        note = next(self.all(Noted), None)
        return note.digest if note else None

    @cached_property
    def incumbent(self) -> str | None:
        """Digest of the best so far: the last adopted (or gone back to), or the baseline."""
        last = next((each for each in reversed(self.entries) if type(each) in {Adopted, Withdrawn}), None)
        return last.digest if isinstance(last, Adopted | Withdrawn) else self.baseline

    @cached_property
    def combination(self) -> Combined | None:
        """What answers in place of the incumbent, where that was adopted and the incumbent is still the one that it was
        compared with."""
        last = self.last(Combined)
        return last if last is not None and last.adopted and last.control == self.incumbent else None

    def network_of(self, digest: str) -> str:
        """The recipe that speaks for a model: itself, or of a combination the best network that it was compared with."""
        return next((each.control for each in self.all(Combined) if each.digest == digest), digest)

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Every treatment of every round, in order."""
        looks: dict[tuple[int, str], list[Look]] = {}
        for looked in self.all(Looked):
            looks.setdefault((looked.round, looked.digest), []).append(looked.look)
        left = {(each.round, each.digest): each for each in self.all(Left)}
        adopted = {(each.round, each.digest): each for each in self.all(Adopted)}
        trials = []
        for begun in self.all(RoundBegan):
            for treatment in begun.treatments:
                key = (begun.number, treatment.digest)
                seen = tuple(looks.get(key, ()))
                verdict = _standing(seen, left.get(key))
                reason = left[key].reason if key in left else ""
                trials.append(
                    Trial(begun.number, begun.purpose, begun.control, treatment, seen, verdict, key in adopted, reason,
                          begun.fidelity)
                )  # fmt: skip
        return tuple(trials)

    @cached_property
    def rungs(self) -> tuple[Rung, ...]:
        """The ladder as it stands, lowest rung first: rungs that were withdrawn are gone."""
        if self.baseline is None:
            return ()
        first = self.recipes[self.baseline]
        ladder = [Rung(first.digest, first.name, self.mean_score(first.digest), None, None, None, 0, first.at)]
        by_key = {(trial.round, trial.treatment.digest): trial for trial in self.trials}
        for adopted in self.entries:
            if isinstance(adopted, Withdrawn):
                standing = [rung.digest for rung in ladder]
                del ladder[standing.index(adopted.digest) + 1 :]
            if not isinstance(adopted, Adopted):
                continue
            trial = by_key[adopted.round, adopted.digest]
            look = trial.looks[-1] if trial.looks else None
            ladder.append(
                Rung(adopted.digest, trial.treatment.name, self.mean_score(adopted.digest), trial.treatment, look,
                     trial.verdict, adopted.round, adopted.at)
            )  # fmt: skip
        return tuple(ladder)

    @cached_property
    def sealed(self) -> Sealed | None:
        return self.last(Sealed)

    @property
    def is_closed(self) -> bool:
        return self.sealed is not None


Runs = Mapping[tuple[str, Fidelity], Mapping[int, Ran]]


def _with_runs(runs: Runs, entries: Iterable[Entry]) -> Runs:
    """`runs` with those of `entries`; nothing that was handed out is changed."""
    more: dict[tuple[str, Fidelity], dict[int, Ran]] = {}
    for entry in entries:
        if type(entry) is Ran:
            key = (entry.digest, entry.fidelity)
            if key not in more:
                more[key] = dict(runs.get(key, {}))
            more[key][entry.block] = entry
    return {**runs, **more} if more else runs


def _with_notes(notes: Mapping[str, Noted], entries: Iterable[Entry]) -> Mapping[str, Noted]:
    """`notes` with those of `entries`: a recipe keeps its first name."""
    more = [entry for entry in entries if type(entry) is Noted]
    if not more:
        return notes
    named = dict(notes)
    for note in more:
        named.setdefault(note.digest, note)
    return named


def _standing(looks: tuple[Look, ...], left: Left | None) -> Verdict | None:
    """Proven stays proven; else what it left with; else the last look's verdict."""
    if any(look.verdict is Verdict.PROVEN for look in looks):
        return Verdict.PROVEN
    if left is not None:
        return left.verdict
    return looks[-1].verdict if looks else None


# --- measured for the report alone -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnImportance(Measurement):
    """How much the score falls when a column is shuffled, on select parts: oriented, with 95 % intervals. Largest first."""

    columns: tuple[str, ...]
    loss: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class WorstRows(Measurement):
    """The rows of select parts with the largest loss: row number in the file, truth, answer, loss, the row as text."""

    rows: tuple[int, ...]
    truth: tuple[str, ...]
    answer: tuple[str, ...]
    loss: tuple[float, ...]
    cells: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Capacity(Measurement):
    """Fit and select score (as the user reads them) against the number of parameters, where width or depth was tried."""

    names: tuple[str, ...]
    parameters: tuple[int, ...]
    fit_score: tuple[float, ...]
    select_score: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PopulationPath(Measurement):
    """How `networks` networks of one kind, up to `members` beside each other, were trained: in one call, or one by one.

    Seconds are those of one step of all members, measured both ways; NaN where that was not possible, and `reason` says why
    (the end of a sentence that goes "one by one, since ...").
    """

    members: int
    networks: int
    at_once: bool
    seconds_at_once: float
    seconds_alone: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PopulationPaths(Measurement):
    """How the populations of a user's own network were trained."""

    paths: tuple[PopulationPath, ...]


@dataclass(frozen=True, slots=True)
class Growth(Measurement):
    """The score of a recipe against the rows that it is trained on, and where that leads.

    `rows` [sizes], smallest first, `scores` their mean over `blocks` blocks as the user reads it, `error` the standard error of one of
    them beside the others. `now` are the rows that a block trains on in full; twice as many should bring `twice` (oriented, with
    its 95 % interval `low` to `high`). `line_rows` are rows up to twice `now`, `line`, `line_low`, `line_high` the score expected
    there, as the user reads it. Where it could not be measured nothing is in it but `reason`, the end of a sentence.
    """

    rows: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()
    error: float = float("nan")
    blocks: int = 0
    now: float = float("nan")
    twice: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    line_rows: tuple[float, ...] = ()
    line: tuple[float, ...] = ()
    line_low: tuple[float, ...] = ()
    line_high: tuple[float, ...] = ()
    reason: str = ""

    @property
    def is_measured(self) -> bool:
        return bool(self.rows)


@dataclass(frozen=True, slots=True)
class TrainedAgain(Measurement):
    """What is handed over was trained once more, on `rows` rows, of which `sealed_rows` were sealed before; or it was begun and not
    `in_time` for the budget, so that what the seal judged is handed over."""

    rows: int
    sealed_rows: int
    in_time: bool = True


@dataclass(frozen=True, slots=True)
class NetworkCard(Measurement):
    """Structure of a recipe's network as evidence for the report (see `core.evidence.Structure`)."""

    evidence: Evidence = field(default_factory=Evidence)
