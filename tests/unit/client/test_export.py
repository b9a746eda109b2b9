from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, get_args

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from dockertls.client.export import FORMATS, Format, bundle
from dockertls.errors import Refused
from dockertls.pki.keys import load_certificates, load_private

if TYPE_CHECKING:
    from dockertls.client.files import ClientFiles
    from tests.unit.client.conftest import Issue, People

NOW = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
PASSPHRASE = b"correct horse"


def exported(
    files: ClientFiles,
    format: Format = "tar",  # noqa: A002 - as the function under test
    *,
    name: str = "ann",
    endpoint_url: str | None = "tcp://web1:2376",
    now: datetime = NOW,
) -> bytes:
    passphrase = PASSPHRASE if format == "pkcs12" else None
    return bundle(files, format=format, name=name, endpoint_url=endpoint_url, passphrase=passphrase, now=now)


def opened(archive: bytes) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(archive))


def readme(archive: bytes, name: str = "ann") -> str:
    with opened(archive) as tar:
        file = tar.extractfile(f"{name}/README.txt")
        assert file
        return file.read().decode()


def test_the_tar_holds_one_closed_folder(people: People) -> None:
    with opened(exported(people.files)) as tar:
        entries = {entry.name: entry for entry in tar}
        assert list(entries) == ["ann", *(f"ann/{name}" for name in ("ca.pem", "cert.pem", "key.pem", "README.txt"))]
        assert entries["ann"].isdir()
        assert [entry.mode for entry in entries.values()] == [0o700, 0o600, 0o600, 0o600, 0o600]
        for entry in entries.values():
            assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "", "")
            assert entry.mtime == int(NOW.timestamp())
        for name, content in people.files.contents.items():
            file = tar.extractfile(f"ann/{name}")
            assert file
            assert file.read() == content


@pytest.mark.parametrize("format_", ["tar", "pem"])
def test_the_same_input_gives_the_same_bytes(people: People, format_: Format) -> None:
    assert exported(people.files, format_) == exported(people.files, format_)
    later = exported(people.files, format_, now=NOW + timedelta(hours=1))
    assert (later == exported(people.files, format_)) is (format_ == "pem")


@pytest.mark.parametrize("name", ["ann", "a b's", "Jürgen", "x" * 200, "$(id)"])
def test_the_readme_is_right_for_the_name(people: People, name: str) -> None:
    text = readme(exported(people.files, name=name), name)
    chmod = next(line.strip() for line in text.splitlines() if "chmod 700" in line)
    done = subprocess.run(["sh", "-c", chmod.replace("chmod 700", "printf %s")], capture_output=True, check=True)
    assert done.stdout.decode() == name


def test_the_readme_says_what_to_type(people: People) -> None:
    text = readme(exported(people.files))
    for line in (
        "export DOCKER_HOST=tcp://web1:2376",
        "export DOCKER_TLS_VERIFY=1",
        'export DOCKER_CERT_PATH="$PWD"',
        'docker context create ann --docker "host=tcp://web1:2376,ca=ca.pem,cert=cert.pem,key=key.pem"',
    ):
        assert f"    {line}\n" in text
    assert "export DOCKER_HOST=tcp://HOST:2376\n" in readme(exported(people.files, endpoint_url=None))


@pytest.mark.parametrize("name", ["a", "default", "a b"])
def test_the_readme_names_a_context_that_docker_takes(people: People, name: str) -> None:
    assert "docker context create docker-tls " in readme(exported(people.files, name=name), name)


def test_pkcs12_holds_all_of_it_once(people: People, issue: Issue) -> None:
    middle = issue("middle", people.authority, is_ca=True)
    client = issue("ann", middle)
    files = replace(
        people.files, cert=client.pem + middle.pem, ca=people.authority.pem + middle.pem, key=client.key_pem
    )
    loaded = pkcs12.load_pkcs12(exported(files, "pkcs12"), PASSPHRASE)
    assert loaded.cert
    assert loaded.cert.friendly_name == b"ann"
    assert loaded.cert.certificate == client.certificate
    assert [extra.certificate for extra in loaded.additional_certs] == [
        middle.certificate,
        people.authority.certificate,
    ]
    assert isinstance(loaded.key, type(client.key))
    assert loaded.key.private_numbers() == client.key.private_numbers()


def test_pkcs12_does_not_open_without_its_passphrase(people: People) -> None:
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(exported(people.files, "pkcs12"), b"another")


def test_pem_holds_key_certificate_and_authority(people: People) -> None:
    pem = exported(replace(people.files, key=people.files.key.rstrip(b"\n")), "pem")
    assert load_private(pem).public_key() == people.client.key.public_key()
    assert load_certificates(pem) == (people.client.certificate, people.authority.certificate)
    assert pem == people.files.key + people.files.cert + people.files.ca


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a\n", "-a", " a", "a\0"])
def test_names_that_are_no_folders(people: People, name: str) -> None:
    with pytest.raises(Refused, match="no name of a folder") as caught:
        exported(people.files, name=name)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("passphrase", [None, b"", "ä".encode(), b"a\nb", b"\xff"])
def test_passphrases_that_protect_nothing_or_open_nowhere(people: People, passphrase: bytes | None) -> None:
    with pytest.raises(Refused) as caught:
        bundle(people.files, format="pkcs12", name="ann", endpoint_url=None, passphrase=passphrase, now=NOW)
    assert caught.value.hint
    assert repr(passphrase) not in caught.value.message or not passphrase


@pytest.mark.parametrize("format_", ["tar", "pem"])
def test_a_passphrase_is_not_silently_left_out(people: People, format_: Format) -> None:
    with pytest.raises(Refused, match="would not protect") as caught:
        bundle(people.files, format=format_, name="ann", endpoint_url=None, passphrase=b"x", now=NOW)
    assert "pkcs12" in caught.value.hint


def test_every_fault_is_told_at_once(people: People) -> None:
    with pytest.raises(Refused) as caught:
        bundle(people.files, format="pkcs12", name="..", endpoint_url="$(id)", passphrase=None, now=NOW)
    assert len(caught.value.faults) == 3


def test_an_unknown_format_is_refused(people: People) -> None:
    with pytest.raises(Refused, match="zip"):
        exported(people.files, "zip")  # type: ignore[arg-type] # what a script may pass
    assert get_args(Format) == tuple(FORMATS)
