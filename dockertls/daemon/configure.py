"""What to change on a host so that its dockerd is reached over mutual TLS: facts and a wish -> a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.daemon.control import restart_commands, systemctl
from dockertls.daemon.drop_ins import guard, listener, service_drop_in
from dockertls.daemon.edits import (
    daemon_json,
    environment_file,
    environment_words,
    owned,
    set_keys,
    value_faults,
    with_folders,
)
from dockertls.daemon.homes import Home, homes
from dockertls.daemon.hosts import stream
from dockertls.daemon.model import as_packaged, known_platform
from dockertls.daemon.packaging import SOCKET_DROP_IN
from dockertls.daemon.reading import read
from dockertls.daemon.recognition import recognise
from dockertls.daemon.rootless import forward_faults, forwarding, inside
from dockertls.daemon.rules import judged
from dockertls.daemon.situation import Situation, bared, choose, fixed_faults, style_faults, survey
from dockertls.daemon.units import OWN, OWN_NAME
from dockertls.daemon.wanted import Style, Wanted
from dockertls.errors import Fault, NotReady, refuse
from dockertls.plan import Change, Command, File, Plan
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePosixPath as Path

    from dockertls.daemon.homes import Homes
    from dockertls.documents.passwd import User
    from dockertls.facts import HostFacts


__all__ = ["Configuration", "Style", "Wanted", "configure", "live_restore", "snippet"]

WHAT = "daemon configuration"


@dataclass(frozen=True)
class Configuration:
    """How a daemon is to be configured.

    Attributes:
        plan: what to change; false if there is nothing to do.
        style: where TLS and hosts are set; AUTO where somebody's unit sets them as wanted, and is left alone.
        why: why there.
        notes: what the user should know, one line each.
    """

    plan: Plan
    style: Style
    why: str
    notes: tuple[str, ...] = ()


def configure(facts: HostFacts, wanted: Wanted) -> Configuration:
    """Plan what makes dockerd listen with TLS and ask every client for a certificate.

    All TLS options go to one place and all hosts to one place. Nothing of a user's is lost: other options, comments
    and their order stay as they are.

    Args:
        facts: gathered with the row "daemon".
        wanted: addresses, files and settings.

    Raises:
        NotReady: if there is no Docker.
        Refused: with all that is wrong with the wish, or with the files on the host.
    """
    here, asked = survey(facts), wanted
    found = here.reading.packaging
    wanted = inside(asked) if found.user else asked
    if facts.runs and not found.installed:
        raise NotReady(
            "there is no Docker on this host", "install it (docker.io, moby-engine, docker-ce), then run again"
        )
    refuse(WHAT, (*asked.faults(), *here.faults()))
    style, why = choose(here, wanted)
    here = bared(here) if style is Style.DROP_IN else here
    refuse(WHAT, (*fixed_faults(here, wanted), *style_faults(here, style), *value_faults(here, wanted)))
    if found.user:
        refuse(WHAT, forward_faults(here, asked))
    forward = forwarding(here, asked) if found.user else None
    changes = _whole(here, (*_changes(here, wanted, homes(style, here)), forward))
    _check(here, changes, wanted, asked.hosts)
    plan = Plan(f"{WHAT}: TLS on {', '.join(asked.hosts)}", tuple(changes), (), _activation(facts, changes))
    return Configuration(plan, style, why, tuple(_notes(here, facts.after(changes))))


def _changes(here: Situation, wanted: Wanted, places: Homes) -> tuple[Change | None, ...]:
    """The file that gets TLS goes first, a new listener last: at every moment dockerd has TLS or refuses to start."""
    environment = environment_file(here, environment_words(here, wanted, places))
    config, command = daemon_json(here, wanted, places), service_drop_in(here, wanted, places)
    guarding, listening = guard(here, wanted, places), listener(here, wanted, places)
    settings = {
        Home.JSON: (config, environment, command),
        Home.ENVIRONMENT: (environment, config, command),
        Home.COMMAND: (command, environment, config),
    }[places.tls]
    return (*settings, guarding, listening) if listening and listening.after else (listening, *settings, guarding)


def _whole(here: Situation, wished: Iterable[Change | None]) -> list[Change]:
    """The changes that change anything, with their folders; what is new belongs to whose daemon it is."""
    changes = [change for change in wished if change and change.before != change.after]
    return owned(with_folders(here.facts, changes), here.reading.packaging.places.owner)


def _check(here: Situation, changes: list[Change], wanted: Wanted, hosts: tuple[str, ...]) -> None:
    """Read the result as dockerd would, and refuse it if anything in it would stop dockerd or leave it open."""
    after = read(here.facts.after(changes)).told_by(here.current)
    said = after.both()
    faults = list(judged(after, stops=True))
    refuse(WHAT, faults)
    for key, value in {**wanted.tls, **wanted.settings}.items():
        if key not in said or (said[key].value != value and key != "runtimes"):
            origin = said[key].origin if key in said else "nowhere"
            faults.append(Fault(f"{key} would not be what is wanted: it is set by {origin}", "remove it there"))
    reached = {stream(host) for host, _ in after.reached()}
    lost = [host for host in hosts if stream(host) not in reached]
    faults += [Fault(f"dockerd would not listen on {host}", "look at `dockertls daemon show`") for host in lost]
    refuse(WHAT, tuple(dict.fromkeys(faults)))


def _activation(facts: HostFacts, changes: list[Change]) -> tuple[Command, ...]:
    """What makes dockerd follow its files; nothing where nothing changes."""
    paths = {change.path for change in changes}
    units_changed = any(path.name == OWN_NAME or path in OWN for path in paths)
    return restart_commands(facts, units_changed=units_changed, socket=SOCKET_DROP_IN in paths) if paths else ()


def _notes(here: Situation, after: HostFacts) -> Iterator[str]:
    found = here.reading.packaging
    if not found.installed:
        yield "there is no Docker here yet: when it is installed, run this again, which sets its unit right"
    elif found.init is Init.NONE:
        yield "restart dockerd by hand, without flags for TLS and hosts: they would be a conflict with daemon.json"
    yield from found.unknown
    row = recognise(here.facts).row
    if row and row.caveat:
        yield row.caveat
    for fault in judged(read(after), stops=False):
        yield f"{fault.message}: {fault.hint}"


def live_restore(facts: HostFacts) -> Plan:
    """Plan what lets containers run on while dockerd restarts, by a reload that stops none.

    The plan is empty where live-restore is set already, where nothing sends the signal, and where a reload would do
    harm: it drops authorization plugins and features that are given as flags, and fails on a configuration in conflict.

    Args:
        facts: gathered with the row "daemon".
    """
    here = survey(facts)
    title = "keep containers running while dockerd restarts"
    risky = here.current.flags.of("authorization-plugins", "features") or judged(here.current, stops=True)
    if "live-restore" in here.current.both() or not here.current.packaging.reloads or risky:
        return Plan(title)
    change = set_keys(here, {"live-restore": True}, "containers run on while dockerd restarts")
    found = here.current.packaging
    reload = Command(systemctl(found, "reload", found.service), "dockerd takes live-restore without a restart")
    return Plan(title, tuple(_whole(here, (change,))), (), (reload,))


def snippet(
    platform_id: str, wanted: Wanted, style: Style = Style.AUTO, existing: str = "", user: User | None = None
) -> tuple[tuple[Path, File], ...]:
    """The files that configure a dockerd as it comes with a packaging, for another host.

    Args:
        platform_id: a name of the table of packagings.
        wanted: addresses, files and settings.
        style: where to set them; AUTO: as `configure` would.
        existing: the value that the packaging's variable has there already; it is kept.
        user: whose daemon it is there, if it is a user's own.

    Returns:
        Path and file, in the order in which they should be written.

    Raises:
        Refused: if the packaging is unknown, or the wish is faulty.
    """
    facts = as_packaged(known_platform(platform_id), existing, user)
    plan = configure(facts, replace(wanted, style=style)).plan
    return tuple((change.path, change.after) for change in plan.changes if isinstance(change.after, File))
