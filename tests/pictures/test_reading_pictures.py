"""Folders, archives, tables and arrays of pictures become one array of bytes; what cannot be read is told."""

import io
import shutil
import zipfile

import numpy as np
import polars as pl
import pytest
from picture_cases import bars, folder
from PIL import Image

from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.data.pictures.cache import cache_folder
from liebig.data.pictures.decoding import decoded
from liebig.data.pictures.duplicates import difference_hash, same_pictures
from liebig.data.pictures.found import as_bytes, is_pictures
from liebig.data.pictures.look import look_at_pictures
from liebig.data.pictures.task import picture_task, read_pictures


def saved(picture, ending, **options):
    into = io.BytesIO()
    picture.save(into, ending, **options)
    return into.getvalue()


def test_a_folder_with_one_folder_for_each_class(tmp_path):
    found = picture_task(folder(tmp_path / "bars"))
    assert found.task.classes == ("lying", "upright")
    assert found.task.kind is TaskKind.BINARY
    assert found.task.data.pixels.shape == (24, 12, 12, 3)
    assert found.task.metric.name == "accuracy"
    assert len(found.task.parts.sealed) == 4
    assert not set(found.task.parts.sealed) & set(found.task.parts.work)


def test_parts_in_a_tree_are_the_users_own(tmp_path):
    for part, count, seed in (("train", 20, 1), ("val", 8, 2), ("test", 6, 3)):
        folder(tmp_path / "tree" / part, count, seed=seed)
    task = picture_task(tmp_path / "tree").task
    assert task.parts.test_given
    assert len(task.parts.sealed) == 6
    assert len(task.parts.work) == 28
    assert task.parts.fixed_select is not None
    assert len(task.parts.fixed_select) == 8


def test_an_archive_whose_folders_lie_in_another(tmp_path):
    folder(tmp_path / "bars" / "train", 20)
    folder(tmp_path / "bars" / "test", 6, seed=5)
    with zipfile.ZipFile(tmp_path / "bars.zip", "w") as archive:
        for each in sorted((tmp_path / "bars").rglob("*.png")):
            archive.write(each, each.relative_to(tmp_path))
        archive.writestr("__MACOSX/bars/train/upright/._000.png", b"none")
    shutil.rmtree(tmp_path / "bars")
    task = picture_task(tmp_path / "bars.zip").task
    assert (len(task.parts.work), len(task.parts.sealed)) == (20, 6)
    assert task.classes == ("lying", "upright")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_of_paths_and_labels(tmp_path, ending):
    folder(tmp_path / "bars", 24)
    files = sorted((tmp_path / "bars").rglob("*.png"))
    frame = pl.DataFrame({
        "file": [str(each.relative_to(tmp_path)) for each in files], "kind": [each.parent.name for each in files],
        "who": ["somebody"] * 24,
    })  # fmt: skip
    table = tmp_path / f"pictures.{ending}"
    frame.write_csv(table) if ending == "csv" else frame.write_parquet(table)
    assert is_pictures(table)
    task = picture_task(table, "kind").task
    assert task.classes == ("lying", "upright")
    assert task.target_name == "kind"
    with pytest.raises(UserError, match="needs the column of labels"):
        picture_task(table)


def test_numbers_of_a_table_are_learnt_as_numbers(tmp_path):
    folder(tmp_path / "bars", 24)
    files = sorted((tmp_path / "bars").rglob("*.png"))
    pl.DataFrame({"file": [str(each) for each in files], "height": np.linspace(1.5, 2.5, 24)}).write_csv(
        tmp_path / "heights.csv"
    )
    task = picture_task(tmp_path / "heights.csv").task
    assert task.kind is TaskKind.REGRESSION
    assert task.target.max() == 2.5


def test_arrays_with_their_parts_and_names(tmp_path):
    pixels, labels = bars(40, channels=1)
    np.savez(tmp_path / "bars.npz", x_train=pixels[:30, :, :, 0], y_train=labels[:30], x_test=pixels[30:, :, :, 0],
             y_test=labels[30:], names=np.array(["upright", "lying"]))  # fmt: skip
    task = picture_task(tmp_path / "bars.npz").task
    assert task.classes == ("upright", "lying")
    assert task.data.shape == (1, 12, 12)
    assert len(task.parts.sealed) == 10


