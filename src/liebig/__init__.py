"""Liebig finds what limits a neural network's performance, lifts it, and proves that it helped.

    study = liebig.improve("adult.csv", target="income", budget="5m")
    study.best.predict(frame)

Names are imported on first use, so that ``import liebig`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liebig.api import (
        Comparison,
        FittedRun,
        ImprovedStudy,
        MachineTold,
        Model,
        ModuleModel,
        ModuleStudy,
        ModuleTask,
        Watch,
        compare,
        diagnose,
        fit,
        improve,
        load,
        look,
        machine,
        module,
        watch,
    )
    from liebig.core.errors import UserError
    from liebig.core.event import Stop, silent
    from liebig.nets.foreign.standardise import Standardise

__version__ = "0.1.0"

_HOMES = {
    "improve": "liebig.api",
    "fit": "liebig.api",
    "compare": "liebig.api",
    "diagnose": "liebig.api",
    "look": "liebig.api",
    "load": "liebig.api",
    "machine": "liebig.api",
    "MachineTold": "liebig.api",
    "module": "liebig.api",
    "ModuleModel": "liebig.api",
    "ModuleStudy": "liebig.api",
    "ModuleTask": "liebig.api",
    "watch": "liebig.api",
    "Watch": "liebig.api",
    "Model": "liebig.api",
    "FittedRun": "liebig.api",
    "Comparison": "liebig.api",
    "ImprovedStudy": "liebig.api",
    "Standardise": "liebig.nets.foreign.standardise",
    "Stop": "liebig.core.event",
    "silent": "liebig.core.event",
    "UserError": "liebig.core.errors",
}

__all__ = [
    "Comparison",
    "FittedRun",
    "ImprovedStudy",
    "MachineTold",
    "Model",
    "ModuleModel",
    "ModuleStudy",
    "ModuleTask",
    "Standardise",
    "Stop",
    "UserError",
    "Watch",
    "compare",
    "diagnose",
    "fit",
    "improve",
    "load",
    "look",
    "machine",
    "module",
    "silent",
    "watch",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'liebig' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
