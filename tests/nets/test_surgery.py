"""Edits on users' networks: what each does, what it refuses, and that plain PyTorch says the same."""

import copy
import pickle
from collections import OrderedDict

import pytest
import torch
from foreign_cases import CASES, Branching, Pictures, Shared, batch, nested
from torch import nn
from torch.nn import functional

from liebig.core.card import TECHNIQUE_SECTIONS, card_of
from liebig.core.errors import UserError
from liebig.nets import edits
from liebig.nets.edits import (
    Deepen,
    DropoutRate,
    InsertActivation,
    InsertDropout,
    InsertNormalisation,
    Reinitialise,
    RemoveLayers,
    RemoveOutputActivation,
    ScaleInputs,
    SwapActivation,
    SwapNormalisation,
    WidenHidden,
    WrapResidual,
)
from liebig.nets.surgery import (
    Materials,
    SurgeryRefused,
    anatomy_of,
    decay_everything,
    network_for,
    operated,
    specs_of,
    statistics_of,
    structure_of,
)
from liebig.nets.user_module import UserModule
from liebig.stack.specs import Role


def materials(case):
    build, example = CASES[case]
    return Materials(build, example, statistics_of([example[0]], anatomy_of(build(), example)))


def every_edit(anatomy):
    names = [each.name for each in anatomy.hidden if each.name]
    same = [each.name for each in anatomy.hidden if each.same_shape and each.name]
    bends = next((each.activation for each in anatomy.hidden if each.activation), "relu")
    linear = [each.name for each in anatomy.layers if each.kind == "linear"]
    return [
        WidenHidden(factor=2), WidenHidden(factor=0.5), Deepen(layers=2), RemoveLayers(layers=same),
        WrapResidual(blocks=[*same, *anatomy.blocks]), RemoveOutputActivation(), SwapActivation(old=bends, new="gelu"),
        InsertActivation(after=names), InsertDropout(before=linear, rate=0.2), DropoutRate(rate=0.0),
        *(InsertNormalisation(after=names, normalisation=kind) for kind in ("batch", "layer", "group")),
        SwapNormalisation(new="group"), SwapNormalisation(new="layer"), ScaleInputs(), ScaleInputs(scale="symmetric"),
        *(Reinitialise(scheme=scheme) for scheme in ("suiting", "he", "orthogonal", "variance-calibration")),
    ]  # fmt: skip


def by_script(found, build, example, seed):
    """The lines run on a fresh network, as a plain script would."""
    torch.manual_seed(seed)
    names = {
        "torch": torch, "nn": nn, "OrderedDict": OrderedDict, "network": build(), "example": example,
        "functional": functional,
    }  # fmt: skip
    exec("\n\n".join([*found.helpers.values(), *found.lines]) if found.helpers else "\n".join(found.lines), names)
    return names["network"]


#: How many of the edits each network takes; the rest is refused.
TAKES = {"pictures": 20, "nested": 20, "shared": 10, "branching": 11, "tokens": 4, "tied": 9, "attention": 7}


@pytest.mark.parametrize("case", CASES)
def test_every_edit_makes_an_ordinary_network_or_says_why_not(case):
    build, example = CASES[case]
    made = materials(case)
    done = 0
    for edit in every_edit(anatomy_of(build(), example)):
        try:
            found = operated(UserModule(edits=(edit,)), made, 3)
        except SurgeryRefused:
            continue
        done += 1
        network = found.network
        assert network.training
        answers = network.eval()(*example)
        assert answers.shape == build()(*example).shape
        again = network_for(UserModule(edits=(edit,)), made, 3)
        again.load_state_dict(network.state_dict())
        torch.testing.assert_close(copy.deepcopy(network)(*example), answers)
        if not hasattr(network, "graph"):
            torch.testing.assert_close(pickle.loads(pickle.dumps(network))(*example), answers)
        plain = by_script(found, build, example, 3)
        assert list(plain.state_dict()) == list(network.state_dict())
        for name, value in network.state_dict().items():
            assert torch.equal(plain.state_dict()[name], value), (edit.kind, name)
        torch.testing.assert_close(plain.eval()(*example), answers)
        network.train()
        sum(each.sum() for each in [network(*example)]).backward()
    assert done == TAKES[case]


