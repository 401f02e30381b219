"""The model directory: whole or not at all, loaded only as data, mistakes in one sentence."""

from __future__ import annotations

import errno
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from bare_recipes import bare_from_toml, bare_recipe, bare_to_toml
from safetensors.torch import load_file, save_file

from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.store import atomic, model
from liebig.store.model import ModelColumn, ModelFacts, Part, StoredModel, is_model, load_model, save_model


@pytest.fixture(autouse=True)
def _without_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "recipe_to_toml", bare_to_toml)
    monkeypatch.setattr(model, "recipe_from_toml", bare_from_toml)


def stored(value: float = 1.0, name: str = "adult") -> StoredModel:
    facts = ModelFacts(
        name, "income", TaskKind.BINARY, ("no", "yes ü"), "roc_auc", True, (ModelColumn("age", "number"),), "0.1.0",
        "2026-01-01T00:00:00+00:00", notes=("a note",),
    )  # fmt: skip
    edges = {"edges": torch.tensor([[0.5, float("inf")]], dtype=torch.float64), "codes": torch.tensor([3, 1])}
    parts = {
        "encoder": Part({"mean": 0.25, "open": float("inf")}, edges, is_finite=False),
        "network": Part({"members": 2}, {"w": torch.full((2, 3), value), "b": torch.zeros(2, dtype=torch.bfloat16)}),
    }
    return StoredModel(facts, (bare_recipe(), bare_recipe(0.25)), parts)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_model(tmp_path / "model", stored())
    return tmp_path / "model"


def value_of(path: Path) -> float:
    return float(load_model(path).parts["network"].tensors["w"][0, 0])


def test_what_is_saved_is_loaded(saved: Path) -> None:
    back, wanted = load_model(saved), stored()
    assert str(back.facts) == str(wanted.facts)  # NaN is not equal to itself
    assert back.recipes == wanted.recipes
    for name, part in wanted.parts.items():
        assert back.parts[name].plain == part.plain
        assert back.parts[name].tensors.keys() == part.tensors.keys()
        for key, tensor in part.tensors.items():
            assert back.parts[name].tensors[key].dtype == tensor.dtype
            assert torch.equal(back.parts[name].tensors[key], tensor)


