"""Optimizers against torch's own for one member, members against themselves alone."""

import math

import pytest
import torch
from technique_cases import SIZE, SPECS, flat_weights, ground, only

from liebig.stack.flat import DECAYED, views
from liebig.techniques.optimizers import (
    ALL,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Momentum,
    Muon,
    NAdam,
    Nesterov,
    RMSprop,
    ScheduleFreeAdamW,
)
from liebig.techniques.optimizers.muon import orthogonal

STEPS = 20


def gradients_of(weights, step):
    """A gradient that depends on the weights, so that errors add up."""
    noise = torch.randn(weights.shape[-1], generator=torch.Generator().manual_seed(1000 + step))
    return 0.3 * weights + noise


def run(records, weights, rate_of=lambda record, step: record.learning_rate, steps=STEPS):
    stage = type(records[0]).stage(records, ground())
    weights = weights.clone()
    state = stage.start(weights)
    for step in range(steps):
        rates = torch.tensor([rate_of(record, step) for record in records])
        state = stage.step(weights, gradients_of(weights, step), rates, state, step)
    return stage, weights, state


def torch_run(build, decay, weights, rate_of=None, steps=STEPS):
    """One network with torch's optimizer: decay on weights only, as our roles say."""
    parameters = [torch.nn.Parameter(view[0].clone()) for view in views(weights[None], SPECS)]
    decayed = [p for p, spec in zip(parameters, SPECS, strict=True) if spec.role in DECAYED]
    others = [p for p, spec in zip(parameters, SPECS, strict=True) if spec.role not in DECAYED]
    optimizer = build([{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}])
    for step in range(steps):
        flat = torch.cat([p.detach().flatten() for p in parameters])
        for p, gradient in zip(parameters, views(gradients_of(flat, step)[None], SPECS), strict=True):
            p.grad = gradient[0].clone()
        if rate_of is not None:
            for group in optimizer.param_groups:
                group["lr"] = rate_of(step)
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in parameters])


REFERENCES = [
    (SGD(learning_rate=0.05, weight_decay=0.1), lambda p: torch.optim.SGD(p, lr=0.05)),
    (Momentum(learning_rate=0.05, weight_decay=0.1, momentum=0.8), lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8)),
    (
        Nesterov(learning_rate=0.05, weight_decay=0.1, momentum=0.8),
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True),
    ),
    (Adagrad(learning_rate=0.05, weight_decay=0.1), lambda p: torch.optim.Adagrad(p, lr=0.05)),
    (RMSprop(learning_rate=0.05, weight_decay=0.1), lambda p: torch.optim.RMSprop(p, lr=0.05)),
    (Adam(learning_rate=0.05, weight_decay=0.1), lambda p: torch.optim.Adam(p, lr=0.05)),
    (AdamW(learning_rate=0.05, weight_decay=0.1), lambda p: torch.optim.AdamW(p, lr=0.05)),
    (
        NAdam(learning_rate=0.05, weight_decay=0.1),
        lambda p: torch.optim.NAdam(p, lr=0.05, decoupled_weight_decay=True),
    ),
]


@pytest.mark.parametrize(("record", "build"), REFERENCES, ids=lambda value: getattr(value, "kind", ""))
def test_one_member_is_torchs_own(record, build):
    start = flat_weights(1)
    _, weights, _ = run([record], start)
    torch.testing.assert_close(weights[0], torch_run(build, record.weight_decay, start[0]), rtol=1e-5, atol=1e-6)


def test_rates_change_from_step_to_step():
    start = flat_weights(1)

    def rate(step):
        return 0.01 * (1 + step % 3)

    _, weights, _ = run([AdamW(weight_decay=0.1)], start, lambda _, step: rate(step))
    expected = torch_run(lambda p: torch.optim.AdamW(p), 0.1, start[0], rate)
    torch.testing.assert_close(weights[0], expected, rtol=1e-5, atol=1e-6)


