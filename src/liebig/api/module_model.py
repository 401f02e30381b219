"""What is handed over for a user's own network: an ordinary nn.Module, which can be saved and loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten, treespec_dumps, treespec_loads

from liebig.core.arrays import Predictions
from liebig.core.errors import UserError
from liebig.core.metric import predicted_classes
from liebig.core.places import Placed, Places
from liebig.core.recipe import Recipe
from liebig.core.task import TaskKind
from liebig.data.module.form import Form, Says
from liebig.data.module.inputs import ModuleInputs
from liebig.nets.foreign.patient import InputStatistics
from liebig.nets.surgery import Materials, SurgeryRefused, network_for
from liebig.nets.user_module import UserModule
from liebig.store.model import ModelFacts, Part, StoredModel, save_model
from liebig.techniques.objectives.answers import class_probabilities
from liebig.techniques.objectives.places import PlacesStage
from liebig.train.fitted import Fitted
from liebig.train.plan import user_network
from liebig.train.user_network import scaled_materials, state_of

_NETWORK: Final = "network"
_EXAMPLE: Final = "example"
_ROWS: Final = 1024
_STATISTICS: Final = ("mean", "spread", "low", "high")


@dataclass(frozen=True, slots=True, eq=False)
class Answering:
    """What predicting needs beside the network: the form of its answers, the target's transformation as it was fitted, and
    what a network with edits is built from again."""

    form: Form
    fitted: Mapping[str, float]
    spec: TreeSpec
    example: tuple[Tensor, ...]
    statistics: InputStatistics | None
    names: tuple[str, ...] = ()

    def arranged(self, inputs: Any) -> tuple[Any, ...]:
        """New inputs as the network takes them: entries of a dictionary by their names, or the dictionary whole, with zeros where
        training had the target. Raises UserError for an entry that is missing."""
        if not isinstance(inputs, Mapping):
            return inputs if isinstance(inputs, tuple) else (inputs,)
        missing = [each for each in self.names if each not in inputs]
        if missing:
            raise UserError(f"inputs must have an entry {missing[0]!r}, however {', '.join(map(str, inputs))} came")
        if self.names:
            return tuple(inputs[each] for each in self.names)
        example = tree_unflatten(list(self.example), self.spec)[0]
        rows = len(next(iter(inputs.values()))) if inputs else 0
        blank = {key: each[:1] for key, each in example.items() if key not in inputs} if _is_flat(example) else {}
        zeros = {key: torch.zeros_like(each).expand(rows, *each.shape[1:]) for key, each in blank.items()}
        return ({**inputs, **zeros},)


def _is_flat(example: Any) -> bool:
    return isinstance(example, Mapping) and all(isinstance(each, Tensor) for each in example.values())


class ModuleModel:
    """A trained network of the user's own. `module` is an ordinary nn.Module in evaluation mode, with a state dict."""

    def __init__(self, module: nn.Module, recipe: Recipe, facts: ModelFacts, answering: Answering) -> None:
        self.module, self.recipe, self.facts, self._answering = module, recipe, facts, answering

    @property
    def classes_(self) -> NDArray[np.str_]:
        """Names of the classes. Empty for numbers."""
        return np.array(self.facts.classes, dtype=np.str_)

    @torch.no_grad()
    def _answers(self, inputs: Any) -> Predictions:
        given = self._answering.arranged(inputs)
        leaves = [torch.as_tensor(each) for each in tree_flatten(given)[0]]
        leaves = [each.float() if each.dtype == torch.float64 else each for each in leaves]
        device = next((each.device for each in self.module.parameters()), torch.device("cpu"))
        spec = tree_flatten(given)[1]
        self.module.eval()
        found = []
        for start in range(0, len(leaves[0]), _ROWS):
            some = [each[start : start + _ROWS].to(device) for each in leaves]
            found.append(self._told(self._answering.form.canonical(self.module(*tree_unflatten(some, spec)))))
        whole = np.concatenate(found) if found else np.zeros(0, dtype=np.float32)
        if self.facts.kind is not TaskKind.REGRESSION or not isinstance(self.recipe.inputs, ModuleInputs):
            return whole
        turned = self.recipe.inputs.target.from_model(whole.astype(np.float64), self._answering.fitted)
        return np.asarray(turned, dtype=np.float32)

    def _told(self, outputs: Tensor) -> Predictions:
        """Probabilities or numbers of the answers to a batch; with several targets a row [B, *places] or [B, *places, classes]."""
        places = self._answering.form.places
        if places is None:
            told = (
                outputs[None].squeeze(-1)
                if not self.facts.kind.is_classification
                else class_probabilities(outputs[None])
            )
            return np.asarray(told[0].cpu().numpy(), dtype=np.float32)
        told = PlacesStage(places).predictions(outputs[None])[0]
        return np.asarray(told.reshape(len(told), *places.shape, *told.shape[2:]).cpu().numpy(), dtype=np.float32)

    def predict(self, inputs: Any) -> NDArray[np.int64] | Predictions:
        """The number of the most probable class of each row, or the number itself; [n], or [n, *places] where rows have several
        targets. `inputs` is what the network takes: a tensor or an array, a tuple or a dictionary of them."""
        answers = self._answers(inputs)
        places = self._answering.form.places
        if places is not None and places.kind is not Placed.NUMBERS:
            codes = answers.argmax(-1) if places.kind is Placed.CLASSES else answers > 0.5
            return np.asarray(codes, dtype=np.int64)
        return predicted_classes(answers) if self.facts.kind.is_classification else answers

    def predict_proba(self, inputs: Any) -> Predictions:
        """Probabilities [n, classes], or [n, *places, classes]. Raises UserError for a network of numbers."""
        places = self._answering.form.places
        of_classes = self.facts.kind.is_classification if places is None else places.kind is not Placed.NUMBERS
        if not of_classes:
            raise UserError("probabilities need classes, however the target is a number")
        answers = self._answers(inputs)
        if places is not None:
            return answers if places.kind is Placed.CLASSES else np.stack([1.0 - answers, answers], axis=-1)
        return np.stack([1.0 - answers, answers], axis=1) if self.facts.kind is TaskKind.BINARY else answers

    def save(self, path: str | Path) -> None:
        """Write a model directory: manifest, recipe, weights as safetensors. `liebig.load(path, build=build)` reads it."""
        known = self._answering
        form = known.form
        plain = {
            "kind": "user-module", "fitted": dict(known.fitted), "inputs": treespec_dumps(known.spec),
            "names": list(known.names),
            "form": {
                "kind": form.kind.value, "says": form.says.value, "width": form.width, "classes": form.classes,
                "dtype": str(form.dtype).removeprefix("torch."), "trailing": list(form.trailing), "one_hot": form.one_hot,
                "places": None if form.places is None else asdict(form.places), "class_dim": form.class_dim,
            },
        }  # fmt: skip
        example = {f"input-{i}": each for i, each in enumerate(known.example)}
        if known.statistics is not None:
            example |= {name: getattr(known.statistics, name) for name in _STATISTICS}
        state = {name: value.clone() for name, value in self.module.state_dict().items()}
        parts = {_NETWORK: Part(plain, state), _EXAMPLE: Part({}, example, is_finite=False)}
        save_model(Path(path), StoredModel(self.facts, (self.recipe,), parts))

    def __repr__(self) -> str:
        score = f", {self.facts.metric} {self.facts.score:.4g}" if self.facts.score_rows else ""
        return f"<liebig.ModuleModel of {self.facts.name}{score}>"


