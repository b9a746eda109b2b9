"""Every certificate in use is found, what is damaged is told by its path, and the rest goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import Run, apply
from dockertls.host import LocalHost
from dockertls.pki.elsewhere import Elsewhere, note
from dockertls.pki.inventory import authorities, leaves
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import KINDS, certificate_pem, fingerprint, generate, private_pem
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import TABLE
from dockertls.pki.quickly import load_quickly
from dockertls.pki.store import StoreState, new_generation, plan_authority, plan_generation
from dockertls.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 23, tzinfo=UTC)
STORE = "etc/dockertls"


@pytest.fixture
def store(tmp_path: DiskPath) -> StoreState:
    """An authority, the servers a and b, and the client c, of whom a copy was handed out; b's key is elsewhere."""
    made = StoreState(LocalHost(str(tmp_path)), Path("/") / STORE)
    key = generate("ecdsa-p256")
    root = issue(Request(TABLE["ca"], "root"), key, None, now=NOW, serial=5)
    _applied(made, plan_authority(made, new_generation(made, "ca", "", root, private_pem(key))))
    for role, name, has_key in (("server", "a", True), ("server", "b", False), ("client", "c", True)):
        _applied(
            made, plan_generation(made, new_generation(made, role, name, *_leaf(root, role, name, has_key=has_key)))
        )
    _applied(made, Plan("", (note(made, "client", "c", Elsewhere("0001", "2026-11-23")),)))
    return made


def _leaf(issuer: Issued, role: str, name: str, *, has_key: bool) -> tuple[Issued, bytes | None]:
    key = generate("ed25519")
    request = Request(TABLE[role], name, parse_names([name]) if role == "server" else ())
    return issue(request, key, issuer, now=NOW, serial=ord(name)), private_pem(key) if has_key else None


def _applied(store: StoreState, plan: Plan) -> None:
    apply(plan, store.host, Run(NOW, append_only=(store.path,)))


def seen(store: StoreState) -> list[tuple[str, str, str, str]]:
    return [(one.role, one.name, one.number, one.fault.message if one.fault else "") for one in leaves(store)]


WHOLE = [("server", "a", "0001", ""), ("server", "b", "0001", ""), ("client", "c", "0001", "")]


def test_every_certificate_in_use_is_found(store: StoreState) -> None:
    found = list(leaves(store))
    assert seen(store) == WHOLE
    assert [one.certificate and one.certificate.serial_number for one in found] == [97, 98, 99]
    assert [(one.kind, one.has_key) for one in found] == [("ed25519", True), ("ed25519", False), ("ed25519", True)]
    assert [one.elsewhere for one in found] == [None, None, Elsewhere("0001", "2026-11-23")]
    known = authorities(store)
    (root,) = known.entries["0001"]
    assert (known.signs, root.kind, root.has_key, root.certificate) == (
        "0001",
        "ecdsa-p256",
        True,
        known.certificates[0],
    )


def test_a_store_that_is_not_there_is_empty(tmp_path: DiskPath) -> None:
    nothing = StoreState(LocalHost(str(tmp_path)), Path("/nowhere"))
    assert list(leaves(nothing)) == []
    assert (dict(authorities(nothing).entries), authorities(nothing).fault) == ({}, None)


def _cut(path: DiskPath) -> None:
    path.write_bytes(path.read_bytes()[:200])


def _swapped(path: DiskPath) -> None:
    path.write_bytes(path.with_name("key.pem").read_bytes())


def _flipped(path: DiskPath) -> None:
    content = bytearray(path.read_bytes())
    content[60] = ord("!")
    path.write_bytes(content)


def _lost_above(path: DiskPath) -> None:
    path.write_bytes(path.read_bytes() + b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")


def _dangling(path: DiskPath) -> None:
    path.unlink()
    path.symlink_to("0009")


def _led_away(path: DiskPath) -> None:
    path.unlink()
    path.symlink_to("../b/0001")


DAMAGES: dict[str, tuple[str, Callable[[DiskPath], None], str]] = {
    "cut off": ("0001/cert.pem", _cut, "a/0001/cert.pem is cut off"),
    "not base64": ("0001/cert.pem", _flipped, "a/0001/cert.pem: certificate 1 cannot be read"),
    "a key": ("0001/cert.pem", _swapped, "a/0001/cert.pem holds a private key"),
    "damaged above": ("0001/cert.pem", _lost_above, "a/0001/cert.pem: certificate 2 cannot be read"),
    "gone": ("0001/cert.pem", DiskPath.unlink, "a/0001/cert.pem is missing"),
    "no current": ("current", DiskPath.unlink, "a/current is missing"),
    "dangling": ("current", _dangling, "a/0009 is missing"),
    "led away": ("current", _led_away, "a/current is not a link to a generation"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_told_and_the_rest_goes_on(store: StoreState, tmp_path: DiskPath, damage: str) -> None:
    path, spoil, told = DAMAGES[damage]
    spoil(tmp_path / STORE / "servers/a" / path)
    (role, name, number, fault), *rest = seen(store)
    assert (role, name, number, rest) == ("server", "a", "", WHOLE[1:])
    assert told in fault


def test_what_nobody_issued_is_no_certificate(store: StoreState, tmp_path: DiskPath) -> None:
    (tmp_path / STORE / "servers/waiting").mkdir()
    (tmp_path / STORE / "servers/README").write_text("mine\n")
    (tmp_path / STORE / "servers/.staged").mkdir()
    assert seen(store) == WHOLE


@pytest.mark.parametrize("spoil", [DiskPath.unlink, _dangling, _led_away])
def test_an_authority_that_cannot_be_told_is_a_fault(
    store: StoreState, tmp_path: DiskPath, spoil: Callable[[DiskPath], None]
) -> None:
    spoil(tmp_path / STORE / "ca/current")
    known = authorities(store)
    assert (known.signs in known.entries, len(known.certificates)) == (False, 1)
    assert known.fault
    assert "ca/" in known.fault.message


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_quickly_is_what_is_read(kind: str) -> None:
    made = issue(Request(TABLE["ca"], "root"), generate(kind), None, now=NOW, serial=5)
    text = certificate_pem([made.certificate])
    found = load_quickly(text.strip())
    assert found
    assert (fingerprint(found[0]), found[1]) == (fingerprint(made.certificate), kind)


@pytest.mark.parametrize("text", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"])
def test_what_cannot_be_read_quickly_is_left_to_others(text: bytes) -> None:
    assert load_quickly(text) is None
