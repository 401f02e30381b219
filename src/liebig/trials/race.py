"""The race inside a round: who is adopted, who goes on, who leaves. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from statistics import median
from typing import Final

from liebig.core.trial import Look, Verdict
from liebig.trials.procedure import LIKELY

#: Who is less likely than this to be better does not go on.
HOPE: Final = 0.3
#: What a treatment that is known to be good elsewhere is ranked higher by, in standard errors.
FAVOUR: Final = 1.0
#: How many go on after a look at so many blocks.
KEPT: Final = {3: 2, 5: 1, 8: 0}
#: The same in a search, where many begin and nobody is adopted before the last look.
SEARCH_KEPT: Final = {3: 4, 5: 2, 8: 0}


@dataclass(frozen=True, slots=True)
class Standing:
    """The race after a look: the one that is adopted (a digest), all that were likely (best first), those that go on, and
    those that leave with a sentence."""

    adopted: str | None
    likely: tuple[str, ...]
    going_on: tuple[str, ...]
    leaving: Mapping[str, str]


def ranks(looks: Mapping[str, Look]) -> dict[str, float]:
    """The order of treatments that were looked at together, larger is better: the difference of the metric, in
    classification plus that of minus the log-loss, each over its typical standard error among these looks.

    The unit is theirs together: with z, whose unit is each treatment's own noise, a small but steady gain would stand before
    one many times as large.
    """
    unit = _typical([look.d_variance**0.5 for look in looks.values() if look.d_variance > 0])
    loss_unit = _typical(
        [look.loss_difference / look.loss_z for look in looks.values() if look.loss_z * look.loss_z > 0]
    )
    return {
        digest: _in_unit(look.difference, unit, look.z) + _in_unit(look.loss_difference, loss_unit, look.loss_z)
        for digest, look in looks.items()
    }


def _typical(values: Sequence[float]) -> float:
    """Their median; NaN where there is none."""
    known = [each for each in values if isfinite(each)]
    return median(known) if known else nan


def _in_unit(difference: float, unit: float, z: float) -> float:
    """The difference in this unit; z where it has no difference or there is no unit, and 0 where it has neither."""
    found = difference / unit if unit > 0 and isfinite(difference) else z
    return found if isfinite(found) else 0.0


def race(looks: Mapping[str, Look], blocks: int, favoured: Collection[str] = ()) -> Standing:
    """Decide after the look at `blocks` (3, 5 or 8) over the treatments still in the round, by digest. Of those, the
    `favoured` are ranked one standard error higher: what has proved itself on other data gives way only to what is clearly
    better (it must be Likely all the same).

    The best of those that are Likely is adopted. Where none is, the best two (after three blocks) or the best one (after
    five) go on, if they have hope; after eight the round gives up.
    """
    place = {each: found + (FAVOUR if each in favoured else 0.0) for each, found in ranks(looks).items()}
    order = sorted(looks, key=lambda each: (-place[each], each))
    likely = tuple(each for each in order if _is_likely(looks[each]))
    if likely:
        leaving = {each: _reason(looks[each], blocks) for each in order if each != likely[0]}
        return Standing(likely[0], likely, (), leaving)
    hopeful = [each for each in order if looks[each].better >= HOPE and looks[each].verdict is not Verdict.WORSE]
    going_on = tuple(hopeful[: KEPT[blocks]])
    leaving = {each: _reason(looks[each], blocks) for each in order if each not in going_on}
    return Standing(None, (), going_on, leaving)


def search_race(looks: Mapping[str, Look], blocks: int) -> Standing:
    """The same for the candidates of a search: the best of many after three blocks is mostly luck, so that the best four
    go on to five blocks, two of them to eight, and only then the best is adopted if it is Likely."""
    if blocks not in SEARCH_KEPT or SEARCH_KEPT[blocks] == 0:
        return race(looks, blocks)
    place = ranks(looks)
    order = sorted(looks, key=lambda each: (-place[each], each))
    hopeful = [each for each in order if looks[each].better >= HOPE and looks[each].verdict is not Verdict.WORSE]
    going_on = tuple(hopeful[: SEARCH_KEPT[blocks]])
    leaving = {each: _reason(looks[each], blocks) for each in order if each not in going_on}
    return Standing(None, (), going_on, leaving)


def _is_likely(look: Look) -> bool:
    return look.verdict is Verdict.PROVEN or look.better >= LIKELY


def _reason(look: Look, blocks: int) -> str:
    if look.verdict is Verdict.WORSE:
        return f"worse after {blocks} blocks"
    if _is_likely(look):
        return f"likely better after {blocks} blocks, but another was better still"
    return f"better with probability {look.better:.2f} after {blocks} blocks"
