"""What saves time: the same score, sooner. A round of its own, before all others, since what is tried after it costs less."""

from __future__ import annotations

from liebig.coach.actions import Action, Adopt, BeginRound, EndRound
from liebig.coach.affording import pays_for, size_of
from liebig.coach.limits import FIRST_LOOK, ROUND_SHARE
from liebig.coach.view import Round, View
from liebig.core.study import Purpose
from liebig.core.trial import Look, Verdict
from liebig.trials.procedure import saves
from liebig.trials.race import HOPE


def save_time(view: View) -> Action | None:
    """What was measured to be faster beside the incumbent, and not tried before. With a counted number of trials nothing may
    depend on what is faster at this moment."""
    study = view.study
    incumbent = study.incumbent or ""
    if view.unhurried:
        return None
    known = {each.digest for one in view.rounds for each in one.began.treatments}
    idea = next((each for each in view.ideas() if each.saves and each.recipe.digest not in known), None)
    if idea is None or idea.recipe.digest == incumbent or not view.answers_in_time(idea.recipe):
        return None
    having = [
        fidelity for (digest, fidelity), runs in study.scores.items() if digest == incumbent and len(runs) >= FIRST_LOOK
    ]
    fidelity = max(having, key=size_of, default=None)
    if fidelity is None or not pays_for(view, incumbent, (idea,), fidelity, ROUND_SHARE):
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.SAVING, incumbent, (idea,), fidelity)


def take_if_it_saves(current: Round, digest: str, look: Look) -> Action:
    """Adopted where it is certainly faster and Equal or better; and where it is not known to be worse, too: between two seeds a
    score moves by more than so few blocks can tell apart, and standing still costs all that is not tried in the time that is
    lost. What the look says of the score stands beside it, and the seal compares the winner with the baseline in any case."""
    may_be_equal = look.better >= HOPE and look.verdict is not Verdict.WORSE
    if saves(look) or (may_be_equal and look.seconds_low > 1.0):
        return Adopt(current.number, digest, look.verdict, ())
    if look.seconds_low > 1.0:
        return EndRound(current.number, "faster, but likely worse")
    return EndRound(current.number, "not certainly faster")
