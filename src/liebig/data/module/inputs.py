"""Inputs of a user's own network.

Does: gives the network what the user's data set gives, batch by batch; a numeric target may be transformed on its way.
Helps: whatever the user trains: nothing is assumed about what the inputs are.
Misleads: inputs that the network cannot digest stay so; a scaling is an edit of the network, its first layer.
Source: the user's data sets.
"""

from __future__ import annotations

from typing import Literal

from liebig.core.settings import Settings
from liebig.techniques.targets import AnyTarget
from liebig.techniques.targets.none import RawTarget


class ModuleInputs(Settings):
    """How a user's rows are read. `target` applies to regression. `drop_last` leaves out a last batch that is short.
    `decays_all` lets weight decay act on every parameter, biases and normalisations too, as torch's optimizers do where they
    are given all parameters as one group."""

    kind: Literal["module"] = "module"
    target: AnyTarget = RawTarget()
    drop_last: bool = False
    decays_all: bool = False
