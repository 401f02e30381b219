"""The page in a real browser, at phone and desktop width, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import browser
import pytest
import study_cases as cases

from liebig.core.trial import Verdict
from liebig.report import Compared, comparison_data, comparison_to_html, report_data, to_html

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser.chromium() is None, reason="no Chromium on this machine")]

# For each figure: how many layouts are shown, the size of the shown one, how many marks it has, and how far its marks reach
# over the viewport's edges.
_FIGURES = """[...document.querySelectorAll('.figure')].map(figure => {
  const shown = [...figure.querySelectorAll('svg')].filter(each => each.getBoundingClientRect().width > 0);
  const marks = shown.flatMap(each => [...each.querySelectorAll('rect,path,line,circle,text')]);
  const boxes = marks.map(each => each.getBoundingClientRect());
  return {shown: shown.length, width: shown[0]?.getBoundingClientRect().width, height: shown[0]?.getBoundingClientRect().height,
    marks: marks.length, left: Math.min(...boxes.map(b => b.left)), right: Math.max(...boxes.map(b => b.right)),
    smallest: Math.min(...[...(shown[0]?.querySelectorAll('text') ?? [])].map(t => parseFloat(getComputedStyle(t).fontSize)
      * shown[0].getBoundingClientRect().width / shown[0].viewBox.baseVal.width))};
})"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    with browser.browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    runs = [
        Compared("plain", cases.ran("a", 0.8).evidence.having(cases.curves(0.86, 20, 19))),
        Compared("early stopping", cases.ran("a", 0.8).evidence.having(cases.curves(0.88, 12, 9)), cases.look(0.02, 0.004, Verdict.PROVEN)),
    ]  # fmt: skip
    told = {
        "rich": to_html(report_data(cases.rich(), cases.CHECKS)),
        "wide names": to_html(report_data(cases.rich("n" * 90, "목표 변수 " * 12, "column_" * 20), cases.CHECKS)),
        "comparison": comparison_to_html(comparison_data("adult.csv", "roc_auc", True, runs)),
    }
    for name, content in told.items():
        (folder / f"{name}.html").write_text(content, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in told}


@pytest.mark.parametrize("width", [390, 820, 1280])
@pytest.mark.parametrize("name", ["rich", "wide names", "comparison"])
def test_every_figure_is_drawn_and_nothing_overflows(
    page: browser.Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    page.open(pages[name], width)
    assert page.value("document.documentElement.scrollWidth") <= width
    figures = page.value(_FIGURES)
    assert len(figures) == {"comparison": 6}.get(name, 15)
    for figure in figures:
        assert figure["shown"] == 1
        assert figure["marks"] > 3
        assert figure["width"] > 150
        assert figure["height"] > 40
        assert figure["left"] >= -1
        assert figure["right"] <= width + 1
        assert figure["smallest"] >= 9.5
    assert page.complaints() == []


def test_colours_follow_the_reader(page: browser.Browser, pages: dict[str, Path]) -> None:
    seen = set()
    for dark in (False, True):
        page.open(pages["rich"], 1280, dark)
        seen.add(
            page.value(
                "getComputedStyle(document.body).backgroundColor + getComputedStyle(document.querySelector('.stave')).fill"
            )
        )
        assert page.complaints() == []
    assert len(seen) == 2
