"""The familiar flags of `fit`, as changes of a recipe's fields: a flag is only another way to write ``--set``."""

from __future__ import annotations

from dataclasses import dataclass

from liebig.core.recipe import Recipe
from liebig.recipes import set_field


@dataclass(frozen=True, slots=True)
class TrainingFlags:
    """What was asked for on the command line; None leaves the recipe as it is."""

    epochs: int | None = None
    batch_size: int | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    loss: str | None = None
    activation: str | None = None
    dropout: float | None = None
    normalisation: str | None = None
    scale: str | None = None
    early_stopping: bool | None = None
    monitor: str | None = None
    mode: str | None = None
    patience: int | None = None
    min_delta: float | None = None
    lr_scheduler: str | None = None
    factor: float | None = None
    lr_patience: int | None = None
    min_lr: float | None = None


def changes_of(flags: TrainingFlags, recipe: Recipe) -> tuple[str, ...]:
    """`flags` as ``field=value`` changes, whole records first, so that their fields can be set after."""
    stops_early = recipe.stopping.kind == "early-stopping"
    if flags.early_stopping is not None:
        stops_early = flags.early_stopping
    scheduler = {"none": "constant"}.get(flags.lr_scheduler or "", flags.lr_scheduler)
    records: tuple[tuple[str, str | None], ...] = (
        ("optimizer", flags.optimizer),
        ("objective", flags.loss),
        ("network.activation", flags.activation),
        ("network.normalisation", flags.normalisation),
        ("inputs.scale", flags.scale),
        ("schedule", scheduler),
        ("stopping", _stopping(flags, recipe)),
    )
    plateau = (scheduler or recipe.schedule.kind) == "plateau"
    fields: tuple[tuple[str, object], ...] = (
        ("stopping.epochs", flags.epochs if flags.epochs is not None else _kept_epochs(flags, recipe)),
        ("batching.size", flags.batch_size),
        ("optimizer.learning_rate", flags.learning_rate),
        ("network.dropout", flags.dropout),
        ("stopping.patience", flags.patience),
        ("stopping.min_delta", flags.min_delta),
        ("stopping.monitor", flags.monitor if stops_early else None),
        ("stopping.mode", flags.mode if stops_early else None),
        ("schedule.factor", flags.factor),
        ("schedule.patience", flags.lr_patience),
        ("schedule.min_rate", flags.min_lr),
        ("schedule.monitor", flags.monitor if plateau else None),
        ("schedule.mode", flags.mode if plateau else None),
    )
    return tuple(f"{path}={value}" for path, value in (*records, *fields) if value is not None)


def _stopping(flags: TrainingFlags, recipe: Recipe) -> str | None:
    if flags.early_stopping is None:
        return None
    wanted = "early-stopping" if flags.early_stopping else "epochs"
    return wanted if recipe.stopping.kind != wanted else None


def _kept_epochs(flags: TrainingFlags, recipe: Recipe) -> int | None:
    """A stopping rule that is exchanged keeps the number of epochs of the one before it."""
    return getattr(recipe.stopping, "epochs", None) if _stopping(flags, recipe) else None


def changed(recipe: Recipe, changes: tuple[str, ...]) -> Recipe:
    """`recipe` with every ``field=value`` of `changes`, in order. Raises UserError in the words of the first that fails."""
    for change in changes:
        recipe = set_field(recipe, change)
    return recipe
