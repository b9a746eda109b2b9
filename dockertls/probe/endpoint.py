"""Where a daemon listens: text from a user, DOCKER_HOST or a docker context -> Endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.errors import Fault, refuse
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TLS_PORT = 2376
PLAIN_PORT = 2375
"""What the docker CLI takes where no port is given, with TLS or without (docker/cli opts/hosts.go)."""

UNIX = "unix://"
SOCKET = "/var/run/docker.sock"
"""Where the docker CLI looks if nothing else is said."""

_LONGEST_SOCKET = 107
"""Bytes of a path that sun_path holds (unix(7)), less the NUL at its end."""

_HIGHEST_PORT = 65535
_LONGEST_NAME = 253

_SCHEMES: Mapping[str, str] = MappingProxyType(
    {
        "http": "write tcp://HOST:2376: docker speaks of tcp:// whether there is TLS or not",
        "https": "write tcp://HOST:2376: docker knows no https://, and dockerd does not either",
        "unix": "a unix socket has no TLS: name the TCP listener, such as tcp://HOST:2376",
        "npipe": "a named pipe has no TLS: name the TCP listener, such as tcp://HOST:2376",
        "fd": "fd:// is how systemd hands a socket to dockerd: name the address it listens on, such as tcp://HOST:2376",
        "ssh": "a connection over ssh needs no certificates: name the TCP listener, such as tcp://HOST:2376",
    }
)
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_USER = re.compile(r"^[^/]*@")
_PASSWORD = re.compile(r":(?!//)[^/]*@")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")


@dataclass(frozen=True)
class Endpoint:
    """A daemon's TCP address.

    Attributes:
        host: name in its ASCII form and lower case, or an IP address without brackets.
        port: 1 to 65535.
        note: what the user should know about how the text was read; empty if nothing.
        via: the address to connect to where the host's name need not be looked up; empty: the host's own.
    """

    host: str
    port: int = TLS_PORT
    note: str = field(default="", compare=False)
    via: str = ""

    @property
    def url(self) -> str:
        """As DOCKER_HOST wants it, with an IPv6 address in brackets."""
        return f"tcp://{self.authority}"

    @property
    def authority(self) -> str:
        """HOST:PORT, as a Host header has it (RFC 3986, section 3.2)."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """What TLS is told of the host: an address goes without its zone."""
        return self.host.partition("%")[0]

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The host as an address without its zone; None if it is a name."""
        return as_address(self.name)

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read `tcp://HOST:2376`, `HOST`, `HOST:PORT`, `[::1]:2376` or `::1`.

        Raises:
            Refused: with every fault of the text, each with what to write instead.
        """
        what = f"endpoint {printable(text)!r}"
        refuse(what, _unreadable(text))
        scheme, rest = _scheme(text.strip())
        host, port_text = _split(_USER.sub("", rest).removesuffix("/"))
        name, host_faults = _host(host)
        port, port_faults = _port(port_text)
        refuse(what, (*_misplaced(rest), *host_faults, *port_faults))
        return cls(name, port, _note(scheme, host, port_text))


@dataclass(frozen=True)
class UnixSocket:
    """A daemon's socket on this host.

    Attributes:
        path: absolute.
    """

    path: str

    authority = "docker"
    """What the Host header has: the docker CLI wrote this before it wrote api.moby.localhost."""

    @property
    def url(self) -> str:
        """As DOCKER_HOST wants it; for messages."""
        return f"{UNIX}{visible(self.path)}"

    @classmethod
    def parse(cls, text: str) -> UnixSocket:
        """Read `unix:///run/docker.sock`; without a path it is the docker CLI's own.

        Raises:
            Refused: if no socket can have that path.
        """
        path = text.strip().removeprefix(UNIX) or SOCKET
        refuse(f"endpoint {visible(text)!r}", list(_socket_faults(path)))
        return cls(path)


def _socket_faults(path: str) -> Iterator[Fault]:
    if not path.startswith("/"):
        yield Fault("its path is not absolute", f"write it with three slashes: {UNIX}{SOCKET}")
    if not path.isprintable():
        yield Fault("its path holds a character that cannot be printed", f"write {UNIX}{SOCKET}")
    if len(path.encode("utf-8", "surrogateescape")) > _LONGEST_SOCKET:
        yield Fault(f"its path is longer than {_LONGEST_SOCKET} bytes", "make a shorter link to it")


def printable(text: str) -> str:
    """An endpoint as it was written, for messages: without what may be a password in it."""
    return visible(_PASSWORD.sub(":...@", text))


def as_address(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a text is, or None. A zone (`fe80::1%eth0`) is kept."""
    for kind in (IPv4Address, IPv6Address):
        try:
            return kind(text)
        except AddressValueError:
            continue
    return None


