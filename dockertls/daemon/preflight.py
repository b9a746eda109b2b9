"""What dockerd will read, judged before anything is touched: the files, the certificates, whom they are good for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING, TypeVar

from dockertls.daemon.certificates import MODES
from dockertls.daemon.hostnames import ALWAYS, own_names
from dockertls.daemon.reading import MATERIAL, read
from dockertls.errors import Fault, Refused
from dockertls.escaping import visible
from dockertls.facts import NotGathered
from dockertls.findings import Failed, Unknown
from dockertls.pki.keys import load_certificates, load_private, matches
from dockertls.pki.verify import name_matches, verify
from dockertls.plan import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cryptography import x509

    from dockertls.daemon.settings import Source
    from dockertls.facts import HostFacts
    from dockertls.findings import Finding
    from dockertls.pki.profiles import Purpose
    from dockertls.plan import File, Owner

SOONEST = timedelta(hours=1)
"""A certificate that ends sooner than this is not put into use."""

_LOOPBACK = ALWAYS[1]
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Shown:
    """What one side shows to the other.

    Attributes:
        who: for messages, such as "the server".
        purpose: what it shows it for.
        cert: PEM of its certificate, issuing ones after it.
        key: PEM of the certificate's key.
        trust: PEM of the authorities that the other side trusts.
        names: by which the other side calls it.
    """

    who: str
    purpose: Purpose
    cert: bytes
    key: bytes
    trust: bytes
    names: tuple[str, ...] = ()


def material(after: HostFacts) -> tuple[dict[str, File], tuple[Fault, ...]]:
    """The files that dockerd is told, by the names of `MODES`, and what is wrong with them as files.

    Args:
        after: the host as it will be, with the rows "daemon" and "certificates".
    """
    reading = read(after)
    said, places = reading.both(), reading.packaging.places
    files: dict[str, File] = {}
    faults: list[Fault] = []
    for key, name in zip(MATERIAL, MODES, strict=True):
        path = places.on_host(Path(str(said[key].value)) if key in said else places.told(name))
        try:
            file = after.file(path)
        except NotGathered:
            faults.append(_elsewhere(key, said[key], path))
            continue
        if file is None:
            faults.append(Fault(f"{visible(str(path))} would be missing", "dockertls server install puts it there"))
        else:
            files[name] = file
            faults += _open_to_others(path, file, MODES[name], places.owner)
    return files, tuple(faults)


def _elsewhere(key: str, said: Source, path: Path) -> Fault:
    return Fault(
        f"{said.origin}: dockerd is told {key} {visible(str(path))}, and would not read what is installed",
        "let it be told the new place: dockertls daemon configure --server NAME",
    )


def _open_to_others(path: Path, file: File, mode: int, owner: Owner) -> Iterator[Fault]:
    """Whether others could read a key, or write any of the files."""
    if file.mode & ~mode & 0o077 or file.owner != owner:
        whose = "" if file.owner == owner else f" and belong to {file.owner[0]}:{file.owner[1]}"
        right = "root:" if owner == ROOT else f"{owner[0]}:{owner[1]}"
        yield Fault(f"{path} would be {file.mode:04o}{whose}", f"chown {right} {path} && chmod {mode:04o} {path}")


def faults(shown: Shown, now: datetime) -> tuple[Fault, ...]:
    """Why the other side would not take what is shown, or not for long; everything that is found.

    Args:
        shown: what is shown, and to whom.
        now: with a time zone.
    """
    chain, bad_chain = _read(lambda: load_certificates(shown.cert, name=f"{shown.who}'s certificate"))
    key, bad_key = _read(lambda: load_private(shown.key, name=f"{shown.who}'s key"))
    roots, bad_roots = _read(lambda: load_certificates(shown.trust, name=f"the CA file that judges {shown.who}"))
    found = [*bad_chain, *bad_key, *bad_roots]
    if chain and key and not matches(chain[0], key):
        hint = "restore the pair from a backup, or issue a new certificate"
        found.append(Fault(f"{shown.who}'s key is not the key of its certificate", hint))
    if chain and roots:
        found += _judged(shown, chain, roots, now)
    return tuple(found)


def _read(load: Callable[[], _Read]) -> tuple[_Read | None, tuple[Fault, ...]]:
    try:
        return load(), ()
    except Refused as error:
        return None, error.faults or (Fault(error.message, error.hint),)


def _judged(
    shown: Shown, chain: tuple[x509.Certificate, ...], roots: tuple[x509.Certificate, ...], now: datetime
) -> Iterator[Fault]:
    found = verify(
        chain[0],
        chain[1:],
        roots,
        now=now,
        purpose=shown.purpose,
        names=shown.names,
        warn=SOONEST,
        fail=SOONEST,
    )
    yield from (fault for finding in found if (fault := _fault(shown.who, finding)))


def _fault(who: str, finding: Finding) -> Fault | None:
    match finding.verdict:
        case Failed(_, cause, remedy):
            return Fault(f"{who}'s certificate, {finding.id}: {cause}", remedy)
        case Unknown(reason):
            return Fault(f"{who}'s certificate, {finding.id} cannot be told: {reason}", "issue a new certificate")
        case _:
            return None


def uncovered(facts: HostFacts, leaf: x509.Certificate) -> tuple[str, ...]:
    """What is to be said of a certificate that is for none of this host's names, or not for the host itself.

    Users may call a host by names that it does not know, so one of its own is enough.

    Args:
        facts: gathered with the row "names".
        leaf: the server's certificate.
    """
    own = own_names(facts).names[: -len(ALWAYS)]
    lacking = [] if any(name_matches(leaf, name) for name in own) else list(own)
    lacking += [] if name_matches(leaf, _LOOPBACK) else [_LOOPBACK]
    told_so = f"the certificate is not for {', '.join(map(visible, lacking))}: clients that call this host so refuse it"
    return (f"{told_so}; issue one with --san if they shall",) if lacking else ()
