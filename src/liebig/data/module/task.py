"""From a user's network and data sets to a task: what is learnt, how it is judged, which rows are sealed, and the recipe
that does exactly what the user does."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from liebig.core.arrays import Predictions, Reals, Rows
from liebig.core.errors import UserError
from liebig.core.metric import ACCURACY, RMSE, Answers, Metric, metric_named
from liebig.core.metric import ALL as METRICS
from liebig.core.places import Placed, metric_over_places
from liebig.core.recipe import Recipe
from liebig.core.task import Parts, Task, TaskKind
from liebig.data.module.form import Form, Says, tensor_of
from liebig.data.module.inputs import ModuleInputs
from liebig.data.module.items import Items, Read, Shape, arrangements, chained, kept, taken_apart
from liebig.data.module.loaders import Given, given, judged_as
from liebig.data.module.losses import is_for_classes, loss_of, name_of_loss, objective_of, says_of, takes_codes
from liebig.data.module.optimizers import optimizer_of, with_momenta
from liebig.data.module.placing import form_of_places
from liebig.data.module.schedulers import schedule_of
from liebig.data.module.users import Given as UsersGiven
from liebig.data.module.users import Users
from liebig.data.table.parts import RARE_CLASS, sealed_rows
from liebig.nets.surgery import seeded
from liebig.nets.user_module import UserModule
from liebig.techniques.batching.in_order import InOrder
from liebig.techniques.batching.own_order import OwnOrder
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.compute.auto import Compute
from liebig.techniques.objectives.users_loss import UsersLoss
from liebig.techniques.stage import BatchingSettings
from liebig.techniques.stopping.epochs import FixedEpochs

LEAST_ROWS: Final = 20
_SEALED: Final = 0.2
_BATCH: Final = 32
_EPOCHS: Final = 20
#: Rows of the batch that networks are shown before anything is trained, at most.
_FIRST: Final = 64
#: Rows of one set are kept as tensors where they need at most so much.
_MOST_BYTES: Final = 2 << 30


@dataclass(frozen=True, slots=True, eq=False)
class ModuleTask:
    """A task on a user's own network. `baseline` is the recipe that does what the user does; `notes` are sentences for the
    user; `lengths` the rows of train, valid and test; `loss_name` how the loss is called."""

    task: Task[Users]
    baseline: Recipe
    notes: tuple[str, ...]
    lengths: tuple[int, int, int]
    loss_name: str
    resplit: bool

    @property
    def users(self) -> Users:
        return self.task.data


def module_task(
    build: Callable[[], nn.Module],
    *,
    train: Any,
    valid: Any = None,
    loss: Any = None,
    metric: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    batch_size: int | None = None,
    epochs: int = _EPOCHS,
    test: Any = None,
    step: Callable[[nn.Module, Any], Tensor] | None = None,
    resplit: bool = False,
    target: str | None = None,
    ignore_index: int | None = None,
    seed: int = 0,
    name: str = "",
) -> ModuleTask:
    """The task of making what `build` makes learn `train`.

    `train`, `valid` and `test` are Datasets, DataLoaders or (inputs, targets) as tensors. `valid` fixes the rows that
    recipes are judged on; with `resplit` they are pooled with `train` into blocks. `test` is the sealed part; without it
    20 % of `train` are set aside. `metric` is a name, or (function of (targets, predictions), "higher" or "lower"). `optimizer`
    is a class of torch.optim, (class, settings), a function of the parameters or of the network, or one that was made.
    `scheduler` is a class of torch.optim.lr_scheduler, (class, settings) or a function of the optimizer; it is stepped as torch's
    own are (OneCycleLR and CyclicLR after each batch, others after each epoch), or as (scheduler, "batch") says.
    `step(network, batch)` gives the loss where ``loss(network(inputs), target)`` does not describe the training.

    A batch is (inputs..., target), or a dictionary whose entry `target` is the target (one called target, label or y needs no
    telling). The other entries are handed to the network by the names of its parameters, else as one dictionary.

    A row may have one target or several of one shape (a label for each word or pixel, several numbers), which are judged over all
    of them: by accuracy or log-loss, or RMSE or MAE. `ignore_index` is the label of a place that has none; it needs no telling
    where the loss is one of torch's, or where it is the only label below zero.

    Raises UserError, one sentence, for whatever cannot be trained.
    """
    _check_counts(batch_size, epochs)
    sets = _sets(train, valid, test)
    notes = [note for each in sets if each is not None for note in each.notes]
    if sets[0].splits is False and sets[1] is None:
        raise UserError(
            "train is an iterable set or has a sampler of its own, so that its rows cannot be split into parts: give valid=..., "
            "which recipes are judged on"
        )
    if resplit and not all(each is None or each.splits for each in sets[:2]):
        resplit = False
        notes.append("the user's own split is kept: rows that a sampler or an iterable set gives cannot be split anew")
    network = _built(build, seed)
    device = _device_of(network)
    size = batch_size or sets[0].batch_size or _BATCH
    batch = _first(sets[0], size, target)
    leaves, first_target, shape = taken_apart(batch, "train", target)
    shape = _taken(network, arrangements(shape, network, batch, first_target, "train"), leaves, device)
    reads, whole = _reads(sets, device, target)
    example = shape.inputs(leaves)
    answer = _answer(network, example, device)
    placed = {id(each): each.put(device) for each in reads}
    items = chained([placed[id(each)] for each in reads])
    targets = _targets(reads)
    form, values, classes = _form(loss, metric, answer, first_target, targets, sets, ignore_index)
    own_loss = loss_of(loss, _wants_codes(form))
    form = replace(form, says=says_of(own_loss, answer)) if form.kind.is_classification else form
    _check_loss(own_loss, step, network, example, shape, leaves, first_target)
    lengths = tuple(0 if each is None else _length(each) for each in sets)
    judging = chained([placed.get(id(each)) or each.put(device) for each in _judged(sets, reads, target)])
    own_optimizer = optimizer_of(optimizer, network)
    batching = _batching(sets[0], size)
    drawn = batching.drawn(lengths[0])
    steps = max(1, drawn // size if sets[0].drop_last else -(-drawn // size))
    schedule = schedule_of(scheduler, own_optimizer.make, network, epochs, steps)
    own_optimizer = with_momenta(own_optimizer, schedule.momenta)
    notes += schedule.notes
    users = Users(
        build, source_of(build), example, shape, form, own_loss, step, own_optimizer.make, items, judging, whole, size,
        device, UsersGiven(optimizer, own_optimizer.takes),
        order=sets[0].sampled.drawing if sets[0].sampled else None,
        placed=targets.flatten(1).float() if form.places is not None else None,
    )  # fmt: skip
    notes += _told_places(form, targets)
    parts = _parts(form.kind, values, classes, lengths, resplit, seed, notes)
    metric_used = _metric(metric, form.kind) if form.places is None else metric_over_places(metric, form.places.kind)
    task = Task(
        name=name or name_of(build), kind=form.kind, target_name="target", target=values, classes=classes,
        metric=metric_used, parts=parts, data=users, seed=seed,
    )  # fmt: skip
    recipe = Recipe(
        inputs=ModuleInputs(drop_last=sets[0].drop_last, decays_all=own_optimizer.decays_everything),
        network=UserModule(source=users.source),
        objective=UsersLoss(name="step") if step is not None else objective_of(own_loss, form),
        optimizer=own_optimizer.record,
        schedule=schedule.record,
        batching=batching,
        stopping=FixedEpochs(epochs=epochs),
        compute=Compute(device=str(device), precision="float32"),
    )
    return ModuleTask(task, recipe, tuple(notes), (lengths[0], lengths[1], lengths[2]), name_of_loss(own_loss), resplit)


def resealed(found: ModuleTask, seed: int) -> ModuleTask:
    """The same task with other rows of train sealed, as `seed` draws them; with `test` the sealed rows stay the user's."""
    task = found.task
    drawn = _parts(task.kind, task.target, task.classes, found.lengths, found.resplit, seed, [])
    return replace(found, task=replace(task, parts=drawn, seed=seed))


