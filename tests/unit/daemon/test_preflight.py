"""Certificates and files that must not be put into use are found, all at once; good ones are let pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.certificates import CA, CERT, KEY, MODES
from dockertls.daemon.model import as_packaged, packaged_files
from dockertls.daemon.places import SYSTEM
from dockertls.daemon.preflight import Shown, faults, material
from dockertls.host import LocalHost
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA as AUTHORITY
from dockertls.pki.profiles import CLIENT, SERVER, Profile, Purpose
from dockertls.plan import Change, Directory, File, Link
from dockertls.platforms import BY_NAME
from dockertls.rows import gather

if TYPE_CHECKING:
    from pathlib import Path as DiskPath

    from dockertls.facts import HostFacts

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LONG = timedelta(days=3650)


def authority(name: str) -> Issued:
    return issue(Request(AUTHORITY, name, lifetime=LONG), generate("ecdsa-p256"), None, now=NOW, serial=1)


OURS, THEIRS = authority("ours"), authority("theirs")
TRUST = certificate_pem([OURS.certificate])


def shown(profile: Profile = SERVER, by: Issued = OURS, at: datetime = NOW) -> Shown:
    """What a server or a client with a new certificate shows."""
    names = parse_names(["web1", "127.0.0.1"]) if profile is SERVER else ()
    made = issue(Request(profile, "web1", names, timedelta(days=30)), generate("ecdsa-p256"), by, now=at, serial=2)
    assert made.key is not None
    pair = certificate_pem([made.certificate]), private_pem(made.key)
    if profile is SERVER:
        return Shown("the server", Purpose.SERVER, *pair, TRUST, ("127.0.0.1",))
    return Shown("the client", Purpose.CLIENT, *pair, TRUST)


SERVED = shown()


@pytest.mark.parametrize("profile", [SERVER, CLIENT], ids=["server", "client"])
def test_a_new_certificate_is_let_pass(profile: Profile) -> None:
    assert faults(shown(profile), NOW) == ()


@pytest.mark.parametrize(
    ("bad", "at", "told_so"),
    [
        (replace(SERVED, key=shown().key), NOW, "the server's key is not the key of its certificate"),
        (SERVED, NOW + timedelta(days=31), "expiry: it has ended"),
        (SERVED, NOW + timedelta(days=30, minutes=-59), "expiry: it ends at"),
        (SERVED, NOW - timedelta(days=2), "expiry: it is not valid before"),
        (shown(by=THEIRS), NOW, "chain: its issuer is neither trusted nor sent along"),
        (replace(SERVED, names=("192.0.2.7",)), NOW, "name: it is for web1, 127.0.0.1, not for 192.0.2.7"),
        (replace(SERVED, purpose=Purpose.CLIENT), NOW, "purpose: it is for serverAuth, not for clientAuth"),
        (replace(SERVED, cert=b"nonsense"), NOW, "the server's certificate"),
        (replace(SERVED, key=b"nonsense"), NOW, "the server's key"),
        (replace(SERVED, key=private_pem(generate("ecdsa-p256"), b"secret")), NOW, "encrypted"),
        (replace(SERVED, trust=b""), NOW, "the CA file that judges the server"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_must_not_be_put_into_use_is_told(bad: Shown, at: datetime, told_so: str) -> None:
    found = faults(bad, at)
    assert any(told_so in fault.message for fault in found), found
    assert all(fault.hint for fault in found)


def test_every_fault_is_told_at_once() -> None:
    bad = replace(shown(by=THEIRS), key=SERVED.key, names=("elsewhere",))
    told_so = " ".join(fault.message for fault in faults(bad, NOW + timedelta(days=60)))
    for part in ("key is not the key", "chain: ", "name: ", "expiry: "):
        assert part in told_so


CONTENT = {CA: b"ca", CERT: b"cert", KEY: b"key"}
TLS_DIR = SYSTEM.tls_dir
OPTIONS = f"--tlsverify --tlscacert={SYSTEM.told(CA)} --tlscert={SYSTEM.told(CERT)} --tlskey={SYSTEM.told(KEY)}"


def installed(changed: dict[str, File | None] | None = None, options: str = OPTIONS) -> HostFacts:
    """A host with the familiar links into a first generation."""
    first = {TLS_DIR / "0001" / name: File(content, 0o600) for name, content in CONTENT.items()}
    links = {SYSTEM.told(name): Link(f"tls/current/{name}") for name in CONTENT} | {TLS_DIR / "current": Link("0001")}
    folders = dict.fromkeys((TLS_DIR, TLS_DIR / "0001"), Directory(0o700))
    made = {
        **folders,
        **first,
        **links,
        **{TLS_DIR / "0001" / name: node for name, node in (changed or {}).items()},
    }
    changes = [Change(path, None, node, "") for path, node in made.items()]
    return as_packaged(BY_NAME["debian"], options).after(changes)


def test_the_files_are_those_that_dockerd_is_told_through_links() -> None:
    files, found = material(installed())
    assert ({name: file.content for name, file in files.items()}, found) == (CONTENT, ())


def test_a_link_that_is_moved_leads_to_the_new_files() -> None:
    second = TLS_DIR / "0002"
    moved = [
        Change(second, None, Directory(0o700), ""),
        *(Change(second / name, None, File(b"new " + content, 0o600), "") for name, content in CONTENT.items()),
        Change(TLS_DIR / "current", Link("0001"), Link("0002"), ""),
    ]
    files, found = material(installed().after(moved))
    assert ({name: file.content for name, file in files.items()}, found) == (
        {name: b"new " + content for name, content in CONTENT.items()},
        (),
    )


@pytest.mark.parametrize(
    ("facts", "told_so"),
    [
        (installed({KEY: File(b"key", 0o640)}), "server-key.pem would be 0640"),
        (installed({KEY: File(b"key", 0o600, (7, 0))}), "server-key.pem would be 0600 and belong to 7:0"),
        (installed({CA: File(b"ca", 0o664)}), "ca.pem would be 0664"),
        (installed({CERT: None}), "server-cert.pem would be missing"),
    ],
    ids=["readable key", "another owner", "writable authorities", "missing"],
)
def test_files_that_dockerd_could_not_use_safely_are_told(facts: HostFacts, told_so: str) -> None:
    _, found = material(facts)
    assert [told_so in fault.message for fault in found] == [True], found


def test_files_that_are_not_those_that_dockerd_is_told_are_told(tmp_path: DiskPath) -> None:
    for path, text in packaged_files(BY_NAME["debian"], OPTIONS.replace(str(SYSTEM.told(KEY)), "/opt/key.pem")).items():
        place = tmp_path / str(path)[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    _, found = material(gather(LocalHost(str(tmp_path)), ["daemon", "certificates"], now=NOW))
    elsewhere = "DOCKER_OPTS: dockerd is told tlskey /opt/key.pem, and would not read what is installed"
    assert [elsewhere in fault.message for fault in found] == [False, False, True], found


def test_files_that_nobody_is_told_yet_are_judged_where_they_are_put() -> None:
    files, found = material(installed(options=""))
    assert (set(files), found) == (set(CONTENT), ())


def test_modes_as_they_are_installed_are_safe() -> None:
    assert material(installed({name: File(content, MODES[name]) for name, content in CONTENT.items()}))[1] == ()