def test_what_the_user_draws_is_the_same_with_and_without_edits():
    made = materials("nested")
    bare = network_for(UserModule(), made, 7)
    edited = network_for(UserModule(edits=(InsertNormalisation(after=("1", "3.0")),)), made, 7)
    torch.testing.assert_close(edited.state_dict()["1.layer.weight"], bare.state_dict()["1.weight"])
    assert list(edited.state_dict())[:2] == ["1.layer.weight", "1.layer.bias"]
    assert not torch.equal(network_for(UserModule(), made, 8)[1].weight, bare[1].weight)


def test_random_numbers_outside_go_on():
    made = materials("nested")
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    network_for(UserModule(edits=(Reinitialise(), WidenHidden(factor=2))), made, 7)
    assert torch.equal(torch.rand(3), wanted)


def test_all_together():
    anatomy = anatomy_of(Pictures(), CASES["pictures"][1])
    record = UserModule(
        edits=(
            WidenHidden(factor=2), RemoveOutputActivation(), SwapActivation(old="relu", new="leaky-relu"), Reinitialise(),
            InsertNormalisation(after=("second", "hidden")), InsertDropout(before=("answer",), rate=0.4), ScaleInputs(),
            DropoutRate(rate=0.1), WrapResidual(blocks=("second",)),
        )
    )  # fmt: skip
    network = network_for(record, materials("pictures"), 0)
    kinds = [type(each).__name__ for each in network.modules()]
    assert kinds.count("LeakyReLU") == 3
    assert kinds.count("BatchNorm2d") == 2
    assert kinds.count("BatchNorm1d") == 1
    assert {each.p for each in network.modules() if isinstance(each, nn.Dropout)} == {0.1, 0.4}
    assert "network.second.block.layer.weight" in network.state_dict()
    assert (network(*CASES["pictures"][1]) > 0).any()
    assert anatomy.ends_in == "log-softmax"


def test_dropout_called_as_a_function_obeys_the_mode():
    network = network_for(UserModule(edits=(SwapActivation(new="gelu"),)), materials("pictures"), 0)
    rows = batch(6, 1, 8, 8)
    network.eval()
    assert torch.equal(network(rows), network(rows))
    network.train()
    assert not torch.equal(network(rows), network(rows))


def test_normalisation_suits_what_a_layer_answers():
    def norms(case, kind, *after):
        edit = InsertNormalisation(after=after, normalisation=kind)
        network = network_for(UserModule(edits=(edit,)), materials(case), 0)
        return [str(each.normalisation) for each in network.modules() if hasattr(each, "normalisation")]

    assert norms("pictures", "batch", "second", "hidden") == [str(nn.BatchNorm2d(8)), str(nn.BatchNorm1d(32))]
    assert norms("pictures", "layer", "second", "hidden") == [str(nn.GroupNorm(1, 8)), str(nn.LayerNorm(32))]
    assert norms("attention", "group", "0") == [str(nn.LayerNorm(16))]
    assert norms("pictures", "batch", "first", "second") == [str(nn.BatchNorm2d(8))]  # first is normalised already


@pytest.mark.parametrize(
    ("case", "edit", "reason"),
    [
        ("pictures", InsertNormalisation(after=("first",)), "normalised already"),
        ("shared", InsertNormalisation(after=("layer",)), "used 3 times"),
        ("attention", InsertNormalisation(after=("0",)), "each step of a sequence"),
        ("attention", InsertNormalisation(after=("1.layers.0.linear1",)), "block of torch's own"),
        ("branching", SwapActivation(old="relu", new="gelu"), "torch.fx cannot trace"),
        ("tokens", SwapActivation(old="relu", new="gelu"), "no relu between its layers"),
        ("tokens", ScaleInputs(), "no real numbers"),
        ("tied", WidenHidden(factor=2), "no hidden layer can have another width"),
        ("nested", InsertDropout(before=("nowhere",)), "no layer 'nowhere'"),
        ("nested", WrapResidual(blocks=("1",)), "changes the shape"),
        ("shared", RemoveOutputActivation(), "not made by an activation"),
    ],
)  # fmt: skip
def test_what_is_refused_is_said(case, edit, reason):
    with pytest.raises(SurgeryRefused, match=reason):
        network_for(UserModule(edits=(edit,)), materials(case), 0)


