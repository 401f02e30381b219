"""Remedies on networks of the user's own: what they propose can be done to the network, and says what it changes."""

import sys
from pathlib import Path

import pytest
import torch
from remedy_cases import curves, found, recipe, situation
from torch import nn

from liebig import remedies
from liebig.checks.loss_output_mismatch import LossOutputMismatch
from liebig.checks.missing_nonlinearity import MissingNonlinearity
from liebig.checks.not_learning import NotLearning
from liebig.checks.overfitting import Overfitting
from liebig.checks.unscaled_inputs import UnscaledInputs
from liebig.checks.unscaled_targets import UnscaledTargets
from liebig.checks.vanishing_gradient import VanishingGradient
from liebig.core.evidence import InputScales
from liebig.core.task import TaskKind
from liebig.data.module.inputs import ModuleInputs
from liebig.nets.edits import InsertDropout, InsertNormalisation, RemoveOutputActivation, ScaleInputs, WidenHidden
from liebig.nets.surgery import Materials, SurgeryRefused, anatomy_of, network_for, statistics_of
from liebig.nets.user_module import UserModule
from liebig.remedies.edits import merged
from liebig.remedies.match_loss import MatchLoss
from liebig.remedies.more_dropout import MoreDropout
from liebig.remedies.networks import network_in
from liebig.remedies.noise_on_features import NoiseOnFeatures
from liebig.remedies.ranking import proposals
from liebig.remedies.seed_ensemble import EnsembleOfSeeds
from liebig.remedies.standardise_inputs import StandardiseInputs
from liebig.remedies.standardise_target import StandardiseTarget
from liebig.techniques.batching.shuffled import Shuffled
from liebig.techniques.objectives.mse import MSE

sys.path.append(str(Path(__file__).parents[1] / "nets"))
from foreign_cases import CASES

ALL_CHECKS = {check.name: check for remedy in remedies.ALL for check in remedy.answers}


def own(case, **slots):
    build, example = CASES[case]
    anatomy = anatomy_of(build(), example)
    made = recipe(**{"inputs": ModuleInputs(), "network": UserModule(source=f"cases:{case}"), **slots})
    materials = Materials(build, example, statistics_of([example[0]], anatomy))
    return made, situation(TaskKind.MULTICLASS, curves(), anatomy, found_rate=0.02), materials


@pytest.mark.parametrize("case", CASES)
def test_whatever_is_proposed_can_be_done(case):
    start, around, materials = own(case)
    tried = 0
    for remedy in remedies.ALL:
        for finding in [None, *(found(check, 0.9, kind="softmax-twice", advised=32.0) for check in remedy.answers)]:
            for proposal in remedy.propose(start, finding, around):
                tried += 1
                for change in start.diff(proposal.recipe):
                    assert any(change.path == path or change.path.startswith(f"{path}.") for path in remedy.changes)
                again = remedy.propose(proposal.recipe, finding, around)
                assert proposal.recipe.digest not in {each.recipe.digest for each in again}
                if proposal.recipe.network != start.network:
                    network_for(proposal.recipe.network, materials, 0)
    assert tried > 30


@pytest.mark.parametrize("case", CASES)
def test_two_changes_after_each_other_can_be_done(case):
    """The second remedy meets a network that the first has changed."""
    start, around, materials = own(case)
    refused, done = [], 0
    finding = found(VanishingGradient, 0.9)
    first = [each for each in proposals(start, [finding], around) if each.recipe.network != start.network]
    for place, one in enumerate(first):
        others = [
            each for each in proposals(one.recipe, [finding], around) if each.recipe.network != one.recipe.network
        ]
        for other in others[place % 2 :: 2]:  # half of the pairs; the other order of a pair is in the other half
            done += 1
            try:
                network_for(other.recipe.network, materials, 0)
            except SurgeryRefused as reason:
                refused.append((one.name, other.name, str(reason)))
    assert len(refused) <= done // 20, refused


def test_nothing_on_the_network_without_its_anatomy():
    start, _, _ = own("pictures")
    for remedy in remedies.ALL:
        for finding in [None, *(found(check, 0.9) for check in remedy.answers)]:
            for proposal in remedy.propose(start, finding, situation(TaskKind.MULTICLASS, curves())):
                assert proposal.recipe.network == start.network, remedy.name


def test_words_are_not_scaled_nor_blurred():
    start, around, _ = own("tokens")
    names = {each.remedy for each in proposals(start, [found(UnscaledInputs), found(Overfitting)], around)}
    assert not names & {
        "standardise-inputs",
        "noise-on-features",
        "mix-rows",
        "range-for-activation",
        "normalise-inputs",
    }


