"""What did the user ask? The verbs, as functions."""

from liebig.api.comparing import Comparison, compare
from liebig.api.diagnosing import diagnose
from liebig.api.fitting import FittedRun, fit
from liebig.api.improving import ImprovedStudy, improve
from liebig.api.looking import Look, look
from liebig.api.model import Model, load
from liebig.api.module import ModuleTask, module
from liebig.api.module_improving import ModuleStudy
from liebig.api.module_model import ModuleModel
from liebig.api.predicting import predict_file
from liebig.api.reporting import Told, report, write_page
from liebig.api.this_machine import MachineTold, machine
from liebig.api.watching import watch
from liebig.watch import Watch

__all__ = [
    "Comparison",
    "FittedRun",
    "ImprovedStudy",
    "Look",
    "MachineTold",
    "Model",
    "ModuleModel",
    "ModuleStudy",
    "ModuleTask",
    "Told",
    "Watch",
    "compare",
    "diagnose",
    "fit",
    "improve",
    "load",
    "look",
    "machine",
    "module",
    "predict_file",
    "report",
    "watch",
    "write_page",
]
