"""The pages under docs/: their Python runs, their links lead somewhere, and no check is missing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from liebig.checks import ALL as CHECKS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<to>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)

#: Pages about a framework run where it is installed.
_NEEDS = {
    "lightning": "lightning",
    "transformers": "transformers",
    "keras": "keras",
    "ignite": "ignite",
    "skorch": "skorch",
}

os.environ["KERAS_BACKEND"] = "torch"  # read once, by whoever imports keras first


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def python_of(page: Path) -> list[str]:
    return [found["code"] for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def anchors_of(page: Path) -> set[str]:
    titles = (found["title"] for found in _HEADING.finditer(page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder as a reader has it: the examples, and nothing else."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


@pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning")
@pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*smaller than the logging interval:UserWarning")
@pytest.mark.parametrize("page", [each for each in PAGES if each.name != "README.md" and python_of(each)], ids=named)
def test_the_python_of_a_page_runs_as_one_session(page: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needed = _NEEDS.get(page.stem)
    if needed is not None and find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    session: dict[str, object] = {"__name__": "__main__"}
    for number, code in enumerate(python_of(page), start=1):
        exec(compile(code, f"{page.name}, block {number}", "exec"), session)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for found in _LINK.finditer(page.read_text(encoding="utf-8")):
        to = found["to"]
        if to.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = to.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{named(page)} links to {to}, which is not there"
        if anchor and target.suffix == ".md":
            assert anchor in anchors_of(target), f"{named(page)} links to {to}, a heading that is not there"


def test_every_check_stands_on_the_page_about_watching() -> None:
    text = (ROOT / "docs" / "watch.md").read_text(encoding="utf-8")
    assert [each.name for each in CHECKS if f"| `{each.name}` |" not in text] == []


@pytest.mark.parametrize("page", ["docs/watch.md", "docs/does-not-learn.md", "docs/disappoints.md"])
def test_no_page_names_a_check_that_is_not_there(page: str) -> None:
    names = {each.name for each in CHECKS}
    text = (ROOT / page).read_text(encoding="utf-8")
    kebab = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", text))
    assert kebab <= names, kebab - names
