"""This tool's own drop-ins of docker.service and docker.socket: the only units that are ever written."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dockertls.daemon.control import CLOSE_LISTENER
from dockertls.daemon.edits import command_words, found_file, with_text
from dockertls.daemon.flags import parse
from dockertls.daemon.homes import Home
from dockertls.daemon.hosts import stream
from dockertls.daemon.packaging import DROP_IN, SOCKET_DROP_IN, literal
from dockertls.daemon.units import GUARD_DROP_IN
from dockertls.documents.unit_file import render_drop_in
from dockertls.plan import Change

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.daemon.homes import Homes
    from dockertls.daemon.packaging import Packaging
    from dockertls.daemon.situation import Situation
    from dockertls.daemon.wanted import Wanted

Lines = list[tuple[str, str]]
NO_LONGER = "systemd no longer listens for dockerd"
VARIABLES = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")

ADDED = 'case $$said in *[$$]{name}*|*[$$]{{{name}}}*) said="$$said $${name}" ;; esac; '
GUARD = (
    '/bin/sh -c \'case $$(systemctl show --property=Listen docker.socket) in *:[0-9]*|"") ;; *) exit 0 ;; esac; '
    "said=$$(systemctl show --property=ExecStart docker.service); {added}"
    "case $$said in *--tlsverify=[0fF]*) ;; *--tlsverify*) exit 0 ;; esac; "
    'echo "dockerd lacks --tlsverify, and docker.socket opens a port: run dockertls bootstrap" >&2; exit 1\''
)
"""What runs before dockerd: where systemd listens on a port, whatever became of the files, no start without TLS."""


def guard(here: Situation, wanted: Wanted, places: Homes) -> Change | None:
    """The change of the drop-in that keeps dockerd from starting without TLS flags; None: it says what it shall."""
    listens = places.hosts is Home.LISTENER and here.missing_hosts(wanted)
    opened = listens or (here.missing_tls(wanted) and here.handed_over())
    if places.tls is Home.JSON or not opened:
        return _gone(here, GUARD_DROP_IN, NO_LONGER)
    words = [part.written for part in here.reading.packaging.parts]
    names = dict.fromkeys(name for word in words for name in VARIABLES.findall(word))
    line = GUARD.format(added="".join(ADDED.format(name=name) for name in names))
    why = "where systemd listens and TLS is gone, nothing starts"
    return _holding(here, GUARD_DROP_IN, {"Service": [("ExecStartPre", line)]}, why)


def service_drop_in(here: Situation, wanted: Wanted, places: Homes) -> Change | None:
    """The change of the drop-in of docker.service; None: it says what it shall."""
    found = _command(here, wanted, places)
    if not found:
        return _gone(here, DROP_IN, "the unit's own command line is right again")
    lines, why = found
    return _holding(here, DROP_IN, {"Service": lines}, why)


def _command(here: Situation, wanted: Wanted, places: Homes) -> tuple[Lines, str] | None:
    """What the drop-in of docker.service holds, and why; None: none is needed."""
    found = here.reading.packaging
    line = tuple(part.written for part in found.parts)
    if added := command_words(here, wanted, places):
        return _exec_start(found, (*line, *map(literal, added))), "dockerd's TLS flags"
    if places.hosts is Home.JSON and here.missing_hosts(wanted) and here.fixed.of("hosts"):
        flags = parse(line)
        return _exec_start(
            found, flags.without(flags.of("hosts"))
        ), "hosts stand in daemon.json, -H would be a conflict"
    return None


def _exec_start(found: Packaging, words: tuple[str, ...]) -> Lines:
    return [("ExecStart", ""), ("ExecStart", found.line_of(words))]


def listener(here: Situation, wanted: Wanted, places: Homes) -> Change | None:
    """The change of the drop-in of docker.socket; None: it says what it shall.

    Where it is taken back, systemd stops listening before anything else is: TLS never goes first.
    """
    hosts = here.missing_hosts(wanted) if places.hosts is Home.LISTENER else ()
    if not hosts:
        return _gone(here, SOCKET_DROP_IN, NO_LONGER)
    streams = [stream(host) for host in hosts]
    lines = [("ListenStream", one) for one in streams]
    # all addresses are of IPv6 and IPv4, whatever the host's default; a single one may come up after the socket
    lines += [("BindIPv6Only", "both")] if any(one.isdigit() for one in streams) else []
    lines += [("FreeBind", "yes")] if not all(one.isdigit() for one in streams) else []
    why = "systemd listens for dockerd: a restart refuses no connection"
    change = _holding(here, SOCKET_DROP_IN, {"Socket": lines}, why)
    return change if change.before else replace(change, back=CLOSE_LISTENER)


def _holding(here: Situation, path: Path, sections: Mapping[str, Lines], why: str) -> Change:
    """The change that makes a drop-in hold this."""
    before = found_file(here.facts, path)[1]
    return Change(path, before, with_text(before, render_drop_in(sections, f"By dockertls: {why}.")), why)


def _gone(here: Situation, path: Path, why: str) -> Change | None:
    """The change that takes a drop-in away; None: it is not there."""
    before = found_file(here.facts, path)[1]
    return Change(path, before, None, why) if before else None
