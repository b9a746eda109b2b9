"""TABLE of the options of dockerd: flag, daemon.json key, kind and what is known of them.

They are those of 20.10 to 29 (moby daemon/), and those of Red Hat's docker 1.13 (projectatomic/docker).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.documents.json_file import Json


class Kind(Enum):
    """What an option's values are; the value is the name that `dockerd --help` gives to it."""

    BOOL = ""
    STRING = "string"
    INT = "int"
    IP = "ip"
    BYTES = "bytes"
    LIST = "list"
    MAP = "map"
    MAPS = "mapmap"
    SET = "set"
    ULIMITS = "ulimit"
    RUNTIMES = "runtime"
    POOLS = "pool-options"
    OBJECT = "object"

    @property
    def repeats(self) -> bool:
        """Whether each occurrence of the flag adds to those before it; otherwise the last one counts."""
        return self in _REPEATING


_REPEATING = frozenset({Kind.LIST, Kind.MAP, Kind.MAPS, Kind.SET, Kind.ULIMITS, Kind.RUNTIMES, Kind.POOLS})


@dataclass(frozen=True)
class Option:
    """One option of dockerd.

    Attributes:
        flag: its long flag without dashes; empty: it is known to daemon.json alone.
        kind: what its values are.
        key: its key in daemon.json; empty: it is a flag alone.
        short: its short flag without the dash.
        inside: the object of daemon.json that its key stands in; elsewhere dockerd takes the key and ignores it.
        since: the first release that has it; empty: 20.10 or older.
        flag_since: the first release that has its flag, where the key is older.
        removed: the first release that refuses it; empty: none known.
        reloadable: SIGHUP applies it.
        secret: it may hold credentials and is never shown.
        only: the names of the programs that have it; none: every dockerd.
    """

    flag: str
    kind: Kind
    key: str
    short: str = ""
    inside: str = ""
    since: str = ""
    flag_since: str = ""
    removed: str = ""
    reloadable: bool = False
    secret: bool = False
    only: tuple[str, ...] = ()


RED_HAT = ("dockerd-current", "dockerd-latest")
"""What Red Hat calls its dockerd 1.12 and 1.13."""

