"""Experiments on a copy of a run's network: the diagnosis of a run of `fit`, with and without them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from liebig.api.asking import AnyTask, encoding_of, task_of
from liebig.api.combining import network_of
from liebig.api.options import TableOptions
from liebig.checks import Diagnosis
from liebig.checks import diagnose as diagnosed
from liebig.core.errors import UserError
from liebig.core.evidence import Evidence
from liebig.store.model import is_model, load_model
from liebig.store.runs import RunDirectory, RunManifest
from liebig.train.probing import probe_run
from liebig.trials.blocks import blocks


def diagnosis_of(run: RunDirectory, *, probe: bool = False, found: AnyTask | None = None) -> Diagnosis:
    """What limits this run? With `probe` the active probes are run first, and what they measure is written beside the rest.
    `found` is the run's task where it is at hand; else its table is read again.

    Raises UserError where the table is no longer what it was.
    """
    evidence, note = run.evidence(), ""
    if probe:
        evidence, seconds = _probed(run, evidence, found)
        note = f"Experiments on a copy of the network took {seconds:.1f} s."
    diagnosis = diagnosed(evidence)
    if not diagnosis.probed:
        note = f"Experiments on a copy of the network tell more: liebig diagnose {run.path} --probe"
    return replace(diagnosis, notes=(*diagnosis.notes, note)) if note else diagnosis


def _probed(run: RunDirectory, evidence: Evidence, found: AnyTask | None) -> tuple[Evidence, float]:
    """The evidence with what the probes measure, and the seconds that took."""
    manifest, recipe = run.manifest(), run.recipe()
    found = _read_again(run, manifest) if found is None else found
    fitted = network_of(load_model(run.model_path)) if is_model(run.model_path) else None
    block = blocks(found.task, manifest.seed)[0]
    probed = probe_run(found.task, recipe, block, fitted, encoding=encoding_of(found))
    if not tuple(probed.evidence) and probed.reasons:
        ((reason, _),) = Counter(probed.reasons.values()).most_common(1)
        raise UserError(f'nothing could be probed in "{run.path}": {reason}')
    more = evidence.having(*probed.evidence)
    run.write(manifest, recipe, more)
    return more, probed.seconds


def _read_again(run: RunDirectory, manifest: RunManifest) -> AnyTask:
    """The run's table as its task. Raises UserError where there is none, or it is another now."""
    if not manifest.source:
        raise UserError(
            f'"{run.path}" was trained on a dataframe, which is not kept: diagnose(probe=True) of what fit gave back '
            "still has it"
        )
    found = task_of(manifest.source, TableOptions.from_text(manifest.options))
    now, then = (found.task.rows, found.task.classes), (manifest.rows, manifest.classes)
    if now != then:
        raise UserError(
            f'"{manifest.source}" must be as it was when "{run.path}" was trained ({then[0]:,} rows), however it has '
            f"{now[0]:,} rows and {len(now[1])} classes now"
        )
    return found
