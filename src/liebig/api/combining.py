"""Models of a table, of pictures or of sequences, as data: a network with its encoder, or several members that answer together.

A network alone is the parts ``encoder`` and ``network``. A combination is the part ``combination`` (who is a member, with which
weight), for each network ``encoder-N`` and ``network-N`` with the Nth recipe, for each classical algorithm ``algorithm-N``, and ``decision``
where answers are not read as they come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from liebig.classical import Stored, answerer_of
from liebig.classical.storing import beneath, within
from liebig.core.decision import AS_THEY_COME, Decision
from liebig.core.errors import UserError
from liebig.core.recipe import Recipe
from liebig.data.pictures.feed import PictureEncoder
from liebig.data.sequences.content import SequenceData
from liebig.data.sequences.feed import SequenceEncoder
from liebig.data.table.columns import Column
from liebig.data.table.encoder import Encoder
from liebig.store.model import ModelFacts, Part, StoredModel
from liebig.train.combination import Combination, FittedChallenger, columns_of
from liebig.train.fitted import Fitted

_ENCODER: Final = "encoder"
_NETWORK: Final = "network"
_ALGORITHM: Final = "algorithm"
_COMBINATION: Final = "combination"
_DECISION: Final = "decision"
_PICTURES: Final = "pictures"
_SEQUENCES: Final = "sequences"


def parts_of(model: Fitted | Combination, facts: ModelFacts) -> StoredModel:
    """What is written. Raises TypeError for a model of something else than a table."""
    if isinstance(model, Fitted):
        return StoredModel(facts, (model.recipe,), _network_parts(model))
    members: list[dict[str, Any]] = []
    parts: dict[str, Part] = {}
    recipes: list[Recipe] = []
    for number, (member, weight) in enumerate(zip(model.members, model.weights, strict=True), start=1):
        if isinstance(member, Fitted):
            recipes.append(member.recipe)
            parts |= {f"{name}-{number}": part for name, part in _network_parts(member).items()}
            members.append({"is": _NETWORK, "weight": weight, "recipe": len(recipes)})
        else:
            parts[f"{_ALGORITHM}-{number}"] = _algorithm_part(member)
            members.append({"is": _ALGORITHM, "weight": weight, "name": member.name})
    if model.decision != AS_THEY_COME:
        parts[_DECISION] = Part({"temperature": model.decision.temperature, "shifts": list(model.decision.shifts)})
    return StoredModel(facts, tuple(recipes), {_COMBINATION: Part({"members": members}), **parts})


def is_combination(stored: StoredModel) -> bool:
    return _COMBINATION in stored.parts


def network_of(stored: StoredModel) -> Fitted:
    """The network that is the whole model."""
    return _network(stored, stored.recipes[0], "")


def combination_of(stored: StoredModel, path: Path) -> Combination:
    """The members of a model in `path` that answer together. Raises UserError where they do not belong together."""
    members: list[Fitted | FittedChallenger] = []
    weights: list[float] = []
    try:
        for number, said in enumerate(stored.parts[_COMBINATION].plain["members"], start=1):
            weights.append(float(said["weight"]))
            if said["is"] == _NETWORK:
                members.append(_network(stored, stored.recipes[said["recipe"] - 1], f"-{number}"))
            else:
                members.append(_algorithm(stored.parts[f"{_ALGORITHM}-{number}"], str(said["name"])))
        return Combination(_sharing(members), tuple(weights), _decision(stored))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UserError(f'the model "{path}" is damaged: its members do not belong together ({error})') from error


def _decision(stored: StoredModel) -> Decision:
    """How the answers are read. Raises KeyError, TypeError or ValueError where that is no decision for these classes."""
    if _DECISION not in stored.parts:
        return AS_THEY_COME
    said = stored.parts[_DECISION].plain
    decision = Decision(float(said["temperature"]), tuple(float(each) for each in said["shifts"]))
    if len(decision.shifts) not in {0, len(stored.facts.classes)} or not np.isfinite(decision.shifts).all():
        raise ValueError(f"a finite shift for each of {len(stored.facts.classes)} classes was required")
    if not 0.0 < decision.temperature < np.inf:
        raise ValueError(f"a temperature above 0 was required, however {decision.temperature} came")
    return decision


def _sharing(members: Sequence[Fitted | FittedChallenger]) -> tuple[Fitted | FittedChallenger, ...]:
    """Equal columns as one value, so that telling whether members read the same is quick."""
    known: list[tuple[Column, ...]] = []
    shared: list[Fitted | FittedChallenger] = []
    for member in members:
        if isinstance(member, Fitted) and isinstance(member.encoder, PictureEncoder | SequenceEncoder):
            shared.append(member)
            continue
        own = columns_of(member)
        columns = next((each for each in known if each == own), own)
        known.append(columns)
        if isinstance(member, FittedChallenger):
            shared.append(replace(member, columns=columns))
        elif isinstance(member.encoder, Encoder):
            shared.append(replace(member, encoder=replace(member.encoder, columns=columns)))
    return tuple(shared)


def _network_parts(model: Fitted) -> dict[str, Part]:
    encoder = model.encoder
    if isinstance(encoder, PictureEncoder):
        return {_ENCODER: Part({"reads": _PICTURES, **encoder.plain()}), _NETWORK: Part({}, model.tensors())}
    if isinstance(encoder, SequenceEncoder):
        return {_ENCODER: Part({"reads": _SEQUENCES, **encoder.plain()}), _NETWORK: Part({}, model.tensors())}
    if not isinstance(encoder, Encoder):
        raise TypeError(
            f"only models of tables, pictures and sequences are saved, however an encoder {type(encoder).__name__} came"
        )
    return {
        _ENCODER: Part(encoder.plain(), encoder.tensors(), is_finite=False),
        _NETWORK: Part({}, model.tensors()),
    }


def _network(stored: StoredModel, recipe: Recipe, ending: str) -> Fitted:
    encoding = stored.parts[f"{_ENCODER}{ending}"]
    weights = stored.parts[f"{_NETWORK}{ending}"].tensors
    kind, classes, reads = stored.facts.kind, stored.facts.classes, encoding.plain.get("reads")
    if reads == _SEQUENCES:
        sequences = SequenceEncoder.from_plain(encoding.plain)
        return Fitted.of(recipe, sequences, kind, classes, weights, sequences.answers)
    if reads == _PICTURES:
        return Fitted.of(recipe, PictureEncoder.from_plain(encoding.plain), kind, classes, weights)
    return Fitted.of(recipe, Encoder.from_plain(encoding.plain, encoding.tensors), kind, classes, weights)


def _algorithm_part(member: FittedChallenger) -> Part:
    stored = [each.stored() for each in member.answerers]
    plain: Mapping[str, Any] = {
        "answerers": [{"is": each.kind, "plain": dict(each.plain)} for each in stored],
        "columns": [column.plain() for column in member.columns],
        **({} if member.like is None else {"like": member.like.plain()}),
    }
    # Copied: safetensors refuses tensors that share memory, and some of an algorithm's are one under two names.
    tensors = {
        name: torch.from_numpy(np.array(values))
        for number, each in enumerate(stored)
        for name, values in within(str(number), each.arrays).items()
    }
    return Part(plain, tensors, is_finite=False)  # an open end of a tree's cut is no damage


def _algorithm(part: Part, name: str) -> FittedChallenger:
    arrays = {key: each.numpy() for key, each in part.tensors.items()}
    answerers = tuple(
        answerer_of(Stored(said["is"], said["plain"], beneath(str(number), arrays)))
        for number, said in enumerate(part.plain["answerers"])
    )
    like = SequenceData.from_plain(part.plain["like"]) if "like" in part.plain else None
    return FittedChallenger(name, tuple(Column.from_plain(each) for each in part.plain["columns"]), answerers, like)
