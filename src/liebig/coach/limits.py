"""The policy's numbers: shares of time, sizes of rounds, looks. Each has its home here."""

from __future__ import annotations

from typing import Final

from liebig.core.task import FULL, Fidelity

#: Treatments of one round, the starting recipe not counted.
ROUND_SIZE: Final = 4
#: Of the ranked ideas, so many are asked what they cost.
CONSIDERED: Final = 12
#: Blocks of the first look, and the look at which a race gives up.
FIRST_LOOK: Final = 3
SECOND_LOOK: Final = 5
LAST_RACE: Final = 8
#: A round whose blocks up to a later look take at most this share of the time left is not looked at before.
PATIENCE_SHARE: Final = 0.1
#: Of the time left, what a round's first look may take; what a proof may take at once; what measuring parts may take.
ROUND_SHARE: Final = 0.35
PROOF_SHARE: Final = 0.2
PARTS_SHARE: Final = 0.25
HURRIED_PARTS_SHARE: Final = 0.15
#: Fewer parts than this tell too little to spend a round on while ideas are left.
FEWEST_PARTS: Final = 3
#: All challengers together take at most this share of the time left.
CHALLENGE_SHARE: Final = 0.15
#: The most of the time left that is begun with; what is kept for a confirmation at full size is at most this share of it.
MOST_SHARE: Final = 0.95
CONFIRMATION_SHARE: Final = 0.5
#: Of the time left, what a treatment may add to the seal.
SEAL_SHARE: Final = 0.4
#: Of the budget, what is kept at most for the members of a combination, which are trained once more for the seal.
COMBINE_SHARE: Final = 0.15
#: Of the budget, what is kept at most for training the winner from further seeds, and of how many it is kept in all.
SEEDS_SHARE: Final = 0.1
SEEDS_KEPT: Final = 4
#: Training once more on all rows, the last thing that is trained, may exceed the budget by this share of it or so many seconds.
REFIT_GRACE_SHARE: Final = 0.02
REFIT_GRACE: Final = 1.0
#: Weighing takes seconds itself, at most so many and this share of the budget: with fewer it is not begun.
COMBINE_LEAST: Final = 1.5
COMBINE_LEAST_SHARE: Final = 0.05
#: Candidates of one combination, and the most blocks that they are weighed over.
COMBINE_MOST: Final = 16
COMBINE_BLOCKS: Final = LAST_RACE
#: Of the time left, what measuring the use of more rows may take: for the diagnosis of what is cheap, and before the last search.
GROWTH_SHARE: Final = 0.02
LATE_GROWTH_SHARE: Final = 0.05
#: Why a study ends whose budget is spent.
SPENT: Final = "the budget is spent"
#: Candidates of one search: at most, and the fewest that are worth a round. Its candidates' first look and its later ones
#: together must fit into this share of the time left.
SEARCH_SIZE: Final = 12
SEARCH_LEAST: Final = 4
SEARCH_SHARE: Final = 0.9
#: A rung that is less likely than this to be better, after so many blocks that luck no longer carries it, is taken back.
REFUTED: Final = 0.5
#: An idea worth less (in block standard deviations) is not likely to help.
WORTH_TRYING: Final = 0.02
#: A recipe whose run costs so many times the incumbent's waits until half of the time is gone or nothing else is left.
EXPENSIVE: Final = 2.5
#: Shares of rows and epochs that trials may run at, largest first, and the fewest rows that still order recipes.
FIDELITIES: Final = (
    FULL,
    Fidelity(0.5),
    Fidelity(0.25),
    Fidelity(0.125),
    Fidelity(0.5, 0.5),
    Fidelity(0.25, 0.5),
    Fidelity(0.125, 0.5),
    Fidelity(0.0625, 0.5),
    Fidelity(0.0625, 0.25),
)
FEWEST_ROWS: Final = 1000