def test_arrays_in_python_and_channels_first():
    pixels, labels = bars(30)
    whole = picture_task((pixels.transpose(0, 3, 1, 2) / 255.0, labels)).task
    assert np.array_equal(whole.data.pixels, pixels)
    assert whole.classes == ("0", "1")


def test_own_test_pictures_become_the_sealed_part(tmp_path):
    found = picture_task(folder(tmp_path / "a", 24), test=folder(tmp_path / "b", 8, side=20, seed=7))
    assert found.task.parts.test_given
    assert len(found.task.parts.sealed) == 8
    assert found.task.data.pixels.shape[1:3] == (12, 12)


def test_every_kind_of_picture_is_read():
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 255, (20, 30, 3), dtype=np.uint8))
    kinds = [
        saved(colour, "PNG"), saved(colour, "JPEG"), saved(colour, "WEBP"), saved(colour.convert("L"), "PNG"),
        saved(colour.convert("CMYK"), "JPEG"), saved(colour.convert("P"), "PNG"), saved(colour.convert("1"), "PNG"),
        saved(colour.convert("LA"), "PNG"),
    ]  # fmt: skip
    for content in kinds:
        assert decoded(content, 10, 15, 3).shape == (10, 15, 3)
        assert decoded(content, 10, 15, 1).shape == (10, 15, 1)


def test_what_is_transparent_is_white():
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert (decoded(saved(clear, "PNG"), 8, 8, 3) == 255).all()


def test_sixteen_bits_keep_their_upper_byte():
    deep = Image.fromarray(np.full((8, 8), 257 * 100, dtype=np.uint16))
    assert (decoded(saved(deep, "PNG"), 8, 8, 1) == 100).all()


def test_a_picture_is_turned_as_its_metadata_say():
    lying = np.zeros((8, 16, 3), dtype=np.uint8)
    lying[:, :4] = 255  # bright on the left
    metadata = Image.Exif()
    metadata[0x0112] = 6  # to be turned a quarter to the right: bright on top
    content = saved(Image.fromarray(lying), "JPEG", quality=95, exif=metadata.tobytes())
    upright = decoded(content, 16, 8, 3)
    assert upright[:3].mean() > 200
    assert upright[8:].mean() < 50


