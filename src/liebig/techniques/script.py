"""What a technique says in plain PyTorch: lines for each place of a training script, which `recipes/script.py` puts together.

The script has fixed names: `network`, `optimizer`, `inputs` (a list of tensors, the first is x), `y`, `outputs`, `loss`, `step`
and `epoch` (0-based), `total_steps`, `steps_per_epoch`, `device`; after an evaluation also `valid_loss`, `score` and `answering`, the
network that was evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Script:
    """Lines by place, each place a tuple of lines without indentation of its own. `helpers` are whole functions or classes;
    `takes` what the user hands to the training beside the rows: names, and what each is.

    `loader` makes ``loader`` from
    ``train_set``; `prepare` runs on the network before the optimizer is made, `optimizer` makes it, `begin` runs before step 0; `rate` is
    the expression by which the first rate of each group is multiplied at a step. `answers` is the network to evaluate with,
    "" for `network` itself.
    """

    helpers: tuple[str, ...] = ()
    takes: tuple[tuple[str, str], ...] = ()
    loader: tuple[str, ...] = ()
    prepare: tuple[str, ...] = ()
    optimizer: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()
    rate: str = ""
    on_batch: tuple[str, ...] = ()
    loss: tuple[str, ...] = ()
    on_loss: tuple[str, ...] = ()
    on_gradients: tuple[str, ...] = ()
    after_step: tuple[str, ...] = ()
    after_epoch: tuple[str, ...] = ()
    after_evaluation: tuple[str, ...] = ()
    at_the_end: tuple[str, ...] = ()
    answers: str = ""


@dataclass(frozen=True, slots=True)
class ScriptGround:
    """What lines are written for, as `Ground` is for stages.

    `outputs` is the width of the network's answer (1: a number, or the logit of the second class). `matrices` are the names
    of the hidden weight matrices, `last_weights` and `last_biases` those of the answer's layer, `weights` those that decay
    acts on. `loss` is what the user's own loss is called in the script, `optimizer` the
    expression that makes the user's own optimizer (empty: nobody knows).
    `decays_everything`: the user's optimizer decays biases, too. `higher_is_better` belongs to the metric that is watched.
    """

    outputs: int
    is_classification: bool
    rows: int
    steps_per_epoch: int
    epochs: int
    class_shares: tuple[float, ...] = ()
    weights: tuple[str, ...] = ()
    matrices: tuple[str, ...] = ()
    last_weights: tuple[str, ...] = ()
    last_biases: tuple[str, ...] = ()
    decays_everything: bool = False
    higher_is_better: bool = False
    drops_last: bool = False
    loss: str = "user_loss"
    optimizer: str = ""

    @property
    def is_binary(self) -> bool:
        """One output for two classes."""
        return self.is_classification and self.outputs == 1


def together(scripts: tuple[Script, ...]) -> Script:
    """All lines of several techniques, place by place; the last `rate` and `answers` that are given hold."""
    joined: dict[str, object] = {}
    for each in fields(Script):
        values = [getattr(script, each.name) for script in scripts]
        if each.name in {"rate", "answers"}:
            joined[each.name] = next((value for value in reversed(values) if value), "")
        else:
            lines = tuple(line for value in values for line in value)
            joined[each.name] = tuple(dict.fromkeys(lines)) if each.name == "helpers" else lines
    return Script(**joined)  # type: ignore[arg-type]  # each field has its own type back


def loader_of(size: int, ground: ScriptGround, *options: str) -> str:
    """The line that makes the loader."""
    last = ("drop_last=True",) if ground.drops_last else ()
    return f"loader = torch.utils.data.DataLoader({', '.join(['train_set', f'batch_size={size}', *options, *last])})"


#: Weights and embeddings decay; biases and normalisations do not.
GROUPS = '''def groups(network, decay):
    """Weight decay acts on weights and embeddings, not on biases and normalisations."""
    trained = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
'''


def torch_optimizer(
    name: str, rate: float, decay: float, ground: ScriptGround, settings: Mapping[str, object]
) -> Script:
    """The lines that make one of torch's optimizers. `settings` are its own arguments."""
    options = "".join(f", {key}={value!r}" for key, value in settings.items())
    if decay == 0.0 or ground.decays_everything:
        trained = "[p for p in network.parameters() if p.requires_grad]"
        made = f"torch.optim.{name}({trained}, lr={rate!r}, weight_decay={decay!r}{options})"
        return Script(optimizer=(f"optimizer = {made}",))
    return Script(
        helpers=(GROUPS,),
        optimizer=(f"optimizer = torch.optim.{name}(groups(network, {decay!r}), lr={rate!r}{options})",),
    )