class Reaching(nn.Module):
    """Reads a layer's weight past the layer."""

    def __init__(self):
        super().__init__()
        self.layer, self.answer = nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x):
        x = torch.relu(self.layer(x))
        return self.answer(x) + self.layer.weight.sum()


class Listed(nn.Module):
    """Holds its layers a second time in a plain list, which surgery cannot see."""

    def __init__(self):
        super().__init__()
        self.layer, self.answer = nn.Linear(8, 8), nn.Linear(8, 2)
        self.order = [self.layer, nn.ReLU(), self.answer]

    def forward(self, x):
        for each in self.order:
            x = each(x)
        return x


@pytest.mark.parametrize(
    ("build", "reason"), [(Reaching, "does not run with it"), (Listed, "another way than by its name")]
)
def test_a_network_that_goes_round_what_was_put_in_is_refused(build, reason):
    made = Materials(build, (batch(6, 8),))
    with pytest.raises(SurgeryRefused, match=reason):
        network_for(UserModule(edits=(InsertNormalisation(after=("layer",)),)), made, 0)


class FlagDependent(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.answer = nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x):
        x = torch.sigmoid(self.layer(x))
        if self.training:
            x = x * 2
        return self.answer(x)


def test_a_graph_would_freeze_the_mode():
    with pytest.raises(SurgeryRefused, match="other things in training"):
        network_for(UserModule(edits=(SwapActivation(old="sigmoid"),)), Materials(FlagDependent, (batch(6, 8),)), 0)


def test_the_anatomy_of_a_network():
    anatomy = anatomy_of(Pictures(), CASES["pictures"][1])
    assert [
        (each.name, each.kind, each.inputs, each.outputs, each.activation, each.normalised) for each in anatomy.layers
    ] == [
        ("first", "convolution", 1, 8, "relu", True),
        ("second", "convolution", 8, 8, "relu", False),
        ("hidden", "linear", 128, 32, "relu", False),
        ("answer", "linear", 32, 10, "log-softmax", False),
    ]
    assert [each.name for each in anatomy.hidden] == ["first", "second", "hidden"]
    assert anatomy.ends_in == "log-softmax"
    assert anatomy.input_shape == (1, 8, 8)
    assert anatomy.untraceable == ""
    assert "cannot trace" in anatomy_of(Branching(), CASES["branching"][1]).untraceable
    assert anatomy_of(Shared(), CASES["shared"][1]).organs[0].calls == 3
    assert anatomy_of(nested(), CASES["nested"][1]).blocks == ("3",)
    assert not anatomy_of(CASES["tokens"][0](), CASES["tokens"][1]).floats


def test_looking_changes_nothing():
    network = Pictures()
    before = copy.deepcopy(network.state_dict())
    torch.manual_seed(1)
    wanted = torch.rand(2)
    torch.manual_seed(1)
    anatomy_of(network, CASES["pictures"][1])
    assert torch.equal(torch.rand(2), wanted)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in network.modules())


def test_a_network_that_does_not_run_is_told():
    with pytest.raises(UserError, match="does not run on its first batch: RuntimeError"):
        anatomy_of(nested(), (batch(6, 5),))


def test_the_structure_counts_parameters_and_operations():
    structure = structure_of(Pictures(), CASES["pictures"][1])
    assert structure.parameters == sum(each.numel() for each in Pictures().parameters())
    layers = {each.name: each for each in structure.layers}
    assert layers["second"].flops == 2 * 8 * 8 * 9 * 64
    assert layers["hidden"].flops == 2 * 128 * 32


def test_specs_say_what_each_parameter_is_for():
    network = Pictures()
    network.first.weight.requires_grad_(False)
    specs = {each.name: each for each in specs_of(network, anatomy_of(network, CASES["pictures"][1]))}
    assert "first.weight" not in specs
    assert specs["norm.weight"].role is Role.SCALE
    assert specs["norm.bias"].role is Role.SHIFT
    assert specs["second.weight"].incoming == (-3, -2, -1)
    assert specs["hidden.bias"].fan_in == 128
    assert specs["answer.bias"].is_last
    assert {each.role for each in decay_everything(tuple(specs.values()))} == {Role.WEIGHT}
    tied = specs_of(CASES["tied"][0]())
    assert sum(each.size for each in tied) == 20 * 8 + 8 * 8 + 8


