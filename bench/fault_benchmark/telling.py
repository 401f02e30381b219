"""Outcomes told: a table to read, and the figures that count."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import median

from fault_benchmark.faults import FAULTS
from fault_benchmark.healthy import HEALTHY
from fault_benchmark.measuring import Outcome, Said
from fault_benchmark.repairing import CLOSED, Repaired, closed
from fault_benchmark.rivals import MEANS, RIVALS

_EARLY = 0.2


def _first(said: Said, name: str) -> bool:
    return bool(said) and said[0][0] in FAULTS[name].accepted


def _top(said: Said, name: str) -> bool:
    return any(check in FAULTS[name].accepted for check, _ in said[:3])


def _agrees(outcome: Outcome) -> bool:
    """True when the same finding stands first of the recipe as of the watched loop."""
    return outcome.fit is not None and [each for each, _ in outcome.fit[:1]] == [
        each for each, _ in outcome.with_data[:1]
    ]


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else math.nan


def _warned(said: Said) -> list[str]:
    return [check for check, strength in said if strength >= 0.5]


def figures(outcomes: Sequence[Outcome], repairs: Sequence[Repaired] = ()) -> dict[str, float | None]:
    """The fractions that count; None for what was not measured."""
    sick = [each for each in outcomes if each.name in FAULTS]
    well = [each for each in outcomes if each.name in HEALTHY]
    alarms = [bool(_warned(each.passive) or _warned(each.with_data)) for each in well]
    numbers = {
        "cause_first": _share([_first(each.with_data, each.name) for each in sick]),
        "cause_first_passive": _share([_first(each.passive, each.name) for each in sick]),
        "cause_top3": _share([_top(each.with_data, each.name) for each in sick]),
        "fit_agrees": _share([_agrees(each) for each in sick if each.fit is not None]),
        "false_alarms": _share(alarms),
        "repaired": _share([each.success for each in repairs if each.error or each.worth_it]),
    }
    return {name: None if math.isnan(value) else round(value, 4) for name, value in numbers.items()}


def table(outcomes: Sequence[Outcome], repairs: Sequence[Repaired], seconds: float) -> str:
    lines = [
        *_faults(outcomes),
        "",
        *_fits(outcomes),
        "",
        *_healthy(outcomes),
        "",
        *_rivals(outcomes),
        "",
        *_mended(repairs),
        "",
    ]
    same = [each.same_weights for each in outcomes if not each.error]
    lines.append(f"Bit-identical weights after watching: {sum(same)} of {len(same)} runs. {seconds:.0f} seconds.")
    return "\n".join(lines)


def _faults(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [
        f"{'fault':27} {'score':>6} {'twin':>6}  passive  data  top3  named at  strongest finding with data (passive)"
    ]
    for name, fault in FAULTS.items():
        runs = [each for each in outcomes if each.name == name]
        if not runs:
            continue
        counts = [
            f"{sum(_first(each.passive, name) for each in runs)}/{len(runs)}",
            f"{sum(_first(each.with_data, name) for each in runs)}/{len(runs)}",
            f"{sum(_top(each.with_data, name) for each in runs)}/{len(runs)}",
        ]
        named = median([each.first_named if each.first_named == each.first_named else math.inf for each in runs])
        at = "never" if math.isinf(named) else f"{named:.0%}"
        late = " late" if fault.visible and named > _EARLY else ""
        wrong = [_one(each.with_data) for each in runs if not _first(each.with_data, name)]
        blind = [_one(each.passive) for each in runs if not _first(each.passive, name)]
        note = "; ".join(sorted(set(wrong))) + (f" (passive: {'; '.join(sorted(set(blind)))})" if blind else "")
        lines.append(
            f"{name:27} {_mean(each.score for each in runs):6.2f} {_mean(each.twin_score for each in runs):6.2f}"
            f"  {counts[0]:>7}  {counts[1]:>4}  {counts[2]:>4}  {at + late:>10}  {note}"
        )
    return lines


def _fits(outcomes: Sequence[Outcome]) -> list[str]:
    runs = [each for each in outcomes if each.fit is not None]
    if not runs:
        return []
    agree = sum(_agrees(each) for each in runs)
    right = sum(_first(each.fit or (), each.name) for each in runs)
    lines = [
        f"as a recipe: {agree} of {len(runs)} have the same first finding as the watched loop; {right} a right one"
    ]
    lines += [
        f"    {each.name}: {_one(each.fit or ())}, watched {_one(each.with_data)}" for each in runs if not _agrees(each)
    ]
    return lines


def _healthy(outcomes: Sequence[Outcome]) -> list[str]:
    runs = [each for each in outcomes if each.name in HEALTHY]
    if not runs:
        return []
    lines = []
    for mode in ("passive", "with_data"):
        counts: Counter[str] = Counter()
        for each in runs:
            counts.update(f"{check} on {each.name}" for check in _warned(getattr(each, mode)))
        silent = sum(not _warned(getattr(each, mode)) for each in runs)
        lines.append(f"healthy, {mode.replace('_', ' ')}: {silent} of {len(runs)} runs without a warning")
        lines += [f"    {count} x {what}" for what, count in counts.most_common()]
    return lines


def _mended(repairs: Sequence[Repaired]) -> list[str]:
    if not repairs:
        return []
    lines = [f"{'repaired':10} {'sick':>6} {'healed':>6} {'twin':>6}  closed   seeds  random   usual  fields  by"]
    for each in repairs:
        if each.error:
            lines.append(f"{each.name:10} failed: {each.error.strip().splitlines()[-1]}")
            continue
        others = [closed(each.sick, other, each.twin) for other in (each.other_seeds, each.at_random, each.universal)]
        shares = "  ".join(f"{share:6.0%}" if each.worth_it else "  none" for share in (each.closed, *others))
        alarms = f"; new alarms: {', '.join(each.alarms)}" if each.alarms else ""
        failed = "" if each.success else f"; not mended, tried {', '.join(each.tried)}"
        lines.append(
            f"{each.name:10} {median(_zeros(each.sick)):6.2f} {median(_zeros(each.healed)):6.2f} {median(each.twin):6.2f}"
            f"  {shares}  {each.changed}/{each.universal_changed:<4}  {' + '.join(each.how)}{alarms}{failed}"
        )
    whole = [each for each in repairs if not each.error and each.worth_it]
    rivals = [
        ("three more seeds", _share([closed(each.sick, each.other_seeds, each.twin) >= CLOSED for each in whole])),
        ("three random remedies", _share([closed(each.sick, each.at_random, each.twin) >= CLOSED for each in whole])),
        ("the usual recipe", _share([closed(each.sick, each.universal, each.twin) >= CLOSED for each in whole])),
    ]
    own = _share([each.closed >= CLOSED for each in whole])
    lines.append(
        f"80 % of the gap closed in {own:.0%}; by " + "; by ".join(f"{name} in {share:.0%}" for name, share in rivals)
    )
    aside = [each.name for each in repairs if not each.error and not each.worth_it]
    if aside:
        lines.append(f"No gap to the twin, so nothing to mend, and not counted: {', '.join(aside)}")
    return lines


def _zeros(scores: Sequence[float]) -> list[float]:
    return [score if math.isfinite(score) else 0.0 for score in scores]


def _rivals(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [f"{'published rules':20} a cause named right, first   anywhere   alarm on healthy runs"]
    sick = [each for each in outcomes if each.name in FAULTS and not each.error]
    well = [each for each in outcomes if each.name in HEALTHY and not each.error]
    for rival in RIVALS:
        said = [(each.name, dict(each.rivals)[rival]) for each in sick]
        first = _share([bool(names) and bool(MEANS[names[0]] & FAULTS[name].accepted) for name, names in said])
        anywhere = _share([any(MEANS[each] & FAULTS[name].accepted for each in names) for name, names in said])
        alarms = _share([bool(dict(each.rivals)[rival]) for each in well])
        lines.append(f"{rival:20} {first:28.0%} {anywhere:10.0%} {alarms:10.0%}")
    return lines


def _one(said: Said) -> str:
    return f"{said[0][0]} {said[0][1]:.2f}" if said else "nothing"


def _mean(values: object) -> float:
    known = [value for value in values if value == value]  # type: ignore[attr-defined]
    return sum(known) / len(known) if known else math.nan