TABLE: tuple[Option, ...] = (
    Option("add-registry", Kind.LIST, "add-registry", only=RED_HAT),
    Option("add-runtime", Kind.RUNTIMES, "runtimes", reloadable=True),
    Option("allow-direct-routing", Kind.BOOL, "allow-direct-routing", since="28.2"),
    Option("allow-nondistributable-artifacts", Kind.LIST, "allow-nondistributable-artifacts", removed="29.0"),
    Option("api-cors-header", Kind.STRING, "api-cors-header", removed="28.0"),
    Option("authorization-plugin", Kind.LIST, "authorization-plugins", reloadable=True),
    Option("bip", Kind.STRING, "bip"),
    Option("bip6", Kind.STRING, "bip6", since="28.0"),
    Option("block-registry", Kind.LIST, "block-registry", only=RED_HAT),
    Option("bridge", Kind.STRING, "bridge", short="b"),
    Option("bridge-accept-fwmark", Kind.STRING, "bridge-accept-fwmark", since="29.0"),
    Option("", Kind.OBJECT, "builder"),
    Option("cdi-spec-dir", Kind.LIST, "cdi-spec-dirs", since="25.0"),
    Option("cgroup-parent", Kind.STRING, "cgroup-parent"),
    Option("cluster-advertise", Kind.STRING, "cluster-advertise", removed="23.0"),
    Option("cluster-store", Kind.STRING, "cluster-store", removed="23.0"),
    Option("cluster-store-opt", Kind.MAP, "cluster-store-opts", removed="23.0"),
    Option("config-file", Kind.STRING, ""),
    Option("containerd", Kind.STRING, "containerd"),
    Option("containerd-namespace", Kind.STRING, "containerd-namespace"),
    # its field in the file is called containerd-plugin-namespace, which the check for unknown keys refuses
    Option("containerd-plugins-namespace", Kind.STRING, ""),
    Option("cpu-rt-period", Kind.INT, "cpu-rt-period"),
    Option("cpu-rt-runtime", Kind.INT, "cpu-rt-runtime"),
    Option("cri-containerd", Kind.BOOL, "cri-containerd"),
    Option("data-root", Kind.STRING, "data-root"),
    Option("debug", Kind.BOOL, "debug", short="D", reloadable=True),
    Option("default-address-pool", Kind.POOLS, "default-address-pools"),
    Option("default-cgroupns-mode", Kind.STRING, "default-cgroupns-mode", reloadable=True),
    Option("default-gateway", Kind.IP, "default-gateway"),
    Option("default-gateway-v6", Kind.IP, "default-gateway-v6"),
    Option("default-ipc-mode", Kind.STRING, "default-ipc-mode", reloadable=True),
    Option("default-network-opt", Kind.MAPS, "default-network-opts", since="24.0"),
    Option("default-runtime", Kind.STRING, "default-runtime", reloadable=True),
    Option("default-shm-size", Kind.BYTES, "default-shm-size", reloadable=True),
    Option("default-stop-timeout", Kind.INT, "default-stop-timeout", since="29.0", reloadable=True),
    Option("default-ulimit", Kind.ULIMITS, "default-ulimits"),
    Option("", Kind.STRING, "deprecated-key-path"),
    Option("disable-legacy-registry", Kind.BOOL, "disable-legacy-registry", only=RED_HAT),
    Option("dns", Kind.LIST, "dns"),
    Option("dns-opt", Kind.LIST, "dns-opts"),
    Option("dns-search", Kind.LIST, "dns-search"),
    Option("enable-secrets", Kind.BOOL, "enable-secrets", only=RED_HAT),
    Option("exec-opt", Kind.LIST, "exec-opts"),
    Option("exec-root", Kind.STRING, "exec-root"),
    Option("experimental", Kind.BOOL, "experimental"),
    Option("feature", Kind.SET, "features", flag_since="27.3", reloadable=True),
    Option("firewall-backend", Kind.STRING, "firewall-backend", since="29.0"),
    Option("fixed-cidr", Kind.STRING, "fixed-cidr"),
    Option("fixed-cidr-v6", Kind.STRING, "fixed-cidr-v6"),
    Option("graph", Kind.STRING, "graph", short="g", removed="23.0"),
    Option("group", Kind.STRING, "group", short="G"),
    Option("help", Kind.BOOL, ""),
    Option("host", Kind.LIST, "hosts", short="H"),
    Option("host-gateway-ip", Kind.IP, "host-gateway-ip"),
    Option("", Kind.LIST, "host-gateway-ips", since="28.0"),
    Option("http-proxy", Kind.STRING, "http-proxy", inside="proxies", since="23.0", secret=True),
    Option("https-proxy", Kind.STRING, "https-proxy", inside="proxies", since="23.0", secret=True),
    Option("icc", Kind.BOOL, "icc"),
    Option("init", Kind.BOOL, "init"),
    Option("init-path", Kind.STRING, "init-path"),
    Option("insecure-registry", Kind.LIST, "insecure-registries", reloadable=True),
    Option("ip", Kind.IP, "ip"),
    Option("ip-forward", Kind.BOOL, "ip-forward"),
    Option("ip-forward-no-drop", Kind.BOOL, "ip-forward-no-drop", since="28.0"),
    Option("ip-masq", Kind.BOOL, "ip-masq"),
    Option("ip6tables", Kind.BOOL, "ip6tables"),
    Option("iptables", Kind.BOOL, "iptables"),
    Option("ipv6", Kind.BOOL, "ipv6"),
    Option("label", Kind.LIST, "labels", reloadable=True),
    Option("live-restore", Kind.BOOL, "live-restore", reloadable=True),
    Option("log-driver", Kind.STRING, "log-driver"),
    Option("log-format", Kind.STRING, "log-format", since="25.0"),
    Option("log-level", Kind.STRING, "log-level", short="l"),
    Option("log-max-line", Kind.INT, "log-max-line", only=RED_HAT),
    Option("log-opt", Kind.MAP, "log-opts"),
    Option("max-concurrent-downloads", Kind.INT, "max-concurrent-downloads", reloadable=True),
    Option("max-concurrent-uploads", Kind.INT, "max-concurrent-uploads", reloadable=True),
    Option("max-download-attempts", Kind.INT, "max-download-attempts", reloadable=True),
    Option("metrics-addr", Kind.STRING, "metrics-addr"),
    Option("", Kind.STRING, "min-api-version", since="29.0"),
    Option("mtu", Kind.INT, "mtu"),
    Option("network-control-plane-mtu", Kind.INT, "network-control-plane-mtu"),
    Option("network-diagnostic-port", Kind.INT, "network-diagnostic-port", reloadable=True),
    Option("no-new-privileges", Kind.BOOL, "no-new-privileges"),
    Option("no-proxy", Kind.STRING, "no-proxy", inside="proxies", since="23.0"),
    Option("node-generic-resource", Kind.LIST, "node-generic-resources"),
    Option("nri-opts", Kind.OBJECT, "nri-opts", since="29.0", reloadable=True),
    Option("oom-score-adjust", Kind.INT, "oom-score-adjust", removed="25.0"),
    Option("pidfile", Kind.STRING, "pidfile", short="p"),
    Option("raw-logs", Kind.BOOL, "raw-logs"),
    Option("registry-mirror", Kind.LIST, "registry-mirrors", reloadable=True),
    Option("restart", Kind.BOOL, "", short="r"),
    Option("rootless", Kind.BOOL, "rootless"),
    Option("seccomp-profile", Kind.STRING, "seccomp-profile"),
    Option("selinux-enabled", Kind.BOOL, "selinux-enabled"),
    Option("shutdown-timeout", Kind.INT, "shutdown-timeout", reloadable=True),
    Option("signature-verification", Kind.BOOL, "signature-verification", only=RED_HAT),
    Option("skip-schema2-push", Kind.BOOL, "skip-schema2-push", only=RED_HAT),
    Option("storage-driver", Kind.STRING, "storage-driver", short="s"),
    Option("storage-opt", Kind.LIST, "storage-opts"),
    Option("swarm-default-advertise-addr", Kind.STRING, "swarm-default-advertise-addr"),
    Option("tls", Kind.BOOL, "tls"),
    Option("tlscacert", Kind.STRING, "tlscacert"),
    Option("tlscert", Kind.STRING, "tlscert"),
    Option("tlskey", Kind.STRING, "tlskey"),
    Option("tlsverify", Kind.BOOL, "tlsverify"),
    Option("userland-proxy", Kind.BOOL, "userland-proxy"),
    Option("userland-proxy-path", Kind.STRING, "userland-proxy-path"),
    Option("userns-remap", Kind.STRING, "userns-remap"),
    Option("validate", Kind.BOOL, "", since="23.0"),
    Option("version", Kind.BOOL, "", short="v"),
)

