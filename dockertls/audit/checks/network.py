"""TABLE of checks of who can reach the daemon, and who is let in: by looking, else by what is said to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockertls.audit.model import Check, asked
from dockertls.client.flaws import Flaw, verdict
from dockertls.daemon.firewall import TABLE as FIREWALLS
from dockertls.daemon.firewall import is_active
from dockertls.daemon.hosts import is_tcp, port_of, streamed
from dockertls.daemon.packaging import SOCKET
from dockertls.daemon.rules_tls import CLOSE, asks_for_certificates, plaintext
from dockertls.escaping import visible
from dockertls.findings import Evidence, Failed, NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.probe.endpoint import PLAIN_PORT, as_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.audit.model import Judge
    from dockertls.audit.seen import Seen
    from dockertls.findings import Verdict

NO_PORT = NotApplicable("it listens on no TCP port")
_ORDER = (Failed, Warned, Unknown, Passed, NotApplicable)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Of several verdicts the one that counts, with the evidence of all of its kind."""
    kind = next(kind for kind in _ORDER if any(isinstance(one, kind) for one in verdicts))
    same = [one for one in verdicts if isinstance(one, kind)]
    first = same[0]
    if isinstance(first, Unknown | NotApplicable):
        return first
    seen = dict.fromkeys(
        one for found in same if not isinstance(found, Unknown | NotApplicable) for one in found.evidence
    )
    return replace(first, evidence=tuple(seen))


def live(*ids: str) -> Judge:
    """What looking at its endpoints came to, of the findings of these ids."""

    def judged(seen: Seen) -> Verdict:
        found = [
            _at(one.endpoint.url, one.findings[name].verdict)
            for one in seen.live
            for name in ids
            if name in one.findings
        ]
        return worst(found) if found else _unseen(seen)

    return asked(judged)


def _at(endpoint: str, found: Verdict) -> Verdict:
    """A verdict whose evidence names the endpoint."""
    if isinstance(found, Unknown | NotApplicable):
        return type(found)(f"{endpoint}: {found.reason}")
    placed = (Evidence(one.source, endpoint, one.seen, one.expected) for one in found.evidence)
    return replace(found, evidence=tuple(placed))


def _unseen(seen: Seen) -> Verdict:
    """Why nothing was looked at."""
    if seen.untried:
        return Unknown(seen.untried[0])
    told = seen.reading.reached()
    if not told:
        return seen.doubt or NO_PORT
    return Unknown(f"{told[0][0]} ({told[0][1]}) was not looked at: dockerd does not run, or not in reach")


def _without_tls(seen: Seen) -> Verdict:
    """By looking, by its own warning, and by what its next start would do."""
    flaws = (*_warned(seen, "http://"), *_by_files(seen, tls=False))
    found = live("plaintext-refused", "plaintext-port-closed")(seen)
    return verdict(flaws, ()) if flaws and not isinstance(found, Failed) else found


def _warned(seen: Seen, sign: str) -> Iterator[Flaw]:
    """What dockerd itself warns of."""
    said = seen.answers.info.get("Warnings")
    for one in said if isinstance(said, list) else []:
        if sign in str(one):
            yield Flaw((Evidence("API", "/info Warnings", str(one).strip()),), str(one).strip(), CLOSE, fatal=True)


def _by_files(seen: Seen, *, tls: bool) -> Iterator[Flaw]:
    """Ports that files open to everybody: without TLS, or with TLS that asks nobody for a certificate."""
    given = "tlsverify" in seen.reading.both()
    if given is not tls or seen.unread:
        return
    for fault in plaintext(seen.reading):
        evidence = Evidence("configuration", str(seen.reading.packaging.start), fault.message, "tlsverify")
        yield Flaw((evidence,), fault.message, fault.hint, fatal=True)


