"""What holds for every format, whatever a host puts into its report."""

from __future__ import annotations

import json
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockertls.findings import Evidence, Failed, Finding, NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.report.audited import Audit, Result, Waiver
from dockertls.report.baseline import read
from dockertls.report.formats import FORMATS
from tests.unit.report.audits import TAKEN, UNTIL, USUAL, audit, hostile

SPECIAL = "<>&'\"`|[](){}\\*_@ \t\r\n\x00\x1b\x7f\x9b\u2028\u202e\ufffe\ud800"
WORDS = st.text(st.characters() | st.sampled_from(SPECIAL), max_size=9)
EVIDENCE = st.lists(st.builds(Evidence, WORDS, WORDS, WORDS, WORDS), max_size=2).map(tuple)
VERDICTS = st.one_of(
    st.builds(Passed, EVIDENCE),
    st.builds(Failed, EVIDENCE, WORDS, WORDS),
    st.builds(Warned, EVIDENCE, WORDS, WORDS),
    st.builds(Unknown, WORDS),
    st.builds(NotApplicable, WORDS),
)
RESULTS = st.builds(
    Result,
    st.builds(Finding, WORDS.filter(bool), WORDS, st.sampled_from(Severity), VERDICTS),
    WORDS,
    WORDS,
    st.dictionaries(WORDS, WORDS, max_size=2),
    st.none() | st.builds(Waiver, WORDS, st.just(UNTIL)),
    st.booleans(),
    st.sampled_from(["", "passed", "failed", "warned"]),
)
AUDITS = st.builds(
    Audit, WORDS, st.just(TAKEN), st.lists(RESULTS, max_size=4).map(tuple), WORDS, st.sampled_from(Severity), WORDS
)


def test_there_are_the_formats_of_the_command() -> None:
    assert list(FORMATS) == ["table", "json", "junit", "sarif", "html", "markdown"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("found", [USUAL, hostile(), audit()], ids=["usual", "hostile", "nothing"])
def test_each_is_whole_lines_that_a_terminal_can_be_shown(form: str, found: Audit) -> None:
    text = FORMATS[form](found)
    assert text.endswith("\n")
    assert text.replace("\n", "").isprintable()
    assert text.encode().decode() == text
    assert FORMATS[form](found) == text


@pytest.mark.parametrize("form", FORMATS)
def test_each_tells_host_release_and_every_open_check(form: str) -> None:
    text = FORMATS[form](USUAL).replace("<wbr/>", "")
    assert "web1.example.org" in text
    assert all(name in text for name in ("NET-01", "DMN-02", "DMN-13", "DMN-19"))


@given(AUDITS)
def test_whatever_a_host_says_every_format_stays_what_it_is(found: Audit) -> None:
    texts = {form: make(found) for form, make in FORMATS.items()}
    assert all(text.replace("\n", "").replace("\t", "").isprintable() for text in texts.values())
    data = json.loads(texts["json"])["data"]
    assert (data["host"], len(data["results"])) == (found.host, len(found.results))
    assert len(json.loads(texts["sarif"])["runs"][0]["results"]) == sum(
        isinstance(one.finding.verdict, Failed | Warned) for one in found.results
    )
    expat.ParserCreate().Parse(texts["junit"].encode(), True)
    body = texts["html"].partition("</head>")[2].removesuffix("</html>\n")
    expat.ParserCreate().Parse(body.replace(" checked/>", "/>").encode(), True)  # else it is XML as well


@given(st.lists(RESULTS, max_size=4, unique_by=lambda one: (one.finding.id, one.daemon)))
def test_every_report_in_json_can_be_a_baseline(results: list[Result]) -> None:
    found = read(FORMATS["json"](audit(*results)).encode(), "b")
    assert set(found.results) == {(one.finding.id, one.daemon) for one in results}
