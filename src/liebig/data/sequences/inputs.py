"""Inputs of sequences.

Does: turns the channels of a sequence into what a network reads. `read` says whether that is its steps one after another, or
  a few numbers that summarise it (mean, spread, slope, waves); `scale` takes the values as they are, standardises each channel
  by the mean and spread of the training rows, or each sequence by its own. A missing value is read as the last that was seen,
  with a channel beside it that says so; the last channel is 1 where a step is and 0 behind the end of a shorter sequence.
Helps: every network: weights are drawn for inputs of about unit size. By its own mean and spread: where the shape of a
  sequence counts and not how large it is.
Misleads: by its own mean and spread nothing is left of what sets sequences apart by size; a summary knows nothing of order
  beyond its numbers.
Source: LeCun et al. 1998, "Efficient BackProp", section 4.3; Rakthanmanon et al. 2012 (each series by its own); Che et al.
  2018, arXiv:1606.01865 (masks beside the last value).
"""

from __future__ import annotations

from typing import Literal

from liebig.core.settings import Settings


class SequenceInputs(Settings):
    """How sequences are read and scaled."""

    kind: Literal["sequences"] = "sequences"
    scale: Literal["none", "standardise", "each-sequence"] = "standardise"
    read: Literal["steps", "summary"] = "steps"
