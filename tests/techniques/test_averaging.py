"""Averages of weights against torch.optim.swa_utils, and snapshots at the ends of cycles."""

import pytest
import torch
from pydantic import ValidationError
from technique_cases import ground, only, weight_list
from torch.optim import swa_utils

from liebig.core.recipe import Recipe
from liebig.data.table.inputs import TableInputs
from liebig.nets import MLP
from liebig.techniques.averaging import EMA, SWA, SnapshotEnsemble
from liebig.techniques.batching import Shuffled
from liebig.techniques.compute import Compute
from liebig.techniques.objectives import CrossEntropy
from liebig.techniques.optimizers import AdamW, ScheduleFreeAdamW
from liebig.techniques.schedules import Constant, Cosine
from liebig.techniques.stopping import EarlyStopping, FixedEpochs


def path(step, members=2):
    """Weights of K members on their way, the same for a member wherever it stands."""
    return [each + 0.1 * step * (1 + torch.sin(each * step)) for each in weight_list(members)]


class Holder(torch.nn.Module):
    """Member 0 as a module, so that torch can average it."""

    def __init__(self):
        super().__init__()
        self.values = torch.nn.ParameterList([each[0].clone() for each in path(0)])

    def set(self, weights):
        with torch.no_grad():
            for value, weight in zip(self.values, weights, strict=True):
                value.copy_(weight[0])


def test_ema_is_torchs_but_for_its_start():
    """Torch begins with the first weights at full weight; ours counts them as decay^age like all others."""
    steps, horizon = 30, 2.0
    on = ground(steps_per_epoch=4)
    decay = float(torch.exp(torch.tensor(-1.0 / (horizon * 4), dtype=torch.float64)))
    stage = EMA.stage([EMA(horizon=horizon), EMA(horizon=9.0)], on)
    holder = Holder()
    reference = swa_utils.AveragedModel(holder, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay))
    state = stage.start(path(0))
    for step in range(steps):
        weights = path(step)
        state = stage.after_step(weights, state, step)
        holder.set(weights)
        reference.update_parameters(holder)
    total = (1 - decay**steps) / (1 - decay)
    for ours, torchs, first in zip(stage.eval_weights(weights, state), reference.module.values, path(0), strict=True):
        # torch: decay^(n-1) w0 + (1 - decay) sum of the others; the same sum with w0 counted once, over its weights.
        whole = (torchs - decay ** (steps - 1) * first[0]) / (1 - decay) + decay ** (steps - 1) * first[0]
        torch.testing.assert_close(ours[0], whole.detach() / total, rtol=1e-4, atol=1e-5)


def test_the_first_average_is_the_weights_themselves():
    stage = EMA.stage([EMA(), EMA(horizon=0.01)], ground())
    first = path(3)
    state = stage.after_step(first, stage.start(path(0)), 0)
    for average, weight in zip(stage.eval_weights(first, state), first, strict=True):
        torch.testing.assert_close(average, weight)


def test_swa_is_torchs_mean_of_epochs():
    stage = SWA.stage([SWA(start=0.6), SWA(start=0.0)], ground(epochs=10))
    assert stage.recalibrates
    holder, state = Holder(), stage.start(path(0))
    reference = swa_utils.AveragedModel(holder)
    for epoch in range(10):
        weights = path(epoch)
        state = stage.after_epoch(weights, state, epoch)
        if epoch >= 6:
            holder.set(weights)
            reference.update_parameters(holder)
        if epoch == 3:  # before its start a member is evaluated with its own weights
            assert torch.equal(stage.eval_weights(weights, state)[0][0], weights[0][0])
    ours = stage.eval_weights(weights, state)
    for average, torchs in zip(ours, reference.module.values, strict=True):
        torch.testing.assert_close(average[0], torchs.detach())
    every = torch.stack([path(epoch)[0][1] for epoch in range(10)]).mean(dim=0)
    torch.testing.assert_close(ours[0][1], every)


def test_swa_of_a_single_epoch_takes_it():
    stage = SWA.stage([SWA(start=0.99)], ground(epochs=1))
    state = stage.after_epoch(path(5, 1), stage.start(path(0, 1)), 0)
    torch.testing.assert_close(stage.eval_weights(path(7, 1), state)[0], path(5, 1)[0])


