"""Autoencoder.

Does: before any label is read, the network learns to give its inputs back through one layer behind its features: pictures through
    a transposed convolution, the encoded row of a table through a linear layer. Noise is added to what it is shown (`noise`, in
    spreads of a standardised picture or number; 0 for none). It sees the training examples, and those that have no label. Then it
    is trained as ever; the layer behind is thrown away.
Helps: few labels, and many more examples without one: the first layers need not be learnt from the labels alone.
Misleads: what gives a picture back is tone and place, not what it shows; a wide layer copies a row without understanding it. With
    some thousands of labels, or without further examples, it costs time and gives little. Augmentation of pictures usually gives more.
Source: Masci et al. 2011, "Stacked Convolutional Auto-Encoders for Hierarchical Feature Extraction"; Vincent et al. 2008,
    "Extracting and Composing Robust Features with Denoising Autoencoders".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.techniques.pretraining.reconstruction import Course, Reconstruction, needs_an_encoder, places_of
from liebig.techniques.stage import Ground, Pretraining, Technique

_STREAM: Final = 8302
_NUMBERS_STREAM: Final = 8305


class Autoencoder(Pretraining):
    """`epochs` before training, in batches of `size`, at most at `learning_rate`."""

    kind: Literal["autoencoder"] = "autoencoder"
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 20
    size: Annotated[int, Field(ge=1, le=65_536)] = 64
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 1e-3
    noise: Annotated[float, Field(ge=0, le=10)] = 0.3

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_an_encoder(self, recipe, "pictures", "table")

    @classmethod
    def stage(cls, records: Sequence[Technique], ground: Ground) -> AutoencoderStage:
        first = next(each for each in records if isinstance(each, cls))
        return AutoencoderStage(
            Course(first.epochs, first.size, first.learning_rate), places_of(ground.specs), first.noise
        )


@dataclass(frozen=True, slots=True, eq=False)
class AutoencoderStage(Reconstruction):
    """K autoencoders; `noise` is the same for all."""

    noise: float

    def shown(self, batch: Batch, draws: Draws) -> tuple[Batch, Tensor | None]:
        if not self.noise:
            return batch, None
        dense = batch.dense + self.noise * draws.normal(tuple(batch.dense.shape[1:]), _STREAM)
        numbers = batch.numbers
        if numbers is not None:
            numbers = numbers + self.noise * draws.normal(tuple(numbers.shape[1:]), _NUMBERS_STREAM)
        return replace(batch, dense=dense, numbers=numbers), None
