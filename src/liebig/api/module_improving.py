"""`improve` for a user's own network: the same climb, from the recipe that does what the user does."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import time as clocks
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import keystr, tree_flatten_with_path, tree_unflatten

from liebig.api import environment
from liebig.api.module_model import ModuleModel, loaded, module_model
from liebig.api.options import DEFAULT_BUDGET, seconds_of
from liebig.api.study import StudyOnDisk, end, sealed_score, undone_when_refused
from liebig.coach.finals import refit_deadline
from liebig.coach.loop import Handed
from liebig.coach.loop import improve as climb
from liebig.coach.module_advising import ModuleAdvisor
from liebig.coach.training import TrainingRunner
from liebig.core.errors import UserError
from liebig.core.event import Listener, Stage, StudyBegan, silent
from liebig.core.recipe import Recipe
from liebig.core.study import Began, Explained, Machine, Study, TrainedAgain
from liebig.core.task import TaskKind
from liebig.data.module.form import Says
from liebig.data.module.items import Shape
from liebig.data.module.task import ModuleTask, resealed
from liebig.data.module.users import Given as UsersGiven
from liebig.hardware.threads import Threads
from liebig.nets.surgery import anatomy_of, operated
from liebig.nets.user_module import UserModule
from liebig.recipes.script import Names, script_ground, training_script
from liebig.store.ledger import StudyStore, next_free, read_study
from liebig.store.model import ModelFacts, load_model
from liebig.techniques.batches.feature_noise import FeatureNoise
from liebig.techniques.batches.mixup import Mixup
from liebig.techniques.script import ScriptGround
from liebig.techniques.stage import BatchingSettings, StoppingSettings
from liebig.train.fitted import Fitted
from liebig.train.modules import MODULES
from liebig.train.plan import user_network
from liebig.train.tune import LEAST_SECONDS, MOST_SECONDS, SHARE, tuned

_LONG = 1_800.0
_HASHED = 256


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModuleStudy(StudyOnDisk):
    """A study of a user's own network on disk."""

    found: ModuleTask

    @property
    def best(self) -> ModuleModel:
        """The network that is handed over. Raises UserError while there is none."""
        return loaded(load_model(self.path / "model"), self.found.users.build)

    def _places(self) -> str:
        script = self.path / "train.py"
        lines = [f"model   {self.path / 'model'}", f"report  {self.path / 'report.html'}"]
        return "\n".join([*lines, f"script  {script}"] if script.exists() else lines)


def improve_module(
    found: ModuleTask,
    budget: str | float | None = None,
    *,
    study: str | Path | None = None,
    resume: str | Path | bool | None = None,
    begin_from: str | Path | None = None,
    trials: int | None = None,
    refit: str = "none",
    memory: int | None = None,
    on_event: Listener = silent,
    elapsed: float = 0.0,
) -> ModuleStudy:
    """Find what limits the user's network, lift it, and prove that it helped. Arguments as of `improve`.

    Raises UserError, one sentence, for whatever cannot be done; then nothing is written.
    """
    start = clocks.monotonic() - elapsed
    going_on = study if resume is True else resume
    if going_on:
        return _resume(Path(str(going_on)), found, budget, refit, memory, on_event, start)
    first: Recipe | None = None
    if begin_from is not None:
        found, first = _begun_from(Path(begin_from), found)
    seconds = math.inf if trials is not None and budget is None else seconds_of(budget or DEFAULT_BUDGET)
    path = Path(study) if study is not None else next_free(Path(f"{found.task.name}-study"))
    with StudyStore.create(path) as store:
        store.append(_began(found, seconds, trials, begin_from))
        return _run(_Asked(store, found, first, refit, is_new=True), memory, on_event, start)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A study that is to be run: new, or gone on with. `first` replaces what the user does as its first rung."""

    store: StudyStore
    found: ModuleTask
    first: Recipe | None
    refit: str
    is_new: bool


def closed_study(path: Path) -> Study:
    """The study that a new one begins from. Raises UserError while its seal is not opened."""
    closed = read_study(path)
    if not closed.is_closed:
        raise UserError(f"the study {path} is not finished: `liebig improve --resume {path}` goes on with it")
    return closed


def _begun_from(path: Path, found: ModuleTask) -> tuple[ModuleTask, Recipe]:
    """The task with rows sealed that the closed study did not read, and that study's winner."""
    closed = closed_study(path)
    assert closed.sealed is not None
    winner = closed.recipes[closed.sealed.handed_over].recipe
    if not isinstance(winner.network, UserModule):
        raise UserError(f"the study {path} is about a table: a network of your own cannot begin from its winner")
    before, now = closed.began.options, identity_of(found)
    differing = _differing({**now, **{name: before.get(name, "") for name in _LASTING}}, now)
    if differing:
        raise UserError(f"a new study cannot begin from the winner of {path}: {differing}")
    seed = found.task.seed if found.task.seed != closed.began.seed else found.task.seed + 1
    if not found.task.parts.test_given:
        return resealed(found, seed), winner
    read = f"your test set was read by {path} already: its score is no longer that of rows never seen"
    return replace(found, notes=(*found.notes, read)), winner


