"""Folders and tables as people have them: what is odd is read, what is broken is told, nothing is fatal."""

import io
import shutil
import zipfile

import numpy as np
import polars as pl
import pytest
import torch
from picture_cases import bars, folder
from PIL import Image

from liebig.checks import diagnose
from liebig.checks.leakage import Leakage
from liebig.cli import _exit_code
from liebig.core.check import Found
from liebig.core.errors import UserError
from liebig.core.evidence import Evidence
from liebig.data.pictures.profile import picture_profile
from liebig.data.pictures.task import picture_task


def cut(path, share=0.5):
    """The file at `path` loses its end."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def odd_files(place):
    """One picture of each odd kind beside a class of plain ones: what is read."""
    base = Image.fromarray(bars(1, side=20)[0][0])
    turned = Image.Exif()
    turned[0x0112] = 6
    saved = {
        "cmyk.jpg": base.convert("CMYK"), "grey.png": base.convert("L"), "alpha.png": base.convert("RGBA"),
        "deep.png": Image.fromarray(np.full((20, 20), 40_000, np.uint16)), "palette.gif": base.convert("P"),
        "black and white.png": base.convert("1"), "one.png": Image.new("RGB", (1, 1), (9, 9, 9)),
        "long.png": Image.new("RGB", (400, 1), (200, 9, 9)), "grey with alpha.webp": base.convert("LA").convert("RGBA"),
        "capital.JPEG": base, "tiff.tif": base,
    }  # fmt: skip
    for name, picture in saved.items():
        picture.save(place / name)
    base.save(place / "turned.jpg", exif=turned.tobytes())
    return {*saved, "turned.jpg"}


def broken_files(place):
    """One file of each broken kind: what is told."""
    plain = Image.fromarray(bars(1, side=40)[0][0])
    for name in ("half.jpg", "half.png", "half.webp"):
        plain.save(place / name)
        cut(place / name)
    plain.save(place / "head.jpg")
    cut(place / "head.jpg", 0.02)
    content = bytearray((lambda into: (plain.save(into, "PNG"), into.getvalue())[1])(io.BytesIO()))
    content[60:90] = bytes(30)
    (place / "damaged.png").write_bytes(content)
    (place / "empty.png").write_bytes(b"")
    (place / "words.jpg").write_text("no picture at all")
    return {"half.jpg", "half.png", "half.webp", "head.jpg", "damaged.png", "empty.png", "words.jpg"}


def test_odd_pictures_are_read_and_broken_ones_told(tmp_path):
    place = folder(tmp_path / "photos", 24, side=20)
    odd, broken = odd_files(place / "lying"), broken_files(place / "upright")
    found = picture_task(place)
    names = {each.removeprefix("lying/") for each in found.task.data.names if each.startswith("lying/")}
    assert odd <= names
    assert {each.name for each in found.broken} == {f"upright/{each}" for each in broken}
    assert all(each.reason for each in found.broken)
    assert any(each.startswith("7 pictures cannot be read") for each in found.notes)
    assert found.task.data.pixels.shape[1:] == (32, 32, 3)


def test_odd_pictures_are_learnt_and_predicted_by_the_command_line(tmp_path, monkeypatch, capsys):
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    place = folder(tmp_path / "photos", 40, side=20)
    odd_files(place / "lying")
    broken = broken_files(place / "upright")
    assert _exit_code(["fit", str(place), "--epochs", "1", "--verbose", "0", "--run", "run"]) == 0
    capsys.readouterr()
    assert _exit_code(["predict", "run", str(place), "-o", "out.csv"]) == 0
    told = pl.read_csv("out.csv")
    assert told[told.columns[1]].null_count() == len(broken)
    assert _exit_code(["look", str(place)]) == 0
    assert "broken  upright/words.jpg: no picture that can be read" in capsys.readouterr().out


@pytest.mark.parametrize("side", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_a_few_pixels(tmp_path, side, channels):
    rng = np.random.default_rng(0)
    place = tmp_path / "dots"
    for i in range(40):
        tone = rng.integers(0, 100, (side, side, 3)) + 100 * (i % 2)
        (place / str(i % 2)).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(tone.astype(np.uint8))
        (picture if channels == 3 else picture.convert("L")).save(place / str(i % 2) / f"{i}.png")
    found = picture_task(place)
    assert found.task.data.shape == (channels, side, side)
    diagnose(Evidence((found.profile, picture_profile(found.task, 0))))


@pytest.mark.parametrize("recipe", ["starting", "textbook"])
def test_a_network_learns_from_single_pixels(tmp_path, monkeypatch, recipe):
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    pixels = (np.arange(60) % 2 * 120 + np.arange(60) % 7)[:, None, None, None].repeat(3, 3).astype(np.uint8)
    np.savez("dots.npz", x=pixels, y=np.arange(60) % 2)
    assert _exit_code(["fit", "dots.npz", "--recipe", recipe, "--epochs", "2", "--verbose", "0"]) == 0


def test_a_class_folder_without_pictures_is_no_class(tmp_path):
    place = folder(tmp_path / "photos", 24)
    (place / "sleeping").mkdir()
    (place / ".thumbnails").mkdir()
    found = picture_task(place)
    assert found.task.classes == ("lying", "upright")
    assert '"sleeping" holds no pictures: no class is learnt of it' in found.notes
    assert not any("thumbnails" in each for each in found.notes)


def test_a_class_of_broken_pictures_is_no_class(tmp_path):
    place = folder(tmp_path / "photos", 24)
    (place / "sleeping").mkdir()
    (place / "sleeping" / "a.jpg").write_text("no picture")
    found = picture_task(place)
    assert found.task.classes == ("lying", "upright")
    assert 'of "sleeping" no picture can be read: it is no class' in found.notes


def test_one_class_alone_cannot_be_told(tmp_path, capsys):
    place = folder(tmp_path / "photos", 24)
    shutil.rmtree(place / "lying")
    for i in range(24):
        Image.new("RGB", (12, 12), (i, 2 * i, 0)).save(place / "upright" / f"more{i}.png")
    assert _exit_code(["fit", str(place)]) == 2
    said = capsys.readouterr().err
    assert "at least two classes" in said
    assert '"upright": 36' in said


def table(path, count=24):
    """A table of paths beside its pictures."""
    place = folder(path / "photos", count)
    files = sorted(each.relative_to(path) for each in place.rglob("*.png"))
    return pl.DataFrame({"file": [each.as_posix() for each in files], "kind": [each.parent.name for each in files]})


def test_paths_that_lead_nowhere_are_told(tmp_path):
    frame = table(tmp_path)
    more = pl.DataFrame({"file": ["photos/gone.png", None, "photos/lying"], "kind": ["lying", "upright", "lying"]})
    pl.concat([frame, more.head(2)]).write_csv(tmp_path / "photos.csv")
    found = picture_task(tmp_path / "photos.csv")
    assert len(found.task.data.pixels) == 24
    assert {(each.name, each.reason) for each in found.broken} == {
        ("photos/gone.png", "there is no such file"), ("row 26", "names no picture"),
    }  # fmt: skip


def test_a_table_of_nothing_but_lost_paths(tmp_path):
    frame = table(tmp_path)
    frame.write_csv(tmp_path / "photos.csv")
    shutil.rmtree(tmp_path / "photos")
    with pytest.raises(UserError, match=r"none of the 24 pictures of photos can be read \(there is no such file\)"):
        picture_task(tmp_path / "photos.csv")


def test_the_same_picture_in_two_given_parts_is_a_leak(tmp_path):
    place = tmp_path / "tree"
    folder(place / "train", 40, side=32)
    folder(place / "test", 12, side=32, seed=5)
    for each in sorted((place / "train" / "lying").iterdir())[:8]:
        shutil.copy(each, place / "test" / "lying" / f"again {each.name}")
    found = picture_task(place)
    assert found.profile.shared_rows >= 8
    assert any("one of the test part" in each for each in found.notes)
    answer = Leakage().judge(Evidence((found.profile,)))
    assert isinstance(answer, Found)


def test_copies_with_other_labels_stay_together(tmp_path):
    place = folder(tmp_path / "photos", 40, side=32)
    first = sorted((place / "lying").iterdir())[0]
    shutil.copy(first, place / "upright" / "copy.png")
    found = picture_task(place)
    names, groups = list(found.task.data.names), found.task.groups
    assert groups[names.index(f"lying/{first.name}")] == groups[names.index("upright/copy.png")]


def test_an_archive_with_broken_and_odd_pictures(tmp_path):
    place = folder(tmp_path / "photos", 24, side=20)
    odd_files(place / "lying")
    broken = broken_files(place / "upright")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for each in sorted(place.rglob("*.*")):
            archive.write(each, each.relative_to(tmp_path))
    found = picture_task(tmp_path / "photos.zip")
    assert len(found.broken) == len(broken)
    assert found.task.classes == ("lying", "upright")
