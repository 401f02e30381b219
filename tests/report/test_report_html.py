"""The page: nothing from outside, everything escaped, every figure told in words."""

import re
from html import unescape
from html.parser import HTMLParser

import study_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st

from liebig.report import report_data, study_html_fragment, to_html, to_text

_VOID = {"meta", "link", "br", "img", "input", "hr"}


class _Reader(HTMLParser):
    """Tags, attributes, and whether every tag is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


def test_the_page_needs_nothing_from_outside() -> None:
    page = to_html(report_data(cases.rich(), cases.CHECKS))
    tags = read(page).tags
    assert not {"script", "img", "iframe", "object"} & {tag for tag, _ in tags}
    links = [each for _, attributes in tags for name in ("src", "href") if (each := attributes.get(name))]
    assert all(each.startswith(("data:", "#")) for each in links)
    assert not re.search(r"url\(|@import|https?://", page)
    assert len(page) < 400_000


def test_every_figure_is_told_in_words() -> None:
    tags = read(to_html(report_data(cases.rich(), cases.CHECKS))).tags
    drawn = [attributes for tag, attributes in tags if tag == "svg"]
    assert len(drawn) > 20
    for attributes in drawn:
        assert attributes.get("role") == "img"
        assert str(attributes.get("aria-label")).endswith(".")


def test_headings_stand_in_the_order_that_a_reader_asks() -> None:
    page = to_html(report_data(cases.rich(), cases.CHECKS))
    order = [
        "ladder",
        "barrel",
        "findings",
        "parts",
        "trials",
        "curves",
        "data",
        "importance",
        "rows",
        "network",
        "recipe",
    ]
    places = [page.index(f'<h2 id="{each}">') for each in order]
    assert places == sorted(places)


def test_what_was_not_measured_has_no_empty_section() -> None:
    page = to_html(report_data(cases.minimal()))
    assert "<svg" not in page
    assert "No network has been trained yet." in page


_NASTY = st.text(min_size=1, max_size=24) | st.sampled_from(
    ["<script>alert(1)</script>", '"><svg onload=x>', "{{ 7*7 }}", "&lt;b&gt;", "소득 <금액>", "</title>", "%n{0}", "'--", "]]>"]
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(_NASTY, _NASTY, _NASTY)
def test_user_text_is_never_markup(name: str, target: str, column: str) -> None:
    plain = read(to_html(report_data(cases.rich(), cases.CHECKS)))
    data = report_data(cases.rich(name, target, column), cases.CHECKS)
    page = read(to_html(data))
    # Names only change how labels are folded: no other tag, no attribute that was not there.
    assert {tag for tag, _ in page.tags} == {tag for tag, _ in plain.tags}
    assert {key for _, attributes in page.tags for key in attributes} == {
        key for _, attributes in plain.tags for key in attributes
    }
    assert not any(tag == "script" for tag, _ in read(study_html_fragment(data)).tags)
    assert "\x1b" not in to_text(data)


def test_a_fragment_for_a_notebook_says_the_first_lines() -> None:
    fragment = unescape(study_html_fragment(report_data(cases.rich(), cases.CHECKS)))
    assert "gained +0.041 ROC AUC" in fragment
    assert "proven" in fragment
    assert "<style" not in fragment
