"""What an option of dockerd is set to, by the strongest evidence that there is, and who says something else.

The API first, for it is what the dockerd does; then its arguments, daemon.json, and what its next start would be told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.model import asked, configure
from dockertls.daemon import redaction
from dockertls.escaping import visible
from dockertls.findings import Evidence, Failed, Passed, Unknown, Warned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dockertls.audit.model import Judge
    from dockertls.audit.seen import Answers, Seen
    from dockertls.documents.json_file import Json
    from dockertls.findings import Verdict

    Asked = Callable[[Answers], tuple[str, Json] | None]

_PASSED_OVER = frozenset({"127.0.0.0/8", "::1/128"})
"""What every dockerd has among its insecure registries."""
_OF_BRIDGE = "com.docker.network.bridge."
_ENCODER = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True)
class Said:
    """What is said of an option.

    Attributes:
        value: the one that counts; None: nobody says anything, or it is not known.
        evidence: who says so, strongest first.
        unknown: why it cannot be told; empty: it can.
    """

    value: Json = None
    evidence: tuple[Evidence, ...] = ()
    unknown: str = ""

    def expecting(self, text: str) -> tuple[Evidence, ...]:
        """The evidence, with what should have been seen; where nobody says anything, that."""
        found = self.evidence or (Evidence("default", "dockerd", "not set"),)
        return tuple(Evidence(one.source, one.place, one.seen, text) for one in found)


def said(seen: Seen, key: str) -> Said:
    """What an option is set to.

    Args:
        seen: of a dockerd that is there.
        key: of daemon.json.
    """
    live = LIVE[key](seen.answers) if key in LIVE else None
    return _as_said(seen, key, [*([("API", *live)] if live else []), *_given(seen, key), *_told(seen, key)])


def said_at_next_start(seen: Seen, key: str) -> Said:
    """What an option will be set to by files; arguments as of `said`."""
    return _as_said(seen, key, [*_told(seen, key)])


def _as_said(seen: Seen, key: str, found: Sequence[tuple[str, str, Json]]) -> Said:
    """By what was found, strongest first; by nothing only where it is known that there is nothing."""
    if not found and (reason := _untold(seen)):
        return Said(unknown=reason)
    evidence = (Evidence(source, place, _shown(key, value)) for source, place, value in found)
    return Said(found[0][2] if found else None, tuple(dict.fromkeys(evidence)))


def _given(seen: Seen, key: str) -> Iterator[tuple[str, str, Json]]:
    """By arguments: source, place and value."""
    if seen.process and seen.is_own and key in (given := seen.process.flags.values()):
        yield "arguments", f"process {seen.process.pid}", given[key]


def _told(seen: Seen, key: str) -> Iterator[tuple[str, str, Json]]:
    """By files: source, place and value, strongest first."""
    if key in seen.reading.file:
        yield "daemon.json", seen.reading.file[key].origin, seen.reading.file[key].value
    flags = seen.reading.by_flags()
    if key in flags:
        yield "unit" if seen.is_own else "arguments", flags[key].origin, flags[key].value


def _untold(seen: Seen) -> str:
    """Why it is not known that nobody says anything; empty: it is."""
    if hidden := seen.doubt or seen.hidden:
        return hidden.reason
    return visible(seen.reading.faults[0].message) if seen.reading.faults else ""


def _shown(key: str, value: Json) -> str:
    return visible(_ENCODER.encode(redaction.value(key, value)))


def _info(name: str) -> Asked:
    def asked(answers: Answers) -> tuple[str, Json] | None:
        return (f"/info {name}", answers.info[name]) if answers.info.get(name) is not None else None

    return asked


def _bridge(name: str, read: Callable[[str], Json]) -> Asked:
    def asked(answers: Answers) -> tuple[str, Json] | None:
        options = answers.bridge.get("Options")
        value = options.get(_OF_BRIDGE + name) if isinstance(options, dict) else None
        return None if value is None else (f"/networks/bridge {name}", read(str(value)))

    return asked


def _security(name: str) -> Asked:
    """Of a security option that is listed if it is on; what is not listed may be too old to be."""

    def asked(answers: Answers) -> tuple[str, Json] | None:
        return (f"/info SecurityOptions {name}", True) if answers.has(name) else None

    return asked


def _registries(answers: Answers) -> tuple[str, Json] | None:
    config = answers.info.get("RegistryConfig")
    if not isinstance(config, dict):
        return None
    indexes, networks = config.get("IndexConfigs"), config.get("InsecureRegistryCIDRs")
    open_ones = [
        name
        for name, one in (indexes.items() if isinstance(indexes, dict) else ())
        if isinstance(one, dict) and one.get("Secure") is False
    ]
    given = networks if isinstance(networks, list) else []
    networks = [one for one in given if isinstance(one, str) and one not in _PASSED_OVER]
    return "/info RegistryConfig", [*open_ones, *networks]


def _plugins(answers: Answers) -> tuple[str, Json] | None:
    plugins = answers.info.get("Plugins")
    return ("/info Plugins.Authorization", plugins.get("Authorization") or []) if isinstance(plugins, dict) else None


LIVE: Mapping[str, Asked] = MappingProxyType(
    {
        "authorization-plugins": _plugins,
        "debug": _info("Debug"),
        "experimental": _info("ExperimentalBuild"),
        "icc": _bridge("enable_icc", lambda text: text == "true"),
        "insecure-registries": _registries,
        "ip": _bridge("host_binding_ipv4", str),
        "live-restore": _info("LiveRestoreEnabled"),
        "log-driver": _info("LoggingDriver"),
        "no-new-privileges": _security("no-new-privileges"),
        "selinux-enabled": _security("selinux"),
        "storage-driver": _info("Driver"),
    }
)
"""What the API says of an option, by its key: where it says so, and the value as daemon.json would have it."""


def option(key: str, judge: Callable[[Seen, Said], Verdict]) -> Judge:
    """By what an option is set to; unknown where that is not known."""

    def judged(seen: Seen) -> Verdict:
        found = said(seen, key)
        verdict = Unknown(found.unknown) if found.unknown else judge(seen, found)
        return _in_force(seen, key, judge, verdict) if isinstance(verdict, Passed) else verdict

    return asked(judged)


def _in_force(seen: Seen, key: str, judge: Callable[[Seen, Said], Verdict], now: Passed) -> Verdict:
    """What is fine as dockerd runs, and would not be once it is started by its files."""
    if seen.hidden or not (seen.process and seen.is_own):
        return seen.hidden or now
    then = said_at_next_start(seen, key)
    later = now if then.unknown else judge(seen, then)
    if not isinstance(later, Failed | Warned):
        return now
    return replace(later, evidence=(*now.evidence, *later.evidence), cause=f"after the next restart, {later.cause}")


def switch(key: str, *, wanted: bool, default: bool, cause: str, warns: bool = False) -> Judge:
    """An option that should be on, or off."""

    def judged(_: Seen, found: Said) -> Verdict:
        value = default if found.value is None else found.value
        evidence = found.expecting(str(wanted).lower())
        if value is wanted:
            return Passed(evidence)
        verdict = Warned if warns else Failed
        return verdict(evidence, cause, configure(key, str(wanted).lower()))

    return option(key, judged)
