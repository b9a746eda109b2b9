"""Name constraints (RFC 5280, section 4.2.1.10): what an authority may issue for, and what lies outside of it."""

from __future__ import annotations

import re
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.errors import Fault, Refused, attempt, refuse
from dockertls.escaping import visible
from dockertls.pki.names import display, parse_name
from dockertls.pki.paths import allowed, is_mapped, reads_as_host, subject_of
from dockertls.pki.profiles import extension

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LOOPBACK = (
    x509.DNSName("localhost"),
    x509.IPAddress(IPv4Network("127.0.0.0/8")),
    x509.IPAddress(IPv6Network("::1/128")),
)
"""Always permitted: a daemon is tried from its own host. No subtree of a kind leaves all of that kind free, and so
these also keep addresses limited where only names are given, and names where only addresses are."""

_NETWORK = re.compile(r"[0-9a-f:.]+/.*", re.IGNORECASE)
_BELOW = ("*.", ".")


def parse_limits(texts: Sequence[str]) -> x509.NameConstraints | None:
    """Read what an authority shall be limited to.

    Args:
        texts: `example.org`, which holds every name below it too; `10.0.0.5`, `10.0.0.0/8` or `2001:db8::/32`.

    Returns:
        The same for the same names in any order, with loopback; None: there are no names, and no limits.

    Raises:
        Refused: with every fault of every text.
    """
    read = [attempt(partial(_read, text)) for text in texts]
    refuse("--permit", [fault for _, faults in read for fault in faults])
    names = {name for name, _ in read if name} - {*LOOPBACK}
    if not texts:
        return None
    ordered = sorted(names, key=lambda name: (isinstance(name, x509.IPAddress), display(name)))
    return x509.NameConstraints([*ordered, *LOOPBACK], None)


def limits_of(certificate: x509.Certificate) -> x509.NameConstraints | None:
    """What an authority is limited to; None: nothing."""
    return extension(certificate, x509.NameConstraints)


def permitted(certificate: x509.Certificate) -> tuple[x509.GeneralName, ...]:
    """All that an authority may issue for; none: anything, but for what is excluded."""
    limits = limits_of(certificate)
    return tuple(limits.permitted_subtrees or ()) if limits else ()


def excluded(certificate: x509.Certificate) -> tuple[x509.GeneralName, ...]:
    """All that an authority must not issue for."""
    limits = limits_of(certificate)
    return tuple(limits.excluded_subtrees or ()) if limits else ()


def told(certificate: x509.Certificate) -> str:
    """What an authority may issue for, in a line for people; empty: it is not limited."""
    within, without = (", ".join(map(display, part(certificate))) for part in (permitted, excluded))
    return within + (f"{' ' if within else 'all '}but {without}" if without else "")


def outside(names: Iterable[x509.GeneralName], authorities: Iterable[x509.Certificate]) -> Iterator[Fault]:
    """Every name that one of the authorities above a certificate must not issue for, and what that one may."""
    wanted = tuple(names)
    for authority in authorities:
        limits = limits_of(authority)
        for name in wanted:
            if not allowed(name, limits):
                message = f"{display(name)} is outside of what {subject_of(authority)} may issue for"
                yield Fault(message, f"it may issue for {told(authority)}; for more, make another one in another store")


def limits_hosts(authorities: Iterable[x509.Certificate]) -> bool:
    """Whether one of the authorities is limited in what hosts it may issue for."""
    trees = (tree for authority in authorities for tree in (*permitted(authority), *excluded(authority)))
    return any(isinstance(tree, x509.DNSName) for tree in trees)


def doubts(common_name: str, authorities: Iterable[x509.Certificate]) -> str:
    """What is to be known of the name of somebody who is no host; empty: nothing.

    OpenSSL takes a common name with a dot for a host's where there is no other name, and wants it within the limits.
    """
    name = x509.DNSName(common_name) if reads_as_host(common_name) else None
    if name is None or all(allowed(name, limits_of(authority)) for authority in authorities):
        return ""
    shown = visible(common_name)
    return f"{shown}: docker lets it in, but a proxy that uses OpenSSL takes it for a host outside of the limits"


def _read(text: str) -> x509.GeneralName:
    """One of them. Raises Refused with every fault."""
    if _NETWORK.fullmatch(text):
        return _network(text)
    above = next((text.removeprefix(start) for start in _BELOW if text.startswith(start)), "")
    if above:
        raise Refused(f'"{visible(text)}": a name that is permitted holds all below it', f"write {visible(above)}")
    name = parse_name(text)
    return x509.IPAddress(ip_network(name.value)) if isinstance(name, x509.IPAddress) else name


def _network(text: str) -> x509.IPAddress:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise Refused(f'"{visible(text)}": it is not the beginning of a network', _network_hint(text)) from error
    if is_mapped(network):
        hint = "write it as IPv4, such as 10.0.0.0/8"
        raise Refused(f'"{visible(text)}" is IPv4 in the form of IPv6: newer docker cannot read it', hint)
    return x509.IPAddress(network)


def _network_hint(text: str) -> str:
    try:
        return f"write {ip_network(text, strict=False)}, or the address alone"
    except ValueError:
        return "write an address and how many of its bits count, such as 10.0.0.0/8 or fd00::/8"
