"""The starting recipe, taken apart: each part is the starting recipe without it.

For the ablation round and the report's leave-one-out table. A part is left out by putting in its place what the textbook
recipe has there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.core.task import TaskKind
from liebig.remedies.edits import add, drop, edit, exchange, with_fields

#: What a part is called, and the checks that it answers, by the path that differs from the textbook recipe.
_NAMED: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "inputs.scale": ("scaled inputs", ("unscaled-inputs",)),
    "inputs.numbers": ("piecewise-linear numbers", ("unscaled-inputs", "underfitting")),
    "inputs.target": ("standardised target", ("unscaled-targets",)),
    "inputs.levels": ("one-hot of the commonest levels", ("bad-features",)),
    "inputs.missing_indicator": ("missing-value indicators", ("bad-features",)),
    "inputs.cross_fitted_targets": ("cross-fitted target encoding", ("underfitting",)),
    "network": ("the network's kind", ("overfitting", "underfitting")),
    "network.width": ("width", ("underfitting",)),
    "network.depth": ("depth", ("underfitting",)),
    "network.activation": ("activation", ("dead-units", "vanishing-gradient")),
    "network.normalisation": ("normalisation", ("vanishing-gradient", "exploding-gradient")),
    "network.dropout": ("dropout", ("overfitting",)),
    "network.numbers": ("embedded numbers", ("underfitting",)),
    "network.categories": ("embedded categories", ("underfitting",)),
    "objective": ("loss", ()),
    "optimizer": ("optimizer", ("learning-rate-too-low",)),
    "optimizer.learning_rate": ("learning rate", ("learning-rate-too-low", "still-improving")),
    "optimizer.weight_decay": ("weight decay", ("overfitting",)),
    "schedule": ("schedule", ("learning-rate-not-decayed",)),
    "schedule.warmup": ("warm-up", ("learning-rate-too-high",)),
    "batching": ("batches", ()),
    "batching.size": ("batch size", ()),
    "stopping": ("early stopping", ("overfitting", "still-improving", "trained-too-long")),
    "stopping.epochs": ("number of epochs", ("still-improving", "trained-too-long")),
    "initialisation": ("initialisation", ("poor-initialisation", "vanishing-gradient")),
    "techniques.base-rate-bias": ("last bias at the base rate", ("class-imbalance", "poor-initialisation")),
    "techniques.variance-calibration": ("variance calibration", ("poor-initialisation",)),
    "techniques.ema": ("averaged weights", ("learning-rate-not-decayed",)),
    "techniques.seed-ensemble": ("ensemble of seeds", ()),
    "techniques.clip-norm": ("clipped gradients", ("exploding-gradient",)),
    "techniques.mixup": ("mixup", ("class-imbalance", "overfitting")),
    "network.mirrored": ("mirror images answered too", ()),
    "network.shifted": ("shifted views answered too", ()),
    "techniques.whiten-patches": ("whitened patches", ("poor-initialisation",)),
    "techniques.autoencoder": ("autoencoder before training", ("overfitting", "too-little-data")),
    "techniques.masked-patches": ("masked patches before training", ("overfitting", "too-little-data")),
    "techniques.rand-augment": ("RandAugment", ("overfitting", "too-little-data")),
    "techniques.random-crop": ("random crops", ("overfitting", "too-little-data")),
    "techniques.random-flip": ("mirror images", ("overfitting", "too-little-data")),
    "techniques.colour-jitter": ("colour jitter", ("overfitting", "too-little-data")),
    "techniques.cutout": ("cutout", ("overfitting",)),
    "techniques.random-affine": ("turns and sizes", ("overfitting", "too-little-data")),
    "inputs.read": ("steps or summaries", ("underfitting", "overfitting")),
    "techniques.forget-bias": ("open forget gates", ("vanishing-gradient",)),
    "techniques.orthogonal-steps": ("orthogonal steps", ("vanishing-gradient", "exploding-gradient")),
    "techniques.series-jitter": ("jitter", ("overfitting", "too-little-data")),
    "techniques.series-scaling": ("scaling", ("overfitting", "too-little-data")),
    "techniques.series-warp": ("time warp", ("overfitting", "too-little-data")),
    "techniques.series-crop": ("random crops", ("overfitting", "too-little-data")),
    "techniques.cut-mix": ("CutMix", ("overfitting",)),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the starting recipe. `name` says what it is and what stands in its place ("activation: gelu, else relu"),
    `path` where; `answers` are the checks that it answers, by name; `without` is the starting recipe without this part."""

    name: str
    path: str
    answers: tuple[str, ...]
    without: Recipe


#: Fields that only a target of numbers reads.
_OF_NUMBERS: Final = frozenset({"inputs.target"})


def parts(textbook: Recipe, starting: Recipe, kind: TaskKind) -> tuple[Part, ...]:
    """The parts by which `starting` differs from `textbook` where targets are of this kind, in the order of the slots.

    What does nothing for such targets is no part. A part without which the rest contradicts itself is left out of the list. Compute is not a part: it changes no answer.
    """
    found: dict[str, Part] = {}
    for path, before, after, without in _candidates(textbook, starting):
        if kind.is_classification and path in _OF_NUMBERS:
            continue
        if without is not None and without.digest not in {starting.digest, *found}:
            title, answers = _NAMED.get(path, (path.rpartition(".")[2].replace("_", " ").replace("-", " "), ()))
            found[without.digest] = Part(f"{title}: {_said(after)}, else {_said(before)}", path, answers, without)
    return tuple(found.values())


Candidate = tuple[str, object, object, Recipe | None]


def _candidates(textbook: Recipe, starting: Recipe) -> Iterator[Candidate]:
    for slot in type(starting).model_fields:
        if slot in {"techniques", "compute"}:
            continue
        before, after = getattr(textbook, slot), getattr(starting, slot)
        if type(before) is type(after):
            yield from _fields(starting, slot, before, after)
        elif slot == "optimizer":
            yield from _optimizers(starting, before, after)
        else:
            yield slot, before, after, exchange(starting, slot, before)
    yield from _techniques(textbook, starting)


def _fields(starting: Recipe, slot: str, before: Settings, after: Settings) -> Iterator[Candidate]:
    for name in type(after).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield f"{slot}.{name}", old, new, edit(starting, slot, {name: old})


def _optimizers(starting: Recipe, before: Settings, after: Settings) -> Iterator[Candidate]:
    """The kind of optimizer at the same rate, and the rate by itself."""
    new, old = getattr(after, "learning_rate", None), getattr(before, "learning_rate", None)
    if new is None or old is None:
        yield "optimizer", before, after, exchange(starting, "optimizer", before)
        return
    try:
        other = with_fields(before, {"learning_rate": new})
    except ValidationError:
        other = before
    yield "optimizer", before.kind, after.kind, exchange(starting, "optimizer", other)
    if old != new:
        yield "optimizer.learning_rate", old, new, edit(starting, "optimizer", {"learning_rate": old})


def _techniques(textbook: Recipe, starting: Recipe) -> Iterator[Candidate]:
    present = {each.claims or each.kind: each for each in textbook.techniques}
    for technique in starting.techniques:
        claim = technique.claims or technique.kind
        before = present.get(claim)
        if before == technique:
            continue
        path = claim if claim in _NAMED else f"techniques.{technique.kind}"
        without = add(starting, before) if before is not None else drop(starting, type(technique))
        yield path, before, technique, without


def _said(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, Settings):
        return value.kind
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
