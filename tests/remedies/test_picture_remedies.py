"""Every remedy meets recipes of pictures: what it proposes is valid, different, and reads pictures."""

from dataclasses import replace

import numpy as np
import pytest
import remedy_cases
from remedy_cases import found, situation

from liebig import remedies
from liebig.checks.overfitting import Overfitting
from liebig.checks.underfitting import Underfitting
from liebig.core.task import TaskKind
from liebig.data.pictures.first_recipes import mirrored, starting, textbook
from liebig.data.pictures.inputs import PictureInputs
from liebig.data.pictures.task import picture_task
from liebig.nets.plain_cnn import PlainCNN
from liebig.nets.residual_cnn import ResidualCNN
from liebig.nets.resnet import ResNet
from liebig.nets.whitened_cnn import WhitenedCNN
from liebig.remedies.mirror_pictures import MirrorPictures
from liebig.remedies.parts import parts
from liebig.remedies.pretrain_network import PretrainNetwork
from liebig.remedies.unfreeze_backbone import UnfreezeBackbone
from liebig.remedies.use_convolutions import UseConvolutions
from liebig.techniques.batches.random_flip import RandomFlip


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    return picture_task((rng.integers(0, 255, (90, 12, 12, 3), dtype=np.uint8), np.arange(90) % 3))


def recipes_of(task):
    first = textbook(task)
    return [
        first, starting(task), mirrored(starting(task)), first.replace(network=PlainCNN(normalised=False)),
        first.replace(network=ResidualCNN()), first.replace(network=ResNet(backbone="b.pth", trains="output")),
        first.replace(inputs=PictureInputs(scale="none")),
    ]  # fmt: skip


@pytest.mark.parametrize("remedy", remedies.ALL, ids=lambda each: each.name)
def test_what_is_proposed_is_valid_and_another_recipe(task, remedy):
    for recipe in recipes_of(task):
        for finding in (None, *(found(check, 0.9, place="layers.0") for check in remedy.answers if not check.of_code)):
            try:
                proposed = remedy.propose(recipe, finding, situation(TaskKind.MULTICLASS, found_rate=1e-3))
            except KeyError:  # a finding whose facts it reads
                continue
            for each in proposed:
                assert each.recipe.digest != recipe.digest
                assert isinstance(each.recipe.inputs, PictureInputs), each.name
                assert each.recipe.replace().digest == each.recipe.digest


def names(remedy, recipe, check):
    return [each.name for each in remedy.propose(recipe, found(check, 0.9), situation(TaskKind.MULTICLASS))]


def test_dense_layers_on_pixels_become_convolutions(task):
    kinds = {
        type(each.recipe.network)
        for each in UseConvolutions().propose(textbook(task), found(Underfitting, 0.9), situation(TaskKind.MULTICLASS))
    }
    assert kinds == {PlainCNN, WhitenedCNN}
    assert not names(UseConvolutions(), starting(task), Underfitting)


def test_mirror_images_are_asked_for_once(task):
    plain = textbook(task).replace(network=PlainCNN())
    (proposal,) = MirrorPictures().propose(plain, found(Overfitting, 0.9), situation(TaskKind.MULTICLASS))
    assert proposal.recipe.network.mirrored
    assert names(MirrorPictures(), proposal.recipe, Overfitting) == ["augment: mirror images by turns"]


def test_mirror_images_may_come_by_turns(task):
    (proposal,) = MirrorPictures().propose(
        mirrored(starting(task)), found(Overfitting, 0.9), situation(TaskKind.MULTICLASS)
    )
    assert proposal.recipe.technique(RandomFlip).alternating
    assert not names(MirrorPictures(), proposal.recipe, Overfitting)


def test_few_labels_are_pretrained_on(task):
    recipe = starting(task)
    proposals = PretrainNetwork().propose(recipe, found(Overfitting, 0.9), situation(TaskKind.MULTICLASS))
    kinds = [sorted(each.kind for each in one.recipe.techniques if each not in recipe.techniques) for one in proposals]
    assert kinds == [["masked-patches"], ["autoencoder"], ["deferred-layers", "masked-patches"]]
    (then,) = names(PretrainNetwork(), proposals[0].recipe, Overfitting)
    assert then == "pretrain: then the output layer first"
    assert not names(PretrainNetwork(), proposals[2].recipe, Overfitting)


def test_rows_of_a_table_are_pretrained_on_where_as_many_have_no_target():
    table = remedy_cases.recipe()
    asked = [replace(situation(), rows=400, unlabelled=count) for count in (0, 399, 400)]
    told = [[each.name for each in PretrainNetwork().propose(table, found(Overfitting, 0.9), one)] for one in asked]
    assert told == [[], [], ["pretrain: autoencoder", "pretrain: masked features"]]
    (first, _) = PretrainNetwork().propose(table, found(Overfitting, 0.9), asked[2])
    assert not PretrainNetwork().propose(first.recipe, found(Overfitting, 0.9), asked[2])
    many = replace(asked[2], rows=50_000, unlabelled=90_000)
    assert not PretrainNetwork().propose(table, found(Overfitting, 0.9), many)


def test_dense_layers_backbones_and_many_labels_are_not(task):
    assert not names(PretrainNetwork(), textbook(task), Overfitting)
    frozen = textbook(task).replace(network=ResNet(backbone="b.pth"))
    assert not names(PretrainNetwork(), frozen, Overfitting)
    many = replace(situation(TaskKind.MULTICLASS), rows=50_000)
    assert not PretrainNetwork().propose(starting(task), found(Overfitting, 0.9), many)


def test_a_backbone_is_unfrozen_step_by_step(task):
    frozen = textbook(task).replace(network=ResNet(backbone="b.pth", trains="output"))
    told = names(UnfreezeBackbone(), frozen, Underfitting)
    assert len(told) == 4
    last = frozen.replace(network=ResNet(backbone="b.pth", trains="last-stage"))
    assert len(names(UnfreezeBackbone(), last, Underfitting)) == 3
    assert not names(UnfreezeBackbone(), frozen.replace(network=ResNet(backbone="b.pth")), Underfitting)


def test_the_starting_recipe_comes_apart_into_named_parts(task):
    told = {part.path: part.name for part in parts(textbook(task), mirrored(starting(task)), task.task.kind)}
    for path in ("techniques.random-crop", "techniques.random-flip", "techniques.colour-jitter", "techniques.cutout"):
        assert path in told
    assert told["techniques.random-crop"].startswith("random crops")