def _handed(seen: Seen) -> Verdict:
    """What systemd listens on for it, which dockerd says nothing of."""
    found = seen.reading.packaging
    if not found.socket:
        return seen.unstarted or _without_unit(seen)
    evidence = tuple(Evidence("docker.socket", str(place), listen) for listen, place in found.listens)
    ports = [(listen, place) for listen, place in found.listens if streamed(listen)]
    if not ports or asks_for_certificates(seen.reading):
        return Passed(evidence)
    told = ", ".join(f"{listen} ({place})" for listen, place in ports)
    return seen.unread or Failed(
        evidence, f"systemd listens on {told} for dockerd, which has no TLS: whoever reaches it is root", CLOSE
    )


def _without_unit(seen: Seen) -> Verdict:
    """A socket that systemd holds though its unit is masked, or gone: on what it listens nobody tells."""
    if seen.is_own and seen.running.units.get(SOCKET, {}).get("ActiveState") == "active":
        return Unknown(f"on what systemd listens: {SOCKET} is active, and its unit is masked or not there")
    doubts = seen.running.unknown if seen.is_own and seen.facts.runs and not seen.running.units else ()
    return Unknown(doubts[0]) if doubts else NotApplicable(f"there is no {SOCKET} here")


def _verifying(seen: Seen) -> Verdict:
    """Whether nobody gets in without a certificate."""
    flaws = (*_warned(seen, "without TLS client verification"), *_by_files(seen, tls=True))
    found = live("client-required")(seen)
    return verdict(flaws, ()) if flaws and not isinstance(found, Failed) else found


def _addresses(seen: Seen) -> tuple[list[tuple[str, bool]], str]:
    """What it listens on, and whether that is every address; by the kernel, else by what it is told."""
    held = seen.listening
    if not held.unknown and not seen.reading.packaging.user:
        ports = {one.endpoint.port for one in seen.live}
        return [(str(one), one.address.is_unspecified) for one in held.tcp if one.port in ports], "sockets"
    return [(host, _is_every(host)) for host, _ in seen.reading.reached() if is_tcp(host)], "configuration"


def _no_address(seen: Seen) -> Verdict:
    """Why there is no address to judge; of a port that was looked at there is one."""
    if not seen.live:
        return _unseen(seen)
    untold = seen.listening.unknown
    return Unknown(visible(untold)) if untold else seen.doubt or NO_PORT


def _is_every(host: str) -> bool:
    address = as_address(host.removeprefix("tcp://").rpartition(":")[0].strip("[]"))
    return (address is None and "//:" in host) or bool(address and address.is_unspecified)


def _every_address(seen: Seen) -> Verdict:
    found, source = _addresses(seen)
    if not found:
        return _no_address(seen)
    evidence = tuple(
        Evidence(source, one, "every address" if every else "one address", "one address") for one, every in found
    )
    if not any(every for _, every in found):
        return seen.hidden or Passed(evidence)
    cause = "it listens on every address of the host, those of networks that are added later too"
    return Warned(evidence, cause, "name the address that clients use: dockertls daemon configure --listen ADDRESS")


def _port(seen: Seen) -> Verdict:
    """Port 2375, which everybody takes for the one without TLS."""
    found, source = _addresses(seen)
    if not found:
        return _no_address(seen)
    evidence = tuple(Evidence(source, one, one, "2376") for one, _ in found)
    ports = {port_of(one) for one, _ in found} | {str(one.endpoint.port) for one in seen.live}
    if str(PLAIN_PORT) not in ports:
        return seen.hidden or Passed(evidence)
    if isinstance(_without_tls(seen), Failed):
        return Failed(evidence, f"port {PLAIN_PORT} is open without TLS: it is what is scanned for all day", CLOSE)
    cause = f"TLS is spoken on port {PLAIN_PORT}, which clients take for the one without"
    return Warned(evidence, cause, "take 2376: dockertls daemon configure --port 2376")


