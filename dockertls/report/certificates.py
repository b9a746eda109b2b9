"""Certificates as rows for people and as JSON for programs."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dockertls.escaping import visible
from dockertls.pki import constraints
from dockertls.pki.keys import fingerprint, key_kind, serial_of
from dockertls.pki.names import display
from dockertls.pki.profiles import extension
from dockertls.plan import shown
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dockertls.pki.store import Generation

LENGTH = len("2026-11-23T12:00:00")
SHOWN_NAMES = 4


def moment(time: datetime) -> str:
    """A time in UTC, ISO 8601."""
    return f"{time.isoformat()[:LENGTH]}Z"


def days_left(certificate: x509.Certificate, now: datetime) -> int:
    """Whole days until it ends; negative: it has ended."""
    return (certificate.not_valid_after_utc - now).days


def subject(certificate: x509.Certificate) -> str:
    """Its common name, else its first name, else its whole subject."""
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if common:
        return visible(str(common[0].value))
    return next(iter(names(certificate)), visible(certificate.subject.rfc4514_string()))


def names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Its subject alternative names, as text."""
    return names_in(certificate.extensions)


def names_in(extensions: x509.Extensions) -> tuple[str, ...]:
    """The subject alternative names among extensions, as text."""
    try:
        found = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(visible(display(name)) for name in found)


def some_names(certificate: x509.Certificate) -> str:
    """Its first names, and how many more there are."""
    every = names(certificate)
    more = len(every) - SHOWN_NAMES
    return ", ".join(every[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def as_json(certificate: x509.Certificate, now: datetime, *, kind: str = "") -> dict[str, object]:
    """What is worth knowing of a certificate.

    Args:
        certificate: any.
        now: the time to count days from.
        kind: of its key, where that is known already.
    """
    return {
        "subject": visible(certificate.subject.rfc4514_string()),
        "issuer": visible(certificate.issuer.rfc4514_string()),
        "names": list(names(certificate)),
        "serial": f"{serial_of(certificate):x}",
        "key": kind or key_kind(certificate),
        "uses": list(uses(certificate)),
        "permitted": list(map(display, constraints.permitted(certificate))),
        "excluded": list(map(display, constraints.excluded(certificate))),
        "not_before": moment(certificate.not_valid_before_utc),
        "not_after": moment(certificate.not_valid_after_utc),
        "days_left": days_left(certificate, now),
        "fingerprint_sha256": fingerprint(certificate),
    }


def generation_json(generation: Generation, now: datetime, *, new: bool | None = None) -> dict[str, object]:
    """A generation of the store; `new`: whether this run made it."""
    told = {} if new is None else {"new": new}
    place = {"role": generation.role, "name": generation.name, "path": shown(generation.path)}
    return {**place, **told, **as_json(generation.certificate, now)}


def left_in_words(left: int) -> str:
    """Days until an end, for people."""
    return f"{left} days left" if left >= 0 else f"ended {-left} days ago"


def details(certificate: x509.Certificate, now: datetime, more: Mapping[str, str] = MappingProxyType({})) -> Table:
    """A certificate as a list of what is worth knowing of it.

    Args:
        certificate: any.
        now: the time to count days from.
        more: what else is to be told, or told otherwise: a line's name -> its text.
    """
    left = days_left(certificate, now)
    lines = {
        "subject": visible(certificate.subject.rfc4514_string()) or "(empty)",
        "issuer": visible(certificate.issuer.rfc4514_string()),
        "names": ", ".join(names(certificate)),
        "for": ", ".join(uses(certificate)),
        "may issue for": constraints.told(certificate),
        "valid from": moment(certificate.not_valid_before_utc),
        "valid until": f"{moment(certificate.not_valid_after_utc)} ({left_in_words(left)})",
        "key": key_kind(certificate),
        "serial": f"{serial_of(certificate):x}",
        "fingerprint": f"SHA-256 {fingerprint(certificate)}",
        **more,
    }
    return Table((), tuple(Row((f"  {key}", value)) for key, value in lines.items() if value))


def uses(certificate: x509.Certificate) -> tuple[str, ...]:
    """What it may be used for: "authority", "server", "client", or "anything"."""
    constraints, purposes = extension(certificate, x509.BasicConstraints), extension(certificate, x509.ExtendedKeyUsage)
    if constraints is not None and constraints.ca:
        return ("authority",)
    if purposes is None:
        return ("anything",)
    words = {ExtendedKeyUsageOID.SERVER_AUTH: "server", ExtendedKeyUsageOID.CLIENT_AUTH: "client"}
    return tuple(words.get(purpose, purpose.dotted_string) for purpose in purposes)
