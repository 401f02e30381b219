"""Collect more rows.

Does: says what twice the rows may be expected to give.
Helps: networks that learn their few rows by heart.
Misleads: rows of another kind than those to come help less.
Source: Hestness et al. 2017, arXiv:1712.00409: losses fall with rows by a power.
"""

from liebig.checks.too_little_data import TooLittleData
from liebig.core.check import Finding
from liebig.remedies.told import Told, number


class CollectMoreRows(Told):
    """Told with the gain and its error."""

    name = "collect-more-rows"
    answers = (TooLittleData,)

    def advise(self, finding: Finding) -> str:
        gain, rows = number(finding, "gain"), number(finding, "rows")
        now = f" ({rows:,.0f} now)" if rows else ""
        hope = f", which may take {gain:.1%} off the loss" if gain and gain > 0 else ""
        return f"Collect more rows{now}: twice as many{hope}, or pretrain on related data."
