"""The fastest settings of this machine.

Does: trains in the precision and in the memory layout in which a step was measured to be fastest here.
Helps: machines of which a part idles: every trial after it costs less.
Misleads: another precision rounds more: the score is judged beside the speed, in the same blocks.
Source: measured on the machine itself; Micikevicius et al. 2018, arXiv:1710.03740.
"""

from liebig.checks.device_underused import DeviceUnderused
from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.nets.user_module import UserModule
from liebig.remedies.edits import edit
from liebig.remedies.told import number, text


class FasterSettings(Remedy):
    """`compute.precision` and `compute.layout` of a network of the user's own. Judged by Equal: the same score in less time."""

    name = "faster-settings"
    answers = (DeviceUnderused,)
    prior = Prior(0.0, -0.2, 0.2, "it saves time: the score is to stay")
    changes = ("compute.precision", "compute.layout")

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if finding is None or not isinstance(recipe.network, UserModule):
            return ()
        setting, times = text(finding, "setting"), number(finding, "times")
        wanted = {"precision": "bfloat16"} if "bfloat16" in setting else {}
        wanted |= {"layout": "channels-last"} if "channels-last" in setting else {}
        changed = edit(recipe, "compute", wanted) if wanted else None
        if changed is None or changed == recipe:
            return ()
        faster = f": {times:.1f} times as fast" if times else ""
        return (Proposal(f"{setting}{faster}", changed, saves=True),)

    def advise(self, finding: Finding) -> str:
        setting, times = text(finding, "setting") or "the fastest setting measured", number(finding, "times")
        gain = f": a step is {times:.2g} times as fast" if times else ""
        return f"Switch to {setting} on this machine{gain}."
