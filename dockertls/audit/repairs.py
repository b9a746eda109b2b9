"""TABLE of what `harden` does about a check that did not pass: other options of dockerd, other modes of files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.checks.audit_rules import PLACES, rule_for
from dockertls.audit.guarded import NOT_WRITTEN, righted, wrong
from dockertls.audit.guarded import TABLE as GUARDED
from dockertls.audit.material import certificates_at, usual_authority
from dockertls.audit.options import said
from dockertls.client.files import KEY
from dockertls.daemon.settings import EMPTY, Settings
from dockertls.facts import NotSeen
from dockertls.findings import Passed, Warned
from dockertls.pki.profiles import Purpose
from dockertls.pki.verify import verify
from dockertls.plan import Change, Directory, File

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockertls.audit.checks.audit_rules import Place
    from dockertls.audit.guarded import Guarded
    from dockertls.audit.seen import Seen
    from dockertls.documents.json_file import Json

    Mend = Callable[[Seen], "Repair"]


@dataclass(frozen=True)
class Repair:
    """What is to be done.

    Attributes:
        settings: other values for dockerd's options; None: the option is to be set nowhere.
        changes: of files.
        rules: lines that the kernel's audit is to be given.
    """

    settings: Settings = EMPTY
    changes: tuple[Change, ...] = ()
    rules: tuple[str, ...] = ()


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
    roots, chain = certificates_at(seen.facts, usual_authority(seen.reading)), seen.served.chain
    if len(roots) != 1 or not chain:
        return Repair()
    found = {
        one.id: one.verdict for one in verify(chain[0], chain[1:], roots, now=seen.facts.taken, purpose=Purpose.SERVER)
    }
    if not isinstance(found["chain"], Passed | Warned):
        return Repair()
    return Repair(Settings.of({"tlscacert": str(seen.reading.packaging.places.told("ca.pem"))}, "TLS-07"))


def guards(id_: str) -> Mend:
    """Modes and owners as the table of guarded files wants them; of files whose content is known."""

    def mend(seen: Seen) -> Repair:
        found: list[Change] = []
        changes = (_guarded(seen, one) for one in GUARDED[id_](seen))
        with suppress(NotSeen):  # of what was not seen nothing is mended
            found += (change for change in changes if change)
        return Repair(changes=tuple(found))

    return mend


def _guarded(seen: Seen, one: Guarded) -> Change | None:
    place = seen.facts.place(one.path)
    node = seen.facts.files.get(place)
    if not (one.mended and isinstance(node, File | Directory) and (fault := wrong(one, node))):
        return None
    mode, owner = righted(one, node)
    after = replace(node, mode=mode, owner=owner)
    return Change(place, node, after, f"nobody else's to change ({fault})")


def _clients(seen: Seen) -> Repair:
    """Keys for their owners alone, the rest not to be written by others."""
    changes: list[Change] = []
    for copy in seen.copies:
        for name, file in copy.files.items():
            mode = file.mode & (0o700 if name == KEY else 0o755)
            if mode != file.mode:
                after = replace(file, mode=mode, secret=name == KEY)
                changes.append(Change(copy.folder / name, file, after, "a client's own"))
        folder = seen.facts.files.get(copy.folder)
        if isinstance(folder, Directory) and folder.mode & NOT_WRITTEN:
            changes.append(
                Change(copy.folder, folder, replace(folder, mode=folder.mode & ~NOT_WRITTEN), "a client's own")
            )
    return Repair(changes=tuple(changes))


def _watches(place: Place) -> Mend:
    """A rule for each path that is not watched, in the file that the benchmark names."""

    def mend(seen: Seen) -> Repair:
        return Repair(rules=tuple(rule_for(path) for path in place(seen) if seen.facts.statuses.get(path)))

    return mend


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
        "CLI-01": _clients,
        **{id_: guards(id_) for id_ in ("TLS-09", "TLS-10", "FS-01", "FS-02", "FS-03", "FS-06", "FS-07")},
        **{id_: _watches(place) for id_, _, _, place in PLACES},
    }
)
"""By the id of the check."""


def mended(id_: str, seen: Seen) -> Repair | None:
    """What is left to be done about a check that did not pass; None: nothing that `harden` knows of.

    Args:
        id_: of a check that it mends.
        seen: of the dockerd that the host's files start; of others there is nothing to be done.
    """
    found = TABLE[id_](seen) if seen.is_own else Repair()
    settings = {key: one for key, one in found.settings.sources.items() if not _is_so(seen, key, one.value)}
    left = replace(found, settings=Settings(settings))
    return left if left != Repair() else None


def _is_so(seen: Seen, key: str, value: Json) -> bool:
    """Whether the strongest evidence and the files say so already."""
    told = seen.reading.both().get(key)
    return said(seen, key).value == value and (told.value if told else None) == value