def test_pictures_are_scaled_inside_the_network():
    start, around, _ = own("pictures")
    changed = StandardiseInputs().propose(start, found(UnscaledInputs), around)[0].recipe
    assert changed.network.edits == (ScaleInputs(),)
    assert StandardiseInputs().propose(changed, found(UnscaledInputs), around) == ()
    assert StandardiseInputs().propose(start, None, around) == ()  # nobody knows that they are raw
    scaled = InputScales(("a",), (0.1,), (1.0,), (3.0,))
    seen = situation(TaskKind.MULTICLASS, *around.evidence, scaled)
    assert StandardiseInputs().propose(start, found(NotLearning), seen) == ()
    assert NoiseOnFeatures().propose(start, found(Overfitting), seen)
    assert NoiseOnFeatures().propose(start, found(Overfitting), around) == ()


def test_a_target_of_ones_own_is_standardised():
    start, around, _ = own("shared", objective=MSE())
    numbers = situation(TaskKind.REGRESSION, *around.evidence)
    changed = StandardiseTarget().propose(start, found(UnscaledTargets), numbers)[0].recipe
    assert changed.inputs.target.kind == "standardise"
    assert StandardiseTarget().propose(changed, found(UnscaledTargets), numbers) == ()


def test_the_softmax_goes_where_the_loss_has_its_own():
    start, around, _ = own("nested")
    finding = found(LossOutputMismatch, 0.9, kind="softmax-twice", function="cross_entropy")
    (only,) = MatchLoss().propose(start, finding, around)
    assert only.name == "no activation at the end"
    assert only.recipe.network.edits == (RemoveOutputActivation(),)
    assert only.finds_rate
    squared = own("nested", objective=MSE())[0]
    (both,) = MatchLoss().propose(squared, found(LossOutputMismatch, 0.9, kind="squared-one-hot"), around)
    assert both.name == "no activation at the end and loss: cross-entropy"
    assert MatchLoss().propose(start, found(LossOutputMismatch, 0.9, kind="labels-from-one"), around) == ()
    assert MatchLoss().propose(start, None, around) == ()


def test_layers_with_nothing_between_get_an_activation():
    def build():
        return nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2))

    rows = (torch.randn(5, 4),)
    around = situation(TaskKind.BINARY, anatomy_of(build(), rows))
    start = recipe(inputs=ModuleInputs(), network=UserModule())
    ranked = [each for each in proposals(start, [found(MissingNonlinearity)], around) if each.answers]
    assert ranked[0].remedy == "insert-activation"
    bent = network_for(ranked[0].recipe.network, Materials(build, rows), 0)
    assert sum(isinstance(each, nn.ReLU) for each in bent.modules()) == 2


def test_changes_of_the_network_are_merged_by_edit():
    start, around, _ = own("pictures")
    network = network_in(start, around)
    both = merged(start, network.resized(2.0), network.normalised("batch"))
    assert {type(each) for each in both.network.edits} == {WidenHidden, InsertNormalisation}
    other = merged(start, network.normalised("batch"), network.normalised("layer"))
    assert other.network.edit(InsertNormalisation).normalisation == "layer"
    taken = merged(network.resized(2.0), network.resized(2.0), start)
    assert taken.network.edits == ()


def test_dropout_of_ones_own_goes_up_by_steps():
    start, around, _ = own("shared")
    changed = MoreDropout().propose(start, found(Overfitting), around)[0].recipe
    assert changed.network.edit(InsertDropout).rate == 0.1
    again = MoreDropout().propose(changed, found(Overfitting), around)[0]
    assert again.name == "dropout 0.1 -> 0.3"
    own_dropout, seen, _ = own("nested")
    assert MoreDropout().propose(own_dropout, found(Overfitting), seen)[0].name == "dropout 0.2 -> 0.3"


def test_batch_statistics_of_ones_own_go_where_batches_are_tiny():
    start, around, materials = own("pictures", batching=Shuffled(size=4))
    remedy = next(each for each in remedies.ALL if each.name == "no-batch-normalisation")
    changed = remedy.propose(start, found(ALL_CHECKS["tiny-batch-normalisation"]), around)[0].recipe
    assert isinstance(network_for(changed.network, materials, 0).norm, nn.GroupNorm)


def test_what_is_handed_back_is_one_network():
    start, around, _ = own("pictures")
    assert EnsembleOfSeeds().propose(start, None, around) == ()
