from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dockertls.errors import Refused
from dockertls.findings import Evidence, Failed, Finding, NotApplicable, Passed, Severity, Unknown, Verdict, Warned
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.names import parse_names
from dockertls.pki.parts import parts_in
from dockertls.pki.profiles import CA, SERVER
from dockertls.report import findings
from dockertls.report.inspect import Terms, inspected

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SEEN = (Evidence("look", "tcp://h:2376", "a\x1b[31mb"),)


def finding(verdict: Verdict, name: str = "chain") -> Finding:
    return Finding(name, "title", Severity.HIGH, verdict)


@pytest.mark.parametrize(
    ("verdicts", "code", "strict"),
    [
        ([Passed(SEEN)], 0, 0),
        ([Passed(), Unknown("why")], 0, 1),
        ([Passed(), Warned(SEEN, "c", "r")], 0, 0),
        ([Passed(), NotApplicable("why")], 0, 0),
        ([Passed(), Failed(SEEN, "c", "r"), Unknown("why")], 1, 1),
    ],
)
def test_exit_codes(verdicts: list[Verdict], code: int, strict: int) -> None:
    found = [finding(verdict) for verdict in verdicts]
    assert (findings.exit_code(found), findings.exit_code(found, strict=True)) == (code, strict)


def test_unreachable_alone_is_seven() -> None:
    assert findings.exit_code([finding(Failed(SEEN, "c", "r"), "reachable"), finding(Unknown("why"))]) == 7


def test_nothing_from_outside_reaches_the_terminal_raw() -> None:
    rows = findings.table([finding(Passed(SEEN)), finding(Failed(SEEN, "x\x1b", "y\x07"))]).rows
    assert not any("\x1b" in cell or "\x07" in cell for row in rows for cell in row.cells)


def test_a_long_reason_and_a_remedy_are_told_once() -> None:
    long = "because of a thing that takes a whole line of a terminal to be told in words"
    found = [
        finding(Unknown(long), "first"), finding(Failed(SEEN, long, "mend it"), "second"),
        finding(Unknown("short"), "third"), finding(Unknown("short"), "fourth"),
        finding(Warned(SEEN, "other", "mend it"), "fifth"),
    ]  # fmt: skip
    told = [row.cells[2] for row in findings.table(found).rows]
    assert told == [long, "see first", "short", "short", "other"]
    assert [row.cells[2] for row in findings.table(found, verbose=True).rows][:2] == [long, long]
    assert findings.as_json(found[1])["cause"] == long, "a program reads one finding at a time"
    assert findings.remedies(found) == ("second, fifth: mend it",)


def test_json_has_the_contracts_shape() -> None:
    assert findings.as_json(finding(Failed(SEEN, "cause", "remedy"))) == {
        "id": "chain",
        "title": "title",
        "severity": "high",
        "verdict": "failed",
        "evidence": [{"source": "look", "place": "tcp://h:2376", "seen": "a\x1b[31mb", "expected": ""}],
        "cause": "cause",
        "remedy": "remedy",
    }
    assert findings.as_json(finding(Unknown("why")))["cause"] == "why"


def test_inspect_tells_certificates_and_keys_apart_and_shows_no_secret() -> None:
    key = generate("ecdsa-p256")
    root = issue(Request(CA, "root"), key, None, now=NOW, serial=5)
    names = parse_names(["web1"])
    leaf = issue(Request(SERVER, "web1", names), generate("ed25519"), root, now=NOW, serial=6)
    text = certificate_pem([leaf.certificate, root.certificate]) + private_pem(key) + private_pem(key, b"secret")
    found = inspected(parts_in(text, "all.pem"), Terms(NOW)).things
    assert [thing.kind for thing in found] == ["certificate", "certificate", "private key", "private key"]
    assert [found[0].data["uses"], found[1].data["uses"]] == [["server"], ["authority"]]
    assert found[0].data["days_left"] == 397
    assert [thing.data["encrypted"] for thing in found[2:]] == [False, True]
    assert "PRIVATE" not in str(found)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x00\xff", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"]
)
def test_inspect_refuses_what_it_does_not_know(content: bytes) -> None:
    with pytest.raises(Refused):
        parts_in(content, "x")
