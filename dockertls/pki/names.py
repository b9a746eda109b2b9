"""Text from people <-> subject alternative names (RFC 5280, section 4.2.1.6) and the store's folder names."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from dockertls.errors import Fault, Refused, refuse
from dockertls.escaping import visible
from dockertls.pki.profiles import extension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Name = x509.DNSName | x509.IPAddress
"""What a server is called by."""

_LONGEST_NAME = 253
_LONGEST_LABEL = 63
_LONGEST_COMMON_NAME = 64
"""Octets (X.520, ub-common-name); it bounds the folder's name too."""
_SHOWN = 80

_WILDCARD = "*."
_WILDCARD_FOLDER = "_wildcard."
"""How the store spells a leading `*`; no server may be called so itself."""
_COLON_FOLDER = "+"
"""How the store spells the colons of an IPv6 address: no part of a DNS name, harmless to scp, tar and `docker -v`."""

_HOST_ALONE = "give the host alone, such as web1.example.org or 10.0.0.5: a certificate knows no scheme, port or path"
_LETTERS = "a name is made of letters, digits, - and _, with single dots between its parts"
_FOUR_NUMBERS = "write four numbers from 0 to 255, without leading zeros; the last part of a host name is no number"

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")

_MISTAKES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r""), "it is empty", "give a host name or an address, such as web1.example.org or 10.0.0.5"),
    (re.compile(r".*\s.*", re.DOTALL), "it holds a space or a line break", "give each name by itself"),
    (re.compile(r"[a-z][a-z0-9+.-]*://.*", re.IGNORECASE), "it is a URL, not a host", _HOST_ALONE),
    (re.compile(r"[0-9a-f:.]+/[0-9]+", re.IGNORECASE), "it is a network, not a host", "give each address by itself"),
    (re.compile(r".*[/\\].*"), "it is a path, not a host", _HOST_ALONE),
    (re.compile(r"[^@]*@.*"), "it is a person or an e-mail address, not a host", _HOST_ALONE),
    (re.compile(r"[^:]*:[0-9]*|\[.*\]:[0-9]*"), "it has a port", _HOST_ALONE),
    (
        re.compile(r"[\[:0-9a-f.]+%.*", re.IGNORECASE),
        "it has a zone, which is another one on each machine",
        "give an address that is the same everywhere, not a link-local one",
    ),
    (re.compile(r".*[:\[\]].*"), "it is not an IPv6 address", "write it as 2001:db8::5 or [2001:db8::5]"),
    (re.compile(r"-.*"), "it begins with a dash, as an option does", _LETTERS),
    (re.compile(r"(?:.*\.)?[0-9]+\.?"), "it looks like an IPv4 address and is none", _FOUR_NUMBERS),
)
"""What a whole text may look like that is no name: the first that fits is told."""


def parse_name(text: str) -> Name:
    """Read one host name or address.

    Args:
        text: `web1.example.org`, `*.example.org`, `bücher.example`, `10.0.0.5`, `2001:db8::5` or `[2001:db8::5]`.

    Returns:
        A DNS name in lower case, in A-labels (RFC 5890) and without a trailing dot; or an address.

    Raises:
        Refused: with every fault of the text.
    """
    return parse_names((text,))[0]


def parse_names(texts: Sequence[str]) -> tuple[Name, ...]:
    """Read host names and addresses; duplicates are left out, the order is kept.

    Raises:
        Refused: with every fault of every text.
    """
    read = tuple(_read(text) for text in texts)
    faults = [fault for _, found in read for fault in found]
    refuse("server name" if len(texts) == 1 else "server names", faults)
    return tuple(dict.fromkeys(name for name, _ in read))


def display(name: x509.GeneralName) -> str:
    """A name for people, safe to print; `parse_name` reads back what a server may be called by."""
    match name:
        case x509.DNSName() | x509.IPAddress():
            return visible(str(name.value))
        case x509.RFC822Name():
            return f"email:{visible(name.value)}"
        case x509.UniformResourceIdentifier():
            return f"URI:{visible(name.value)}"
        case x509.DirectoryName():
            return f"directory:{visible(name.value.rfc4514_string())}"
        case x509.OtherName():
            return f"other:{name.type_id.dotted_string}"
        case _:
            return visible(str(name.value))


