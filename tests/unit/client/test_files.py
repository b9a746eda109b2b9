from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from dockertls.client.files import NAMES, ClientFiles, install, wanted
from dockertls.errors import NotReady
from dockertls.facts import HostFacts, NotGathered
from dockertls.host import LocalHost
from dockertls.pki.keys import fingerprint
from dockertls.plan import Directory, File, Link
from dockertls.rows import gather

if TYPE_CHECKING:
    import pathlib

    from dockertls.plan import Node, Plan
    from tests.unit.client.conftest import After, FactsOf, Issue, People

FOLDER = "/home/ann/.docker"
ANN = (1000, 1000)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def planned(facts: HostFacts, files: ClientFiles, folder: str = FOLDER, *, replace: bool = False) -> Plan:
    return install(facts, files, Path(folder), ANN, replace=replace, known=())


def laid(files: ClientFiles, folder: str = FOLDER) -> dict[str, Node]:
    """The files as a user would have copied them."""
    contents = zip(NAMES, (files.ca, files.cert, files.key), (0o644, 0o644, 0o600), strict=True)
    nodes = {f"{folder}/{name}": File(content, mode, ANN) for name, content, mode in contents}
    return {folder: Directory(0o755, ANN), **nodes}


def with_content(nodes: dict[str, Node], **contents: bytes) -> dict[str, Node]:
    """The same nodes with other files: `key=b"..."` is what key.pem holds."""
    paths = {f"{FOLDER}/{name}.pem": content for name, content in contents.items()}
    return nodes | {path: File(content, 0o600, ANN) for path, content in paths.items()}


def test_an_empty_home_gets_folder_and_files(host: FactsOf, people: People) -> None:
    plan = planned(host({}), people.files)
    assert [str(change.path) for change in plan.changes] == [FOLDER, *(f"{FOLDER}/{name}" for name in NAMES)]
    assert all(change.before is None for change in plan.changes)
    folder, ca, cert, key = (change.after for change in plan.changes)
    assert folder == Directory(0o700, ANN)
    assert (ca, cert) == (File(people.files.ca, 0o644, ANN), File(people.files.cert, 0o644, ANN))
    assert key == File(people.files.key, 0o600, ANN)
    assert isinstance(key, File)
    assert key.secret
    assert key.stored == Path("/store/clients/ann/0001/key.pem")


def test_the_second_time_there_is_nothing_to_do(host: FactsOf, people: People, after: After) -> None:
    first = after({}, planned(host({}), people.files))
    assert len(first) == 4
    assert not planned(host(first), people.files)


def test_no_secret_is_shown(host: FactsOf, people: People) -> None:
    theirs: dict[str, Node] = laid(people.strangers_files) | {f"{FOLDER}/key.pem": File(b"my own secret", 0o644, ANN)}
    empty: dict[str, Node] = {}
    hidden = with_content(theirs, cert=b"another secret\n")
    for nodes in (empty, theirs, hidden):
        diff = planned(host(nodes), people.files, replace=True).diff()
        assert "secret\n" not in diff
        assert "my own" not in diff
        assert people.files.key.split(b"\n")[1].decode() not in diff
    assert people.files.key.decode() not in repr(people.files)


def test_a_key_that_is_replaced_is_marked_secret(host: FactsOf, people: People) -> None:
    plan = planned(host(laid(people.strangers_files)), people.files, replace=True)
    key = plan.changes[-1].before
    assert isinstance(key, File)
    assert key.secret
    assert key.stored is None


def test_an_existing_folder_keeps_its_mode(host: FactsOf, people: People) -> None:
    plan = planned(host({FOLDER: Directory(0o755, ANN)}), people.files)
    assert [change.path.name for change in plan.changes] == list(NAMES)


@pytest.mark.parametrize(("name", "mode", "right"), [("ca.pem", 0o600, 0o644), ("key.pem", 0o644, 0o600)])
def test_mode_and_owner_are_mended(host: FactsOf, people: People, name: str, mode: int, right: int) -> None:
    nodes = laid(people.files)
    node = nodes[f"{FOLDER}/{name}"]
    assert isinstance(node, File)
    for wrong in (replace(node, mode=mode), replace(node, owner=(0, 0))):
        (change,) = planned(host(nodes | {f"{FOLDER}/{name}": wrong}), people.files).changes
        assert change.before == wrong
        assert change.after == File(node.content, right, ANN)
        if name == "key.pem":
            assert isinstance(change.before, File)
            assert change.before.stored == Path("/store/clients/ann/0001/key.pem")


