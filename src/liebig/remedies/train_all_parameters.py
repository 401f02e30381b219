"""Train all parameters.

Does: says which parameters do not learn, and what lets them: give them to the optimizer, let them require a gradient, use them, or hold them in a `ModuleList`.
Helps: networks of which only a part learns by mistake.
Misleads: a backbone that was trained before may be frozen on purpose.
Source: the documentation of torch.nn.Module.parameters and torch.optim.
"""

from liebig.checks.untrained_parameters import UntrainedParameters
from liebig.core.check import Finding
from liebig.remedies.told import Told, at, text


class TrainAllParameters(Told):
    """Told with the names, by what is missing."""

    name = "train-all-parameters"
    answers = (UntrainedParameters,)

    def advise(self, finding: Finding) -> str:
        names = text(finding, "names") or "the parts that do not move"
        cures = {
            "left-out": f"Give the optimizer {names} as well: all of model.parameters(), made after the network is whole",
            "frozen": f"Let {names} require a gradient, or load trained weights into them",
            "fresh": f"Let {names} learn, or load trained weights into them",
            "no-gradient": f"Use {names} in the forward pass without detach() or no_grad(), or take them out",
            "unregistered": f"Hold {names} in an nn.ModuleList, since a plain list hides them from model.parameters()",
            "nothing": "Give the optimizer the parameters of this network, and not those of a copy or of an older one",
            "still": "Call optimizer.step() after each backward(), on the optimizer that holds these parameters",
        }
        return f"{cures.get(text(finding, 'kind'), f'Let {names} learn: in the optimizer, with a gradient, used')}{at(finding)}."
