"""Where copies of client certificates lie, and which of them are a holder's own."""

from __future__ import annotations

from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.client.copies import client_copies, wanted
from dockertls.client.files import ClientFiles, refreshed
from dockertls.plan import Directory, File, Link
from tests.unit.client.test_contexts import DOCKER, TLS, laid

if TYPE_CHECKING:
    from dockertls.plan import Node
    from tests.unit.client.conftest import FactsOf, People

ANN = (1000, 1000)
FOLDER = Path(DOCKER)


def in_folder(files: ClientFiles) -> dict[str, Node]:
    pems = {"ca": files.ca, "cert": files.cert, "key": files.key}
    return {f"{DOCKER}/{name}.pem": File(content, 0o640, ANN) for name, content in pems.items()}


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


def test_a_link_in_place_of_a_file_is_not_followed(host: FactsOf, people: People) -> None:
    facts = host(in_folder(people.files) | {f"{DOCKER}/key.pem": Link("/home/ann/elsewhere")})
    (copy,) = client_copies(facts, (FOLDER,))
    assert set(copy.files) == {"ca.pem", "cert.pem"}
    assert not copy.is_pair


def test_a_copy_keeps_modes_and_owners(host: FactsOf, people: People) -> None:
    (copy,) = client_copies(host(in_folder(people.files)), (FOLDER,))
    files = ClientFiles(people.files.ca, b"-----BEGIN CERTIFICATE-----\n", people.files.key, Path("/s"))
    (change,) = (one for one in refreshed(files, copy.folder, copy.files) if one.before != one.after)
    assert change.path == FOLDER / "cert.pem"
    assert isinstance(change.after, File)
    assert (change.after.mode, change.after.owner) == (0o640, ANN)


def test_what_is_to_be_gathered_is_no_whole_folder() -> None:
    assert FOLDER not in wanted((FOLDER,))