def test_it_can_be_read_without_liebig(saved: Path) -> None:
    names = {"manifest.json", "recipe.toml", "recipe-2.toml", "encoder.json", "encoder.safetensors", "network.json",
             "network.safetensors"}  # fmt: skip
    assert {each.name for each in saved.iterdir()} == names
    manifest = json.loads((saved / "manifest.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert manifest["model"]["classes"] == ["no", "yes ü"]
    assert manifest["parts"]["network"]["tensors"]["w"] == {"type": "float32", "shape": [2, 3]}
    assert load_file(saved / "network.safetensors")["w"].shape == (2, 3)
    assert is_model(saved)


def test_a_new_model_takes_the_place_of_the_one_before(saved: Path) -> None:
    save_model(saved, stored(2.0))
    assert value_of(saved) == 2.0
    assert [each.name for each in saved.parent.iterdir()] == ["model"]


def test_views_and_gradients_are_saved_as_values(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4).requires_grad_()
    tensors = {"view": whole[:, 1], "turned": whole.T, "again": whole.T}
    original = stored()
    save_model(tmp_path / "m", StoredModel(original.facts, original.recipes, {"network": Part({}, tensors)}))
    back = load_model(tmp_path / "m").parts["network"].tensors
    assert torch.equal(back["view"], torch.tensor([1.0, 5.0, 9.0]))
    assert torch.equal(back["turned"], back["again"])


@pytest.mark.parametrize("after", range(9))
def test_a_full_disk_leaves_the_model_before_whole(saved: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    written, real = [0], os.write

    def write(descriptor: int, content: memoryview) -> int:
        written[0] += 1
        if written[0] > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, content[: max(len(content) // 2, 1)])  # a disk may also take a part only

    monkeypatch.setattr(atomic.os, "write", write)
    with pytest.raises(UserError, match=r'the model ".*model" cannot be written: no space left on device'):
        save_model(saved, stored(2.0))
    monkeypatch.undo()
    monkeypatch.setattr(model, "recipe_from_toml", bare_from_toml)
    assert value_of(saved) == 1.0
    assert [each.name for each in saved.parent.iterdir()] == ["model"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of a process")
def test_the_kernel_refuses_large_files(saved: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from liebig.core.errors import UserError
from liebig.store import atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    atomic.write_directory(Path(sys.argv[1]), {"a": b"1" * 100, "b": b"2" * 100_000}, "the model")
except UserError as error:
    print(error)
"""
    answer = subprocess.run([sys.executable, "-c", code, str(saved), "."], capture_output=True, text=True, check=True)
    assert "cannot be written: file too large" in answer.stdout
    assert value_of(saved) == 1.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="plays a kill in a forked process")
@pytest.mark.parametrize("moment", ["mkdir", "rename", "second rename", "clearing"])
def test_a_kill_at_any_moment_leaves_a_whole_model(saved: Path, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill is played by an exit without any clean-up, in a process of its own."""
    child = os.fork()
    if child == 0:
        real, seen = os.rename, [0]

        def rename(*paths: Path) -> None:
            seen[0] += 1
            if seen[0] == {"rename": 1, "second rename": 2}.get(moment):
                os._exit(0)
            real(*paths)

        atomic.os.rename = rename  # type: ignore[assignment]
        if moment == "mkdir":
            atomic._write = lambda *_: os._exit(0)  # type: ignore[assignment]
        if moment == "clearing":
            atomic.shutil.rmtree = lambda *_, **__: os._exit(0)  # type: ignore[assignment]
        save_model(saved, stored(2.0))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert is_model(saved)
    assert value_of(saved) == (2.0 if moment == "clearing" else 1.0)
    save_model(saved, stored(3.0))
    assert value_of(saved) == 3.0
    assert [each.name for each in saved.parent.iterdir()] == ["model"]


def test_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    (tmp_path / "file").write_text("x")
    for name in ("photos", "file"):
        with pytest.raises(UserError, match="a directory of its own"):
            save_model(tmp_path / name, stored())
    (tmp_path / "empty").mkdir()
    save_model(tmp_path / "empty", stored())
    save_model(tmp_path / "deep" / "er", stored())
    assert is_model(tmp_path / "deep" / "er")
    with pytest.raises(UserError, match="cannot be written"):
        save_model(tmp_path / "file" / "model", stored())


def test_weights_that_are_not_finite_are_refused_when_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='"w" of network holds numbers that are not finite'):
        save_model(tmp_path / "model", stored(float("nan")))
    assert not (tmp_path / "model").exists()


def rewritten(path: Path, change: Callable[[dict], None]) -> None:
    manifest = json.loads((path / "manifest.json").read_text("utf-8"))
    change(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def test_a_newer_model_is_said(saved: Path) -> None:
    rewritten(saved, lambda manifest: manifest.update(format=model.FORMAT + 1))
    with pytest.raises(UserError, match=r"newer Liebig \(format 4\)"):
        load_model(saved)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.pop("format"), "is no model of Liebig"),
        (lambda m: m["parts"]["network"]["tensors"]["w"].update(shape=[3, 3]), r'"w" of network has shape \[2, 3\]'),
        (lambda m: m["parts"]["network"]["tensors"].pop("b"), r'not those of the manifest \("b"\)'),
        (lambda m: m["parts"].update({"../../etc": m["parts"]["network"]}), "no name of a part"),
        (lambda m: m["model"].pop("target"), '"target" of ModelFacts is absent'),
        (lambda m: m.update(recipes=-1), "a number of recipes was required"),
        (lambda m: m.update(recipes=3), "recipe-3.toml cannot be read"),
        (lambda m: m.pop("parts"), "'parts' is missing"),
    ],
)
def test_a_manifest_that_lies_is_one_sentence(saved: Path, change: Callable[[dict], None], said: str) -> None:
    rewritten(saved, change)
    with pytest.raises(UserError, match=said):
        load_model(saved)


def test_damaged_files_are_one_sentence(saved: Path, tmp_path: Path) -> None:
    good = (saved / "network.safetensors").read_bytes()
    (saved / "network.safetensors").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(UserError, match=r"network\.safetensors is not the file"):
        load_model(saved)
    (saved / "network.safetensors").unlink()
    with pytest.raises(UserError, match=r"is not whole: network\.safetensors cannot be read"):
        load_model(saved)
    (saved / "manifest.json").write_bytes(b"\xff\x00")
    with pytest.raises(UserError, match="is damaged"):
        load_model(saved)
    with pytest.raises(UserError, match="there is no model"):
        load_model(tmp_path / "absent")
    with pytest.raises(UserError, match="is no model: a directory with"):
        load_model(tmp_path)


def test_no_code_is_run_and_no_number_is_trusted(saved: Path) -> None:
    def poison(content: bytes) -> None:
        (saved / "network.safetensors").write_bytes(content)
        digest = model._digest(content)
        rewritten(saved, lambda m: m["parts"]["network"]["sha256"].update({"network.safetensors": digest}))

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os._exit, (3,)

    poison(pickle.dumps(Evil()))
    with pytest.raises(UserError, match="is damaged"):
        load_model(saved)
    save_file({"w": torch.full((2, 3), float("inf")), "b": torch.zeros(2, dtype=torch.bfloat16)}, saved / "t")
    poison((saved / "t").read_bytes())
    with pytest.raises(UserError, match='"w" of network holds numbers that are not finite'):
        load_model(saved)