def module_model(fitted: Fitted, facts: ModelFacts) -> ModuleModel:
    """The network that was trained, as the user's own module."""
    encoder: Any = fitted.encoder
    users = encoder.users
    network = user_network(fitted.recipe)
    module = network_for(network.record, network.materials_for(users, encoder), 0)
    specs = network.parameters(encoder.signature, fitted.outputs)
    state_of(module, fitted.weights[0].cpu(), specs, [each[0].cpu() for each in fitted.buffers])
    module.to(users.device).eval()
    leaves, spec = tree_flatten(users.example)
    rows = tuple(each[:4].detach().cpu().clone() for each in leaves)
    measured = network.record.edits and scaled_materials(users).statistics is not None
    answering = Answering(
        users.form, encoder.fitted, spec, rows, encoder.statistics if measured else None, users.shape.names
    )
    return ModuleModel(module, fitted.recipe, facts, answering)


def _places_of(told: Mapping[str, Any] | None) -> Places | None:
    """The places of a form as it was saved."""
    if told is None:
        return None
    return Places(Placed(told["kind"]), tuple(told["shape"]), told["ignored"], tuple(told["shares"]))


def is_module_model(stored: StoredModel) -> bool:
    """Whether a model directory holds a user's own network."""
    return _NETWORK in stored.parts and stored.parts[_NETWORK].plain.get("kind") == "user-module"


def loaded(stored: StoredModel, build: Callable[[], nn.Module] | None) -> ModuleModel:
    """The model of a directory, in a network that `build` makes. Raises UserError where it is not the network that was saved."""
    recipe, facts = stored.recipes[0], stored.facts
    assert isinstance(recipe.network, UserModule)
    if build is None:
        raise UserError(
            f"a network of your own is loaded with the function that makes it: liebig.load(path, build=...) (it was "
            f"{recipe.network.source})"
        )
    plain, tensors = stored.parts[_NETWORK].plain, dict(stored.parts[_EXAMPLE].tensors)
    told = plain["form"]
    form = Form(
        TaskKind(told["kind"]), Says(told["says"]), told["width"], told["classes"], getattr(torch, told["dtype"]),
        tuple(told["trailing"]), told["one_hot"], _places_of(told.get("places")), told.get("class_dim", -1),
    )  # fmt: skip
    spec = treespec_loads(plain["inputs"])
    leaves = tuple(tensors[f"input-{i}"] for i in range(sum(name.startswith("input-") for name in tensors)))
    statistics = InputStatistics(*(tensors[name] for name in _STATISTICS)) if "mean" in tensors else None
    try:
        module = network_for(recipe.network, Materials(build, tuple(tree_unflatten(list(leaves), spec)), statistics), 0)
        module.load_state_dict(dict(stored.parts[_NETWORK].tensors))
    except (RuntimeError, SurgeryRefused) as error:
        raise UserError(
            f"build must make the network that was saved ({recipe.network.source}), however it makes another "
            f"({' '.join(str(error).split())[:200]})"
        ) from error
    names = tuple(plain.get("names", ()))
    return ModuleModel(module.eval(), recipe, facts, Answering(form, plain["fitted"], spec, leaves, statistics, names))
