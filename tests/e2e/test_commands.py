"""Every command as a user runs it: what it prints where, its exit code, its second run, and what it leaves behind."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from dockertls.pki.keys import load_certificates, load_private, matches
from dockertls.platforms import BY_NAME
from dockertls.probe.standin import stand_in
from tests.e2e.program import PATIENCE, Place, command, dockertls, environment, snapshot, started
from tests.roots.recorded import NAMES

if TYPE_CHECKING:
    from pathlib import Path

CERTIFICATE = "etc/dockertls/ca/0001/cert.pem"


# looking

LOOKS = {
    "status": ("status",),
    "history": ("history",),
    "ca": ("ca", "show"),
    "daemon": ("daemon", "show"),
    "snippet": ("daemon", "snippet", "--platform", "fedora"),
    "env": ("env",),
    "plan": ("bootstrap", "web1", "--client", "ann", "--check"),
    "explain": ("check", "--explain", "remote error: tls: bad certificate"),
}


@pytest.mark.parametrize("kind", LOOKS)
def test_a_look_is_told_on_stdout_or_as_one_document(house: Place, kind: str) -> None:
    before = house.snapshot
    told = house.done(*LOOKS[kind])
    assert told.out.strip()
    document = house.started("--json", *LOOKS[kind])
    assert document.document["schema"] == f"dockertls/{kind}/1"
    assert document.err == "" or kind == "plan"
    assert house.snapshot == before


def test_status_names_every_certificate_and_its_copies(house: Place) -> None:
    data = house.done("--json", "status").document["data"]
    rows = [*data["authorities"], *data["certificates"]]
    assert [(row["role"], row["name"], [copy["place"] for copy in row["copies"]]) for row in rows] == [
        ("ca", "", []), ("server", "web1", ["/etc/docker"]), ("client", "ann", ["/root/.docker"]),
    ]  # fmt: skip


def test_the_authority_is_shown_in_pem(house: Place) -> None:
    assert house.done("ca", "show", "--pem").out == (house.root / CERTIFICATE).read_text()
    assert house.done("--json", "ca", "show", "--pem").document["data"]["pem"] == (house.root / CERTIFICATE).read_text()


def test_a_snippet_names_the_paths_of_its_packaging() -> None:
    ran = dockertls("daemon", "snippet", "--platform", "snap")
    assert ran.out.startswith("# /var/snap/docker/current/config/daemon.json\n")
    assert '"tlscacert": "/etc/docker/ca.pem"' in ran.out


@pytest.mark.needs("root")
def test_a_rootless_snippet_is_for_the_user_who_asks() -> None:
    words = ("daemon", "snippet", "--platform", "rootless")
    ran = dockertls(*words)
    assert ran.code == 4
    assert "without sudo" in ran.err
    out = dockertls(*words, env={"SUDO_USER": "daemon"}).out
    assert "# /usr/sbin/.config/docker/daemon.json" in out
    assert "unix:///run/user/1/docker.sock" in out


def test_the_snippet_is_what_an_administrator_of_fedora_writes() -> None:
    ran = dockertls("daemon", "snippet", "--platform", "fedora", "--style", "env", "--existing", "--selinux-enabled")
    head, line = ran.out.splitlines()
    assert head == "# /etc/sysconfig/docker"
    assert shlex.split(line) == [
        "OPTIONS=--selinux-enabled -H tcp://0.0.0.0:2376 --tlsverify"
        + "".join(
            f" --tls{k}=/etc/docker/{f}.pem"
            for k, f in (("cacert", "ca"), ("cert", "server-cert"), ("key", "server-key"))
        )
    ]


def test_colour_is_for_terminals(house: Place) -> None:
    assert "\x1b" not in house.done("status").out
    shown, _ = on_a_terminal(house, "status")
    assert "\x1b[1m" in shown
    for plain in (("--no-color",), ()):
        shown, _ = on_a_terminal(house, *plain, "status", env={} if plain else {"NO_COLOR": "1"})
        assert "\x1b[3" not in shown


def test_a_reader_that_goes_away_is_no_failure(house: Place) -> None:
    line = f"{' '.join(command(*house.words, '--quiet', 'status'))} | head -c 1"
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", line], env=environment(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"A", b"")


def test_rehearse_touches_nothing(house: Place) -> None:
    before = house.snapshot
    ran = house.started("--json", "rehearse", "web1")
    assert {finding["id"]: finding["verdict"] for finding in ran.document["data"]["findings"]}["api"] == "passed"
    assert (ran.code, house.snapshot) == (0, before)


def test_check_lets_in_the_right_client_only(house: Place) -> None:
    store = house.store
    authority = (store / "ca/current/cert.pem").read_bytes()
    pair = [(store / f"servers/web1/current/{name}.pem").read_bytes() for name in ("cert", "key")]
    with stand_in(authority, *pair) as endpoint:
        ran = house.started("--json", "check", endpoint.url)
        assert ran.code == 0, ran
        assert ran.document["data"]["endpoints"][0]["endpoint"] == endpoint.url
        named = ("--cert-path", house.root / "root/.docker")
        both = started("check", *named, endpoint.url, "127.0.0.1:1")
    assert both.code == 7
    assert endpoint.url in both.out
    assert "tcp://127.0.0.1:1" in both.out


def test_check_fails_where_the_certificate_is_for_another_name(house: Place, tmp_path: Path) -> None:
    place = house.copied(tmp_path / "root")
    place.done("server", "issue", "elsewhere", "--yes")
    authority = (place.store / "ca/current/cert.pem").read_bytes()
    pair = [(place.store / f"servers/elsewhere/current/{name}.pem").read_bytes() for name in ("cert", "key")]
    with stand_in(authority, *pair) as endpoint:
        ran = place.started("check", endpoint.url)
    assert ran.code == 1
    assert "name:" in ran.out, "what to do about it"


# changing: the first run has something to do, a look changes nothing, the second run has nothing to do

PASSPHRASE = ("--no-passphrase",)
CHANGES: dict[str, tuple[tuple[str, ...], ...]] = {
    "bootstrap": (("bootstrap", "web1", "--no-passphrase"),),
    "ca": (("ca", "init", "--name", "acme", "--no-passphrase"),),
    "ca-permit": (("ca", "init", "--permit", "example.org", "--permit", "10.0.0.0/8", "--no-passphrase"),),
    "ca-passphrase": (
        ("ca", "init", "--no-passphrase", "--yes"),
        ("ca", "passphrase", "--passphrase-command", "echo new", "--new-passphrase-command", "echo new"),
    ),
    "server-issue": (("ca", "init", "--no-passphrase", "--yes"), ("server", "issue", "web2", "--san", "10.0.0.5")),
    "client-issue": (("ca", "init", "--no-passphrase", "--yes"), ("client", "issue", "bob", "eve", "--key", "ed25519")),
    "server-install": (
        ("ca", "init", "--no-passphrase", "--yes"),
        ("server", "issue", "web2", "--yes"),
        ("server", "install", "web2"),
    ),
    "client-install": (
        ("ca", "init", "--no-passphrase", "--yes"),
        ("client", "issue", "bob", "--yes"),
        ("client", "install", "bob"),
    ),
    "context": (
        ("ca", "init", "--no-passphrase", "--yes"),
        ("client", "issue", "bob", "--yes"),
        ("client", "install", "bob", "--context", "web", "--endpoint", "tcp://web1:2376"),
    ),
    "client-revoke": (
        ("bootstrap", "web1", "--client", "bob", "--no-passphrase", "--yes"),
        ("client", "revoke", "bob"),
    ),
    "crl": (("ca", "init", "--no-passphrase", "--yes"), ("ca", "crl")),
    "configure": (
        ("ca", "init", "--no-passphrase", "--yes"),
        ("server", "issue", "web2", "--yes"),
        ("daemon", "configure", "--server", "web2", "--port", "2377", "--set", "debug=true"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_second_run_has_nothing_to_do(fresh: Place, name: str) -> None:
    *first, words = CHANGES[name]
    for step in first:
        fresh.done(*step)
    before = fresh.snapshot
    assert fresh.done(*words, "--dry-run").out.strip()
    document = fresh.run("--json", *words, "--check")
    assert document.code == 1
    assert document.document["data"]["changes"]
    asked = fresh.run(*words)
    assert asked.code == 4
    assert "--yes" in asked.err
    assert fresh.snapshot == before, "it only looked"
    assert fresh.done("--json", *words, "--yes").document
    after = fresh.snapshot
    assert fresh.done(*words, "--check").out.strip() == "nothing to do"
    fresh.done(*words, "--yes")
    assert fresh.snapshot == after


@pytest.mark.parametrize("packaging", NAMES)
def test_bootstrap_and_undo_on_every_packaging(tmp_path: Path, packaging: str) -> None:
    place = Place.recorded(packaging, tmp_path / "root")
    before = place.untouched
    ran = place.done("bootstrap", "web1", "--no-passphrase", "--yes")
    assert f"still to be run: {' '.join(BY_NAME[packaging].restart)}" in ran.out or "docker.socket" in ran.out
    assert "export DOCKER_CERT_PATH='/root/.docker'" in ran.out
    secured = place.untouched
    assert place.done("bootstrap", "web1", "--check").out.strip() == "nothing to do"
    place.done("bootstrap", "web1", "--yes")
    assert place.untouched == secured
    place.done("undo", "--yes")
    kept = {path: node for path, node in place.untouched.items() if "etc/dockertls" not in path}
    assert kept == before
    again = place.run("undo", "--yes")
    assert again.code == 4
    assert "nothing to take back" in again.err
    assert (place.store / "ca/current/key.pem").exists(), "the store is append-only"


def test_a_look_at_what_is_still_to_be_signed(secured: Place) -> None:
    before = secured.snapshot
    ran = secured.run("bootstrap", "web1", "web2", "--client", "ann", "--check")
    assert ran.code == 1, ran
    assert "servers/web1/0002/cert.pem" in ran.out
    assert secured.snapshot == before


def test_undo_leaves_alone_what_was_edited_since(secured: Place) -> None:
    edited = secured.root / "etc/default/docker"
    edited.write_text(edited.read_text() + "# mine\n")
    before = secured.snapshot
    ran = secured.run("--json", "undo", "--yes")
    assert ran.code == 4
    assert ran.document["error"]["kind"] == "drifted"
    assert "/etc/default/docker" in ran.document["error"]["message"]
    assert secured.snapshot == before


@pytest.mark.parametrize("number", ["0", "99", "-1"])
def test_undo_of_what_never_was(house: Place, number: str) -> None:
    assert house.run("undo", "--yes", "--", number).code == 4


def test_nothing_is_readable_by_others_whatever_the_umask(tmp_path: Path) -> None:
    seen = []
    for umask in (0o000, 0o077):
        place = Place.recorded("debian", tmp_path / f"{umask:o}")
        place.done("bootstrap", "web1", "--no-passphrase", "--yes", umask=umask)
        place.done("client", "export", "client", "--output", place.root / "c.tar", umask=umask)
        seen.append({path: node[2] for path, node in place.snapshot.items() if not isinstance(node[2], str)})
    assert seen[0] == seen[1]
    keys = {path: mode for path, mode in seen[0].items() if path.endswith(("key.pem", ".tar"))}
    assert set(keys.values()) == {0o600}
    assert {"etc/docker/tls/0001/server-key.pem", "root/.docker/key.pem", "c.tar"} <= set(keys)
    for private in ("etc/dockertls", "etc/dockertls/ca", "etc/docker/tls/0001", "root/.docker", "var/lib/dockertls"):
        assert seen[0][private] == 0o700, private


def test_a_named_store_lies_beside_the_tree(fresh: Place, tmp_path: Path) -> None:
    before = fresh.untouched
    place = Place(fresh.root, ("--store", str(tmp_path / "a/b/store")))
    place.done("ca", "init", "--no-passphrase", "--yes")
    shown = place.done("client", "issue", "ann", "--yes").out
    assert str(tmp_path / "a/b/store/clients/ann/0001") in shown
    assert (tmp_path / "a/b/store/clients/ann/0001/key.pem").stat().st_mode & 0o777 == 0o600
    assert fresh.untouched == before
    assert fresh.run("ca", "show").code == 4, "the store that is not named lies in the tree"


def test_undo_never_touches_a_store_whichever_is_named(fresh: Place, tmp_path: Path) -> None:
    place = Place(fresh.root, ("--store", str(tmp_path / "store")))
    place.done("bootstrap", "web1", "--no-passphrase", "--yes")
    stored = snapshot(tmp_path / "store")
    fresh.done("undo", "--yes")
    assert snapshot(tmp_path / "store") == stored


# failing: one document with --json, and the exit code of the contract

FAILURES = {
    "unknown option": (("status", "--nonsense"), 2, "usage"),
    "unknown command": (("nonsense",), 2, "usage"),
    "missing argument": (("server", "install"), 2, "usage"),
    "not a number": (("bootstrap", "--port", "abc"), 2, "usage"),
    "unknown style": (("bootstrap", "--style", "nice"), 2, "usage"),
    "unknown restart": (("bootstrap", "--restart", "maybe"), 2, "usage"),
    "unknown format": (("client", "export", "ann", "--format", "zip", "--output", "x"), 2, "usage"),
    "unknown format of status": (("status", "--format", "xml"), 2, "usage"),
    "JSON and Nagios": (("status", "--format", "nagios"), 2, "usage"),
    "output of a table": (("status", "--output", "x"), 2, "usage"),
    "half a context": (("client", "install", "ann", "--context", "x"), 2, "usage"),
    "half a pair": (("check", "--cert", "x", "127.0.0.1:1"), 2, "usage"),
    "unknown shell": (("env", "--shell", "nushell"), 2, "usage"),
    "stdout twice": (("client", "export", "ann", "--output", "-"), 2, "usage"),
    "unknown key": (("server", "issue", "web9", "--key", "dsa"), 3, "refused"),
    "unknown platform": (("daemon", "snippet", "--platform", "amiga"), 3, "refused"),
    "unknown reason": (("client", "revoke", "ann", "--reason", "stolen"), 3, "refused"),
    "nobody to revoke": (("client", "revoke", "nobody"), 4, "not-ready"),
    "no such serial": (("client", "revoke", "ab:12"), 4, "not-ready"),
    "too long a life": (("server", "issue", "web9", "--days", "9999"), 3, "refused"),
    "bad setting": (("daemon", "configure", "--server", "web1", "--set", "nonsense=1"), 3, "refused"),
    "no such client": (("client", "install", "nobody"), 4, "not-ready"),
    "no timer": (("timer", "install"), 4, "not-ready"),
    "no such file": (("inspect", "/nonexistent/file"), 4, "not-ready"),
    "not known": (("check", "--explain", "it does not work"), 1, "negative"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_one_document_too(house: Place, name: str) -> None:
    words, code, kind = FAILURES[name]
    before = house.snapshot
    ran = house.run("--json", *words)
    error = ran.document["error"]
    assert (ran.code, error["exit"], error["kind"], ran.err) == (code, code, kind, "")
    assert error["message"]
    assert error["hint"], "what to do next"
    assert house.snapshot == before


def test_without_json_a_failure_is_told_on_stderr_alone(house: Place) -> None:
    ran = house.started("status", "--nonsense")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("dockertls: No such option: --nonsense")
    assert "status --help" in ran.err


def test_an_option_of_the_program_given_too_late_is_explained(house: Place) -> None:
    ran = house.run("status", "--json")
    assert ran.code == 2
    assert ran.document["error"]["hint"] == "it goes before the command: `dockertls --json status`"


# shells, bundles, files

SHELLS = {
    "bash": "export DOCKER_HOST='tcp://web1:2376'",
    "zsh": "export DOCKER_HOST='tcp://web1:2376'",
    "fish": "set -gx DOCKER_HOST 'tcp://web1:2376';",
    "powershell": '$Env:DOCKER_HOST = "tcp://web1:2376"',
    "cmd": 'SET "DOCKER_HOST=tcp://web1:2376"',
}


@pytest.mark.parametrize("shell", SHELLS)
def test_env_speaks_the_language_of_every_shell(house: Place, shell: str) -> None:
    ran = house.done("env", "--shell", shell, "tcp://web1:2376")
    assert ran.out.splitlines()[0] == SHELLS[shell]
    assert "DOCKER_HOST" in house.done("env", "--shell", shell, "--unset").out


@pytest.mark.parametrize(
    "shell",
    [
        "bash",
        pytest.param("zsh", marks=pytest.mark.needs("zsh")),
        pytest.param("fish", marks=pytest.mark.needs("fish")),
    ],
)
def test_what_env_prints_can_be_evaluated(house: Place, tmp_path: Path, shell: str) -> None:
    printed = house.done("env", "--shell", shell).out
    program = shutil.which(shell)
    assert program
    done = subprocess.run(
        [program, "-c", f"{printed}\nenv"],
        env=environment({"HOME": str(tmp_path)}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert {"DOCKER_HOST=tcp://127.0.0.1:2376", "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=/root/.docker"} <= set(
        done.stdout.splitlines()
    ), done


def test_a_client_is_exported_as_tar(house: Place, tmp_path: Path) -> None:
    place = house.copied(tmp_path / "root")
    bundle = tmp_path / "ann.tar"
    place.done("client", "export", "ann", "--output", bundle, "--endpoint", "tcp://web1:2376")
    assert bundle.stat().st_mode & 0o777 == 0o600
    with tarfile.open(bundle) as tar:
        assert {name: tar.getmember(name).mode for name in tar.getnames()} == {
            "ann": 0o700, "ann/ca.pem": 0o600, "ann/cert.pem": 0o600, "ann/key.pem": 0o600, "ann/README.txt": 0o600,
        }  # fmt: skip
    content = bundle.read_bytes()
    again = place.run("client", "export", "ann", "--output", bundle)
    assert again.code == 4
    assert "--force" in again.err
    assert bundle.read_bytes() == content
    place.done("client", "export", "ann", "--output", bundle.name, "--force", "--format", "pem", cwd=tmp_path)
    assert bundle.read_bytes() != content
    assert place.run("client", "export", "ann", "--output", tmp_path / "no/where.tar").code == 4


def test_a_client_is_exported_to_a_pipe(secured: Place) -> None:
    done = subprocess.run(
        command(*secured.words, "client", "export", "ann", "--output", "-"),
        env=environment(), capture_output=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert "ann/key.pem" in tar.getnames()
    text = secured.done("client", "export", "ann", "--output", "-", "--format", "pem").out.encode()
    assert matches(load_certificates(text)[0], load_private(text))


def test_a_client_is_exported_as_pkcs12(house: Place, tmp_path: Path) -> None:
    place = house.copied(tmp_path / "root")
    secret = tmp_path / "secret"
    secret.write_bytes(b"hunter2\n")
    output = tmp_path / "ann.p12"
    form = ("client", "export", "ann", "--format", "pkcs12", "--output", output)
    without = place.run(*form)
    assert without.code == 4
    assert "--passphrase-file" in without.err
    assert "--no-passphrase" not in without.err, "which it does not take"
    place.done(*form, "--passphrase-file", secret)
    _, certificate, authorities = pkcs12.load_key_and_certificates(output.read_bytes(), b"hunter2")
    assert certificate is not None
    assert len(authorities) == 1


def test_inspect_tells_what_a_file_holds(house: Place, tmp_path: Path) -> None:
    store = house.store
    key = load_private((store / "clients/ann/current/key.pem").read_bytes())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ann")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    everything = b"".join(
        [
            (store / "servers/web1/current/cert.pem").read_bytes(),
            (store / "servers/web1/current/key.pem").read_bytes(),
            request.public_bytes(serialization.Encoding.PEM),
        ]
    )
    file = tmp_path / "all.pem"
    file.write_bytes(everything)
    ran = dockertls("--json", "inspect", file)
    assert [thing["kind"] for thing in ran.document["data"]] == ["certificate", "private key", "request"]
    piped = dockertls("inspect", "-", stdin=everything)
    assert piped.code == 0
    assert "web1" in piped.out
    assert "PRIVATE KEY" not in piped.out + ran.out
    der = load_certificates(everything)[0].public_bytes(serialization.Encoding.DER)
    assert dockertls("inspect", "-", stdin=der).code == 0


# passphrases


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A store whose authority's key is encrypted with "correct horse"; only to be looked at."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "secret").write_bytes(b"correct horse\nand more\n")
    place = Place.recorded("debian", folder / "root")
    place.done("ca", "init", "--yes", "--passphrase-file", folder / "secret")
    return place


def test_the_key_is_encrypted_and_the_passphrase_nowhere(locked: Place) -> None:
    content = b"".join(bytes(node[3]) for node in locked.snapshot.values() if len(node) > 3)  # type: ignore[call-overload] # content of files
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in content
    assert b"correct horse" not in content


SOURCES = {
    "file": (("--passphrase-file", "{secret}"), {}),
    "variable": ((), {"DOCKERTLS_PASSPHRASE_FILE": "{secret}"}),
    "descriptor": (("--passphrase-fd", "0"), {}),
    "command": (("--passphrase-command", "printf '%s\\n' \"correct horse\""), {}),
    "standard input": (("--passphrase-file", "-"), {}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_passphrase_comes_from_everywhere_but_argv(locked: Place, tmp_path: Path, source: str) -> None:
    place = locked.copied(tmp_path / "root")
    words, variables = SOURCES[source]
    secret = str(locked.root.parent / "secret")
    place.done(
        "client", "issue", "ann", "--yes", *(word.format(secret=secret) if "{" in word else word for word in words),
        env={key: value.format(secret=secret) for key, value in variables.items()}, stdin=b"correct horse\n",
    )  # fmt: skip
    assert (place.store / "clients/ann/current/key.pem").exists()
    assert "nothing to do" in place.done("client", "issue", "ann", "--yes").err, "no passphrase for nothing"


BAD_PASSPHRASES = {
    "wrong": (("--passphrase-command", "echo battery staple"), 3, "does not open"),
    "empty": (("--passphrase-file", "/dev/null"), 3, "passphrase is empty"),
    "no such file": (("--passphrase-file", "/nonexistent"), 4, "No such file"),
    "a folder": (("--passphrase-file", "/etc"), 4, "Is a directory"),
    "closed descriptor": (("--passphrase-fd", "97"), 4, "97"),
    "negative descriptor": (("--passphrase-fd", "-5"), 4, "-5"),
    "failing command": (("--passphrase-command", "false"), 4, "exit code 1"),
    "no such command": (("--passphrase-command", "/nonexistent/pass show"), 4, "pass"),
    "unclosed quote": (("--passphrase-command", "echo 'x"), 2, "split"),
    "no command": (("--passphrase-command", ""), 2, "empty"),
    "no shell": (("--passphrase-command", "printf '%s' $(echo correct horse)"), 3, "does not open"),
    "two at once": (("--passphrase-fd", "0", "--passphrase-file", "x"), 2, "more than one"),
    "none": ((), 4, "--passphrase-file"),
}


@pytest.mark.parametrize("name", BAD_PASSPHRASES)
def test_a_passphrase_that_does_not_come_is_explained(locked: Place, name: str) -> None:
    words, code, told = BAD_PASSPHRASES[name]
    before = locked.untouched
    ran = locked.run("server", "issue", "web1", "--yes", *words)
    assert (ran.code, told in ran.err) == (code, True), ran
    assert locked.untouched == before


# terminals

INTERRUPT = "\x03"


def on_a_terminal(
    place: Place, *words: object, answers: tuple[tuple[str, str], ...] = (), env: dict[str, str] | None = None
) -> tuple[str, int]:
    """What a terminal shows, and the exit code; each answer is typed when its question stands there."""
    number, handle = pty.fork()
    if number == 0:  # pragma: no cover - the other process
        os.execve(sys.executable, command(*place.words, *words), environment({"TERM": "xterm"} | (env or {})))  # noqa: S606 - no shell is wanted
    shown, typed, waiting = "", "", list(answers)
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if not select.select([handle], [], [], 3)[0]:
            # An interrupt just before a read begins is seen by nobody until the next one.
            os.write(handle, typed.encode() if typed == INTERRUPT else b"")
            continue
        try:
            shown += os.read(handle, 4096).decode()
        except OSError:
            break
        if waiting and waiting[0][0] in shown.rpartition("\n")[2]:
            typed = waiting.pop(0)[1]
            os.write(handle, typed.encode())
            shown += "\n"
    os.close(handle)
    assert not waiting, shown
    return shown, os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def test_a_terminal_is_asked_for_a_passphrase_twice_and_for_consent(fresh: Place) -> None:
    secret = "correct horse\n"  # noqa: S105 - a test's
    answers = (("passphrase", secret), ("once more", secret), ("[y/N]", "y\n"))
    shown, code = on_a_terminal(fresh, "ca", "init", answers=answers)
    assert code == 0, shown
    assert "correct horse" not in shown
    assert b"ENCRYPTED" in (fresh.store / "ca/current/key.pem").read_bytes()


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ((("passphrase", "one\n"), ("once more", "two\n")), 3),
        ((("passphrase", "\n"), ("once more", "\n")), 3),
        ((("passphrase", "one\n"), ("once more", "one\n"), ("[y/N]", "\n")), 4),
        ((("passphrase", INTERRUPT),), 130),
        ((("passphrase", "\x04"),), 4),
    ],
    ids=["differ", "empty", "no", "interrupted", "closed"],
)
def test_a_terminal_that_does_not_consent_changes_nothing(
    fresh: Place, answers: tuple[tuple[str, str], ...], code: int
) -> None:
    before = fresh.untouched
    shown, seen = on_a_terminal(fresh, "ca", "init", answers=answers)
    assert seen == code, shown
    assert "Traceback" not in shown
    assert fresh.untouched == before


def test_a_terminal_is_asked_for_both_passphrases(fresh: Place) -> None:
    fresh.done("ca", "init", "--passphrase-command", "echo old", "--yes")
    answers = (
        ("passphrase of", "old\n"), ("new passphrase", "correct horse\n"), ("once more", "correct horse\n"),
        ("[y/N]", "y\n"),
    )  # fmt: skip
    shown, code = on_a_terminal(fresh, "ca", "passphrase", answers=answers)
    assert code == 0, shown
    assert "correct horse" not in shown
    fresh.done("client", "issue", "ann", "--passphrase-command", "echo correct horse", "--yes")


def test_help_and_version_need_no_host() -> None:
    assert started("--root", "/nonexistent", "--version").out.startswith("dockertls ")
    ran = started("--help")
    assert ran.code == 0
    for name in ("bootstrap", "rehearse", "check", "undo"):
        assert name in ran.out


def test_documents_are_json_without_escapes_of_their_own(house: Place) -> None:
    assert json.loads(house.done("--json", "env").out)["data"]["variables"]["DOCKER_TLS_VERIFY"] == "1"


def test_an_ipv6_address_to_listen_on_may_have_brackets(fresh: Place) -> None:
    ran = fresh.done("bootstrap", "web1", "--listen", "[::1]", "--no-passphrase", "--yes")
    assert "export DOCKER_HOST='tcp://[::1]:2376'" in ran.out
