"""What the report measures with a trained network: which columns carry the result, the worst rows, capacity, the card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from liebig.coach.explanations import capacity, column_importance, judged_part, network_card, worst_rows
from liebig.coach.picture_explanations import (
    augmented_pictures,
    confusion,
    near_duplicates,
    suspect_labels,
    worst_pictures,
)
from liebig.coach.training import TrainingRunner
from liebig.core.evidence import Measurement
from liebig.core.study import Explained
from liebig.data.pictures.task import PictureTask
from liebig.data.sequences.task import SequenceTask
from liebig.data.table.task import TableTask
from liebig.store.ledger import StudyStore
from liebig.train.pictures import PICTURES

#: Seconds that shuffling columns may take, at most, and as a share of what is left.
_MOST_SECONDS: Final = 20.0
_SHARE: Final = 0.4


def explain_study(
    store: StudyStore,
    found: TableTask,
    runner: TrainingRunner,
    clock: Callable[[], float],
    until: float,
) -> None:
    """Measure and append what time allows before `until` on `clock`. The columns and the rows are asked on the select part
    of the first block, of the recipe that is handed over: rows that the asked network has not learnt from."""
    study = store.study
    sealed = study.sealed
    # Of models that answer together it is the best network that is asked: it is what the ladder tells of.
    digest = study.network_of(sealed.handed_over) if sealed else study.incumbent or ""
    recipe = study.recipes[digest].recipe
    measured: list[Measurement | None] = [capacity(study)]
    runs = [run for (of, _), by_block in study.scores.items() if of == digest for run in by_block.values()]
    seen = next((run.evidence for run in runs if run.evidence.measurements), None)
    measured.append(network_card(seen) if seen is not None else None)
    asked = runner.finals.fitted_in_block(recipe, 0, until - clock())
    if asked is not None:
        part = judged_part(asked, found.task, runner.blocks[0].select)
        measured.append(worst_rows([part], found.task.metric, found.task.classes))
        seconds = min(_MOST_SECONDS, _SHARE * max(0.0, until - clock()))
        if seconds > 0.2:
            measured.append(column_importance([part], found.task.metric, seconds=seconds, seed=runner.seed))
    store.append(*(Explained(clock(), digest, each) for each in measured if each is not None))


def explain_pictures(
    store: StudyStore,
    found: PictureTask,
    runner: TrainingRunner,
    clock: Callable[[], float],
    until: float,
) -> None:
    """The same for pictures: the network's size and card, the worst pictures, what is taken for what,
    labels that are doubted, copies, what augmentation does."""
    study = store.study
    sealed = study.sealed
    digest = study.network_of(sealed.handed_over) if sealed else study.incumbent or ""
    recipe = study.recipes[digest].recipe
    runs = [run for (of, _), by_block in study.scores.items() if of == digest for run in by_block.values()]
    seen = next((run.evidence for run in runs if run.evidence.measurements), None)
    measured: list[Measurement | None] = [capacity(study), network_card(seen) if seen is not None else None]
    measured.append(augmented_pictures(found.task, recipe, study.began.seed))
    answered = runner.answers_in_block(digest, 0)
    if answered is None:  # a study that went on after a kill keeps no answers
        asked = runner.finals.fitted_in_block(recipe, 0, until - clock())
        rows = runner.blocks[0].select
        answered = None if asked is None else (rows, asked.predict_rows(found.task, rows, PICTURES))
    if answered is not None:
        measured += [worst_pictures(found.task, *answered), confusion(found.task, *answered)]
        every = [runner.answers_in_block(digest, index) for index in range(len(runner.blocks))]
        measured.append(suspect_labels(found.task, [each for each in every if each is not None] or [answered]))
    measured.append(near_duplicates(found.task, is_opened=sealed is not None))
    store.append(*(Explained(clock(), digest, each) for each in measured if each is not None))


def explain_sequences(
    store: StudyStore, found: SequenceTask, runner: TrainingRunner, clock: Callable[[], float]
) -> None:
    """The same for sequences: the network's size and card, and what is taken for what."""
    study = store.study
    sealed = study.sealed
    digest = study.network_of(sealed.handed_over) if sealed else study.incumbent or ""
    runs = [run for (of, _), by_block in study.scores.items() if of == digest for run in by_block.values()]
    seen = next((run.evidence for run in runs if run.evidence.measurements), None)
    measured: list[Measurement | None] = [capacity(study), network_card(seen) if seen is not None else None]
    answered = runner.answers_in_block(digest, 0)
    if answered is not None:
        measured.append(confusion(found.task, *answered))
    store.append(*(Explained(clock(), digest, each) for each in measured if each is not None))
