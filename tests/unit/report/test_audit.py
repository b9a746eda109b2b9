from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from dockertls.errors import Refused
from dockertls.findings import Failed, Passed, Severity, Unknown, Warned
from dockertls.report.audit_json import SCHEMA, document, since
from dockertls.report.audit_table import closing, remedies, tables
from dockertls.report.formats import FORMATS, TEXTS
from dockertls.report.junit import junit
from dockertls.report.markdown import markdown
from dockertls.report.page import page
from dockertls.report.sarif import sarif
from tests.unit.report.auditing import EVERY, EVIL, FAILED, HOSTILE, SEEN, result

if TYPE_CHECKING:
    from dockertls.report.audited import Audit, Result


def saved(audit: Audit) -> bytes:
    return json.dumps({"schema": SCHEMA, "ok": True, "data": document(audit)}).encode()


# the score


@pytest.mark.parametrize(
    ("results", "score"),
    [
        ((result("A-1", Passed()),), 100),
        ((result("A-1", FAILED),), 0),
        ((result("A-1", Warned(SEEN, "", "")),), 50),
        ((result("A-1", Passed(), Severity.INFO), result("A-2", FAILED, Severity.CRITICAL)), 16),
        ((result("A-1", Passed()), result("A-2", Unknown("?"))), 100),
        ((result("A-1", Unknown("?")),), None),
        ((), None),
    ],
)
def test_the_score_counts_by_severity_what_could_be_judged(results: tuple[Result, ...], score: int | None) -> None:
    assert replace(EVERY, results=results).score == score


def test_a_waiver_makes_the_score_no_better() -> None:
    waived = next(one for one in EVERY.results if one.waiver)
    assert replace(EVERY, results=(waived,)).score == 0


# the table


def test_areas_with_the_worst_first_and_what_holds_as_a_number() -> None:
    told = dict(tables(EVERY))
    assert list(told) == ["Who can reach the daemon: 1 passed", "An area: 1 not applicable"]
    net, area = ([row.cells for row in table.rows] for table in told.values())
    assert [row[::2] for row in net] == [("failed", "NET-02"), ("unknown", "NET-04")]
    assert [row[0] for row in area] == ["warned", "waived"]
    assert area[1][3] == "it is open (until 2027-03-01: the images are shared)"


def test_verbose_has_a_line_for_each() -> None:
    assert sum(len(table.rows) for _, table in tables(EVERY, verbose=True)) == len(EVERY.results)


def test_several_dockerds_are_told_apart() -> None:
    other = replace(EVERY.results[1], daemon="process 7")
    (_, table), *_ = tables(replace(EVERY, results=(EVERY.results[1], other)))
    assert [row.cells[3] for row in table.rows] == ["docker.service: it is open", "process 7: it is open"]


def test_remedies_are_told_once_and_of_failures_that_count() -> None:
    assert remedies(EVERY) == ("NET-02: close it",)


def test_the_closing_line_does_not_hide_what_is_unknown() -> None:
    assert closing(EVERY).endswith("1 could not be told, and do not count")


# what counts


def test_what_fails_from_a_severity_upwards() -> None:
    failing = [one.finding.id for one in EVERY.results if one.fails(Severity.LOW)]
    assert failing == ["NET-02"]  # DMN-09 is waived
    assert not any(one.fails(Severity.CRITICAL) for one in EVERY.results if one.finding.severity is Severity.MEDIUM)


# the baseline


def test_what_was_there_before_is_known() -> None:
    again = since(EVERY, saved(EVERY), "b.json")
    assert {one.finding.id for one in again.results if one.known} == {"NET-02", "DMN-02"}
    assert not any(one.fails(Severity.INFO) for one in again.results)


def test_what_was_waived_before_is_not_known() -> None:
    now = replace(EVERY, results=(replace(EVERY.results[4], waiver=None),))
    assert [one.finding.id for one in since(now, saved(EVERY), "b.json").results if one.fails(Severity.LOW)] == [
        "DMN-09"
    ]


