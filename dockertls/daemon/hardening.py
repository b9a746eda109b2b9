"""What to change on a host so that options of its dockerd have other values, wherever they are set: facts -> a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockertls.daemon.control import daemon_reload, restart_commands, systemctl
from dockertls.daemon.edits import environment_file, owned, set_keys, with_folders, with_setting
from dockertls.daemon.options import BY_KEY
from dockertls.daemon.reading import read
from dockertls.daemon.rules import judged
from dockertls.daemon.situation import survey
from dockertls.daemon.workable import unworkable
from dockertls.errors import Fault, refuse
from dockertls.plan import Command, Directory, File, Plan
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath as Path

    from dockertls.daemon.reading import Reading
    from dockertls.daemon.settings import Settings
    from dockertls.daemon.situation import Situation
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts
    from dockertls.plan import Change

WHAT = "dockerd's options"
WHY = "dockerd is hardened"


def harden(facts: HostFacts, settings: Settings, *, more: Sequence[Change] = (), swarm: bool = False) -> Plan:
    """Plan other values for options of dockerd: each is changed where it is set, and daemon.json gets what is new.

    Args:
        facts: gathered with the row "daemon", and with `workable.files`.
        settings: None: the option is to be set nowhere. What files say so already is given by those who know that
            dockerd does not follow them: it is made to.
        more: other changes that go with it.
        swarm: whether this dockerd takes part in a swarm.

    Returns:
        The plan: with a reload where dockerd takes every change by one, else with a restart; false if there is nothing
        to do.

    Raises:
        Refused: with all that is wrong with the files on the host, or would be.
    """
    here = survey(facts)
    wanted = {key: value for key, value in settings.items() if not _is_so(here.current, key, value)}
    refuse(WHAT, (*here.faults(), *_fixed(here, wanted)))
    changes = as_one((*_edits(here, wanted), *more))
    whole = owned(with_folders(facts, changes), here.reading.packaging.places.owner)
    after = read(facts.after(whole)).told_by(here.current)
    faults = (*judged(after, stops=True), *unworkable(after, swarm=swarm), *_missed(after, wanted))
    refuse(WHAT, tuple(dict.fromkeys(faults)))
    title = f"harden dockerd: {', '.join((*settings, *(['modes of files'] if more else [])))}"
    return Plan(title, tuple(whole), (), (*_told(here, whole), *_activation(here, settings)))


def _is_so(reading: Reading, key: str, value: Json) -> bool:
    said = reading.both().get(key)
    return said is None if value is None else said is not None and said.value == value


def _fixed(here: Situation, wanted: Mapping[str, Json]) -> Iterator[Fault]:
    """What stands where nothing of ours may be edited."""
    for key in wanted:
        if here.fixed.of(key):
            origin = here.reading.by_flags()[key].origin
            yield Fault(
                f"{key} is a flag at {origin}, which is not this tool's to edit", "change it there, and run again"
            )


def _edits(here: Situation, wanted: Mapping[str, Json]) -> Iterator[Change]:
    flags = {key: value for key, value in wanted.items() if here.own.of(key)}
    new = {key: value for key, value in wanted.items() if key not in flags and value is not None}
    gone = [key for key, value in wanted.items() if value is None and key in here.reading.file]
    for change in (environment_file(here, with_setting(here.own, flags)), set_keys(here, new, WHY, gone)):
        if change:
            yield change


def _missed(after: Reading, wanted: Mapping[str, Json]) -> Iterator[Fault]:
    for key, value in wanted.items():
        if not _is_so(after, key, value):
            said = after.both().get(key)
            yield Fault(
                f"{key} would not be what is wanted: it is set by {said.origin if said else 'nobody'}",
                "change it there",
            )


def as_one(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Each path once: the content of the one that edits it, no bit of a mode that another takes away, its owner."""
    whole: dict[Path, Change] = {}
    for change in changes:
        there = whole.get(change.path)
        whole[change.path] = change if there is None else _both(there, change)
    return tuple(whole.values())


def _both(one: Change, other: Change) -> Change:
    if not isinstance(one.after, File | Directory) or not isinstance(other.after, File | Directory):
        return one
    after = replace(one.after, mode=one.after.mode & other.after.mode, owner=other.after.owner)
    return replace(one, after=after, why="; ".join(dict.fromkeys((one.why, other.why))))


def _told(here: Situation, changes: Iterable[Change]) -> tuple[Command, ...]:
    """What systemd is told where one of its units is written anew, if only with another mode."""
    found = here.current.packaging
    units = {here.facts.place(path) for path in found.units} if found.init is Init.SYSTEMD else set()
    if not any(change.path in units for change in changes):
        return ()
    return (daemon_reload(found),)


def _activation(here: Situation, wanted: Mapping[str, Json]) -> tuple[Command, ...]:
    """A reload if that is enough and harmless: it takes nothing away, and drops plugins and features that are flags."""
    found = here.current.packaging
    if not wanted or (found.init is Init.NONE):
        return ()
    reloadable = all(
        key in BY_KEY and BY_KEY[key].reloadable and value is not None and not here.own.of(key)
        for key, value in wanted.items()
    )
    if reloadable and found.reloads and not here.current.flags.of("authorization-plugins", "features"):
        return (Command(systemctl(found, "reload", found.service), "dockerd takes it by a reload: nothing stops"),)
    return restart_commands(here.facts)


def kept_by_reload(before: HostFacts, after: HostFacts) -> tuple[str, ...]:
    """The options that dockerd keeps when they leave daemon.json and it is told to reload (moby daemon/reload.go).

    Args:
        before: gathered with the row "daemon".
        after: the same once files have changed.
    """
    old, new = read(before).file, read(after).file
    return tuple(key for key in old if key not in new and key in BY_KEY and BY_KEY[key].reloadable)
