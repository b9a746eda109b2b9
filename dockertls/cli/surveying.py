"""Look at every certificate of the store and at every copy of it that this host has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.cli.installing import any_client
from dockertls.cli.live import shown_certificate
from dockertls.client import contexts
from dockertls.client import files as client_files
from dockertls.daemon import certificates
from dockertls.daemon.control import listening
from dockertls.daemon.packaging import packaging
from dockertls.errors import DockerTLSError
from dockertls.pki.keys import load_certificates
from dockertls.probe.endpoint import Endpoint
from dockertls.report.status import Copy, StatusRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.cli.session import Session
    from dockertls.pki.store import Generation
    from dockertls.plan import File


def survey(session: Session) -> tuple[StatusRow, ...]:
    """Authority, servers and clients, each with its copies.

    Raises:
        DockerTLSError: if the store cannot be read.
    """
    store = session.store
    wanted = [("ca", "")] + [(role, name) for role in ("server", "client") for name in store.names(role)]
    generations = [found for role, name in wanted if (found := store.current(role, name))]
    copies, revocations = list(_copies(session)), store.revocations()
    return tuple(
        StatusRow(one, tuple(_matching(one, copies)), revoked=revocations.of(one.certificate) is not None)
        for one in generations
    )


def _matching(generation: Generation, copies: list[tuple[str, Copy, x509.Certificate | None]]) -> Iterator[Copy]:
    """Copies of this certificate, and older ones of the same role, subject and issuer."""
    own = generation.certificate
    for role, copy, certificate in copies:
        if role != generation.role or certificate is None:
            continue
        if certificate == own:
            yield copy
        elif (certificate.subject, certificate.issuer) == (own.subject, own.issuer):
            yield Copy(copy.place, "stale")


def _copies(session: Session) -> Iterator[tuple[str, Copy, x509.Certificate | None]]:
    docker_dir = session.docker_dir(None, session.user())
    trees = (*client_files.wanted(docker_dir), *contexts.wanted(docker_dir))
    facts = session.facts("daemon", "certificates", "users", trees=trees)
    daemon = packaging(facts).places
    yield (
        "server",
        Copy(str(daemon.pem_dir), "current"),
        _read(certificates.installed(facts, daemon, certificates.CERT)),
    )
    places: list[tuple[str, str, Path]] = [("client", str(docker_dir), docker_dir / "cert.pem")]
    for context in contexts.contexts(facts, docker_dir):
        folder = docker_dir / "contexts/tls" / contexts.context_id(context.name) / "docker"
        places.append(("client", f"context {context.name}", folder / "cert.pem"))
    for role, place, path in places:
        yield role, Copy(place, "current"), _read(facts.file(path))
    if session.host.runs and (port := listening(facts)):
        endpoint, client = Endpoint(*port), any_client(session)
        shown = shown_certificate(endpoint, client) if client else None
        yield "server", Copy(endpoint.url, "current"), shown


def _read(file: File | None) -> x509.Certificate | None:
    """The first certificate of a file; None if there is none that can be read."""
    try:
        return load_certificates(file.content, name="a copy")[0] if file else None
    except DockerTLSError:
        return None
