"""TABLE of checks of what dockerd is told: whether it would start so, and whether it runs as its files say."""

from __future__ import annotations

import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.model import Check, asked
from dockertls.audit.options import LIVE, said
from dockertls.client.flaws import Flaw, verdict
from dockertls.daemon.rules import TABLE as RULES
from dockertls.daemon.rules_files import json_of_some_releases, other_units
from dockertls.daemon.rules_options import of_some_releases
from dockertls.daemon.running import Process, restart_changes
from dockertls.daemon.workable import unworkable
from dockertls.escaping import visible
from dockertls.findings import Evidence, Failed, NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.report.daemon import change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.audit.model import Judge
    from dockertls.audit.seen import Seen
    from dockertls.errors import Fault
    from dockertls.findings import Verdict

BY_RULE: Mapping[str, str] = MappingProxyType(
    {
        "start": "CFG-02",
        "command-line": "CFG-02",
        "daemon-json": "CFG-02",
        "of-older-json": "CFG-02",
        "in-two-places": "CFG-03",
        "unknown-keys": "CFG-02",
        "wrong-kinds": "CFG-02",
        "of-others": "CFG-02",
        "never-runs": "CFG-02",
        "not-of-this-release": "CFG-02",
        "material-dropped": "CFG-02",
        "material-unused": "CFG-11",
        "any-authority": "TLS-07",
        "plaintext": "NET-01",
        "no-port": "CFG-02",
        "no-hosts": "CFG-02",
        "no-socket-unit": "CFG-02",
        "required-socket": "CFG-02",
        "listener-outlives-tls": "CFG-12",
        "authorities-of-the-system": "CFG-12",
        "default-material": "TLS-07",
        "switched-by-variable": "CFG-11",
        "stolen-socket": "CFG-12",
        "untaken-listener": "CFG-12",
        "variables-of-clients": "CFG-12",
        "ignored-keys": "CFG-12",
        "nested-switches": "CFG-12",
        "repeated-flags": "CFG-12",
        "soon-removed": "CFG-09",
        "plugins-lost": "CFG-12",
        "writable-by-others": "FS-06",
        "unread-environment": "CFG-06",
        "unused-variables": "CFG-06",
        "repeated-variables": "CFG-06",
        "exported-variables": "CFG-06",
        "unexpanded-references": "CFG-06",
        "unread-daemon-json": "CFG-06",
        "dangling-link": "CFG-12",
        "other-units": "CFG-01",
    }
)
"""Which check tells what a rule of the daemon's configuration finds."""

_OF_FILES = frozenset({"CFG-02", "CFG-03", "CFG-06", "CFG-12"})
"""Checks that make sense for the dockerd alone that the host's files start."""
_RESTART = (
    "dockertls renew, daemon configure and harden say how it is restarted safely; by hand: systemctl restart docker"
)


def rules(id_: str, *, fatal: bool) -> Judge:
    """What the rules of the daemon's configuration find that belong to a check."""
    mine = [rule for rule in RULES if BY_RULE[rule.id] == id_]

    def judged(seen: Seen) -> Verdict:
        if id_ in _OF_FILES and not seen.is_own:
            return NotApplicable("it runs, and no file of this host starts it")
        faults = [fault for rule in mine for fault in rule.judge(seen.reading)]
        flaws = [Flaw((_evidence(seen, fault),), fault.message, fault.hint, fatal) for fault in faults]
        if not flaws and (unknown := _untold(seen)):
            return Unknown(unknown)
        return verdict(flaws, _read(seen))

    return asked(judged)


def _taken(seen: Seen) -> Verdict:
    """By the rules, and by what `dockerd --validate` does not know."""
    found = rules("CFG-02", fatal=True)(seen)
    faults = unworkable(seen.reading, swarm=seen.answers.swarm) if seen.is_own else ()
    if isinstance(found, Failed) or not faults:
        return found
    return verdict([Flaw((_evidence(seen, one),), one.message, one.hint, fatal=True) for one in faults], ())


def _untold(seen: Seen) -> str:
    """Why nothing that is wrong was found; empty: nothing is."""
    doubts = (*seen.reading.unknown, *of_some_releases(seen.reading), *json_of_some_releases(seen.reading))
    return visible(doubts[0]) if doubts else ""