def test_our_own_older_files_are_replaced_without_asking(host: FactsOf, people: People, issue: Issue) -> None:
    older = issue("ann", people.authority)
    nodes = with_content(laid(people.files), cert=older.pem, key=older.key_pem, ca=people.authority.pem * 2)
    plan = planned(host(nodes), people.files)
    assert [change.path.name for change in plan.changes] == list(NAMES)


def test_a_past_authority_of_the_store_is_ours(host: FactsOf, people: People) -> None:
    nodes = laid(people.strangers_files)
    past = {fingerprint(people.stranger.certificate)}
    plan = install(host(nodes), people.files, Path(FOLDER), ANN, replace=False, known=past)
    assert [change.path.name for change in plan.changes] == list(NAMES)


def test_a_client_of_our_intermediate_authority_is_ours(host: FactsOf, people: People, issue: Issue) -> None:
    middle = issue("middle", people.authority, is_ca=True)
    client = issue("ann", middle)
    nodes = with_content(laid(people.files), cert=client.pem + middle.pem, key=client.key_pem)
    assert len(planned(host(nodes), people.files).changes) == 2
    alone = with_content(laid(people.files), cert=client.pem, key=client.key_pem)
    with pytest.raises(NotReady, match="CN=middle"):
        planned(host(alone), people.files)


def test_another_authoritys_client_is_named_and_kept(host: FactsOf, people: People) -> None:
    nodes = laid(people.strangers_files)
    with pytest.raises(NotReady) as caught:
        planned(host(nodes), people.files)
    assert caught.value.exit == 4
    assert len(caught.value.faults) == 2
    assert 'ca.pem trusts "CN=Corp CA"' in caught.value.message
    assert 'cert.pem is "CN=bob", issued by "CN=Corp CA", who would lose access' in caught.value.message
    for way in ("--replace", "--docker-dir", "--context"):
        assert way in caught.value.hint


def test_another_authoritys_client_is_replaced_on_demand(host: FactsOf, people: People, after: After) -> None:
    nodes = laid(people.strangers_files)
    plan = planned(host(nodes), people.files, replace=True)
    done = after(nodes, plan)
    assert done == laid(people.files)
    assert after(done, plan.inverse()) == nodes


