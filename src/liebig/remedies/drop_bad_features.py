"""Leave bad columns out.

Does: takes columns out of the inputs by name: what repeats another column, is missing nearly throughout, counts the rows, or
    says the target by itself.
Helps: a column that leaks the target promises what new rows cannot keep; the others cost inputs and invite learning by heart.
Misleads: a column that predicts very well may be honestly good: only its owner knows whether it is known before the target.
Source: Kaufman, Rosset & Perlich 2011, Leakage in data mining, KDD; duplicates and constants are scikit-learn's
    VarianceThreshold and common sense.
"""

from liebig.checks.bad_features import BadFeatures
from liebig.checks.leakage import Leakage
from liebig.core.check import Finding
from liebig.core.evidence import ColumnProfile, DataProfile
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.remedies.edits import edit, table_inputs, worth_trying

_LEAKS = 0.98  # of the way from chance to perfect, by one column alone
_MISSING = 0.95  # share of rows
_LISTED = 2  # names that fit on the ladder


def _is_bad(column: ColumnProfile) -> bool:
    empty, repeated = column.missing >= _MISSING, column.duplicate_of != ""
    return empty or repeated or column.kind in {"identifier", "constant"}


def _told(names: tuple[str, ...]) -> str:
    listed = ", ".join(name if len(name) <= 16 else f"{name[:15]}…" for name in names[:_LISTED])
    more = len(names) - _LISTED
    return f"without {listed} and {more} more" if more > 0 else f"without {listed}"


class DropBadFeatures(Remedy):
    """Adds the columns to `inputs.without`. Only in answer to a finding: leaking columns for leakage, else bad ones."""

    name = "drop-bad-features"
    answers = (BadFeatures, Leakage)
    prior = Prior(
        0.1, -0.4, 1.0, "not measured; a leak is taken out for what it would cost later, not for its score here"
    )
    changes = ("inputs.without",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        inputs, profile = table_inputs(recipe), situation.evidence.get(DataProfile)
        if inputs is None or profile is None or finding is None:
            return ()
        leaks = isinstance(finding.check, Leakage)
        names = tuple(
            each.name
            for each in profile.columns
            if not each.ignored
            and each.name not in inputs.without
            and (each.single_score >= _LEAKS or each.name == finding.place if leaks else _is_bad(each))
        )
        usable = sum(not each.ignored for each in profile.columns) - len(inputs.without)
        if not names or len(names) >= usable:
            return ()
        changed = edit(recipe, "inputs", {"without": (*inputs.without, *names)})
        return worth_trying(_told(names), recipe, changed)

    def advise(self, finding: Finding) -> str:
        which = f" ({finding.place})" if finding.place else ""
        return f"Leave out columns that repeat others, are missing throughout, or would not be known in time{which}."
