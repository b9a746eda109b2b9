"""Where copies of client certificates lie, and which of them are a holder's own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.client.contexts import context_id, tls_folder
from dockertls.client.copies import client_copies, wanted
from dockertls.client.files import ClientFiles, refreshed
from dockertls.plan import Directory, File, Link
from tests.unit.client.test_contexts import DOCKER, TLS, laid

if TYPE_CHECKING:
    from dockertls.client.copies import ClientCopy
    from dockertls.plan import Node
    from tests.unit.client.conftest import FactsOf, People

ANN = (1000, 1000)
FOLDER = Path(DOCKER)


def in_folder(files: ClientFiles) -> dict[str, Node]:
    pems = {"ca": files.ca, "cert": files.cert, "key": files.key}
    return {
        f"{DOCKER}/{name}.pem": File(content, 0o600 if name == "key" else 0o640, ANN) for name, content in pems.items()
    }


def in_context(files: ClientFiles, name: str) -> dict[str, Node]:
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": "tcp://web:2376"}}}
    at, place = tls_folder(FOLDER, name), f"{DOCKER}/contexts/meta/{context_id(name)}/meta.json"
    pems = {"ca": files.ca, "cert": files.cert, "key": files.key}
    nodes: dict[str, Node] = {f"{at}/{pem}.pem": File(content, 0o600, ANN) for pem, content in pems.items()}
    return nodes | {place: File(json.dumps(meta).encode(), 0o644, ANN)}


def test_files_of_the_folder_and_of_its_contexts_are_found(host: FactsOf, people: People) -> None:
    facts = host(in_folder(people.files) | laid(people.files))
    found = client_copies(facts, (FOLDER,))
    assert [(copy.folder, copy.context, copy.endpoint) for copy in found] == [
        (FOLDER, "", ""), (Path(TLS), "web1", "tcp://web1:2376"),
    ]  # fmt: skip
    assert all(copy.is_pair and copy.certificate for copy in found)


def test_a_folder_without_files_is_no_copy(host: FactsOf) -> None:
    assert client_copies(host({DOCKER: Directory(0o700, ANN)}), (FOLDER,)) == ()
    assert client_copies(host({}), (FOLDER,)) == ()


@pytest.mark.parametrize(
    ("unseen", "told"),
    [({}, []), ({FOLDER: "denied"}, ["denied"]), ({FOLDER / "cert.pem": "denied"}, [])],
    ids=["not there", "not to be seen", "not there, whatever is said of what it holds"],
)
def test_only_a_folder_that_is_known_to_be_missing_is_passed_over(
    host: FactsOf, unseen: dict[Path, str], told: list[str]
) -> None:
    facts = host({})
    below = {FOLDER / name: "denied" for name in ("ca.pem", "cert.pem", "key.pem")} if FOLDER in unseen else {}
    facts = replace(facts, files={**facts.files, FOLDER: None}, unseen={**unseen, **below})
    assert facts.lacks(FOLDER) is (FOLDER not in unseen)
    assert [copy.fault for copy in client_copies(facts, (FOLDER,))] == told


def test_a_certificate_alone_or_beside_another_key_is_nobodys_own(host: FactsOf, people: People) -> None:
    """Certificates are public: whoever copies one must not be handed the next one's key."""
    mine = in_folder(people.files)
    alone = {path: node for path, node in mine.items() if not path.endswith("key.pem")}
    other = File(people.strangers_files.key, 0o600, ANN)
    broken = File(b"no key", 0o600, ANN)
    for nodes in (alone, mine | {f"{DOCKER}/key.pem": other}, mine | {f"{DOCKER}/key.pem": broken}):
        (copy,) = client_copies(host(nodes), (FOLDER,))
        assert copy.certificate is not None
        assert not copy.is_pair


@pytest.mark.parametrize("node", [Link("/home/ann/elsewhere"), Directory(0o700, ANN)])
@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_what_is_in_place_of_a_file_is_told_and_left(host: FactsOf, people: People, name: str, node: Node) -> None:
    facts = host(in_folder(people.files) | {f"{DOCKER}/{name}": node})
    (copy,) = client_copies(facts, (FOLDER,))
    assert set(copy.files) == {"ca.pem", "cert.pem", "key.pem"} - {name}
    assert copy.fault.startswith(f"{DOCKER}/{name} is a ")
    assert not copy.is_pair


def test_what_cannot_be_read_in_one_place_hides_no_other(host: FactsOf, people: People) -> None:
    nodes = in_folder(people.files) | laid(people.files) | in_context(people.files, "web2")
    unseen = {Path(f"{DOCKER}/ca.pem"): "a pipe", Path(f"{TLS}/key.pem"): "a\npipe"}
    found = client_copies(replace(host(nodes), unseen=unseen), (FOLDER,))
    assert {copy.context: copy.fault for copy in found} == {"": "a pipe", "web1": r"a\npipe", "web2": ""}


def test_what_is_in_the_way_of_nobody_is_no_matter(host: FactsOf) -> None:
    """Whoever has no certificate is no client, wherever the authorities that he trusts lie."""
    assert client_copies(host({f"{DOCKER}/ca.pem": Link("/etc/ssl/corp.pem")}), (FOLDER,)) == ()


def test_a_place_drives_no_terminal(host: FactsOf, people: People) -> None:
    name = "x\x1b[31m\nservers are fine"
    (copy,) = client_copies(host(in_context(people.files, name)), (FOLDER,))
    assert (copy.context, copy.place) == (name, rf"context x\x1b[31m\nservers are fine in {DOCKER}")


def changes(copy: ClientCopy, files: ClientFiles) -> dict[str, File]:
    found = (one for one in refreshed(files, copy.folder, copy.files) if one.before != one.after)
    return {one.path.name: one.after for one in found if isinstance(one.after, File)}


def test_a_copy_keeps_modes_and_owners(host: FactsOf, people: People) -> None:
    (copy,) = client_copies(host(in_folder(people.files)), (FOLDER,))
    files = ClientFiles(people.files.ca, b"-----BEGIN CERTIFICATE-----\n", people.files.key, Path("/s"))
    made = changes(copy, files)
    assert {name: (file.mode, file.owner) for name, file in made.items()} == {"cert.pem": (0o640, ANN)}


@pytest.mark.parametrize(("was", "becomes"), [(0o644, 0o600), (0o660, 0o600), (0o400, 0o400)])
def test_a_key_is_its_owners_alone_from_then_on(host: FactsOf, people: People, was: int, becomes: int) -> None:
    other = (1001, 1001)
    nodes = in_folder(people.files) | {f"{DOCKER}/key.pem": File(people.files.key, was, other)}
    (copy,) = client_copies(host(nodes), (FOLDER,))
    new = ClientFiles(people.files.ca, people.files.cert, people.strangers_files.key, Path("/s"))
    assert {name: (file.mode, file.owner) for name, file in changes(copy, new).items()} == {"key.pem": (becomes, other)}


def test_what_is_to_be_gathered_is_no_whole_folder() -> None:
    assert FOLDER not in wanted((FOLDER,))
