"""`audit` and `facts` as a user types them: every option, wrong input, and a dockerd that answers as it likes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.cases.auditing import BASE, base
from tests.e2e import pretender
from tests.e2e.program import Place, dockertls, started
from tests.unit.audit.test_saved import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202e]")
POLICY = "waive:\n  - check: {check}\n    reason: {reason}\n    until: {until}\n"


def audited(*words: object, code: int = 0) -> dict[str, dict[str, Any]]:
    """The results of the recorded host, by check."""
    ran = dockertls("--json", "audit", "--facts", BASE, *words)
    assert ran.code == code, ran
    return {one["id"]: one for one in ran.document["data"]["results"]}


@pytest.mark.parametrize("form", ["table", "json", "junit", "sarif", "html", "markdown"])
def test_every_format_goes_to_standard_output_alone(form: str) -> None:
    ran = dockertls("audit", "--facts", BASE, "--format", form)
    assert (ran.code, ran.err) == (0, "")
    assert "DMN-09" in ran.out
    assert not RAW.search(ran.out)


def test_the_host_of_the_record_is_well() -> None:
    found = audited()
    assert not [one for one in found.values() if one["verdict"] == "failed"]
    assert len(found) > 90


def test_facts_may_come_by_standard_input() -> None:
    ran = dockertls("--json", "audit", "--facts", "-", "--only", "DMN-15", stdin=BASE.read_bytes())
    assert [one["id"] for one in ran.document["data"]["results"]] == ["DMN-15"]


def test_checks_are_chosen_and_left_out() -> None:
    assert audited("--only", "dmn-15", "--only", "NET-01").keys() == {"DMN-15", "NET-01"}
    assert "DMN-15" not in audited("--skip", "DMN-15")
    critical = audited("--severity", "critical")
    assert {one["severity"] for one in critical.values()} == {"critical"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--only", "DMN-99"), "there is no check DMN-99"),
        (("--only", "DMN-O1"), "did you mean DMN-"),
        (("--only", "DMN-01", "--skip", "DMN-01"), "no check is left"),
        (("--fail-on", "bad"), "--fail-on bad is no severity"),
        (("--severity", "\x1b[31m"), "\\x1b"),
        (("--format", "pdf"), "--format pdf is not known"),
        (("--timeout", "0"), "timeout"),
    ],
)
def test_a_wrong_word_is_a_matter_of_usage(words: tuple[str, ...], told: str) -> None:
    ran = dockertls("audit", "--facts", BASE, *words)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert not RAW.search(ran.err)


def test_the_exit_code_follows_what_it_is_to_fail_on(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    data = base()
    data["dockerds"][next(iter(data["dockerds"]))]["info"]["LiveRestoreEnabled"] = False
    facts.write_bytes(written(data))
    words = ("audit", "--facts", facts, "--only", "DMN-15")
    assert [dockertls(*words, "--fail-on", one).code for one in ("low", "medium", "high")] == [1, 1, 0]


def test_what_could_not_be_told_fails_if_that_is_wanted() -> None:
    words = ("audit", "--facts", BASE, "--only", "AUD-01")
    assert (dockertls(*words).code, dockertls(*words, "--strict").code) == (0, 1)
    assert dockertls("--json", *words, "--strict").document["ok"] is False


# policies


def test_a_waiver_holds_until_it_ends(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.format(check="DMN-09", reason="it was so", until="2099-12-31"))
    assert audited("--policy", policy)["DMN-09"]["waiver"] == {"reason": "it was so", "until": "2099-12-31"}
    policy.write_text(POLICY.format(check="DMN-09", reason="it was so", until="2020-12-31"))
    ended = audited("--policy", policy, code=1)["DMN-09"]
    assert ended["verdict"] == "failed", "it only warned"
    assert "the waiver ended 2020-12-31: it was so" in ended["cause"]


def test_a_bad_policy_is_refused_with_every_line(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("severity:\n  DMN-999: high\nwaive:\n  - check: DMN-01\nkeys: {rsa: 7}\n")
    ran = dockertls("audit", "--facts", BASE, "--policy", policy)
    assert ran.code == 3
    assert {line.split(":")[1] for line in ran.err.splitlines() if line.startswith("  - ")} == {"2", "4", "5"}


def test_the_hosts_own_policy_counts(tmp_path: Path) -> None:
    place = Place.recorded("debian", tmp_path / "root")
    assert place.started("audit", "--only", "DMN-15").code == 1
    place.put("etc/dockertls/policy.yaml", POLICY.format(check="DMN-15", reason="x", until="2099-01-01"))
    ran = place.started("audit", "--only", "DMN-15")
    assert (ran.code, "until 2099-01-01: x" in ran.out) == (0, True), ran


# baselines


def test_only_what_is_new_or_worse_counts(tmp_path: Path) -> None:
    place = Place.recorded("debian", tmp_path / "root")
    before = place.started("audit", "--format", "json")
    assert before.code == 1
    (tmp_path / "before.json").write_text(before.out)
    assert place.started("audit", "--baseline", tmp_path / "before.json").code == 0
    place.put("etc/docker/daemon.json", '{"experimental": true}')
    ran = place.started("--json", "audit", "--baseline", tmp_path / "before.json")
    assert ran.code == 1
    new = {one["id"] for one in ran.document["data"]["results"] if one["verdict"] == "failed" and not one["known"]}
    assert new == {"DMN-18"}


@pytest.mark.parametrize("option", ["--facts", "--policy", "--baseline"])
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, 4), (b"\x00\xff", 3), (b"{" * 100_000, 3), (b"&a [*a, *a]", 3), (b'{"schema": "dockertls/facts/9"}', 3),
        (b'{"schema": "\\u001b[31m"}', 3),
    ],
)  # fmt: skip
def test_a_file_that_is_something_else_is_refused(
    option: str, content: bytes | None, code: int, tmp_path: Path
) -> None:
    path = tmp_path / "odd\x1bfile"
    if content is not None:
        path.write_bytes(content)
    words = () if option == "--facts" else ("--facts", BASE)
    ran = dockertls("--json", "audit", *words, option, path)
    assert ran.code == code, ran
    assert ran.document["error"]["message"]
    ran = dockertls("audit", *words, option, path)
    assert (ran.code, ran.out) == (code, "")
    assert not RAW.search(ran.err)


def test_hostile_facts_do_not_reach_the_terminal(tmp_path: Path) -> None:
    data = base()
    evil = "\x1b]0;owned\x07\x1b[2J\u202e</script><script>alert(1)</script>"
    data["host"] = evil
    dockerd = data["dockerds"][next(iter(data["dockerds"]))]
    dockerd["info"] |= {"LoggingDriver": evil, "Driver": evil, "Warnings": [f"API is accessible on http://{evil}"]}
    dockerd["endpoints"][0]["findings"][0] |= {"cause": evil, "verdict": "failed"}
    data["unseen"]["/etc/docker/ca.pem"] = evil
    data["files"].pop("/etc/docker/ca.pem", None)
    (tmp_path / "facts.json").write_bytes(written(data))
    for form in ("table", "json", "junit", "sarif", "html", "markdown"):
        ran = dockertls("audit", "--facts", tmp_path / "facts.json", "--format", form)
        assert ran.code == 1
        assert not RAW.search(ran.out + ran.err)
        assert form != "html" or "<script>" not in ran.out


# facts


def test_facts_are_written_for_their_owner_alone_and_over_nothing(tmp_path: Path) -> None:
    place, out = Place.recorded("debian", tmp_path / "root"), tmp_path / "facts.json"
    assert place.started("facts", "--output", out).code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    again = place.started("facts", "--output", out)
    assert (again.code, "--force" in again.err) == (4, True)
    assert place.started("facts", "--output", out, "--force").code == 0
    there, here = (place.started("--json", "audit").document, dockertls("--json", "audit", "--facts", out).document)
    assert [(one["id"], one["verdict"]) for one in here["data"]["results"]] == [
        (one["id"], one["verdict"]) for one in there["data"]["results"]
    ]


def test_facts_without_a_file_are_the_document(tmp_path: Path) -> None:
    place = Place.recorded("debian", tmp_path / "root")
    for words in (("facts",), ("--json", "facts"), ("facts", "--output", "-")):
        ran = place.started(*words)
        assert ran.code == 0, ran
        assert json.loads(ran.out)["schema"] == "dockertls/facts/1"


def test_an_audit_changes_nothing(house: Place) -> None:
    before = house.snapshot
    house.started("audit")
    house.started("facts")
    assert house.snapshot == before


@contextlib.contextmanager
def never_still(file: Path) -> Iterator[None]:
    """Somebody writes a file all the time, in place and by another one's name."""
    end, other = threading.Event(), file.with_name("daemon.json.new")

    def write() -> None:
        while not end.is_set():
            for text in ('{"debug": true}', '{"icc": false, "debu', '{"icc": false, "debug": false}', ""):
                file.write_text(text)
            other.write_text("{}")
            other.rename(file)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        end.set()
        writer.join()


