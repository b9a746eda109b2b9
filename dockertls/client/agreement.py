"""Whether the docker contexts for an endpoint verify it, and hold copies that are as good as the client's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.client.files import CA
from dockertls.client.flaws import Flaw, verdict
from dockertls.escaping import visible
from dockertls.findings import Evidence, Finding, NotApplicable, Severity, Verdict
from dockertls.pki.keys import each_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from cryptography import x509

    from dockertls.client.contexts import Context
    from dockertls.client.copies import ClientCopy
    from dockertls.client.judging import Kept


def contexts_agree(
    found: Sequence[Context], copies: Mapping[str, ClientCopy], url: str, kept: Kept, now: datetime
) -> Finding:
    """The finding `contexts`.

    Args:
        found: the contexts of the user.
        copies: the files of each, by its name.
        url: the endpoint, as `tcp://HOST:PORT`.
        kept: the client's own files, which were checked.
        now: the time to judge at.
    """
    mine = [one for one in found if one.host.rstrip("/") == url]
    title = "Docker contexts for it verify it, with fresh copies"
    return Finding("contexts", title, Severity.MEDIUM, _agreed(mine, copies, kept, now))


def _agreed(mine: Sequence[Context], copies: Mapping[str, ClientCopy], kept: Kept, now: datetime) -> Verdict:
    if not mine:
        return NotApplicable("no docker context is for this endpoint")
    flaws = [flaw for one in mine for flaw in _flaws(one, copies.get(one.name), kept, now)]
    good = (Evidence("context", visible(one.name), _whose(one, copies.get(one.name))) for one in mine)
    return verdict(flaws, tuple(good))


def _whose(one: Context, copy: ClientCopy | None) -> str:
    certificate = copy.certificate if copy else None
    shown = visible(certificate.subject.rfc4514_string()) if certificate else "a client without a certificate"
    return f"{visible(one.name)}: {shown}"


def _flaw(one: Context, cause: str, remedy: str, *, fatal: bool = False) -> Flaw:
    name = visible(one.name)
    return Flaw((Evidence("context", name, cause),), f"context {name} {cause}", remedy, fatal)


def _flaws(one: Context, copy: ClientCopy | None, kept: Kept, now: datetime) -> Iterator[Flaw]:
    name = visible(one.name)
    again = f"dockertls client install NAME --context {name} --endpoint {visible(one.host)}"
    if one.fault:
        yield _flaw(one, f"cannot be read: {one.fault}", f"docker context rm {name}, and make it again")
        return
    if one.skip_tls_verify:
        remedy = f"docker context update {name} without skip-tls-verify"
        yield _flaw(one, "believes any server (skip-tls-verify)", remedy, fatal=True)
    if copy is None or CA not in copy.files:
        yield _flaw(one, "has no ca.pem, so docker believes what this host's system believes", again)
        return
    if not set(each_certificate(copy.files[CA].content)[0]) & set(kept.authorities):
        yield _flaw(one, f"trusts other authorities than {kept.ca.path}: its copies are stale", again)
    if copy.certificate is not None:
        yield from _of_certificate(one, copy.certificate, kept, now, again)


def _of_certificate(
    one: Context, certificate: x509.Certificate, kept: Kept, now: datetime, again: str
) -> Iterator[Flaw]:
    """A copy that has ended, or that is older than the client's own; another client's is none of this one."""
    if now > certificate.not_valid_after_utc:
        yield _flaw(
            one, f"has a certificate that ended at {certificate.not_valid_after_utc:%Y-%m-%d}", again, fatal=True
        )
        return
    own = kept.chain[0] if kept.chain else certificate
    same = (own.subject, own.issuer) == (certificate.subject, certificate.issuer)
    if same and certificate.not_valid_after_utc < own.not_valid_after_utc:
        yield _flaw(one, f"has an older certificate than {kept.cert.path}: its copies are stale", again)
