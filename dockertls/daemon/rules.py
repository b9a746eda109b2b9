"""TABLE of what can be wrong with a configuration on disk: dockerd would not start, or it is not what it seems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.daemon import rules_files, rules_hosts, rules_options, rules_tls
from dockertls.facts import NotSeen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockertls.daemon.reading import Reading
    from dockertls.errors import Fault


def _start(reading: Reading) -> Iterator[Fault]:
    """How dockerd is started cannot be told, or keeps it from starting."""
    yield from reading.packaging.faults


def _command_line(reading: Reading) -> Iterator[Fault]:
    """Words that pflag would refuse."""
    yield from reading.flags.faults


def _daemon_json(reading: Reading) -> Iterator[Fault]:
    """A daemon.json that is no JSON, or that nobody can edit."""
    yield from reading.faults


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong.

    Attributes:
        judge: what it finds.
        stops: dockerd does not start like this, or lets strangers in.
    """

    judge: Callable[[Reading], Iterator[Fault]]
    stops: bool

    @property
    def id(self) -> str:
        """Its name, for programs: `no-port`."""
        return self.judge.__name__.strip("_").replace("_", "-")


TABLE: tuple[Rule, ...] = (
    Rule(_start, stops=True),
    Rule(_command_line, stops=True),
    Rule(_daemon_json, stops=True),
    Rule(rules_files.of_older_json, stops=True),
    Rule(rules_options.in_two_places, stops=True),
    Rule(rules_options.unknown_keys, stops=True),
    Rule(rules_options.wrong_kinds, stops=True),
    Rule(rules_options.of_others, stops=True),
    Rule(rules_options.never_runs, stops=True),
    Rule(rules_options.not_of_this_release, stops=True),
    Rule(rules_tls.material_dropped, stops=True),
    Rule(rules_tls.material_unused, stops=True),
    Rule(rules_tls.any_authority, stops=True),
    Rule(rules_tls.plaintext, stops=True),
    Rule(rules_hosts.no_port, stops=True),
    Rule(rules_hosts.no_hosts, stops=True),
    Rule(rules_hosts.no_socket_unit, stops=True),
    Rule(rules_hosts.required_socket, stops=True),
    Rule(rules_tls.listener_outlives_tls, stops=False),
    Rule(rules_tls.authorities_of_the_system, stops=False),  # nothing on the host mends it
    Rule(rules_tls.default_material, stops=False),
    Rule(rules_tls.switched_by_variable, stops=False),
    Rule(rules_hosts.stolen_socket, stops=False),
    Rule(rules_hosts.untaken_listener, stops=False),
    Rule(rules_hosts.variables_of_clients, stops=False),
    Rule(rules_options.ignored_keys, stops=False),
    Rule(rules_options.nested_switches, stops=False),
    Rule(rules_options.repeated_flags, stops=False),
    Rule(rules_options.soon_removed, stops=False),
    Rule(rules_options.plugins_lost, stops=False),
    Rule(rules_files.writable_by_others, stops=False),
    Rule(rules_files.unread_environment, stops=False),
    Rule(rules_files.unused_variables, stops=False),
    Rule(rules_files.repeated_variables, stops=False),
    Rule(rules_files.exported_variables, stops=False),
    Rule(rules_files.unexpanded_references, stops=False),
    Rule(rules_files.unread_daemon_json, stops=False),
    Rule(rules_files.dangling_link, stops=False),
    Rule(rules_files.other_units, stops=False),
)


@dataclass(frozen=True)
class Problem:
    """A rule and what it found."""

    rule: Rule
    fault: Fault


def problems(reading: Reading) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """What all rules find, the worst first, and what they could not tell."""
    found: list[Problem] = []
    untold: dict[str, None] = {}
    for rule in sorted(TABLE, key=lambda rule: not rule.stops):
        try:
            found += [Problem(rule, fault) for fault in rule.judge(reading)]
        except NotSeen as error:
            untold[str(error)] = None
    return tuple(found), tuple(untold)


def judged(reading: Reading, *, stops: bool) -> tuple[Fault, ...]:
    """What the rules find that stop dockerd, or those that do not."""
    return tuple(fault for rule in TABLE if rule.stops is stops for fault in rule.judge(reading))
