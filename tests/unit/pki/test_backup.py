"""An authority in one file: the same bytes come back, and nothing else does."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import Run, apply
from dockertls.errors import NotReady, Refused
from dockertls.host import LocalHost
from dockertls.pki.backup import FOLDER, MANIFEST, Backup, backup_of, is_backup, pack, plan_restore, unpack
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import generate, private_pem
from dockertls.pki.profiles import CA
from dockertls.pki.store import StoreState, new_generation, plan_authority

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = generate("ecdsa-p256")
AUTHORITY = issue(Request(CA, "authority"), KEY, None, now=NOW, serial=1)
OUT_OF_IT = "would lead out of the authority's folder"


def store_in(root: Path) -> StoreState:
    root.mkdir(exist_ok=True)
    return StoreState(LocalHost(str(root)), PurePosixPath("/store"))


@pytest.fixture
def store(tmp_path: Path) -> StoreState:
    """With all that an authority's folder may hold."""
    made = store_in(tmp_path / "here")
    plan = plan_authority(made, new_generation(made, "ca", "", AUTHORITY, private_pem(KEY, b"secret")))
    apply(plan, made.host, Run(NOW))
    for name, content in {"0001/revoked.json": "{}", "0001/crl.pem": "list", "rotation.json": "{}"}.items():
        (tmp_path / "here/store/ca" / name).write_text(content)
    (tmp_path / "here/store/ca/0001/.left.dockertls-1").write_text("by a killed run")
    return made


def tree(root: Path) -> dict[str, tuple[int, bytes | str]]:
    paths = [path for path in sorted(root.rglob("*")) if not path.name.startswith(".") and not path.is_dir()]
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            str(path.readlink()) if path.is_symlink() else path.read_bytes(),
        )
        for path in paths
    }


def test_the_same_bytes_come_back_in_an_empty_store(store: StoreState, tmp_path: Path) -> None:
    for private in ("0001/revoked.json", "rotation.json"):
        (tmp_path / "here/store/ca" / private).chmod(0o600)
    content = pack(backup_of(store))
    there = store_in(tmp_path / "there")
    apply(plan_restore(there, unpack(content)), there.host, Run(NOW))
    assert tree(tmp_path / "there/store") == tree(tmp_path / "here/store")
    assert (tmp_path / "there/store/ca").stat().st_mode & 0o777 == 0o700
    assert not plan_restore(there, unpack(content)), "the second time there is nothing to do"
    assert pack(backup_of(there)) == content, "it is the same wherever it is made"


def test_it_says_nothing_of_the_machine(store: StoreState) -> None:
    with tarfile.open(fileobj=io.BytesIO(pack(backup_of(store)))) as tar:
        entries = tar.getmembers()
    assert entries[0].name == MANIFEST
    assert {(one.uid, one.gid, one.uname, one.gname, one.mtime, one.mode) for one in entries} == {
        (0, 0, "", "", 0, 0o600)
    }


def test_a_key_that_is_lacking_is_brought_back(store: StoreState, tmp_path: Path) -> None:
    backup, key = backup_of(store), tmp_path / "here/store/ca/0001/key.pem"
    key.unlink()
    plan = plan_restore(store, backup)
    assert [str(change.path) for change in plan.changes] == ["/store/ca/0001/key.pem"]
    apply(plan, store.host, Run(NOW))
    assert (key.read_bytes(), key.stat().st_mode & 0o777) == (backup.keys["0001"], 0o600)


@pytest.mark.parametrize("file", ["0001/cert.pem", "0001/crl.pem", "trust.pem", "current", "0002/cert.pem"])
def test_another_authority_or_another_state_is_not_written_over(store: StoreState, tmp_path: Path, file: str) -> None:
    backup, path = backup_of(store), tmp_path / "here/store/ca" / file
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to("0007") if file == "current" else path.write_text("other")
    with pytest.raises(NotReady) as caught:
        plan_restore(store, backup)
    assert file in caught.value.message
    assert "--store DIR" in caught.value.hint


def test_there_has_to_be_an_authority_and_nothing_strange_beside_it(store: StoreState, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="no authority"):
        backup_of(store_in(tmp_path / "empty"))
    (tmp_path / "here/store/ca/my notes").write_text("")
    with pytest.raises(NotReady, match="my notes"):
        backup_of(store)


def test_what_could_not_be_restored_is_not_exported(store: StoreState, tmp_path: Path) -> None:
    (tmp_path / "here/store/ca/trust.pem").write_text("no certificate")
    (tmp_path / "here/store/ca/0001/key.pem").write_bytes(private_pem(generate("ed25519")))
    with pytest.raises(Refused) as caught:
        backup_of(store)
    assert [fault.message.partition(" ")[0] for fault in caught.value.faults] == ["trust.pem", "0001/key.pem"]


# what is wrong with a file


def faults(content: bytes) -> list[str]:
    with pytest.raises(Refused) as caught:
        unpack(content, name="a.tar")
    return [fault.message for fault in caught.value.faults] or [caught.value.message]


