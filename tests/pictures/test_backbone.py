"""Residual networks in the ImageNet shapes: torchvision's names and sizes, weights from a file, frozen layers."""

import os
import sys
import types
from importlib.machinery import ModuleSpec

import numpy as np
import polars as pl
import pytest
import torch
from picture_cases import folder
from pydantic import ValidationError
from safetensors.torch import save_file
from torch import nn

import liebig
from liebig.api.asking import options_of
from liebig.core.errors import UserError
from liebig.data.pictures.first_recipes import textbook
from liebig.data.pictures.task import picture_task
from liebig.nets.network import Mode
from liebig.nets.resnet import ResNet, depth_of, torchvision_name
from liebig.stack.batch import Batch
from liebig.stack.specs import Role, Signature
from liebig.techniques.initialisations.he import He
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.pictures import PICTURES
from liebig.train.training import TrainOptions, train
from liebig.trials.blocks import blocks

LARGE = Signature(3 * 224 * 224, picture=(3, 224, 224))


class Basic(nn.Module):
    """torchvision's BasicBlock, written anew."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        h = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(h + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(Basic):
    def __init__(self, inputs, inner, stride):
        nn.Module.__init__(self)
        outputs = 4 * inner
        self.conv1, self.bn1 = nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        h = torch.relu(self.bn1(self.conv1(x)))
        h = self.bn3(self.conv3(torch.relu(self.bn2(self.conv2(h)))))
        return torch.relu(h + (x if self.downsample is None else self.downsample(x)))


class Whole(nn.Module):
    def __init__(self, depth, classes):
        super().__init__()
        counts, block = (
            {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}[depth],
            Bottleneck if depth == 50 else Basic,
        )
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        inputs, self.maxpool = 64, nn.MaxPool2d(3, 2, 1)
        for stage, count in enumerate(counts):
            inner, made = 64 * 2**stage, []
            for i in range(count):
                made.append(block(inputs, inner, 2 if stage and not i else 1))
                inputs = inner * (4 if depth == 50 else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*made))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        for stage in range(4):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


def backbone(path, depth=18):
    torch.manual_seed(0)
    whole = Whole(depth, 1000)
    whole.train()
    whole(torch.randn(4, 3, 64, 64))  # statistics that are not those of the start
    torch.save(whole.state_dict(), path)
    return whole


@pytest.mark.parametrize(("depth", "count"), [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032)])
def test_parameters_are_counted_as_torchvision_does(depth, count):
    network = ResNet(depth=depth)
    assert network.structure(LARGE, 1000).parameters == count == network.structure(LARGE, 1000).trained
    names = [torchvision_name(each.name) for each in (*network.parameters(LARGE, 1000), *network.buffers(LARGE, 1000))]
    theirs = [name for name in Whole(depth, 1000).state_dict() if not name.endswith("num_batches_tracked")]
    assert sorted(names) == sorted(theirs)


def test_a_frozen_backbone_trains_its_output_layer_alone():
    frozen = ResNet(depth=50, backbone="resnet50.pth", trains="output")
    assert frozen.structure(LARGE, 2).trained == 4_098
    assert {each.name for each in frozen.parameters(LARGE, 2) if each.role is not Role.FROZEN} == {"output.weight", "output.bias"}  # fmt: skip
    last = ResNet(depth=18, backbone="resnet18.pth", trains="last-stage").structure(LARGE, 2)
    assert last.trained == 8_393_728 + 1_026


@pytest.mark.parametrize("depth", [18, 50])
def test_a_file_of_weights_answers_as_where_it_is_from(tmp_path, depth):
    whole = backbone(tmp_path / "own.pth", depth)
    network = ResNet(depth=depth_of(str(tmp_path / "own.pth")), backbone=str(tmp_path / "own.pth"))
    signature = Signature(3 * 48 * 48, picture=(3, 48, 48))
    generator = torch.Generator().manual_seed(0)
    weights = [network.draw(spec, generator)[None] for spec in network.parameters(signature, 1000)]
    weights[-2], weights[-1] = whole.fc.weight.detach()[None], whole.fc.bias.detach()[None]
    buffers = [network.first_buffer(spec)[None].clone() for spec in network.buffers(signature, 1000)]
    forward = ResNet.forward([network], signature, 1000, torch.device("cpu"))
    x = torch.randn(1, 3, 3, 48, 48)
    batch = Batch(x, torch.zeros(1, 3), member_group=torch.zeros(1, dtype=torch.int64))
    whole.eval()
    with torch.no_grad():
        torch.testing.assert_close(forward(weights, buffers, batch, Mode(False))[0], whole(x[0]), rtol=1e-3, atol=1e-4)


def test_what_is_frozen_stays_as_it_was(tmp_path):
    whole = backbone(tmp_path / "own.pth")
    rng = np.random.default_rng(0)
    found = picture_task((rng.integers(0, 255, (48, 32, 32, 3), dtype=np.uint8), np.arange(48) % 2))
    recipe = textbook(found).replace(
        network=ResNet(depth=18, backbone=str(tmp_path / "own.pth"), trains="last-stage"),
        optimizer=AdamW(learning_rate=1e-3, weight_decay=0.5), stopping=FixedEpochs(epochs=2),
    )  # fmt: skip
    options = TrainOptions(keep_models=True, precision="float32")
    (trained,) = train(found.task, [recipe], [blocks(found.task, 0)[0]], options=options, encoding=PICTURES)
    held = trained.model.tensors()
    state = whole.state_dict()
    specs = recipe.network.parameters(trained.model.encoder.signature, found.task.outputs)
    start = 0
    flat = trained.model.weights[0]
    for spec in specs:
        value = flat[start : start + spec.size].view(spec.shape)
        start += spec.size
        if spec.is_last:
            continue
        same = torch.equal(value, state[torchvision_name(spec.name)])
        assert same == (spec.role is Role.FROZEN), spec.name
    assert held
    for spec, value in zip(
        recipe.network.buffers(trained.model.encoder.signature, 2), trained.model.buffers, strict=True
    ):
        assert torch.equal(value[0], state[torchvision_name(spec.name)]) == (not spec.name.startswith("layer4.")), (
            spec.name
        )


def test_files_come_in_several_forms(tmp_path):
    state = Whole(18, 10).state_dict()
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in state.items()}, "epoch": 3}, tmp_path / "a.pth"
    )
    save_file({name: value.contiguous() for name, value in state.items()}, tmp_path / "b.safetensors")
    assert depth_of(str(tmp_path / "a.pth")) == depth_of(str(tmp_path / "b.safetensors")) == 18


def test_grey_pictures_are_three_channels_that_agree(tmp_path):
    whole = backbone(tmp_path / "own.pth")
    network = ResNet(backbone=str(tmp_path / "own.pth"))
    (first, *_) = network.parameters(Signature(32 * 32, picture=(1, 32, 32)), 2)
    torch.testing.assert_close(network.draw(first, torch.Generator()), whole.conv1.weight.sum(1, keepdim=True))


def test_mistakes_are_told_in_a_sentence(tmp_path):
    with pytest.raises(UserError, match="nothing is downloaded"):
        depth_of(str(tmp_path / "absent.pth"))
    (tmp_path / "words.pth").write_text("no weights")
    with pytest.raises(UserError, match="cannot be read as weights"):
        depth_of(str(tmp_path / "words.pth"))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(UserError, match="weights by name"):
        depth_of(str(tmp_path / "list.pth"))
    torch.save({"a.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match="must be a ResNet-18, 34 or 50"):
        depth_of(str(tmp_path / "other.pth"))
    backbone(tmp_path / "own.pth")
    wrong = ResNet(depth=50, backbone=str(tmp_path / "own.pth"))
    with pytest.raises(UserError, match=r"ResNet-50 was expected|must have"):
        [wrong.draw(each, torch.Generator()) for each in wrong.parameters(LARGE, 2)]


def test_models_of_timm_bring_their_weights(monkeypatch):
    """timm names the layers of a ResNet as torchvision does; nothing may be fetched while it is asked."""
    model, asked = Whole(34, 7), []

    def create_model(name, pretrained):
        asked.append((name, pretrained, os.environ["HF_HUB_OFFLINE"]))
        if name == "absent":
            raise RuntimeError("offline mode is on")
        return model

    with monkeypatch.context() as without:
        without.setattr("liebig.nets.checkpoint.find_spec", lambda name: None)
        with pytest.raises(UserError, match="needs timm, which is not installed"):
            depth_of("timm:resnet34")
    fake = types.ModuleType("timm")
    fake.create_model, fake.__spec__ = create_model, ModuleSpec("timm", None)
    monkeypatch.setitem(sys.modules, "timm", fake)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert depth_of("timm:resnet34") == 34
    network = ResNet(depth=34, backbone="timm:resnet34")
    (first, *_) = network.parameters(LARGE, 2)
    torch.testing.assert_close(network.draw(first, torch.Generator()), model.conv1.weight)
    with pytest.raises(UserError, match=r"nothing is downloaded \(offline mode is on\); fetch them once"):
        depth_of("timm:absent")
    assert asked == [("resnet34", True, "1"), ("absent", True, "1")]
    assert "HF_HUB_OFFLINE" not in os.environ
    nothing = dict.fromkeys(("target", "task", "metric", "columns", "weights", "group", "time", "test"))
    assert options_of(**nothing, seed=0, backbone="timm:resnet34").backbone == "timm:resnet34"


def test_contradictions_are_refused():
    rng = np.random.default_rng(0)
    plain = textbook(picture_task((rng.integers(0, 255, (40, 8, 8), dtype=np.uint8), np.arange(40) % 2)))
    with pytest.raises(ValidationError, match="needs a backbone"):
        plain.replace(network=ResNet(trains="output"))
    with pytest.raises(ValidationError, match="brings its own weights"):
        plain.with_technique(He()).replace(network=ResNet(backbone="a.pth"))


@pytest.mark.end_to_end
def test_a_folder_is_learnt_with_a_backbone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    backbone(tmp_path / "own.pth")
    place = folder(tmp_path / "photos", 40, side=32)
    words = {"backbone": "own.pth", "size": 32, "cache": "none", "on_event": liebig.silent}
    run = liebig.fit(place, recipe="textbook", changes=("stopping.epochs=1",), **words)
    assert run.recipe.network == ResNet(depth=18, backbone=str(tmp_path / "own.pth"), trains="output")
    (tmp_path / "own.pth").unlink()  # the model has its weights
    assert len(liebig.load(run.path).predict(place)) == 40
    with pytest.raises(UserError, match="nothing is downloaded"):
        liebig.fit(place, **words)
    pl.DataFrame({"a": [0.5, 1.5] * 30, "b": ["x", "y"] * 30}).write_csv("table.csv")
    with pytest.raises(UserError, match="--backbone is for pictures"):
        liebig.fit("table.csv", "b", backbone="own.pth")
