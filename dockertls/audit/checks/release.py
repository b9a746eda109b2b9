"""TABLE of checks of which dockerd it is: whether it is kept up, and whether authorization plugins hold in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.audit.model import Check, asked, cis
from dockertls.audit.options import Said, option
from dockertls.audit.releases import AS_OF, BYPASSES, KEPT, NEWEST, UNSEEN_SINCE, line_of
from dockertls.daemon.recognition import recognise
from dockertls.daemon.releases import shown
from dockertls.findings import Evidence, Failed, Passed, Severity, Unknown, Warned

if TYPE_CHECKING:
    from dockertls.audit.releases import Line
    from dockertls.audit.seen import Seen
    from dockertls.daemon.releases import Release
    from dockertls.findings import Verdict

OF_DOCKER = "Docker Engine - Community"
"""What Docker's own packages call themselves in GET /version; those of distributions have no name there."""
UPGRADE = f"upgrade to Docker {NEWEST.first} (docs.docker.com/engine/install)"
FLAGS = frozenset({"arguments", "unit"})
"""Sources of an option that is given as a flag."""
_UNSEEN = (
    f"since Docker {UNSEEN_SINCE} plugins do not see gRPC: over a socket of systemd's the builder serves everybody"
)
_LOCAL = "let nobody use the local socket whom the plugin is to hold back, and open the port by `hosts`, not by systemd"
_ASK = "ask whoever packaged it whether that is mended there: its security notices go by the version of the package"


def _kept_up(seen: Seen) -> Verdict:
    release = seen.release
    if release is None:
        return Unknown("which release dockerd is")
    line, today = line_of(release), seen.facts.taken.date()
    if line is None:
        return Unknown(f"Docker {shown(release)} is newer than what this dockertls knows of: upgrade dockertls")
    if line.until and line.until < today:
        return _ended(seen, release, line)
    if today - AS_OF > KEPT:
        return Unknown(f"whether Docker {shown(release)} is still kept up: this dockertls knows what was on {AS_OF}")
    if not line.by_docker and is_of_docker(seen):
        cause = f"Docker makes no packages of {line.first} any more: its faults are mended for others alone"
        return Failed(_evidence(seen, release), cause, UPGRADE)
    return Passed(_evidence(seen, release))


def _ended(seen: Seen, release: Release, line: Line) -> Verdict:
    cause = f"Docker {shown(release)} is not kept up since {line.until}: what is found in it is not mended"
    if is_of_docker(seen):
        return Failed(_evidence(seen, release), cause, UPGRADE)
    return Warned(_evidence(seen, release), f"{cause}, unless by whoever packaged it", _ASK)


def _evidence(seen: Seen, release: Release) -> tuple[Evidence, ...]:
    told = bool(seen.answers.version or seen.answers.info)
    source, place = ("API", "/version") if told else ("dockerd --version", seen.reading.packaging.executable)
    return (Evidence(source, place, shown(release), f"{NEWEST.first} or newer"),)


def is_of_docker(seen: Seen) -> bool:
    """Whether it is known to be of Docker's own packages: who else makes some may have mended what Docker did not."""
    platform = seen.answers.version.get("Platform")
    if isinstance(platform, dict):
        return platform.get("Name") == OF_DOCKER
    return recognise(seen.facts).id.startswith("docker-ce")


def _authorization(seen: Seen, found: Said) -> Verdict:
    evidence = found.expecting("a plugin")
    if not found.value:
        cause = "whoever is let in may do everything that dockerd can: he is root on the host"
        return Warned(evidence, cause, "where that is too much, have a plugin decide (authorization-plugins)")
    if seen.release is None:
        return Unknown("which release dockerd is, and so whether its authorization plugins hold")
    open_ones = [one for one in BYPASSES if one.open_in(seen.release)]
    if open_ones and is_of_docker(seen):
        how = ", ".join(f"{one.how} ({one.id})" for one in open_ones)
        return Failed(evidence, f"Docker {shown(seen.release)} lets callers past the plugin by {how}", UPGRADE)
    if "authorization-plugins" not in seen.reading.file and any(one.source in FLAGS for one in evidence):
        hint = "name it in daemon.json, and not as a flag"
        return Failed(evidence, "it is switched off without a word when dockerd is told to reload", hint)
    if open_ones:
        which = ", ".join(one.id for one in open_ones)
        return Unknown(f"whether this package of Docker {shown(seen.release)} has {which}: {_ASK}")
    return Passed(evidence) if seen.before(UNSEEN_SINCE) else Warned(evidence, _UNSEEN, _LOCAL)


TABLE: tuple[Check, ...] = (
    Check(
        "DMN-12", "A plugin says who may do what, and holds", Severity.LOW,
        option("authorization-plugins", _authorization), cis("2.12", "2.13"),
    ),
    Check(
        "DMN-20", "This release of Docker is kept up", Severity.HIGH, asked(_kept_up), cis("1.2.2", stig="V-265885"),
    ),
)  # fmt: skip
"""In the order of the catalogue."""
