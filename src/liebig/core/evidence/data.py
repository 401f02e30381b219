"""What the data show."""

from __future__ import annotations

from dataclasses import dataclass

from liebig.core.evidence.bag import Measurement


@dataclass(frozen=True, slots=True)
class ColumnProfile(Measurement):
    """One column as it came. `kind` is number, category, date, text, identifier or constant.

    `missing` is a share of rows, `distinct` a count. Numbers: `mean`, `spread` (standard deviation), `low`, `high`,
    `median`, `tail` (kurtosis-like: (q99.9 - q50) over (q75 - q25), 0 where the quartiles agree), `top_share` (share of the
    commonest value), all NaN for other kinds except `top_share`. `single_score` is the oriented score of the target
    predicted from this column alone, out of sample, between 0 (chance) and 1 (perfect). `why` says why it was taken for
    this kind. `ignored` when it is not an input.
    """

    name: str
    kind: str
    why: str
    missing: float
    distinct: int
    top_share: float
    mean: float
    spread: float
    low: float
    high: float
    median: float
    tail: float
    single_score: float
    ignored: bool = False
    duplicate_of: str = ""
    infinite: int = 0


@dataclass(frozen=True, slots=True)
class DataProfile(Measurement):
    """The table as it came, work rows only."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    target: ColumnProfile
    class_counts: tuple[int, ...]
    duplicate_rows: int
    shared_rows: int  # rows of work that stand again, target and all, in the user's own test file
    dropped_targets: int
    shift_auc: float = float("nan")  # classifier between work and the user's test file; NaN without one


@dataclass(frozen=True, slots=True)
class InputScales(Measurement):
    """The network's inputs after encoding, one entry for each: mean and standard deviation over fit rows,
    beside the column each came from."""

    columns: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    largest: tuple[float, ...]
