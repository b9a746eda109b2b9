"""The live check that ends a change, and what a running daemon must be asked before one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from cryptography.x509 import load_der_x509_certificate, random_serial_number

from dockertls.daemon.packaging import packaging
from dockertls.errors import NotReady, Unreachable
from dockertls.findings import Failed, Finding, NotApplicable, Unknown, Verdict
from dockertls.pki.keys import certificates_in, load_certificates
from dockertls.probe.api import unix_get
from dockertls.probe.grade import grade
from dockertls.probe.handshake import look
from dockertls.probe.observation import Outcome
from dockertls.probe.observing import observe
from dockertls.probe.stranger import OUR_SERVER, visitors
from dockertls.report.findings import as_json, remedies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cryptography import x509

    from dockertls.facts import HostFacts
    from dockertls.probe.endpoint import Endpoint
    from dockertls.probe.observation import ClientMaterial, Version

DECISIVE = frozenset(
    {
        "reachable",
        "chain",
        "name",
        "client-required",
        "stranger-refused",
        "plaintext-refused",
        "served-is-current",
        "api",
    }
)
"""Findings that take a change back if they fail."""

NEED_A_CLIENT = frozenset({"stranger-refused", "purpose-required", "api", "clock"})
"""Findings that nothing can be said of without a client that is let in."""

TIMEOUT = 5.0  # seconds for each look
VERSIONS: tuple[Version, ...] = ("TLSv1.3", "TLSv1.2")
SOCKETS = (Path("/run/docker.sock"), Path("/var/run/docker.sock"))
ATTEMPTS = 3  # a busy host can miss a time limit
START_PATIENCE = 30.0  # seconds: SysV and OpenRC scripts return before dockerd listens
NOBODY_YET = frozenset({Outcome.UNREACHABLE, Outcome.TIMED_OUT})
"""How a look ends while dockerd starts: refused, or kept waiting by systemd, which listens in its place."""
WARN, FAIL = timedelta(days=30), timedelta(days=7)


def judge(
    endpoint: Endpoint,
    material: ClientMaterial,
    now: datetime,
    *,
    timeout: float = TIMEOUT,
    warn: timedelta = WARN,
    fail: timedelta = FAIL,
    current: x509.Certificate | None = None,
    server: ClientMaterial | None = None,
) -> tuple[Finding, ...]:
    """Look at an endpoint as the good client, as nobody and as strangers, and judge what was seen.

    Args:
        endpoint: whom to look at.
        material: the good client.
        now: the time to judge at.
        timeout: seconds for all of it.
        warn: a certificate that expires within this is warned of.
        fail: a certificate that expires within this fails.
        current: the certificate that should be served, where that is known.
        server: a server's certificate of the client's own authority and its key, where they are at hand.
    """
    seen = observe(endpoint, material, others(material, now, server), timeout=timeout)
    roots = load_certificates(material.ca, name="the client's ca.pem")
    client = certificates_in(material.cert or b"")
    known = "which one it should be is not known here" if current is None else (current,)
    return grade(seen, roots, now=now, warn=warn, fail=fail, client=client, current=known)


def others(material: ClientMaterial, now: datetime, server: ClientMaterial | None = None) -> dict[str, ClientMaterial]:
    """Everybody who should not be let in, made for this run."""
    own = {OUR_SERVER: server} if server else {}
    return visitors(material.ca, material.cert, now=now, serial=random_serial_number) | own


def prove(
    endpoint: Endpoint, material: ClientMaterial, now: datetime, current: x509.Certificate
) -> tuple[Finding, ...]:
    """As `judge`; a client without a certificate can tell less: that nobody gets in without one, and what is served."""
    found = judge(endpoint, material, now, current=current)
    return found if material.cert else tuple(one for one in found if one.id not in NEED_A_CLIENT)


def _decisive(findings: Sequence[Finding], *verdicts: type[Verdict]) -> tuple[Finding, ...]:
    """The decisive findings with one of these verdicts."""
    return tuple(one for one in findings if one.id in DECISIVE and isinstance(one.verdict, verdicts))


@dataclass(frozen=True)
class Others:
    """Whom a live check asks as besides the user's own client.

    Attributes:
        accepted: a client that shall be let in; None: there is none.
        refused: a client that shall not be; None: there is none.
    """

    accepted: ClientMaterial | None = None
    refused: ClientMaterial | None = None


def _troubles(endpoint: Endpoint, others: Others) -> Iterator[str]:
    """What is wrong with how the others are received."""
    if others.accepted and shown_certificate(endpoint, others.accepted) is None:
        yield "a client of the new authority was not let in"
    if others.refused and not is_refused(endpoint, others.refused):
        yield "a client of the old authority was not refused"


@dataclass
class Proof:
    """The live check as `apply` wants it: raises unless every decisive finding holds; keeps what was found.

    Attributes:
        endpoint: where the daemon shall listen.
        material: a client that shall be let in, if it has a certificate.
        now: the time to judge at.
        current: the certificate that shall be served.
        others: whom else to ask as.
        findings: what was found, once it was asked.
    """

    endpoint: Endpoint
    material: ClientMaterial
    now: datetime
    current: x509.Certificate
    others: Others = Others()
    findings: tuple[Finding, ...] = field(default=())

    def __call__(self) -> None:
        """Wait until somebody listens, then ask everything.

        Raises:
            NotReady: with every decisive finding that failed, or that still could not be told when asked again.
        """
        self._wait()
        for _ in range(ATTEMPTS):
            self.findings = prove(self.endpoint, self.material, self.now, self.current)
            if not _decisive(self.findings, Unknown):
                break
        wrong = _decisive(self.findings, Failed, Unknown, NotApplicable)
        if wrong:
            told = "; ".join(f"{finding.id}: {as_json(finding)['cause']}" for finding in wrong)
            raise NotReady(f"the live check of {self.endpoint.url} failed: {told}", "\n".join(remedies(wrong)))
        for trouble in _troubles(self.endpoint, self.others):
            hint = "see what dockerd trusts: dockertls daemon show"
            raise NotReady(f"the live check of {self.endpoint.url} failed: {trouble}", hint)

    def _wait(self) -> None:
        end = time.monotonic() + START_PATIENCE
        while time.monotonic() < end:
            if look(self.endpoint, self.material, version="TLSv1.2", timeout=2).outcome not in NOBODY_YET:
                return
            time.sleep(0.1)


def is_served(endpoint: Endpoint, material: ClientMaterial, certificate: x509.Certificate) -> bool:
    """Whether the daemon shows this certificate, and lets the client in if it has one."""
    return shown_certificate(endpoint, material) == certificate


def shown_certificate(endpoint: Endpoint, material: ClientMaterial) -> x509.Certificate | None:
    """What a daemon shows; None: nobody is there, or it does not let the client's certificate in."""
    for version in VERSIONS:
        seen = look(endpoint, material, version=version, timeout=TIMEOUT)
        if seen.chain and (seen.outcome is Outcome.ACCEPTED or material.cert is None):
            return load_der_x509_certificate(seen.chain[0])
    return None


