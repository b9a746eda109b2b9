"""Certificate requests (RFC 2986): made for an authority elsewhere, and judged before one is signed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dockertls.errors import Fault, Refused, attempt, refuse
from dockertls.escaping import visible
from dockertls.pki.issue import digest, subject_name
from dockertls.pki.keys import GOOD_KEYS, weakness
from dockertls.pki.names import client_name, display, parse_names
from dockertls.pki.pem import pem_blocks
from dockertls.pki.profiles import MALFORMED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.pki.issue import Request
    from dockertls.pki.keys import PrivateKey, PublicKey
    from dockertls.pki.profiles import Profile

_LABELS = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
_MAKE_ANOTHER = "make another request: dockertls server|client csr NAME, or openssl req -new"
_SAY_NAMES = "give the names that it shall have: --name NAME, and --san NAME for each further one"


@dataclass(frozen=True)
class Asked:
    """What a request asks for, as far as it is taken over.

    Attributes:
        key: whose certificate it shall be.
        names: what it shall be called by: a client's common name, a server's names; none: they are said otherwise.
        left_out: what else it asks for, for people.
    """

    key: PublicKey
    names: tuple[str, ...]
    left_out: tuple[str, ...]


def make_request(wanted: Request, key: PrivateKey) -> x509.CertificateSigningRequest:
    """A request for a certificate; it proves that its maker has the key.

    Args:
        wanted: what is asked for. Its life is the signer's to say.
        key: the subject's.
    """
    builder = x509.CertificateSigningRequestBuilder(subject_name(wanted))
    builder = builder.add_extension(wanted.profile.usage, critical=True)
    builder = builder.add_extension(_purposes(wanted.profile), critical=False)
    if wanted.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(wanted.names), critical=False)
    return builder.sign(key, digest(key))


def request_pem(request: x509.CertificateSigningRequest) -> bytes:
    """A request as PEM."""
    return request.public_bytes(Encoding.PEM)


def load_request(pem: bytes, *, name: str = "the request") -> x509.CertificateSigningRequest:
    """Read a request.

    Args:
        pem: the file.
        name: what messages call it.

    Raises:
        Refused: if it holds none, more than one, or one that cannot be read.
    """
    found = [block for block in pem_blocks(pem) if block.label in _LABELS]
    if not found:
        raise Refused(
            f"{name} holds no certificate request in PEM", 'give a file with "-----BEGIN CERTIFICATE REQUEST"'
        )
    if len(found) > 1:
        raise Refused(f"{name} holds {len(found)} certificate requests", "give each in a file of its own")
    try:
        request = x509.load_pem_x509_csr(found[0].text)
        _ = request.subject, request.extensions
    except MALFORMED as error:
        raise Refused(f"{name} cannot be read: {visible(str(error)).split('. See')[0]}", _MAKE_ANOTHER) from error
    return request


def names_asked(request: x509.CertificateSigningRequest) -> tuple[x509.GeneralName, ...]:
    """The subject alternative names of a request."""
    try:
        return tuple(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return ()


def common_names(subject: x509.Name) -> tuple[str, ...]:
    """The common names in a subject: one, as a rule."""
    return tuple(str(one.value) for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME))


def judge_request(
    request: x509.CertificateSigningRequest, profile: Profile, *, named: bool, name: str = "the request"
) -> Asked:
    """Judge a request that somebody else made.

    Only its key and its names are ever taken over: what a certificate may be used for is its profile's to say.

    Args:
        request: as `load_request` gave it.
        profile: of the certificate that is to be made.
        named: whether the names are said otherwise; then those of the request count for nothing.
        name: what messages call the request.

    Raises:
        Refused: with everything that speaks against it.
    """
    names, faults = ((), ()) if named else _NAMES[profile.name](request)
    refuse(name, (*_proof_faults(request), *faults))
    key = cast("PublicKey", request.public_key())  # any other kind was refused
    return Asked(key, names, tuple(_left_out(request, profile, named=named)))


def _purposes(profile: Profile) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([purpose.oid for purpose in profile.purposes])


def _proof_faults(request: x509.CertificateSigningRequest) -> Iterator[Fault]:
    """What speaks against its key, and against the proof that who made the request has it (RFC 2986, section 3)."""
    try:
        weak, proven = weakness(request.public_key()), request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm):
        weak, proven = weakness(None), True
    if weak:
        yield Fault(weak, f"make another one: {GOOD_KEYS}")
    if not proven:
        yield Fault(
            "it is not signed with its own key: it was changed, or its maker does not have that key", _MAKE_ANOTHER
        )


def _server_names(request: x509.CertificateSigningRequest) -> tuple[tuple[str, ...], tuple[Fault, ...]]:
    asked = names_asked(request)
    if not asked:
        common = ", ".join(map(visible, common_names(request.subject)))
        told = f"; its common name, {common}, is not one: no client looks there" if common else ""
        return (), (Fault(f"it asks for no subject alternative names{told}", _SAY_NAMES),)
    odd = [name for name in asked if not isinstance(name, x509.DNSName | x509.IPAddress)]
    faults = [Fault(f"it asks for {display(name)}, and a server is not called so", _SAY_NAMES) for name in odd]
    texts = [str(name.value) for name in asked if name not in odd]
    names, more = attempt(lambda: tuple(map(display, parse_names(_by_common_name(texts, request)))))
    return names or (), (*faults, *more)


def _by_common_name(names: Sequence[str], request: x509.CertificateSigningRequest) -> list[str]:
    """The names, the one that is also the common name first: the server is known by it."""
    common = {one.lower() for one in common_names(request.subject)}
    return sorted(names, key=lambda name: name.lower() not in common)


def _client_names(request: x509.CertificateSigningRequest) -> tuple[tuple[str, ...], tuple[Fault, ...]]:
    found = common_names(request.subject)
    if len(found) != 1:
        told = "no common name" if not found else f"{len(found)} common names"
        return (), (Fault(f"it has {told}, and a client is known by one", "say who it is: --name NAME"),)
    name, faults = attempt(lambda: (client_name(found[0]),))
    return name or (), faults


_NAMES = {"server": _server_names, "client": _client_names}
"""How the names of a request are read, by the profile's name."""


def _left_out(request: x509.CertificateSigningRequest, profile: Profile, *, named: bool) -> Iterator[str]:
    """What a request asks for, and does not get."""
    given = (profile.usage, _purposes(profile), x509.BasicConstraints(ca=False, path_length=None))
    for one in request.extensions:
        if isinstance(one.value, x509.SubjectAlternativeName):
            taken = not named and profile.needs_names
            yield from () if taken else (f"the name {display(name)}" for name in one.value)
        elif one.value not in given:
            yield _told(one)


def _told(one: x509.Extension[x509.ExtensionType]) -> str:
    """An extension for people, by its name where it is known."""
    if isinstance(one.value, x509.BasicConstraints):
        return "to be an authority (CA:TRUE)"
    known = not isinstance(one.value, x509.UnrecognizedExtension)
    return f"the extension {type(one.value).__name__ if known else one.oid.dotted_string}"