# --- what the user gave ---------------------------------------------------------------------------------------------


def _check_counts(batch_size: int | None, epochs: int) -> None:
    given: tuple[tuple[str, Any], ...] = (("batch_size", batch_size), ("epochs", epochs))
    for name, value in given:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise UserError(f"{name} must be a whole number from 1 up, however {value!r} came")


def _sets(train: Any, valid: Any, test: Any) -> tuple[Given, Given | None, Given | None]:
    found = given(train, "train")
    return (
        found,
        None if valid is None else given(valid, "valid"),
        None if test is None else given(test, "test"),
    )


def _batching(train: Given, size: int) -> BatchingSettings:
    """The rule by which the user's rows come."""
    if train.sampled is not None:
        seen = train.sampled
        return OwnOrder(
            size=size, name=type(seen.drawing.sampler).__name__, share=seen.draws / len(seen.drawing.rows),
            batches=seen.drawing.batches, whole=train.drop_last,
        )  # fmt: skip
    return Shuffled(size=size) if train.shuffles else InOrder(size=size)


def _length(each: Given) -> int:
    return len(each.dataset)


def _built(build: Any, seed: int) -> nn.Module:
    """A first network, once it is sure that `build` makes fresh ones. Raises UserError."""
    if isinstance(build, nn.Module):
        raise UserError(
            f"build must be a function or class that makes a fresh network, however a network ({type(build).__name__}) "
            "came; give the class, or lambda: Network(...)"
        )
    if not callable(build):
        raise UserError(f"build must be a function that makes a network, however {type(build).__name__} came")
    with seeded(seed):
        first, second = _call(build), _call(build)
    for each in (first, second):
        if not isinstance(each, nn.Module):
            raise UserError(f"build must make a torch.nn.Module, however {type(each).__name__} came")
    shared = {id(each) for each in first.parameters()} & {id(each) for each in second.parameters()}
    if first is second or shared:
        what = "the same network" if first is second else "networks that share parameters"
        raise UserError(f"build must make a fresh network each time, however two calls returned {what}")
    if [tuple(each.shape) for each in first.parameters()] != [tuple(each.shape) for each in second.parameters()]:
        raise UserError("build must make networks of one shape, however two calls made parameters of different shapes")
    return first  # type: ignore[no-any-return]  # it is a module


