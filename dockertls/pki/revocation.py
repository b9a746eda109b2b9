"""What was revoked of an authority: its record in the store, and the signed list of it (RFC 5280, section 5)."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509

from dockertls.documents.own_file import read_back, written
from dockertls.errors import Fault, NotReady, Refused, refuse
from dockertls.escaping import visible
from dockertls.pki.issue import SERIAL_BITS, authority_identifier, digest
from dockertls.pki.keys import PrivateKey, matches, public_key, serial_of
from dockertls.pki.profiles import MALFORMED, extension, issued_by
from dockertls.pki.renewal import DUE
from dockertls.plan import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath as Path

    from dockertls.pki.issue import Issued

SCHEMA = "dockertls/revoked/1"
RECORD, LIST = "revoked.json", "crl.pem"
"""The files in an authority's folder: what was revoked, and the list signed from it."""
LIFETIME = timedelta(days=30)
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_KEYS = frozenset({"serial", "name", "at", "reason"})
_DIGITS = re.compile(r"(?:0x)?0{0,2}(?P<plain>[0-9a-f]{1,40})|(?P<pairs>[0-9a-f]{2}(?::[0-9a-f]{2}){0,20})")
_FROM_BACKUP = "restore it from a backup of the store; until then nothing can be said of what is revoked"

_NOT_TAKEN = (x509.ReasonFlags.certificate_hold, x509.ReasonFlags.remove_from_crl)
"""What only lists know that take something back again: here a revocation is for good."""
REASONS: Mapping[str, x509.ReasonFlags] = MappingProxyType(
    {one.value: one for one in x509.ReasonFlags if one not in _NOT_TAKEN}
)
"""Why a certificate is revoked, by the names of RFC 5280, section 5.3.1."""
UNSPECIFIED = x509.ReasonFlags.unspecified.value


@dataclass(frozen=True)
class Revoked:
    """A certificate that its authority stands for no more.

    Attributes:
        serial: its serial number.
        name: whose it is, as "client ann".
        at: when it was revoked, UTC, whole seconds.
        reason: one of `REASONS`.
    """

    serial: int
    name: str
    at: datetime
    reason: str = UNSPECIFIED

    @property
    def hex(self) -> str:
        """Its serial number as `openssl x509 -serial` prints it, in small letters."""
        return f"{self.serial:x}"

    @property
    def moment(self) -> str:
        """When, ISO 8601."""
        return self.at.strftime(_TIME)