def _resume(
    path: Path,
    found: ModuleTask,
    budget: str | float | None,
    refit: str,
    memory: int | None,
    on_event: Listener,
    start: float,
) -> ModuleStudy:
    with StudyStore.open(path) as store:
        began = store.study.began
        if store.study.is_closed:
            raise UserError(f"the study {path} is closed: its sealed part was read; begin a new one")
        if _BEGUN_FROM in began.options and not found.task.parts.test_given:
            found = resealed(found, began.seed)
        differing = _differing(began.options, identity_of(found))
        if differing:
            raise UserError(f"the study {path} cannot go on: {differing}")
        done = store.study.entries[-1].at
        if budget is not None:
            store.append(replace(began, at=done, budget=done + seconds_of(budget)))
        baseline = store.study.baseline
        first = store.study.recipes[baseline].recipe if baseline else None
        if first is None and _BEGUN_FROM in began.options:
            _, first = _begun_from(Path(began.options[_BEGUN_FROM]), found)
        return _run(_Asked(store, found, first, refit, is_new=False), memory, on_event, start - done)


def _run(asked: _Asked, memory: int | None, on_event: Listener, start: float) -> ModuleStudy:
    store, found = asked.store, asked.found

    def clock() -> float:
        return clocks.monotonic() - start

    on_event(_beginning(found, store.study.began))
    with Threads() as threads:
        runner = TrainingRunner(
            found, seed=found.task.seed, memory=memory, clock=clock, listener=on_event,
            threads=threads if store.study.began.trials is None else None, encoding=MODULES,
            refits=lambda: asked.refit == "all", keeps_answers=False,
        )  # fmt: skip
        settings = None
        if store.study.began.trials is None:  # else nothing may depend on what is faster at this moment
            on_event(Stage("timing settings of this machine", clock()))
            threads.choose()
            first = asked.first or found.baseline
            seconds = min(MOST_SECONDS, max(LEAST_SECONDS, SHARE * store.study.began.budget))
            settings = tuned(found.task, first, runner.blocks[0], MODULES, seconds=seconds)
        advisor = ModuleAdvisor(found, runner, baseline=asked.first, settings=settings)
        with undone_when_refused(store, asked.is_new):
            handed = climb(store, runner, advisor, clock, on_event)
    on_event(Stage("writing the model and the report", clock()))
    if isinstance(handed.model, Fitted):
        _hand_over(asked, runner, handed, handed.model, clock)
    if runner.trainer.paths.found.paths:
        store.append(Explained(clock(), handed.study.baseline or "", runner.trainer.paths.found))
    end(store, handed, runner, clock)
    done = ModuleStudy(store.path, store.study, found)
    done.report()
    return done