def _call(build: Callable[[], Any]) -> Any:
    try:
        return build()
    except UserError:
        raise
    except Exception as error:  # the user's own code runs here
        raise UserError(f"build failed to make a network ({type(error).__name__}: {error})") from error


def _device_of(network: nn.Module) -> torch.device:
    devices = {each.device for each in (*network.parameters(), *network.buffers())}
    if len(devices) > 1:
        told = " and ".join(sorted(map(str, devices)))
        raise UserError(f"a network must lie on one device, however its parameters lie on {told}")
    device = next(iter(devices), torch.device("cpu"))
    if device.type == "meta":
        raise UserError("a network must have values, however its parameters lie on the meta device")
    return device


def _reads(sets: Sequence[Given | None], device: torch.device, target: str | None) -> tuple[list[Items], bool]:
    """The rows of each set; whether all are kept as tensors."""
    reads: list[Items] = []
    whole = True
    for each, name in zip(sets, ("train", "valid", "test"), strict=True):
        if each is None:
            continue
        read = Read(each.dataset, each.collate, name, each.workers, device, target)
        stacked = kept(read, _MOST_BYTES)
        whole = whole and stacked is not None
        reads.append(read if stacked is None else stacked)
    return reads, whole


def _judged(sets: Sequence[Given | None], reads: Sequence[Items], target: str | None) -> list[Items]:
    """The same rows as they are judged: those of train with the transforms of the validation set, or of the test set."""
    train = sets[0]
    like = next((each for each in sets[1:] if each is not None), None)
    if train is None or like is None:
        return list(reads)
    dataset = judged_as(train.dataset, like.dataset)
    if dataset is train.dataset:
        return list(reads)
    return [Read(dataset, like.collate, "train", train.workers, target=target), *reads[1:]]


def _first(train: Given, size: int, target: str | None) -> Any:
    """A first batch, as the user's own function puts it together."""
    rows = list(range(min(max(2, min(size, _FIRST)), _length(train))))
    return Read(train.dataset, train.collate, "train", target=target).raw(rows)