def test_files_that_change_while_they_are_read(tmp_path: Path) -> None:
    place = Place.recorded("debian", tmp_path / "root")
    with never_still(place.put("/etc/docker/daemon.json", "{}")):
        for _ in range(3):
            ran = place.started("--json", "audit")
            assert (ran.code in {0, 1}, ran.err.count("bug")) == (True, 0), ran
            found = {one["id"]: one["verdict"] for one in ran.document["data"]["results"]}
            assert found["FS-06"] in {"passed", "unknown"}, "it was read, or it was not"
            out = tmp_path / "facts.json"
            assert place.started("facts", "--output", out, "--force").code == 0
            assert dockertls("--json", "audit", "--facts", out).code in {0, 1}


# a dockerd that answers as it likes


@contextlib.contextmanager
def pretending(how: str, place: Path) -> Iterator[str]:
    """A process that is called dockerd; as it is named in the results."""
    argv = ["dockerd", str(pretender.__file__), how, "--host", f"unix://{place}/d.sock"]
    home = {"PYTHONHOME": sys.base_prefix}  # Python looks for itself by the name that it is called
    process = subprocess.Popen(argv, executable=sys.executable, stdout=subprocess.PIPE, env={**os.environ, **home})
    try:
        assert process.stdout
        process.stdout.readline()
        yield f"process {process.pid}"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.needs("root")
@pytest.mark.parametrize("how", [one.__name__ for one in pretender.HOW])
def test_a_dockerd_that_answers_as_it_likes_costs_its_time_and_is_unknown(how: str, tmp_path: Path) -> None:
    with pretending(how, tmp_path) as name:
        begin = time.monotonic()
        ran = started("--json", "audit", "--timeout", "0.5", "--only", "DMN-19", "--only", "CFG-10", "--only", "DMN-15")
        assert time.monotonic() - begin < 15
    assert ran.code in {0, 1}, ran
    assert "Traceback" not in ran.err
    found = {one["id"]: one for one in ran.document["data"]["results"] if one["daemon"] == name}
    verdicts = {id_: one["verdict"] for id_, one in found.items()}
    assert verdicts.keys() == {"DMN-19", "CFG-10", "DMN-15"}
    assert "passed" not in {verdicts["DMN-19"], verdicts["DMN-15"]}
    assert how == "other_kinds" or verdicts["DMN-19"] == verdicts["CFG-10"] == "unknown"
    assert not RAW.search(ran.out)