def _unreadable(text: str) -> tuple[Fault, ...]:
    """What makes it useless to read on."""
    if not text.strip():
        return (Fault("it is empty", "write tcp://HOST:2376"),)
    if any(not char.isprintable() or char.isspace() for char in text.strip()):
        return (Fault("it holds a control character or a space", "write tcp://HOST:2376, nothing around it"),)
    scheme, _ = _scheme(text.strip())
    if text.strip().startswith("/"):
        return (Fault("it is a path", f"for `dockertls api` write {UNIX}{SOCKET}; a unix socket has no TLS"),)
    if scheme not in ("", "tcp"):
        hint = _SCHEMES.get(scheme, "write tcp://HOST:2376")
        return (Fault(f"{scheme}:// is not an endpoint that can be looked at", hint),)
    return ()


def _scheme(text: str) -> tuple[str, str]:
    scheme, mark, rest = text.partition("://")
    return (scheme.lower(), rest) if mark else ("", text)


def _split(text: str) -> tuple[str, str | None]:
    """Host and port as texts; None: no port was given."""
    if text.startswith("["):
        host, _, after = text.partition("]")
        port = None if not after else after[1:] if after.startswith(":") else f"]{after}"
        return f"{host}]" if "]" in text else host, port
    if text.count(":") > 1:
        return text, None
    host, mark, port = text.partition(":")
    return host, port if mark else None


def _misplaced(rest: str) -> tuple[Fault, ...]:
    faults = []
    if "/" in rest.removesuffix("/"):
        faults.append(Fault("it has a path", "an endpoint ends with its port: tcp://HOST:2376"))
    if "@" in rest:
        faults.append(Fault("it has a user name", "a certificate says who you are: write tcp://HOST:2376"))
    return tuple(faults)


def _host(text: str) -> tuple[str, tuple[Fault, ...]]:
    if not text:
        return "", (Fault("it names no host", "write tcp://HOST:2376"),)
    if text.startswith("["):
        return _bracketed(text)
    address = as_address(text)
    if address is not None:
        return str(address), ()
    if ":" in text:
        return "", (Fault(f"{visible(text)} is not an IPv6 address", "write [ADDRESS]:2376"),)
    return _name(text.split("/", maxsplit=1)[0])


def _bracketed(text: str) -> tuple[str, tuple[Fault, ...]]:
    if not text.endswith("]"):
        return "", (Fault("the bracket is not closed", "write [::1]:2376"),)
    address = as_address(text[1:-1])
    if not isinstance(address, IPv6Address):
        return "", (Fault("what is in the brackets is not an IPv6 address", "write [::1]:2376, or HOST:2376"),)
    return str(address), ()


def _name(text: str) -> tuple[str, tuple[Fault, ...]]:
    bare = text.removesuffix(".")
    if _NUMBERS.fullmatch(bare):
        return "", (Fault(f"{bare} looks like an IPv4 address and is none", "write four numbers from 0 to 255"),)
    ascii_form = bare if bare.isascii() else _ascii(bare)
    if not ascii_form:
        return "", (Fault(f"{visible(text)} is not a host name", "write a name of the DNS, or an address"),)
    if len(ascii_form) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in ascii_form.split(".")):
        return "", (Fault(f"{visible(text)} is not a host name", "letters, digits, - and _ between dots"),)
    return ascii_form.lower(), ()


def _ascii(name: str) -> str:
    """A name in A-labels by IDNA 2008; empty if it has none."""
    import idna  # noqa: PLC0415 - its tables take 10 ms to load, and few names need them

    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        return ""


def _port(text: str | None) -> tuple[int, tuple[Fault, ...]]:
    if text is None:
        return TLS_PORT, ()
    digits = text.split("/")[0]
    if digits.isascii() and digits.isdecimal() and len(digits) <= len(str(_HIGHEST_PORT)):
        port = int(digits)
        if 1 <= port <= _HIGHEST_PORT:
            return port, ()
    return 0, (Fault(f"{visible(digits)!r} is not a port", "a number from 1 to 65535; dockerd's with TLS is 2376"),)


def _note(scheme: str, host: str, port: str | None) -> str:
    if port is None and host.count(":") > 1 and host.endswith((f":{TLS_PORT}", f":{PLAIN_PORT}")):
        return f"read as an IPv6 address without a port; if {host.rpartition(':')[2]} is the port, use brackets"
    if port is None and scheme == "tcp":
        return f"no port: the docker CLI takes {PLAIN_PORT} here, {TLS_PORT} is taken instead; write the port"
    return ""
