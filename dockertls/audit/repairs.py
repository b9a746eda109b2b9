"""TABLE of what `harden` does about a check that did not pass: other options of dockerd, other modes of files."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.material import certificates_at
from dockertls.audit.options import said
from dockertls.daemon.settings import EMPTY, Settings
from dockertls.findings import Passed, Warned
from dockertls.pki.profiles import Purpose
from dockertls.pki.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockertls.audit.seen import Seen
    from dockertls.documents.json_file import Json
    from dockertls.plan import Change

    Mend = Callable[[Seen], "Repair"]


@dataclass(frozen=True)
class Repair:
    """What is to be done.

    Attributes:
        settings: other values for dockerd's options; None: the option is to be set nowhere.
        changes: of files.
    """

    settings: Settings = EMPTY
    changes: tuple[Change, ...] = ()


DEFAULT_LIMITS: Json = {"nofile": {"Name": "nofile", "Hard": 65536, "Soft": 65536}}
"""Enough for a database, and a thousandth of what dockerd itself may open."""
ROTATION: Mapping[str, Json] = MappingProxyType({"max-size": "10m", "max-file": "3"})


def sets(id_: str, **values: Json) -> Mend:
    """Options with fixed values; `_` stands for `-` in a key."""
    settings = Settings.of({key.replace("_", "-"): value for key, value in values.items()}, id_)
    return lambda _: Repair(settings)


def _quiet(seen: Seen) -> Repair:
    """Debug is switched off where it is on, and the level set only where it is another one."""
    values: dict[str, Json] = {}
    if said(seen, "debug").value is True:
        values["debug"] = False
    if said(seen, "log-level").value not in {None, "info"}:
        values["log-level"] = "info"
    return Repair(Settings.of(values, "DMN-03"))


def _rotated(seen: Seen) -> Repair:
    """Logs that are thrown away are kept, and those that fill the disk are rotated; other log-opts stay."""
    if said(seen, "log-driver").value == "none":
        return Repair(Settings.of({"log-driver": "local"}, "DMN-13"))
    given = seen.reading.both().get("log-opts")
    options = dict(given.value) if given and isinstance(given.value, dict) else {}
    return Repair(Settings.of({"log-opts": {**ROTATION, **options}}, "DMN-13"))


def _authority(seen: Seen) -> Repair:
    """The authority's file that lies beside the server's, if it is the one that issued it."""
    places = seen.reading.packaging.places
    told = places.on_host(places.told("ca.pem"))
    roots, chain = certificates_at(seen.facts, told), seen.served.chain
    if len(roots) != 1 or not chain:
        return Repair()
    found = {
        one.id: one.verdict for one in verify(chain[0], chain[1:], roots, now=seen.facts.taken, purpose=Purpose.SERVER)
    }
    if not isinstance(found["chain"], Passed | Warned):
        return Repair()
    return Repair(Settings.of({"tlscacert": str(places.told("ca.pem"))}, "TLS-07"))


TABLE: Mapping[str, Mend] = MappingProxyType(
    {
        "TLS-07": _authority,
        "DMN-02": sets("DMN-02", icc=False),
        "DMN-03": _quiet,
        "DMN-05": sets("DMN-05", insecure_registries=None),
        "DMN-08": sets("DMN-08", default_ulimits=DEFAULT_LIMITS),
        "DMN-13": _rotated,
        "DMN-14": sets("DMN-14", no_new_privileges=True),
        "DMN-15": sets("DMN-15", live_restore=True),
        "DMN-16": sets("DMN-16", userland_proxy=False),
        "DMN-17": sets("DMN-17", seccomp_profile=None),
        "DMN-18": sets("DMN-18", experimental=None),
    }
)
"""By the id of the check."""