def archive(store: StoreState, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> bytes:
    """An export that somebody has put his hands on: his entries, and a manifest that says what it said before."""
    entries: list[tuple[tarfile.TarInfo, bytes]] = []
    with tarfile.open(fileobj=io.BytesIO(pack(backup_of(store)))) as tar:
        for one in tar:
            file = tar.extractfile(one)
            entries.append((one, file.read() if file else b""))
    change(entries)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for one, content in entries:
            one.size = len(content)
            tar.addfile(one, io.BytesIO(content))
    return made.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made, b""


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"PK\x03\x04", b"-----BEGIN CERTIFICATE-----\n", b"\0" * 10240])
def test_what_is_no_export_is_told_apart(content: bytes) -> None:
    assert not is_backup(content)
    assert faults(content) == ["a.tar is no authority that was exported"]


def test_an_export_is_known_by_how_it_begins(store: StoreState) -> None:
    assert is_backup(pack(backup_of(store)))
    other = io.BytesIO()
    with tarfile.open(fileobj=other, mode="w") as tar:
        tar.addfile(*entry("ann/cert.pem")[:1])
    assert not is_backup(other.getvalue())


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../../etc/passwd", f"{FOLDER}../x", f"{FOLDER}0001/../../x", f"{FOLDER}a/b", f"{FOLDER}0001/a/b",
     f"{FOLDER}.ssh", f"{FOLDER}current", f"{FOLDER}0002", f"{FOLDER}0001/current", "trust.pem", f"{FOLDER}0001/"],
)  # fmt: skip
def test_nothing_leads_out_of_the_folder(store: StoreState, name: str) -> None:
    found = faults(archive(store, lambda entries: entries.append(entry(name))))
    assert f"{name} {OUT_OF_IT}" in found


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE,
             tarfile.GNUTYPE_SPARSE],
)  # fmt: skip
def test_everything_is_a_plain_file(store: StoreState, kind: bytes) -> None:
    linked = entry(f"{FOLDER}0001/other", kind, "/etc/shadow")
    assert any("0001/other is no plain file" in one for one in faults(archive(store, lambda all_: all_.append(linked))))


def test_a_manifest_that_is_a_link_is_none(store: StoreState) -> None:
    def link(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        entries[0] = entry(MANIFEST, tarfile.SYMTYPE, "/etc/passwd")

    assert f"{MANIFEST} is no plain file" in faults(archive(store, link))


def test_every_difference_is_told(store: StoreState) -> None:
    def tamper(entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        names = [one.name for one, _ in entries]
        entries[names.index(f"{FOLDER}0001/crl.pem")] = (tarfile.TarInfo(f"{FOLDER}0001/crl.pem"), b"another list")
        del entries[names.index(f"{FOLDER}0001/key.pem")]
        entries.append(entry(f"{FOLDER}0001/more"))
        entries.append(entry(f"{FOLDER}trust.pem"))

    assert faults(archive(store, tamper)) == [
        f"{FOLDER}trust.pem is in it 2 times",
        "0001/crl.pem is not what was exported",
        "0001/key.pem is missing",
        "0001/more is not in the manifest",
        "trust.pem is not what was exported",
    ]


def with_manifest(backup: Backup, **changed: object) -> bytes:
    sums = {path: hashlib.sha256(content).hexdigest() for path, content in backup.files.items()}
    told = {"schema": "dockertls/authority-export/1", "current": backup.current, "sha256": sums} | changed
    files = {MANIFEST: json.dumps(told).encode()} | {FOLDER + path: held for path, held in backup.files.items()}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            one = tarfile.TarInfo(name)
            one.size = len(content)
            tar.addfile(one, io.BytesIO(content))
    return made.getvalue()


@pytest.mark.parametrize(
    "changed", [{"schema": "dockertls/authority-export/2"}, {"current": "../x"}, {"current": "²"}, {"sha256": ["x"]}]
)
def test_a_manifest_of_another_version_is_not_guessed_at(store: StoreState, changed: dict[str, object]) -> None:
    assert faults(with_manifest(backup_of(store), **changed)) == ["a.tar was written by another version of dockertls"]


@pytest.mark.parametrize("changed", [{"current": 1}, {"current": None}, {"sha256": None}])
def test_a_manifest_that_makes_no_sense(store: StoreState, changed: dict[str, object]) -> None:
    assert len(faults(with_manifest(backup_of(store), **changed))) == 1


def test_what_was_made_up_with_the_right_sums_must_still_be_an_authority(store: StoreState) -> None:
    whole = backup_of(store)
    kept = {path: content for path, content in whole.files.items() if path != "0001/cert.pem"}
    other = private_pem(generate("ed25519"))
    made_up = Backup(
        "0002", {**kept, "trust.pem": b"", "0001/cert.pem": whole.files["0001/cert.pem"], "0001/key.pem": other}
    )
    told = faults(with_manifest(made_up))
    assert [one.partition(" ")[0] for one in told] == ["0002/cert.pem", "trust.pem", "0001/key.pem"]


def test_a_file_that_was_cut_off_is_refused(store: StoreState) -> None:
    content = pack(backup_of(store))
    end = len(content.rstrip(b"\0"))
    for length in (*range(0, end, 97), end - 1):
        assert faults(content[:length])
