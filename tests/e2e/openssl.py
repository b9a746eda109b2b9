"""Authorities, requests and certificates as people make them with openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

AUTHORITY = (
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)
LEAF = (
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)
SERVER = f"{LEAF}extendedKeyUsage=serverAuth\n"
CLIENT = f"{LEAF}extendedKeyUsage=clientAuth\n"
P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("-newkey", "rsa:2048")


def openssl(*words: object) -> str:
    """What a run prints that must succeed."""
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def verdict(*words: object) -> str:
    """OK, or what is against it."""
    done = subprocess.run(["openssl", "verify", *map(str, words)], capture_output=True, text=True, check=False)
    return "OK" if done.returncode == 0 else done.stderr


@dataclass(frozen=True)
class Signer:
    """An authority in files: NAME.pem and NAME.key."""

    folder: Path
    name: str

    @property
    def cert(self) -> Path:
        return self.folder / f"{self.name}.pem"

    @property
    def key(self) -> Path:
        return self.folder / f"{self.name}.key"

    @classmethod
    def root(cls, folder: Path, name: str, *kind: str, days: int = 3650) -> Signer:
        made = cls(folder, name)
        extensions = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        subject = ("-subj", f"/O=Acme/CN={name}")
        openssl(
            "req",
            "-x509",
            *kind,
            "-nodes",
            "-keyout",
            made.key,
            "-out",
            made.cert,
            *subject,
            "-days",
            days,
            *extensions,
        )
        return made

    def below(self, name: str, extensions: str = AUTHORITY) -> Signer:
        """An authority that this one signed."""
        made, csr = Signer(self.folder, name), self.folder / f"{name}.csr"
        openssl("req", "-new", *P256, "-nodes", "-keyout", made.key, "-out", csr, "-subj", f"/O=Acme/CN={name}")
        self.sign(csr, extensions, made.cert)
        return made

    def sign(self, csr: Path, extensions: str, out: Path, *how: object) -> Path:
        """Sign a request as an administrator does, with extensions of his own."""
        config = out.with_suffix(".ext")
        config.write_text(extensions)
        life = () if how else ("-days", 100)
        openssl(
            "x509", "-req", "-in", csr, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-extfile", config,
            *life, *how, "-out", out,
        )  # fmt: skip
        return out
