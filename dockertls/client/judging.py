"""Whether a client's own files are good: what docker reads, who else can, and what they are worth -> a finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from dockertls.client.flaws import Flaw, verdict
from dockertls.findings import Evidence, Failed, Finding, Severity, Warned
from dockertls.pki.held import HeldKey
from dockertls.pki.keys import each_certificate
from dockertls.pki.profiles import Purpose
from dockertls.pki.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509

ENCRYPTED = "docker reads no encrypted key: openssl pkey -in {path} -out key.pem, and chmod 600 key.pem"
_ISSUE = "dockertls client issue NAME makes a new one; client install puts it here"
_OTHERS_READ, _GROUP_READS, _OTHERS_WRITE = 0o004, 0o040, 0o022
_OF_THE_PAIR = ("chain", "expiry", "purpose", "key-strength", "signature")


@dataclass(frozen=True)
class Held:
    """One of a client's files.

    Attributes:
        path: for messages.
        content: None: it cannot be read.
        mode: permission bits; None: they are not known, as of standard input.
        fault: why it cannot be read.
    """

    path: str
    content: bytes | None = field(default=None, repr=False)
    mode: int | None = None
    fault: str = ""


@dataclass(frozen=True)
class Kept:
    """The files of one client: ca.pem, cert.pem and key.pem.

    Attributes:
        known: what is known of the key, where it is not at hand itself.
    """

    ca: Held
    cert: Held
    key: Held
    known: HeldKey | None = field(default=None, kw_only=True)

    @property
    def files(self) -> tuple[Held, Held, Held]:
        """All of them."""
        return self.ca, self.cert, self.key

    @cached_property
    def authorities(self) -> tuple[x509.Certificate, ...]:
        """Whom Go would trust by it: those that it can read."""
        return each_certificate(self.ca.content or b"")[0]

    @cached_property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The client's certificate, issuing ones after it; as far as they can be read."""
        return each_certificate(self.cert.content or b"")[0]


def client_files(kept: Kept, *, now: datetime, warn: timedelta, fail: timedelta) -> Finding:
    """The finding `client-files`.

    Args:
        kept: what the client has.
        now: the time to judge at.
        warn: a certificate that expires within this is warned of.
        fail: a certificate that expires within this fails.
    """
    flaws = (*_unreadable(kept), *_modes(kept), *worth(kept, now=now, warn=warn, fail=fail))
    good = tuple(Evidence("file", held.path, _mode(held)) for held in kept.files)
    return Finding("client-files", "The client's own files are good", Severity.HIGH, verdict(flaws, good))


def worth(kept: Kept, *, now: datetime, warn: timedelta, fail: timedelta) -> Iterator[Flaw]:
    """What is wrong with what the files hold; arguments as of `client_files`."""
    yield from _bundle(kept)
    yield from _pair(kept)
    yield from _certificate(kept, now, warn, fail)


def unfit(kept: Kept, now: datetime) -> bool:
    """Whether there is something about the certificate itself for which daemons refuse it."""
    return any(flaw.fatal for flaw in worth(kept, now=now, warn=timedelta(), fail=timedelta()))


def _mode(held: Held) -> str:
    return f"{held.path}, mode {held.mode:04o}" if held.mode is not None else held.path


def _flaw(held: Held, cause: str, remedy: str, *, seen: str = "", fatal: bool = True) -> Flaw:
    return Flaw((Evidence("file", held.path, seen or cause),), f"{held.path} {cause}", remedy, fatal)


def _unreadable(kept: Kept) -> Iterator[Flaw]:
    for held in kept.files:
        if held.content is None:
            yield _flaw(held, f"cannot be read: {held.fault}", "name the folder with --cert-path, or install the files")


def _modes(kept: Kept) -> Iterator[Flaw]:
    """Whoever reads the key is root on the daemon's host; who writes ca.pem says whom this user believes."""
    mode = kept.key.mode or 0
    if mode & (_OTHERS_READ | _GROUP_READS):
        who = "everybody" if mode & _OTHERS_READ else "its group"
        yield _flaw(
            kept.key,
            f"can be read by {who}: whoever has the key is root on the daemon's host",
            f"chmod 600 {kept.key.path}; if others had access, dockertls client revoke",
            seen=f"mode {mode:04o}",
            fatal=bool(mode & _OTHERS_READ),
        )
    for held in kept.files:
        if (held.mode or 0) & _OTHERS_WRITE:
            yield _flaw(held, "can be written by others", f"chmod go-w {held.path}", seen=f"mode {held.mode:04o}")


def _bundle(kept: Kept) -> Iterator[Flaw]:
    """Go passes over what it cannot read without a word, and knows fewer authorities than there are."""
    for held in (kept.ca, kept.cert):
        if held.content is None:
            continue
        found, faults = each_certificate(held.content)
        for fault in faults:
            yield _flaw(held, f"{fault.message}; docker passes over it without a word", fault.hint)
        if not found and not faults:
            yield _flaw(held, "holds no certificate in PEM", "fetch it again; a DER file: openssl x509 -inform der")


def _pair(kept: Kept) -> Iterator[Flaw]:
    if kept.key.content is None:
        return
    key = kept.known or HeldKey.of(kept.key.content, kept.key.path)
    if key.encrypted:
        yield _flaw(kept.key, "is encrypted", ENCRYPTED.format(path=kept.key.path))
    elif key.fault:
        yield _flaw(kept.key, f"is no key that docker can use: {key.fault.message}", key.fault.hint)
    elif kept.chain and not key.is_of(kept.chain[0]):
        yield _flaw(kept.key, f"is not the key of {kept.cert.path}", "put the two that belong together there")


def _certificate(kept: Kept, now: datetime, warn: timedelta, fail: timedelta) -> Iterator[Flaw]:
    """What the certificate is worth as a client's; that it is of another authority than the server is odd, no fault."""
    if not kept.chain:
        return
    roots, leaf = kept.authorities, kept.chain[0]
    found = verify(leaf, kept.chain[1:], roots, now=now, purpose=Purpose.CLIENT, names=(), warn=warn, fail=fail)
    for one in found:
        if one.id in _OF_THE_PAIR and isinstance(one.verdict, Failed | Warned):
            fatal = isinstance(one.verdict, Failed) and one.id != "chain"
            yield _flaw(
                kept.cert, f"({one.id}): {one.verdict.cause}", f"{one.verdict.remedy}, or {_ISSUE}", fatal=fatal
            )
