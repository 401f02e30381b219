"""What a user may ask for about a table, as one frozen value that the ledger keeps and `--resume` reads again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from liebig.core.errors import UserError

_BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?)?", re.IGNORECASE)
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}

#: The budget of `improve` where the user gives none, in seconds.
DEFAULT_BUDGET = 300.0


def seconds_of(budget: str | float) -> float:
    """A budget in seconds: 90, "90s", "5m", "1h", "1h30m".

    Raises UserError when it is not a time or not above zero.
    """
    if isinstance(budget, int | float):
        total = float(budget)
    else:
        parts = _BUDGET.findall(budget)
        if not parts or _BUDGET.sub("", budget).strip():
            raise UserError(f'a budget is a time such as 90s, 5m or 1h30m, however "{budget}" came')
        total = sum(float(number) * _UNITS[(unit or "s")[0].casefold()] for number, unit in parts)
    if not total > 0:
        raise UserError(f"a budget must be above zero, however {budget} came")
    return total


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How a table is to be read as a task. Absent options are found from the data.

    `task` is binary, multiclass or regression; `columns` corrects what single columns are taken for; `weights`, `group`
    and `time` name columns; `test` is the user's own test set, which becomes the sealed part, `unlabelled` a table of rows
    whose target nobody knows. `size` is the side that
    pictures are squeezed to, `backbone` a file of weights that networks on pictures begin with. `series` names the column of a long
    table that says which sequence a row belongs to; the next `horizon` values of the target are forecast from the `lookback` steps
    before.
    """

    target: str | None = None
    task: str | None = None
    metric: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    weights: str | None = None
    group: str | None = None
    time: str | None = None
    test: str | None = None
    seed: int = 0
    size: int | None = None
    backbone: str | None = None
    series: str | None = None
    horizon: int | None = None
    lookback: int | None = None
    unlabelled: str | None = None

    def as_text(self) -> dict[str, str]:
        """Every option given, as text that `from_text` reads again."""
        return {name: json.dumps(value) for name, value in asdict(self).items() if value not in (None, {})}

    @staticmethod
    def from_text(options: Mapping[str, str]) -> TableOptions:
        return TableOptions(**{name: json.loads(value) for name, value in options.items() if name in _FIELDS})


_FIELDS = frozenset(TableOptions.__dataclass_fields__)


def columns_of(text: str) -> dict[str, str]:
    """``zip=category,id=ignore`` as a mapping. Raises UserError where a part is not NAME=KIND."""
    kinds: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, kind = part.rpartition("=")
        if not equals or not name or not kind:
            raise UserError(f'--columns takes NAME=KIND, such as zip=category, however "{part}" came')
        kinds[name.strip()] = kind.strip()
    return kinds
