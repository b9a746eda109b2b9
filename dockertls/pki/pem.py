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


@dataclass(frozen=True)
class Piece:
    """One PEM block however it stands in its file.

    Attributes:
        label: its label.
        text: the block as it should stand there, without the line break at its end; empty: it is not whole.
        fault: why Go, and so Docker, passes over it; empty: it does not.
    """

    label: str
    text: bytes
    fault: str = ""


_HEAD = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n", re.MULTILINE)
_DASHES = b"-----"
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_MARK = b"\xef\xbb\xbf"
_SHOWN = 200

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


def pieces(content: bytes) -> tuple[Piece, ...]:
    """Every block of a file, those too that docker passes over because of how they stand there.

    Args:
        content: of the file; one in UTF-16, as PowerShell writes it, is read as well.
    """
    ascii_form = _from_utf16(content)
    if ascii_form:
        told = "the file is in UTF-16, of which docker reads nothing: save it as plain ASCII"
        return tuple(Piece(one.label, one.text, told) for one in pieces(ascii_form))
    return tuple(_piece(found, content) for found in _BEGIN.finditer(content))


def _from_utf16(content: bytes) -> bytes:
    """The same in ASCII; empty if it is not in UTF-16 with its mark."""
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return b""
    return content.decode("utf-16", errors="replace").encode("ascii", errors="replace")


def _piece(found: re.Match[bytes], content: bytes) -> Piece:
    head, label = found[0], found[1].decode()
    foot = b"-----END " + found[1] + _DASHES
    end = content.find(_DASHES, found.end())
    if end < 0 or not content.startswith(foot, end):
        return Piece(label, b"", "it is cut off: it has no END line")
    lines = [line.strip() for line in content[found.end() : end].strip().splitlines()]
    before, after = _line_before(content, found.start()), _line_after(content, end + len(foot))
    return Piece(label, b"\n".join([head, *lines, foot]), _misplaced(before, content[found.end() : end], after))


def _line_before(content: bytes, at: int) -> bytes:
    """What stands before something in its line, or the end of it."""
    return content[max(0, at - _SHOWN) : at].rpartition(b"\n")[2]


def _line_after(content: bytes, at: int) -> bytes:
    return content[at : at + _SHOWN].partition(b"\n")[0]


def _misplaced(before: bytes, body: bytes, after: bytes) -> str:
    """Why Go's encoding/pem passes over a block."""
    if before == _MARK:
        return "a byte order mark stands before it: save the file without"
    if before and not before.strip():
        return "its BEGIN line is indented: let it begin its line"
    if before.endswith(_DASHES) or after.startswith(_DASHES):
        return "the line break between it and the next block is missing: put each BEGIN and END on a line by itself"
    if before or after.strip() or body[:1].strip() or not body.endswith(b"\n"):
        return "its BEGIN or its END is not on a line by itself"
    return ""


def der(block: Block) -> bytes:
    """What a block holds.

    Raises:
        ValueError: if it is not base64.
    """
    body = block.text.partition(b"\n")[2]
    return base64.b64decode(b"".join(body.partition(b"-----END")[0].split()), validate=True)


def is_hidden(block: Block) -> bool:
    """Whether it is an encrypted key, by PKCS#8 or in OpenSSL's older way."""
    older = block.label.endswith("PRIVATE KEY") and b"Proc-Type: 4,ENCRYPTED" in block.text
    return older or block.label == ENCRYPTED


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
