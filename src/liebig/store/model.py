"""The model on disk: a directory that can be read without Liebig, and is loaded only as data.

manifest.json        what it answers, from which columns, how well; shapes of all tensors, digests of files
recipe.toml          how it was trained (recipe-2.toml, ... where several recipes answer together)
NAME.json            the plain part of one thing that the model consists of ("encoder", "network")
NAME.safetensors     its tensors
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_of_bytes
from safetensors.torch import save as bytes_of_tensors
from torch import Tensor

from liebig.core.errors import UserError
from liebig.core.recipe import Recipe
from liebig.core.task import TaskKind
from liebig.recipes import recipe_from_toml, recipe_to_toml
from liebig.store.atomic import settle, standing, write_directory
from liebig.store.forms import ArrayShelf, Reading, Unreadable, escaped, form_of, unescaped

MANIFEST: Final = "manifest.json"
#: Raised by one when an older Liebig could not read what a newer one writes. Members that answer together came with 2, how their
#: answers are read with 3; what is one network is still written so that format 1 reads it.
FORMAT: Final = 3
_TOGETHER: Final = 2
_WHOLE: Final = 1

#: Readings of a model that is being exchanged.
_ATTEMPTS: Final = 3
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class ModelColumn:
    """One column that the model reads, and what it is taken for (number, category, date, text)."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a reader of the manifest wants to know. `score` is the metric on rows that the model never saw, as the user reads
    it, over `score_rows` rows (NaN and 0 where there are none); `rows` the rows it was trained on. `name` is the table's,
    `written` the time (ISO 8601), `version` Liebig's."""

    name: str
    target: str
    kind: TaskKind
    classes: tuple[str, ...]
    metric: str
    higher_is_better: bool
    columns: tuple[ModelColumn, ...]
    version: str
    written: str
    score: float = float("nan")
    score_rows: int = 0
    rows: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One thing that the model consists of: plain JSON values, and tensors. `is_finite` says that every number of the
    tensors must be finite, which is checked when it is saved and loaded (weights; an encoder may hold open edges)."""

    plain: Mapping[str, Any]
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    is_finite: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class StoredModel:
    """A model as data. `parts` by name: lower-case words joined by hyphens."""

    facts: ModelFacts
    recipes: tuple[Recipe, ...]
    parts: Mapping[str, Part]


def is_model(path: Path) -> bool:
    """True when the directory holds a model."""
    return (standing(path) / MANIFEST).is_file()


def save_model(path: Path, model: StoredModel) -> None:
    """Write the directory `path`, in place of a model that is there. Whatever happens, `path` holds the model before or the
    new one, whole.

    Raises UserError when the disk is full, the directory cannot be written, or `path` is something else than a model.
    """
    settle(path)
    if path.exists() and not is_model(path) and not (path.is_dir() and not any(path.iterdir())):
        raise UserError(f'a model needs a directory of its own, however "{path}" holds something else')
    write_directory(path, _files_of(model), "the model")


def load_model(path: Path) -> StoredModel:
    """Read the directory. Only data are read: no code is run, whatever it holds.

    Raises UserError when it is no model, is damaged, or was written by a newer version.
    """
    if not standing(path).exists():
        raise UserError(f'there is no model "{path}"')
    if not is_model(path):
        raise UserError(f'"{path}" is no model: a directory with a {MANIFEST} was required')
    for _ in range(_ATTEMPTS - 1):
        # Another process may put a new model in place between two files: then what was read is of neither.
        before = _stamp(path)
        try:
            return _load(path, standing(path))
        except UserError:
            if _stamp(path) == before:
                raise
    return _load(path, standing(path))


def _stamp(path: Path) -> int:
    """Changes when another model takes the place of this one."""
    try:
        return (standing(path) / MANIFEST).stat().st_ino
    except OSError:
        return 0


def _load(path: Path, at: Path) -> StoredModel:
    try:
        manifest = json.loads((at / MANIFEST).read_text("utf-8"))
        _check_format(path, manifest)
        facts: ModelFacts = form_of(ModelFacts).read(manifest["model"], Reading(_no_array, _no_recipe))
        texts = [at / _recipe_file(number) for number in range(1, _count(manifest["recipes"]) + 1)]
        recipes = tuple(recipe_from_toml(text.read_text("utf-8"), str(text)) for text in texts)
        parts = {name: _read_part(at, name, said) for name, said in manifest["parts"].items()}
    except UserError:
        raise
    except OSError as error:
        missing = Path(error.filename).name if error.filename else "a file"
        raise UserError(f'the model "{path}" is not whole: {missing} cannot be read ({error.strerror})') from error
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise UserError(f'the model "{path}" is damaged: {_sentence(error)}') from error
    return StoredModel(facts, recipes, parts)


def _files_of(model: StoredModel) -> dict[str, bytes]:
    files, said = {}, {}
    for name, part in model.parts.items():
        if not _NAME.fullmatch(name) or name in {"manifest", "recipe"}:
            raise ValueError(f"the name of a part must be words joined by hyphens, however {name!r} came")
        tensors = {key: value.detach().cpu().contiguous() for key, value in part.tensors.items()}
        if part.is_finite:
            _require_finite(name, tensors)
        shapes = {key: {"type": _type_of(value), "shape": list(value.shape)} for key, value in tensors.items()}
        files[f"{name}.json"] = _json(escaped(dict(part.plain)))
        files[f"{name}.safetensors"] = bytes_of_tensors(tensors)
        digests = {file: _digest(files[file]) for file in (f"{name}.json", f"{name}.safetensors")}
        said[name] = {"is_finite": part.is_finite, "tensors": shapes, "sha256": digests}
    for number, recipe in enumerate(model.recipes, 1):
        files[_recipe_file(number)] = recipe_to_toml(recipe).encode("utf-8")
    facts = form_of(ModelFacts).write(model.facts, ArrayShelf())
    version = FORMAT if "decision" in model.parts else _TOGETHER if "combination" in model.parts else _WHOLE
    files[MANIFEST] = _json({"format": version, "model": facts, "recipes": len(model.recipes), "parts": said})
    return files


def _read_part(path: Path, name: str, said: Mapping[str, Any]) -> Part:
    if not _NAME.fullmatch(name):
        raise Unreadable(f"{name!r} is no name of a part")
    contents = {}
    for file in (f"{name}.json", f"{name}.safetensors"):
        contents[file] = (path / file).read_bytes()
        if _digest(contents[file]) != said["sha256"][file]:
            raise Unreadable(f"{file} is not the file that the manifest was written with")
    plain = unescaped(json.loads(contents[f"{name}.json"]))
    tensors: dict[str, Tensor] = tensors_of_bytes(contents[f"{name}.safetensors"])
    expected, found = said["tensors"], tensors
    if expected.keys() != found.keys():
        differing = sorted(set(expected) ^ set(found))
        raise Unreadable(f'the tensors of {name} are not those of the manifest ("{differing[0]}")')
    for key, value in tensors.items():
        shape = (_type_of(value), list(value.shape))
        if shape != (expected[key]["type"], expected[key]["shape"]):
            raise Unreadable(f'"{key}" of {name} has shape {shape[1]}, however {expected[key]["shape"]} was required')
    if said["is_finite"]:
        _require_finite(name, tensors)
    return Part(plain, tensors, said["is_finite"])


def _require_finite(name: str, tensors: Mapping[str, Tensor]) -> None:
    for key, value in tensors.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise Unreadable(f'"{key}" of {name} holds numbers that are not finite')


def _check_format(path: Path, manifest: Mapping[str, Any]) -> None:
    version = manifest.get("format")
    if not isinstance(version, int):
        raise UserError(f'"{path}" is no model of Liebig: its {MANIFEST} names no format')
    if version > FORMAT:
        raise UserError(
            f'the model "{path}" was written by a newer Liebig (format {version}); this one reads up to format {FORMAT}'
        )


def _recipe_file(number: int) -> str:
    return "recipe.toml" if number == 1 else f"recipe-{number}.toml"


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 10_000:
        raise Unreadable(f"a number of recipes was required, however {value!r} came")
    return value


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _type_of(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode("utf-8")


def _sentence(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else " ".join(str(error).split())


def _no_array(name: str) -> Any:
    raise Unreadable("a manifest holds no arrays")


def _no_recipe(plain: Mapping[str, Any]) -> Recipe:
    raise Unreadable("a manifest holds no recipe")
