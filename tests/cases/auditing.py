"""What a case of the audit is: the facts of one real host, and what is different."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockertls.audit.catalogue import BY_ID
from dockertls.audit.gathered import seen
from dockertls.audit.loaded import SCHEMA, parse
from dockertls.audit.seen import Expected
from dockertls.report.findings import as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockertls.audit.gathered import Gathered

CASES = Path(__file__).with_name("audit")
BASE = Path(__file__).with_name("base.json")
ROOT = [0, 0]


MADE: Mapping[str, Callable[[Any], object]] = {
    "warn": lambda days: timedelta(days=days),
    "fail": lambda days: timedelta(days=days),
    "members": frozenset,
    "least_rsa": int,
    "strict_files": bool,
}
"""Fields of `Expected`, from JSON."""


@dataclass(frozen=True)
class Case:
    """One file of tests/cases/audit.

    Attributes:
        check: the folder's name.
        name: the file's.
        told: what it says: "verdict", "says" (a part of cause, reason or evidence), and what is different.
    """

    check: str
    name: str
    told: Mapping[str, Any]

    @property
    def verdict(self) -> str:
        """The one that is true."""
        return str(self.told["verdict"])

    def gathered(self) -> Gathered:
        """The facts."""
        data = base()
        for key, value in self.told.items():
            DIFFERENT[key](data, value)
        content = json.dumps({"schema": SCHEMA, "ok": True, "data": data}).encode()
        return parse(content, self.name)

    def judged(self, gathered: Gathered | None = None) -> dict[str, Any]:
        """What the check says, as JSON.

        Args:
            gathered: other facts than the case's own.
        """
        everyone = seen(gathered or self.gathered(), expected(self.told.get("expected", {})))
        which = min(self.told.get("which", 0), len(everyone) - 1)
        return as_json(BY_ID[self.check].ask(everyone[which]))


def cases() -> Iterator[Case]:
    """All of them."""
    for path in sorted(CASES.glob("*/*.json")):
        text = path.read_text().replace("/proc/PID/", f"/proc/{pid(_base())}/")
        yield Case(path.parent.name, path.stem, json.loads(text))


def base() -> dict[str, Any]:
    """The facts of a host that was bootstrapped and hardened; a new copy each time."""
    return deepcopy(_base())


@cache
def _base() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(BASE.read_text())["data"]
    return found


def pid(data: Mapping[str, Any]) -> str:
    """The dockerd's process."""
    return str(next(iter(data["dockerds"])))


def expected(told: Mapping[str, Any]) -> Expected:
    """What a policy would say."""
    values: dict[str, Any] = {key: MADE[key](value) for key, value in told.items()}
    return Expected(**values)


def merged(data: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """A JSON merge patch (RFC 7396), but that null stands for itself: of a file it says that nothing is there."""
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            merged(data[key], value)
        else:
            data[key] = value


def _file(data: dict[str, Any], path: str, text: str) -> None:
    merged(data["files"], {path: {"kind": "file", "mode": "0644", "owner": ROOT, "text": text}})
    folder, _, name = path.rpartition("/")
    data["links"].pop(path, None)
    names = data["names"].get(folder)
    if names is not None and name not in names:
        names.append(name)


def _files(data: dict[str, Any], texts: dict[str, str]) -> None:
    """Files of root's, with mode 0644."""
    for path, text in texts.items():
        _file(data, path, text)


def _daemon_json(data: dict[str, Any], value: object) -> None:
    """Keys beside those that are there, or the text itself."""
    path = "/etc/docker/daemon.json"
    if isinstance(value, str):
        _file(data, path, value)
        return
    there = json.loads(data["files"][path]["text"])
    merged(there, value if isinstance(value, dict) else {})
    _file(data, path, json.dumps({key: one for key, one in there.items() if one is not None}, indent=1))


def _options(data: dict[str, Any], value: object) -> None:
    """DOCKER_OPTS of /etc/default/docker, and the process that was started with it."""
    _file(data, "/etc/default/docker", f'DOCKER_OPTS="{value}"\n')
    _arguments(data, f"/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock {value}".split())


def _arguments(data: dict[str, Any], words: object) -> None:
    """What the process was started with."""
    listed = list(map(str, words)) if isinstance(words, list) else []
    _file(data, f"/proc/{pid(data)}/cmdline", "".join(f"{word}\0" for word in listed))


def _findings(data: dict[str, Any], verdicts: object) -> None:
    """What looking at the endpoint came to: verdict and cause by id."""
    for endpoint in data["dockerds"][pid(data)]["endpoints"]:
        for one in endpoint["findings"]:
            if isinstance(verdicts, dict) and one["id"] in verdicts:
                one |= {"cause": "as told", "remedy": "as told", "verdict": verdicts[one["id"]]}


def _stopped(data: dict[str, Any], why: object) -> None:
    """No dockerd runs."""
    for output in data["outputs"]:
        if output["argv"][0] == "pidof":
            output |= {"code": 1, "out": ""}
        if output["argv"][:2] == ["systemctl", "show"]:
            output["out"] = output["out"].replace(f"MainPID={pid(data)}", "MainPID=0").replace("=active", f"={why}", 1)
    data["dockerds"] = {}


def _absent(data: dict[str, Any], _: object) -> None:
    """There is no Docker on the host."""
    _stopped(data, "inactive")
    gone = [path for path in data["files"] if "docker" in path and not path.startswith("/proc")]
    data["files"] |= dict.fromkeys(gone)
    for names in data["names"].values():
        names[:] = [name for name in names if "docker" not in name]


def _unseen(data: dict[str, Any], reasons: dict[str, str]) -> None:
    """What the host does not let us see, and why not."""
    merged(data["unseen"], reasons)
    for path in reasons:
        data["files"].pop(path, None)
        data["statuses"].pop(path, None)
        data["keys"].pop(data["links"].get(path, path), None)


def _silent(data: dict[str, Any], why: object) -> None:
    """Its API does not answer."""
    data["dockerds"][pid(data)] |= {"info": {}, "version": {}, "bridge": {}, "fault": why}


def _nothing(_: dict[str, Any], __: object) -> None:
    """It says nothing of the host."""


def _in_dockerd(key: str) -> Any:  # noqa: ANN401 - as DIFFERENT has it
    return lambda data, value: merged(data["dockerds"][pid(data)], {key: value})


DIFFERENT: Mapping[str, Any] = {
    "why": _nothing,
    "verdict": _nothing,
    "says": _nothing,
    "which": _nothing,
    "expected": _nothing,
    "absent": _absent,
    "stopped": _stopped,
    "data": merged,
    "files": _files,
    "statuses": lambda data, value: merged(data["statuses"], value),
    "outputs": lambda data, value: [
        one.update(value[" ".join(one["argv"])]) for one in data["outputs"] if " ".join(one["argv"]) in value
    ],
    "unseen": _unseen,
    "daemon.json": _daemon_json,
    "options": _options,
    "arguments": _arguments,
    "findings": _findings,
    "info": _in_dockerd("info"),
    "version": _in_dockerd("version"),
    "bridge": _in_dockerd("bridge"),
    "published": _in_dockerd("published"),
    "silent": _silent,
    "untried": _in_dockerd("untried"),
    "endpoints": _in_dockerd("endpoints"),
}
"""What a case may say, and what that makes different."""
