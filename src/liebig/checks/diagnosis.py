"""A diagnosis: every check's answer, with causes before symptoms."""

from __future__ import annotations

import html
import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from liebig.checks.measuring import way_to
from liebig.core.check import Answer, Certainty, Check, Clear, Finding, Found, NotApplicable, NotMeasured, Stave
from liebig.core.evidence import Evidence, OneBatch, ProbeCost, RateRange, SameBatchTwice, ShuffledInputs

#: So many findings are shown; `findings` has all.
SHOWN: Final = 3
#: A finding explains another when it is at least this strong beside it: a weak cause does not explain a strong symptom.
_EXPLAINS: Final = 0.5
#: A cause is as urgent as the strongest of what follows from it, or nearly so.
_HANDED_ON: Final = 0.95
_WIDTH: Final = 100
#: Stands for a space at which no line is broken.
_TIE: Final = "\ue000"
_NOTHING: Final = "Nothing is found that limits this run."


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`findings`, strongest first; what follows from a finding stands under it as its consequence, in the order in which one
    leads to the next. `answers` holds the answer of every check by name, those of the findings included. `watched` when the
    loop is the user's own, `steps` how many were seen (0: not known). `notes` are said at the end: that watching ended
    early, say. `probed` when the active probes have run."""

    findings: tuple[Finding, ...]
    answers: Mapping[str, Answer]
    cost: float = float("nan")  # seconds of watching over seconds in all
    steps: int = 0
    watched: bool = False
    notes: tuple[str, ...] = ()
    probed: bool = False

    @property
    def others(self) -> Mapping[str, str]:
        """How the checks without a finding answered, by name."""
        return {
            name: _said(answer, self.watched, self.probed)
            for name, answer in self.answers.items()
            if not isinstance(answer, Found)
        }

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings of strength 0.5 and more."""
        return tuple(finding for finding in self.findings if finding.is_warning)

    def __str__(self) -> str:
        lines: list[str] = []
        for number, finding in enumerate(self.findings[:SHOWN], start=1):
            lines += _told(number, finding)
        return "\n".join([*(lines or [_NOTHING]), "", self._counted(), *self.notes])

    def _counted(self) -> str:
        """The last line: what was watched, and how many checks said what."""
        kinds = Counter(type(answer) for answer in self.answers.values())
        more = len(self.findings) - SHOWN
        parts = [f"{more} more findings"] if more > 1 else ["1 more finding"] if more == 1 else []
        parts.append(f"{kinds[Clear]} checks clear" if kinds[Clear] != 1 else "1 check clear")
        if kinds[NotApplicable]:
            parts.append(f"{kinds[NotApplicable]} not applicable")
        if kinds[NotMeasured]:
            parts.append(f"{kinds[NotMeasured]} not measured ({'; '.join(self._absent())})")
        return f"{self._watched()}{', '.join(parts)}."

    def _watched(self) -> str:
        if not self.steps:
            return ""
        cost = "" if math.isnan(self.cost) else f" at {100 * self.cost:.1f} % cost"
        return f"Watched {self.steps:,} steps{cost}. "

    def _absent(self) -> list[str]:
        """What was not measured, what most checks wait for first, each once."""
        waits = Counter(
            way_to(answer.what, self.watched, self.probed)
            for answer in self.answers.values()
            if isinstance(answer, NotMeasured)
        )
        return [what for what, _ in waits.most_common()]

    def _repr_html_(self) -> str:
        items = "".join(_shown(finding) for finding in self.findings[:SHOWN])
        body = f'<ol style="{_LIST}">{items}</ol>' if items else f"<p>{html.escape(_NOTHING)}</p>"
        rows = "".join(
            f'<tr><td style="padding-right:1.5em">{html.escape(name)}</td><td>{html.escape(said)}</td></tr>'
            for name, said in sorted(self.others.items())
        )
        rest = (
            f'<details style="{_QUIET}"><summary>{html.escape(self._counted())}</summary>'
            f"<table>{rows}</table></details>"
        )
        notes = "".join(f'<p style="{_QUIET}">{html.escape(note)}</p>' for note in self.notes)
        return f'<div style="{_PAGE}">{body}{rest}{notes}</div>'


# --- told ------------------------------------------------------------------------------------------------------

# No colour of ours but the mark's, which is as readable on white as on black: the page's own colours stay.
_PAGE: Final = "max-width:50em;line-height:1.45"
_LIST: Final = "margin:0 0 .5em;padding-left:1.4em"
_QUIET: Final = "font-size:.85em;opacity:.75"
_MARKS: Final = {Certainty.CERTAIN: "#d9534f", Certainty.LIKELY: "#c98a1b", Certainty.HINT: "#7f8c8d"}


def _told(number: int, finding: Finding) -> list[str]:
    told, sure = finding.tell(), finding.certainty.value
    first, *rest = textwrap.wrap(f"{number}. {told.headline}", _WIDTH - len(sure) - 2, subsequent_indent="   ")
    lines = [f"{first:<{_WIDTH - len(sure)}}{sure}", *rest]
    for paragraph in (" ".join(filter(None, (told.evidence, follows(finding)))), told.advice):
        lines += _wrapped(paragraph)
    return lines