def _taken(network: nn.Module, shapes: Sequence[Shape], leaves: Sequence[Tensor], device: torch.device) -> Shape:
    """The first of `shapes` that the network takes; the first of all where it takes none, so that its complaint is told."""
    for shape in shapes if len(shapes) > 1 else ():
        try:
            _answer(network, shape.inputs([each.to(device) for each in leaves]), device)
        except UserError:
            continue
        return shape
    return shapes[0]


def _answer(network: nn.Module, example: tuple[Any, ...], device: torch.device) -> Tensor:
    """What the network answers to a first batch. Raises UserError with its own complaint."""
    leaves, spec = tree_flatten(example)
    moved = tree_unflatten([each.to(device) if isinstance(each, Tensor) else each for each in leaves], spec)
    network.eval()
    try:
        with torch.no_grad():
            return tensor_of(network(*moved))
    except UserError:
        raise
    except Exception as error:  # the user's own code runs here
        shapes = ", ".join(f"{tuple(each.shape)} {each.dtype}" for each in leaves if isinstance(each, Tensor))
        hint = ""
        if "device" in str(error):
            hint = f"; its parameters lie on {device}, and whatever it makes in forward must, too"
        elif "Double" in str(error):
            hint = "; torch.float32 inputs are usual: give x.float()"
        raise UserError(
            f"the network does not run on a batch of {shapes} ({type(error).__name__}: {' '.join(str(error).split())}){hint}"
        ) from error


def _targets(reads: Sequence[Items]) -> Tensor:
    """All targets in one tensor, on the processor: one pass over the data."""
    found = []
    for items in reads:
        for start in range(0, items.length, 512):
            found.append(items.batch(torch.arange(start, min(start + 512, items.length)))[1].detach().cpu())
    if len({each.shape[1:] for each in found}) > 1:
        shapes = sorted({str(tuple(each.shape[1:])) for each in found})
        raise UserError(f"targets must all have one shape, however {' and '.join(shapes)} came")
    return torch.cat([each.to(found[0].dtype) for each in found])


# --- what it is -------------------------------------------------------------------------------------------------------


def _form(
    loss: Any, metric: Any, answer: Tensor, target: Tensor, targets: Tensor, sets: Sequence[Given | None],
    ignore_index: int | None,
) -> tuple[Form, Reals, tuple[str, ...]]:  # fmt: skip
    """What is learnt, its targets as numbers, its classes. Raises UserError where answers and targets do not fit."""
    trailing = tuple(targets.shape[1:])
    one_hot = answer.ndim == 2 and trailing == (answer.shape[1],) and answer.shape[1] > 1 and _is_one_hot(targets)
    if trailing not in {(), (1,)} and not one_hot:
        form = form_of_places(loss_of(loss, not targets.dtype.is_floating_point), answer, target, targets, ignore_index)
        names = tuple(str(code) for code in range(form.classes)) if form.classes > 1 else ()
        return form, targets.double().flatten(1).mean(1).numpy(), names
    width = _width(answer, len(target))
    whole = not targets.dtype.is_floating_point
    numbers = targets.double().numpy()
    if not np.isfinite(numbers).all():
        raise UserError(f"targets must be finite, however {int((~np.isfinite(numbers)).sum())} of them are not")
    if one_hot:
        return _classes(width, targets, np.argmax(numbers, 1).astype(np.float64), True, sets)
    values = numbers.reshape(len(numbers))
    if _is_classification(loss, metric, whole, width, values):
        if width > 1:
            if not takes_whole(values):
                raise UserError("classes must be whole numbers 0, 1, 2, ..., however targets with fractions came")
            _in_range(values, width)
            return _classes(width, targets, values, False, sets)
        if takes_codes(loss) and width == 1:
            raise UserError(
                f"the loss {name_of_loss(loss)} needs one answer for each class, however the network answers one number a row"
            )
        if not set(np.unique(values)) <= {0.0, 1.0}:
            low, high = values.min(), values.max()
            raise UserError(
                f"a network with one answer tells two classes, 0 and 1, apart, however labels from {low:g} to {high:g} came"
            )
        return _classes(width, targets, values, False, sets)
    if width > 1:
        raise UserError(
            f"one number is learnt for each row, however the network answers {tuple(answer.shape)} for targets of shape "
            f"{tuple(target.shape)}"
        )
    form = Form(TaskKind.REGRESSION, Says.NUMBERS, width, 1, targets.dtype, trailing)
    return form, values, ()


