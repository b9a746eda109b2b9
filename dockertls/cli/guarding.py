"""What is asked before a daemon is changed: the files in themselves, both sides in a handshake, and dockerd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.x509 import random_serial_number

from dockertls.daemon.certificates import CA, CERT, KEY
from dockertls.daemon.control import HARMLESS
from dockertls.daemon.preflight import Shown, faults, material
from dockertls.daemon.trial import can_validate, trial
from dockertls.errors import NotReady, Refused, refuse
from dockertls.escaping import visible
from dockertls.pki.profiles import Purpose
from dockertls.probe.observation import ServerMaterial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dockertls.facts import HostFacts
    from dockertls.host import Host
    from dockertls.probe.endpoint import Endpoint
    from dockertls.probe.observation import ClientMaterial

WHAT = "the certificates that dockerd would have"
TRIAL = "trial"
REFUSED = 1
"""dockerd's exit code if it would not start; any other one tells of something else."""


def preflight(after: HostFacts, endpoint: Endpoint, client: ClientMaterial | None, now: datetime) -> None:
    """Judge what dockerd and its client would have, by itself and by each other.

    Args:
        after: the host as it will be, with the rows "daemon" and "certificates".
        endpoint: where dockerd would be reached.
        client: who has to be let in; None: dockerd would not be reached at all.
        now: with a time zone.

    Raises:
        Refused: with every fault.
    """
    server = _server(after)
    refuse(WHAT, [fault for shown in _shown(server, endpoint.name, client) for fault in faults(shown, now)])


def shake_hands(after: HostFacts, endpoint: Endpoint, client: ClientMaterial, now: datetime) -> None:
    """Let server and client meet as they would, and somebody without a certificate, and a stranger.

    Args and errors as of `preflight`.
    """
    from dockertls.probe.meeting import entry_faults
    from dockertls.probe.stranger import stranger

    intruder = stranger(now=now, serials=(random_serial_number(), random_serial_number()))
    refuse(WHAT, tuple(entry_faults(_server(after), client, intruder, endpoint.name)))


def _server(after: HostFacts) -> ServerMaterial:
    files, bad = material(after)
    refuse(WHAT, bad)
    return ServerMaterial(*(files[name].content for name in (CA, CERT, KEY)))


def _shown(server: ServerMaterial, name: str, client: ClientMaterial | None) -> Iterator[Shown]:
    """Who shows what to whom: the server what its client verifies, and the client what dockerd does."""
    if client is None:
        yield Shown("the server", Purpose.SERVER, server.cert, server.key, server.ca)
        return
    yield Shown("the server", Purpose.SERVER, server.cert, server.key, client.ca, (name,))
    if client.cert is not None and client.key is not None:
        yield Shown("the client", Purpose.CLIENT, client.cert, client.key, server.ca)


def validate(after: HostFacts, host: Host) -> None:
    """Ask the dockerd of this host, where it can be asked, whether it takes a configuration that is not in place yet.

    The files for it are private and gone afterwards; those that a killed run left are removed first. The host's lock
    must be held.

    Raises:
        Refused: with dockerd's own words.
        NotReady: if it could not be asked.
    """
    folder = host.state / TRIAL
    asked = trial(after, folder)
    if asked is None or not can_validate(host.run(asked.version).out):
        return
    host.discard(folder)
    try:
        for path, node in asked.nodes.items():
            host.make(path, node)
        answer = host.run(asked.question)
    finally:
        host.discard(folder)
    if answer.code:
        said = (line for line in asked.told(answer.err).splitlines() if line.strip() and not HARMLESS.search(line))
        words = "\n".join(f"dockerd: {visible(line)}" for line in said)
        refusal = Refused if answer.code == REFUSED else NotReady
        raise refusal("dockerd would not start like this (dockerd --validate says so); nothing was done", words)
