"""Where a dockerd has its authorities, its certificate and its key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.facts import PROC, NotGathered
from dockertls.findings import NotApplicable, Unknown, Verdict
from dockertls.pki.keys import each_certificate
from dockertls.pki.paths import unreadable
from dockertls.pki.profiles import Purpose
from dockertls.pki.verify import verify
from dockertls.plan import Link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography import x509

    from dockertls.audit.seen import Expected
    from dockertls.daemon.reading import Reading
    from dockertls.daemon.running import Process
    from dockertls.facts import HostFacts
    from dockertls.pki.held import HeldKey


@dataclass(frozen=True)
class Material:
    """Three files as the host names them; None: dockerd is not told one."""

    ca: Path | None
    cert: Path | None
    key: Path | None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those that are told."""
        return tuple(path for path in (self.ca, self.cert, self.key) if path)


def material_of(reading: Reading, process: Process | None) -> Material:
    """The files that a dockerd is told.

    Args:
        reading: of what is said to it.
        process: the one that runs: from its working directory it goes on, where a path is a relative one.
    """
    return Material(*(_path(reading, process, key) for key in ("tlscacert", "tlscert", "tlskey")))


def _path(reading: Reading, process: Process | None, key: str) -> Path | None:
    said = reading.both().get(key)
    if said is None or not isinstance(said.value, str) or not said.value:
        return None
    path = Path(said.value)
    if path.is_absolute():
        return reading.packaging.places.on_host(path)
    cwd = reading.facts.files.get(PROC / str(process.pid) / "cwd") if process else None
    return Path(cwd.target) / path if isinstance(cwd, Link) else path


@dataclass(frozen=True)
class Served:
    """The files of a dockerd, and what they are worth.

    Attributes:
        files: where they lie.
        facts: of the host.
        keys: what each private key among the files is.
        expected: of certificates.
    """

    files: Material
    facts: HostFacts
    keys: Mapping[Path, HeldKey]
    expected: Expected

    @cached_property
    def authorities(self) -> tuple[x509.Certificate, ...]:
        """Whose clients are let in: those that can be read."""
        return certificates_at(self.facts, self.files.ca)

    @cached_property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The server's certificate, issuing ones after it; as far as they can be read."""
        return certificates_at(self.facts, self.files.cert)

    @property
    def key(self) -> HeldKey | None:
        """What is known of the key; None: its file holds none, or was not seen."""
        return self.keys.get(self.facts.place(self.files.key)) if self.files.key else None

    def untold(self, path: Path | None, what: str) -> NotApplicable | Unknown | None:
        """Why a file cannot be judged; None: it can."""
        if path is None:
            return Unknown(f"dockerd is told no {what}: it looks where its environment says")
        if content_of(self.facts, path) is not None:
            return None
        seen = self.facts.unseen.get(path) or self.facts.unseen.get(self.facts.place(path))
        return Unknown(visible(seen or f"{path} is not there, or was not looked at"))

    @cached_property
    def judged(self) -> Mapping[str, Verdict]:
        """What the server's certificate is worth, by the ids of `dockertls.pki.verify`; empty: there is none."""
        if not self.chain:
            return {}
        expected, roots = self.expected, self.authorities
        found = verify(
            self.chain[0], self.chain[1:], roots, now=self.facts.taken, purpose=Purpose.SERVER,
            warn=expected.warn, fail=expected.fail,
        )  # fmt: skip
        return {one.id: one.verdict for one in found}


def usual_authority(reading: Reading) -> Path:
    """Where the authority's certificate lies as dockertls, and most instructions, put it there."""
    places = reading.packaging.places
    return places.on_host(places.told("ca.pem"))


def content_of(facts: HostFacts, path: Path | None) -> bytes | None:
    """What a file holds; None: it is not there, is not to be seen, or none is named."""
    try:
        file = facts.file(path) if path else None
    except NotGathered:
        return None
    return file.content if file else None


def certificates_at(facts: HostFacts, path: Path | None) -> tuple[x509.Certificate, ...]:
    """The certificates of a file that Go can read."""
    return tuple(one for one in each_certificate(content_of(facts, path) or b"")[0] if not unreadable(one))
