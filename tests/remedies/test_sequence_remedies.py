"""Every remedy meets recipes of sequences: what it proposes is valid, different, and reads sequences."""

import numpy as np
import pytest
from remedy_cases import found, situation

from liebig import remedies
from liebig.checks.fading_through_time import FadingThroughTime
from liebig.checks.overfitting import Overfitting
from liebig.checks.underfitting import Underfitting
from liebig.core.evidence import LayerShape, Structure
from liebig.core.task import TaskKind
from liebig.data.sequences.first_recipes import starting, textbook
from liebig.data.sequences.inputs import SequenceInputs
from liebig.data.sequences.task import sequence_task
from liebig.nets.gru import GRU
from liebig.nets.lstm import LSTM
from liebig.nets.mlp import MLP
from liebig.nets.small_transformer import SmallTransformer
from liebig.nets.temporal_cnn import TemporalCNN
from liebig.remedies.go_step_by_step import GoStepByStep
from liebig.remedies.keep_memory import KeepMemory
from liebig.remedies.parts import parts
from liebig.remedies.summarise_sequences import SummariseSequences
from liebig.remedies.use_temporal_convolutions import UseTemporalConvolutions


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    return sequence_task((rng.normal(size=(90, 20, 3)).astype(np.float32), np.arange(90) % 3))


def recipes_of(task):
    first = textbook(task)
    return [
        first, starting(task), first.replace(network=LSTM(depth=2)), first.replace(network=GRU(bidirectional=True)),
        first.replace(network=SmallTransformer()), first.replace(network=MLP(), inputs=SequenceInputs(read="summary")),
        first.replace(inputs=SequenceInputs(scale="none")),
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
                assert isinstance(each.recipe.inputs, SequenceInputs), each.name
                assert each.recipe.replace().digest == each.recipe.digest


def proposed(remedy, recipe, check, around=None):
    return [each.recipe for each in remedy.propose(recipe, found(check, 0.9), around or situation(TaskKind.MULTICLASS))]


def test_networks_are_exchanged_for_each_other(task):
    plain = textbook(task)
    (convolved,) = proposed(UseTemporalConvolutions(), plain, Underfitting)
    (stepwise,) = proposed(GoStepByStep(), convolved, Underfitting)
    (summarised,) = proposed(SummariseSequences(), stepwise, Overfitting)
    assert isinstance(convolved.network, TemporalCNN)
    assert isinstance(stepwise.network, LSTM)
    assert {"forget-bias", "orthogonal-steps", "clip-norm"} <= {each.kind for each in stepwise.techniques}
    assert isinstance(summarised.network, MLP)
    assert summarised.inputs.read == "summary"
    assert not {"forget-bias", "orthogonal-steps"} & {each.kind for each in summarised.techniques}
    (again,) = proposed(UseTemporalConvolutions(), summarised, Underfitting)
    assert again.inputs.read == "steps"


def test_forecasts_keep_a_linear_way_and_are_not_summarised(task):
    seen = Structure("mlp", (LayerShape("output", "linear", 8, 12, 108, 108, 192),))
    around = situation(TaskKind.REGRESSION, seen)
    (stepwise,) = proposed(GoStepByStep(), textbook(task), Underfitting, around)
    assert stepwise.network.highway > 0
    assert not stepwise.network.bidirectional
    assert not proposed(SummariseSequences(), textbook(task), Overfitting, around)


def test_what_fades_is_kept(task):
    faded = textbook(task).replace(network=GRU(pool="last"))
    first, second = proposed(KeepMemory(), faded, FadingThroughTime)
    assert isinstance(first.network, LSTM)
    assert second.network.pool == "all"
    assert not proposed(KeepMemory(), textbook(task), FadingThroughTime)


def test_the_starting_recipe_comes_apart_into_named_parts(task):
    told = {part.path: part.name for part in parts(textbook(task), starting(task), task.task.kind)}
    assert told["network"].startswith("the network's kind")
    assert "schedule" in told
