"""A diagnosis: every check's answer, with causes before symptoms."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from liebig.core.check import Answer, Check, Clear, Finding, Found, NotApplicable, NotMeasured, Stave
from liebig.core.evidence import Evidence, ProbeCost

#: So many findings are shown; `findings` has all.
SHOWN: Final = 3
#: A finding explains another when it is at least this strong beside it: a weak cause does not explain a strong symptom.
_EXPLAINS: Final = 0.5
_WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`findings`, strongest first; what follows from a finding stands under it as its consequence. `answers` holds the
    answer of every check by name, those of the findings included."""

    findings: tuple[Finding, ...]
    answers: Mapping[str, Answer]
    cost: float = float("nan")  # seconds of watching over seconds in all

    @property
    def others(self) -> Mapping[str, str]:
        """How the checks without a finding answered, by name."""
        return {name: _said(answer) for name, answer in self.answers.items() if not isinstance(answer, Found)}

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings of strength 0.5 and more."""
        return tuple(finding for finding in self.findings if finding.is_warning)

    def __str__(self) -> str:
        lines: list[str] = []
        for number, finding in enumerate(self.findings[:SHOWN], start=1):
            lines += [*_told(number, finding), ""]
        if not self.findings:
            lines += ["Nothing is found that limits this run.", ""]
        return "\n".join([*lines, self._counted()])

    def _counted(self) -> str:
        """The last line: how many checks said what."""
        kinds = [type(answer) for answer in self.answers.values()]
        more = len(self.findings) - SHOWN
        parts = [f"{more} more findings"] if more > 1 else ["1 more finding"] if more == 1 else []
        parts.append(f"{kinds.count(Clear)} checks clear")
        if kinds.count(NotApplicable):
            parts.append(f"{kinds.count(NotApplicable)} not applicable")
        absent = sorted({_words(answer.what) for answer in self.answers.values() if isinstance(answer, NotMeasured)})
        if absent:
            parts.append(f"{kinds.count(NotMeasured)} not measured ({', '.join(absent)})")
        watched = f"Watched at {self.cost:.1%} cost. " if self.cost == self.cost else ""
        return f"{watched}{', '.join(parts)}."

    def _repr_html_(self) -> str:
        items = []
        for finding in self.findings[:SHOWN]:
            told = finding.tell()
            follows = "".join(f"<li>{html.escape(each.tell().headline)}</li>" for each in finding.consequences)
            items.append(
                f"<li><b>{html.escape(told.headline)}</b> <i>{finding.certainty.value}</i><br>"
                f"{html.escape(told.evidence)}<br>{html.escape(told.advice)}"
                + (f"<br>From that follow:<ul>{follows}</ul>" if follows else "")
                + "</li>"
            )
        body = "<ol>" + "".join(items) + "</ol>" if items else "<p>Nothing is found that limits this run.</p>"
        return f"<div>{body}<p><small>{html.escape(self._counted())}</small></p></div>"


def _told(number: int, finding: Finding) -> list[str]:
    told = finding.tell()
    headline = f"{number}. {told.headline}"
    sure = finding.certainty.value
    lines = [f"{headline:<{_WIDTH - len(sure) - 1}} {sure}"]
    paragraphs = [told.evidence]
    if finding.consequences:
        names = ", ".join(each.check.name.replace("-", " ") for each in finding.consequences)
        paragraphs.append(f"What else is found follows from that: {names}.")
    paragraphs.append(told.advice)
    for paragraph in paragraphs:
        lines += textwrap.wrap(paragraph, _WIDTH - 3, initial_indent="   ", subsequent_indent="   ")
    return lines


def _said(answer: Answer) -> str:
    match answer:
        case NotApplicable(reason):
            return f"not applicable: {reason}"
        case NotMeasured(what):
            return f"not measured: {_words(what)}"
        case _:
            return "clear"


def _words(what: str) -> str:
    """The name of a measurement as people say it: "FinalScore" is the final score."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", what).lower() if what.isidentifier() else what


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
    return Diagnosis(with_causes(found), answers, share)


def with_causes(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings strongest first, each symptom under its strongest cause.

    A finding follows from another that explains it (directly or through a third) and is not much weaker. What checks
    explain has no cycle (tested), so following causes comes to an end.
    """
    ordered = sorted(found, key=lambda each: -each.strength)
    cause_of: dict[str, str] = {}
    for symptom in ordered:
        causes = [
            cause
            for cause in ordered
            if cause is not symptom
            and symptom.check.name in cause.check.explains
            and cause.strength >= _EXPLAINS * symptom.strength
        ]
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
            consequences=tuple(under.get(root.check.name, ())),
            # A cause is as urgent as the strongest of what follows from it.
            strength=max([root.strength, *(0.95 * each.strength for each in under.get(root.check.name, ()))]),
        )
        for root in roots
    ]
    return tuple(sorted(caused, key=lambda each: -each.strength))


def _root(name: str, cause_of: Mapping[str, str]) -> str:
    while name in cause_of:
        name = cause_of[name]
    return name


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
