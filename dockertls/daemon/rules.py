"""TABLE of what can be wrong with a configuration on disk: dockerd would not start, or it is not what it seems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.daemon.hosts import DEFAULT_SOCKETS, has_port, is_fd, is_tcp
from dockertls.daemon.options import BY_FLAG, BY_KEY, MERGED_KEYS, fits
from dockertls.daemon.reading import MATERIAL, SWITCHES, hosts_of
from dockertls.errors import Fault
from dockertls.plan import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockertls.daemon.reading import Reading

CLOSE = "run `dockertls bootstrap`, or add tlsverify, tlscacert, tlscert and tlskey in one place"


def asks_for_certificates(reading: Reading) -> bool:
    """Whether dockerd asks every TCP client for a certificate: TLS is on and verification is not switched off."""
    said = reading.both()
    verify = said.get("tlsverify")
    return verify.value is True if verify else bool(said.get("tls") and said["tls"].value is True)


def _twice(reading: Reading) -> Iterator[Fault]:
    for key, said in reading.by_flags().items():
        if key in reading.file and key not in MERGED_KEYS:
            yield Fault(
                f"{key} is given as a flag ({said.origin}) and in {reading.file[key].origin}: dockerd does not start",
                "remove one of the two; equal values are a conflict too",
            )


def _unknown_keys(reading: Reading) -> Iterator[Fault]:
    for key, said in reading.file.items():
        if key not in BY_KEY and key not in BY_FLAG:
            yield Fault(
                f"{said.origin}: {visible(key)} is not a key of daemon.json: dockerd does not start",
                "correct its spelling (capitals count), or remove it",
            )


def _ignored_keys(reading: Reading) -> Iterator[Fault]:
    for key, said in reading.file.items():
        if key not in BY_KEY and key in BY_FLAG:
            right = BY_FLAG[key].key
            yield Fault(
                f"{said.origin}: dockerd takes {key} without a word and ignores it",
                f"write {right}" if right else "give it as a flag, or remove it",
            )


def _wrong_kinds(reading: Reading) -> Iterator[Fault]:
    for key, said in reading.file.items():
        if key in BY_KEY and said.value is not None and not fits(BY_KEY[key].kind, said.value):
            kind = BY_KEY[key].kind.name.lower()
            yield Fault(f"{said.origin}: {key} is of the wrong type: dockerd does not start", f"it must be a {kind}")


def _material_unused(reading: Reading) -> Iterator[Fault]:
    said = reading.both()
    given = [key for key in MATERIAL if key in said]
    if given and not SWITCHES & said.keys():
        yield Fault(
            f"{', '.join(given)} given ({said[given[0]].origin}), but neither tls nor tlsverify: TLS is off",
            "add tlsverify in the same place",
        )


def _material_dropped(reading: Reading) -> Iterator[Fault]:
    flags = reading.by_flags()
    given = [key for key in MATERIAL if key in flags]
    if given and not SWITCHES & flags.keys() and SWITCHES & reading.file.keys():
        yield Fault(
            f"TLS is switched on in {reading.config} alone, so dockerd drops {', '.join(given)}"
            f" of the flags ({flags[given[0]].origin}) and does not start",
            "give tlsverify, tlscacert, tlscert and tlskey in one place",
        )


def _any_authority(reading: Reading) -> Iterator[Fault]:
    """Without tlscacert in the file, the pool is the system's trust store (moby daemon/command/daemon.go)."""
    flags = reading.by_flags()
    if asks_for_certificates(reading) and not SWITCHES & flags.keys() and "tlscacert" not in reading.file:
        switch = next(key for key in ("tlsverify", "tls") if key in reading.file)
        yield Fault(
            f"{reading.file[switch].origin}: {switch} without tlscacert lets in clients of every authority"
            " that the system trusts",
            "add tlscacert",
        )


def _plaintext(reading: Reading) -> Iterator[Fault]:
    said = reading.both()
    verify = said.get("tlsverify")
    if asks_for_certificates(reading):
        return
    how = f"asks no client for a certificate ({verify.origin})" if verify else "has no TLS"
    for host, origin in reading.opened():
        yield Fault(f"{visible(host)} ({origin}) {how}: whoever reaches it is root", CLOSE)


def _no_port(reading: Reading) -> Iterator[Fault]:
    said = reading.both().get("hosts")
    for host in hosts_of(said):
        if said and is_tcp(host) and not has_port(host):
            yield Fault(
                f"{visible(host)} ({said.origin}) names no port: dockerd takes 2375, with TLS too",
                "write the port, 2376 with TLS",
            )


def _no_hosts(reading: Reading) -> Iterator[Fault]:
    said = reading.both()
    switch = next((key for key in ("tlsverify", "tls") if key in said and said[key].value is not False), None)
    if switch and not hosts_of(said.get("hosts")):
        yield Fault(
            f"{switch} ({said[switch].origin}) without hosts: where dockerd then listens depends on its version",
            "name every host, the unix socket too",
        )


def _stolen_socket(reading: Reading) -> Iterator[Fault]:
    said = reading.both().get("hosts")
    hosts = hosts_of(said)
    local = [host for host in hosts if host in DEFAULT_SOCKETS]
    if said and local and any(map(is_fd, hosts)):
        yield Fault(
            f"{local[0]} beside fd:// ({said.origin}): dockerd takes the socket from systemd and deletes it on stop",
            f"remove {local[0]}: fd:// is the same socket",
        )


def _no_socket_unit(reading: Reading) -> Iterator[Fault]:
    said = reading.both().get("hosts")
    if said and any(map(is_fd, hosts_of(said))) and not reading.packaging.socket:
        yield Fault(
            f"fd:// ({said.origin}), but nothing hands sockets over: there is no docker.socket in force",
            "`systemctl unmask docker.socket`, or use unix:// instead of fd://",
        )


def _plugins_lost(reading: Reading) -> Iterator[Fault]:
    said = reading.by_flags().get("authorization-plugins")
    if said:
        yield Fault(
            f"authorization plugins are given as a flag ({said.origin}): a reload switches them off without a word",
            "give them as authorization-plugins in daemon.json",
        )


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong.

    Attributes:
        judge: what it finds.
        stops: dockerd does not start like this, or lets strangers in.
    """

    judge: Callable[[Reading], Iterator[Fault]]
    stops: bool


TABLE: tuple[Rule, ...] = (
    Rule(lambda reading: iter(reading.packaging.faults), stops=True),
    Rule(lambda reading: iter(reading.flags.faults), stops=True),
    Rule(lambda reading: iter(reading.faults), stops=True),
    Rule(_twice, stops=True),
    Rule(_unknown_keys, stops=True),
    Rule(_wrong_kinds, stops=True),
    Rule(_material_dropped, stops=True),
    Rule(_material_unused, stops=True),
    Rule(_any_authority, stops=True),
    Rule(_plaintext, stops=True),
    Rule(_no_port, stops=True),
    Rule(_no_hosts, stops=True),
    Rule(_stolen_socket, stops=False),
    Rule(_no_socket_unit, stops=True),
    Rule(_ignored_keys, stops=False),
    Rule(_plugins_lost, stops=False),
)


def judged(reading: Reading, *, stops: bool) -> tuple[Fault, ...]:
    """What the rules find that stop dockerd, or those that do not."""
    return tuple(fault for rule in TABLE if rule.stops is stops for fault in rule.judge(reading))