def _read(seen: Seen) -> tuple[Evidence, ...]:
    reading = seen.reading
    where = str(reading.config) if reading.document else str(reading.packaging.start)
    return (Evidence("configuration", visible(where), f"{len(reading.both())} options"),)


def _evidence(seen: Seen, fault: Fault) -> Evidence:
    """A fault, at the place that it names."""
    origins = sorted({one.origin for one in seen.reading.both().values()}, key=len, reverse=True)
    place = next((origin for origin in origins if origin in fault.message), str(seen.reading.config))
    return Evidence("configuration", visible(place), fault.message)


def _dockerds(seen: Seen) -> Verdict:
    """Which ones there are: each is judged."""
    here = seen.running
    if not seen.facts.runs:
        return NotApplicable("this is a file tree: nothing runs in it")
    if here.unknown:
        return Unknown(here.unknown[0])
    everyone = [one for one in (here.own, *here.others) if one]
    if not everyone:
        return NotApplicable(here.idle or "no dockerd runs")
    evidence = tuple(Evidence("process", _who(one), visible(shlex.join(one.shown))) for one in everyone)
    if here.own is None and len(everyone) > 1:
        return Unknown(f"which of {len(everyone)} dockerds the host's files start")
    flaws = [
        Flaw((*evidence, _evidence(seen, fault)), fault.message, fault.hint) for fault in other_units(seen.reading)
    ]
    return verdict(flaws, ()) if flaws else seen.unstarted or Passed(evidence)


def _who(one: Process) -> str:
    place = " in a container" if one.in_container else f" of {visible(one.unit)}" if one.unit else ""
    return f"process {one.pid}{place}"


def _in_two_places(seen: Seen) -> Verdict:
    found = rules("CFG-03", fatal=True)(seen)
    keys = seen.reading.by_flags().keys() & seen.reading.named.keys()
    if isinstance(found, Failed) and keys <= {"hosts"}:
        return NotApplicable("it is hosts alone: see CFG-04")
    return found


def _hosts_twice(seen: Seen) -> Verdict:
    """Every unit that is packaged gives -H; a file that gives hosts too keeps dockerd from starting."""
    flags, file = seen.reading.by_flags().get("hosts"), seen.reading.file.get("hosts")
    if not file:
        return seen.doubt or NotApplicable("daemon.json names no hosts")
    evidence = tuple(
        Evidence("configuration", one.origin, visible(str(one.value)), "in one place") for one in (flags, file) if one
    )
    if not flags:
        return Passed(evidence)
    cause = f"hosts are given by {flags.origin} and by {file.origin}: dockerd does not start"
    return Failed(evidence, cause, "name them in one place: dockertls daemon configure does")


def _repeated_keys(seen: Seen) -> Verdict:
    """Dockerd takes the last without a word."""
    reading = seen.reading
    twice = [fault for fault in reading.faults if "stands here and on line" in fault.message]
    if twice:
        flaws = [Flaw((_evidence(seen, one),), one.message, one.hint) for one in twice]
        return verdict(flaws, ())
    if reading.faults and reading.document is None:
        return Unknown(reading.faults[0].message)
    if reading.document is None:
        return seen.unread or NotApplicable(f"there is no {reading.config}")
    return Passed((Evidence("daemon.json", str(reading.config), f"{len(reading.document.keys)} keys, each once"),))


def _not_in_effect(seen: Seen) -> Verdict:
    """What a restart would change."""
    if seen.process is None or not seen.is_own:
        doubts = seen.running.unknown if seen.facts.runs and seen.running.own is None else ()
        return Unknown(doubts[0]) if doubts else NotApplicable("no dockerd runs that the host's files start")
    changes, untold = restart_changes(seen.reading, seen.running)
    config = visible(str(seen.reading.config))
    found = [one for one in changes if not (one.what == config and _is_followed(seen))]
    if not found:
        return Unknown(untold[0]) if untold else Passed((Evidence("process", _who(seen.process), "as its files say"),))
    evidence = tuple(
        Evidence("process", visible(one.why), visible(_told(one.what, one.runs, one.would))) for one in found
    )
    return Warned(evidence, f"not in effect until a restart: {', '.join(visible(one.what) for one in found)}", _RESTART)