def _wrapped(paragraph: str) -> list[str]:
    """Lines of a paragraph. A per cent sign stays with its number."""
    lines = textwrap.wrap(
        paragraph.replace(" %", f"{_TIE}%"),
        _WIDTH,
        initial_indent="   ",
        subsequent_indent="   ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_TIE, " ") for line in lines]


def _shown(finding: Finding) -> str:
    told, sure = finding.tell(), finding.certainty
    mark = (
        f'<span style="border:1px solid {_MARKS[sure]};color:{_MARKS[sure]};border-radius:3px;padding:0 .4em;'
        f'font-size:.8em;white-space:nowrap">{sure.value}</span>'
    )
    evidence = " ".join(filter(None, (told.evidence, follows(finding))))
    return (
        f'<li style="margin-bottom:.6em"><b>{html.escape(told.headline)}</b> {mark}'
        f'<div style="opacity:.85">{html.escape(evidence)}</div><div>{html.escape(told.advice)}</div></li>'
    )


def follows(finding: Finding) -> str:
    """What follows from a finding in one sentence, in the order in which one leads to the next; empty where nothing does."""
    names = [each.tell().short or each.check.name.replace("-", " ") for each in finding.consequences]
    if not names:
        return ""
    if len(names) == 1:
        return f"That explains {names[0]}, too."
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed[0].upper()}{listed[1:]} follow from that."


def _said(answer: Answer, watched: bool, probed: bool) -> str:
    match answer:
        case NotApplicable(reason):
            return f"not applicable: {reason}"
        case NotMeasured(what):
            return f"not measured: {way_to(what, watched, probed)}"
        case _:
            return "clear"


# --- found -----------------------------------------------------------------------------------------------------


def diagnose(evidence: Evidence, checks: Sequence[Check]) -> Diagnosis:
    """Ask every check. A check that fails answers NotMeasured with its error: one fault does not sink the rest."""
    answers: dict[str, Answer] = {}
    found: list[Finding] = []
    for check in checks:
        try:
            answer = check(evidence)
            if isinstance(answer, Found):
                found.append(Finding(check, answer.strength, answer.place, answer.facts))
        except Exception as error:  # noqa: BLE001  # whatever a check does, the others are heard
            answer = NotMeasured(f"the check failed: {type(error).__name__}: {error}")
        answers[check.name] = answer
    cost = evidence.get(ProbeCost)
    share = cost.seconds / cost.total_seconds if cost and cost.total_seconds > 0 else float("nan")
    return Diagnosis(
        findings=with_causes(found),
        answers=answers,
        cost=share,
        steps=cost.steps if cost else 0,
        watched=cost is not None and cost.watched,
        probed=any(evidence.get(kind) is not None for kind in (OneBatch, RateRange, SameBatchTwice, ShuffledInputs)),
    )


def with_causes(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings strongest first, each symptom under its strongest cause.

    A finding follows from another that explains it (directly or through a third), is not much weaker, and did not begin
    after it. What checks explain has no cycle (tested), so following causes comes to an end.
    """
    ordered = sorted(found, key=lambda each: -each.strength)
    cause_of: dict[str, str] = {}
    for symptom in ordered:
        causes = [cause for cause in ordered if cause is not symptom and _explains(cause, symptom)]
        if causes:
            cause_of[symptom.check.name] = max(causes, key=lambda each: each.strength).check.name
    by_name = {finding.check.name: finding for finding in ordered}
    roots = [finding for finding in ordered if finding.check.name not in cause_of]
    under: dict[str, list[Finding]] = {}
    for name in cause_of:
        under.setdefault(_root(name, cause_of), []).append(by_name[name])
    caused = [
        replace(
            root,
            consequences=_in_order(under.get(root.check.name, ())),
            strength=max([root.strength, *(_HANDED_ON * each.strength for each in under.get(root.check.name, ()))]),
        )
        for root in roots
    ]
    return tuple(sorted(caused, key=lambda each: -each.strength))


def _explains(cause: Finding, symptom: Finding) -> bool:
    """A cause must know the symptom, be about as strong, and not begin after it (NaN: when is not known)."""
    return (
        symptom.check.name in cause.check.explains
        and cause.strength >= _EXPLAINS * symptom.strength
        and not cause.since > symptom.since
    )


def _root(name: str, cause_of: Mapping[str, str]) -> str:
    while name in cause_of:
        name = cause_of[name]
    return name


def _in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each before what it explains itself; else the strongest first."""
    left, ordered = sorted(findings, key=lambda each: -each.strength), list[Finding]()
    while left:
        first = next(
            each
            for each in left
            if not any(each.check.name in other.check.explains for other in left if other is not each)
        )
        ordered.append(first)
        left.remove(first)
    return tuple(ordered)


def barrel(diagnosis: Diagnosis, checks: Sequence[Check]) -> dict[Stave, float | None]:
    """Height of each stave: 1 - the strongest finding of its group; None where nothing of the group was measured."""
    strengths: dict[Stave, list[float]] = {stave: [] for stave in Stave}
    for check in checks:
        answer = diagnosis.answers.get(check.name)
        if isinstance(answer, Found):
            strengths[check.stave].append(answer.strength)
        elif isinstance(answer, Clear):
            strengths[check.stave].append(0.0)
    return {stave: 1.0 - max(values) if values else None for stave, values in strengths.items()}
