"""Every code block of the README runs: what a reader types is what works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(?P<language>console|python)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)

#: Commands that set the project itself up; they are what runs these tests.
_SET_UP = ("git clone", "cd ", "make ", "pip install")


def blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [found["code"] for found in _BLOCK.finditer(text) if found["language"] == language]


def commands() -> list[str]:
    lines = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if not line.startswith(_SET_UP)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader has it: the examples, and nothing else."""
    path = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "examples", path / "examples")
    return path


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.end_to_end
def test_commands_run_in_order(folder: Path) -> None:
    assert commands(), "the README shows no command"
    for command in commands():
        short = re.sub(r"--budget \S+", "--budget 20s", command)  # a reader has a minute; this test has less
        done = subprocess.run(
            short, shell=True, cwd=folder, env=_environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{short}\n{done.stdout}\n{done.stderr}"


@pytest.mark.end_to_end
def test_python_blocks_run_as_one_session(folder: Path) -> None:
    script = re.sub(r'budget="[^"]+"', 'budget="20s"', "\n".join(blocks("python")))
    assert script, "the README shows no Python"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
