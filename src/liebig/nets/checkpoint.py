"""Weights of a file on disk, by name. Nothing is downloaded, nothing unpickled but tensors."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from functools import lru_cache
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


def checkpoint(path: str) -> Mapping[str, Tensor]:
    """The tensors of a ``.safetensors`` file, or of what ``torch.save`` wrote (read with weights_only), by name.

    Raises UserError where there is no such file, or it holds no weights.
    """
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
