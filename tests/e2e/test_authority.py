"""The authority: its limits before judges that are not ours, its passphrase, and how it is carried away and back."""

from __future__ import annotations

import base64
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dockertls.pki.keys import is_encrypted, kdf_rounds
from dockertls.probe.standin import stand_in
from tests.e2e.program import Place, Ran, environment, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAIN = ("--no-passphrase", "--yes")
PERMIT = ("--permit", "example.org", "--permit", "10.0.0.0/8")
OLD, NEW = ("--passphrase-command", "echo old"), ("--passphrase-command", "echo new")
TO_NEW = ("--new-passphrase-command", "echo new")
USES = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2"}
KEY = "ca/0001/key.pem"


def run(*argv: object, env: dict[str, str] | None = None) -> Ran:
    done = subprocess.run(
        [*map(str, argv)], check=False, capture_output=True, text=True, env=environment(env), timeout=60
    )
    return Ran(done.returncode, done.stdout, done.stderr)


# limits


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An authority for example.org and 10.0.0.0/8, and certificates of it; only to be looked at."""
    place = Place.recorded("debian", tmp_path_factory.mktemp("limited") / "root")
    place.done("ca", "init", *PERMIT, *PLAIN)
    inside = ("--san", "*.example.org", "--san", "10.1.2.3", "--san", "localhost", "--san", "127.0.0.1", "--san", "::1")
    place.done("server", "issue", "web1.example.org", *inside, "--yes")
    place.done("server", "issue", "10.1.2.3", "--san", "127.0.0.1", "--yes")
    place.done("client", "issue", "ann", "ann.smith", "--yes")
    return place


def leaf(place: Place, role: str, name: str, file: str = "cert") -> Path:
    return place.store / f"{role}s" / name / f"current/{file}.pem"


def signed_outside(place: Place, folder: Path, names: str) -> Path:
    """A server's certificate that openssl signs with the authority's key, whatever its limits are."""
    (folder / "extensions").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
    key, request, cert = (folder / name for name in ("key.pem", "request.pem", "cert.pem"))
    ca = place.store / "ca/0001"
    for words in (
        ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj", "/CN=web",
         "-out", request),
        ("x509", "-req", "-in", request, "-CA", ca / "cert.pem", "-CAkey", ca / "key.pem", "-set_serial", "7", "-days",
         "9", "-extfile", folder / "extensions", "-out", cert),
    ):  # fmt: skip
        made = run("openssl", *words)
        assert made.code == 0, made
    return cert


OUTSIDE = {
    "name": "DNS:web.other.org,IP:127.0.0.1",
    "address": "DNS:web1.example.org,IP:127.0.0.1,IP:192.0.2.1",
    "IPv6 address": "DNS:localhost,IP:127.0.0.1,IP:2001:db8::1",
}


def openssl(place: Place, role: str, cert: Path) -> str:
    authority = place.store / "ca/trust.pem"
    return run("openssl", "verify", "-x509_strict", "-purpose", f"ssl{role}", "-CAfile", authority, cert).err


def gnutls(place: Place, role: str, cert: Path) -> bool:
    argv = ("certtool", "--verify", f"--load-ca-certificate={place.store / 'ca/trust.pem'}", f"--infile={cert}")
    return "Chain verification output: Verified." in run(*argv, f"--verify-purpose={USES[role]}").out


@pytest.mark.needs("openssl")
def test_openssl_and_we_agree_on_what_is_inside(limited: Place, tmp_path: Path) -> None:
    for role, name in (("server", "web1.example.org"), ("server", "10.1.2.3"), ("client", "ann")):
        assert openssl(limited, role, leaf(limited, role, name)) == ""
    assert "permitted subtree violation" in openssl(limited, "client", leaf(limited, "client", "ann.smith"))
    for number, names in enumerate(OUTSIDE.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert "permitted subtree violation" in openssl(limited, "server", signed_outside(limited, folder, names))


@pytest.mark.needs("openssl", "gnutls")
def test_gnutls_agrees(limited: Place, tmp_path: Path) -> None:
    every = (("server", "web1.example.org"), ("server", "10.1.2.3"), ("client", "ann"), ("client", "ann.smith"))
    assert all(gnutls(limited, role, leaf(limited, role, name)) for role, name in every)
    for number, names in enumerate(OUTSIDE.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert not gnutls(limited, "server", signed_outside(limited, folder, names))


@contextmanager
def served(place: Place, cert: Path, key: Path) -> Iterator[str]:
    with stand_in((place.store / "ca/trust.pem").read_bytes(), cert.read_bytes(), key.read_bytes()) as endpoint:
        yield f"127.0.0.1:{endpoint.port}"


def curl(place: Place, address: str) -> Ran:
    ann = (leaf(place, "client", "ann", part) for part in ("cert", "key"))
    words = [word for pair in zip(("--cert", "--key"), ann, strict=True) for word in pair]
    return run(
        "curl", "--silent", "--show-error", "--cacert", place.store / "ca/trust.pem", *words, f"https://{address}/_ping"
    )


def docker(place: Place, address: str, folder: Path) -> Ran:
    """The docker CLI, whose verifier is Go's."""
    files = {"ca": place.store / "ca/trust.pem"} | {
        part: leaf(place, "client", "ann", part) for part in ("cert", "key")
    }
    (folder / "pems").mkdir(exist_ok=True)
    for name, path in files.items():
        shutil.copy(path, folder / f"pems/{name}.pem")
    env = {"DOCKER_HOST": f"tcp://{address}", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(folder / "pems")}
    return run("docker", "version", "--format", "{{.Server.Version}}", env=env | {"HOME": str(folder)})