def _firewall(seen: Seen) -> Verdict:
    if not _addresses(seen)[0]:
        return _no_address(seen)
    if not seen.facts.runs:
        return Unknown("which firewall is active: this is a file tree")
    active = [one.unit for one in FIREWALLS if is_active(seen.facts, one.unit)]
    if active:
        return Unknown(f"{active[0]} is active; whether it lets only your own hosts reach the port is yours to see")
    evidence = (Evidence("systemd", "firewalld, ufw, nftables", "none is active", "one is active"),)
    cause = "no firewall that is known here is active: whoever reaches the host reaches the port"
    return Warned(evidence, cause, "let only the hosts that need it reach the port, with nftables, ufw or firewalld")


def _insight(seen: Seen) -> Verdict:
    """Metrics and diagnostics, which ask nobody who he is."""
    said = seen.reading.both()
    given = [
        (key, str(said[key].value), said[key].origin)
        for key in ("metrics-addr", "network-diagnostic-port")
        if key in said
    ]
    open_ones = [
        (key, value, origin) for key, value, origin in given if value not in {"", "0"} and not _is_loopback(key, value)
    ]
    evidence = tuple(Evidence("configuration", origin, f"{key} {value}", "127.0.0.1") for key, value, origin in given)
    if not open_ones:
        return seen.unread or seen.hidden or Passed(evidence)
    cause = f"{open_ones[0][0]} {open_ones[0][1]} answers everybody who reaches it, without TLS"
    return Warned(evidence, cause, "bind it to 127.0.0.1, or remove it")


def _is_loopback(key: str, value: str) -> bool:
    host = value.rpartition(":")[0].strip("[]")
    address = as_address(host)
    return key == "network-diagnostic-port" or host == "localhost" or bool(address and address.is_loopback)


def _swarm(seen: Seen) -> Verdict:
    if seen.answers.fault:
        return seen.idle or Unknown(f"whether it takes part in a swarm: {visible(seen.answers.fault)}")
    if not seen.answers.swarm:
        return NotApplicable("it takes part in no swarm")
    evidence = (Evidence("API", "/info Swarm", "active"),)
    cause = "as a member of a swarm it opens the ports 2377 and 7946, and 4789 of UDP, which has no authentication"
    return Warned(evidence, cause, "let only the other members reach them")


def _current(seen: Seen) -> Verdict:
    """By looking; where the file was not seen, that is why nothing is known."""
    found = live("served-is-current")(seen)
    if not (seen.live and isinstance(found, NotApplicable)):
        return found
    return seen.served.untold(seen.served.files.cert, "tlscert") or found


TABLE: tuple[Check, ...] = (
    Check("NET-01", "No port takes requests without TLS", Severity.CRITICAL, asked(_without_tls)),
    Check("NET-02", "No port that systemd holds is without TLS", Severity.CRITICAL, asked(_handed)),
    Check("NET-03", "Nobody gets in without a certificate", Severity.CRITICAL, asked(_verifying)),
    Check("NET-04", "Clients of other authorities are refused", Severity.CRITICAL, live("stranger-refused")),
    Check("NET-05", "A server's certificate does not let a client in", Severity.HIGH, live("purpose-required")),
    Check("NET-06", "Old TLS and weak suites are refused", Severity.HIGH, live("tls-version", "legacy-refused")),
    Check("NET-07", "Clients of your authority alone are let in", Severity.HIGH, live("accepted-authorities")),
    Check("NET-08", "The certificate that is served is the one in the file", Severity.HIGH, _current),
    Check("NET-09", "It listens on named addresses", Severity.MEDIUM, asked(_every_address)),
    Check("NET-10", "Port 2375 is not used", Severity.HIGH, asked(_port)),
    Check("NET-11", "A firewall says who reaches the port", Severity.MEDIUM, asked(_firewall)),
    Check("NET-12", "Metrics are for the host itself", Severity.MEDIUM, asked(_insight)),
    Check("NET-13", "The ports of a swarm are known", Severity.INFO, asked(_swarm)),
)
"""In the order of the catalogue."""
