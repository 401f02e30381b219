"""docs/catalogue.md is what the cards say, and names everything."""

import importlib.util
from pathlib import Path

import pytest

from liebig.checks import ALL as CHECKS
from liebig.classical import ALL as ALGORITHMS
from liebig.recipes.cards import catalogue
from liebig.remedies import ALL as REMEDIES

GENERATE = Path(__file__).parents[2] / "docs" / "generate.py"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate_docs", GENERATE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_catalogue_is_up_to_date(generate):
    assert generate.PAGE.read_text("utf-8") == generate.page(), "run python docs/generate.py"
    assert generate.main(["--check"]) == 0


def test_everything_is_named(generate):
    headings = {line.removeprefix("#### ") for line in generate.page().splitlines() if line.startswith("#### ")}
    assert headings == {
        *(each.name for each in catalogue()), *(each.name for each in CHECKS), *(each.name for each in REMEDIES),
        *(each.name for each in ALGORITHMS),
    }  # fmt: skip


def test_signs_of_markdown_are_escaped_outside_code(generate):
    assert generate._escaped("a_b * `c_d | e` <f>") == r"a\_b \* `c_d | e` \<f\>"


def test_an_outdated_page_is_said(generate, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "PAGE", tmp_path / "catalogue.md")
    assert generate.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