def _hand_over(
    asked: _Asked, runner: TrainingRunner, handed: Handed, fitted: Fitted, clock: Callable[[], float]
) -> None:
    """Save the network, trained on all rows where that was asked for, and the script that trains it."""
    store, found = asked.store, asked.found
    task = found.task
    rows = len(task.parts.work)
    if asked.refit == "all":
        again = runner.finals.refit(fitted, refit_deadline(handed.study.began.ends_at))
        in_time = again is not fitted
        fitted, rows = again, rows + (len(task.parts.sealed) if in_time else 0)
        store.append(Explained(clock(), fitted.recipe.digest, TrainedAgain(rows, len(task.parts.sealed), in_time)))
    score = sealed_score(handed.study)
    facts = ModelFacts(
        name=task.name, target=task.target_name, kind=task.kind, classes=task.classes, metric=task.metric.name,
        higher_is_better=task.metric.higher_is_better, columns=(), version=environment.versions()["liebig"],
        written=datetime.now(UTC).isoformat(timespec="seconds"), score=score, score_rows=len(task.parts.sealed),
        rows=rows, notes=found.notes,
    )  # fmt: skip
    module_model(fitted, facts).save(store.path / "model")
    try:
        script = script_of(found, fitted.recipe)
    except UserError as error:
        script = f'"""There is no plain script: {error}."""\n'
    (store.path / "train.py").write_text(script, encoding="utf-8")


