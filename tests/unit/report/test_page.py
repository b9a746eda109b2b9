"""The page, as text and in a real browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from dockertls.escaping import visible
from dockertls.findings import Severity
from dockertls.report.markup import el, joined, text
from dockertls.report.page import document
from tests.unit.report import audits
from tests.unit.report.audits import HOSTILE, ODD, USUAL, audit, hostile, result
from tests.unit.report.browser import Browser, browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dockertls.report.audited import Audit

EVERY = audit(*(result(f"NET-0{one.value}", audits.failed(cause="c"), one) for one in Severity), *audits.ALL)


class Elements(HTMLParser):
    """Every element of a page, with its attributes, and the text between them."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


# as text


def test_what_is_not_markup_is_escaped_wherever_it_stands() -> None:
    assert el("p", "<b>", el("i", "&")) == "<p>&lt;b&gt;<i>&amp;</i></p>"
    assert el("p", class_='"><script>') == '<p class="&quot;&gt;&lt;script&gt;"></p>'
    assert el("input", checked=True, id=None) == "<input checked/>"
    assert joined("a\x1b", text("<")) == "a\\x1b&lt;"


@pytest.mark.parametrize("found", [USUAL, hostile()], ids=["usual", "hostile"])
def test_a_page_has_no_script_no_address_and_no_style_of_its_own(found: Audit) -> None:
    page = Elements(document(found))
    tags = [tag for tag, _ in page.found]
    assert not {"script", "img", "a", "link", "iframe", "object", "form", "base"} & set(tags)
    assert tags.count("style") == 1
    names = {name for _, attributes in page.found for name in attributes}
    assert not {name for name in names if name.startswith("on")} | {"style", "src", "href", "action"} & names
    assert document(found).replace("\n", "").isprintable()


def test_hostile_text_is_there_as_text() -> None:
    words = Elements(document(hostile())).words
    assert all(visible(one) in words for one in HOSTILE)
    plain = [tag for tag, _ in Elements(document(audit(*hostile().results[:5], host="h"))).found]
    assert {*plain} <= {
        "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "div", "p", "h1", "h2",
        "h3", "h4", "time", "svg", "circle", "strong", "span", "fieldset", "legend", "label", "input", "b", "details",
        "summary", "ul", "li", "dl", "dt", "dd", "code",
    }  # fmt: skip


def test_everything_that_was_found_is_on_the_page() -> None:
    words = Elements(document(USUAL)).words
    for one in USUAL.results:
        assert one.finding.id in words
        assert one.finding.title in words
    assert "until 2027-03-31: a lab that goes away" in words
    assert "set it: dockertls daemon configure --set icc=false" in words
    assert "/etc/docker/daemon.json:3" in words
    assert "CIS 1.8 2.8" in words
    assert "Compared with the baseline before.json." in words


def test_of_nothing_there_is_a_page_too() -> None:
    words = Elements(document(audit(host=""))).words
    assert "Nothing was checked." in words
    assert "no score" in words


# in a browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Iterator[Shown]:
    yield Shown(chromium, tmp_path)
    chromium.look()


class Shown:
    """Opens the page of an audit."""

    def __init__(self, chromium: Browser, folder: Path) -> None:
        self.chromium, self.file = chromium, folder / "audit.html"

    def __call__(self, found: Audit, *, width: int = 1280, dark: bool = False, scripts: bool = False) -> Browser:
        self.file.write_text(document(found), encoding="utf-8")
        self.chromium.look(width=width, dark=dark, scripts=scripts)
        self.chromium.open(self.file)
        return self.chromium


OPEN_ALL = "document.querySelectorAll('details').forEach(e => e.open = true)"
SEEN = "[...document.querySelectorAll('.finding')].filter(e => e.checkVisibility()).map(e => e.className)"
CONTRAST = """(() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const linear = value => (value /= 255) <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const found = channels(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility()) continue;
    const pair = [light(channels(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => b - a);
    found.push([(pair[0] + .05) / (pair[1] + .05), parseFloat(getComputedStyle(e).fontSize), walker.currentNode.data]);
  }
  return found;
})()"""


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("found", [USUAL, hostile()], ids=["usual", "hostile"])
def test_nothing_of_others_runs_and_nothing_is_fetched(show: Shown, found: Audit) -> None:
    page = show(found, scripts=True)
    assert page.ask("document.title").startswith("Docker audit of ")
    assert page.ask("document.scripts.length + document.images.length + document.links.length") == 0
    asked = [sent["request"]["url"] for method, sent in page.events if method == "Network.requestWillBeSent"]
    assert asked == [show.file.as_uri()]
    assert [sent for method, sent in page.events if method in {"Log.entryAdded", "Runtime.exceptionThrown"}] == []
    assert page.ask("document.querySelector('h1').textContent") == visible(found.host)