def test_broken_files_are_listed_and_left_out(tmp_path):
    place = folder(tmp_path / "bars", 24)
    whole = (place / "lying" / "001.png").read_bytes()
    (place / "lying" / "empty.png").write_bytes(b"")
    (place / "lying" / "words.jpg").write_text("this is no picture")
    (place / "upright" / "half.png").write_bytes(whole[: len(whole) // 2])
    (place / "upright" / "notes.txt").write_text("notes")
    found = picture_task(place)
    assert {each.name for each in found.broken} == {"lying/empty.png", "lying/words.jpg", "upright/half.png"}
    assert len(found.task.data.pixels) == 24
    assert any(each.startswith("3 pictures cannot be read") for each in found.notes)
    assert "1 files are no pictures and were passed over" in found.notes
    again = picture_task(place)  # from the cache
    assert again.was_cached
    assert again.broken == found.broken


def test_a_folder_is_decoded_once(tmp_path):
    place = folder(tmp_path / "bars", 24)
    assert not picture_task(place).was_cached
    assert picture_task(place).was_cached
    assert not picture_task(place, size=10).was_cached
    Image.new("RGB", (12, 12)).save(place / "lying" / "new.png")
    assert not picture_task(place).was_cached


def test_the_cache_is_bounded_and_its_damage_costs_only_time(tmp_path):
    place = folder(tmp_path / "bars", 24)
    size = 24 * 12 * 12 * 3
    picture_task(place, cache=size + 1000)
    picture_task(place, size=10, cache=size + 1000)
    assert len(list(cache_folder().glob("*.npy"))) == 1
    next(cache_folder().glob("*.npy")).write_bytes(b"damaged")
    assert len(picture_task(place, size=10).task.data.pixels) == 24
    assert not picture_task(place, cache=0).was_cached


def test_sizes_that_differ_become_squares(tmp_path):
    place = folder(tmp_path / "bars", 24, side=12)
    Image.new("RGB", (300, 200)).save(place / "lying" / "large.png")
    read = read_pictures(place)
    assert read.pixels.shape[1:] == (32, 32, 3)
    assert (300, 200) in {tuple(each) for each in read.sizes.tolist()}
    assert read_pictures(place, size=20).pixels.shape[1:] == (20, 20, 3)


def test_copies_stay_in_one_part(tmp_path):
    place = folder(tmp_path / "bars", 40, side=32)
    first = Image.open(place / "lying" / "001.png")
    first.save(place / "lying" / "copy.png")
    first.resize((40, 40)).resize((32, 32)).save(place / "lying" / "nearly.jpg", quality=95)
    found = picture_task(place)
    names = list(found.task.data.names)
    groups = found.task.groups
    assert groups is not None
    own = {groups[names.index(f"lying/{each}")] for each in ("001.png", "copy.png", "nearly.jpg")}
    assert len(own) == 1
    assert found.profile.duplicate_rows + found.profile.shared_rows >= 2


def test_pictures_that_differ_are_no_copies():
    pixels, _ = bars(60, side=32)
    assert same_pictures(pixels) is None
    assert len(np.unique(difference_hash(pixels))) > 30


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((3, 4)), "must hold pictures"),
        (np.zeros((3, 9, 9, 7)), "1 to 4 channels"),
        (np.full((3, 4, 4), -1.0), "from 0 to 255"),
        (np.full((3, 4, 4), np.nan), "from 0 to 255"),
        (np.array([[["a"]]]), "bytes or numbers"),
        (np.zeros((0, 4, 4)), "holds no picture"),
    ],
)
def test_arrays_that_are_no_pictures(values, words):
    with pytest.raises(UserError, match=words):
        as_bytes(values, "x")


def test_what_cannot_be_learnt_from_is_told_in_a_sentence(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="no pictures in"):
        picture_task(tmp_path / "none")
    with pytest.raises(UserError, match="no file or folder"):
        picture_task(tmp_path / "nowhere")
    one = folder(tmp_path / "one", 24, classes=("same", "same"))
    with pytest.raises(UserError, match="at least two classes"):
        picture_task(one)
    loose = tmp_path / "loose"
    loose.mkdir()
    for each in list(one.rglob("*.png")):
        shutil.copy(each, loose / each.name)
    with pytest.raises(UserError, match="have no labels"):
        picture_task(loose)
    with pytest.raises(UserError, match="at least 20 pictures"):
        picture_task(folder(tmp_path / "few", 10))
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(UserError, match="cannot be read"):
        picture_task(tmp_path / "broken.zip")
    with pytest.raises(UserError, match="from 8 to"):
        picture_task(folder(tmp_path / "fine", 24), size=3)
    with pytest.raises(UserError, match='the class "crossed", which the others lack'):
        picture_task(tmp_path / "fine", test=folder(tmp_path / "other", 6, classes=("lying", "crossed")))
    np.savez(tmp_path / "short.npz", x=np.zeros((30, 4, 4), np.uint8), y=np.zeros(20))
    with pytest.raises(UserError, match="one label for each picture"):
        picture_task(tmp_path / "short.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(UserError, match="needs pictures under the name x"):
        picture_task(tmp_path / "other.npz")


def test_a_look_tells_classes_sizes_and_copies(tmp_path):
    place = folder(tmp_path / "bars", 24)
    (place / "lying" / "words.jpg").write_text("this is no picture")
    seen = look_at_pictures(read_pictures(place))
    assert "24 pictures, colour" in seen.text()
    assert "lying/words.jpg" in seen.text()
    assert {each["class"]: each["pictures"] for each in seen.plain()["classes"]} == {"lying": 12, "upright": 12}


def test_a_table_is_no_picture(tmp_path):
    pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}).write_csv(tmp_path / "table.csv")
    assert not is_pictures(tmp_path / "table.csv")
    assert not is_pictures(pl.DataFrame({"a": [1]}))
    assert is_pictures(tmp_path)
