"""A host's daemon seen as what may be edited and what may not, and which way of setting TLS is in force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.daemon.flags import Flags, Occurrence, parse
from dockertls.daemon.hosts import DEFAULT_SOCKETS, is_fd, is_tcp, port_of, streamed
from dockertls.daemon.packaging import DROP_IN, SOCKET, SOCKET_DROP_IN, Part, Place
from dockertls.daemon.reading import TLS_KEYS, Reading, hosts_of, read
from dockertls.daemon.rules import judged
from dockertls.daemon.units import own_drop_ins
from dockertls.daemon.wanted import OURS, Style, Wanted
from dockertls.errors import Fault
from dockertls.escaping import visible
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.daemon.packaging import Packaging
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts


@dataclass(frozen=True)
class Situation:
    """A host's daemon.

    Attributes:
        facts: what is known of the host.
        current: what is said to dockerd now.
        reading: the same, as if this tool's own drop-ins were not there.
        fixed: the flags that stand where nothing may be edited: in the unit, in somebody's drop-in, in other variables.
        own: the flags of the variable that may be edited; none if there is no such variable.
    """

    facts: HostFacts
    current: Reading
    reading: Reading
    fixed: Flags
    own: Flags

    @property
    def honours_environment(self) -> bool:
        """Whether style env works here: there is a variable that may be edited."""
        return self.reading.packaging.variable is not None

    @property
    def why_not_environment(self) -> str:
        """Why style env does not work here."""
        found = self.reading.packaging
        return _starts_wrapper(found) or f"{found.start} takes no flags from an environment file"

    @property
    def local_flags(self) -> tuple[str, ...]:
        """The local hosts that the flags name, wherever they stand."""
        return (*self.hosts(self.fixed, tcp=False), *self.hosts(self.own, tcp=False))

    @property
    def honours_socket(self) -> bool:
        """Whether style socket works here: the service always takes its listeners from docker.socket."""
        return self.reading.packaging.socket_required and any(map(is_fd, self.local_flags))

    @property
    def why_not_socket(self) -> str:
        """Why style socket does not work here."""
        found = self.reading.packaging
        if found.init is not Init.SYSTEMD:
            return "systemd does not start dockerd"
        if not found.socket:
            return f"there is no {SOCKET} in force"
        return f"{found.start} does not take its listeners from {SOCKET}"

    def faults(self) -> tuple[Fault, ...]:
        """Why nothing here can be edited safely."""
        found = self.reading.packaging
        faults = (*found.faults, *self.reading.faults, *self._flag_faults())
        if faults or not (self.own.faults or self.fixed.faults):
            return faults
        hint = "write the flag and its value as one word, as in --host=VALUE"
        return (Fault(f"{found.start}: a flag and its value stand in different places", hint),)

    def _flag_faults(self) -> tuple[Fault, ...]:
        """What pflag would refuse, and where it stands."""
        found = self.reading.packaging
        places = {fault: part.place for part in found.parts for fault in parse(part.words).faults}
        return tuple(
            Fault(f"{places.get(fault, found.start)}: {fault.message}", fault.hint)
            for fault in self.reading.flags.faults
        )

    def part_of_fixed(self, flag: Occurrence) -> Part:
        """The arguments that a fixed flag is among."""
        found = self.reading.packaging
        parts = [part for part in found.parts if not found.editable(part) for _ in part.words]
        return parts[flag.start]

    def hosts(self, flags: Flags, *, tcp: bool) -> tuple[str, ...]:
        """The hosts among flags that open a port, or those that do not."""
        return tuple(item.text for item in flags.of("hosts") if is_tcp(item.text) is tcp)

    def file_hosts(self, *, tcp: bool) -> tuple[str, ...]:
        """The hosts in daemon.json that open a port, or those that do not."""
        return tuple(host for host in hosts_of(self.reading.file.get("hosts")) if is_tcp(host) is tcp)

    def default_host(self) -> str:
        """The local socket to name where nobody names one."""
        return "fd://" if self.reading.packaging.socket_required else self.reading.packaging.local

    def missing_tls(self, wanted: Wanted) -> dict[str, Json]:
        """The TLS options that are still to be set: all of them, or none if fixed flags give them."""
        return {} if self.fixed.of(*TLS_KEYS) else wanted.tls

    def missing_hosts(self, wanted: Wanted) -> tuple[str, ...]:
        """The tcp hosts that are still to be set."""
        fixed = {*self.hosts(self.fixed, tcp=True), *self.handed_over()}
        return tuple(host for host in wanted.hosts if host not in fixed)

    def handed_over(self) -> Mapping[str, Place]:
        """The tcp hosts that docker.socket opens by somebody else's wish, where dockerd takes them."""
        listens = self.reading.packaging.listens if any(map(is_fd, self.local_flags)) else ()
        return {host: place for listen, place in listens if (host := streamed(listen))}

    def local_hosts(self, there: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
        """Local hosts put together, each once; one at least.

        Where systemd hands over the socket, dockerd is not newly told to make the same one: it would take it away.

        Args:
            there: those that stay where they are.
            more: those that come from other places.
        """
        hosts = tuple(dict.fromkeys((*there, *more)))
        if any(map(is_fd, hosts)):
            kept = there if any(map(is_fd, there)) else ()
            hosts = tuple(host for host in hosts if host in kept or host not in DEFAULT_SOCKETS)
        return hosts or (self.default_host(),)


def survey(facts: HostFacts) -> Situation:
    """Look at a host's daemon.

    Args:
        facts: gathered with the row "daemon".
    """
    return _situation(facts, read(facts), read(facts, without=own_drop_ins(facts)))


def bared(here: Situation) -> Situation:
    """The same, as if the unit's own command line named no TLS and no port: a drop-in may replace it."""
    found = here.reading.packaging
    line = parse([part.written for part in found.parts])
    gone = {
        index
        for item in line.of(*OURS)
        if "$" not in item.text and (item.key != "hosts" or is_tcp(item.text))
        for index in range(item.start, item.stop)
    }
    parts = tuple(part for index, part in enumerate(found.parts) if index not in gone)
    bare = replace(found, parts=parts)
    return _situation(here.facts, here.current, replace(here.reading, packaging=bare, flags=parse(bare.words)))


def _situation(facts: HostFacts, current: Reading, reading: Reading) -> Situation:
    found = reading.packaging

    def flags(parts: list[Part]) -> Flags:
        return parse([word for part in parts for word in part.words])

    own = flags([part for part in found.parts if found.editable(part)])
    fixed = flags([part for part in found.parts if not found.editable(part)])
    return Situation(facts, current, reading, fixed, own)


def fixed_faults(here: Situation, wanted: Wanted) -> tuple[Fault, ...]:
    """What stands in flags that may not be edited, and is not what is wanted."""
    said = here.fixed.values()
    tls = {key: said[key] for key in TLS_KEYS if key in said}
    wrong: list[str] = []
    if tls or said.get("tls") is False:
        wrong += [key for key in (*TLS_KEYS, "tls") if key in said and said[key] != {**wanted.tls, "tls": True}[key]]
        missing = [key for key in wanted.tls if key not in tls]
        wrong += [next(key for key in (*TLS_KEYS, "tls") if key in said)] if missing else []
    if set(here.hosts(here.fixed, tcp=True)) - set(wanted.hosts):
        wrong.append("hosts")
    wrong += [key for key, value in wanted.settings.items() if key not in OURS and key in said and said[key] != value]
    wrong += ["hosts"] if here.reading.packaging.wrapped and here.fixed.of("hosts") else []
    return (*(_fixed_fault(here, key, wanted) for key in dict.fromkeys(wrong)), *_taken(here, wanted))


def _taken(here: Situation, wanted: Wanted) -> list[Fault]:
    """Ports that are wanted and that docker.socket opens on other addresses: nobody could bind them twice."""
    ports = {port_of(host) for host in wanted.hosts}
    return [
        Fault(f"{place} opens {visible(host)}, and that is not this tool's to edit", "remove it there, or --listen so")
        for host, place in here.handed_over().items()
        if host not in wanted.hosts and port_of(host) in ports
    ]


def _fixed_fault(here: Situation, key: str, wanted: Wanted) -> Fault:
    found = here.fixed.of(key)
    flag = next((item for item in found if key != "hosts" or _is_foreign(item, wanted)), found[0])
    words = visible(" ".join(flag.alone()))
    part = here.part_of_fixed(flag)
    replaceable = not why_not_drop_in(here) and not part.written.startswith("$")
    other = ", or take --style drop-in, which replaces the command line" if replaceable else ""
    return Fault(
        f"{part.place} gives {words}, and that is not this tool's to edit",
        f"remove {words} there and run the command again{other}",
    )


def _is_foreign(item: Occurrence, wanted: Wanted) -> bool:
    return is_tcp(item.text) and item.text not in wanted.hosts


def in_force(here: Situation) -> Style:
    """The style in which TLS and its hosts are set and work now; AUTO: in none of those that we know."""
    if judged(here.current, stops=True):
        return Style.AUTO
    if here.facts.file(SOCKET_DROP_IN) and here.current.opened():
        return Style.SOCKET
    if here.own.of("tlsverify") and here.hosts(here.own, tcp=True):
        return Style.ENV
    if here.facts.file(DROP_IN) and here.current.flags.of("tlsverify") and here.hosts(here.current.flags, tcp=True):
        return Style.DROP_IN
    if here.current.file.keys() & {"tlsverify", "tls"} and here.file_hosts(tcp=True):
        return Style.JSON
    return Style.AUTO


def choose(here: Situation, wanted: Wanted) -> tuple[Style, str]:
    """The style to use, and why: a wish, else what works already, else the first that is honoured of socket, env, json.

    AUTO is left where somebody's unit says all of it as wanted.
    """
    found = here.reading.packaging
    if wanted.style is not Style.AUTO:
        return wanted.style, f"style {wanted.style.value} was asked for"
    if not (here.missing_tls(wanted) or here.missing_hosts(wanted)):
        return Style.AUTO, f"{found.start} gives TLS and hosts as they are wanted"
    working = in_force(here)
    if working is not Style.AUTO:
        return working, f"TLS is set this way already, by {_home(here, working)}"
    if here.honours_socket:
        return Style.SOCKET, f"{SOCKET} listens for dockerd: a restart refuses no connection"
    if found.variable:
        return Style.ENV, f"dockerd takes flags from {found.variable.name} in {found.variable.file}"
    return Style.JSON, here.why_not_environment


def _home(here: Situation, style: Style) -> str:
    """The file that a working style is known by."""
    variable = here.reading.packaging.variable
    places = {Style.SOCKET: SOCKET_DROP_IN, Style.DROP_IN: DROP_IN, Style.JSON: here.reading.config}
    return str(places.get(style, variable.file if variable else ""))


def why_not_drop_in(here: Situation) -> str:
    """Why style drop-in does not work here; empty: it does."""
    found = here.reading.packaging
    if found.init is not Init.SYSTEMD:
        return "systemd does not start dockerd"
    return _starts_wrapper(found)


def _starts_wrapper(found: Packaging) -> str:
    """That a command line is not dockerd's own; empty: it is."""
    return f"{found.start} starts {found.row.wrapper}, not dockerd" if found.row and found.wrapped else ""


def style_faults(here: Situation, style: Style) -> tuple[Fault, ...]:
    """Whether this host honours a style."""
    reasons = {
        Style.ENV: "" if here.honours_environment else here.why_not_environment,
        Style.SOCKET: "" if here.honours_socket else here.why_not_socket,
        Style.DROP_IN: why_not_drop_in(here),
    }
    if reason := reasons.get(style):
        return (Fault(f"style {style.value} does not work here: {reason}", "take --style auto, or json"),)
    return ()