@pytest.mark.needs("curl", "docker", "openssl")
def test_curl_and_docker_call_what_is_inside_and_nothing_else(limited: Place, tmp_path: Path) -> None:
    for name in ("web1.example.org", "10.1.2.3"):
        pair = (leaf(limited, "server", name, part) for part in ("cert", "key"))
        with served(limited, *pair) as address:
            assert curl(limited, address).out == "OK"
            assert "the stand-in knows no such path" in docker(limited, address, tmp_path).err, "it was let in"
    for number, names in enumerate(OUTSIDE.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        cert = signed_outside(limited, folder, names)
        with served(limited, cert, cert.with_name("key.pem")) as address:
            assert curl(limited, address).code == 60  # the peer's certificate cannot be authenticated
            assert "is not permitted by any constraint" in docker(limited, address, tmp_path).err


def test_limits_are_shown(limited: Place) -> None:
    assert "may issue for  example.org, 10.0.0.0/8, localhost, 127.0.0.0/8, ::1/128" in limited.done("ca", "show").out
    told = limited.done("--json", "ca", "show").document["data"]
    assert told["permitted"] == ["example.org", "10.0.0.0/8", "localhost", "127.0.0.0/8", "::1/128"]
    assert (told["excluded"], told["key_here"]) == ([], True)


@pytest.mark.parametrize("look", [("--yes",), ("--check",), ("--dry-run",)])
def test_outside_nothing_is_issued(limited: Place, look: tuple[str, ...]) -> None:
    before = snapshot(limited.root)
    ran = limited.run(
        "--json", "server", "issue", "web.other.org", "--san", "192.0.2.1", "--san", "a.example.org", *look
    )
    assert ran.code == 3
    faults = ran.document["error"]["faults"]
    assert [fault["message"].partition(" ")[0] for fault in faults] == ["web.other.org", "192.0.2.1"]
    assert all("10.0.0.0/8" in fault["hint"] for fault in faults)
    assert snapshot(limited.root) == before


def test_the_same_limits_in_any_order_are_there_already_and_others_are_refused(limited: Place) -> None:
    assert (
        "nothing to do" in limited.done("ca", "init", "--permit", "10.0.0.0/8", "--permit", "example.org", *PLAIN).err
    )
    assert "nothing to do" in limited.done("ca", "init", *PLAIN).err
    ran = limited.run("ca", "init", "--permit", "example.com", *PLAIN)
    assert (ran.code, "for example.org, 10.0.0.0/8" in ran.err) == (4, True)


def test_every_fault_of_what_shall_be_permitted_is_told(fresh: Place) -> None:
    before = fresh.untouched
    ran = fresh.run(
        "--json", "ca", "init", "--permit", "*.a", "--permit", "10.1.2.3/8", "--permit", "b:1", "--name", "/"
    )
    assert (ran.code, len(ran.document["error"]["faults"])) == (3, 4)
    assert fresh.untouched == before


def test_a_client_whose_name_openssl_takes_for_a_host_is_told_about(limited: Place, tmp_path: Path) -> None:
    place = limited.copied(tmp_path / "root")
    assert "a proxy that uses OpenSSL" in place.done("client", "issue", "bob.smith", "--yes").err
    assert "OpenSSL" not in place.done("client", "issue", "eve", "--yes").err


# the passphrase


@pytest.fixture(scope="module")
def _locked(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place.recorded("debian", tmp_path_factory.mktemp("locked") / "root")
    place.done("ca", "init", *OLD, "--yes")
    return place


@pytest.fixture
def locked(_locked: Place, tmp_path: Path) -> Place:
    """An authority whose passphrase is "old"."""
    return _locked.copied(tmp_path / "root")


def opens(place: Place, passphrase: str) -> bool:
    return run("openssl", "pkey", "-in", place.store / KEY, "-passin", f"pass:{passphrase}", "-noout").code == 0


def issues(place: Place, *passphrase: str) -> int:
    return place.run("client", "issue", "somebody", *passphrase, "--yes", "--key", "ed25519").code


@pytest.mark.needs("openssl")
def test_the_passphrase_is_changed_once(locked: Place) -> None:
    words, before = ("ca", "passphrase", *OLD, *TO_NEW), locked.snapshot
    assert f"change /etc/dockertls/{KEY}" in locked.done(*words, "--dry-run").out
    assert locked.run("--json", *words, "--check").code == 1
    assert locked.run(*words).code == 4, "nobody was asked"
    assert locked.snapshot == before
    told = locked.done("--json", *words, "--yes").document
    assert (told["schema"], told["data"]["changed"], told["data"]["keys"][0]["encrypted"]) == (
        "dockertls/ca-passphrase/1",
        True,
        True,
    )
    assert (opens(locked, "old"), opens(locked, "new")) == (False, True)
    assert kdf_rounds((locked.store / KEY).read_bytes()) == 600_000
    assert (locked.store / KEY).stat().st_mode & 0o777 == 0o600
    after = locked.snapshot
    assert locked.done(*words, "--check").out.strip() == "nothing to do"
    assert locked.done("--json", *words, "--yes").document["data"]["changed"] is False
    assert locked.snapshot == after
    assert (issues(locked, *OLD), issues(locked, *NEW)) == (3, 0)


def everywhere(root: Path, secret: bytes) -> list[str]:
    """Files in which a secret can be found, as it is or as a journal would keep it."""
    needles = (secret, base64.b64encode(secret), max(secret.splitlines(), key=len))
    files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return [str(path.relative_to(root)) for path in files if any(one in path.read_bytes() for one in needles)]


def test_the_old_encryption_is_nowhere_and_no_undo_brings_it_back(locked: Place) -> None:
    old = (locked.store / KEY).read_bytes()
    assert everywhere(locked.root, old) == [f"etc/dockertls/{KEY}"]
    locked.done("ca", "passphrase", *OLD, *TO_NEW, "--yes")
    assert everywhere(locked.root, old) == []
    assert locked.run("undo", "--yes").code == 4


def test_a_key_is_decrypted_and_encrypted_with_consent_alone(locked: Place) -> None:
    words = ("ca", "passphrase", *OLD, "--no-passphrase")
    ran = locked.run(*words)
    assert (ran.code, "not encrypted: who reads it is the authority" in ran.err) == (4, True)
    locked.done(*words, "--yes")
    assert not is_encrypted((locked.store / KEY).read_bytes())
    assert "nothing to do" in locked.done("ca", "passphrase", "--no-passphrase", "--yes").err, (
        "no passphrase is asked for"
    )
    locked.done("ca", "passphrase", *TO_NEW, "--yes")
    assert issues(locked, *NEW) == 0


def test_the_timers_credential_is_spoken_of_where_there_is_one(locked: Place) -> None:
    locked.put("etc/systemd/system/dockertls-renew.service", "[Service]\n")
    assert "dockertls timer install" in locked.done("ca", "passphrase", *OLD, *TO_NEW, "--yes").err
    assert "dockertls timer install" not in locked.done("ca", "passphrase", *OLD, *TO_NEW, "--yes").err


NO_PASSPHRASE = {
    "wrong": ((*NEW, "--new-passphrase-command", "echo other"), 3, "does not open"),
    "empty new one": ((*OLD, "--new-passphrase-file", "/dev/null"), 3, "passphrase is empty"),
    "no new one": (OLD, 4, "--new-passphrase-file"),
    "no old one": (TO_NEW, 4, "--passphrase-file"),
    "two new ones": ((*OLD, *TO_NEW, "--new-passphrase-fd", "0"), 2, "more than one"),
    "both": ((*OLD, *TO_NEW, "--no-passphrase"), 2, "exclude each other"),
    "no such file": ((*OLD, "--new-passphrase-file", "/nonexistent"), 4, "No such file"),
}


@pytest.mark.parametrize("name", NO_PASSPHRASE)
def test_a_passphrase_that_does_not_come_changes_nothing(locked: Place, name: str) -> None:
    (words, code, told), before = NO_PASSPHRASE[name], locked.snapshot
    ran = locked.run("ca", "passphrase", *words, "--yes")
    assert (ran.code, told in ran.err) == (code, True), ran
    document = locked.run("--json", "ca", "passphrase", *words, "--yes").document
    assert document["error"]["exit"] == code
    assert locked.untouched == {path: node for path, node in before.items() if path in locked.untouched}


def test_without_an_authority_there_is_no_passphrase(fresh: Place) -> None:
    assert fresh.run("ca", "passphrase", *TO_NEW, "--yes").code == 4


@pytest.mark.needs("chattr", "openssl")
def test_where_the_key_cannot_be_written_the_old_one_stays(locked: Place) -> None:
    folder = (locked.store / KEY).parent
    subprocess.run(["chattr", "+i", folder], check=True)
    try:
        ran = locked.run("ca", "passphrase", *OLD, *TO_NEW, "--yes")
    finally:
        subprocess.run(["chattr", "-i", folder], check=True)
    assert ran.code in {4, 5}, ran
    assert opens(locked, "old")
    assert [path.name for path in folder.iterdir()] == ["cert.pem", "key.pem"] or len(list(folder.iterdir())) == 2


def test_every_authority_in_use_gets_the_new_passphrase_and_a_forgotten_one_is_told(locked: Place) -> None:
    """An older authority's key may have one that nobody knows any more."""
    older = locked.store / "ca/0000"
    shutil.copytree(locked.store / "ca/0001", older)
    sealed = ("-passin", "pass:old", "-aes256", "-passout", "pass:gone", "-out", older / "key.pem")
    assert run("openssl", "pkey", "-in", locked.store / KEY, *sealed).code == 0
    lost = (older / "key.pem").read_bytes()
    ran = locked.done("ca", "passphrase", *OLD, *TO_NEW, "--yes")
    assert "left as it is: the passphrase does not open /etc/dockertls/ca/0000/key.pem" in ran.err
    assert (older / "key.pem").read_bytes() == lost
    assert issues(locked, *NEW) == 0


# carried away, brought back, and elsewhere


def authority(place: Place) -> dict[str, tuple[object, ...]]:
    return snapshot(place.store / "ca")


def test_an_authority_is_exported_once_and_comes_back_in_another_place(locked: Place, tmp_path: Path) -> None:
    file, before = tmp_path / "safe.tar", locked.untouched
    words = ("ca", "export", "--output", file)
    assert locked.run("--json", *words, "--check").code == 1
    assert locked.run(*words).code == 4
    assert not file.exists()
    told = locked.done("--json", *words, "--yes", umask=0).document["data"]
    assert told == {"changed": True, "path": str(file), "keys": ["0001"]}
    assert (file.stat().st_mode & 0o777, locked.untouched) == (0o600, before)
    content = file.read_bytes()
    assert locked.done(*words, "--check").out.strip() == "nothing to do"
    locked.done(*words, "--yes")
    assert locked.done("ca", "export", "--output", "-").out.encode() == content
    other = Place.recorded("fedora", tmp_path / "other")
    assert other.run("--json", "ca", "import", file, "--check").code == 1
    assert other.done("--json", "ca", "import", file, "--yes").document["data"]["new"] is True
    assert authority(other) == authority(locked)
    assert other.done("ca", "import", file, "--check").out.strip() == "nothing to do"
    assert issues(other, *OLD) == 0


def test_an_export_is_not_written_over_another_file(locked: Place, tmp_path: Path) -> None:
    file = tmp_path / "safe.tar"
    file.write_text("something else")
    ran = locked.run("ca", "export", "--output", file, "--yes")
    assert (ran.code, "--force" in ran.err, file.read_text()) == (4, True, "something else")
    locked.done("ca", "export", "--output", file, "--yes", "--force")
    assert locked.run("ca", "export", "--output", tmp_path / "no/where.tar", "--yes").code == 4
    assert locked.run("--json", "ca", "export", "--output", "-").code == 2
    locked.done("ca", "passphrase", *OLD, *TO_NEW, "--yes")
    assert locked.run("ca", "export", "--output", file, "--yes").code == 4, "the key is another file now"


@pytest.mark.needs("openssl")
def test_a_key_without_a_passphrase_gets_one_on_the_way_unless_that_is_not_wanted(
    limited: Place, tmp_path: Path
) -> None:
    file = tmp_path / "safe.tar"
    assert limited.run("ca", "export", "--output", file, "--yes").code == 4, "there is nobody to ask for one"
    limited.done("ca", "export", "--output", file, *NEW, "--yes")
    assert b"BEGIN PRIVATE KEY" not in file.read_bytes()
    assert "nothing to do" in limited.done("ca", "export", "--output", file, *NEW, "--yes").err
    assert limited.run("ca", "export", "--output", file, *OLD, "--yes").code == 4, "it has another passphrase"
    other = Place.recorded("fedora", tmp_path / "other")
    other.done("ca", "import", file, "--yes")
    assert opens(other, "new")
    plain = tmp_path / "plain.tar"
    limited.done("ca", "export", "--output", plain, "--no-passphrase", "--yes")
    assert b"BEGIN PRIVATE KEY" in plain.read_bytes()


@pytest.mark.parametrize("harm", ["cut", "changed", "foreign", "missing"])
def test_an_export_that_was_harmed_is_refused(locked: Place, tmp_path: Path, harm: str) -> None:
    file, target = tmp_path / "safe.tar", Place.recorded("alpine", tmp_path / "target")
    locked.done("ca", "export", "--output", file, "--yes")
    content = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(content[: len(content) // 3])
        case "changed":
            file.write_bytes(content.replace(b"-----END", b"-----End"))
        case "foreign":
            file.write_bytes(b"another" + content[len("dockertls-authority") :])
        case "missing":
            file.unlink()
    before = target.untouched
    ran = target.run("--json", "ca", "import", file, "--yes")
    assert ran.code == (4 if harm == "missing" else 3)
    assert ran.document["error"]["hint"]
    assert target.untouched == before
    detached = locked.run("ca", "detach", "--export", file, "--yes")
    assert (detached.code, (locked.store / KEY).exists()) == (ran.code, True)


def test_another_authority_is_not_written_over(locked: Place, limited: Place, tmp_path: Path) -> None:
    file = tmp_path / "safe.tar"
    locked.done("ca", "export", "--output", file, "--yes")
    before = limited.untouched
    ran = limited.run("ca", "import", file, "--yes")
    assert (ran.code, "--store DIR" in ran.err, limited.untouched) == (4, True, before)


def detached(place: Place, file: Path) -> bytes:
    """The key that was there."""
    key = (place.store / KEY).read_bytes()
    place.done("ca", "export", "--output", file, "--yes")
    words, before = ("ca", "detach", "--export", file), place.untouched
    assert f"delete /etc/dockertls/{KEY}" in place.done(*words, "--dry-run").out
    assert place.run("--json", *words, "--check").code == 1
    assert place.run(*words).code == 4
    assert place.untouched == before
    assert place.done("--json", *words, "--yes").document["data"] == {"changed": True}
    return key


def test_the_key_is_taken_off_the_host_and_nothing_of_it_stays(locked: Place, tmp_path: Path) -> None:
    file = tmp_path / "safe.tar"
    locked.done("server", "issue", "web1", *OLD, "--yes")
    key = detached(locked, file)
    assert everywhere(locked.root, key) == []
    file.rename(tmp_path / "in the safe.tar")
    assert "nothing to do" in locked.done("ca", "detach", "--export", file, "--yes").err
    assert locked.done("ca", "detach", "--export", file, "--check").out.strip() == "nothing to do"
    assert locked.run("undo", "--yes").code == 4
    assert not (locked.store / KEY).exists()
    locked.done("ca", "import", tmp_path / "in the safe.tar", "--yes")
    assert (locked.store / KEY).read_bytes() == key


def test_what_signs_says_where_the_key_is_missing_and_what_to_do(locked: Place, tmp_path: Path) -> None:
    locked.done("client", "issue", "ann", *OLD, "--yes")
    detached(locked, tmp_path / "safe.tar")
    for words in (("server", "issue", "web1"), ("client", "issue", "bob"), ("bootstrap", "web1")):
        ran = locked.run(*words, "--yes")
        assert ran.code == 4
        assert "key is not in /etc/dockertls/ca/0001" in ran.err
        assert f"dockertls {words[0] if len(words) == 3 else 'server'} csr {words[-1]}" in ran.err, ran
    assert "csr ann" in locked.run("renew", "--all", "--yes").err
    assert locked.run("ca", "passphrase", *OLD, *TO_NEW, "--yes").code == 4
    assert "its key is not here" in locked.done("ca", "show").err
    assert locked.done("--json", "ca", "show").document["data"]["key_here"] is False
    locked.done("client", "install", "ann", "--yes")
    assert "no key is in it" in locked.done("ca", "export", "--output", tmp_path / "public.tar", "--yes").err


def test_a_key_that_is_not_in_the_export_stays(locked: Place, limited: Place, tmp_path: Path) -> None:
    file = tmp_path / "safe.tar"
    limited.done("ca", "export", "--output", file, *NEW, "--yes")
    ran = locked.run("ca", "detach", "--export", file, *NEW, "--yes")
    assert (ran.code, "another key for authority 0001" in ran.err) == (3, True), ran
    assert locked.run("ca", "detach", "--export", file, *OLD, "--yes").code == 3, "it does not open"
    assert locked.run("ca", "detach", "--export", file, "--yes").code == 4, "there is nobody to ask"
    assert locked.run("ca", "detach", "--export", "-", "--yes").code == 2
    assert (locked.store / KEY).exists()


def test_an_export_under_an_older_passphrase_holds_the_key_if_that_one_is_known(locked: Place, tmp_path: Path) -> None:
    file = tmp_path / "safe.tar"
    locked.done("ca", "export", "--output", file, "--yes")
    locked.done("ca", "passphrase", *OLD, *TO_NEW, "--yes")
    assert locked.run("ca", "detach", "--export", file, *NEW, "--yes").code == 3
    locked.done("ca", "detach", "--export", file, *OLD, "--yes")
    assert not (locked.store / KEY).exists()


def test_both_keys_stay_while_a_rotation_runs(fresh: Place, tmp_path: Path) -> None:
    fresh.done("ca", "init", *PLAIN)
    fresh.done("ca", "rotate", "start", *PLAIN)
    fresh.done("ca", "export", "--output", tmp_path / "safe.tar", "--no-passphrase", "--yes")
    ran = fresh.run("ca", "detach", "--export", tmp_path / "safe.tar", "--yes")
    assert (ran.code, "a rotation is under way" in ran.err) == (4, True)
    other = Place.recorded("alpine", tmp_path / "other")
    other.done("ca", "import", tmp_path / "safe.tar", "--yes")
    assert authority(other) == authority(fresh)
    assert other.run("ca", "rotate", "status").code == 0


def test_a_store_that_was_copied_to_another_machine_signs_there(locked: Place, tmp_path: Path) -> None:
    other = Place.recorded("alpine", tmp_path / "other")
    subprocess.run(["cp", "-a", locked.store, other.store.parent], check=True)
    other.done("client", "issue", "bob", *OLD, "--yes")
    assert issues(other, *OLD) == 0
    assert everywhere(locked.root, str(locked.root).encode()) == []


# a store that somebody has put his hands on


def test_a_generation_that_is_half_gone_is_told_and_another_one_used(secured: Place) -> None:
    secured.done("renew", "--all", "--yes")
    shutil.rmtree(secured.store / "clients/ann/0002")
    shutil.copytree(secured.store / "clients/ann/0001", secured.store / "clients/ann/0003")
    (secured.store / "clients/ann/0003/cert.pem").unlink()
    for words in (("status",), ("client", "install", "ann", "--dry-run"), ("client", "issue", "bob", "--dry-run")):
        ran = secured.run(*words)
        assert ran.code in {0, 1}, ran
    said = secured.done("client", "install", "ann", "--yes").err
    assert "clients/ann/current leads to 0002, which is broken or not there: 0001 is used" in said
    assert "client ann" in secured.done("renew", "--all", "--yes").out
    assert str((secured.store / "clients/ann/current").readlink()) == "0004"
    assert "current" not in secured.done("client", "install", "ann", "--yes").err


def test_two_clients_are_not_told_apart_by_case_alone(fresh: Place) -> None:
    fresh.done("ca", "init", *PLAIN)
    fresh.done("client", "issue", "ann", "--yes")
    for words in (("client", "issue", "Ann"), ("client", "csr", "Ann"), ("bootstrap", "web1", "--client", "ANN")):
        ran = fresh.run(*words, "--yes")
        assert (ran.code, "take ann, or another name" in ran.err) == (3, True), ran
    assert [path.name for path in (fresh.store / "clients").iterdir()] == ["ann"]