@dataclass(frozen=True)
class Revocations:
    """All that was revoked in a store, to look certificates up.

    Attributes:
        of_authority: what was revoked, by the authority's certificate.
    """

    of_authority: Mapping[x509.Certificate, tuple[Revoked, ...]]
    _by_serial: Mapping[int, list[tuple[x509.Certificate, Revoked]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[int, list[tuple[x509.Certificate, Revoked]]] = defaultdict(list)
        for authority, every in self.of_authority.items():
            for one in every:
                found[one.serial].append((authority, one))
        object.__setattr__(self, "_by_serial", MappingProxyType(dict(found)))

    def of(self, certificate: x509.Certificate) -> Revoked | None:
        """When and why a certificate was revoked; None: it was not."""
        candidates = self._by_serial.get(serial_of(certificate), ())
        return next((one for authority, one in candidates if issued_by(certificate, authority)), None)


def parse_serial(text: str) -> int | None:
    """A serial number as programs print it: hexadecimal, with colons or without; None: it is none."""
    match = _DIGITS.fullmatch(text.lower())
    number = int((match["plain"] or match["pairs"]).replace(":", ""), 16) if match else 0
    return number if 0 < number < 1 << (SERIAL_BITS + 1) else None


# the record


def record(revoked: Iterable[Revoked]) -> bytes:
    """The file in the store."""
    rows = [{"serial": one.hex, "name": one.name, "at": one.moment, "reason": one.reason} for one in revoked]
    return written(SCHEMA, {"revoked": rows})


def parse_record(content: bytes, path: Path) -> tuple[Revoked, ...]:
    """Read it back.

    Args:
        content: of the file.
        path: of the file, for messages.

    Raises:
        Refused: with all that is wrong with it: what is passed over would be taken for good.
    """
    try:
        rows = read_back(content, SCHEMA, _rows, path, _FROM_BACKUP)
    except NotReady as error:
        raise Refused(error.message, error.hint) from error
    read = [_row(number, row) for number, row in enumerate(rows, start=1)]
    good = tuple(one for one in read if isinstance(one, Revoked))
    faults = [one for one in read if isinstance(one, Fault)]
    refuse(shown(path), [*faults, *_repeated(good)])
    return good


def _rows(data: dict[str, Any]) -> list[object]:
    """Raises KeyError or TypeError where there is no such list, or anything besides."""
    rows = data.pop("revoked")
    if data or not isinstance(rows, list):
        raise TypeError(data)
    return rows


def _row(number: int, row: object) -> Revoked | Fault:
    if not isinstance(row, dict) or set(row) != _KEYS or not all(isinstance(value, str) for value in row.values()):
        return Fault(f"entry {number} has not the texts {', '.join(sorted(_KEYS))}", _FROM_BACKUP)
    serial, at = parse_serial(row["serial"]), _time(row["at"])
    wrong = [
        f"{key} {visible(row[key])}"
        for key, good in (("serial", serial), ("at", at), ("name", row["name"]), ("reason", row["reason"] in REASONS))
        if not good
    ]
    if serial is None or at is None or wrong:
        return Fault(f"entry {number} makes no sense: {', '.join(wrong)}", _FROM_BACKUP)
    return Revoked(serial, row["name"], at, row["reason"])


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _repeated(revoked: Sequence[Revoked]) -> Iterator[Fault]:
    seen: set[int] = set()
    for one in revoked:
        if one.serial in seen:
            yield Fault(f"serial {one.hex} stands twice", _FROM_BACKUP)
        seen.add(one.serial)


# the list


def crl(
    revoked: Sequence[Revoked], issuer: Issued, *, now: datetime, number: int, lifetime: timedelta = LIFETIME
) -> x509.CertificateRevocationList:
    """Sign a list of what is revoked, of version 2 (RFC 5280, section 5.1).

    Args:
        revoked: of this issuer.
        issuer: the authority with its key.
        now: with a time zone.
        number: greater than that of every list before (section 5.2.3).
        lifetime: until the next one is due; never beyond the issuer's end.

    Raises:
        Refused: with all that speaks against it.
    """
    authority, key = issuer.certificate, issuer.key
    faults = [*unable(authority, now, has_key=key is not None)]
    if key is not None and not matches(authority, key):
        faults.append(Fault("the authority's key is not that of its certificate", "give the two that belong together"))
    refuse(f"revocation list of {visible(authority.subject.rfc4514_string())}", faults)
    moment = now.replace(microsecond=0)
    until = min(moment + lifetime, authority.not_valid_after_utc)
    builder = x509.CertificateRevocationListBuilder(authority.subject, moment, until, [], [*map(_entry, revoked)])
    builder = builder.add_extension(authority_identifier(authority), critical=False)
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    signer = cast("PrivateKey", key)  # that there is one was asked first
    return builder.sign(signer, digest(signer))


def _entry(one: Revoked) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(one.serial, one.at)
    if one.reason != UNSPECIFIED:  # which should be left out (RFC 5280, section 5.3.1)
        builder = builder.add_extension(x509.CRLReason(REASONS[one.reason]), critical=False)
    return builder.build()


def unable(authority: x509.Certificate, now: datetime, *, has_key: bool) -> Iterator[Fault]:
    """Why an authority cannot sign a list."""
    usage, start, end = (
        extension(authority, x509.KeyUsage),
        authority.not_valid_before_utc,
        authority.not_valid_after_utc,
    )
    if not has_key:
        yield Fault("the authority's key is not here", "run `dockertls ca crl` where it is, or restore key.pem")
    if usage is not None and not usage.crl_sign:
        yield Fault(
            "the authority's certificate does not let it sign lists (cRLSign)", "rotate it: dockertls ca rotate"
        )
    if now < start:
        yield Fault(f"the authority is not valid before {start.strftime(_TIME)}", "set this machine's clock")
    if now >= end:
        yield Fault(f"the authority has ended at {end.strftime(_TIME)}", "nobody accepts its certificates any more")


def load_crl(pem: bytes, name: str) -> x509.CertificateRevocationList:
    """Read a list.

    Args:
        pem: the file.
        name: what messages call it.

    Raises:
        Refused: if it is damaged.
    """
    try:
        found = x509.load_pem_x509_crl(pem)
        _ = found.issuer, found.extensions, [(reason_of(one), one.revocation_date_utc) for one in found]
    except MALFORMED as error:
        hint = "restore it from a backup, or move it away: the next list is number 1 then, older than those handed out"
        reason = visible(str(error)).split(". See")[0]
        raise Refused(f"{name} is damaged: {reason}", hint) from error
    return found


def number_of(listed: x509.CertificateRevocationList | None) -> int:
    """The number of a list; 0: it has none, or there is no list."""
    if listed is None:
        return 0
    try:
        return listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0


def is_current(
    listed: x509.CertificateRevocationList, authority: x509.Certificate, revoked: Sequence[Revoked], now: datetime
) -> bool:
    """Whether a list says what it should, and the next one is not due: more than a third of its life is left."""
    until = listed.next_update_utc
    if until is None or listed.issuer != authority.subject or not listed.is_signature_valid(public_key(authority)):
        return False
    said = {(one.serial_number, one.revocation_date_utc, reason_of(one)) for one in listed}
    last = until >= authority.not_valid_after_utc
    timely = last or until - now > (until - listed.last_update_utc) * DUE
    return timely and said == {(one.serial, one.at, one.reason) for one in revoked}


def reason_of(entry: x509.RevokedCertificate) -> str:
    """Why something in a list was revoked, by the names of RFC 5280, section 5.3.1."""
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        return UNSPECIFIED
