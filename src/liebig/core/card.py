"""The card of a plug-in: its module docstring, read as named sections.

A card is written once, at the head of the plug-in's own file:

    '''Batch normalisation.

    Does: standardises every unit over the batch, then scales and shifts it by learnt values.
    Helps: deep networks, badly scaled inputs; allows a higher rate.
    Misleads: a batch of two has no usable variance.
    Source: Ioffe & Szegedy 2015, arXiv:1502.03167, equations 1-4.
    '''

The documentation and ``liebig explain`` are generated from these.
"""

import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

_SECTION = re.compile(r"^(?P<name>[A-Z][A-Za-z ]{1,24}): ?(?P<text>.*)$")

#: The sections that every card of a family must have.
TECHNIQUE_SECTIONS = ("Does", "Helps", "Misleads", "Source")
CHECK_SECTIONS = ("Means", "Measured", "Misleads", "Source")
REMEDY_SECTIONS = ("Does", "Helps", "Misleads", "Source")


@dataclass(frozen=True, slots=True)
class Card:
    """One plug-in, told: `title` is the first line of its file, `sections` map a heading to its text."""

    name: str
    title: str
    sections: Mapping[str, str]


def card_of(name: str, plugin: type) -> Card:
    """Read the card of `plugin` from the docstring of the module that defines it.

    Raises ValueError when the module has no docstring: a plug-in without a card is not finished.
    """
    text = inspect.cleandoc(sys.modules[plugin.__module__].__doc__ or "")
    if not text:
        raise ValueError(f"{plugin.__module__} must begin with its card, but has no docstring")
    title, _, body = text.partition("\n")
    sections: dict[str, str] = {}
    current = ""
    for line in body.splitlines():
        found = _SECTION.match(line)
        if found:
            current = found["name"]
            sections[current] = found["text"]
        elif current and line.strip():
            sections[current] = f"{sections[current]} {line.strip()}".strip()
    return Card(name, title.rstrip("."), sections)
