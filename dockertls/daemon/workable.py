"""TABLE of what keeps dockerd, or its containers, from starting and `dockerd --validate` does not know."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.daemon.releases import parse
from dockertls.documents.passwd import parse_passwd
from dockertls.errors import Fault
from dockertls.escaping import visible
from dockertls.facts import PASSWD, NotGathered, NotSeen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockertls.daemon.reading import Reading
    from dockertls.documents.json_file import Json

_COMMON = frozenset({"mode", "max-buffer-size", "cache-disabled", "cache-max-file", "cache-max-size", "cache-compress"})
_OF_TEXT = frozenset({"env", "env-regex", "labels", "labels-regex", "tag"})
LOG_OPTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "none": frozenset(),
        "json-file": _OF_TEXT | {"compress", "max-file", "max-size"},
        "local": frozenset({"compress", "max-file", "max-size"}),
        "journald": _OF_TEXT,
        "syslog": _OF_TEXT
        | {
            "syslog-address",
            "syslog-facility",
            "syslog-format",
            "syslog-tls-ca-cert",
            "syslog-tls-cert",
            "syslog-tls-key",
            "syslog-tls-skip-verify",
        },
    }
)
"""The log-opts of each logging driver that is known here (moby daemon/logger); other drivers judge their own."""

PLUGIN_DIRS = ("/run/docker/plugins", "/etc/docker/plugins", "/usr/lib/docker/plugins")
"""Where dockerd looks for a plugin: a socket, or a file that names one (moby pkg/plugins/discovery.go)."""
SUBORDINATE = tuple(Path(f"/etc/sub{kind}") for kind in ("uid", "gid"))
_SNAPSHOTTER = "29.0"
"""Since then userns-remap refuses an image store of containerd that was asked for (moby 47377)."""


@dataclass(frozen=True)
class Case:
    """What is judged.

    Attributes:
        reading: what dockerd would be told.
        swarm: whether it takes part in a swarm.
    """

    reading: Reading
    swarm: bool

    def value(self, key: str, default: Json = None) -> Json:
        """What an option would be."""
        said = self.reading.both().get(key)
        return default if said is None else said.value

    def origin(self, key: str) -> str:
        """Who would say so."""
        said = self.reading.both().get(key)
        return said.origin if said else "the default"

    def has(self, path: Path) -> bool | None:
        """Whether a path is there; None: nobody looked. Raises NotSeen."""
        try:
            return self.reading.facts.node(path) is not None
        except NotSeen:
            raise
        except NotGathered:
            return None

    def text(self, path: Path) -> str | None:
        """What a file says; None: it is not there, or nobody looked. Raises NotSeen."""
        try:
            file = self.reading.facts.file(path)
        except NotSeen:
            raise
        except NotGathered:
            return None
        return file.content.decode(errors="replace") if file else None


def unworkable(reading: Reading, *, swarm: bool) -> tuple[Fault, ...]:
    """What would keep dockerd, or its containers, from starting.

    Args:
        reading: what dockerd would be told; of facts with the files of `files`.
        swarm: whether it takes part in a swarm.
    """
    case = Case(reading, swarm)
    return tuple(fault for rule in TABLE for fault in rule(case))


def files(reading: Reading) -> tuple[Path, ...]:
    """What has to be looked at beside dockerd's own configuration.

    Args:
        reading: what dockerd would be told.
    """
    case = Case(reading, swarm=False)
    profile, remap = case.value("seccomp-profile"), case.value("userns-remap")
    profiles = [Path(profile)] if isinstance(profile, str) and profile.startswith("/") else []
    plugins = [path for name in _plugins(case) for path in _places(name)]
    return (*profiles, *plugins, *((PASSWD, *SUBORDINATE) if remap else ()))


def _bridge(case: Case) -> Iterator[Fault]:
    """Without a packet filter containers cannot be kept apart (moby daemon/config: conflict of icc and iptables)."""
    if case.value("icc") is not False or case.value("bridge") == "none":
        return
    off = ["iptables"] if case.value("iptables") is False else []
    off += ["ip6tables"] if case.value("ipv6") is True and case.value("ip6tables") is False else []
    for key in off:
        yield Fault(
            f"icc is false ({case.origin('icc')}) and so is {key} ({case.origin(key)}): dockerd does not start",
            f"remove {key}",
        )


def _log_options(case: Case) -> Iterator[Fault]:
    driver, options = str(case.value("log-driver") or "json-file"), case.value("log-opts")
    if not isinstance(options, dict):
        return
    known = LOG_OPTIONS.get(driver)
    for name, value in options.items():
        told = f"log-opts {visible(name)} ({case.origin('log-opts')})"
        if not isinstance(value, str):
            yield Fault(f"{told} is no text: dockerd does not start", f'write "{value}" in quotes')
        elif known is not None and name not in known | _COMMON:
            yield Fault(f"{told} is none of the driver {visible(driver)}: dockerd does not start", "remove it")


def _seccomp(case: Case) -> Iterator[Fault]:
    profile = case.value("seccomp-profile")
    if not isinstance(profile, str) or not profile.startswith("/"):
        return
    told = f"seccomp-profile {visible(profile)} ({case.origin('seccomp-profile')})"
    text = case.text(Path(profile))
    if text is None and case.has(Path(profile)) is not None:
        yield Fault(f"{told} is not there: dockerd does not start", "remove the option, or put the profile there")
    elif text is not None and not _is_object(text):
        yield Fault(f"{told} is no JSON object: no container starts", "mend the profile, or remove the option")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _plugins(case: Case) -> list[str]:
    given = case.value("authorization-plugins")
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _places(name: str) -> tuple[Path, ...]:
    if "/" in name or ":" in name:  # a managed plugin, which dockerd keeps by itself
        return ()
    return tuple(Path(folder) / f"{name}{end}" for folder in PLUGIN_DIRS for end in (".sock", ".spec", ".json"))


def _authorization(case: Case) -> Iterator[Fault]:
    for name in _plugins(case):
        there = [case.has(path) for path in _places(name)]
        if there and not any(there) and None not in there:
            told = f"the authorization plugin {visible(name)} ({case.origin('authorization-plugins')})"
            yield Fault(
                f"{told} is not there: dockerd does not start, or refuses everybody", "start it first, or remove it"
            )


def _remapped(case: Case) -> Iterator[Fault]:
    """The user must exist and have subordinate ids; `default` is made by dockerd itself."""
    remap = case.value("userns-remap")
    if not isinstance(remap, str) or not remap:
        return
    told, name = f"userns-remap {visible(remap)} ({case.origin('userns-remap')})", remap.partition(":")[0]
    features, release = case.value("features"), case.reading.release
    asked = isinstance(features, dict) and features.get("containerd-snapshotter") is True
    if asked and (release is None or release >= parse(_SNAPSHOTTER)):
        yield Fault(f"{told} and the feature containerd-snapshotter: dockerd does not start", "remove one of the two")
    if name == "default":
        return
    called = [{user.name, str(user.uid)} for user in parse_passwd(case.text(PASSWD) or "")]
    own = next((names for names in called if name in names), set())
    if case.has(PASSWD) and not own:
        yield Fault(f"{told}: there is no such user: dockerd does not start", "make the user, or take `default`")
        return
    for path in SUBORDINATE:
        owners = {line.partition(":")[0] for line in (case.text(path) or "").splitlines()}
        if case.has(path) is not None and not owners & own:
            hint = f"add a line such as {visible(name)}:100000:65536"
            yield Fault(f"{told}: {path} gives it no ids: dockerd does not start", hint)


def _lasting(case: Case) -> Iterator[Fault]:
    if case.value("live-restore") is True and case.swarm:
        told = f"live-restore ({case.origin('live-restore')})"
        yield Fault(f"{told} does not go together with swarm mode: dockerd does not start", "remove it")


def _parent(case: Case) -> Iterator[Fault]:
    parent, options = case.value("cgroup-parent"), case.value("exec-opts")
    systemd = isinstance(options, list) and "native.cgroupdriver=systemd" in options
    if isinstance(parent, str) and parent and systemd and not parent.endswith(".slice"):
        told = f"cgroup-parent {visible(parent)} ({case.origin('cgroup-parent')})"
        yield Fault(
            f"{told} is no slice, which the systemd cgroup driver wants: dockerd does not start",
            "name one that ends in .slice",
        )


def inverted(limits: Json) -> Iterator[tuple[str, int, int]]:
    """Of default-ulimits those whose soft limit is above the hard one: name, soft and hard."""
    for name, one in limits.items() if isinstance(limits, dict) else ():
        soft, hard = (one.get(key) for key in ("Soft", "Hard")) if isinstance(one, dict) else (None, None)
        if isinstance(soft, int) and isinstance(hard, int) and 0 <= hard < soft:
            yield name, soft, hard


def _limits(case: Case) -> Iterator[Fault]:
    for name, soft, hard in inverted(case.value("default-ulimits")):
        told = f"default-ulimits {visible(name)} ({case.origin('default-ulimits')})"
        yield Fault(f"{told}: soft {soft} is above hard {hard}: no container starts", "let soft be at most hard")


TABLE: tuple[Callable[[Case], Iterator[Fault]], ...] = (
    _bridge,
    _log_options,
    _seccomp,
    _authorization,
    _remapped,
    _lasting,
    _parent,
    _limits,
)
