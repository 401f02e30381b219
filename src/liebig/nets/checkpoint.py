"""Weights of a file on disk, or of timm's store on it, by name. Nothing is downloaded, nothing unpickled but tensors."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from liebig.core.errors import UserError

#: Where training scripts keep the weights inside what they save, and what parallel training puts before each name.
_INSIDE: Final = ("state_dict", "model", "model_state_dict")
_BEFORE: Final = ("module.", "model.", "backbone.", "_orig_mod.")


#: What stands before the name of a model of timm's.
TIMM: Final = "timm:"


def checkpoint(path: str) -> Mapping[str, Tensor]:
    """The tensors of a ``.safetensors`` file, or of what ``torch.save`` wrote (read with weights_only), by name; ``timm:NAME`` are
    those that timm holds on this machine.

    Raises UserError where there is no such file, or it holds no weights.
    """
    if path.startswith(TIMM):
        return _of_timm(path.removeprefix(TIMM))
    place = Path(path)
    if not place.is_file():
        raise UserError(
            f'there is no backbone file "{path}"; nothing is downloaded: save one where torchvision is installed, as in '
            'torch.save(torchvision.models.resnet18(weights="DEFAULT").state_dict(), "resnet18.pth")'
        )
    return _read(place, place.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(place: Path, stamp: int) -> Mapping[str, Tensor]:
    """The tensors of a file; read again when its time `stamp` is another."""
    path = str(place)
    try:
        if place.suffix.casefold() == ".safetensors":
            found: object = load_file(place)
        else:
            found = torch.load(place, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, SafetensorError, pickle.UnpicklingError, KeyError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise UserError(f'the backbone file "{path}" cannot be read as weights: {reason}') from error
    for name in _INSIDE:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping):
        raise UserError(f'the backbone file "{path}" must hold weights by name, however a {type(found).__name__} came')
    tensors = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
    for before in _BEFORE:
        if tensors and all(name.startswith(before) for name in tensors):
            tensors = {name.removeprefix(before): value for name, value in tensors.items()}
    if not tensors:
        raise UserError(f'the backbone file "{path}" holds no weights')
    return tensors


@lru_cache(maxsize=2)
def _of_timm(name: str) -> Mapping[str, Tensor]:
    """The weights of one of timm's models, from its store on this machine."""
    if find_spec("timm") is None:
        raise UserError(f'backbone "{TIMM}{name}" needs timm, which is not installed: pip install timm, or give a file')
    with _offline():
        try:
            model = import_module("timm").create_model(name, pretrained=True)
        except Exception as error:  # timm, its hub and its downloader each raise errors of their own
            reason = " ".join(str(error).split())[:160]
            raise UserError(
                f'timm has no weights of "{name}" on this machine, and nothing is downloaded ({reason}); fetch them once: python -c '
                f"\"import timm; timm.create_model('{name}', pretrained=True)\""
            ) from error
    return dict(model.state_dict())


@contextmanager
def _offline() -> Iterator[None]:
    """What fetches models asks nobody in here."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before
