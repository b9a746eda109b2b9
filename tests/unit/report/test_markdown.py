"""Markdown as GitHub's own reader (cmark-gfm) takes it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given
from hypothesis import strategies as st

from dockertls.escaping import visible
from dockertls.report import markdown
from tests.unit.report.audits import HOSTILE, NET, ODD, RUNS, USUAL, audit, hostile

EXTENSIONS = ["table", "autolink", "strikethrough", "tasklist"]
SPECIAL = st.text(alphabet=st.sampled_from("\\`*_{}[]()#+-.!|<>&~$^@:/w \tx1\x1b\n"), max_size=24)


class Page(HTMLParser):
    """The elements of a page, and the text of each."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.append(tag)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    @property
    def words(self) -> str:
        return "".join(words for _, words in self.texts)


def read(source: str) -> Page:
    html = cmarkgfm.markdown_to_html_with_extensions(source, Options.CMARK_OPT_UNSAFE, EXTENSIONS)
    return Page(html)


def test_it_reads_as_a_page_of_sections_with_a_table_each() -> None:
    page = read(markdown.document(USUAL))
    headings = [words for tag, words in page.texts if tag in {"h1", "h2"}]
    assert headings == ["Docker audit of web1.example.org", NET, RUNS, "Files and sockets", "Waived"]
    assert page.tags.count("table") == 2
    cells = [words for tag, words in page.texts if tag == "td"]
    assert cells[:3] == ["failed", "critical", " NET-01 holds"]
    assert "anybody who reaches port 2375 is root on this host" in cells
    assert "What to do: set it: dockertls daemon configure --set icc=false" in page.words
    assert "at /etc/docker/daemon.json:3: true, expected false" in page.words
    assert "FS-03 until 2027-03-31: a lab that goes away (critical: everybody may use the socket)" in page.words


def test_the_score_and_what_it_is_of_come_first() -> None:
    page = read(markdown.document(USUAL))
    assert "Score 33 of 100: the share that passed of 9 checks that could be judged" in page.words
    assert "2 failed, 1 warned, 1 unknown, 1 waived, 1 known, 1 not applicable, 4 passed" in page.words
    assert "against the baseline before.json" in page.words
    assert "No score: none of the checks could be judged" in read(markdown.document(audit())).words


ALLOWED = {
    "h1", "h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code",
}  # fmt: skip


def test_hostile_text_makes_no_element_no_link_and_no_row() -> None:
    source = markdown.document(hostile())
    page = read(source)
    assert set(page.tags) <= ALLOWED
    assert page.tags.count("table") == 1
    assert page.tags.count("td") == 3 * 4
    assert page.tags.count("h2") == 2
    assert page.tags.count("h3") == 2
    assert source.replace("\n", "").isprintable()
    assert [words for tag, words in page.texts if "@" in words and tag != "code"] == []
    assert visible(ODD).replace(" ", "") in page.words.replace(" ", "")


@given(SPECIAL)
@example(HOSTILE[2])
@example(HOSTILE[3])
@example("@@ `@` ann@x.example")
@example("www.x.example")
@example("WWW.x.example http://x.example")
def test_text_comes_back_as_it_was_and_is_nothing_else(words: str) -> None:
    page = read(f"- it is {markdown.text(words)}, so")
    assert set(page.tags) <= {"ul", "li", "code"}
    assert all(set(said) == {"@"} for tag, said in page.texts if tag == "code")
    assert page.words.strip() == f"it is {visible(words)}, so".replace("\t", " ")


@given(SPECIAL)
@example(HOSTILE[2])
@example("``")
@example(" ` ")
def test_code_comes_back_as_it_was_in_a_list_and_in_a_table(value: str) -> None:
    shown = visible(value).replace("\t", " ")
    told = f"it is {markdown.code(value)}, so"
    for source, cells in ((f"- {told}", 0), (f"| a |\n| --- |\n| {told} |", 1)):
        page = read(source)
        assert page.tags.count("td") == cells
        assert set(page.tags) <= {"ul", "li", "code", "table", "thead", "tbody", "tr", "th", "td"}
        assert (shown.strip() or "(nothing)") in page.words


@pytest.mark.parametrize("one", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_and_no_address_is_left_to_be_linked(one: str) -> None:
    assert not re.search(r"@\w", markdown.text(one))
    assert not re.search(r"https?://|www\.", markdown.text(one))