def _is_followed(seen: Seen) -> bool:
    """Whether the API says of every key of daemon.json what the file says: a reload may have taken it."""
    answers = ((LIVE[key](seen.answers), one.value) for key, one in seen.reading.file.items() if key in LIVE)
    return seen.reading.file.keys() <= LIVE.keys() and all(live and live[1] == value for live, value in answers)


def _told(what: str, runs: object, would: object) -> str:
    return what if runs is None and would is None else f"{what}: {change(runs, would)}"


def _otherwise(seen: Seen) -> Verdict:
    """What its API says, against what it is told."""
    if not seen.answers.info:
        return seen.idle or Unknown(f"its API did not tell: {visible(seen.answers.fault)}")
    flaws: list[Flaw] = []
    good: list[Evidence] = []
    for key in LIVE:
        found = said(seen, key).evidence
        apart = [one for one in found[1:] if one.seen != found[0].seen]
        if found and found[0].source == "API" and apart:
            cause = f"{key} is {found[0].seen}, and {apart[0].place} says {apart[0].seen}"
            flaws.append(Flaw((found[0], *apart), cause, _RESTART, fatal=True))
        good += found[:1] if len(found) > 1 else []
    return verdict(flaws, tuple(good)) if flaws else seen.unread or Passed(tuple(good))


def _restart(seen: Seen) -> Verdict:
    """Whether containers would outlive a restart, which certificates and most options need."""
    info = seen.answers.info
    if not info:
        return seen.idle or Unknown(f"whether containers run: {visible(seen.answers.fault)}")
    number, survives = info.get("ContainersRunning"), info.get("LiveRestoreEnabled") is True
    if not isinstance(number, int):
        return Unknown("its API does not tell how many containers run")
    evidence = (Evidence("API", "/info", f"{number} containers run, live-restore {str(survives).lower()}"),)
    if not number or survives:
        return Passed(evidence)
    cause = f"{number} containers would stop at a restart"
    return Warned(evidence, cause, "set live-restore=true first, which a reload takes: dockertls harden --only DMN-15")


def _opted_out(seen: Seen) -> Verdict:
    """TLS or the demand for certificates is switched off in so many words."""
    both = seen.reading.both()
    off = [key for key in ("tls", "tlsverify") if key in both and both[key].value is False]
    found = rules("CFG-11", fatal=True)(seen)
    if not off or not seen.reading.opened():
        return found
    evidence = tuple(Evidence("configuration", both[key].origin, f"{key} false", "true, or not set") for key in off)
    return Failed(
        evidence, f"{' and '.join(off)} is switched off, and a port is open", "remove it, and set tlsverify to true"
    )


TABLE: tuple[Check, ...] = (
    Check("CFG-01", "It is known which dockerds run", Severity.INFO, _dockerds, of_host=True),
    Check("CFG-02", "dockerd takes its configuration", Severity.CRITICAL, asked(_taken)),
    Check("CFG-03", "No option is given twice, as a flag and in daemon.json", Severity.CRITICAL, asked(_in_two_places)),
    Check("CFG-04", "Hosts are named in one place", Severity.CRITICAL, asked(_hosts_twice)),
    Check("CFG-05", "No key stands twice in daemon.json", Severity.MEDIUM, asked(_repeated_keys)),
    Check("CFG-06", "No file is written that nobody reads", Severity.HIGH, rules("CFG-06", fatal=True)),
    Check("CFG-07", "What the files say is in effect", Severity.MEDIUM, asked(_not_in_effect)),
    Check("CFG-08", "dockerd runs as it is told", Severity.HIGH, asked(_otherwise)),
    Check("CFG-09", "The next release takes the configuration", Severity.MEDIUM, rules("CFG-09", fatal=False)),
    Check("CFG-10", "A restart stops no containers", Severity.MEDIUM, asked(_restart)),
    Check("CFG-11", "TLS is not switched off", Severity.HIGH, asked(_opted_out)),
    Check("CFG-12", "The configuration is what it seems", Severity.MEDIUM, rules("CFG-12", fatal=False)),
)
"""In the order of the catalogue."""