def test_statistics_are_those_of_all_batches():
    pictures = [3 * batch(6, 1, 8, 8) + 5, 3 * batch(2, 1, 8, 8) + 5]
    found = statistics_of(pictures, anatomy_of(Pictures(), CASES["pictures"][1]))
    whole = torch.cat(pictures)
    assert found.mean.shape == (1, 1, 1, 1)
    torch.testing.assert_close(found.mean.flatten(), whole.mean().reshape(1))
    torch.testing.assert_close(found.spread.flatten(), whole.std(unbiased=False).reshape(1))
    rows = batch(20, 8)
    rows[0, 0] = torch.nan
    found = statistics_of([rows], anatomy_of(Shared(), CASES["shared"][1]))
    torch.testing.assert_close(found.mean[0, 1:], rows[:, 1:].mean(0))
    assert found.mean.isfinite().all()


def test_scaled_inputs_have_zero_mean_and_unit_spread():
    rows = batch(50, 8) * torch.tensor([1.0, 1e3, 1e-3, 0.0, 1, 1, 1, 1]) + 100
    made = Materials(Shared, (rows[:6],), statistics_of([rows], anatomy_of(Shared(), (rows,))))
    network = network_for(UserModule(edits=(ScaleInputs(),)), made, 0)
    scaled = network.scale(rows)
    torch.testing.assert_close(scaled[:, :2].std(0, unbiased=False), torch.ones(2), rtol=1e-2, atol=1e-2)
    assert scaled[:, 3].abs().max() < 1e-3
    assert set(network.state_dict()) >= {"scale.mean", "scale.spread", "network.layer.weight"}


def test_residual_blocks_add_what_enters():
    rows = CASES["nested"][1][0]
    record = UserModule(edits=(WrapResidual(blocks=("4",)),))
    network = network_for(record, materials("nested"), 0).eval()
    inside = network[:4](rows)
    torch.testing.assert_close(network[4](inside), inside + torch.relu(network[4].block[0](inside)))
    assert isinstance(network[5], nn.Identity)


def test_weights_are_drawn_for_the_activation_behind():
    network = network_for(UserModule(edits=(Reinitialise(),)), materials("nested"), 0)
    assert network[1].weight.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.1)
    assert network[3][0].weight.std().item() == pytest.approx(5 / 3 * (2 / 64) ** 0.5, rel=0.1)
    assert network[1].bias.abs().sum() == 0
    swapped = network_for(
        UserModule(edits=(Reinitialise(), SwapActivation(old="relu", new="selu"))), materials("nested"), 0
    )
    assert swapped[1].weight.std().item() == pytest.approx((1 / 64) ** 0.5, rel=0.1)


def test_equal_sets_of_edits_are_equal_records():
    one = UserModule(edits=(Reinitialise(), InsertDropout(before="answer")))
    other = UserModule(edits=(InsertDropout(before=("answer",)), Reinitialise()))
    assert one == other
    assert one.with_edit(InsertDropout(before="answer", rate=0.5)).edit(InsertDropout).rate == 0.5
    assert one.without_edit(Reinitialise).edits == (InsertDropout(before="answer"),)
    assert one.skeleton() == one.with_edit(InsertDropout(before="answer", rate=0.5)).skeleton()
    with pytest.raises(ValueError, match="stands in the recipe twice"):
        UserModule(edits=(Deepen(), Deepen(layers=2)))


@pytest.mark.parametrize("edit", [*edits.ALL, UserModule], ids=lambda each: each.__name__)
def test_every_edit_has_its_card(edit):
    card = card_of(edit.__name__, edit)
    assert all(card.sections.get(section) for section in TECHNIQUE_SECTIONS), card


def test_nothing_between_layers_is_said_only_where_it_was_seen():
    plain = structure_of(nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)), (batch(6, 8),))
    assert [(each.kind, each.activation) for each in plain.layers] == [
        ("linear", ""),
        ("batch-norm", ""),
        ("linear", ""),
    ]
    seen = {each.name: each.activation for each in structure_of(CASES["attention"][0](), CASES["attention"][1]).layers}
    assert seen["0"] == "unknown"  # goes into attention and a sum
    pictures = {each.name: each for each in structure_of(Pictures(), CASES["pictures"][1]).layers}
    assert pictures["norm"].kind == "batch-norm-2d"
    assert pictures["second"].kind == "conv"