def _wants_codes(form: Form) -> bool:
    """Whether targets are the numbers of classes, which torch's cross-entropy takes."""
    whole = not form.dtype.is_floating_point
    if form.places is not None:
        return whole and form.places.kind is Placed.CLASSES
    return form.kind.is_classification and not form.one_hot and whole


def _told_places(form: Form, targets: Tensor) -> list[str]:
    """What the user should know of targets that are several for a row."""
    places = form.places
    if places is None:
        return []
    told = [f"every row has {places.count:,} targets: scores are over all of them, intervals over rows"]
    if places.ignored is not None:
        share = float((targets == places.ignored).double().mean())
        told.append(f"{share:.0%} of the targets are {places.ignored}, which counts as no label")
    return told


def _is_one_hot(targets: Tensor) -> bool:
    """Whether each row of [rows, classes] holds a single 1 among zeros."""
    return bool(((targets == 0) | (targets == 1)).all() and (targets.sum(1) == 1).all())


def takes_whole(values: NDArray[np.float64]) -> bool:
    """True when every value is a whole number."""
    return bool((values == np.round(values)).all())


def _width(answer: Tensor, rows: int) -> int:
    if answer.ndim == 0 or len(answer) != rows or answer.ndim > 2:
        raise UserError(
            f"the network must answer one row for each row of the batch ({rows}), however an answer of shape "
            f"{tuple(answer.shape)} came"
        )
    return int(answer.shape[1]) if answer.ndim == 2 else 0


def _is_classification(loss: Any, metric: Any, whole: bool, width: int, values: NDArray[np.float64]) -> bool:
    if isinstance(metric, str):
        key = metric.casefold().replace("-", "_").replace(" ", "_")
        known = next((each for each in METRICS if each.name == key), None)
        if known is not None:
            return known.answers is Answers.CLASSES
    said = is_for_classes(loss_of(loss, whole)) if loss is not None else None
    if said is not None:
        return said
    if width > 1:
        return True
    return whole and set(np.unique(values)) <= {0.0, 1.0}


def _in_range(values: NDArray[np.float64], width: int) -> None:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= width:
        hint = "; labels that begin at 1 need target - 1" if low == 1 and high == width else ""
        raise UserError(
            f"labels must lie in 0..{width - 1}, since the network answers {width} classes, however labels from {low} to "
            f"{high} came{hint}"
        )


def _classes(
    width: int, targets: Tensor, values: Reals, one_hot: bool, sets: Sequence[Given | None]
) -> tuple[Form, Reals, tuple[str, ...]]:
    count = max(width, 2)
    if len(np.unique(values)) < 2:
        raise UserError(f"at least two classes are needed, however every label is {values[0]:g}")
    names = tuple(str(code) for code in range(count))
    said = getattr(sets[0].dataset, "classes", None) if sets[0] else None
    if isinstance(said, (list, tuple)) and len(said) == count and len(set(map(str, said))) == count:
        names = tuple(map(str, said))
    kind = TaskKind.BINARY if count == 2 else TaskKind.MULTICLASS
    form = Form(kind, Says.LOGITS, width, count, targets.dtype, tuple(targets.shape[1:]), one_hot)
    return form, np.asarray(values, dtype=np.float64), names


def _check_loss(
    loss: Any,
    step: Any,
    network: nn.Module,
    example: tuple[Any, ...],
    shape: Shape,
    leaves: Sequence[Tensor],
    target: Tensor,
) -> None:
    """Run the loss once. Raises UserError when it does not fit what the network answers."""
    device = next((each.device for each in network.parameters()), torch.device("cpu"))
    network.train()
    moved = [each.to(device) for each in leaves]
    try:
        if step is not None:
            value = step(network, shape.batch(moved, target.to(device)))
        else:
            value = loss(network(*shape.inputs(moved)), target.to(device))
    except Exception as error:  # the user's own code runs here
        told = " ".join(str(error).split())
        if step is not None:
            raise UserError(f"step(network, batch) failed ({type(error).__name__}: {told})") from error
        with torch.no_grad():
            answer = tensor_of(network.eval()(*shape.inputs(moved)))
        hint = ""
        if answer.ndim > 2 and tuple(answer.shape[:-1]) == tuple(target.shape) and takes_codes(loss):
            hint = "; torch's own wants the classes second: loss=lambda answer, target: loss(answer.movedim(-1, 1), target)"
        raise UserError(
            f"the loss {name_of_loss(loss)} does not fit an answer of shape {tuple(answer.shape)} ({answer.dtype}) and a target "
            f"of shape {tuple(target.shape)} ({target.dtype}): {told}{hint}"
        ) from error
    what = "step" if step is not None else f"the loss {name_of_loss(loss)}"
    if not isinstance(value, Tensor) or value.numel() != 1:
        came = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise UserError(f"{what} must answer one number for the whole batch, however {came} came")
    if not value.requires_grad:
        raise UserError(f"{what} must depend on the network's parameters, however its value needs no gradient")


