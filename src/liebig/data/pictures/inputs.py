"""Inputs of pictures.

Does: turns the bytes of a picture (0 to 255) into what a network reads: as they are, divided by 255, standardised by the mean and
  spread of each channel over the training rows, or by those of ImageNet, which backbones have seen.
Helps: every network; weights are drawn for inputs of about unit size.
Misleads: raw bytes make the first steps a hundred times too large; a picture divided by 255 twice is nearly black.
Source: LeCun et al. 1998, "Efficient BackProp", section 4.3.
"""

from __future__ import annotations

from typing import Literal

from liebig.core.settings import Settings


class PictureInputs(Settings):
    """How pictures are scaled."""

    kind: Literal["pictures"] = "pictures"
    scale: Literal["none", "divide-by-255", "standardise", "imagenet"] = "standardise"
