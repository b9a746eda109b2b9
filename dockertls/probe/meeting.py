"""A daemon and its clients meet in memory: nothing listens yet, and who would be let in is seen all the same."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.errors import Fault
from dockertls.probe import api
from dockertls.probe.observation import ClientMaterial, ServerMaterial
from dockertls.probe.standin import server_context

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_TURNS = 16  # flights of a handshake: TLS 1.2 with client certificates has four
_AGAIN = "issue the certificates again (dockertls server issue, client issue)"
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@dataclass(frozen=True)
class Meeting:
    """How a handshake ended.

    Attributes:
        refused_by: "server" or "client"; empty: they came together.
        reason: OpenSSL's word for it.
    """

    refused_by: str = ""
    reason: str = ""


def entry_faults(
    server: ServerMaterial, client: ClientMaterial, stranger: ClientMaterial, name: str
) -> Iterator[Fault]:
    """Why the client would not be let in, or somebody else would, with TLS 1.2 and with 1.3.

    Args:
        server: what dockerd will have.
        client: what a client will have; without a certificate nobody has to be let in.
        stranger: a client of an authority that nobody knows.
        name: by which the client calls the server.
    """
    others = {
        "without a certificate": ClientMaterial(client.ca),
        "of an unknown authority": ClientMaterial(client.ca, stranger.cert, stranger.key),
    }
    for version in VERSIONS:
        good = meet(server, client, name, version)
        if good.refused_by == "client" or (good.refused_by and client.cert):
            yield Fault(f"{version.name}: {good.refused_by} refuses the other side: {good.reason}", _AGAIN)
            continue
        for who, other in others.items():
            if meet(server, other, name, version).refused_by != "server":
                hint = "let ca.pem hold your own authority alone"
                yield Fault(f"{version.name}: a client {who} would be let in", hint)


def meet(server: ServerMaterial, client: ClientMaterial, name: str, version: ssl.TLSVersion) -> Meeting:
    """One handshake, both sides verifying each other."""
    try:
        accepting = server_context(server.ca, server.cert, server.key)
    except (OSError, ValueError) as error:
        return Meeting("server", api.reason_of(error))
    try:
        calling = api.verifying_context(client)
    except (OSError, ValueError) as error:
        return Meeting("client", api.reason_of(error))
    calling.minimum_version = calling.maximum_version = version
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = {
        "client": calling.wrap_bio(back, there, server_hostname=name),
        "server": accepting.wrap_bio(there, back, server_side=True),
    }
    return _shake_hands(sides)


def _shake_hands(sides: dict[str, ssl.SSLObject]) -> Meeting:
    """Each side in turn, until both are content or one is not."""
    waiting = set(sides)
    for _ in range(MOST_TURNS):
        for who, tls in sides.items():
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                return Meeting(who, api.reason_of(error))
            waiting.discard(who)
        if not waiting:
            return Meeting()
    return Meeting(waiting.pop(), "the handshake does not end")
