"""A newer dockerd is asked about configurations that are not in place, and nothing is left of the question."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from dockertls.cli.guarding import validate
from dockertls.daemon.model import from_files, packaged_files
from dockertls.errors import Refused
from dockertls.host import LocalHost
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.profiles import CA
from dockertls.plan import Change, File
from dockertls.platforms import BY_NAME
from tests.e2e.newer import DOCKERD

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

pytestmark = pytest.mark.needs("newer-dockerd")

DOCKER = PurePosixPath("/etc/docker")
UNIT = PurePosixPath("/usr/lib/systemd/system/docker.service")
TLS = {"tlsverify": True} | {f"tls{name}": str(DOCKER / f"{name}.pem") for name in ("cacert", "cert", "key")}


@dataclass(frozen=True)
class Apart(LocalHost):
    """This machine, with its state somewhere else."""

    place: str = "/nowhere"

    @property
    def state(self) -> PurePosixPath:
        return PurePosixPath(self.place)


def self_signed() -> tuple[bytes, bytes]:
    key = generate("ecdsa-p256")
    made = issue(Request(CA, "ours"), key, None, now=datetime.now(UTC), serial=1)
    return certificate_pem([made.certificate]), private_pem(key)


CERT, KEY = self_signed()
_, OTHER_KEY = self_signed()


def host(document: object, flags: str = "", key: bytes = KEY) -> HostFacts:
    """A host of a newer dockerd as it would be: its daemon.json, its flags, and files that are nowhere yet."""
    unit = packaged_files(BY_NAME["docker-ce"])[UNIT].replace("/usr/bin/dockerd", f"{DOCKERD}")
    files = {UNIT: unit.replace(" -H fd://", f" -H fd:// {flags}"), DOCKER / "daemon.json": json.dumps(document)}
    pems = {"cacert": CERT, "cert": CERT, "key": key}
    changes = [Change(DOCKER / f"{name}.pem", None, File(content, 0o600), "") for name, content in pems.items()]
    return from_files({**packaged_files(BY_NAME["docker-ce"]), **files}).after(changes)


@pytest.fixture
def here(tmp_path: Path) -> Apart:
    return Apart(place=str(tmp_path))


ACCEPTED = {
    "nothing set": host({}),
    "TLS in daemon.json": host(TLS),
    "TLS as flags": host({}, " ".join(f"--{key}={value}" for key, value in TLS.items() if key != "tlsverify")),
    "other options beside it": host({**TLS, "debug": True, "log-opts": {"max-size": "10m"}}),
    "a user namespace": host({"userns-remap": "default"}),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_dockerd_takes_is_let_pass(here: Apart, tmp_path: Path, name: str) -> None:
    users = Path("/etc/passwd").read_bytes()
    validate(ACCEPTED[name], here)
    assert list(tmp_path.iterdir()) == []
    assert Path("/etc/passwd").read_bytes() == users


REFUSED = {
    "a key that only dockerd knows not to be one": (host({"some-option": 1}), "configuration option: some-option"),
    "a key that is not the certificate's": (host(TLS, key=OTHER_KEY), "private key does not match public key"),
    "flags and file at odds": (host({"hosts": ["fd://"]}), "specified both as a flag and in the configuration file"),
    "a flag that it refuses": (host({}, "--no-such-flag"), "unknown flag: --no-such-flag"),
    "a value that it refuses": (host({"log-level": "loud"}), "loud"),
    "an encrypted key": (host(TLS, key=private_pem(generate("ecdsa-p256"), b"secret")), "encrypted"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_dockerd_refuses_is_told_in_its_own_words(here: Apart, tmp_path: Path, name: str) -> None:
    facts, told = REFUSED[name]
    with pytest.raises(Refused, match="dockerd would not start") as refused:
        validate(facts, here)
    assert told in refused.value.hint
    assert str(tmp_path) not in refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed(here: Apart, tmp_path: Path) -> None:
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial/tlskey.pem").write_text("left")
    validate(host(TLS), here)
    assert list(tmp_path.iterdir()) == []
