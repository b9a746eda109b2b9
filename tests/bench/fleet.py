"""What was gathered of many hosts, set up alike and with nothing else in common."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dockertls.audit.loaded import SCHEMA
from dockertls.pki.issue import Request, ca_name, issue
from dockertls.pki.keys import certificate_pem, each_certificate, generate, key_fingerprint
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import TABLE
from tests.cases.auditing import base, pid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cryptography import x509

SERVER = "/etc/docker/tls/0001/server-cert.pem"
CLIENT = "/root/.docker/cert.pem"
AUTHORITY = "/etc/docker/tls/0001/ca.pem"
FIRST_PID = 10_000
KIND = "ecdsa-p256"


def documents(count: int) -> Iterator[str]:
    """What `dockertls facts` would write of each.

    Name, user and process are each host's own, and so are authority, server and client: what is kept once it is read
    of one host helps with no other, as in a fleet.
    """
    data = base()
    recorded = json.dumps({"schema": SCHEMA, "ok": True, "data": data})
    before = [_certificate(data["files"][path]["text"]) for path in (AUTHORITY, SERVER, CLIENT)]
    for number in range(count):
        words = {"recorded": f"host{number}", "cloudsdk": f"user{number}", pid(data): str(FIRST_PID + number)}
        text = _renamed(recorded, words)
        issued = _issued(number, datetime.fromisoformat(data["taken"]) - timedelta(hours=1))
        for old, new in zip(before, issued, strict=True):
            text = text.replace(_written(old), _written(new)).replace(_digest(old), _digest(new))
        yield text


def _renamed(text: str, words: Mapping[str, str]) -> str:
    return re.sub(rf"\b({'|'.join(words)})\b", lambda found: words[found[0]], text)


def _issued(number: int, now: datetime) -> tuple[x509.Certificate, ...]:
    """An authority, and a server and a client of it."""
    wanted = (
        Request(TABLE["server"], f"host{number}", parse_names([f"host{number}", "localhost", "127.0.0.1", "::1"])),
        Request(TABLE["client"], "client"),
    )
    name = ca_name(now, f"{number:08x}")
    authority = issue(Request(TABLE["ca"], name), generate(KIND), None, now=now, serial=1)
    leaves = (issue(one, generate(KIND), authority, now=now, serial=2) for one in wanted)
    return (authority.certificate, *(one.certificate for one in leaves))


def _certificate(pem: str) -> x509.Certificate:
    return each_certificate(pem.encode())[0][0]


def _digest(certificate: x509.Certificate) -> str:
    return key_fingerprint(certificate.public_key())


def _written(certificate: x509.Certificate) -> str:
    """As it stands within a text of JSON."""
    return json.dumps(certificate_pem([certificate]).decode())[1:-1]
