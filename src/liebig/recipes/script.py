"""A recipe for a network of one's own as a complete training script in plain PyTorch, with no Liebig in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from textwrap import indent
from typing import Final

from torch import nn

from liebig.core.errors import UserError
from liebig.core.evidence import Anatomy
from liebig.core.places import Placed, Places
from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.nets.surgery import Operated, specs_of
from liebig.stack.flat import DECAYED
from liebig.stack.specs import Role
from liebig.techniques.compute.auto import Compute
from liebig.techniques.script import Script, ScriptGround, together
from liebig.techniques.stage import (
    BatchingSettings,
    ObjectiveSettings,
    OptimizerSettings,
    ScheduleSettings,
    StoppingSettings,
    Technique,
)
from liebig.techniques.targets.transform import TargetTransform, WrittenTarget

_SCORES: Final = ("accuracy", "rmse")


@dataclass(frozen=True, slots=True)
class Names:
    """What the script imports, each as "module:name" ("" where nobody knows, and the script leaves a place for it).

    `metric` is what is watched (accuracy and rmse are computed, of others the loss takes the place). `says` is what the
    network's answers mean where they are no logits: "probabilities". `step`, where given, is the user's own function of the
    network and a batch, which gives the loss; `optimizer` the one that makes an optimizer. `parting` is the expression that makes (inputs..., target) of a `batch` that is
    something else. `autocast` and `channels_last` are the compute settings of the recipe. `places` are those of a target that is several
    for a row, with the classes in dimension `class_dim` of an answer.
    """

    build: str
    train: str = ""
    valid: str = ""
    loss: str = ""
    metric: str = "accuracy"
    says: str = "logits"
    one_hot: bool = False
    path: str = ""
    step: str = ""
    optimizer: str = ""
    parting: str = ""
    autocast: bool = False
    channels_last: bool = False
    places: Places | None = None
    class_dim: int = -1


def script_ground(network: nn.Module, anatomy: Anatomy, around: ScriptGround) -> ScriptGround:
    """`around` with the names of `network`'s parameters, as the engine sees them."""
    specs = specs_of(network, anatomy)
    return replace(
        around,
        weights=tuple(spec.name for spec in specs if spec.role in DECAYED),
        matrices=tuple(s.name for s in specs if s.role is Role.WEIGHT and len(s.shape) == 2 and not s.is_last),
        last_weights=tuple(spec.name for spec in specs if spec.is_last and spec.role is Role.WEIGHT),
        last_biases=tuple(spec.name for spec in specs if spec.is_last and spec.role is Role.BIAS),
    )


def training_script(recipe: Recipe, ground: ScriptGround, surgery: Operated, names: Names, seed: int = 0) -> str:
    """The whole script: it defines ``train(train_set, valid_set)``, which gives back the trained network.

    `surgery` is the network of the recipe with the lines that its edits are; `seed` what it was built from. Raises UserError
    when a part of the recipe has no plain script.
    """
    if isinstance(recipe.compute, Compute):
        compute = recipe.compute
        names = replace(
            names, autocast=compute.precision == "bfloat16", channels_last=compute.layout == "channels-last"
        )
    parts = {slot: _written(slot, record, ground) for slot, record in _trained(recipe)}
    whole = together(tuple(parts.values()))
    transform = getattr(recipe.inputs, "target", None)
    target = transform.as_script() if isinstance(transform, TargetTransform) else None
    accumulates = recipe.batching.accumulates if isinstance(recipe.batching, BatchingSettings) else 1
    helpers = _helpers(whole, surgery, target, ground, names, accumulates)
    body = [*_network(surgery, whole, names), *_loop(whole, ground, target, names, accumulates)]
    taken = "".join(["*, ", *(f"{name}, " for name, _ in whole.takes)]) if whole.takes else ""
    text = "\n\n".join(
        [
            _head(recipe, names),
            *(helper.strip("\n") + "\n" for helper in helpers),
            f'def train(train_set, valid_set=None, {taken}device="cpu", seed={seed}):\n'
            '    """Train a fresh network on rows (inputs..., target) and give it back."""\n'
            + indent("\n".join(body), "    ")
            + "\n",
            _main(names, whole.takes),
        ]
    )
    compile(text, "<the script>", "exec")
    return text


def _trained(recipe: Recipe) -> Iterable[tuple[str, Settings]]:
    for slot, record in recipe.slots():
        if slot not in {"inputs", "network", "compute"}:
            yield slot, record


