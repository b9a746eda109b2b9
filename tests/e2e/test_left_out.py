"""A store that lacks something: an authority that was moved away, a damaged generation, a record that is no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import Certificate, load_pem_x509_certificate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.program import Place

NOT_READY, DUE = 4, 1
NOW = ("ca", "rotate", "--now", "--no-passphrase", "--yes")
START = ("ca", "rotate", "start", "--no-passphrase", "--yes")
NEXT = ("ca", "rotate", "next", "--yes")
ALL = ("renew", "--all", "--yes")
AGAIN = ("renew", "--within", "9999d", "--yes")


def leaf(folder: Path) -> Certificate:
    return load_pem_x509_certificate((folder / "cert.pem").read_bytes())


# what is there and is no file


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("ca/0001/revoked.json", ("client", "revoke", "ann", "--yes")),
        ("ca/0001/revoked.json", ("ca", "crl", "--yes")),
        ("ca/rotation.json", ("ca", "rotate", "status")),
        ("ca/rotation.json", START),
        ("clients/ann/elsewhere.json", START),
        ("hooks.json", (*ALL, "--deploy-hook", "/bin/true")),
    ],
)
@pytest.mark.parametrize("kind", ["link", "directory"])
def test_a_record_that_is_no_file_is_not_taken_for_none(
    secured: Place, path: str, words: tuple[str, ...], kind: str
) -> None:
    place = secured.store / path
    if kind == "link":
        place.symlink_to("/dev/null")
    else:
        place.mkdir()
    before = secured.untouched
    ran = secured.run(*words)
    assert (ran.code, f"{path} is no regular file" in ran.err) == (NOT_READY, True), ran
    assert secured.untouched == before


# generations that are damaged


@pytest.mark.parametrize("harm", ["half", "damaged"])
def test_one_damaged_generation_stops_nobody_else(secured: Place, harm: str) -> None:
    ann = secured.store / "clients/ann"
    secured.done(*AGAIN)
    if harm == "half":
        (ann / "0001/cert.pem").unlink()
    else:
        (ann / "0001/cert.pem").write_bytes((ann / "0001/cert.pem").read_bytes()[:50])
    assert secured.done(*ALL).out.count("client ann") == 1
    told = secured.done("--json", "client", "revoke", "ann", "--yes").document["data"]
    assert [one["path"] for one in told["revoked"]] == [f"/etc/dockertls/clients/ann/000{n}" for n in (2, 3)]
    assert "/etc/dockertls/clients/ann/0001 is left out" in "".join(told["warnings"])


def test_where_all_that_a_client_has_is_damaged_it_is_said_what(secured: Place) -> None:
    path = secured.store / "clients/ann/0001/cert.pem"
    path.unlink()
    ran = secured.run("client", "revoke", "ann", "--yes")
    assert (ran.code, "clients/ann/0001/cert.pem is missing" in ran.err) == (NOT_READY, True)
