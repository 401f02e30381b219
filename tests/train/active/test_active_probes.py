"""What active probes measure on tiny networks, sick and healthy."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from probed_networks import Named, Noisy, Steps, blobs, mlp, sequences, subject, trained
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Subset, TensorDataset

from liebig.core.card import card_of
from liebig.core.errors import UserError
from liebig.core.evidence import (
    AugmentedScore,
    Causality,
    ClassRecall,
    Cooled,
    FasterSettings,
    FinalScore,
    InputScales,
    LabelAgreement,
    LearningCurve,
    LoaderWait,
    Measurement,
    NoiseScale,
    OneBatch,
    PartShift,
    RateRange,
    Regularised,
    SameBatchTwice,
    SharedRows,
    ShuffledInputs,
)
from liebig.train.active import ALL, Probed, Subject, probe, probe_all
from liebig.train.active.judging import Judge, judge_for
from liebig.train.active.running import run_probes


def only(kind: type[Measurement], given: Subject, seconds: float = 6.0) -> Probed:
    return run_probes(given, [each for each in ALL if each.makes is kind], seconds)


def measured(kind: type[Any], given: Subject) -> Any:
    found = only(kind, given)
    value = found.evidence.get(kind)
    assert value is not None, found.reasons
    return value


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.makes.__name__)
def test_every_probe_has_its_card(each: Any) -> None:
    assert {"Does", "Shows", "Misleads", "Source"} <= set(card_of(each.makes.__name__, type(each)).sections)


def test_each_measurement_has_one_probe() -> None:
    assert len({each.makes for each in ALL}) == len(ALL)


def test_whole_run_is_bounded_and_tells_reasons() -> None:
    found = probe(trained(subject()))
    assert found.seconds < 6.0
    assert {each.makes.__name__ for each in ALL} == {type(each).__name__ for each in found.evidence} | set(
        found.reasons
    )
    assert "no loader" in found.reasons["LoaderWait"]


def test_same_seed_same_evidence() -> None:
    given = trained(subject())
    kinds = (FinalScore, OneBatch, RateRange, ShuffledInputs, NoiseScale)
    one, other = probe_all(given), probe_all(given)
    assert [one.get(kind) for kind in kinds] == [other.get(kind) for kind in kinds]


def test_final_score_is_that_of_the_network() -> None:
    given = trained(subject())
    inputs, labels = given.valid
    given.model.eval()
    with torch.no_grad():
        answers = given.model(inputs)
    given.model.train()
    score = measured(FinalScore, given)
    assert score.score == pytest.approx(float((answers.argmax(1) == labels).float().mean()))
    assert score.loss == pytest.approx(float(functional.cross_entropy(answers, labels)), rel=1e-5)
    assert score.chance == pytest.approx(float(labels.bincount()[given.train[1].bincount().argmax()]) / len(labels))
    assert (score.metric, score.select_rows, score.train_rows) == ("accuracy", 80, 200)


@pytest.mark.parametrize(
    ("head", "loss"),
    [
        (nn.Softmax(1), lambda p, y: functional.nll_loss(p.clamp(min=1e-9).log(), y)),
        (nn.LogSoftmax(1), functional.nll_loss),
        (nn.Identity(), functional.cross_entropy),
    ],
)
def test_answers_are_read_in_their_own_scale(head: nn.Module, loss: Any) -> None:
    given = trained(subject(nn.Sequential(mlp(), head), loss=loss))
    score = measured(FinalScore, given)
    assert score.score > 0.9
    assert score.loss < 0.4


def test_numbers_are_judged_in_units_of_their_variance() -> None:
    x = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
    y = 1_000.0 * x[:, 0]
    given = subject(mlp(classes=1), train=(x, y), valid=(x[:50], y[:50]), loss=nn.MSELoss())
    score = measured(FinalScore, given)
    assert (score.metric, score.higher_is_better) == ("rmse", False)
    assert score.loss == pytest.approx(score.chance_loss, rel=0.1)
    assert score.chance == pytest.approx(float(y[:50].std()), rel=0.1)


def test_yes_or_no() -> None:
    x, y = blobs(classes=2)
    given = subject(mlp(classes=1), train=(x, y.float()), valid=(x, y.float()), loss=nn.BCEWithLogitsLoss())
    found = probe_all(given)
    assert found.get(FinalScore) is not None
    recall = found.get(ClassRecall)
    assert recall is not None
    assert sum(recall.prior) == pytest.approx(1.0)
    assert recall.rows == (int((y == 0).sum()), int((y == 1).sum()))


def test_class_recall_names_classes() -> None:
    recall = measured(ClassRecall, trained(subject(classes=("a", "b", "c"))))
    assert recall.classes == ("a", "b", "c")
    assert min(recall.auc) > 0.95


def test_input_scales() -> None:
    x, y = blobs()
    x = x * torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 1_000.0])
    scales = measured(InputScales, subject(train=(x, y)))
    assert scales.spread[5] == pytest.approx(float(x[:, 5].std(correction=0)), rel=1e-4)
    assert len(scales.columns) == 6


def test_same_batch_twice_tells_training_mode() -> None:
    assert measured(SameBatchTwice, trained(subject())).as_called < 1e-5
    as_called = measured(SameBatchTwice, trained(subject(evaluates_in_training=True)))
    assert as_called.as_called > 0.05
    assert as_called.in_evaluation < 1e-5


def test_one_batch_is_learnt_by_a_healthy_network_only() -> None:
    healthy = measured(OneBatch, subject())
    assert healthy.last_loss < 0.1 * healthy.chance_loss
    assert healthy.accuracy == 1.0
    dead = mlp()
    with torch.no_grad():
        dead[1].bias.fill_(-50.0)
    sick = measured(OneBatch, subject(dead))
    assert sick.last_loss > 0.8 * sick.chance_loss


def test_one_batch_of_a_network_whose_start_is_not_known() -> None:
    assert measured(OneBatch, dataclasses.replace(trained(subject()), initial=None)).accuracy == 1.0


def test_rate_range_finds_a_rate_between() -> None:
    found = measured(RateRange, subject())
    assert 1e-4 < found.found < 1.0
    assert found.used == 1e-2
    assert found.found <= found.largest
    assert len(found.rates) == len(found.losses)


def test_rate_range_of_a_network_that_cannot_learn() -> None:
    blind = mlp()
    with torch.no_grad():
        blind[4].weight.zero_()
        blind[4].bias.zero_()
    labels = torch.arange(200) % 3
    found = measured(RateRange, subject(blind, train=(torch.zeros(200, 6), labels)))
    assert math.isnan(found.found)
    assert math.isnan(found.largest)


def test_the_rate_of_the_loop_is_the_largest_it_used() -> None:
    given = subject()
    given.optimizers[0].param_groups[0]["lr"] = 0.0  # a cosine at its end
    assert measured(ShuffledInputs, dataclasses.replace(given, rate=1e-2)).true_loss < 0.5


def test_shuffled_inputs_tell_signal_from_none() -> None:
    healthy = measured(ShuffledInputs, subject())
    assert healthy.true_loss < 0.5 * healthy.shuffled_loss
    (x, y), (vx, vy) = blobs(), blobs(80, seed=1)
    order = torch.randperm(200, generator=torch.Generator().manual_seed(4))
    sick = measured(ShuffledInputs, subject(train=(x, y[order]), valid=(vx, vy[order[order < 80]])))
    assert sick.true_loss > 0.9 * min(sick.shuffled_loss, sick.chance_loss)


def test_shuffled_inputs_without_rows_for_evaluation() -> None:
    assert measured(ShuffledInputs, subject(valid=None)).true_loss < 0.5


def _mislabelled(share: float, classes: int = 3) -> tuple[Tensor, Tensor, set[int]]:
    x, y = blobs(400, classes=classes)
    generator = torch.Generator().manual_seed(8)
    hit = torch.rand(400, generator=generator) < share
    other = (y + torch.randint(1, classes, (400,), generator=generator)) % classes
    return x, torch.where(hit, other, y), set(hit.nonzero()[:, 0].tolist())


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_label_agreement_finds_the_share_and_the_rows(share: float) -> None:
    x, y, wrong = _mislabelled(share)
    found = measured(LabelAgreement, subject(train=(x, y)))
    assert found.share == pytest.approx(len(wrong) / 400, abs=2.5 * found.error + 0.01)
    if share:
        assert found.share > 2 * found.error
        assert len([row for row, _, _ in found.suspects if row in wrong]) >= 0.8 * len(found.suspects) > 10
        assert all(given != likelier for _, given, likelier in found.suspects)


def test_overlapping_classes_are_no_wrong_labels() -> None:
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 2, (600,), generator=generator)
    x = torch.randn(600, 6, generator=generator) + 0.8 * (2 * y[:, None] - 1) * torch.tensor([1.0, 1, 0, 0, 0, 0])
    found = measured(LabelAgreement, subject(mlp(classes=2), train=(x, y)))
    assert found.share < max(2 * found.error, 0.03)


def test_label_agreement_says_nothing_where_nothing_is_predicted() -> None:
    x, y = blobs()
    y = y[torch.randperm(200, generator=torch.Generator().manual_seed(4))]
    found = measured(LabelAgreement, subject(train=(x, y)))
    assert found.share == 0.0
    assert math.isnan(found.error)
    assert found.neighbours < 3.0
    assert measured(LabelAgreement, subject()).neighbours > 10.0


def test_answers_made_of_other_rows_are_seen() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp()

        def forward(self, x: Tensor) -> Tensor:
            answers: Tensor = self.net(x)
            return answers - answers.mean(0)

    assert measured(SameBatchTwice, subject(Mixed())).mixed > 0.05
    assert measured(SameBatchTwice, subject()).mixed == 0.0


def test_a_penalty_within_the_loss_is_no_pull_of_the_data() -> None:
    net = mlp()

    def penalised(answers: Tensor, target: Tensor) -> Tensor:
        return functional.cross_entropy(answers, target) + 10.0 * sum(each.square().sum() for each in net.parameters())

    plain, heavy = measured(Regularised, subject(net)), measured(Regularised, subject(net, loss=penalised))
    assert plain.penalty_pull == 0.0
    assert heavy.penalty_pull > 3.0 * heavy.data_pull


def test_shared_rows() -> None:
    x, y = blobs()
    assert measured(SharedRows, subject()).share == 0.0
    assert measured(SharedRows, subject(valid=(x[:50], y[:50]))).share == 1.0
    near = torch.cat([x[:20] + 1e-4, blobs(20, seed=7)[0]])
    assert measured(SharedRows, subject(valid=(near, y[:40]))).share == pytest.approx(0.5)


def test_rows_of_few_values_meet_by_chance() -> None:
    x = torch.randint(0, 2, (300, 3), generator=torch.Generator().manual_seed(0)).float()
    y = x[:, 0].long()
    given = subject(mlp(classes=2, features=3), train=(x[:200], y[:200]), valid=(x[200:], y[200:]))
    assert measured(SharedRows, given).share < 0.1


def test_regularised_pulls() -> None:
    weak = measured(Regularised, subject())
    assert weak.penalty_pull == 0.0
    assert weak.data_pull > 0
    model = mlp()
    strong = measured(
        Regularised, subject(model, optimizers=(torch.optim.SGD(model.parameters(), 0.1, weight_decay=2.0),))
    )
    assert strong.penalty_pull > strong.data_pull
    usual = measured(Regularised, subject(model, optimizers=(torch.optim.AdamW(model.parameters(), 1e-3),)))
    assert usual.penalty_pull < 0.05 * usual.data_pull


def test_regularised_by_dropout() -> None:
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.9), nn.Linear(16, 3))
    found = measured(Regularised, trained(subject(model)))
    assert found.training_loss > 1.3 * found.evaluation_loss


def test_noise_scale() -> None:
    found = measured(NoiseScale, subject())
    assert found.low <= found.scale <= found.high
    assert found.batch == 16
    assert 0.5 < found.scale < 200


class _Slow(TensorDataset):
    def __getitem__(self, i: Any) -> Any:
        time.sleep(1e-3)
        return super().__getitem__(i)


def test_loader_wait() -> None:
    slow = measured(LoaderWait, subject(train=DataLoader(_Slow(*blobs(60)), batch_size=8)))
    assert slow.wait > 8e-3
    assert slow.wait > 2 * slow.cached
    assert slow.workers == 0
    assert slow.place.startswith("test_active_probes.py:")
    fast = measured(LoaderWait, subject(train=DataLoader(TensorDataset(*blobs()), batch_size=8)))
    assert fast.wait < slow.wait / 4
    assert fast.place == ""


@pytest.mark.parametrize("causal", [True, False])
def test_causality(causal: bool) -> None:
    train = sequences()
    loss = lambda out, y: functional.cross_entropy(out.reshape(-1, 7), y.reshape(-1))  # noqa: E731
    found = measured(Causality, subject(Steps(causal), train=train, valid=train, loss=loss))
    assert found.claimed
    assert (found.length, found.moved > 1e-3) == (12, not causal)
    assert found.layer == ("" if causal else "attention")


def test_a_tagger_may_see_the_whole_sequence() -> None:
    x, _ = sequences()
    assert not measured(Causality, subject(Steps(False), train=(x, (x + 1) % 7), valid=None)).claimed


def test_plain_shapes_are_found_for_sequences() -> None:
    train = sequences()
    found = probe_all(subject(Steps(True), train=train, valid=train, loss=nn.CrossEntropyLoss()))
    score = found.get(FinalScore)
    assert score is not None
    assert score.chance_loss == pytest.approx(math.log(7), rel=0.05)


def test_augmentation_that_hides_the_label() -> None:
    train = Noisy(blobs(), lambda x: x + 30.0 * torch.randn_like(x))
    valid = Noisy(blobs(80, seed=1), lambda x: x)
    given = dataclasses.replace(trained(subject()), train=DataLoader(train, batch_size=16), valid=valid, steps=60)
    found = measured(AugmentedScore, given)
    assert found.clean > 0.9
    assert found.augmented < 0.7
    assert found.trained_clean > 0.9
    inner = dataclasses.replace(given, train=Subset(train, range(100)))
    assert measured(AugmentedScore, inner).clean > 0.9
    assert "same inputs" in only(AugmentedScore, dataclasses.replace(given, train=valid)).reasons["AugmentedScore"]


def test_learning_curve_of_too_few_rows() -> None:
    x, y = blobs(60, features=30)
    vx, vy = blobs(300, features=30, seed=1)
    x, vx = x / 3 + 2 * torch.randn(60, 30, generator=torch.Generator().manual_seed(1)), vx / 3
    vx = vx + 2 * torch.randn(300, 30, generator=torch.Generator().manual_seed(2))
    given = trained(subject(mlp(features=30), train=(x, y), valid=(vx, vy)), 200)
    found = measured(LearningCurve, given)
    assert found.rows == (15, 30, 60)
    assert found.loss[0] > found.loss[2]
    healthy = only(LearningCurve, trained(subject()))
    assert "about as good" in healthy.reasons["LearningCurve"]


class _Batches:
    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        x, y = blobs()
        for rows in torch.arange(200).split(16):
            yield {"inputs": x[rows], "labels": y[rows]}


def test_networks_that_return_their_loss_and_take_dictionaries() -> None:
    found = probe(subject(Named(), loss=None, train=_Batches(), valid=_Batches()))
    assert {FinalScore, OneBatch, RateRange, ShuffledInputs} <= {type(each) for each in found.evidence}, found.reasons


def test_a_step_of_the_users_own() -> None:
    def step(model: nn.Module, batch: Any) -> Tensor:
        return functional.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.1)

    found = probe(subject(step=step, loss=None))
    assert {FinalScore, OneBatch, RateRange, ShuffledInputs} <= {type(each) for each in found.evidence}, found.reasons


def test_answers_in_a_tuple_and_several_inputs() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = mlp()

        def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
            return self.inner(torch.cat([a, b], 1)), a

    x, y = blobs()
    data = TensorDataset(x[:, :2], x[:, 2:], y)
    found = probe(subject(Two(), train=data, valid=data))
    assert {FinalScore, OneBatch, ShuffledInputs, SharedRows} <= {type(each) for each in found.evidence}, found.reasons


def test_rows_of_different_lengths() -> None:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(5, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.embed(x).mean(1))

    generator = torch.Generator().manual_seed(0)
    batches = [
        (torch.randint(0, 5, (8, length), generator=generator), torch.randint(0, 3, (8,), generator=generator))
        for length in range(3, 13)
    ]
    found = probe(subject(Mean(), train=batches, valid=batches))
    assert {FinalScore, OneBatch, RateRange} <= {type(each) for each in found.evidence}, found.reasons
    assert "put together" in found.reasons["ShuffledInputs"]


def test_two_optimizers_groups_and_a_closure() -> None:
    model = mlp()
    two = (
        torch.optim.SGD(
            [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[1].parameters(), "lr": 0.01}], lr=0.1
        ),
        torch.optim.Adam(model[4].parameters(), lr=1e-3),
    )
    assert measured(ShuffledInputs, subject(model, optimizers=two)).true_loss < 0.6
    lbfgs = (torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3),)
    assert measured(ShuffledInputs, subject(model, optimizers=lbfgs)).true_loss < 0.9


def test_compiled_and_parallel_wrappers_are_taken_off() -> None:
    model = mlp()
    wrapped = nn.DataParallel(model)
    initial = {name: value.clone() for name, value in wrapped.state_dict().items()}
    found = probe_all(subject(wrapped, optimizers=(torch.optim.Adam(model.parameters(), 1e-2),), initial=initial))
    assert found.get(OneBatch) is not None


def test_a_shape_that_broadcasts_is_squeezed_unless_the_loop_broadcasts() -> None:
    x, y = torch.randn(100, 6, generator=torch.Generator().manual_seed(0)), torch.zeros(100)
    y = x.sum(1)
    given = subject(mlp(classes=1), train=(x, y), valid=(x, y), loss=functional.mse_loss)
    assert measured(OneBatch, given).last_loss < 0.2 * measured(OneBatch, given).chance_loss


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"train": None}, "no training data"),
        ({"train": iter([blobs()])}, "more than once"),
        ({"train": 3}, "DataLoader"),
        ({"train": (torch.zeros(0, 6), torch.zeros(0))}, "at least one row"),
        ({"train": blobs(features=5)}, "RuntimeError"),
    ],
)
def test_what_cannot_be_probed_says_why(changes: dict[str, Any], reason: str) -> None:
    found = probe(subject(**changes))
    assert not tuple(found.evidence)
    assert all(reason in each for each in found.reasons.values())
    assert len(found.reasons) == len(ALL)


def test_no_time_is_a_mistake_and_little_time_is_kept() -> None:
    with pytest.raises(UserError, match="above 0"):
        probe(subject(), seconds=0)
    began = time.perf_counter()
    probe(subject(), seconds=0.05)
    assert time.perf_counter() - began < 2.0


def test_a_network_whose_answers_are_not_finite() -> None:
    model = mlp()
    with torch.no_grad():
        model[4].bias.fill_(math.nan)
    found = probe(subject(model))
    assert found.evidence.get(FinalScore) is None
    assert "not finite" in found.reasons["FinalScore"]


def test_part_shift() -> None:
    same = measured(PartShift, subject())
    assert same.auc < 0.5 + 3 * same.error
    assert same.column == ""
    x, y = blobs(80, seed=1)
    moved = x.clone()
    moved[:, 2] += 6.0
    sick = measured(PartShift, subject(valid=(moved, y)))
    assert sick.auc > 0.8
    assert sick.column == "2"


def test_faster_settings_of_a_network_in_double_precision() -> None:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(6, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 3)).double()

    class Widening(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x.double()).float()

    model = Widening()
    given = subject(model, valid=None, batch=200)
    found = measured(FasterSettings, given)
    assert found.names[0] == "float32"
    assert found.with_setting[0] < found.seconds
    assert all(each.dtype is torch.float64 for each in model.parameters())


def test_language_models_that_shift_their_labels_themselves() -> None:
    class Shifting(nn.Module):
        def __init__(self, causal: bool) -> None:
            super().__init__()
            self.inner = Steps(causal)

        def forward(self, inputs: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
            logits = self.inner(inputs)
            if labels is None:
                return {"logits": logits}
            loss = functional.cross_entropy(logits[:, :-1].reshape(-1, 7), labels[:, 1:].reshape(-1))
            return {"loss": loss, "logits": logits}

    x = torch.arange(13).repeat(40, 1).add(torch.arange(40)[:, None]) % 7  # each word is followed by the next
    given = subject(Shifting(False), loss=None, train={"inputs": x, "labels": x.clone()}, valid=None)
    leak = measured(Causality, given)
    assert leak.claimed
    assert leak.layer == "inner.attention"
    batch = measured(OneBatch, given)
    assert batch.accuracy == 1.0
    assert batch.chance_loss == pytest.approx(math.log(7), rel=0.05)


def test_the_rate_let_down_wins_where_steps_are_too_noisy_and_nothing_where_they_are_small() -> None:
    torch.manual_seed(0)
    x = torch.randn(200, 6)
    y = x[:, :1] + 0.7 * torch.randn(200, 1)

    def cooled(rate: float) -> Any:
        net = nn.Linear(6, 1)
        optimizer = torch.optim.SGD(net.parameters(), rate)
        batches = DataLoader(TensorDataset(x, y), 2, shuffle=True)
        for _ in range(3):
            for a, b in batches:
                optimizer.zero_grad()
                functional.mse_loss(net(a), b).backward()
                optimizer.step()
        return measured(
            Cooled,
            Subject(net, (optimizer,), functional.mse_loss, train=batches, valid=(x, y), steps=300, rate=rate, batch=2),
        )

    noisy, quiet = cooled(0.1), cooled(0.002)
    assert noisy.steady_loss - noisy.cooled_loss > 0.03 * noisy.chance_loss
    assert quiet.steady_loss - quiet.cooled_loss < 0.01 * quiet.chance_loss
    assert noisy.train_steady - noisy.train_cooled > 4 * noisy.train_error
    assert quiet.train_before == pytest.approx(quiet.train_steady, rel=0.6), "one unit"
    assert quiet.train_steady - quiet.train_cooled < 0.01


def test_a_rate_is_not_let_down_where_all_is_learnt() -> None:
    net = nn.Linear(6, 1)
    x = torch.randn(200, 6)
    given = Subject(
        net, (torch.optim.SGD(net.parameters(), 0.1),), functional.mse_loss, train=(x, net(x).detach()),
        valid=(x, net(x).detach()), steps=300, rate=0.1, batch=16,
    )  # fmt: skip
    assert "nearly all" in only(Cooled, given).reasons["Cooled"]


def test_logits_of_shares_are_not_judged_as_numbers() -> None:
    shares = torch.linspace(0.01, 0.99, 64)[:, None].expand(64, 3)
    assert isinstance(judge_for(shares.logit() * 1.1, shares, 30.0), str)
    assert isinstance(judge_for(shares * 0.9, shares, 0.1), Judge)
    assert isinstance(judge_for(torch.randn(64, 3) * 50, shares, 0.1), Judge)  # a regression that went astray
