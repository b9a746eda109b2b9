"""PEM files (RFC 7468): their blocks, and what a file is that does not hold what is wanted."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Block:
    """One PEM block: its label, and everything from its first dash to its last."""

    label: str
    text: bytes


_HEAD = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n", re.MULTILINE)
_DASHES = b"-----"
_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----")

CERTIFICATE = "CERTIFICATE"
ENCRYPTED = "ENCRYPTED PRIVATE KEY"
_NOT_PEM: tuple[tuple[bytes, str, str], ...] = (
    (rb"\s*", "is empty", "make or copy it again"),
    (
        rb"\xef\xbb\xbf.*|\xff\xfe.*|\xfe\xff.*",
        "begins with a byte order mark, which docker does not read",
        "save it again as plain ASCII, without a mark",
    ),
    (
        rb"\x30[\x80-\x84].*",
        "is binary (DER), and docker reads PEM",
        "turn it into PEM: openssl x509 -inform DER or openssl pkey -inform DER, each with -in FILE -out FILE.pem",
    ),
    (
        rb".*-----BEGIN [A-Z0-9 ]+-----.*",
        "is cut off: a block has no END line, or a line of dashes is not by itself",
        "copy it again",
    ),
    (rb".*", "is not PEM", 'give a file with "-----BEGIN" lines'),
)
"""What a file without any whole PEM block may be: the first that fits is told."""

_OTHER_LABELS: Mapping[str, str] = MappingProxyType(
    {
        CERTIFICATE: "a certificate",
        "TRUSTED CERTIFICATE": "a certificate in a form that only OpenSSL reads",
        "CERTIFICATE REQUEST": "a certificate request",
        "NEW CERTIFICATE REQUEST": "a certificate request",
        "PUBLIC KEY": "a public key",
        "X509 CRL": "a list of revoked certificates",
        "OPENSSH PRIVATE KEY": "a key of OpenSSH",
        "PRIVATE KEY": "a private key",
        "RSA PRIVATE KEY": "a private key",
        "EC PRIVATE KEY": "a private key",
        ENCRYPTED: "an encrypted private key",
    }
)


def armoured(label: str, der: bytes) -> bytes:
    """DER as PEM (RFC 7468): lines of 64 characters."""
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def pem_blocks(pem: bytes) -> tuple[Block, ...]:
    """Every whole block of a file; a file full of BEGIN lines takes no longer than another one."""
    found = (_block_at(head, pem) for head in _HEAD.finditer(pem))
    return tuple(block for block in found if block)


def _block_at(head: re.Match[bytes], pem: bytes) -> Block | None:
    """The block that begins there, if its END line is the next one that begins with dashes."""
    end, foot = pem.find(_DASHES, head.end()), b"-----END " + head[1] + _DASHES
    whole = pem.startswith(foot, end) and pem[end - 1 : end] == b"\n"
    return Block(head[1].decode(), pem[head.start() : end + len(foot)]) if end > 0 and whole else None


def is_whole(pem: bytes, blocks: Sequence[Block]) -> bool:
    """Whether every block that begins in a file is one of these, which are its whole ones."""
    return len(_BEGIN.findall(pem)) == len(blocks)


def without(wanted: str, pem: bytes, blocks: Sequence[Block], name: str) -> Refused:
    """The error for a file that does not hold what is wanted."""
    if not blocks:
        message, hint = next(
            (message, hint) for pattern, message, hint in _NOT_PEM if re.fullmatch(pattern, pem, re.DOTALL)
        )
        return Refused(f"{name} {message}", hint)
    held = dict.fromkeys(_OTHER_LABELS.get(block.label, f'"{block.label}"') for block in blocks)
    return Refused(
        f"{name} holds {' and '.join(held)}, not a {wanted}", f"give the file with the {wanted}: are two files swapped?"
    )