def test_muon_is_torchs_for_hidden_matrices_and_adamw_for_the_rest():
    start, record = flat_weights(1), Muon(learning_rate=0.02, weight_decay=0.1)
    _, weights, _ = run([record], start, steps=5)
    parameters = [torch.nn.Parameter(view[0].clone()) for view in views(start, SPECS)]
    # torch's matrices are [outputs, inputs]; the scale by the longer side and the orthogonal matrix do not mind.
    hidden = [p for p, spec in zip(parameters, SPECS, strict=True) if len(spec.shape) == 2 and not spec.is_last]
    last = [p for p, spec in zip(parameters, SPECS, strict=True) if len(spec.shape) == 2 and spec.is_last]
    rest = [p for p, spec in zip(parameters, SPECS, strict=True) if len(spec.shape) == 1]
    muon = torch.optim.Muon(hidden, lr=0.02, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW([{"params": last, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=0.02)
    for step in range(5):
        flat = torch.cat([p.detach().flatten() for p in parameters])
        for p, gradient in zip(parameters, views(gradients_of(flat, step)[None], SPECS), strict=True):
            p.grad = gradient[0].clone()
        muon.step()
        adamw.step()
    # Products are in bfloat16 (three digits) on both sides, in another order.
    torch.testing.assert_close(weights[0], torch.cat([p.detach().flatten() for p in parameters]), rtol=2e-2, atol=2e-3)


def test_orthogonal_brings_singular_values_near_one():
    matrices = torch.randn(3, 24, 16, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonal(matrices).float())
    assert values.min() > 0.5
    assert values.max() < 1.3
    assert orthogonal(matrices.mT).shape == (3, 16, 24)


def schedule_free_by_the_paper(start, record, rates):
    """Algorithm 1 of arXiv:2405.15682 with its weighting by the squared (largest) rate, in double precision."""
    x, z, squares, total, largest = start.double(), start.double(), torch.zeros(SIZE).double(), 0.0, 0.0
    decayed = torch.cat([torch.full((spec.size,), float(spec.role in DECAYED)) for spec in SPECS]).double()
    for step, rate in enumerate(rates):
        y = (1 - record.beta1) * z + record.beta1 * x
        gradient = gradients_of(y.float(), step).double()
        squares = record.beta2 * squares + (1 - record.beta2) * gradient**2
        spread = (squares / (1 - record.beta2 ** (step + 1))).sqrt() + record.epsilon
        z = z - rate * (gradient / spread + record.weight_decay * decayed * y)
        largest = max(largest, rate)
        total += largest**2
        share = largest**2 / total
        x = (1 - share) * x + share * z
    return x.float(), ((1 - record.beta1) * z + record.beta1 * x).float()


def test_schedule_free_is_the_papers_formula():
    record, start = ScheduleFreeAdamW(learning_rate=0.05, weight_decay=0.1), flat_weights(1)
    rates = [0.05 * min(1.0, (step + 1) / 5) for step in range(STEPS)]
    stage, weights, state = run([record], start, lambda _, step: rates[step])
    average, middle = schedule_free_by_the_paper(start[0], record, rates)
    torch.testing.assert_close(weights[0], middle, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(stage.eval_weights(weights, state)[0], average, rtol=1e-4, atol=1e-5)


def different(kind):
    """Three records of a kind that differ in all that a member may have for itself."""
    given = kind.model_fields
    more = [{"momentum": momentum} if "momentum" in given else {} for momentum in (0.5, 0.9, 0.99)]
    return [
        kind(learning_rate=rate, weight_decay=decay, **extra)
        for rate, decay, extra in zip((0.01, 0.03, 0.1), (0.0, 0.1, 0.5), more, strict=True)
    ]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_members_are_as_alone(kind):
    records, start = different(kind), flat_weights(3)
    stage, weights, state = run(records, start)
    answers = stage.eval_weights(weights, state)
    for member, record in enumerate(records):
        alone_stage, alone, alone_state = run([record], start[member : member + 1])
        close = {"rtol": 2e-2, "atol": 2e-3} if kind is Muon else {"rtol": 1e-5, "atol": 1e-6}
        torch.testing.assert_close(weights[member], alone[0], **close)
        torch.testing.assert_close(answers[member], alone_stage.eval_weights(alone, alone_state)[0], **close)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_member_that_leaves_changes_nothing_for_the_rest(kind):
    records, start = different(kind), flat_weights(3)
    stage, weights, state = run(records, start, steps=7)
    smaller, state_left, left = only(stage, 0, 2), only(state, 0, 2), weights[[0, 2]].clone()
    for step in range(7, 14):
        rates = torch.tensor([record.learning_rate for record in records])
        state = stage.step(weights, gradients_of(weights, step), rates, state, step)
        state_left = smaller.step(left, gradients_of(left, step), rates[[0, 2]], state_left, step)
    close = {"rtol": 2e-2, "atol": 2e-3} if kind is Muon else {"rtol": 1e-5, "atol": 1e-6}
    torch.testing.assert_close(left, weights[[0, 2]], **close)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_biases_and_normalisations_do_not_decay(kind):
    records = [kind(learning_rate=0.1, weight_decay=0.5)]
    start = flat_weights(1)
    stage = kind.stage(records, ground())
    weights = start.clone()
    state = stage.start(weights)
    stage.step(weights, torch.zeros_like(weights), torch.tensor([0.1]), state, 0)
    for spec, before, after in zip(SPECS, views(start, SPECS), views(weights, SPECS), strict=True):
        assert torch.equal(before, after) == (spec.role not in DECAYED), spec.name


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_member_that_diverges_leaves_the_others_alone(kind):
    records, start = different(kind), flat_weights(3)
    _, healthy, _ = run(records, start, steps=6)
    broken = start.clone()
    broken[1] = math.nan
    _, weights, _ = run(records, broken, steps=6)
    assert torch.isfinite(weights[[0, 2]]).all()
    close = {"rtol": 2e-2, "atol": 2e-3} if kind is Muon else {"rtol": 1e-5, "atol": 1e-6}
    torch.testing.assert_close(weights[[0, 2]], healthy[[0, 2]], **close)
