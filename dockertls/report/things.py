"""Certificates, keys, requests and lists, each by itself: what is worth knowing of it, and its faults."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from dockertls.escaping import visible
from dockertls.findings import Failed
from dockertls.pki.fitness import (
    Role,
    judge_asked,
    judge_certificate,
    judge_key,
    judge_list,
    requested,
    role_of,
    wrong,
)
from dockertls.pki.keys import key_fingerprint, key_of, kind_of
from dockertls.pki.parts import Damaged, Key, Other, Public, Sealed
from dockertls.pki.pkcs12 import Opened
from dockertls.pki.profiles import MALFORMED, extension
from dockertls.pki.revocation import number_of, reason_of
from dockertls.pki.verify import hash_of
from dockertls.report import findings
from dockertls.report.certificates import as_json, details, left_in_words, moment, names_in
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from dockertls.findings import Finding

_FEW = 20  # entries of a list for people
_LONGEST_CELL = 2000  # characters of a text for people: a name can be of any length
_USAGES: Mapping[str, str] = MappingProxyType(
    {
        "digital_signature": "digitalSignature",
        "content_commitment": "nonRepudiation",
        "key_encipherment": "keyEncipherment",
        "data_encipherment": "dataEncipherment",
        "key_agreement": "keyAgreement",
        "key_cert_sign": "keyCertSign",
        "crl_sign": "cRLSign",
    }
)
"""The names of RFC 5280, section 4.2.1.3."""


@dataclass(frozen=True)
class Thing:
    """One thing in a file or of a server.

    Attributes:
        kind: such as "certificate", "private key", "request" or "revocation list".
        data: what is worth knowing, for JSON.
        lines: the same for people: a name and a text each.
        findings: what is wrong with it: failed or warned.
        number: which of its kind it is, counted from 1.
    """

    kind: str
    data: Mapping[str, object]
    lines: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...] = ()
    number: int = 1

    @property
    def document(self) -> dict[str, object]:
        """All of it for JSON."""
        faults = [findings.as_json(one) for one in self.findings]
        return {"kind": self.kind, "number": self.number, **self.data, "faults": faults}

    @property
    def table(self) -> Table:
        """All of it for people."""
        rows = [Row((f"  {name}", _cut(text))) for name, text in self.lines if text]
        return Table((), (*rows, *(row for one in self.findings for row in _fault(one))))

    @property
    def is_unfit(self) -> bool:
        """Whether it is of no use as it is."""
        return any(isinstance(one.verdict, Failed) for one in self.findings)


def _cut(text: str) -> str:
    more = len(text) - _LONGEST_CELL
    return f"{text[:_LONGEST_CELL]}... ({more} characters more)" if more > 0 else text


def _fault(finding: Finding) -> Iterator[Row]:
    told = findings.as_json(finding)
    grave = isinstance(finding.verdict, Failed)
    yield Row(("  fault" if grave else "  warning", _cut(str(told["cause"]))), "red" if grave else "yellow")
    yield Row(("    what to do", _cut(str(told["remedy"]))))


def listed(kind: str, data: Mapping[str, object], found: Sequence[Finding] = ()) -> Thing:
    """A thing whose lines say the same as its data."""
    return Thing(kind, data, tuple(_line(name, value) for name, value in data.items()), tuple(found))


def _line(name: str, value: object) -> tuple[str, str]:
    if name == "spki_sha256":
        return "public key", f"SHA-256 {value}" if value else ""
    return name.replace("_", " "), _text(value)


def _text(value: object) -> str:
    match value:
        case list():
            return ", ".join(map(str, value))
        case bool():
            return "yes" if value else "no"
        case None:
            return ""
    return str(value)


def certificate(one: x509.Certificate, role: Role, now: datetime, hosts: Sequence[str] = ()) -> Thing:
    """A certificate, and its faults for a role."""
    seems, usage, spki = role_of(one), _usage(one), spki_of(one)
    more = {
        "for": seems.value,
        "judged_as": role.value,
        "root": one.subject == one.issuer,
        "signature": hash_of(one),
        "key_usage": usage,
        "subject_key_identifier": _identifier(one, x509.SubjectKeyIdentifier),
        "authority_key_identifier": _identifier(one, x509.AuthorityKeyIdentifier),
        "spki_sha256": spki,
    }
    lines = {
        "for": seems.words if role is seems else f"{seems.words}; judged as {role.value}",
        "key usage": ", ".join(usage),
        "signature": hash_of(one),
        "public key": f"SHA-256 {spki}" if spki else "",
    }
    rows = tuple((row.cells[0].strip(), row.cells[1]) for row in details(one, now, lines).rows)
    return Thing("certificate", {**as_json(one, now), **more}, rows, judge_certificate(one, role, now=now, hosts=hosts))


def _usage(one: x509.Certificate) -> list[str]:
    usage = extension(one, x509.KeyUsage)
    return [] if usage is None else [name for bit, name in _USAGES.items() if getattr(usage, bit)]


def _identifier(
    one: x509.Certificate, kind: type[x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier]
) -> str | None:
    found = extension(one, kind)
    value = None if found is None else found.key_identifier
    return None if value is None else value.hex()


def spki_of(one: object) -> str | None:
    """The SHA-256 of the public key of anything that has one; None: it cannot be told."""
    try:
        key = one.public_key() if hasattr(one, "public_key") else one
        return key_fingerprint(key)  # type: ignore[arg-type] # whatever key it is, it can be written
    except MALFORMED:
        return None


def private_key(one: Key) -> Thing:
    """A private key, of which nothing secret is told."""
    known = {"encrypted": one.encrypted, "syntax": one.syntax}
    if one.key is None:
        return listed("private key", known, (_closed(),))
    told = {**known, "key": kind_of(one.key), "spki_sha256": spki_of(one.key)}  # type: ignore[arg-type] # any has a name
    public = one.key.public_key() if hasattr(one.key, "public_key") else None
    shut = (_closed(),) if one.encrypted and one.pem else ()
    return listed("private key", told, (*judge_key(public), *shut))


def _closed() -> Finding:
    cause = "it is encrypted, which is right for an authority's: neither dockerd nor docker opens one"
    remedy = "give a server or a client one that is not: openssl pkey -in FILE -out FILE.plain, mode 0600"
    return wrong("encryption", cause, remedy, grave=False)


def public_key(one: Public) -> Thing:
    """A public key."""
    told = {"key": kind_of(one.key), "spki_sha256": spki_of(one.key)}  # type: ignore[arg-type] # any has a name
    return listed("public key", told, judge_key(one.key))


def request(one: x509.CertificateSigningRequest, role: Role | None) -> Thing:
    """A certificate request, and its faults for a role; None: the one that it seems to ask for."""
    return listed(
        "request",
        {
            "subject": visible(one.subject.rfc4514_string()),
            "names": list(names_in(one.extensions)),
            "for": requested(one).value,
            "key": _request_key(one),
            "spki_sha256": spki_of(one),
            "signature": _own_signature(one),
            "signature_hash": hash_of(one),
        },
        judge_asked(one, role),
    )


def _request_key(one: x509.CertificateSigningRequest) -> str:
    key = key_of(one)
    return kind_of(key) if key else "unknown"


def _own_signature(one: x509.CertificateSigningRequest) -> str:
    try:
        return "good" if one.is_signature_valid else "bad"
    except (ValueError, UnsupportedAlgorithm):
        return "unknown"


def revocation_list(one: x509.CertificateRevocationList, now: datetime) -> Thing:
    """A list of revoked certificates: all of it for JSON, the first entries for people."""
    until = one.next_update_utc
    entries = [_entry(each) for each in one]
    told = {
        "issuer": visible(one.issuer.rfc4514_string()),
        "issued": moment(one.last_update_utc),
        "next_update": moment(until) if until else None,
        "list_number": number_of(one) or None,
        "signature": hash_of(one),
    }
    data = {**told, "revoked": [each["serial"] for each in entries], "entries": entries}
    lines = [_line(name, value) for name, value in told.items()]
    if until:
        lines[2] = ("next update", f"{moment(until)} ({left_in_words((until - now).days)})")
    lines.append(("revoked", str(len(entries))))
    lines.extend((f"  {each['serial']}", f"{each['at']}  {each['reason']}") for each in entries[:_FEW])
    if len(entries) > _FEW:
        lines.append(("  and", f"{len(entries) - _FEW} more: all of them with --json"))
    return Thing("revocation list", data, tuple(lines), judge_list(one, now))


def _entry(one: x509.RevokedCertificate) -> dict[str, str]:
    return {
        "serial": f"{one.serial_number:x}",
        "at": moment(one.revocation_date_utc),
        "reason": reason_of(one),
    }


def packed(one: Opened) -> Thing:
    """A PKCS#12; what it holds comes after it."""
    told = {
        "name": visible(one.name) or None,
        "certificates": len(one.certificates) + len(one.damaged),
        "private_key": one.key is not None,
        "passphrase": one.protected,
    }
    open_to_all = one.key is not None and not one.protected
    cause = "it holds a private key, and no passphrase protects it"
    found = (wrong("encryption", cause, "make it again with one: openssl pkcs12 -export", grave=False),)
    return listed("pkcs12", told, found if open_to_all else ())


def damaged(one: Damaged) -> Thing:
    """What cannot be read."""
    cause = f"it cannot be read: {visible(one.reason)}; docker passes over it without a word"
    return listed("damaged", {"what": one.what}, (wrong("readable", cause, "copy it again from where it was made"),))


def unsigned(value: Key | Public | Opened | Sealed | Damaged | Other) -> Thing:
    """All that is neither a certificate, nor a request or a list."""
    match value:
        case Key():
            return private_key(value)
        case Public():
            return public_key(value)
        case Opened():
            return packed(value)
        case Sealed():
            return listed("pkcs12", {"passphrase": True})
        case Damaged():
            return damaged(value)
        case Other():
            return listed("other", {"label": value.label})
    assert_never(value)