def warnings(names: Iterable[x509.GeneralName]) -> tuple[str, ...]:
    """What the user should know about names that are accepted, one line each."""
    return tuple(
        f"{display(name)}: {text}" for name in names for applies, text in _WARNINGS if applies(str(name.value))
    )


def client_name(text: str) -> str:
    """Read the name of a person or a program: the client's common name and its folder in the store.

    Returns:
        The name in Unicode's composed form (NFC).

    Raises:
        Refused: with every fault of the text.
    """
    name = unicodedata.normalize("NFC", text)
    hint = "take up to 64 letters, digits and ._@+- of which the first is neither a dot nor a dash, such as alice"
    refuse("client name", [Fault(f"{_quoted(text)}: {message}", hint) for message in _client_faults(name)])
    return name


def twins(wanted: Iterable[str], there: Iterable[str]) -> Iterator[Fault]:
    """Every client name that differs from another one in case alone: not every file system keeps two such apart.

    Args:
        wanted: names as `client_name` reads them.
        there: names that are taken; the same name again is none of its twins.
    """
    taken = frozenset(there)
    known = {_folded(name): name for name in taken}
    for name in (name for name in wanted if name not in taken):
        other = known.setdefault(_folded(name), name)
        if other != name:
            message = f'"{visible(name)}" differs from "{visible(other)}" in capital letters alone'
            yield Fault(message, f"take {visible(other)}, or another name: people and some file systems mix the two up")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def folder(name: x509.GeneralName) -> str:
    """The store's folder for a server of this name: never `.` or `..`, no two names share one.

    Raises:
        Refused: if a server cannot be called so.
    """
    text = display(parse_name(display(name)))
    if text.startswith(_WILDCARD):
        return _WILDCARD_FOLDER + text.removeprefix(_WILDCARD)
    return text.replace(":", _COLON_FOLDER)


def from_folder(text: str) -> Name:
    """The name whose folder this is.

    Raises:
        Refused: if it is no name's folder.
    """
    if text.startswith(_WILDCARD_FOLDER):
        return parse_name(_WILDCARD + text.removeprefix(_WILDCARD_FOLDER))
    return parse_name(text.replace(_COLON_FOLDER, ":"))


def likely_folders(role: str, certificate: x509.Certificate) -> tuple[str, ...]:
    """The folders in which the store may keep a certificate, by the names that it has; none: it has no common name.

    Args:
        role: "server" or "client".
        certificate: any.
    """
    texts = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if role == "client" or (certificate.subject.rdns and not texts):
        return tuple(texts)
    alternative = extension(certificate, x509.SubjectAlternativeName) or ()
    return tuple(dict.fromkeys(_folder_of(text) for text in (*texts, *map(display, alternative))))


def _folder_of(text: str) -> str:
    """As `folder`, of what may be anything: then it is nobody's."""
    try:
        return folder(parse_name(text))
    except Refused:
        return ""


def _read(text: str) -> tuple[Name, tuple[Fault, ...]]:
    """The name, or a placeholder for it and what is wrong."""
    address = _address(text)
    if address is not None:
        return x509.IPAddress(address), tuple(_mapped(address))
    name, faults = _dns(text)
    return x509.DNSName(name), tuple(Fault(f"{_quoted(text)}: {fault.message}", fault.hint) for fault in faults)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if "%" in text or not text.isascii() or not (":" in text or text[-1:].isdigit()):
        return None
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    kinds = (IPv6Address,) if bare != text else (IPv4Address, IPv6Address)
    for kind in kinds:
        try:
            return kind(bare)
        except AddressValueError:
            continue
    return None


def _mapped(address: IPv4Address | IPv6Address) -> Iterator[Fault]:
    plain = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if plain is not None:
        yield Fault(
            f'"{address}" is an IPv4 address in the form of IPv6: newer docker cannot read it', f"write {plain}"
        )


