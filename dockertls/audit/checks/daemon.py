"""TABLE of checks of how dockerd runs containers: section 2 of the CIS benchmark, by value and not by presence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.audit.model import Check, Fix, asked, cis, configure
from dockertls.audit.options import Said, option, said, switch
from dockertls.daemon.workable import inverted
from dockertls.escaping import visible
from dockertls.facts import PROC
from dockertls.findings import Evidence, Failed, NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.plan import File

if TYPE_CHECKING:
    from dockertls.audit.seen import Seen
    from dockertls.findings import Verdict

SHIPPED = frozenset({"awslogs", "fluentd", "gcplogs", "gelf", "journald", "splunk", "syslog"})
"""Logging drivers that hand on what a container says to somebody who keeps it."""
LOUD, QUIET = frozenset({"debug", "trace"}), frozenset({"warn", "error", "fatal"})


def _rootless(seen: Seen) -> Verdict:
    """By its API, by its unit, and by whose process it is, as the host sees it."""
    name, uid = seen.name, _uid(seen)
    if seen.rootless or uid not in {"", "0"}:
        return Passed((Evidence("dockerd", name, "rootless" if seen.rootless else f"a process of user {uid}"),))
    if not uid and (doubt := seen.unstarted or seen.hidden):
        return doubt
    if not uid and seen.process:
        return Unknown("whose process it is was not seen")
    cause = "dockerd runs as root: who gets out of a container, or may use its socket, is root on the host"
    evidence = (Evidence("dockerd", name, "a process of root" if uid else "a unit of the system's", "rootless"),)
    return Warned(
        evidence, cause, "rootless mode confines it, where its limits can be borne (docs.docker.com/go/rootless)"
    )


def _uid(seen: Seen) -> str:
    """Whose process it is; empty: none is seen."""
    status = seen.facts.files.get(PROC / str(seen.process.pid) / "status") if seen.process else None
    lines = status.content.decode(errors="replace").splitlines() if isinstance(status, File) else []
    return next((words[1] for line in lines if (words := line.split())[:1] == ["Uid:"] and words[1:]), "")


def _between_containers(seen: Seen, found: Said) -> Verdict:
    if said(seen, "bridge").value == "none":
        return NotApplicable("there is no default bridge (bridge is none)")
    if found.value is False:
        return Passed(found.expecting("false"))
    cause = "containers on the default bridge reach each other on every port"
    return Failed(found.expecting("false"), cause, configure("icc", "false"))


def _level(seen: Seen, found: Said) -> Verdict:
    debug, level = said(seen, "debug"), str(found.value or "info")
    evidence = (*debug.expecting("false"), *found.expecting("info"))
    if debug.value is True or level in LOUD:
        cause = "dockerd logs all that it does, credentials of registries among it"
        return Failed(evidence, cause, "set debug to false, and log-level to info")
    if level in QUIET:
        cause = f"at level {level}, dockerd does not say who was refused, and what was started"
        return Warned(evidence, cause, configure("log-level", "info"))
    return Unknown(debug.unknown) if debug.unknown else Passed(evidence)


def _packet_filter(seen: Seen, found: Said) -> Verdict:
    """By arguments and daemon.json: /info names a backend whether it is used or not."""
    if found.value is not False:
        return Passed(found.expecting("true"))
    if said(seen, "bridge").value == "none":
        return NotApplicable("there is no default bridge, and dockerd leaves the packet filter alone")
    cause = "dockerd sets no rules: networks of containers are not kept apart, and ports are published as they come"
    return Failed(found.expecting("true"), cause, configure("iptables", "true"))


def _registries(_: Seen, found: Said) -> Verdict:
    names = [str(one) for one in found.value] if isinstance(found.value, list) else []
    if not names:
        return Passed(found.expecting("none"))
    cause = f"images come from {', '.join(names)} over connections that anybody on the way can change"
    return Failed(found.expecting("none"), cause, "give the registry a certificate, and remove it from the list")


def _storage(seen: Seen, found: Said) -> Verdict:
    driver = str(found.value or "")
    if seen.before("25.0") is False:
        return NotApplicable("Docker 25.0 and newer know neither aufs nor devicemapper")
    if not driver:
        return Unknown("which storage driver is used: dockerd chooses it when it starts")
    if driver not in {"aufs", "devicemapper"}:
        return Passed(found.expecting("overlay2"))
    cause = f"{driver} is no longer maintained, and newer releases do not start with it"
    return Failed(found.expecting("overlay2"), cause, "move to overlay2: save the images, change storage-driver, load")


def _ulimits(_: Seen, found: Said) -> Verdict:
    wrong = [name for name, _, _ in inverted(found.value)]
    if wrong:
        cause = f"the soft limit of {', '.join(wrong)} is above the hard one: dockerd starts, and containers do not"
        return Failed(found.expecting("soft at most hard"), cause, "correct default-ulimits")
    if isinstance(found.value, dict) and found.value:
        return Passed(found.expecting("set"))
    cause = "a container may open as many files as dockerd itself"
    return Warned(found.expecting("set"), cause, "set default-ulimits, nofile at least, to what your containers need")


def _namespaces(seen: Seen, found: Said) -> Verdict:
    if seen.rootless:
        return NotApplicable("in rootless mode root of a container is nobody on the host already")
    if found.value or seen.answers.has("userns"):
        return Passed(found.expecting("a user"))
    cause = "root in a container is root for the kernel, too"
    hint = "on a new host, set userns-remap=default: images, containers and volumes that are there are not seen then"
    return Warned(found.expecting("a user"), cause, hint)


def _parent(seen: Seen, found: Said) -> Verdict:
    if not found.value:
        return Passed(found.expecting("not set"))
    systemd = seen.answers.info.get("CgroupDriver") == "systemd" or "native.cgroupdriver=systemd" in str(
        said(seen, "exec-opts").value
    )
    if systemd and not str(found.value).endswith(".slice"):
        cause = "with systemd as its cgroup driver, dockerd takes a slice alone: no container starts"
        return Failed(found.expecting("a name that ends in .slice"), cause, "name a slice, or remove cgroup-parent")
    cause = "containers share the limits of a cgroup that somebody chose"
    return Warned(found.expecting("not set"), cause, "see that it is meant so, or remove cgroup-parent")


def _base_size(seen: Seen, found: Said) -> Verdict:
    if seen.before("25.0") is False:
        return NotApplicable("Docker 25.0 and newer have no devicemapper")
    named = [str(one) for one in found.value if "dm.basesize" in str(one)] if isinstance(found.value, list) else []
    if not named:
        return Passed(found.expecting("no dm.basesize"))
    return Warned(found.expecting("no dm.basesize"), "it is an option of devicemapper", "remove it with devicemapper")


def _logs(seen: Seen, found: Said) -> Verdict:
    driver, options = str(found.value or "json-file"), said(seen, "log-opts")
    evidence = (*found.expecting("a driver that ships, or local"), *options.expecting("max-size"))
    if driver == "none":
        return Failed(evidence, "what containers say is thrown away", configure("log-driver", "local"))
    if driver in SHIPPED:
        return Passed(evidence)
    named = options.value if isinstance(options.value, dict) else {}
    if driver == "json-file" and "max-size" not in named:
        cause = "json-file keeps all that containers say, until the disk is full"
        return Warned(evidence, cause, "set log-driver=local, or log-opts max-size and max-file")
    return Warned(evidence, "logs stay on this host: who gets root on it can change them", "ship them elsewhere")


def _privileges(_: Seen, found: Said) -> Verdict:
    if found.value is True:
        return Passed(found.expecting("true"))
    cause = "a program in a container may gain rights by setuid"
    return Failed(found.expecting("true"), cause, configure("no-new-privileges", "true"))


def _live_restore(seen: Seen, found: Said) -> Verdict:
    if seen.answers.swarm:
        return NotApplicable("it does not go together with swarm mode")
    if found.value is True:
        return Passed(found.expecting("true"))
    cause = "containers stop when dockerd stops: an upgrade, or a new certificate, takes them down"
    return Failed(found.expecting("true"), cause, configure("live-restore", "true"))


def _proxy(seen: Seen, found: Said) -> Verdict:
    if seen.rootless:
        return NotApplicable("in rootless mode rootlesskit opens the ports")
    if found.value is False:
        return Passed(found.expecting("false"))
    cause = "a process for each published port does what the packet filter could, and hides who calls"
    hint = f"{configure('userland-proxy', 'false')}, and try whether ports are still reached from the host itself"
    return Warned(found.expecting("false"), cause, hint)


def _seccomp(seen: Seen, found: Said) -> Verdict:
    live = next((one.partition("profile=")[2] for one in seen.answers.security if one.startswith("name=seccomp")), "")
    profile = live or str(found.value or "builtin")
    evidence = (
        *((Evidence("API", "/info SecurityOptions seccomp", live, "builtin"),) if live else ()),
        *found.expecting("not set"),
    )
    if profile == "unconfined":
        return Failed(evidence, "containers may make every system call", "remove seccomp-profile")
    if profile in {"builtin", "default"}:
        return Passed(evidence)
    return Warned(evidence, "a profile of your own is used, which nobody keeps up but you", "see that it is meant so")


def _confinement(seen: Seen) -> Verdict:
    if not seen.answers.info:
        return Unknown(f"whether SELinux or AppArmor confines containers: {visible(seen.answers.fault)}")
    used = tuple(name for name in ("selinux", "apparmor") if seen.answers.has(name))
    if used:
        return Passed((Evidence("API", "/info SecurityOptions", ", ".join(used)),))
    evidence = (Evidence("API", "/info SecurityOptions", "neither", "selinux or apparmor"),)
    hint = "switch AppArmor on in the kernel, or SELinux with selinux-enabled=true and container-selinux"
    return Warned(evidence, "neither SELinux nor AppArmor confines containers", hint)


def _oldest_api(seen: Seen, found: Said) -> Verdict:
    if seen.before("29.0"):
        return NotApplicable("it came with Docker 29.0")
    if seen.release is None:
        return Unknown("which release it is, and so whether it refuses them by itself")
    environment = seen.process.environment if seen.process else {}
    if found.value or (environment or {}).get("DOCKER_MIN_API_VERSION"):
        cause = "it was set so that older clients are served, by code that is tried less"
        return Warned(found.expecting("not set"), cause, "remove it once no client needs it")
    if environment is None:
        return Unknown("its environment, which may set it, was not seen")
    return Passed(found.expecting("not set"))


def _address(_: Seen, found: Said) -> Verdict:
    address = str(found.value or "0.0.0.0")  # noqa: S104 - what dockerd takes
    if address not in {"0.0.0.0", "::"}:  # noqa: S104 - as above
        return Passed(found.expecting("an address"))
    cause = "a port that is published without an address is open on every address of the host"
    return Warned(found.expecting("an address"), cause, "set ip to 127.0.0.1 if ports are meant to be local")


TABLE: tuple[Check, ...] = (
    Check("DMN-01", "dockerd does not run as root", Severity.INFO, asked(_rootless), cis("2.1")),
    Check(
        "DMN-02", "Containers of the default bridge are kept apart", Severity.MEDIUM,
        option("icc", _between_containers), cis("2.2"), Fix.OPT_IN,
    ),
    Check(
        "DMN-03", "dockerd logs neither too much nor too little", Severity.LOW,
        option("log-level", _level), cis("2.3"), Fix.SAFE,
    ),
    Check(
        "DMN-04", "dockerd keeps the packet filter", Severity.MEDIUM, option("iptables", _packet_filter), cis("2.4"),
    ),
    Check(
        "DMN-05", "Every registry is reached over TLS", Severity.HIGH,
        option("insecure-registries", _registries), cis("2.5", stig="V-235789"), Fix.OPT_IN,
    ),
    Check(
        "DMN-06", "The storage driver is maintained", Severity.MEDIUM,
        option("storage-driver", _storage), cis("2.6", "2.7", "V-235790"),
    ),
    Check(
        "DMN-08", "Containers have limits by default", Severity.LOW,
        option("default-ulimits", _ulimits), cis("2.8", "2.9"), Fix.OPT_IN,
    ),
    Check(
        "DMN-09", "Root of a container is nobody on the host", Severity.MEDIUM,
        option("userns-remap", _namespaces), cis("2.9", "2.10"),
    ),
    Check(
        "DMN-10", "Containers have a cgroup of their own", Severity.LOW,
        option("cgroup-parent", _parent), cis("2.10", "2.11"),
    ),
    Check(
        "DMN-11", "The base size of devicemapper is not changed", Severity.LOW,
        option("storage-opts", _base_size), cis("2.11", "2.12"),
    ),
    Check(
        "DMN-13", "What containers say is kept, and not on this host alone", Severity.MEDIUM,
        option("log-driver", _logs), cis("2.13", "2.14", "V-235831"), Fix.OPT_IN,
    ),
    Check(
        "DMN-14", "Containers gain no rights", Severity.MEDIUM,
        option("no-new-privileges", _privileges), cis("2.14", "2.15"), Fix.OPT_IN,
    ),
    Check(
        "DMN-15", "Containers outlive a restart of dockerd", Severity.MEDIUM,
        option("live-restore", _live_restore), cis("2.15", "2.16"), Fix.SAFE,
    ),
    Check(
        "DMN-16", "The packet filter publishes ports", Severity.LOW,
        option("userland-proxy", _proxy), cis("2.16", "2.17", "V-235791"), Fix.OPT_IN,
    ),
    Check(
        "DMN-17", "System calls of containers are filtered", Severity.HIGH,
        option("seccomp-profile", _seccomp), cis("2.17", "2.18"), Fix.OPT_IN,
    ),
    Check(
        "DMN-18", "Experimental features are off", Severity.LOW,
        switch("experimental", wanted=False, default=False, cause="features that may change or go away are on"),
        cis("2.18", "2.19", "V-235792"), Fix.SAFE,
    ),
    Check(
        "DMN-19", "SELinux or AppArmor confines containers", Severity.MEDIUM, asked(_confinement)
    ),
    Check("DMN-21", "Ports are published on a named address", Severity.LOW, option("ip", _address)),
    Check("DMN-22", "Old versions of the API are refused", Severity.LOW, option("min-api-version", _oldest_api)),
)  # fmt: skip
"""In the order of the catalogue."""
