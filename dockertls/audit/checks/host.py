"""TABLE of checks of the host around dockerd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.audit.guarded import data_root, group_id, groups_of
from dockertls.audit.model import Check, asked, cis
from dockertls.audit.mounts import mounts
from dockertls.escaping import visible
from dockertls.facts import GROUP, NotGathered, users
from dockertls.findings import Evidence, Failed, NotApplicable, Passed, Severity, Unknown, Warned

if TYPE_CHECKING:
    from pathlib import PurePosixPath as Path

    from dockertls.audit.mounts import Mount
    from dockertls.audit.seen import Seen
    from dockertls.findings import Verdict


def _own_file_system(seen: Seen) -> Verdict:
    """By the device of the folder and of the one above it, and by what is mounted: a bind mount is no other disk."""
    where = data_root(seen)
    if not seen.facts.runs:
        return NotApplicable("this is a file tree: nothing is mounted in it")
    try:
        own, above = (_device(seen, path) for path in (where, where.parent))
    except NotGathered as error:
        return Unknown(visible(str(error)))
    if own is None:
        return NotApplicable(f"there is no {visible(str(where))} yet")
    evidence = (Evidence("file system", visible(str(where)), f"device {own}", "a device of its own"),)
    mounted = mounts(seen.facts) if own != above else ()
    if mounted is None:
        return Unknown("what is mounted was not seen")
    if own != above and not _is_bound(str(where), mounted):
        return Passed(evidence)
    cause = "images and logs of containers can fill the disk that the host lives on"
    return Warned(evidence, cause, f"put a file system of its own at {visible(str(where))}")


def _device(seen: Seen, path: Path) -> int | None:
    """Of the file system that a path lies on; None: nothing is there. Raises NotGathered."""
    status = seen.facts.status(path)
    return status.device if status else None


def _is_bound(point: str, mounted: tuple[Mount, ...]) -> bool:
    """Whether what is mounted there is mounted elsewhere too, whole or in part."""
    own = next((one for one in mounted if one.point == point), None)
    return own is not None and any(one.device == own.device and one.point != point for one in mounted)


def _members(seen: Seen) -> Verdict:
    """Who may use the local socket by his groups, and so is root."""
    group = group_id(seen)
    if group is None:
        return NotApplicable("the socket is its owner's alone: dockerd's group is not there")
    names = sorted(members(seen, group))
    evidence = (Evidence("file", str(GROUP), visible(", ".join(names)) or "nobody", _wanted(seen)),)
    strangers = [name for name in names if name not in (seen.expected.members or frozenset())]
    if not strangers:
        return Passed(evidence)
    told = visible(", ".join(strangers))
    if seen.expected.members is None:
        cause = f"{told} may use the socket, and so is root without a password"
        return Warned(
            evidence, cause, "say in a policy who may (docker-group), and take out who may not: gpasswd -d USER docker"
        )
    cause = f"{told} may use the socket, against the policy"
    return Failed(evidence, cause, f"gpasswd -d {visible(strangers[0])} docker, and let him log in anew")


def members(seen: Seen, group: int) -> frozenset[str]:
    """The users of a group: those that it names, and those whose own it is."""
    named = (name for one in groups_of(seen) if one.gid == group for name in one.members)
    own = (user.name for user in users(seen.facts) if user.gid == group and user.uid)
    return frozenset((*named, *own))


def _wanted(seen: Seen) -> str:
    return ", ".join(sorted(map(visible, seen.expected.members))) if seen.expected.members is not None else ""


def _attested(_: Seen) -> Verdict:
    return NotApplicable("whether the host itself is hardened is for its own benchmark to say (CIS, STIG, Lynis)")


TABLE: tuple[Check, ...] = (
    Check("HST-01", "Docker's data has a file system of its own", Severity.LOW, asked(_own_file_system), cis("1.1.1")),
    Check("HST-02", "Who may use the socket is meant to", Severity.HIGH, asked(_members), cis("1.1.2")),
    Check("HST-03", "The host itself is hardened", Severity.INFO, _attested, cis("1.2.1"), of_host=True),
)
"""In the order of the catalogue."""
