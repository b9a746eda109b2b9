"""Client files of a revoked certificate go; what lies beside them and is somebody else's stays."""

from __future__ import annotations

import json
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.client.contexts import context_id
from dockertls.client.removal import removal
from dockertls.pki.store import Generation
from dockertls.plan import File, Link, Plan

if TYPE_CHECKING:
    from dockertls.plan import Node
    from tests.unit.client.conftest import After, FactsOf, People

DOCKER = "/home/ann/.docker"
WEB = f"{DOCKER}/contexts/tls/{context_id('web')}/docker"
STORED = Path("/store/clients/ann/0001")


@pytest.fixture
def generation(people: People) -> Generation:
    return Generation("client", "ann", STORED, people.client.pem, people.client.key_pem)


def context(name: str) -> dict[str, Node]:
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": "tcp://web:2376", "SkipTLSVerify": False}}}
    return {f"{DOCKER}/contexts/meta/{context_id(name)}/meta.json": File(json.dumps(meta).encode())}


def files(folder: str, ca: bytes, cert: bytes, key: bytes) -> dict[str, Node]:
    names = {"ca.pem": File(ca), "cert.pem": File(cert), "key.pem": File(key, 0o600)}
    return {f"{folder}/{name}": node for name, node in names.items()}


def test_certificate_and_key_go_and_the_authority_stays(
    people: People, generation: Generation, host: FactsOf, after: After
) -> None:
    ours = people.authority.pem, people.client.pem, people.client.key_pem
    nodes = files(DOCKER, *ours) | context("web") | files(WEB, *ours)
    found = removal(host(nodes), [Path(DOCKER)], {people.client.certificate: generation})
    kept = set(nodes) - set(after(nodes, Plan("revoke", found.changes)))
    assert kept == {f"{folder}/{name}.pem" for folder in (DOCKER, WEB) for name in ("cert", "key")}
    assert [line.partition(" is of")[0] for line in found.losses] == [DOCKER, f"context web in {DOCKER}"]
    assert found.unseen == ()


def test_the_key_is_named_by_its_place_in_the_store_and_never_shown(
    people: People, generation: Generation, host: FactsOf
) -> None:
    nodes = files(DOCKER, people.authority.pem, people.client.pem, people.client.key_pem)
    found = removal(host(nodes), [Path(DOCKER)], {people.client.certificate: generation})
    key = found.changes[1].before
    assert isinstance(key, File)
    assert (key.secret, key.stored) == (True, STORED / "key.pem")
    assert "PRIVATE" not in Plan("revoke", found.changes).diff()


def test_what_is_not_revoked_stays(people: People, generation: Generation, host: FactsOf) -> None:
    holder = people.strangers_client
    nodes = files(DOCKER, people.stranger.pem, holder.pem, holder.key_pem) | {f"{DOCKER}/config.json": File(b"{}")}
    found = removal(host(nodes), [Path(DOCKER)], {people.client.certificate: generation})
    assert (found.changes, found.losses, found.unseen) == ((), (), ())


def test_another_key_beside_a_revoked_certificate_stays(people: People, generation: Generation, host: FactsOf) -> None:
    nodes = files(DOCKER, people.authority.pem, people.client.pem, people.strangers_client.key_pem)
    found = removal(host(nodes), [Path(DOCKER)], {people.client.certificate: generation})
    assert [change.path.name for change in found.changes] == ["cert.pem"]


def test_a_link_is_told_and_not_followed(people: People, generation: Generation, host: FactsOf) -> None:
    nodes = files(DOCKER, people.authority.pem, people.client.pem, people.client.key_pem)
    nodes |= {f"{DOCKER}/cert.pem": Link("/elsewhere/cert.pem")}
    found = removal(host(nodes), [Path(DOCKER)], {people.client.certificate: generation})
    assert found.changes == ()
    assert ["cert.pem is a link" in line for line in found.unseen] == [True]


def test_what_is_in_the_way_of_another_file_saves_no_revoked_certificate(
    people: People, generation: Generation, host: FactsOf
) -> None:
    nodes = files(DOCKER, people.authority.pem, people.client.pem, people.client.key_pem)
    nodes |= {f"{DOCKER}/ca.pem": Link("/elsewhere/ca.pem")}
    found = removal(host(nodes), [Path(DOCKER)], {people.client.certificate: generation})
    assert [change.path.name for change in found.changes] == ["cert.pem", "key.pem"]
    assert (len(found.losses), found.unseen) == (1, ())
