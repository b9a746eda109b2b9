"""The port of an ordinary user's dockerd: rootlesskit forwards it into the network namespace where dockerd listens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockertls.daemon.edits import with_text
from dockertls.daemon.packaging import ROOTLESSKIT_FLAGS
from dockertls.daemon.units import docker_units
from dockertls.documents.unit_file import quote, render_drop_in
from dockertls.errors import Fault
from dockertls.escaping import visible
from dockertls.plan import Change

if TYPE_CHECKING:
    from dockertls.daemon.situation import Situation
    from dockertls.daemon.wanted import Wanted

WHY = "rootlesskit forwards the port to dockerd"


def wanted_forwards(wanted: Wanted) -> tuple[str, ...]:
    """What rootlesskit is to forward for the hosts of a wish."""
    return tuple(
        f"{host.removeprefix('tcp://').replace('localhost', '127.0.0.1')}:{wanted.port}/tcp" for host in wanted.hosts
    )


def inside(wanted: Wanted) -> Wanted:
    """The same wish as dockerd is told it: it listens where the host's addresses are not."""
    return replace(wanted, listen=())


def forward_faults(here: Situation, wanted: Wanted) -> tuple[Fault, ...]:
    """What stands against forwarding a port."""
    found, new = here.reading.packaging, wanted_forwards(wanted)
    place = f"{ROOTLESSKIT_FLAGS} of {found.service}"
    faults = [
        Fault(f"{host} is of IPv6, and rootlesskit is only known to forward IPv4", "name an IPv4 address with --listen")
        for host in wanted.hosts
        if "[" in host
    ]
    faults += [
        Fault(f"{place} forwards {visible(one)}", f"remove it there: it takes port {wanted.port}")
        for one in found.forwards
        if one not in new and one.rpartition("/")[0].split(":")[-2:-1] == [str(wanted.port)]
    ]
    if set("%$") & set(found.rootlesskit):
        faults.append(Fault(f"{place} holds % or $", f"add -p {new[0]} there yourself, and run this again"))
    return tuple(faults) if set(new) - set(found.forwards) else ()


def forwarding(here: Situation, wanted: Wanted) -> Change | None:
    """The change of the drop-in of the user's unit; None: it says what it shall."""
    path = docker_units(here.facts).own_drop_in
    found, before = here.reading.packaging, here.facts.file(path)
    missing = [one for one in wanted_forwards(wanted) if one not in found.forwards]
    if not missing:
        return Change(path, before, None, "the unit itself has the ports forwarded") if before else None
    flags = " ".join((*found.rootlesskit.split(), *(word for one in missing for word in ("-p", one))))
    lines = [("Environment", quote(f"{ROOTLESSKIT_FLAGS}={flags}"))]
    return Change(path, before, with_text(before, render_drop_in({"Service": lines}, f"By dockertls: {WHY}.")), WHY)