@pytest.mark.parametrize(
    "records", [[EMA(horizon=1.0), EMA(horizon=3.0)], [SWA(start=0.2), SWA(start=0.5)]], ids=["ema", "swa"]
)
def test_members_are_as_alone_also_when_others_have_left(records):
    def run(records, members, leaving):
        stage = type(records[0]).stage(records, ground(epochs=5))
        state = stage.start([each[members] for each in path(0)])
        for step in range(20):
            if step == 11 and leaving:
                stage, state, members = only(stage, 1), only(state, 1), [members[1]]
            weights = [each[members] for each in path(step)]
            state = stage.after_step(weights, state, step)
            if step % 4 == 3:
                state = stage.after_epoch(weights, state, step // 4)
        return stage.eval_weights(weights, state)

    together = run(records, [0, 1], leaving=False)
    for other in (run(records[1:], [1], leaving=False), run(records, [0, 1], leaving=True)):
        for average, alone in zip(together, other, strict=True):
            torch.testing.assert_close(average[1], alone[0])


def test_snapshots_are_taken_where_the_cosine_ends():
    on, schedule = ground(epochs=10, steps_per_epoch=3), Cosine(cycles=4)
    stage = SnapshotEnsemble.stage([SnapshotEnsemble(cycles=4)] * 2, on)
    state, taken = stage.start(path(0)), []
    for step in range(on.total_steps):
        before = len(stage.answer_weights(path(step), state))
        state = stage.after_step(path(step), state, step)
        if len(stage.answer_weights(path(step), state)) > before:
            taken.append(step)
    rates = [schedule.multiplier(step, on.total_steps, 3) for step in range(on.total_steps)]
    lowest = [step for step in range(on.total_steps) if step + 1 == on.total_steps or rates[step + 1] > rates[step]]
    assert taken == lowest
    kept = stage.answer_weights(path(0), only(state, 1))
    assert len(kept) == 4
    torch.testing.assert_close(kept[0][0][0], path(taken[0])[0][1])


def recipe(**slots):
    plain = {
        "inputs": TableInputs(),
        "network": MLP(),
        "objective": CrossEntropy(),
        "optimizer": AdamW(),
        "schedule": Constant(),
        "batching": Shuffled(),
        "stopping": FixedEpochs(),
        "compute": Compute(),
    }
    return Recipe(**{**plain, **slots})


SNAPSHOTS = (SnapshotEnsemble(cycles=5),)


def test_snapshots_with_their_cosine_are_accepted():
    assert recipe(schedule=Cosine(cycles=5), techniques=SNAPSHOTS).technique(SnapshotEnsemble)


@pytest.mark.parametrize(
    ("slots", "words"),
    [
        ({"techniques": SNAPSHOTS}, "needs the schedule cosine with 5 cycles.*constant came"),
        ({"techniques": SNAPSHOTS, "schedule": Cosine(cycles=3)}, "3 cycles came"),
        ({"techniques": SNAPSHOTS, "schedule": Cosine(cycles=5, warmup=0.1)}, "without warm-up"),
        (
            {"techniques": SNAPSHOTS, "schedule": Cosine(cycles=5), "stopping": EarlyStopping()},
            "fixed number of epochs.*early-stopping came",
        ),
        (
            {"techniques": SNAPSHOTS, "schedule": Cosine(cycles=5), "stopping": FixedEpochs(epochs=4)},
            "an epoch for each of its 5 cycles.*4 came",
        ),
        ({"techniques": (EMA(), SWA())}, "ema and swa both set the averaging"),
        ({"optimizer": ScheduleFreeAdamW(), "schedule": Cosine()}, "needs the schedule constant.*cosine came"),
        ({"optimizer": ScheduleFreeAdamW(), "techniques": (EMA(),)}, "averages the weights itself.*ema"),
    ],
)
def test_contradictions_are_refused_in_a_sentence(slots, words):
    with pytest.raises(ValidationError, match=words):
        recipe(**slots)
