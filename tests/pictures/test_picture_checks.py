"""What is told of pictures before anything is trained: read wrongly, odd, told apart without looking."""

import numpy as np
import pytest
from picture_cases import bars, folder
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter

from liebig.checks import diagnose
from liebig.checks.faint_pictures import FaintPictures
from liebig.checks.odd_pictures import OddPictures
from liebig.checks.picture_shortcut import PictureShortcut
from liebig.checks.wrong_layout import WrongLayout
from liebig.core.check import Clear, Found, NotMeasured
from liebig.core.evidence import Evidence
from liebig.data.pictures.profile import picture_profile
from liebig.data.pictures.task import picture_task


def scenes(count=120, side=24, seed=0, channels=3, height=None):
    """Smooth colour pictures, as photographs are, with two classes that are a bright spot above or below."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    shape = (count, height or side, side, channels)
    pixels = gaussian_filter(rng.normal(size=shape), (0, 2, 2, 0))
    pixels = 128 + 45 * pixels / pixels.std((1, 2, 3), keepdims=True)
    for i, label in enumerate(labels):
        x, y = rng.integers(4, side - 6), rng.integers(3, shape[1] // 2 - 4) + label * (shape[1] // 2)
        pixels[i, y : y + 4, x : x + 4] += 60
    return np.clip(pixels, 0, 255).astype(np.uint8), labels


def answered(check, pixels, labels):
    found = picture_task((pixels, labels))
    return check.judge(Evidence((picture_profile(found.task, len(found.broken)),)))


EVERY = (FaintPictures(), WrongLayout(), OddPictures(), PictureShortcut())


@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_is_found_in_sound_pictures(channels):
    pixels, labels = scenes(channels=channels)
    for check in EVERY:
        answer = answered(check, pixels, labels)
        assert not isinstance(answer, Found) or answer.strength < 0.3, (check.name, answer)


def test_checks_of_pictures_say_nothing_of_tables():
    assert all(isinstance(check(Evidence()), NotMeasured) for check in EVERY)


def test_a_reshaped_array_is_told_from_a_transposed_one():
    pixels, labels = scenes()
    wrong = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).reshape(pixels.shape)
    answer = answered(WrongLayout(), wrong, labels)
    assert isinstance(answer, Found)
    assert answer.strength >= 0.5
    assert answer.place == "channels, height, width"


def test_height_and_width_taken_for_one_another():
    pixels, labels = scenes(side=32, height=20)
    answer = answered(WrongLayout(), pixels.reshape(len(pixels), 32, 20, 3), labels)
    assert isinstance(answer, Found)
    assert answer.strength >= 0.5
    assert answer.place == "width before height"


def test_noise_is_no_wrong_layout():
    rng = np.random.default_rng(0)
    assert isinstance(answered(WrongLayout(), rng.integers(0, 255, (60, 12, 12, 3), dtype=np.uint8), np.arange(60) % 2), Clear)  # fmt: skip


def test_pictures_divided_twice():
    pixels, labels = scenes()
    found = picture_task((pixels.astype(np.float32) / 255 / 255, labels))
    assert any("divided by 255 twice" in each for each in found.notes)
    assert np.abs(found.task.data.pixels.astype(int) - pixels).max() <= 1
    faint = answered(FaintPictures(), (pixels // 64).astype(np.uint8), labels)
    assert isinstance(faint, Found)
    assert faint.strength >= 0.5


def test_blurred_constant_and_broken_pictures_are_named(tmp_path):
    place = folder(tmp_path / "bars", 60, side=24)
    Image.new("RGB", (24, 24), (10, 200, 30)).save(place / "lying" / "green.png")
    one = Image.open(next((place / "upright").glob("*.png")))
    one.resize((96, 96)).filter(ImageFilter.GaussianBlur(14)).resize((24, 24)).save(place / "upright" / "blurred.png")
    (place / "lying" / "broken.png").write_bytes(b"no")
    found = picture_task(place, sealed_share=0.05)
    profile = picture_profile(found.task, len(found.broken))
    assert profile.broken == 1
    odd = {*profile.constant, *profile.blurred}
    assert odd <= {"lying/green.png", "upright/blurred.png"}
    assert odd
    assert isinstance(OddPictures().judge(Evidence((profile,))), Found)


@pytest.mark.parametrize("what", ["border", "brightness", "size"])
def test_what_gives_the_label_away_is_named(tmp_path, what):
    pixels, labels = scenes(160)
    place = tmp_path / "pictures"
    for i, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
        if label and what == "border":
            picture = picture.copy()
            picture[:1] = picture[-1:] = 0
            picture[:, :1] = picture[:, -1:] = 0
        if label and what == "brightness":
            picture = np.clip(picture.astype(int) + 60, 0, 255).astype(np.uint8)
        shown = Image.fromarray(picture)
        if label and what == "size":
            shown = shown.resize((40, 30))
        (place / str(label)).mkdir(parents=True, exist_ok=True)
        shown.save(place / str(label) / f"{i}.png")
    found = picture_task(place)
    answer = PictureShortcut().judge(Evidence((picture_profile(found.task, 0),)))
    assert isinstance(answer, Found), answer
    told = {"border": {"the border", "the border's evenness"}, "brightness": {"the brightness", "the border"},
            "size": {"the width", "the height", "the shape"}}[what]  # fmt: skip
    assert answer.place in told
    assert (answer.strength >= 0.5) == (answer.place not in {"the brightness", "the contrast"})


def test_findings_are_told_in_sentences():
    pixels, labels = bars(60)
    found = picture_task(((pixels // 64).astype(np.uint8), labels))
    told = str(diagnose(Evidence((found.profile, picture_profile(found.task, 2)))))
    assert "faint" in told
