"""`improve` on networks that answer for several places of a row: the words of a sentence, the pixels of a picture."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import liebig
from liebig.api.module_improving import script_of
from liebig.coach.module_training import train_module
from liebig.core.evidence import FinalScore, InitialLoss
from liebig.core.study import Diagnosed
from liebig.techniques.stopping.early_stopping import EarlyStopping

WORDS, LENGTH, ROWS, PAD = 7, 10, 240, -100
DRAW = torch.Generator().manual_seed(0)
TOKENS = torch.randint(0, WORDS, (ROWS, LENGTH), generator=DRAW)
#: A word's label is the word before it, plus one; the last words of half the rows have none.
LABELS = (TOKENS.roll(1, 1) + 1) % WORDS
LABELS[: ROWS // 2, 7:] = PAD
PICTURES = torch.rand(ROWS, 1, 6, 6, generator=DRAW)


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.read, self.head = (
            nn.Embedding(WORDS, 16),
            nn.GRU(16, 24, batch_first=True),
            nn.Linear(24, WORDS),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.read(self.embed(tokens))[0])


def over_words(answer: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(answer.flatten(0, 1), target.flatten())


def painter(channels: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, channels, 3, padding=1))


def tagging(**changes):
    given = {
        "train": (TOKENS, LABELS),
        "loss": over_words,
        "optimizer": (torch.optim.Adam, {"lr": 1e-2}),
        "epochs": 10,
        **changes,
    }
    return liebig.module(Tagger, **given)


def test_a_run_is_what_the_user_does_and_judged_over_all_places() -> None:
    found = tagging()
    first, second = train_module(found, [found.baseline], count=2, keep_models=True)[:2]
    score = first.run.evidence.get(FinalScore)
    assert score is not None
    assert score.metric == "accuracy"
    assert score.score > 0.8, "the word before tells the label"
    assert score.chance == pytest.approx(1 / WORDS, abs=0.05)
    assert score.chance_loss == pytest.approx(math.log(WORDS), rel=0.03)
    assert 0 < score.error < 0.1
    initial = first.run.evidence.get(InitialLoss)
    assert initial is not None
    assert initial.loss / initial.baseline == pytest.approx(1.0, abs=0.15), "places without a label are left out"
    # Judged by hand with the network that was trained.
    model, rows = first.model, first.run.rows
    assert model is not None
    kept = first.run.predictions
    assert kept is not None
    assert kept.shape == (len(rows), 4)
    assert kept[:, 0].sum() == (LABELS[rows] != PAD).sum()
    assert second.run.block == 1


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> liebig.ModuleStudy:
    return liebig.improve(tagging(epochs=3), trials=2, study=tmp_path_factory.mktemp("places") / "study")


def test_a_study_hands_over_a_network_that_answers_every_place(study: liebig.ModuleStudy) -> None:
    answers = study.best.predict(TOKENS[:9])
    assert answers.shape == (9, LENGTH)
    known = LABELS[:9] != PAD
    assert (answers[known.numpy()] == LABELS[:9][known].numpy()).mean() > 0.5
    assert study.best.predict_proba(TOKENS[:9]).shape == (9, LENGTH, WORDS)
    assert "accuracy" in study.summary()
    assert any("10 targets" in note for note in study.ledger.began.notes)
    assert any(each.digest == study.ledger.incumbent for each in study.ledger.all(Diagnosed))


def test_it_is_saved_and_loaded(study: liebig.ModuleStudy, tmp_path) -> None:
    study.best.save(tmp_path / "model")
    again = liebig.load(tmp_path / "model", build=Tagger)
    np.testing.assert_array_equal(again.predict(TOKENS[:20]), study.best.predict(TOKENS[:20]))


def test_its_script_counts_places_that_have_a_label(study: liebig.ModuleStudy) -> None:
    text = script_of(tagging(), study.best.recipe.replace(stopping=EarlyStopping(epochs=5)))
    assert "known = y != -100" in text
    assert "outputs.movedim(2, -1)[known]" in text
    compile(text, "train.py", "exec")


@pytest.mark.parametrize(
    ("channels", "target", "loss", "metric", "chance"),
    [
        (3, (PICTURES[:, 0] * 3).long(), nn.CrossEntropyLoss(), "accuracy", 1 / 3),
        (1, (PICTURES > 0.5).float(), nn.BCEWithLogitsLoss(), "accuracy", 1 / 2),
        (1, PICTURES, nn.MSELoss(), "rmse", 0.29),
    ],
)
def test_pictures(channels: int, target: Tensor, loss: nn.Module, metric: str, chance: float) -> None:
    found = liebig.module(
        partial(painter, channels),
        train=(PICTURES, target),
        loss=loss,
        epochs=4,
        optimizer=(torch.optim.Adam, {"lr": 1e-2}),
    )
    (run,) = (each.run for each in train_module(found, [found.baseline], count=1))
    score = run.evidence.get(FinalScore)
    assert score is not None
    assert score.metric == metric
    assert score.chance == pytest.approx(chance, abs=0.06)
    better = score.score - score.chance if score.higher_is_better else score.chance - score.score
    assert better > 0.02
    assert score.loss < score.chance_loss
    assert score.train_loss == pytest.approx(score.loss, rel=0.3), "one unit on both parts"