def _written(slot: str, record: Settings, ground: ScriptGround) -> Script:
    kinds = (BatchingSettings, ObjectiveSettings, OptimizerSettings, ScheduleSettings, StoppingSettings, Technique)
    found = record.as_script(ground) if isinstance(record, kinds) else None
    if found is None:
        raise UserError(
            f"{slot} {record.kind} has no lines of plain PyTorch, so that this recipe cannot be written as a script"
        )
    return found


def _head(recipe: Recipe, names: Names) -> str:
    source, _, name = names.build.partition(":")
    path = [f"sys.path.insert(0, {names.path!r})"] if names.path else []
    imports = ["import copy", "import math", "import random", *(["import sys"] if path else []),
               "from collections import OrderedDict"]  # fmt: skip
    libraries = ["import numpy as np", "import torch", "import torch.fx", "from torch import nn",
                 "from torch.nn import functional"]  # fmt: skip
    own = [f"from {source} import {name or 'build'} as build"]
    if names.loss:
        module, _, function = names.loss.partition(":")
        own.append(f"from {module} import {function} as user_loss")
    for value, alias in ((names.step, "user_step"), (names.optimizer, "user_optimizer")):
        if value:
            module, _, function = value.partition(":")
            own.append(f"from {module} import {function} as {alias}")
    edits = getattr(recipe.network, "edits", ())
    changed = (
        f" Changed beside what it builds: {', '.join(each.kind.replace('-', ' ') for each in edits)}." if edits else ""
    )
    title = f'"""Trains the network of {names.build} in plain PyTorch.{changed}"""'
    return "\n".join([title, "", *imports, "", *libraries, "", *path, *own, ""])


def _helpers(
    whole: Script, surgery: Operated, target: WrittenTarget | None, ground: ScriptGround, names: Names, accumulates: int
) -> Sequence[str]:
    found = [_ROWS, *surgery.helpers.values(), *whole.helpers]
    if names.parting:
        found.append(_parted(names.parting))
    if names.step or names.parting:
        found.append(_MOVED)
    if names.says == "probabilities":
        found.append(_LOGITS)
    if accumulates > 1:
        found.append(_IN_GROUPS)
    if target is not None:
        found.append(_turned(target))
    if whole.after_evaluation:
        found.append(_evaluate(target, ground, names))
    return list(dict.fromkeys(found))


def _network(surgery: Operated, whole: Script, names: Names) -> list[str]:
    """The data, the network with its edits, and what is done to its weights."""
    lines = [
        "train_set, valid_set = as_rows(train_set), as_rows(valid_set)",
        *whole.loader,
    ]
    if any("example" in line or "first" in line for line in (*surgery.lines, *whole.prepare)):
        first = "next(iter(torch.utils.data.DataLoader(train_set, batch_size=loader.batch_size)))"
        lines += [f"first = {f'parted({first})' if names.parting else first}", "example = tuple(first[:-1])"]
    lines += ["random.seed(seed)", "np.random.seed(seed)", "torch.manual_seed(seed)", "network = build()"]
    if surgery.lines:
        lines += ["", "# what was changed of the network", *surgery.lines, ""]
    return [*lines, "network = network.to(device)", *whole.prepare]


def _loop(
    whole: Script, ground: ScriptGround, target: WrittenTarget | None, names: Names, accumulates: int
) -> list[str]:
    lines: list[str] = []
    row = "parted(row)" if names.parting else "row"
    if target is not None:
        lines += [
            f"targets = torch.stack([torch.as_tensor({row}[-1]).flatten()[0] for row in train_set]).double()",
            *target.fit,
        ]
    lines += [
        *whole.optimizer,
        "for group in optimizer.param_groups:",
        '    group["initial_lr"] = group["lr"]',
        *whole.begin,
        f"epochs, steps_per_epoch, step = {ground.epochs}, {_steps(accumulates)}, 0",
        *(
            ["total_steps = epochs * steps_per_epoch"]
            if any("total_steps" in line for line in (whole.rate, *whole.on_gradients))
            else []
        ),
        "for epoch in range(epochs):",
        "    network.train()",
        *_indented(_epoch(whole, target, names, accumulates)),
        *_indented(whole.after_epoch),
    ]
    answering = f"answering = {whole.answers or 'network'}"
    if whole.after_evaluation:
        constants = "".join(f", {each}" for each in _constants(target))
        evaluation = [answering, f"valid_loss, score = evaluate(answering, valid_set, device{constants})"]
        lines += _indented([*evaluation, *whole.after_evaluation])
    lines += [answering, *whole.at_the_end, "answering.eval()"]
    handed = "answering" if target is None else f"Turned(answering, {', '.join(_constants(target))})"
    return [*lines, f"return {handed}"]


