"""Docker contexts beside the client's own files."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath as Path

import pytest

from dockertls.client.agreement import contexts_agree
from dockertls.client.contexts import Context
from dockertls.client.copies import ClientCopy
from dockertls.findings import Failed, NotApplicable, Passed, Verdict, Warned
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import certificate_pem, generate
from dockertls.pki.profiles import CLIENT
from dockertls.plan import File
from tests.unit.client.test_judging import CA_PEM, GOOD, NOW, OTHER, ROOT

URL = "tcp://web1:2376"
CONTEXT = Context("web1", URL, ca="c", cert="e", key="k")
DAY = timedelta(days=1)


def client(name: str = "ann", *, days: int = 200, root: Issued = ROOT) -> bytes:
    made = issue(Request(CLIENT, name, (), days * DAY), generate("ecdsa-p256"), root, now=NOW, serial=9)
    return certificate_pem([made.certificate])


def copy(ca: bytes | None = CA_PEM, cert: bytes | None = GOOD.cert.content) -> ClientCopy:
    held = {"ca.pem": ca, "cert.pem": cert}
    files = {name: File(content, 0o644, (0, 0)) for name, content in held.items() if content is not None}
    return ClientCopy(Path("/c"), files, Path("/home/ann/.docker"), "web1", URL)


def verdict(context: Context = CONTEXT, files: ClientCopy | None = None, days: int = 0) -> Verdict:
    return contexts_agree([context], {"web1": files or copy()}, URL, GOOD, NOW + days * DAY).verdict


@pytest.mark.parametrize(
    ("context", "files", "days", "kind", "told"),
    [
        (CONTEXT, copy(), 0, Passed, "CN=ann"),
        (CONTEXT, copy(cert=client("bob", days=90)), 0, Passed, "CN=bob"),
        (CONTEXT, copy(cert=None), 0, Passed, "without a certificate"),
        (replace(CONTEXT, host=URL + "/"), copy(), 0, Passed, "CN=ann"),
        (replace(CONTEXT, host="tcp://other:2376"), copy(), 0, NotApplicable, "no docker context"),
        (replace(CONTEXT, skip_tls_verify=True), copy(), 0, Failed, "believes any server"),
        (replace(CONTEXT, fault="no JSON"), copy(), 0, Warned, "no JSON"),
        (CONTEXT, copy(ca=None), 0, Warned, "no ca.pem"),
        (CONTEXT, copy(ca=certificate_pem([OTHER.certificate])), 0, Warned, "trusts other authorities"),
        (CONTEXT, copy(ca=CA_PEM + certificate_pem([OTHER.certificate])), 0, Passed, "CN=ann"),
        (CONTEXT, copy(cert=client(days=90)), 0, Warned, "older certificate"),
        (CONTEXT, copy(cert=client(days=300)), 0, Passed, "CN=ann"),
        (CONTEXT, copy(cert=client("bob", days=90)), 91, Failed, "ended"),
    ],
)
def test_contexts(context: Context, files: ClientCopy, days: int, kind: type[Verdict], told: str) -> None:
    found = verdict(context, files, days)
    assert isinstance(found, kind), found
    assert told in str(found)


def test_several_contexts_are_told_together() -> None:
    bad = replace(CONTEXT, name="bad", skip_tls_verify=True)
    found = contexts_agree([CONTEXT, bad], {"web1": copy(), "bad": copy(ca=None)}, URL, GOOD, NOW).verdict
    assert isinstance(found, Failed)
    assert "context bad" in found.cause
    assert len(found.evidence) == 2
