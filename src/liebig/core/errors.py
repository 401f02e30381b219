"""What a user did that cannot be done: one sentence, never a traceback."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A user's mistake, told in one sentence: what was required, what came.

    The command line prints ``liebig: <sentence>`` on standard error and leaves with exit code 2.
    """


class BudgetTooShort(UserError):
    """The budget does not pay for one training run."""


class StudyBusy(UserError):
    """Another process is writing this study."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return ``' Did you mean "x"?'`` for the nearest of `names`, or an empty string when none is near."""
    known = list(names)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not near:
        folded = {each.casefold(): each for each in known}
        near = [folded[name.casefold()]] if name.casefold() in folded else []
    return f' Did you mean "{near[0]}"?' if near else ""
