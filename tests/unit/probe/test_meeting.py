"""Both sides of a handshake in memory: who is let in, who is not, and who said so."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from dockertls.pki.profiles import CLIENT, SERVER
from dockertls.probe.meeting import Meeting, entry_faults, meet
from dockertls.probe.observation import ClientMaterial, ServerMaterial

if TYPE_CHECKING:
    from tests.unit.probe.conftest import World

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
NAME = "127.0.0.1"


def serving(shown: ClientMaterial, trust: bytes | None = None) -> ServerMaterial:
    assert shown.cert
    assert shown.key
    return ServerMaterial(shown.ca if trust is None else trust, shown.cert, shown.key)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_of_ours_comes_in(world: World, version: ssl.TLSVersion) -> None:
    assert meet(serving(world.server), world.good, NAME, version) == Meeting()


@pytest.mark.parametrize("version", VERSIONS)
def test_nobody_else_does(world: World, version: ssl.TLSVersion) -> None:
    others = (
        ClientMaterial(world.good.ca),
        ClientMaterial(world.good.ca, world.stranger.cert, world.stranger.key),
        ClientMaterial(world.good.ca, world.server.cert, world.server.key),
    )
    assert [meet(serving(world.server), other, NAME, version).refused_by for other in others] == ["server"] * 3


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "reason"), [("192.0.2.7", "IP address mismatch"), ("web9", "Hostname mismatch")])
def test_a_client_refuses_a_server_of_another_name(
    world: World, name: str, reason: str, version: ssl.TLSVersion
) -> None:
    met = meet(serving(world.server), world.good, name, version)
    assert met.refused_by == "client"
    assert reason in met.reason


def test_what_is_as_it_should_be_has_no_faults(world: World) -> None:
    assert list(entry_faults(serving(world.server), world.good, world.stranger, NAME)) == []
    nobody = ClientMaterial(world.good.ca)
    assert list(entry_faults(serving(world.server), nobody, world.stranger, NAME)) == []


def test_everything_else_is_told_for_both_versions(world: World) -> None:
    theirs, expired = world.their_server(), world.served(SERVER, days=30, ago=60)
    late = ClientMaterial(world.good.ca, *_pair(world, ago=60))
    wrong_key = ServerMaterial(world.good.ca, world.server.cert or b"", world.good.key or b"")
    cases = {
        "client refuses the other side: certificate verify failed: unable to get": (
            serving(theirs, world.good.ca),
            None,
        ),
        "client refuses the other side: certificate verify failed: certificate has expired": (serving(expired), None),
        "server refuses the other side: KEY_VALUES_MISMATCH": (wrong_key, None),
        "server refuses the other side: certificate verify failed: certificate has expired": (
            serving(world.server),
            late,
        ),
        "a client of an unknown authority would be let in": (
            serving(world.server, world.good.ca + world.stranger.ca),
            None,
        ),
    }
    for told, (server, client) in cases.items():
        found = [fault.message for fault in entry_faults(server, client or world.good, world.stranger, NAME)]
        assert [text.partition(": ")[2].startswith(told) for text in found] == [True, True], found
        assert [text.partition(":")[0] for text in found] == ["TLSv1_2", "TLSv1_3"]


def _pair(world: World, ago: int) -> tuple[bytes | None, bytes | None]:
    shown = world.served(CLIENT, (), days=30, ago=ago)
    return shown.cert, shown.key