def seen_certificate(endpoint: Endpoint, material: ClientMaterial) -> x509.Certificate | str:
    """What a daemon shows, whether it lets the client in or not; else why nothing was seen."""
    told = ""
    for version in VERSIONS:
        seen = look(endpoint, material, version=version, timeout=TIMEOUT)
        if seen.chain:
            return load_der_x509_certificate(seen.chain[0])
        told = told or f"{seen.outcome.value}: {seen.reason}"
    return told


def is_refused(endpoint: Endpoint, material: ClientMaterial) -> bool:
    """Whether a client is kept out with either version of TLS; False where that could not be told."""
    outcomes = {look(endpoint, material, version=version, timeout=TIMEOUT).outcome for version in VERSIONS}
    return outcomes <= {Outcome.HANDSHAKE_REFUSED, Outcome.REFUSED_AFTER_HANDSHAKE}


@dataclass(frozen=True)
class Running:
    """What a running daemon says of itself.

    Attributes:
        containers: names of those that run.
        live_restore: whether they would survive a restart.
        swarm: whether it is part of a swarm, where live-restore may not be used.
    """

    containers: tuple[str, ...] = ()
    live_restore: bool = False
    swarm: bool = False

    @property
    def would_stop(self) -> tuple[str, ...]:
        """Containers that a restart would stop."""
        return () if self.live_restore else self.containers


def running(facts: HostFacts, timeout: float = 5.0) -> Running | None:
    """Ask this host's daemon by its local socket; None: nobody answers there.

    Args:
        facts: gathered with the row "daemon".
        timeout: seconds.
    """
    found = packaging(facts)
    for socket in (Path(found.local.removeprefix("unix://")),) if found.user else SOCKETS:
        try:
            info = unix_get(socket, "/info", timeout=timeout).json()
            listed = unix_get(socket, "/containers/json", timeout=timeout).json()
        except Unreachable:
            continue
        if isinstance(info, dict) and isinstance(listed, list):
            swarm = info.get("Swarm")
            state = swarm.get("LocalNodeState") if isinstance(swarm, dict) else None
            return Running(
                tuple(_name(one) for one in listed), info.get("LiveRestoreEnabled") is True, state == "active"
            )
    return None


def _name(container: object) -> str:
    names = container.get("Names") if isinstance(container, dict) else None
    return str(names[0]).removeprefix("/") if isinstance(names, list) and names else "a container without a name"
