"""`ReportData` -> terminal text of at most 100 columns, in the order of the page."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

from liebig.report.data import CurvesTold, DiagnosisTold, Effect, PartTold, ReportData, StaveTold
from liebig.report.html import effect_text
from liebig.report.numbers import (
    count,
    counted,
    decimals_of,
    duration,
    percent,
    plain_number,
    score_text,
    short_number,
    signed,
)

_WIDTH = 100
_SPARKS = "▁▂▃▄▅▆▇█"


def to_text(data: ReportData) -> str:
    """The report as text."""
    sections = (
        _first(data),
        _ladder(data),
        _barrels(data),
        _findings(data),
        _parts(data),
        _trials(data),
        _challengers(data),
        _together(data),
        _curves(data),
        _network(data),
        _capacity(data),
        _growth(data),
        _importance(data),
        _worst_rows(data),
        _pictures(data),
        _recipe(data),
        _environment(data),
    )
    return "\n\n".join(told for section in sections if (told := "\n".join(section).rstrip())) + "\n"


def clean(content: str) -> str:
    """`content` on one line, without control characters: a cell must not move the cursor."""
    return "".join(
        " " if each.isspace() else each for each in content if each.isspace() or unicodedata.category(each) != "Cc"
    )


def columns_of(content: str) -> int:
    """Columns of a terminal that `content` takes: wide scripts take two."""
    return sum(
        2 if unicodedata.east_asian_width(each) in "WF" else 0 if unicodedata.combining(each) else 1 for each in content
    )


def padded(content: str, width: int, right: bool = False) -> str:
    """`content` in exactly `width` columns, cut with an ellipsis where it is longer."""
    told = clean(content)
    if columns_of(told) > width:
        while told and columns_of(told) > width - 1:
            told = told[:-1]
        told = f"{told}…"
    room = " " * (width - columns_of(told))
    return f"{room}{told}" if right else f"{told}{room}"


def _folded(content: str, indent: str = "") -> list[str]:
    return textwrap.wrap(clean(content), _WIDTH, initial_indent=indent, subsequent_indent=indent)


def _title(name: str, said: str = "") -> list[str]:
    return [f"{name.upper()}{f'  {said}' if said else ''}"[:_WIDTH], "─" * _WIDTH]


def _first(data: ReportData) -> Iterator[str]:
    yield from _folded(
        f"{data.name} · predict {data.target} ({data.task}) · {data.measure.title}, {data.measure.direction}"
    )
    yield ""
    yield from _folded(data.headline)
    yield from _folded(data.proof)
    for sentence in data.lead:
        yield from _folded(sentence)
    yield ""
    for card in data.cards:
        yield f"  {padded(card.label, 26)} {padded(card.value, 10, right=True)}  {padded(card.note, 59)}".rstrip()
    for note in data.notes:
        yield from _folded(f"note: {note}")


def _ladder(data: ReportData) -> Iterator[str]:
    if not data.ladder:
        return
    yield from _title("the ladder", f"{data.measure.title}, {data.measure.direction}")
    fine = max(data.decimals, decimals_of(rung.effect for rung in data.ladder if rung.effect))
    for rung in data.ladder:
        score = padded(plain_number(rung.position, data.decimals), 9, right=True)
        sign = "+ " if rung.effect else ""
        told = _effect(rung.effect, fine) if rung.effect else ""
        yield f"{score}  {padded(sign + rung.name, 40)} {told}".rstrip()
        if rung.why:
            yield from _folded(rung.why, " " * 13)
        for part in rung.parts:
            worth = _effect(_turned(part), fine) if part.worth else "not measured"
            yield f"{'':13}{padded(part.name, 38)} {worth}".rstrip()


def _effect(effect: Effect, decimals: int) -> str:
    return f"{effect_text(effect, decimals):<32} {effect.verdict}"[: _WIDTH - 52]


def _turned(part: PartTold) -> Effect:
    """What a part adds, from what leaving it out costs."""
    worth = part.worth
    if worth is None:
        return Effect(math.nan, math.nan, math.nan)
    return Effect(-worth.difference, -worth.high, -worth.low, worth.verdict, worth.blocks)


def _barrels(data: ReportData) -> Iterator[str]:
    if data.before is None:
        return
    yield from _title("the barrel", "it holds as much as its shortest stave")
    after = data.after.staves if data.after else (None,) * len(data.before.staves)
    heads = [data.before.name, data.after.name if data.after else ""]
    yield f"{'':10} {padded(heads[0], 42)}  {padded(heads[1], 42)}".rstrip()
    for first, second in zip(data.before.staves, after, strict=True):
        yield f"{first.name:<10} {_bar(first)}  {_bar(second) if second else ''}".rstrip()


def _bar(stave: StaveTold) -> str:
    if not stave.measured:
        return padded(f"{'┄' * 30} not measured", 44)
    full = round(stave.height * 30)
    return padded(f"{'█' * full}{'░' * (30 - full)} {stave.height:4.0%}", 44)


def _findings(data: ReportData) -> Iterator[str]:
    for title, diagnosis in (
        ("in the data", data.data),
        ("what limited it", data.before),
        ("what limits it now", data.after),
    ):
        if diagnosis is not None:
            yield from _diagnosis(title, diagnosis)


def _diagnosis(title: str, diagnosis: DiagnosisTold) -> Iterator[str]:
    yield from _title(title, diagnosis.name)
    for i, finding in enumerate(diagnosis.findings, start=1):
        yield from _folded(f"{i}. {finding.headline}  ({finding.certainty})")
        yield from _folded(finding.evidence, "   ")
        yield from _folded(finding.advice, "   ")
        for each in finding.consequences:
            yield from _folded(f"follows from it: {each}", "   ")
    first = "" if diagnosis.findings else "Nothing found. "
    yield f"{first}{counted(diagnosis.clear, 'check')} clear, {diagnosis.not_applicable} not applicable, {diagnosis.not_measured} not measured."
    yield ""


def _parts(data: ReportData) -> Iterator[str]:
    if not data.parts:
        return
    yield from _title("what each part is worth", f"leaving it out changes {data.measure.title} by")
    decimals = decimals_of(part.worth for part in data.parts if part.worth)
    for part in data.parts:
        yield f"{padded(part.name, 50)} {_effect(part.worth, decimals) if part.worth else 'not measured'}".rstrip()


def _trials(data: ReportData) -> Iterator[str]:
    if not data.trials:
        return
    yield from _title("every trial", f"difference in {data.measure.title}, 95 % interval, blocks")
    decimals = decimals_of(each.effect for each in data.trials if each.effect)
    for trial in data.trials:
        kept = "✓" if trial.adopted else " "
        told = (
            f"{_effect(trial.effect, decimals):<44}{trial.effect.blocks:>3}"
            if trial.effect
            else trial.reason or "not judged"
        )
        yield f"{kept} {padded(trial.name, 48)} {told}"[:_WIDTH].rstrip()
        if trial.why:
            yield f"    {padded(trial.why, _WIDTH - 4)}".rstrip()


def _challengers(data: ReportData) -> Iterator[str]:
    if not data.challengers:
        return
    yield from _title("other algorithms", "in the same blocks, beside the best network then")
    for each in data.challengers:
        score = score_text(each.score, each.effect.half_width)
        decimals = decimals_of([each.effect])
        yield f"{padded(each.name, 30)} {score:>10}  {effect_text(each.effect, decimals):<34} {duration(each.seconds)}"


def _together(data: ReportData) -> Iterator[str]:
    combination = data.combination
    if combination is None:
        return
    yield from _title("answering together", "networks and other algorithms, each with a share")
    for member in sorted(combination.members, key=lambda each: -each.weight):
        kind = "network" if member.is_network else "other algorithm"
        yield f"{percent(member.weight):>6}  {padded(member.name, 60)} {kind}"
    if combination.effect:
        yield f"beside the best network: {_effect(combination.effect, decimals_of([combination.effect]))}".rstrip()
    for sentence in combination.sentences:
        yield from _folded(sentence)


def spark(values: Sequence[float], width: int = 48) -> str:
    """A curve in one line of bars, thinned to `width`; a space where it was not measured."""
    if len(values) > width:
        values = [values[round(i * (len(values) - 1) / (width - 1))] for i in range(width)]
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(_SPARKS[round((value - low) / span * 7)] if math.isfinite(value) else " " for value in values)


def _curves(data: ReportData) -> Iterator[str]:
    for curves in data.curves:
        yield from _title("curves", f"{curves.name}; epoch {curves.selected + 1} of {len(curves.train_loss)} is kept")
        yield from curve_lines(curves, data.measure.title)
        yield ""


def curve_lines(curves: CurvesTold, metric: str) -> Iterator[str]:
    """Each curve with its first and last value."""
    named = (
        ("train loss", curves.train_loss),
        ("stop loss", curves.stop_loss),
        (f"train {metric}", curves.train_metric),
        (f"stop {metric}", curves.stop_metric),
        ("learning rate", curves.rates),
    )
    for name, values in named:
        known = [value for value in values if math.isfinite(value)]
        if known:
            yield f"{padded(name, 24)} {padded(spark(values), 48)} {short_number(known[0])} → {short_number(known[-1])}"


def _network(data: ReportData) -> Iterator[str]:
    network = data.network
    if network is None:
        return
    members = f", {network.members} members" if network.members > 1 else ""
    yield from _title("the network", f"{network.family}{members}")
    yield (
        f"{count(network.parameters)} parameters, {count(network.trained)} trained, {count(network.frozen)} frozen, "
        f"{count(network.flops, 'FLOP')} an example"
    )
    for layer in network.layers:
        shape = f"{layer.inputs:,} → {layer.outputs:,}"
        yield f"  {padded(layer.name, 28)} {padded(layer.kind, 20)} {shape:>16} {count(layer.parameters):>12}  {padded(layer.activation, 12)}".rstrip()


def _capacity(data: ReportData) -> Iterator[str]:
    if not data.capacity:
        return
    yield from _title("capacity", f"{data.measure.title} against parameters")
    yield f"{'parameters':>14} {'fit':>12} {'select':>12}  network"
    for point in data.capacity:
        fit, select = plain_number(point.fit_score, data.decimals), plain_number(point.select_score, data.decimals)
        yield f"{count(point.parameters):>14} {fit:>12} {select:>12}  {padded(point.name, 58)}".rstrip()


def _growth(data: ReportData) -> Iterator[str]:
    growth = data.growth
    if growth is None:
        return
    yield from _title("more rows", f"{data.measure.title} against training rows; {growth.name}")
    decimals = decimals_of([growth.twice])
    for rows, score in growth.points:
        yield f"{rows:>14,.0f} {plain_number(score, decimals):>12}  measured"
    rows, score, low, high = growth.line[-1]
    told = f"expected, {plain_number(low, decimals)} to {plain_number(high, decimals)}"
    yield f"{rows:>14,.0f} {plain_number(score, decimals):>12}  {told}"
    yield from _folded(growth.sentence)


def _importance(data: ReportData) -> Iterator[str]:
    if not data.importance:
        return
    yield from _title("which columns carry the result", f"{data.measure.title} lost when the column is shuffled")
    most = max((each.loss for each in data.importance), default=0.0) or 1.0
    decimals = decimals_of(Effect(each.loss, each.low, each.high) for each in data.importance)
    for each in data.importance[:20]:
        bar = "█" * max(round(24 * each.loss / most), 0) if most > 0 else ""
        numbers = f"{signed(each.loss, decimals)} [{signed(each.low, decimals)}, {signed(each.high, decimals)}]"
        yield f"{padded(each.column, 36)} {bar:<24} {numbers}"[:_WIDTH]


def _worst_rows(data: ReportData) -> Iterator[str]:
    if not data.worst_rows:
        return
    yield from _title("the worst rows")
    for each in data.worst_rows:
        told = f"row {each.row:,}: {each.truth}, answered {each.answer}, loss {short_number(each.loss)}"
        yield padded(told, _WIDTH).rstrip()
        yield f"    {padded(' · '.join(f'{name} {value}' for name, value in each.cells.items()), _WIDTH - 4)}".rstrip()


def _pictures(data: ReportData) -> Iterator[str]:
    if data.worst_pictures:
        yield from _title("the worst pictures")
        for each in data.worst_pictures:
            told = f"{each.name}: {each.truth}, answered {each.answer}, loss {short_number(each.loss)}"
            yield padded(told, _WIDTH).rstrip()
    if data.suspects:
        yield ""
        yield from _title("labels to look at", f"answers as sure as these agree in {percent(data.suspects.agreed)}")
        for doubted in data.suspects.pictures:
            yield padded(f"{doubted.name}: {doubted.label}, rather {doubted.rather}", _WIDTH).rstrip()
    if data.duplicates:
        yield ""
        yield from _title("the same picture again", f"{data.duplicates.groups:,} groups")
        for group in data.duplicates.shown:
            told = ", ".join(f"{each.name} ({each.label}{', test part' if each.is_tested else ''})" for each in group)
            yield padded(told, _WIDTH).rstrip()
    if data.confusion and data.confusion.commonest:
        yield ""
        yield from _title("what is taken for what", "the commonest mistakes")
        for truth, answer, times in data.confusion.commonest:
            yield padded(f"{times:>6}  {truth}, answered {answer}", _WIDTH).rstrip()


def _recipe(data: ReportData) -> Iterator[str]:
    if not data.recipe_toml:
        return
    yield from _title("the recipe", data.recipe_name)
    for change in data.changes:
        yield from _folded(f"{change.path}: {change.before or 'absent'} → {change.after or 'absent'}")
    if data.changes:
        yield ""
    for line in data.recipe_toml.rstrip().splitlines():
        yield clean(line)


def _environment(data: ReportData) -> Iterator[str]:
    yield from _title("environment")
    for name, value in data.environment.items():
        yield from textwrap.wrap(f"{name:<12} {clean(value)}", _WIDTH, subsequent_indent=" " * 13)
    yield from _folded(data.footer)
