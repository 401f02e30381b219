"""Active probes of a run: the same experiments as on a user's own network, on a copy of one that the engine trained."""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch import Tensor

from liebig.core.arrays import Rows
from liebig.core.recipe import Recipe
from liebig.core.task import FULL, Block, Task
from liebig.stack.batch import Batch
from liebig.techniques.stage import OptimizerSettings
from liebig.train.active import ALL, ActiveProbe, Probed, Subject
from liebig.train.active.class_recall import ClassRecallProbe
from liebig.train.active.faster_settings import FasterSettingsProbe
from liebig.train.active.final_score import FinalScoreProbe
from liebig.train.active.input_scales import InputScalesProbe
from liebig.train.active.rows import Rows as ReadRows
from liebig.train.active.running import SECONDS, run_probes
from liebig.train.as_module import RecipeNetwork, optimizer_of, state_with
from liebig.train.encoding import Encoder, Encoding, Feed
from liebig.train.fitted import Fitted
from liebig.train.loop import Population, Watching
from liebig.train.options import TrainOptions
from liebig.train.plan import plans
from liebig.train.tables import TABLES
from liebig.train.training import machine_for

#: What a run has measured itself, on all its rows; and what the engine chooses for itself.
_KNOWN: Final[tuple[type[ActiveProbe], ...]] = (
    FinalScoreProbe,
    ClassRecallProbe,
    InputScalesProbe,
    FasterSettingsProbe,
)
_MOST_ROWS: Final = 2_048
_PARTS: Final = ("dense", "numbers", "codes")


def probe_run(
    task: Task[Any],
    recipe: Recipe,
    block: Block,
    fitted: Fitted | None,
    *,
    seconds: float | None = None,
    encoding: Encoding = TABLES,
) -> Probed:
    """Run the active probes on the network that `recipe` gave in `block`, within `seconds` (6 where none are given).

    `fitted` is the trained model, None where training broke: then the network of now has no finite weights. Of several
    networks that answer together the first is probed. Rows are those of the block: trained on fit (and stop), evaluated on
    select.
    """

    def encoder_for(each: Recipe, wants: Any, rows: Rows) -> Encoder:
        return encoding.fit_encoder(task, each.inputs, rows, wants)

    plan = plans(task, [recipe], [block], FULL, encoder_for)[0]
    plan = plan.taking(plan.members[:1])
    (member,) = plan.members
    machine = machine_for(plan, task, TrainOptions(precision="float32"))
    feed = encoding.feed(task, [member.course.encoder], machine.device, machine.dtype)
    population = Population(task, plan, feed, machine, Watching(lambda event: None, None, False))
    stack = population.stack
    train = _read(task, feed, member.course.rows, machine.device)
    valid = _read(task, feed, member.course.select, machine.device)
    network = RecipeNetwork(
        stack, _parts_in(feed.judging(_one(member.course.rows, machine.device))), task.kind.is_classification
    )
    initial = {name: value.detach().clone() for name, value in network.state_dict().items()}
    settings = recipe.optimizer
    assert isinstance(settings, OptimizerSettings)
    optimizer = optimizer_of(network, settings, population.ground)
    network.load_state_dict(_present(network, fitted))
    network.eval()
    subject = Subject(
        model=network, optimizers=(optimizer,), loss=network.loss, train=train, valid=valid, initial=initial,
        evaluates_in_training=False, steps=plan.epochs * plan.steps_per_epoch, rate=settings.learning_rate,
        batch=min(population.batching.size, len(member.course.rows)), classes=task.classes,
    )  # fmt: skip
    chosen = [each for each in ALL if not isinstance(each, _KNOWN)]
    return run_probes(subject, chosen, SECONDS if seconds is None else seconds)


def _present(network: RecipeNetwork, fitted: Fitted | None) -> dict[str, Tensor]:
    """The state after training."""
    if fitted is None:
        return {name: torch.full_like(value, math.nan) for name, value in network.state_dict().items()}
    return state_with(network, fitted.weights[0], [each[0] for each in fitted.buffers])


def _one(rows: Rows, device: torch.device) -> Tensor:
    return torch.from_numpy(rows[:1])[None].to(device)


def _parts_in(batch: Batch) -> tuple[str, ...]:
    return tuple(name for name in _PARTS if getattr(batch, name) is not None)


def _read(task: Task[Any], feed: Feed, rows: Rows, device: torch.device) -> ReadRows | None:
    """A sample of `rows` as the network reads them, with their targets; None where there are none."""
    total = len(rows)
    if not total:
        return None
    if total > _MOST_ROWS:
        drawn = torch.randperm(total, generator=torch.Generator().manual_seed(0))[:_MOST_ROWS].sort().values
        rows = rows[drawn.numpy()]
    batch = feed.judging(torch.from_numpy(rows)[None].to(device))
    target = batch.target[0]
    # Two classes have one answer, and so has a number.
    target = target.long() if task.kind.is_classification else target
    target = target if task.outputs > 1 else target[:, None]
    values = tuple(getattr(batch, name)[0] for name in _parts_in(batch))
    numbers = getattr(task.data, "file_rows", None)
    told = rows if numbers is None else numbers[rows]
    return ReadRows(len(rows), total, (*values, target), (), tuple(int(each) for each in told))
