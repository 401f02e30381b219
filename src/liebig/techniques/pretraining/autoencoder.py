"""Convolutional autoencoder.

Does: before any label is read, the network learns to give pictures back through one transposed convolution behind its features,
    from pictures with noise added (`noise`, in spreads of a standardised picture; 0 for none). It sees the training pictures, and
    those that have no label. Then it is trained as ever; the layer behind is thrown away.
Helps: few labels, and many more pictures without one: the first layers need not be learnt from the labels alone.
Misleads: what gives a picture back is tone and place, not what it shows; with some thousands of labels, or without further
    pictures, it costs time and gives little. Augmentation usually gives more.
Source: Masci et al. 2011, "Stacked Convolutional Auto-Encoders for Hierarchical Feature Extraction"; Vincent et al. 2008,
    "Extracting and Composing Robust Features with Denoising Autoencoders".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.stack.draws import Draws
from liebig.techniques.pretraining.reconstruction import Course, Reconstruction, needs_an_encoder, places_of
from liebig.techniques.stage import Ground, Pretraining, Technique

_STREAM: Final = 8302


class Autoencoder(Pretraining):
    """`epochs` before training, in batches of `size`, at most at `learning_rate`."""

    kind: Literal["autoencoder"] = "autoencoder"
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 20
    size: Annotated[int, Field(ge=1, le=65_536)] = 64
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 1e-3
    noise: Annotated[float, Field(ge=0, le=10)] = 0.3

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_an_encoder(self, recipe)

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

    def shown(self, pictures: Tensor, draws: Draws) -> tuple[Tensor, Tensor | None]:
        if not self.noise:
            return pictures, None
        return pictures + self.noise * draws.normal(tuple(pictures.shape[1:]), _STREAM), None
