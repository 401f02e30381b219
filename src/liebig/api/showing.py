"""Who sees what a verb does while it works?"""

from __future__ import annotations

import sys

from liebig.core.event import Listener, silent
from liebig.screen import Screen


def listener_of(given: Listener | None, screen: type[Screen]) -> Listener:
    """The listener of a verb: the one that was given; without one plain lines on standard error where a person looks at it
    (a terminal, a notebook), and nothing where standard error goes elsewhere."""
    if given is not None:
        return given
    return screen(live=False).listen if _is_looked_at() else silent


def _is_looked_at() -> bool:
    stream = sys.stderr
    if stream is None:  # a program without a console
        return False
    if type(stream).__module__.startswith("ipykernel"):
        return True
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False
