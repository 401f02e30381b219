"""Pretraining from the user's side: which pictures it sees, what it costs, where it is refused."""

import time

import numpy as np
import polars as pl
import pytest
import torch
from picture_cases import bars, folder
from PIL import Image
from pydantic import ValidationError

from liebig.core.run import Ending
from liebig.data.pictures.first_recipes import starting, textbook
from liebig.data.pictures.look import look_at_pictures
from liebig.data.pictures.task import picture_task, read_pictures
from liebig.nets.plain_cnn import PlainCNN
from liebig.nets.resnet import ResNet
from liebig.techniques.compute.auto import Compute
from liebig.techniques.pretraining import Autoencoder, MaskedPatches
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train import cost
from liebig.train.pictures import PICTURES
from liebig.train.training import TrainOptions, train
from liebig.trials.blocks import blocks

EVERY = pytest.mark.parametrize("settings", [Autoencoder, MaskedPatches], ids=lambda each: each.__name__)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def without_labels(path, count=24, more=30):
    """A table of pictures; the last `more` have no label."""
    pixels, labels = bars(count + more)
    path.mkdir()
    for i, picture in enumerate(pixels):
        Image.fromarray(picture).save(path / f"{i:03d}.png")
    told = [("lying", "upright")[1 - int(label)] if i < count else None for i, label in enumerate(labels)]
    pl.DataFrame({"file": [f"{i:03d}.png" for i in range(count + more)], "kind": told}).write_csv(path / "table.csv")
    return path / "table.csv"


def plain(found, epochs=2):
    return textbook(found).replace(
        network=PlainCNN(width=4, blocks=2), stopping=FixedEpochs(epochs=epochs), compute=Compute(precision="float32")
    )


def trained(found, recipe, deadline=None):
    options = TrainOptions(probes=False, keep_models=True)
    (one,) = train(
        found.task, [recipe], [blocks(found.task, 0)[0]], options=options, deadline=deadline, encoding=PICTURES
    )
    return one


def weights(found, recipe):
    return trained(found, recipe).model.weights


def test_pictures_without_a_label_stand_apart(tmp_path):
    found = picture_task(without_labels(tmp_path / "some"))
    assert len(found.task.data.pixels) == len(found.task.target) == 24
    assert found.task.data.unlabelled.shape == (30, 12, 12, 3)
    assert any("30 pictures have no label" in each for each in found.notes)
    assert picture_task(folder(tmp_path / "all")).task.data.unlabelled is None


def test_a_folder_of_pictures_without_a_label(tmp_path):
    folder(tmp_path / "tree" / "train", 24)
    folder(tmp_path / "tree" / "test", 6, seed=1)
    folder(tmp_path / "tree" / "unlabeled", 10, seed=2)
    found = picture_task(tmp_path / "tree")
    assert found.task.classes == ("lying", "upright")
    assert len(found.task.data.unlabelled) == 10
    assert len(found.task.parts.sealed) == 6
    told = look_at_pictures(read_pictures(tmp_path / "tree"))
    assert "10 pictures have no label" in told.text()


def test_pictures_of_the_test_part_are_never_pretrained_on(tmp_path):
    folder(tmp_path / "tree" / "train", 24)
    folder(tmp_path / "tree" / "test", 6, seed=1)
    Image.new("RGB", (12, 12)).save(tmp_path / "tree" / "test" / "loose.png")
    assert picture_task(tmp_path / "tree").task.data.unlabelled is None
    table = without_labels(tmp_path / "some")
    assert picture_task(folder(tmp_path / "all"), test=None).task.data.unlabelled is None
    tested = picture_task(folder(tmp_path / "more"), test=tmp_path / "tree" / "train")
    assert tested.task.data.unlabelled is None
    assert table.exists()


@EVERY
def test_it_sees_training_pictures_and_those_without_a_label(tmp_path, settings):
    """What is only judged on changes nothing; what has no label does."""
    found = picture_task(without_labels(tmp_path / "some"))
    recipe = plain(found).with_technique(settings(epochs=2, size=8))
    before = weights(found, recipe)
    judged = np.concatenate([blocks(found.task, 0)[0].select, found.task.parts.sealed])
    found.task.data.pixels[judged] = 255 - found.task.data.pixels[judged]
    torch.testing.assert_close(weights(found, recipe), before)
    found.task.data.unlabelled[:] = 255 - found.task.data.unlabelled
    assert not torch.allclose(weights(found, recipe), before)


@EVERY
def test_the_end_of_the_time_is_kept(tmp_path, settings):
    found = picture_task(folder(tmp_path / "bars", 40))
    recipe = plain(found).with_technique(settings(epochs=10_000))
    began = time.monotonic()
    run = trained(found, recipe, deadline=began + 0.5).run
    assert run.outcome.ending is Ending.OUT_OF_BUDGET
    assert time.monotonic() - began < 5


@EVERY
def test_what_it_costs_is_foreseen(tmp_path, settings, monkeypatch):
    found = picture_task(without_labels(tmp_path / "some", count=40, more=24))
    monkeypatch.setattr(cost, "step_cost", lambda *asked: cost.StepCost(0.0, 1.0))
    recipe = plain(found, epochs=4)
    short, long = (
        cost.predicted_seconds(found.task, each, 32, 1, encoding=PICTURES)
        for each in (recipe, recipe.with_technique(settings(epochs=400)))
    )
    assert long - short == pytest.approx(400 * (32 + 24) / 32)


@EVERY
def test_where_it_is_refused(settings, tmp_path):
    found = picture_task(folder(tmp_path / "bars", 40))
    with pytest.raises(ValidationError, match="however the network is mlp"):
        textbook(found).with_technique(settings())
    with pytest.raises(ValidationError, match="a backbone is pretrained already"):
        plain(found).with_technique(settings()).replace(network=ResNet(backbone="b.pth"))


def test_only_one_of_them_stands_in_a_recipe(tmp_path):
    found = picture_task(folder(tmp_path / "bars", 40))
    both = starting(found).with_technique(Autoencoder()).with_technique(MaskedPatches())
    assert both.technique(Autoencoder) is None
    assert both.technique(MaskedPatches) is not None