def script_of(found: ModuleTask, recipe: Recipe, seed: int = 0) -> str:
    """Plain PyTorch that trains `recipe` without Liebig. Raises UserError where a part of it has no plain lines."""
    users, task = found.users, found.task
    network = user_network(recipe)
    assert isinstance(recipe.batching, BatchingSettings)
    assert isinstance(recipe.stopping, StoppingSettings)
    if users.step is not None and not _import_of(users.step):
        raise UserError(
            "step(network, batch) describes the training, and a script can only import it where it is a function at the top of "
            "a file"
        )
    if users.step is not None and any(isinstance(each, (Mixup, FeatureNoise)) for each in recipe.techniques):
        raise UserError("what is done to a batch before step(network, batch) has no plain lines")
    surgery = operated(network.record, network.materials_for(users, None), seed)
    rows = len(task.parts.work)
    shares: tuple[float, ...] = ()
    if task.kind.is_classification:
        counts = np.bincount(task.target[task.parts.work].astype(np.int64), minlength=len(task.classes))
        shares = tuple(float(each) for each in counts / counts.sum())
    one = task.kind is TaskKind.BINARY and users.form.width <= 1
    around = ScriptGround(
        1 if one or not task.kind.is_classification else len(task.classes), task.kind.is_classification, rows,
        -(-rows // recipe.batching.size), recipe.stopping.epochs, shares, decays_everything=network.decays_everything,
        higher_is_better=task.metric.higher_is_better, drops_last=bool(getattr(recipe.inputs, "drop_last", False)),
        optimizer=_optimizer_of(users.given),
    )  # fmt: skip
    ground = script_ground(surgery.network, anatomy_of(surgery.network, users.example), around)
    file = _file_of(users.build)
    says = "probabilities" if users.form.says is Says.PROBABILITIES else "logits"
    names = Names(
        build=_import_of(users.build) or "my_project:build", loss=_import_of(users.loss) if recipe.objective.kind == "users-loss" else "",
        metric=task.metric.name, says=says, one_hot=users.form.one_hot, path=str(file.parent) if file else "",
        step=_import_of(users.step) if users.step is not None else "", parting=parting_of(users.shape),
        optimizer=_import_of(_class_of(users.given.optimizer)) if recipe.optimizer.kind == "users-optimizer" else "",
        places=users.form.places, class_dim=users.form.class_dim,
    )  # fmt: skip
    return training_script(recipe, ground, surgery, names, seed)


def _class_of(given: Any) -> object:
    """What makes the user's optimizer: a class or a function."""
    if isinstance(given, (tuple, list)):
        return given[0]
    return type(given) if isinstance(given, torch.optim.Optimizer) else given


def _optimizer_of(given: UsersGiven) -> str:
    """The expression that makes the user's own optimizer in a script; empty for what cannot be imported."""
    if not _import_of(_class_of(given.optimizer)):
        return ""
    settings: Mapping[str, object] = given.optimizer[1] if isinstance(given.optimizer, (tuple, list)) else {}
    if isinstance(given.optimizer, torch.optim.Optimizer):
        settings = {name: given.optimizer.param_groups[0][name] for name in given.optimizer.defaults}
    what = "network" if given.takes == "network" else "[p for p in network.parameters() if p.requires_grad]"
    return f"user_optimizer({', '.join([what, *(f'{name}={value!r}' for name, value in settings.items())])})"


def parting_of(shape: Shape) -> str:
    """The expression that makes (inputs..., target) of a `batch` of this shape; empty where it is that already."""
    if shape.is_plain:
        return ""
    places = tree_flatten_with_path(tree_unflatten(list(range(shape.whole.num_leaves)), shape.whole))[0]
    reads = [f"batch{keystr(path)}" for path, _ in places]
    target = reads.pop(shape.target_at)
    inputs = tree_unflatten([reads[place] for place in shape.picks], shape.spec)
    if shape.blank is not None:
        inputs = ({**inputs[0], shape.blank[0]: f"torch.zeros_like({target})"},)
    return f"({', '.join([*map(_written, inputs), target])})"


def _written(value: Any) -> str:
    """A structure of expressions as one expression."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(_written, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)"
    return str(value)


def _import_of(value: object) -> str:
    """ "my_project:name" of a function or class at the top of a file; empty for what cannot be imported."""
    if isinstance(value, type) and value.__module__.startswith("torch."):
        return f"{value.__module__}:{value.__name__}"
    file, name = _file_of(value), str(getattr(value, "__qualname__", ""))
    return f"{file.stem}:{name}" if file and name.isidentifier() else ""


def _file_of(build: object) -> Path | None:
    try:
        file = inspect.getsourcefile(build)  # type: ignore[arg-type]  # whatever has a source
    except TypeError:
        return None
    return Path(file) if file else None


# --- the ledger's beginning -------------------------------------------------------------------------------------------


def identity_of(found: ModuleTask) -> dict[str, str]:
    """What must be the same when a study goes on: where the network is from, its source, its parameters, the data."""
    users = found.users
    network = users.build()
    shapes = [f"{name} {tuple(each.shape)}" for name, each in network.named_parameters()]
    recipe = found.baseline
    return {
        "source": users.source,
        "code": _digest(_code_of(users.build).encode()),
        "class": f"{type(network).__module__}.{type(network).__qualname__} {_digest(_code_of(type(network)).encode())}",
        "parameters": json.dumps(shapes),
        "lengths": json.dumps(found.lengths),
        "rows": _rows_digest(found),
        "baseline": recipe.digest,
        "metric": found.task.metric.name,
        "resplit": json.dumps(found.resplit),
        "seed": json.dumps(found.task.seed),
    }


_TOLD: Mapping[str, str] = {
    "source": "the network is made by {now}, however it was {then}",
    "code": "the source of build is not what it was",
    "class": "the source of the network's class is not what it was",
    "parameters": "the network's parameters are not what they were",
    "lengths": "the data sets have {now} rows (train, valid, test), however they had {then}",
    "rows": "the rows of the data are not what they were",
    "baseline": "the training (loss, optimizer, batch size, epochs) is not what it was",
    "metric": "the metric is {now}, however it was {then}",
    "resplit": "resplit is {now}, however it was {then}",
    "seed": "the seed is {now}, however it was {then}",
}


#: What must agree for a study to begin from another's winner.
_LASTING = ("parameters", "metric")
_BEGUN_FROM = "begun from"


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """The first thing that no longer agrees, in words; empty when all does."""
    for name, text in _TOLD.items():
        if before.get(name) != now[name]:
            return text.format(now=now[name], then=before.get(name, "another"))
    return ""


def _code_of(value: object) -> str:
    try:
        return inspect.getsource(value)  # type: ignore[arg-type]  # whatever has a source
    except (OSError, TypeError):
        return str(getattr(value, "__qualname__", ""))


def _rows_digest(found: ModuleTask) -> str:
    """A digest of (at most) 256 rows as they are judged, and of all targets."""
    items = found.users.judged if found.users.whole else None
    placed = found.users.placed
    target = found.task.target if placed is None else placed.numpy()
    whole = hashlib.sha256(np.ascontiguousarray(target).tobytes())
    if items is not None:
        for number in range(len(items.parts)):
            start, end = items.starts[number], items.starts[number + 1]
            rows = torch.from_numpy(
                np.unique(np.linspace(start, end - 1, _HASHED // len(items.parts)).astype(np.int64))
            )
            for leaf in items.batch(rows)[0]:
                whole.update(leaf.detach().cpu().contiguous().numpy().tobytes())
    return whole.hexdigest()[:32]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _began(found: ModuleTask, budget: float, trials: int | None, begin_from: str | Path | None) -> Began:
    task, identity = found.task, identity_of(found)
    given = identity if begin_from is None else {**identity, _BEGUN_FROM: str(Path(begin_from).resolve())}
    return Began(
        at=0.0, name=task.name, source="", options=given, fingerprint=_digest(json.dumps(identity).encode()),
        kind=task.kind, target=task.target_name, classes=task.classes, metric=task.metric.name,
        higher_is_better=task.metric.higher_is_better, rows=task.rows, sealed_rows=len(task.parts.sealed),
        work_rows=len(task.parts.work), columns=0, test_given=task.parts.test_given, seed=task.seed, budget=budget,
        trials=trials, looks="B" if budget > _LONG and math.isfinite(budget) else "A", machine=_machine(found),
        notes=(*found.notes, *_mapped(found)),
    )  # fmt: skip


def _mapped(found: ModuleTask) -> tuple[str, ...]:
    """What of the user's own is called as it is."""
    own = [each.kind for each in (found.baseline.objective, found.baseline.optimizer) if each.kind.startswith("users-")]
    return tuple(f"the {each.removeprefix('users-')} is your own function, called as it is" for each in own)


def _machine(found: ModuleTask) -> Machine:
    device = found.users.device
    return Machine(
        system=environment.system(), processor=environment.processor(), cores=environment.cores(),
        memory_gib=environment.memory_gib(),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type, precision="float32",
        precision_gain=1.0, versions=environment.versions(),
    )  # fmt: skip


def _beginning(found: ModuleTask, began: Began) -> StudyBegan:
    """The first lines of the screen."""
    task = found.task
    record = found.baseline.network
    assert isinstance(record, UserModule)
    parameters = sum(each.numel() for each in found.users.build().parameters())
    places = found.users.form.places
    kind = f"{len(task.classes)} classes" if task.classes else "a number"
    if places is not None:
        kind = f"{places.count:,} targets a row, each {kind if task.classes else 'a number'}"
    sealed = f"{began.sealed_rows:,} rows" + (" (your test set)" if began.test_given else " set aside from train")
    cores = f"{began.machine.cores} core" + ("s" if began.machine.cores > 1 else "")
    return StudyBegan(
        name=began.name, summary=f"{record.source}   {parameters:,} parameters, {task.rows:,} rows, {kind}",
        metric=task.metric.title, machine=f"{cores}, {began.machine.device}, float32", sealed=sealed, notes=began.notes,
    )  # fmt: skip
