"""Train in training mode.

Does: says that `model.train()` is missing before the epoch.
Helps: dropout that never drops, statistics that never move.
Misleads: layers that are frozen on purpose stand in evaluation mode with reason.
Source: Srivastava et al. 2014; Ioffe & Szegedy 2015.
"""

from liebig.checks.missing_train_mode import MissingTrainMode
from liebig.core.check import Finding
from liebig.remedies.told import Told, at, text


class TrainInTrainMode(Told):
    """Told with the layers that stand in evaluation mode while the network trains."""

    name = "train-in-train-mode"
    answers = (MissingTrainMode,)

    def advise(self, finding: Finding) -> str:
        layers = text(finding, "layers")
        which = f" (it switches {layers} on)" if layers else ""
        return f"Call model.train() at the beginning of each epoch, after any evaluation{at(finding)}{which}."
