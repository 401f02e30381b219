"""What the report says of how networks were trained: beside each other or one by one, and on which rows in the end."""

from __future__ import annotations

import math
from collections.abc import Iterator

from liebig.core.study import Explained, PopulationPath, PopulationPaths, Study, TrainedAgain
from liebig.report.numbers import duration


def training_notes(study: Study) -> tuple[str, ...]:
    """Sentences on how the study's networks were trained."""
    return tuple(_sentences(study))


def _sentences(study: Study) -> Iterator[str]:
    last: dict[type, PopulationPaths | TrainedAgain] = {}
    for each in study.all(Explained):
        if isinstance(each.what, PopulationPaths | TrainedAgain):
            last[type(each.what)] = each.what
    for what in last.values():
        if isinstance(what, TrainedAgain) and not what.in_time:
            yield "the budget did not pay for training once more on all rows: what the seal judged is what is handed over"
        elif isinstance(what, TrainedAgain):
            yield (
                f"what is handed over was trained once more on {what.rows:,} rows, the {what.sealed_rows:,} sealed ones "
                "among them: the score on the sealed part belongs to the network before that"
            )
        elif what.paths:
            yield paths_told(what)


def paths_told(found: PopulationPaths) -> str:
    """One sentence: which way populations were trained, and why."""
    at_once = [path for path in found.paths if path.at_once]
    alone = [path for path in found.paths if not path.at_once]
    if not at_once:
        return f"networks were trained one by one{_because(_largest(alone))}"
    most = _largest(at_once)
    told = (
        f"networks were trained beside each other in one call (torch.func), as was measured faster: a step of {most.members} "
        f"took {duration(most.seconds_at_once)}, one by one {duration(most.seconds_alone)}"
    )
    if not alone:
        return told
    count = sum(path.networks for path in alone)
    return f"{told}; {count} of {sum(path.networks for path in found.paths)} one by one{_because(_largest(alone))}"


def _largest(paths: list[PopulationPath]) -> PopulationPath:
    """The one that most networks were trained by."""
    return max(paths, key=lambda path: path.networks)


def _because(path: PopulationPath) -> str:
    if path.reason or math.isnan(path.seconds_alone):
        return f", since {path.reason}"
    return (
        f", since one call (torch.func) was not clearly faster: a step of {path.members} took "
        f"{duration(path.seconds_at_once)}, one by one {duration(path.seconds_alone)}"
    )
