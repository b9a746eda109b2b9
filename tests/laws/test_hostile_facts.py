"""The law of facts from elsewhere: whatever their values are, they are refused with all faults, or judged and told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from dockertls.audit.catalogue import TABLE
from dockertls.audit.loaded import SCHEMA, parse
from dockertls.audit.policy import Policy
from dockertls.cli.auditing import audited
from dockertls.errors import attempt
from dockertls.pki.keys import public_key
from dockertls.pki.pem import armoured
from dockertls.report.audit_table import pieces
from dockertls.report.formats import FORMATS
from tests.cases.auditing import base, pid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.report.audited import Audit

Where = tuple[str | int, ...]

law = settings(max_examples=300, deadline=None)

ODD = (
    "", "x", " ", "=", "-1", "²", "9" * 5000, "999999999999999999999", "[", "{}", "null", "\0", "\x1b[31m", "\ud800",
    "</script>", "/../..", "0x", "ff:ff", "2: eth0    inet foo/24 scope", "tcp://[::1", "tcp://:99999", "1.2.3.4/99",
    "MainPID=x", "f" * 16, "a" * 300, "'", '"', "\\",
)  # fmt: skip
"""Texts that something may take for a number, an address, a path, an escape or a line."""
NUMBERS: tuple[object, ...] = (
    0,
    -1,
    2**31,
    10**20,
    10**400,
    1.5,
    1e308,
    float("nan"),
    float("inf"),
    "x",
    None,
    True,
    [],
    {},
)
"""What stands in place of a value that is no text, and of some that are."""
MOSTLY = 80
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def leaves(value: object, where: Where = ()) -> Iterator[Where]:
    """The place of every value that holds no others."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*where, key))
    else:
        yield where


PLACES = tuple(leaves(base()))
READ = tuple(where for where in PLACES if where[-1] in {"text", "out", "endpoint"} or where[0] == "docker_dirs")
"""Those that are read further: files, answers of commands, endpoints, paths."""


def changed(text: str, at: int, word: str, *, whole: bool) -> str:
    """A text with one of its words, or all that follows, in place of which another word stands."""
    words = re.split(r"([\s:,=\0]+)", text)
    at %= len(words)
    return "".join((*words[:at], word, *(() if whole else words[at + 1 :])))


def spoilt(data: dict[str, Any], where: Where, at: int, odd: int, *, whole: bool) -> None:
    """Put something odd at a place."""
    *way, last = where
    holder: Any = data
    for key in way:
        holder = holder[key]
    value = holder[last]
    text = isinstance(value, str) and odd < MOSTLY
    holder[last] = changed(value, at, ODD[odd % len(ODD)], whole=whole) if text else NUMBERS[odd % len(NUMBERS)]


def judged(data: dict[str, Any]) -> Audit | None:
    """The audit; None: they are refused, with what to do about it."""
    content = json.dumps({"schema": SCHEMA, "ok": True, "data": data}).encode()
    found, faults = attempt(lambda: parse(content, "facts.json"))
    assert (found is None) is bool(faults)
    assert all(fault.hint and fault.message.isprintable() for fault in faults)
    return audited(found, Policy())[0] if found else None


ODDITIES = st.tuples(
    st.sampled_from(READ) | st.sampled_from(PLACES), st.integers(0, 999), st.integers(0, 99), st.booleans()
)


@given(st.lists(ODDITIES, min_size=1, max_size=3))
@law
def test_odd_values_are_refused_or_judged_and_told(oddities: list[tuple[Where, int, int, bool]]) -> None:
    data = base()
    for where, at, odd, whole in oddities:
        spoilt(data, where, at, odd, whole=whole)
    audit = judged(data)
    if audit is None:
        return
    assert {one.finding.id for one in audit.results} == {check.id for check in TABLE}
    for name in ("html", "json", "junit", "markdown", "sarif"):
        text = FORMATS[name](audit)
        assert text.encode()
        assert not CONTROL.search(text), name
    assert not any(CONTROL.search(piece) for piece in pieces(audit, verbose=True) if isinstance(piece, str))


def without_key(pem: str) -> str:
    """A certificate whose public key lies on no curve."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    point = public_key(certificate).public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    wrong = point[:-1] + bytes([point[-1] ^ 1])
    return armoured("CERTIFICATE", certificate.public_bytes(Encoding.DER).replace(point, wrong)).decode()


PID = pid(base())
AUTHORITY = "/etc/docker/tls/0001/ca.pem"
ONCE = {
    "no-address": (("outputs", 3, "out"), "2: eth0    inet foo/24 scope global eth0\n"),
    "no-process": (("outputs", 2, "out"), "9" * 5000),
    "no-main-process": (("outputs", 1, "out"), "MainPID=x\nId=docker.service\nActiveState=active\n"),
    "no-socket": (("files", f"/proc/{PID}/net/unix", "text"), "Num\nffff: 2 0 {} 1 1 7 /run/docker.sock\n"),
    "no-time": (("files", f"/proc/{PID}/stat", "text"), f"{PID} (dockerd) S {'1x ' * 30}"),
    "no-year": (("changed", "/etc/docker/ca.pem"), 1e18),
    "no-uid": (("files", "/etc/passwd", "text"), "root:x:0:0:root:/root:/bin/sh\na:x:²:0::/a:/bin/sh\n"),
    "no-gid": (("files", "/etc/group", "text"), "root:x:0:\ndocker:x:²:ann\n"),
    "no-group": (("files", "/etc/docker/daemon.json", "text"), '{"group": "²"}'),
    "no-number": (("files", "/etc/docker/daemon.json", "text"), f'{{"mtu": 1500, "group": "{"9" * 5000}"}}'),
    "no-names": (("names", "/etc/docker/certs.d"), ["."]),
    "no-severity": (("dockerds", PID, "endpoints", 0, "findings", 0, "severity"), {}),
    "no-network": (("dockerds", PID, "info", "RegistryConfig"), {"InsecureRegistryCIDRs": [{}]}),
    "no-user": (("files", f"/proc/{PID}/status", "text"), "Name: dockerd\nUid:\n"),
    "no-key": (("files", AUTHORITY, "text"), without_key(base()["files"][AUTHORITY]["text"])),
}
"""What was no reason to give up once it had been: by its name, where it stands and what."""


@pytest.mark.parametrize("name", ONCE)
def test_what_cannot_be_is_no_reason_to_give_up(name: str) -> None:
    data = base()
    (*way, last), value = ONCE[name]
    holder: Any = data
    for key in way:
        holder = holder[key]
    holder[last] = value
    judged(data)


@pytest.mark.parametrize("number", range(len(base()["outputs"])))
def test_an_answer_that_is_not_among_them_is_no_reason_to_give_up(number: int) -> None:
    data = base()
    del data["outputs"][number]
    audit = judged(data)
    assert audit is not None
    assert {one.finding.id for one in audit.results} == {check.id for check in TABLE}


def test_what_nobody_looked_at_is_unknown() -> None:
    data = base()
    data["docker_dirs"].append("/home/nobody-knows/.docker")
    data["files"] = {path: node for path, node in data["files"].items() if not path.startswith("/home")}
    audit = judged(data)
    assert audit is not None
    told = {one.finding.id: one.finding.verdict for one in audit.results}
    assert "is not among the facts" in getattr(told["CLI-02"], "reason", "")
