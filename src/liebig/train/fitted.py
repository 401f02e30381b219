"""A trained model: recipe, encoder, weights of its members. A plain value that predicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from liebig.core.arrays import Predictions, Rows
from liebig.core.evidence import Structure
from liebig.core.recipe import Recipe
from liebig.core.task import Task, TaskKind
from liebig.nets.network import Mode
from liebig.stack.batch import Batch, for_members
from liebig.stack.flat import views
from liebig.techniques.stage import Ground, ObjectiveSettings
from liebig.train.encoding import Encoder, Encoding
from liebig.train.evaluation import in_precision
from liebig.train.plan import network_of

_CHUNK = 4096  # rows predicted at a time


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """`weights` float32 [R, n] of the R networks whose predictions are averaged (replicas, snapshots), `buffers` [R, *shape]
    in the order of the network's. `classes` is empty for numbers; `answers` are the numbers answered for a row."""

    recipe: Recipe
    encoder: Encoder
    kind: TaskKind
    classes: tuple[str, ...]
    weights: Tensor
    buffers: tuple[Tensor, ...]
    answers: int = 1

    @property
    def outputs(self) -> int:
        return len(self.classes) if self.kind is TaskKind.MULTICLASS else self.answers

    @property
    def structure(self) -> Structure:
        """The network's card."""
        single = network_of(self.recipe).structure(self.encoder.signature, self.outputs)
        return replace(single, members=len(self.weights))

    @torch.no_grad()
    def predict_batch(self, batch: Batch) -> Predictions:
        """Predictions for the rows of one batch [1, B, ...], as `core.arrays.Predictions`, in the target's own unit."""
        network, count = network_of(self.recipe), len(self.weights)
        device = self.weights.device
        specs = network.parameters(self.encoder.signature, self.outputs)
        forward = network.forward([network] * count, self.encoder.signature, self.outputs, device)
        objective = self.recipe.objective
        assert isinstance(objective, ObjectiveSettings)
        shares = (1.0 / len(self.classes),) * len(self.classes) if self.classes else ()
        users = getattr(self.encoder, "users", None)
        own = users.own if users is not None else None
        ground = Ground(specs, self.outputs, self.kind.is_classification, 1, 1, 1, shares, device, own)
        stage = type(objective).stage([objective] * count, ground)
        shared = replace(
            in_precision(batch, torch.float32), member_group=torch.zeros(count, dtype=torch.int64, device=device)
        )
        outputs = forward(views(self.weights, specs), self.buffers, shared, Mode(False, final=True)).float()
        target = for_members(shared.target, shared.member_group)
        predicted = stage.answered(outputs, target).float().mean(0).cpu().numpy()
        return self.encoder.target_from_model(predicted)

    def predict_frame(self, frame: Any) -> Predictions:
        """Predictions for new rows (a polars frame), a chunk at a time."""
        device = self.weights.device
        parts = [
            self.predict_batch(self.encoder.encode_frame(frame[start : start + _CHUNK], device, torch.float32))
            for start in range(0, len(frame), _CHUNK)
        ]
        return np.concatenate(parts) if parts else self._nothing()

    def predict_rows(self, task: Task[Any], rows: Rows, encoding: Encoding) -> Predictions:
        """Predictions for rows of a task."""
        device = self.weights.device
        feed = encoding.feed(task, [self.encoder], device, torch.float32)
        parts = [self.predict_batch(feed.judging(each[None].to(device))) for each in _chunks(rows)]
        return np.concatenate(parts) if parts else self._nothing()

    def _nothing(self) -> Predictions:
        return np.zeros((0, self.outputs) if self.outputs > 1 else 0, dtype=np.float32)

    def together_with(self, other: Fitted, recipe: Recipe) -> Fitted:
        """The networks of both, whose mean answers, as what `recipe` trains. Both read the same encoded rows."""
        weights = torch.cat([self.weights, other.weights])
        buffers = tuple(torch.cat(pair) for pair in zip(self.buffers, other.buffers, strict=True))
        return replace(self, recipe=recipe, weights=weights, buffers=buffers)

    def tensors(self) -> dict[str, Tensor]:
        """The weights, for safetensors."""
        return {"weights": self.weights, **{f"buffers.{i}": each for i, each in enumerate(self.buffers)}}

    @staticmethod
    def of(
        recipe: Recipe, encoder: Encoder, kind: TaskKind, classes: Sequence[str], tensors: Mapping[str, Tensor],
        answers: int = 1,
    ) -> Fitted:  # fmt: skip
        """The model that `tensors` told."""
        buffers = tuple(tensors[f"buffers.{i}"] for i in range(len(tensors) - 1))
        return Fitted(recipe, encoder, kind, tuple(classes), tensors["weights"], buffers, answers)


def _chunks(rows: Rows) -> Iterator[Tensor]:
    for start in range(0, len(rows), _CHUNK):
        yield torch.from_numpy(rows[start : start + _CHUNK])
