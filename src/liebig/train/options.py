"""How `train` runs: what the caller decides, apart from the recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from liebig.core.task import FULL, Fidelity
from liebig.train.paths import Paths

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Settings of a call. The recipe's own compute settings say device and precision where these are None.

    `memory` is the most bytes that training may add (None: 60 % of what is free). `probes` looks inside and evaluates the
    fit rows too. `keep_models` returns the trained networks. `checkpoints` is a directory for the weights of each epoch
    that is the best so far, or of every `checkpoint_every` epochs. With `timed_probes` looks are left out while they have cost
    too large a share of the time; without, the same steps are looked at however fast the machine is at that moment. With
    `paths` members of a user's own network may be trained in one call where that is measured faster, and it remembers; without,
    they are trained one after another.
    """

    device: str | None = None
    precision: Precision | None = None
    memory: int | None = None
    fidelity: Fidelity = FULL
    probes: bool = True
    keep_models: bool = False
    checkpoints: str | None = None
    checkpoint_every: int | None = None
    timed_probes: bool = True
    paths: Paths | None = None
