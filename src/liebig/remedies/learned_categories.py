"""Learnt embeddings for categories.

Does: gives each level of a category a short vector that the network learns, in place of one-hot.
Helps: columns of many levels that resemble each other.
Misleads: rare levels have few rows to learn a vector from; for few levels one-hot is the same and simpler.
Source: Guo & Berkhahn 2016, arXiv:1604.06737.
"""

from liebig.checks.underfitting import Underfitting
from liebig.core.check import Finding
from liebig.core.evidence import DataProfile
from liebig.core.recipe import Recipe
from liebig.core.remedy import Prior, Proposal, Remedy, Situation
from liebig.nets.embeddings.learned import LearnedCategories
from liebig.remedies.edits import dense_network, edit, worth_trying

_MANY = 16  # levels from which a shared vector can say more than one-hot


class LearnCategories(Remedy):
    """`network.categories` becomes `learned`, where a category has many levels."""

    name = "learned-categories"
    answers = (Underfitting,)
    prior = Prior(0.0, -1.0, 1.0, "Guo & Berkhahn 2016; not measured on our tables")
    changes = ("network.categories",)

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        network, profile = dense_network(recipe), situation.evidence.get(DataProfile)
        if network is None or profile is None or isinstance(network.categories, LearnedCategories):
            return ()
        if not any(each.kind == "category" and not each.ignored and each.distinct > _MANY for each in profile.columns):
            return ()
        changed = edit(recipe, "network", {"categories": LearnedCategories()})
        return worth_trying("categories: learnt embeddings", recipe, changed)

    def advise(self, finding: Finding) -> str:
        return "Give each category an embedding layer of its own in place of one-hot columns."