BY_FLAG: Mapping[str, Option] = MappingProxyType({row.flag: row for row in TABLE if row.flag})
BY_SHORT: Mapping[str, Option] = MappingProxyType({row.short: row for row in TABLE if row.short})
BY_KEY: Mapping[str, Option] = MappingProxyType({row.key: row for row in TABLE if row.key})

WHOLE_KEYS = frozenset(
    {
        "builder",
        "cluster-store-opts",
        "default-network-opts",
        "default-ulimits",
        "features",
        "log-opts",
        "nri-opts",
        "runtimes",
    }
)
"""Keys whose object is their value; any other object in daemon.json is flattened into its keys (moby flatOptions)."""

MERGED_KEYS = frozenset({"runtimes"})
"""Keys that may stand both in daemon.json and among the flags (moby skipDuplicates)."""

# strconv.ParseBool
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")


class BadValue(ValueError):
    """A text that dockerd would not take for this kind of option."""


def read_value(kind: Kind, text: str) -> Json:
    """The value that one occurrence of a flag gives, as daemon.json would hold it.

    A kind that repeats gives a list or an object of one entry, to be joined with the others by `join_values`.

    Args:
        kind: what the option's values are.
        text: the flag's argument.

    Raises:
        BadValue: if dockerd would refuse the text.
    """
    if kind is Kind.BOOL:
        return _read_bool(text)
    if kind is Kind.INT:
        return _read_int(text)
    if kind is Kind.LIST:
        return [text]
    if kind is Kind.POOLS:
        pairs = dict(_pair(part) for part in text.split(","))
        return [pairs | ({"size": _read_int(str(pairs["size"]))} if "size" in pairs else {})]
    return text if not kind.repeats else _read_entry(kind, text)


def _read_int(text: str) -> int:
    number = int(text) if _INTEGER.fullmatch(text) else None
    if number is None or not _is_int64(number):
        raise BadValue("a whole number is needed, of at most 64 bits")
    return number


def _is_int64(number: int) -> bool:
    return -(2**63) <= number < 2**63


def _read_bool(text: str) -> bool:
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise BadValue("true or false is needed")


def _pair(text: str) -> tuple[str, Json]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise BadValue("NAME=VALUE is needed")
    return name, value


def _read_entry(kind: Kind, text: str) -> Json:
    if kind is Kind.SET:
        name, equals, value = text.partition("=")
        return {name: _read_bool(value) if equals else True}
    name, whole = _pair(text)
    value = str(whole)
    if kind is Kind.RUNTIMES:
        return {name: {"path": value}}
    if kind is Kind.MAPS:
        return {name: dict([_pair(value)])}
    if kind is Kind.ULIMITS:
        return {name: _read_ulimit(name, value)}
    return {name: value}


def _read_ulimit(name: str, value: str) -> Json:
    soft, _, hard = value.partition(":")
    return {"Name": name, "Hard": _read_int(hard or soft), "Soft": _read_int(soft)}


def join_values(before: Json, after: Json) -> Json:
    """What two occurrences of a flag give together: lists and objects grow, of anything else the later one counts."""
    if isinstance(before, list) and isinstance(after, list):
        return before + after
    if isinstance(before, dict) and isinstance(after, dict):
        inner = {key: join_values(before[key], value) for key, value in after.items() if key in before}
        return before | after | inner
    return after


def fits(kind: Kind, value: Json) -> bool:
    """Whether daemon.json may hold this value under a key of this kind."""
    if kind is Kind.BOOL:
        return isinstance(value, bool)
    if kind is Kind.INT:
        return isinstance(value, int) and not isinstance(value, bool) and _is_int64(value)
    if kind is Kind.BYTES:
        return isinstance(value, int | str) and not isinstance(value, bool)
    if kind is Kind.LIST:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind is Kind.POOLS:
        return isinstance(value, list)
    return isinstance(value, str if kind in {Kind.STRING, Kind.IP} else dict)
