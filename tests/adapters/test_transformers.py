"""Hugging Face's own Trainer on a tiny network made from a configuration, watched. Nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset
from watched import curves, left_behind, same

pytest.importorskip("transformers", reason="transformers is not installed: pip install liebig[transformers]")
pytest.importorskip("accelerate", reason="accelerate is not installed: pip install liebig[transformers]")

from transformers import (
    BertConfig,
    BertForSequenceClassification,
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from liebig.watch.adapters.transformers import TransformersWatch

pytestmark = [
    # said by torch and accelerate of themselves
    pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning"),
]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TQDM_DISABLE", "1")


class Sentences(Dataset[dict[str, Tensor]]):
    """Six tokens of twenty; the class is whether the first is below ten."""

    def __init__(self, count: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.tokens = torch.randint(0, 20, (count, 6), generator=generator)

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"input_ids": self.tokens[index], "labels": (self.tokens[index, 0] < 10).long()}


def network() -> BertForSequenceClassification:
    torch.manual_seed(0)
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=20,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=8,
            num_labels=2,
            initializer_range=0.2,  # BERT's own 0.02 is for 768 units, not for 16
        )
    )


def accuracy(answers: Any) -> dict[str, float]:
    return {"accuracy": float((answers.predictions.argmax(1) == answers.label_ids).mean())}


def trainer(folder: Path, *callbacks: TrainerCallback, epochs: int = 3, rate: float = 1e-3, **options: Any) -> Trainer:
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=16,
        learning_rate=rate,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        **{"logging_steps": 2, "eval_strategy": "epoch", "save_strategy": "no", **options},
    )
    return Trainer(
        model=network(),
        args=arguments,
        train_dataset=Sentences(96, seed=0),
        eval_dataset=Sentences(32, seed=1),
        compute_metrics=accuracy,
        callbacks=list(callbacks),
    )


def logged(made: Trainer, name: str) -> list[float]:
    return [row[name] for row in made.state.log_history if name in row]


def test_each_evaluation_is_logged_and_the_diagnosis_is_printed_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = TransformersWatch()
    made = trainer(tmp_path, watch)
    made.train()
    seen = curves(watch)
    losses = logged(made, "loss")
    assert seen.train_loss == pytest.approx([sum(losses[i : i + 3]) / 3 for i in (0, 3, 6)])
    assert seen.stop_loss == pytest.approx(logged(made, "eval_loss"))
    assert seen.stop_metric == pytest.approx(logged(made, "eval_accuracy"))
    assert watch.diagnosis is not None
    assert capsys.readouterr().out.count(str(watch.diagnosis)) == 1


def test_evaluations_within_an_epoch_are_points_of_their_own(tmp_path: Path) -> None:
    watch = TransformersWatch(quiet=True)
    made = trainer(tmp_path, watch, epochs=1, eval_strategy="steps", eval_steps=2, eval_on_start=True)
    made.train()
    assert curves(watch).train_loss == pytest.approx(logged(made, "loss"))
    assert curves(watch).stop_loss == pytest.approx(logged(made, "eval_loss")[1:])


def test_without_evaluation_there_is_a_point_for_each_epoch(tmp_path: Path) -> None:
    watch = TransformersWatch(quiet=True)
    trainer(tmp_path, watch, eval_strategy="no").train()
    assert len(curves(watch).train_loss) == 3


def test_a_watched_run_ends_with_the_same_weights_and_without_hooks(tmp_path: Path) -> None:
    plain = trainer(tmp_path)
    plain.train()
    watched = trainer(tmp_path, TransformersWatch(quiet=True))
    watched.train()
    assert same(plain.model, watched.model)
    assert left_behind(watched.model, watched.optimizer.optimizer) == []


def test_the_rate_is_found_too_high(tmp_path: Path) -> None:
    watch = TransformersWatch(quiet=True)
    trainer(tmp_path, watch, rate=3.0, max_grad_norm=0.0).train()
    assert watch.diagnosis is not None
    assert watch.diagnosis.findings[0].check.name == "learning-rate-too-high"


def test_a_healthy_run_raises_no_alarm(tmp_path: Path) -> None:
    watch = TransformersWatch(quiet=True)
    trainer(tmp_path, watch, gradient_accumulation_steps=2).train()
    assert watch.diagnosis is not None
    assert [each.check.name for each in watch.diagnosis.warnings if each.check.name != "still-improving"] == []


def test_early_stopping_ends_the_watch(tmp_path: Path) -> None:
    watch = TransformersWatch(quiet=True)
    made = trainer(
        tmp_path,
        EarlyStoppingCallback(early_stopping_patience=1),
        watch,
        epochs=20,
        rate=0.0,
        save_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model="loss",
    )
    made.train()
    assert len(curves(watch).train_loss) == 2
    assert watch.diagnosis is not None
    assert left_behind(made.model, made.optimizer.optimizer) == []


class Failing(TrainerCallback):
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 3:
            raise RuntimeError("a file is missing")


def test_an_exception_ends_the_watch_of_a_with_block(tmp_path: Path) -> None:
    with TransformersWatch(quiet=True) as watch:
        made = trainer(tmp_path, watch, Failing())
        with pytest.raises(RuntimeError, match="a file is missing"):
            made.train()
    assert left_behind(made.model, made.optimizer.optimizer) == []


def test_the_next_training_ends_the_watch_of_one_that_failed(tmp_path: Path) -> None:
    watch = TransformersWatch(quiet=True)
    made = trainer(tmp_path, watch, Failing())
    with pytest.raises(RuntimeError, match="a file is missing"):
        made.train()
    made.remove_callback(Failing)
    made.train()
    assert watch.diagnosis is not None
    assert left_behind(made.model, made.optimizer.optimizer) == []
