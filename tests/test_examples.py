"""Each example runs as a script, as a reader runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

import liebig

EXAMPLES = Path(__file__).parents[1] / "examples"


def said(folder: Path, script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments],
        cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.end_to_end
def test_the_stuck_network_is_watched_and_mended(tmp_path: Path) -> None:
    watched = said(tmp_path, "stuck_network/2_watched.py")
    assert "zero_grad() is missing" in watched
    assert "Softmax is applied twice" in watched
    assert "model.eval() is missing" in watched
    # Watching changes nothing: what the first script prints stands in what the second does.
    assert watched.startswith(said(tmp_path, "stuck_network/1_broken.py"))
    mended = said(tmp_path, "stuck_network/3_mended.py")
    assert float(mended.partition("epoch 20:")[2].split()[3]) > 0.85
    assert "certain" not in mended


@pytest.mark.end_to_end
def test_a_users_network_is_improved(tmp_path: Path) -> None:
    assert "users-cnn-study" in said(tmp_path, "users_cnn.py", "15s")


@pytest.mark.end_to_end
def test_a_sensor_file_is_learnt(tmp_path: Path) -> None:
    told = said(tmp_path, "sensor_file.py")
    assert "the first five of the test part" in told
    assert float(told.partition("accuracy")[2].split()[0]) > 0.6


@pytest.mark.end_to_end
def test_a_folder_of_pictures_is_drawn_and_looked_at(tmp_path: Path) -> None:
    assert "disc, cross, ring" in said(tmp_path, "pictures/shapes.py", "shapes", "90")
    look = str(liebig.look(tmp_path / "shapes"))
    for told in ("91 pictures, colour", "disc/broken.jpg", "copies  1 "):
        assert told in look


@pytest.mark.end_to_end
@pytest.mark.skipif(find_spec("lightning") is None, reason="Lightning is not installed: pip install liebig[lightning]")
def test_a_lightning_run_is_watched(tmp_path: Path) -> None:
    assert "likely" in (told := said(tmp_path, "lightning_run.py")) or "certain" in told


@pytest.mark.end_to_end
def test_the_textbook_experiments_give_verdicts_and_pictures(tmp_path: Path) -> None:
    told = said(tmp_path, "textbook", "pages", "--quick")
    assert "batch-normalisation is better than plain" in told
    assert "over 3 draws of the points" in told
    assert "of the epochs saved" in told
    for page in ("batch-normalisation", "twenty-points", "frozen-backbone"):
        text = (tmp_path / "pages" / f"{page}.html").read_text(encoding="utf-8")
        assert text.count("<svg") >= 8
        assert "recipe" in text
    drawn = ElementTree.parse(tmp_path / "pages" / "twenty-points.svg").getroot()
    assert len(drawn.findall("{*}polyline")) == 3  # the truth and both fits
    assert len(drawn.findall("{*}circle")) == 25
