"""A client's files in one, to be carried to another machine."""

from __future__ import annotations

import io
import tarfile
from shlex import quote
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from dockertls.client.contexts import DEFAULT, NAME, url_faults
from dockertls.errors import Fault, refuse
from dockertls.escaping import visible
from dockertls.pki.keys import load_certificates, load_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dockertls.client.files import ClientFiles

Format = Literal["tar", "pkcs12", "pem"]
FORMATS: Mapping[Format, str] = MappingProxyType(
    {
        "tar": "a folder of ca.pem, cert.pem and key.pem, as Docker's clients read it",
        "pkcs12": "one encrypted file for browsers, Java and Windows",
        "pem": "key, certificate and authorities in one text",
    }
)
ROUNDS = 600_000  # of PBKDF2-HMAC-SHA256, as for the store's own keys
README = """\
Client certificate {name} for Docker over TLS.

Unpack it into your home and close it to others:

    tar -xf {archive}
    chmod 700 {name}
    chmod 600 {name}/*.pem

Then, for this shell:

    cd {name}
    export DOCKER_HOST={quoted_host}
    export DOCKER_TLS_VERIFY=1
    export DOCKER_CERT_PATH="$PWD"
    docker version

Or once and for all, in this folder:

    docker context create {context} --docker "host={host},ca=ca.pem,cert=cert.pem,key=key.pem"
    docker --context {context} version

key.pem is a private key: whoever has it is root on the Docker host. Delete the archive when it is unpacked.
"""


def bundle(
    files: ClientFiles,
    *,
    format: Format,  # noqa: A002 - it is the option's name, --format
    name: str,
    endpoint_url: str | None,
    passphrase: bytes | None,
    now: datetime,
) -> bytes:
    """All that a client needs, in one file; to be written with mode 0600.

    Args:
        files: the client's files.
        format: one of FORMATS.
        name: of the client: folder in the tar, friendly name in PKCS#12.
        endpoint_url: such as tcp://web1:2376, for the tar's README; None: the reader fills it in.
        passphrase: for PKCS#12, which has no other protection; None for the others.
        now: the time of the tar's entries.

    Returns:
        The file. A tar or PEM of the same input has the same bytes; a PKCS#12 has a new salt each time.

    Raises:
        Refused: a name that is no name of a folder, an unknown format, a URL that Docker cannot use, or a passphrase
            that is missing, of no use here, or not readable everywhere.
    """
    faults = [*_format_faults(format), *_name_faults(name), *_passphrase_faults(format, passphrase)]
    refuse("client export", faults + (url_faults(endpoint_url) if endpoint_url else []))
    if format == "pkcs12":
        return _pkcs12(files, name, passphrase or b"")
    return _tar(files, name, endpoint_url, now) if format == "tar" else _pem(files)


def _format_faults(name: str) -> list[Fault]:
    known = name in FORMATS
    return [] if known else [Fault(f"{visible(name)!r} is no format", f"use one of {', '.join(FORMATS)}")]


def _name_faults(name: str) -> list[Fault]:
    fine = name.isprintable() and "/" not in name and name.strip() == name and name not in {"", ".", ".."}
    hint = "use a name without slashes and control characters"
    return [] if fine and not name.startswith("-") else [Fault(f"{visible(name)!r} is no name of a folder", hint)]


def _passphrase_faults(wanted: str, passphrase: bytes | None) -> list[Fault]:
    if wanted != "pkcs12":
        message = f"a passphrase would not protect anything in {visible(wanted)}"
        return [Fault(message, "leave it out, or export with --format pkcs12")] if passphrase else []
    if not passphrase:
        return [Fault("PKCS#12 is protected by its passphrase alone, and there is none", "name one")]
    if not passphrase.isascii() or not passphrase.decode().isprintable():
        return [Fault("Java reads only passphrases of printable ASCII characters", "choose another for this file")]
    return []


def _tar(files: ClientFiles, name: str, endpoint_url: str | None, now: datetime) -> bytes:
    texts = {**files.contents, "README.txt": _readme(name, endpoint_url).encode()}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_entry(name, now, tarfile.DIRTYPE, 0o700))
        for file, content in texts.items():
            entry = _entry(f"{name}/{file}", now, tarfile.REGTYPE, 0o600)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def _entry(name: str, now: datetime, kind: bytes, mode: int) -> tarfile.TarInfo:
    """An entry that says nothing of the machine it was made on."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, int(now.timestamp())
    return entry


def _readme(name: str, endpoint_url: str | None) -> str:
    host = endpoint_url or "tcp://HOST:2376"
    context = name if NAME.fullmatch(name) and name != DEFAULT else "docker-tls"
    return README.format(
        name=quote(name), archive=quote(f"{name}.tar"), host=host, quoted_host=quote(host), context=context
    )


def _pkcs12(files: ClientFiles, name: str, passphrase: bytes) -> bytes:
    """AES-256 and SHA-256 throughout: OpenSSL 1.1, Java 8u301 and Windows Server 2019 read it, older ones do not.

    ROUNDS slow down a guess at the key alone: the file's own checksum has the 2048 rounds that `cryptography` fixes.
    """
    certificate, *chain = load_certificates(files.cert, name="cert.pem")
    authorities = [authority for authority in load_certificates(files.ca, name="ca.pem") if authority not in chain]
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(SHA256())
        .build(passphrase)
    )
    key = load_private(files.key, name="key.pem")
    return pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, [*chain, *authorities], encryption)


def _pem(files: ClientFiles) -> bytes:
    return b"".join(part.rstrip(b"\n") + b"\n" for part in (files.key, files.cert, files.ca))