def test_what_is_worse_or_of_another_dockerd_is_new() -> None:
    before = replace(EVERY, results=(result("NET-02", Warned(SEEN, "", "")), replace(EVERY.results[3], daemon="other")))
    again = since(EVERY, saved(before), "b.json")
    assert not any(one.known for one in again.results)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"schema": "dockertls/facts/1"}', "not dockertls/audit/1"),
        (b'{"schema": "\x1b[31m"}', "is no JSON"),
        (b'{"schema": "dockertls/audit/1", "data": 7}', "holds no results"),
        (b'{"schema": "dockertls/audit/1", "data": {"results": [7, {"id": 1}, {}]}}', "3 faults"),
        (b"\xff\xfe", "is no JSON"),
    ],
)
def test_a_baseline_that_is_none_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(Refused) as raised:
        since(EVERY, content, "b.json")
    assert told in raised.value.message
    assert "\x1b" not in raised.value.message


# hostile values


@pytest.mark.parametrize("form", TEXTS)
def test_nothing_of_others_drives_the_terminal(form: str) -> None:
    text = TEXTS[form](EVIL)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202e]", text)
    text.encode()


def test_every_format_is_known() -> None:
    assert set(FORMATS) == {"table", "json", "junit", "sarif", "html", "markdown"}


class Elements(HTMLParser):
    """Counts what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in {"meta", "input"}:
            self.open.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"src", "href", "style"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("audit", [EVERY, EVIL], ids=["every", "evil"])
def test_the_page_is_well_formed_and_has_no_script(audit: Audit) -> None:
    found = Elements()
    found.feed(page(audit))
    assert found.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(found.names)
    assert "http://" not in page(EVERY)


def test_the_page_tells_all() -> None:
    found = Elements()
    found.feed(page(EVERY))
    for one in EVERY.results:
        assert one.finding.id in found.text
    for told in ("close it", "/etc/docker/daemon.json:7", "the images are shared", "CIS 1.8: 2.8", "it timed out"):
        assert told in found.text


def test_markdown_takes_no_markup_of_others() -> None:
    text = markdown(EVIL)
    assert "\\<script\\>" in text
    assert not re.search(r"(?<!\\)<", text)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "NET" in line]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [5, 5, 5]


# JUnit


def test_junit() -> None:
    root = ET.fromstring(junit(EVERY))  # noqa: S314 - our own
    assert {key: root.get(key) for key in ("tests", "failures", "skipped", "errors")} == {
        "tests": "6",
        "failures": "1",
        "skipped": "3",
        "errors": "0",
    }
    failure = root.find(".//failure")
    assert failure is not None
    assert (failure.get("message"), failure.get("type")) == ("it is open", "critical")
    assert "remedy: close it" in (failure.text or "")
    reasons = [one.get("message") for one in root.iter("skipped")]
    assert reasons == [
        "unknown: it timed out",
        "not applicable: it came later",
        "waived until 2027-03-01: the images are shared",
    ]


def test_junit_of_hostile_values_can_be_read() -> None:
    ET.fromstring(junit(EVIL).encode())  # noqa: S314 - our own


# SARIF


def test_sarif_names_file_and_line() -> None:
    run = json.loads(sarif(EVERY))["runs"][0]
    found = {one["ruleId"]: one for one in run["results"]}
    assert found.keys() == {"NET-02", "NET-04", "DMN-02", "DMN-09"}
    place = found["NET-02"]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "file:///etc/docker/daemon.json"}, "region": {"startLine": 7}}
    assert (found["NET-02"]["level"], found["NET-02"]["kind"]) == ("error", "fail")
    assert (found["NET-04"]["level"], found["NET-04"]["kind"]) == ("none", "open")
    assert found["DMN-09"]["suppressions"][0]["justification"] == "until 2027-03-01: the images are shared"
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])


def test_sarif_takes_no_path_of_the_api_for_a_file() -> None:
    seen = replace(SEEN[0], source="API", place="/info Debug")
    audit = replace(EVERY, results=(result("DMN-03", Failed((seen,), "debug", "switch it off")),))
    places = json.loads(sarif(audit))["runs"][0]["results"][0]["locations"]
    assert places == [{"logicalLocations": [{"name": "docker.service", "kind": "resource"}]}]


def test_sarif_knows_the_baseline() -> None:
    run = json.loads(sarif(since(EVERY, saved(EVERY), "b.json")))["runs"][0]
    assert {one["ruleId"]: one.get("baselineState") for one in run["results"]} == {
        "NET-02": "unchanged",
        "NET-04": None,
        "DMN-02": "unchanged",
        "DMN-09": None,
    }


def test_json_keeps_what_was_seen() -> None:
    assert HOSTILE in json.loads(json.dumps(document(EVIL)))["results"][0]["cause"]