def _metric(said: Any, kind: TaskKind) -> Metric:
    if said is None:
        return ACCURACY if kind.is_classification else RMSE
    if isinstance(said, str):
        return metric_named(said, kind.is_classification)
    if isinstance(said, Metric):
        return said
    if isinstance(said, (tuple, list)) and len(said) == 2 and callable(said[0]) and said[1] in {"higher", "lower"}:
        function = said[0]

        def score(target: Reals, predictions: Predictions, weights: Reals | None) -> float:
            return float(function(target, predictions))

        name = str(getattr(function, "__name__", "metric"))
        answers = Answers.CLASSES if kind.is_classification else Answers.NUMBERS
        return Metric(name, name.replace("_", " "), said[1] == "higher", answers, score)
    raise UserError(
        'metric must be a name, or (function of (targets, predictions), "higher" or "lower") which says what is better, '
        f"however {type(said).__name__} came"
    )


# --- parts ------------------------------------------------------------------------------------------------------------


def _parts(
    kind: TaskKind,
    values: Reals,
    classes: tuple[str, ...],
    lengths: Sequence[int],
    resplit: bool,
    seed: int,
    notes: list[str],
) -> Parts:
    trained, validated, tested = lengths
    train = np.arange(trained, dtype=np.int64)
    valid: Rows = np.arange(trained, trained + validated, dtype=np.int64)
    if tested:
        sealed: Rows = np.arange(trained + validated, trained + validated + tested, dtype=np.int64)
        fit = train
    else:
        sealed = sealed_rows(values[:trained], kind, None, _SEALED, seed)
        fit = np.setdiff1d(train, sealed)
        notes.append(
            f"{len(sealed):,} of the {trained:,} rows of train are set aside, to be read once at the end; test=... gives your own"
        )
    if len(fit) < LEAST_ROWS:
        raise UserError(f"at least {LEAST_ROWS} rows are needed to train on, however {len(fit)} are left of train")
    if kind.is_classification:
        counts = np.bincount(values[fit].astype(np.int64), minlength=len(classes))
        rare = [f'"{classes[code]}" ({counts[code]})' for code in np.flatnonzero(counts < RARE_CLASS)]
        if int((counts > 0).sum()) < 2:
            raise UserError("the rows of train must have at least two classes, however one came")
        if rare and len(rare) <= len(classes) - 2:
            notes.append(
                f"classes with fewer than {RARE_CLASS} rows are trained on, hardly judged: {', '.join(rare[:8])}"
            )
    work = np.sort(np.concatenate([fit, valid]))
    fixed = valid if validated and not resplit else None
    if fixed is not None and not math.isclose(validated / len(work), 0.0):
        notes.append(
            f"recipes are judged on your {validated:,} validation rows alone; resplit=True pools them with train, which tells "
            "smaller differences"
        )
    return Parts(work, sealed, fixed, test_given=bool(tested))


def source_of(build: Any) -> str:
    """Where a build function is from: "my_project.py:build"."""
    try:
        place = Path(inspect.getsourcefile(build) or "").name
    except TypeError:
        place = ""
    name = str(getattr(build, "__qualname__", type(build).__name__))
    return f"{place or getattr(build, '__module__', '')}:{name}"


def name_of(build: Any) -> str:
    """What a task is called whose user gave it no name: as the function or class that builds its network."""
    name = str(getattr(build, "__name__", "network"))
    return "network" if name == "<lambda>" else name
