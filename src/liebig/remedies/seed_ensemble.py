"""An ensemble of seeds.

Does: trains several members that differ in their seeds only and averages their answers.
Helps: always a little: never lost on seventeen tables, and the more the noisier a single run.
Misleads: it lifts no limit; the gain is what several runs of the same have over one, at the cost of as many.
Source: Lakshminarayanan, Pritzel & Blundell 2017, arXiv:1612.01474; ensembles of eight on seventeen tables.
"""

from liebig.core.check import Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Remedy, Situation
from liebig.nets.user_module import UserModule
from liebig.remedies.edits import add, worth_trying
from liebig.remedies.priors import measured
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble

_MEMBERS = (4, 8)  # sixteen gave no more than eight


class EnsembleOfSeeds(Remedy):
    """Adds `seed-ensemble`, of four members and then of eight."""

    name = "seed-ensemble"
    answers = ()
    prior = measured(1.0, 3, 14, 0)
    changes = ("techniques.seed-ensemble",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        if isinstance(recipe.network, UserModule):
            return ()  # what is handed back is the user's own network, and that is one
        present = recipe.technique(SeedEnsemble)
        members = next((each for each in _MEMBERS if present is None or each > present.members), None)
        if members is None:
            return ()
        changed = add(recipe, SeedEnsemble(members=members))
        return worth_trying(f"ensemble of {members} seeds", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return "Train the same network from several seeds and average the answers."