@pytest.mark.needs("chromium")
def test_the_page_forbids_all_but_its_own_style(show: Shown) -> None:
    page = show(USUAL, scripts=True)
    before = page.ask("getComputedStyle(document.body).backgroundColor")
    assert before == "rgb(251, 250, 248)"
    page.ask(
        "document.body.insertAdjacentHTML('beforeend', '<style>body { background: red }</style>"
        '<p style="color: red" id="own">x</p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" id="image">\');'
        "const s = document.createElement('script'); s.textContent = 'document.title = \"owned\"';"
        "document.body.append(s)"
    )
    assert page.ask("getComputedStyle(document.body).backgroundColor") == before
    assert page.ask("getComputedStyle(document.querySelector('#own')).color") != "rgb(255, 0, 0)"
    assert page.ask("document.querySelector('#image').naturalWidth") == 0
    assert page.ask("document.title") == "Docker audit of web1.example.org"


@pytest.mark.needs("chromium")
def test_a_click_hides_a_severity_without_any_script(show: Shown) -> None:
    page = show(EVERY)
    assert len(page.ask(SEEN)) == 9
    page.click("label.medium")
    assert not [one for one in page.ask(SEEN) if "medium" in one]
    assert len(page.ask(SEEN)) == 6
    for name in ("critical", "high", "low", "info"):
        page.click(f"label.{name}")
    assert page.ask(SEEN) == []
    assert not page.ask("[...document.querySelectorAll('section')].some(e => e.checkVisibility())")
    assert page.ask("document.querySelector('.nothing').checkVisibility()")
    page.click("label.low")
    assert [one.split()[:3] for one in page.ask(SEEN)] == [["finding", "failed", "low"]]
    assert not page.ask("document.querySelector('.nothing').checkVisibility()")


@pytest.mark.needs("chromium")
def test_a_finding_opens_to_its_evidence_and_remedy_by_click_and_by_key(show: Shown) -> None:
    page = show(USUAL)
    remedy = "document.querySelector('.finding .remedy').checkVisibility()"
    assert not page.ask(remedy)
    page.click(".finding summary")
    assert page.ask(remedy)
    assert page.ask("document.querySelector('.finding .evidence').checkVisibility()")
    page = show(USUAL)
    for _ in range(len(Severity) + 1):
        page.press("Tab")
    assert page.ask("document.activeElement.tagName") == "SUMMARY"
    page.press("Enter")
    assert page.ask(remedy)


@pytest.mark.needs("chromium")
def test_the_keyboard_reaches_everything_and_shows_where_it_is(show: Shown) -> None:
    page = show(USUAL)
    reached = []
    for _ in Severity:
        page.press("Tab")
        reached.append(page.ask("document.activeElement.id"))
        assert page.ask("getComputedStyle(document.activeElement.parentElement).outlineStyle") == "solid"
    assert reached == [f"show-{one.name.lower()}" for one in Severity]
    page.press("Space")
    assert not page.ask("document.activeElement.checked")
    summaries = page.ask("[...document.querySelectorAll('summary')].filter(e => e.checkVisibility()).length")
    for _ in range(summaries):
        page.press("Tab")
        assert page.ask("document.activeElement.tagName") == "SUMMARY"
        assert page.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_text_can_be_read_in_light_and_in_dark(show: Shown, width: int, dark: bool) -> None:
    page = show(EVERY, width=width, dark=dark)
    page.ask(OPEN_ALL)
    found = page.ask(CONTRAST)
    assert len(found) > 100
    assert [(round(ratio, 2), words) for ratio, _, words in found if ratio < 4.5] == []
    assert [(size, words) for _, size, words in found if size < 12.9] == []
    paper = page.ask("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", paper))) < 64) is dark


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("found", [EVERY, hostile()], ids=["usual", "hostile"])
def test_no_page_is_wider_than_its_window(show: Shown, found: Audit, width: int) -> None:
    page = show(found, width=width)
    page.ask(OPEN_ALL)
    assert page.ask("document.documentElement.scrollWidth") <= width
    outside = (
        f"[...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > {width + 1}).length"
    )
    assert page.ask(outside) == 0
    heights = page.ask("[...document.querySelectorAll('label, summary')].map(e => e.getBoundingClientRect().height)")
    assert min(heights) >= 44


@pytest.mark.needs("chromium")
def test_headings_are_headings_and_boxes_have_names(show: Shown) -> None:
    page = show(USUAL)
    page.ask(OPEN_ALL)
    levels = page.ask("[...document.querySelectorAll('h1, h2, h3, h4')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    named = [(one["role"]["value"], one.get("name", {}).get("value")) for one in nodes if "role" in one]
    boxes = [name for role, name in named if role == "checkbox"]
    assert boxes == ["1 Critical", "0 High", "2 Medium", "0 Low", "0 Info"]
    assert ("heading", "How dockerd runs containers") in named
    assert ("group", "Failures and warnings by severity; untick one to hide it.") in named
    assert {role for role, _ in named} >= {"banner", "main", "contentinfo"} or page.ask(
        "!!document.querySelector('main')"
    )


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(("found", "part"), [(USUAL, "33 100"), (audit(audits.PORT), "100 100"), (audit(), "")])
def test_the_ring_shows_the_score(show: Shown, found: Audit, part: str) -> None:
    page = show(found)
    assert page.ask("document.querySelector('circle.part')?.getAttribute('stroke-dasharray') ?? ''") == part
    assert page.ask("[...document.querySelectorAll('circle')].every(e => e.getBoundingClientRect().width > 50)")
    assert ODD not in page.ask("document.body.innerText")
