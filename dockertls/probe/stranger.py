"""Clients that no daemon has a reason to let in: of authorities that live for one look, with keys in memory alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.pki.issue import Issued, Request, digest, issue
from dockertls.pki.keys import DEFAULT_KIND, certificate_pem, certificates_in, generate, private_pem
from dockertls.pki.profiles import CA, CLIENT, SERVER
from dockertls.probe.observation import ClientMaterial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from dockertls.pki.profiles import Profile

LONG_AGO, SOON, SHORT = timedelta(days=30), timedelta(days=10), timedelta(days=1)

STRANGER, NAMESAKE, EXPIRED, TOO_EARLY, SERVING = "stranger", "namesake", "expired", "not-yet-valid", "server"
OUR_SERVER = "our-server"
WHO: Mapping[str, str] = MappingProxyType(
    {
        STRANGER: "with a certificate of an unknown authority",
        NAMESAKE: "with a certificate of an authority that only bears the name of yours",
        EXPIRED: "with a certificate of an unknown authority that has expired",
        TOO_EARLY: "with a certificate of an unknown authority that is not valid yet",
        SERVING: "with a server's certificate of an unknown authority",
        OUR_SERVER: "with a server's certificate of your authority",
    }
)
"""Everybody who should not be let in, and how he is spoken of."""


@dataclass(frozen=True)
class _Root:
    """An authority that nobody knows."""

    issued: Issued

    @classmethod
    def named(cls, name: x509.Name, now: datetime, serial: int) -> _Root:
        """With this name, which another may have too."""
        key = generate(DEFAULT_KIND)
        made = issue(Request(CA, "stranger"), key, None, now=now, serial=serial).certificate
        builder = x509.CertificateBuilder(
            name, name, key.public_key(), serial, made.not_valid_before_utc, made.not_valid_after_utc
        )
        for one in made.extensions:
            builder = builder.add_extension(one.value, critical=one.critical)
        return cls(Issued(builder.sign(key, digest(key)), (), key))

    def client(self, now: datetime, serial: int, *, profile: Profile = CLIENT) -> ClientMaterial:
        """A client that it vouches for, made at this time."""
        key = generate(DEFAULT_KIND)
        names = (x509.DNSName("localhost"),) if profile.needs_names else ()
        leaf = issue(Request(profile, "stranger", names, SHORT), key, self.issued, now=now, serial=serial)
        root, own = (certificate_pem([one]) for one in (self.issued.certificate, leaf.certificate))
        return ClientMaterial(root, own, private_pem(key))


def stranger(*, now: datetime, serials: tuple[int, int]) -> ClientMaterial:
    """A perfect client certificate of an authority that nobody knows.

    Args:
        now: with a time zone.
        serials: of the authority's certificate and of the client's, 1 to 2**159 - 1, at random.
    """
    return _Root.named(_own_name(serials[0]), now, serials[0]).client(now, serials[1])


def visitors(ca: bytes, cert: bytes | None, *, now: datetime, serial: Callable[[], int]) -> dict[str, ClientMaterial]:
    """Everybody of `WHO` who can be made here.

    Args:
        ca: PEM of the authorities that the user's client trusts.
        cert: PEM of the client's certificate; who issued it is the one whose name is borrowed.
        now: with a time zone.
        serial: a new one each time, 1 to 2**159 - 1, at random.
    """
    unknown = _Root.named(_own_name(serial()), now - LONG_AGO, serial())
    made = {
        STRANGER: unknown.client(now, serial()),
        EXPIRED: unknown.client(now - SOON, serial()),
        TOO_EARLY: unknown.client(now + SOON, serial()),
        SERVING: unknown.client(now, serial(), profile=SERVER),
    }
    name = _borrowed(ca, cert)
    if name is not None:
        made[NAMESAKE] = _Root.named(name, now - LONG_AGO, serial()).client(now, serial())
    return made


def _own_name(serial: int) -> x509.Name:
    common_name = x509.NameAttribute(x509.NameOID.COMMON_NAME, f"dockertls stranger {serial:x}"[:40])
    return x509.Name((common_name,))


def _borrowed(ca: bytes, cert: bytes | None) -> x509.Name | None:
    """The name of the user's own authority; None: none can be read, or it has none."""
    names = [one.issuer for one in certificates_in(cert or b"")[:1]] + [one.subject for one in certificates_in(ca)]
    return next((name for name in names if name.rdns), None)