def _dns(text: str) -> tuple[str, tuple[Fault, ...]]:
    mistake = _mistake(text)
    if mistake is not None:
        return "", (mistake,)
    star = _WILDCARD if text.startswith(_WILDCARD) else ""
    rest, faults = _ascii(text.removeprefix(star))
    if faults:
        return "", faults
    name = rest.lower().removesuffix(".")
    # The mapping of UTS 46 turns full-width digits and dots into ASCII: what it makes is looked at again.
    mistake = None if name == text else _mistake(name)
    found = (mistake,) if mistake is not None else _name_faults(star, name)
    return ("" if found else star + name), found


def _mistake(text: str) -> Fault | None:
    if not text.isprintable() and any(not char.isprintable() and not char.isspace() for char in text):
        return Fault("it holds a control character", _LETTERS)
    return next((Fault(message, hint) for pattern, message, hint in _MISTAKES if pattern.fullmatch(text)), None)


def _ascii(text: str) -> tuple[str, tuple[Fault, ...]]:
    """The text in A-labels by IDNA 2008."""
    if text.isascii():
        return text, ()
    import idna  # noqa: PLC0415 - its tables take 10 ms to load, and few names need them

    try:
        return idna.encode(text, uts46=True).decode(), ()
    except ValueError as error:
        return "", (Fault(f"it is no internationalised host name: {visible(str(error))}", _LETTERS),)


def _name_faults(star: str, name: str) -> tuple[Fault, ...]:
    if "*" in name:
        return (Fault("the * is not the whole first part", "write *.example.org: it stands for exactly one part"),)
    faults = []
    if len(star + name) > _LONGEST_NAME:
        faults.append(Fault(f"it has {len(star + name)} characters", f"a name has at most {_LONGEST_NAME}"))
    messages = dict.fromkeys(message for label in name.split(".") if (message := _label_fault(label)))
    faults += [Fault(message, _LETTERS) for message in messages]
    if f"{name}.".startswith(_WILDCARD_FOLDER):
        faults.append(Fault("the store keeps that name for *", "take another name"))
    return tuple(faults)


def _label_fault(label: str) -> str:
    if not label:
        return "it has an empty part"
    if len(label) > _LONGEST_LABEL:
        return f"a part of it has {len(label)} characters, and {_LONGEST_LABEL} is the most"
    return "" if _LABEL.fullmatch(label) else f"{_quoted(label)} cannot be part of a host name"


def _client_faults(name: str) -> tuple[str, ...]:
    if not name:
        return ("it is empty",)
    faults = []
    size = len(name.encode(errors="surrogatepass"))
    if size > _LONGEST_COMMON_NAME:
        faults.append(f"it takes {size} bytes, and a common name holds {_LONGEST_COMMON_NAME}")
    wrong = dict.fromkeys(char for char in name if not _in_client_name(char))
    if wrong:
        faults.append(f"{' '.join('space' if char == ' ' else visible(char) for char in wrong)} cannot be part of it")
    if name[0] in "-." or unicodedata.category(name[0]).startswith("M"):
        faults.append(f"it begins with {visible(name[0])}")
    return tuple(faults)


def _in_client_name(char: str) -> bool:
    """Letters, what is set above and below them, digits, and a few signs."""
    return char in "._@+-" or unicodedata.category(char)[0] in "LM" or unicodedata.category(char) == "Nd"


def _quoted(text: str) -> str:
    shown = visible(text[:_SHOWN])
    return f'"{shown}..."' if len(text) > _SHOWN else f'"{shown}"'


_WARNINGS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda text: "_" in text, "an underscore is no part of a host name by the standard, and some clients refuse it"),
    (lambda text: text.startswith(_WILDCARD), "whoever takes its key can pose as every host of that domain"),
    (
        lambda text: text.startswith(_WILDCARD) and text.count(".") == 1,
        "docker accepts a wildcard above a single part, curl and Python do not",
    ),
    (lambda text: text in ("0.0.0.0", "::"), "it is where a daemon listens, seldom what clients call it"),  # noqa: S104 - nothing is bound
)
