"""How the verbs tell their answers: diagnoses and cards, as text and as plain objects."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liebig.checks import ALL as CHECKS
from liebig.checks import Diagnosis
from liebig.core.card import Card, card_of
from liebig.core.check import Finding
from liebig.core.errors import UserError, did_you_mean
from liebig.recipes.cards import field_table, technique_cards
from liebig.remedies import ALL as REMEDIES

_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Told:
    """An answer in two forms."""

    text: str
    plain: Mapping[str, Any]


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as a plain object."""
    told = finding.tell()
    return {
        "check": finding.check.name,
        "strength": finding.strength,
        "certainty": finding.certainty.value,
        "place": finding.place,
        "facts": {
            name: {"value": fact.value, "unit": fact.unit, "threshold": fact.threshold}
            for name, fact in finding.facts.items()
        },
        "headline": told.headline,
        "evidence": told.evidence,
        "advice": told.advice,
        "consequences": [finding_json(each) for each in finding.consequences],
    }


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Any]:
    return {"findings": [finding_json(each) for each in diagnosis.findings], "others": dict(diagnosis.others)}


def diagnosis_text(diagnosis: Diagnosis, everything: bool = False) -> str:
    """At most three findings, or all of them and how every other check answered."""
    if not everything:
        return str(diagnosis)
    lines = [str(diagnosis), ""]
    for finding in diagnosis.findings[3:]:
        told = finding.tell()
        lines += [f"{told.headline}  ({finding.certainty.value})", textwrap.indent(told.evidence, "   "), ""]
    lines += [f"{name:<28} {answer}" for name, answer in sorted(diagnosis.others.items())]
    return "\n".join(lines)


def _families() -> dict[str, dict[str, Card]]:
    """Every card by family and name."""
    return {
        "check": {check.name: card_of(check.name, type(check)) for check in CHECKS},
        "remedy": {remedy.name: card_of(remedy.name, type(remedy)) for remedy in REMEDIES},
        "technique": dict(technique_cards()),
    }


def explanation(name: str | None) -> Told:
    """The card of `name`, or the list of all names. Raises UserError for a name that has no card."""
    families = _families()
    if name is None:
        lines = []
        for family, cards in families.items():
            lines += [f"{family}s", *(f"  {each:<28} {card.title}" for each, card in sorted(cards.items())), ""]
        names = {family: sorted(cards) for family, cards in families.items()}
        return Told("\n".join(lines).rstrip(), names)
    found = [(family, cards[name]) for family, cards in families.items() if name in cards]
    if not found:
        known = [each for cards in families.values() for each in cards]
        raise UserError(f'nothing is called "{name}".{did_you_mean(name, known)} `liebig explain` lists all names.')
    parts, plain = [], {}
    for family, card in found:
        parts.append(_card_text(family, card))
        plain[family] = {"name": name, "title": card.title, "sections": dict(card.sections)}
        if family == "check":
            remedies = [each.name for each in REMEDIES if any(check.name == name for check in each.answers)]
            parts.append(f"Remedies to try: {', '.join(remedies) or 'none: it is told, not applied'}.")
            plain[family]["remedies"] = remedies
        if family == "technique":
            parts.append(field_table(name))
    return Told("\n\n".join(part for part in parts if part), plain)


def _card_text(family: str, card: Card) -> str:
    lines = [f"{card.name}  ({family})", card.title + ".", ""]
    for heading, text in card.sections.items():
        lines.append(f"{heading}")
        lines += textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines)
