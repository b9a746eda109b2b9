"""A host's daemon seen as what may be edited and what may not, and which way of setting TLS is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.daemon.flags import Flags, parse
from dockertls.daemon.hosts import DEFAULT_SOCKETS, is_fd, is_tcp
from dockertls.daemon.packaging import DROP_IN, Part, Place
from dockertls.daemon.reading import TLS_KEYS, Reading, read
from dockertls.daemon.rules import hosts_of, judged
from dockertls.daemon.wanted import OURS, Style, Wanted
from dockertls.errors import Fault

if TYPE_CHECKING:
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts


@dataclass(frozen=True)
class Situation:
    """A host's daemon.

    Attributes:
        facts: what is known of the host.
        current: what is said to dockerd now.
        reading: the same, as if this tool's own drop-in were not there.
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
        """Whether style env works here: a variable may be edited, and its words can be told from those around it."""
        return self.reading.packaging.variable is not None and not (self.own.faults or self.fixed.faults)

    @property
    def why_not_environment(self) -> str:
        """Why style env does not work here."""
        found = self.reading.packaging
        if found.variable is None:
            return f"{found.start} takes no flags from an environment file"
        return f"the flags in {found.variable.file} cannot be told from those around them"

    def fixed_place(self, key: str) -> Place:
        """Where a fixed flag stands."""
        found = self.reading.packaging
        parts = [part for part in found.parts if not found.editable(part)]
        places = [part.place for part in parts for _ in part.words]
        return places[self.fixed.of(key)[0].start]

    def hosts(self, flags: Flags, *, tcp: bool) -> tuple[str, ...]:
        """The hosts among flags that open a port, or those that do not."""
        return tuple(item.text for item in flags.of("hosts") if is_tcp(item.text) is tcp)

    def file_hosts(self, *, tcp: bool) -> tuple[str, ...]:
        """The hosts in daemon.json that open a port, or those that do not."""
        return tuple(host for host in hosts_of(self.reading.file.get("hosts")) if is_tcp(host) is tcp)

    def default_host(self) -> str:
        """The local socket to name where nobody names one."""
        return "fd://" if self.reading.packaging.socket_required else "unix://"

    def missing_tls(self, wanted: Wanted) -> dict[str, Json]:
        """The TLS options that are still to be set: all of them, or none if fixed flags give them."""
        return {} if self.fixed.of(*TLS_KEYS) else wanted.tls

    def missing_hosts(self, wanted: Wanted) -> tuple[str, ...]:
        """The tcp hosts that are still to be set."""
        fixed = self.hosts(self.fixed, tcp=True)
        return tuple(host for host in wanted.hosts if host not in fixed)

    def local_hosts(self, *others: tuple[str, ...]) -> tuple[str, ...]:
        """Local hosts put together, each once; where systemd hands over the socket, dockerd's own is left out.

        Args:
            others: the hosts of each place, those that must stay first.
        """
        hosts = tuple(dict.fromkeys(host for group in others for host in group))
        first = others[0] if others else ()
        if any(map(is_fd, hosts)):
            hosts = tuple(host for host in hosts if host in first or host not in DEFAULT_SOCKETS)
        return hosts or (self.default_host(),)


def survey(facts: HostFacts) -> Situation:
    """Look at a host's daemon.

    Args:
        facts: gathered with the row "daemon".
    """
    current, reading = read(facts), read(facts, without={DROP_IN})
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
    return tuple(_fixed_fault(here, key) for key in dict.fromkeys(wrong))


def _fixed_fault(here: Situation, key: str) -> Fault:
    flag = here.fixed.of(key)[0]
    words = " ".join(flag.alone())
    hint = f"remove {' '.join(flag.alone())} there and run the command again"
    return Fault(f"{here.fixed_place(key)} gives {words}, and that is not this tool's to edit", hint)


def in_force(here: Situation) -> Style:
    """The style in which TLS and its hosts are set and work now; AUTO: in none of those that we know."""
    if judged(here.current, stops=True):
        return Style.AUTO
    if here.own.of("tlsverify") and here.hosts(here.own, tcp=True):
        return Style.ENV
    if here.current.file.keys() & {"tlsverify", "tls"} and here.file_hosts(tcp=True):
        return Style.JSON
    return Style.AUTO


def choose(here: Situation, style: Style) -> tuple[Style, str]:
    """The style to use, and why: a wish, else what works already, else env where it is honoured, else json."""
    found = here.reading.packaging
    if style is not Style.AUTO:
        return style, f"style {style.value} was asked for"
    match in_force(here):
        case Style.ENV if found.variable:
            return Style.ENV, f"TLS is set in {found.variable.file} already"
        case Style.JSON:
            return Style.JSON, f"TLS is set in {here.reading.config} already"
        case _ if here.honours_environment and found.variable:
            return Style.ENV, f"dockerd takes flags from {found.variable.name} in {found.variable.file}"
        case _:
            return Style.JSON, here.why_not_environment


def style_faults(here: Situation, style: Style) -> tuple[Fault, ...]:
    """Whether this host honours a style."""
    if style is Style.ENV and not here.honours_environment:
        return (Fault(f"style env does not work here: {here.why_not_environment}", "take --style json, or auto"),)
    if style is Style.JSON and here.reading.document is None and here.reading.faults:
        return here.reading.faults
    return ()