def test_a_certificate_that_only_names_our_authority_is_not_ours(host: FactsOf, people: People, issue: Issue) -> None:
    impostor = issue("our CA", is_ca=True)
    client = issue("ann", impostor)
    nodes = with_content(laid(people.files), cert=client.pem, key=client.key_pem)
    with pytest.raises(NotReady, match="who would lose access"):
        planned(host(nodes), people.files)
    inserted = with_content(laid(people.files), cert=client.pem + impostor.pem, key=client.key_pem)
    with pytest.raises(NotReady, match="who would lose access"):
        planned(host(inserted), people.files)


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
@pytest.mark.parametrize("garbage", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n", b"\xff\x00"])
def test_what_cannot_be_read_is_kept(host: FactsOf, people: People, name: str, garbage: bytes) -> None:
    nodes = with_content(laid(people.files), **{name: garbage})
    with pytest.raises(NotReady, match=f"{name}.pem holds no .* that can be read"):
        planned(host(nodes), people.files)
    assert [change.path.name for change in planned(host(nodes), people.files, replace=True).changes] == [f"{name}.pem"]


def test_a_key_of_something_else_is_kept(host: FactsOf, people: People) -> None:
    for nodes in (
        with_content(laid(people.files), key=people.strangers_client.key_pem),
        with_content({FOLDER: Directory(0o700, ANN)}, key=people.strangers_client.key_pem),
    ):
        with pytest.raises(NotReady, match=r"key\.pem is the key of no certificate"):
            planned(host(nodes), people.files)


def test_an_encrypted_key_is_kept(host: FactsOf, people: People) -> None:
    encrypted = people.client.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    with pytest.raises(NotReady, match=r"key\.pem holds no key that can be read"):
        planned(host(with_content(laid(people.files), key=encrypted)), people.files)


def test_names_in_certificates_cannot_drive_the_terminal(host: FactsOf, people: People, issue: Issue) -> None:
    evil = issue("evil\x1b[2J\n", people.stranger)
    with pytest.raises(NotReady) as caught:
        planned(host(with_content(laid(people.files), cert=evil.pem, key=evil.key_pem)), people.files)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_link_in_place_of_a_file_is_refused(host: FactsOf, people: People, name: str, *, replace: bool) -> None:
    nodes = laid(people.files) | {f"{FOLDER}/{name}": Link("../elsewhere")}
    with pytest.raises(NotReady, match=f"{name} is a link") as caught:
        planned(host(nodes), people.files, replace=replace)
    assert "remove the link" in caught.value.hint


def test_every_link_is_told_at_once(host: FactsOf, people: People) -> None:
    nodes: dict[str, Node] = {FOLDER: Directory()}
    nodes |= {f"{FOLDER}/{name}": Link("/x") for name in NAMES}
    with pytest.raises(NotReady) as caught:
        planned(host(nodes), people.files)
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("link", [FOLDER, "/home/ann/a", "/srv/x"])
def test_a_link_on_the_way_below_a_home_is_refused(host: FactsOf, people: People, link: str) -> None:
    folder = link if link != "/home/ann/a" else "/home/ann/a/b/c"
    with pytest.raises(NotReady, match=f"{link} is a link"):
        planned(host({link: Link("/tmp")}), people.files, folder, replace=True)  # noqa: S108 - nothing is there


def test_a_home_that_is_a_link_itself_is_the_administrators(people: People) -> None:
    home, real = Path("/home/ann"), Path("/data/ann")
    passwd = File(b"ann:x:1000:1000::/home/ann:/bin/sh\n")
    known: dict[Path, Node | None] = {
        Path("/etc/passwd"): passwd,
        home: Link(str(real)),
        real: Directory(),
        home / ".docker": None,
    }
    facts = HostFacts(NOW, files=known, links={home: real})
    assert [change.path.name for change in planned(facts, people.files).changes] == [".docker", *NAMES]


@pytest.mark.parametrize("place", ["ca.pem", ""])
def test_a_thing_of_another_kind_is_refused(host: FactsOf, people: People, place: str) -> None:
    nodes: dict[str, Node] = {f"{FOLDER}/ca.pem": Directory()} if place else {FOLDER: File(b"")}
    with pytest.raises(NotReady, match="is a directory" if place else "is not a directory"):
        planned(host(nodes), people.files)


@pytest.mark.parametrize("folder", ["/home/bob/.docker", "/home/bob", "/home/eve/.docker", "/srv/a/b"])
def test_a_home_is_never_made(host: FactsOf, people: People, folder: str) -> None:
    passwd = File(b"bob:x:1001:1001::/home/bob:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
    with pytest.raises(NotReady, match="is not there") as caught:
        planned(host({"/etc/passwd": passwd}), people.files, folder)
    assert "--docker-dir" in caught.value.hint


def test_parents_inside_of_a_home_are_made(host: FactsOf, people: People) -> None:
    plan = planned(host({}), people.files, "/home/ann/.config/docker")
    made = [change for change in plan.changes if isinstance(change.after, Directory)]
    assert [(str(change.path), change.after) for change in made] == [
        ("/home/ann/.config", Directory(0o700, ANN)),
        ("/home/ann/.config/docker", Directory(0o700, ANN)),
    ]


def test_the_users_must_have_been_asked_for(people: People) -> None:
    with pytest.raises(NotGathered):
        planned(HostFacts(NOW), people.files)


def test_what_is_wanted_is_enough_on_a_real_tree(tmp_path: pathlib.Path, people: People) -> None:
    """And a plugin beside it, larger than anything that is read, does no harm."""
    home = tmp_path / "home/ann"
    (home / ".docker/cli-plugins").mkdir(parents=True)
    with (home / ".docker/cli-plugins/docker-buildx").open("wb") as file:
        file.truncate(64 << 20)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(f"ann:x:{os.geteuid()}:{os.getegid()}::/home/ann:/bin/sh\n")
    host = LocalHost(str(tmp_path))
    facts = gather(host, ("users",), trees=wanted(Path(FOLDER)), now=NOW)
    plan = install(facts, people.files, Path(FOLDER), host.self_owner, replace=False, known=())
    for change in plan.changes:
        assert change.after is not None
        host.make(change.path, change.after)
    facts = gather(host, ("users",), trees=wanted(Path(FOLDER)), now=facts.taken)
    assert not install(facts, people.files, Path(FOLDER), host.self_owner, replace=False, known=())
    assert (home / ".docker/key.pem").stat().st_mode & 0o777 == 0o600