def _steps(accumulates: int) -> str:
    return "len(loader)" if accumulates == 1 else f"math.ceil(len(loader) / {accumulates})"


def _epoch(whole: Script, target: WrittenTarget | None, names: Names, accumulates: int) -> list[str]:
    """The steps of one epoch."""
    rate = [
        "for group in optimizer.param_groups:",
        f'    group["lr"] = group["initial_lr"] * ({whole.rate})',
    ]
    forward = [
        _apart(names),
        *_target_lines(target, names),
        *whole.on_batch,
        *(_LAID_OUT if names.channels_last else ()),
        *_in_precision(["outputs = network(*inputs)"], names),
        *(["outputs = outputs.float()"] if names.autocast and not names.loss else []),
        *_answer_lines(names),
        *(_in_precision(whole.loss, names) if names.loss else whole.loss),
        *whole.on_loss,
    ]
    if names.step:
        forward = [*_in_precision(["loss = user_step(network, moved(batch, device))"], names), *whole.on_loss]
    count = "len(parted(batch)[-1])" if names.parting else "len(batch[-1])"
    update = [
        *whole.on_gradients,
        "optimizer.step()",
        "optimizer.zero_grad()",
        *whole.after_step,
        "step += 1",
    ]
    if accumulates == 1:
        return [
            "for batch in loader:",
            *_indented([*(rate if whole.rate else []), *forward, "loss.backward()", *update]),
        ]
    return [
        f"for batches in in_groups(loader, {accumulates}):",
        *_indented(rate if whole.rate else []),
        f"    rows = sum({count} for batch in batches)",
        "    for batch in batches:",
        *_indented(_indented([*forward, f"(loss * ({count} / rows)).backward()"])),
        *_indented(update),
    ]


def _in_precision(lines: Sequence[str], names: Names) -> list[str]:
    if not names.autocast:
        return list(lines)
    return ["with torch.autocast(torch.device(device).type, torch.bfloat16):", *_indented(lines)]


def _apart(names: Names) -> str:
    """The line that takes a batch apart."""
    if names.parting:
        return "*inputs, y = moved(parted(batch), device)"
    return "*inputs, y = (each.to(device) for each in batch)"


def _parted(expression: str) -> str:
    return f'''def parted(batch):
    """(inputs..., target) of a batch, or of a row."""
    return {expression}
'''


def _target_lines(target: WrittenTarget | None, names: Names) -> list[str]:
    if names.one_hot:
        return ["y = y.argmax(dim=-1)"]
    return ["y = y.float()", f"y = {target.to_model}"] if target is not None else []


def _answer_lines(names: Names) -> list[str]:
    if names.says != "probabilities":
        return []
    return ["outputs = to_logits(outputs)"]


def _constants(target: WrittenTarget | None) -> list[str]:
    """The names that the fit of a target defines and the way back reads."""
    if target is None:
        return []
    return [name for name in ("mean", "spread", "shift") if name in target.from_model]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" if line else "" for line in lines]


_LAID_OUT: Final = ("inputs = [x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x for x in inputs]",)

_ROWS: Final = '''def as_rows(data):
    """Tensors as a data set of their rows; a data set as it is."""
    whole = isinstance(data, (tuple, list)) and all(isinstance(each, torch.Tensor) for each in data)
    return torch.utils.data.TensorDataset(*data) if whole else data
'''

_MOVED: Final = '''def moved(value, device):
    """A batch on the device, whatever it is put together from."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {name: moved(each, device) for name, each in value.items()}
    return type(value)(moved(each, device) for each in value)
'''

_IN_GROUPS: Final = '''def in_groups(loader, size):
    """Several batches at a time, whose gradients make one step."""
    held = []
    for batch in loader:
        held.append(batch)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held
'''

_LOGITS: Final = '''def to_logits(outputs):
    """Logits from the probabilities that the network answers with."""
    values = outputs.clamp(1e-7, 1.0)
    if outputs.ndim > 1 and outputs.shape[-1] > 1:
        return values.log()
    return values.log() - torch.log1p(-values.clamp(max=1 - 1e-7))
'''


def _turned(target: WrittenTarget) -> str:
    names = _constants(target)
    held = "\n        ".join(f'self.register_buffer("{name}", torch.tensor({name}))' for name in names)
    back = target.from_model
    for name in names:
        back = back.replace(name, f"self.{name}")
    return f'''class Turned(nn.Module):
    """A network that learnt a transformed target, and answers in the target's own unit."""

    def __init__(self, network, {", ".join(names)}):
        super().__init__()
        self.network = network
        {held}

    def forward(self, *inputs):
        answers = self.network(*inputs)
        return {back}
'''


def _evaluate(target: WrittenTarget | None, ground: ScriptGround, names: Names) -> str:
    constants = "".join(f", {each}" for each in _constants(target))
    one_hot = "        y = y.argmax(dim=-1)\n" if names.one_hot else ""
    turned = "        outputs = to_logits(outputs)\n" if names.says == "probabilities" else ""
    counted = "len(y)"
    if names.places is not None:
        rows, counted = _evaluated_places(names.places, names)
        turned = ""
    elif ground.is_binary:
        rows = (
            "        logits = outputs.flatten()\n"
            "        loss += functional.binary_cross_entropy_with_logits(logits, y.float().flatten(), reduction='sum').item()\n"
            "        right += ((logits > 0) == (y.flatten() > 0.5)).sum().item()\n"
        )
    elif ground.is_classification:
        rows = (
            "        loss += functional.cross_entropy(outputs, y.long().flatten(), reduction='sum').item()\n"
            "        right += (outputs.argmax(dim=-1) == y.flatten()).sum().item()\n"
        )
    else:
        back = (
            f"        answers = outputs.flatten()\n        answers = {target.from_model}\n"
            if target
            else "        answers = outputs.flatten()\n"
        )
        rows = f"{back}        loss += (answers - y.float().flatten()).square().sum().item()\n"
    by_class = ground.is_classification if names.places is None else names.places.kind is not Placed.NUMBERS
    score = "right / count" if by_class else "math.sqrt(loss / count)"
    note = ""
    if names.metric not in _SCORES:
        sign = "-" if ground.higher_is_better else ""
        score, note = f"{sign}loss / count", f" ({names.metric} is not computed here: the loss takes its place)"
    count = "loss, right, count = 0.0, 0, 0" if by_class else "loss, count = 0.0, 0"
    return f'''@torch.no_grad()
def evaluate(network, data, device{constants}):
    """Mean loss and score of the network on other rows{note}."""
    if data is None:
        raise ValueError("this training chooses its weights by a validation set: give valid_set")
    network.eval()
    {count}
    for batch in torch.utils.data.DataLoader(data, batch_size=1024):
        {_apart(names)}
{one_hot}        outputs = network(*inputs)
{turned}{rows}        count += {counted}
    return loss / count, {score}
'''


def _evaluated_places(places: Places, names: Names) -> tuple[str, str]:
    """The lines that judge all places of a batch, and the expression that counts them."""
    if places.kind is Placed.NUMBERS:
        return "        loss += (outputs.reshape(y.shape) - y.float()).square().sum().item()\n", "y.numel()"
    if places.kind is Placed.BITS:
        turned = ".clamp(1e-7, 1 - 1e-7).logit()" if names.says == "probabilities" else ""
        return (
            f"        logits = outputs.reshape(y.shape){turned}\n"
            "        loss += functional.binary_cross_entropy_with_logits(logits, y.float(), reduction='sum').item()\n"
            "        right += ((logits > 0) == (y > 0.5)).sum().item()\n"
        ), "y.numel()"
    known = f"y != {places.ignored}" if places.ignored is not None else "torch.ones_like(y, dtype=torch.bool)"
    turned = ".clamp(min=1e-7).log()" if names.says == "probabilities" else ""
    return (
        f"        known = {known}\n"
        f"        logits = outputs.movedim({names.class_dim}, -1)[known]{turned}\n"
        "        loss += functional.cross_entropy(logits, y[known].long(), reduction='sum').item()\n"
        "        right += (logits.argmax(dim=-1) == y[known]).sum().item()\n"
    ), "int(known.sum())"


def _main(names: Names, takes: Sequence[tuple[str, str]]) -> str:
    def imported(source: str, name: str) -> str:
        module, _, there = source.partition(":")
        return f"    from {module} import {there} as {name}\n"

    known = (
        imported(names.train, "train_set")
        if names.train
        else (
            "    train_set = ...  # the rows that were given to Liebig: tensors (inputs..., target) or a data set of them\n"
        )
    )
    valid = imported(names.valid, "valid_set") if names.valid else "    valid_set = None\n"
    own = "".join(f"    {name} = ...  # {what}\n" for name, what in takes)
    handed = "".join(f", {name}={name}" for name, _ in takes)
    return (
        'if __name__ == "__main__":\n' + known + valid + own +
        f"    network = train(train_set, valid_set{handed})\n"
        '    torch.save(network.state_dict(), "network.pt")\n'
    )  # fmt: skip
