"""A document of `dockertls facts`, read again: whatever it is, it is taken whole or refused."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from dockertls.audit.gathered import Asked, Gathered
from dockertls.audit.seen import Answers, Live
from dockertls.errors import Fault, Refused, refuse
from dockertls.escaping import visible
from dockertls.facts import PROCESS_ID, HostFacts
from dockertls.findings import (
    SEVERITIES,
    Evidence,
    Failed,
    Finding,
    NotApplicable,
    Passed,
    Severity,
    Unknown,
    Verdict,
    Warned,
)
from dockertls.host import Output
from dockertls.pki.held import HeldKey
from dockertls.plan import Directory, File, Link, Node, Status
from dockertls.probe.endpoint import TLS_PORT, Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockertls.plan import Owner

T = TypeVar("T")

SCHEMA = "dockertls/facts/1"
LARGEST = 64 * 1024 * 1024
"""Bytes of a document that are read at most: that of a host with a thousand users has three million."""
_MOST_SECONDS = 2**63
_NO_NAMES = frozenset({"", ".", ".."})
_MODE = re.compile(r"[0-7]{1,5}")
_MOST_FAULTS = 20
_HINT = f"make it anew: dockertls facts --output FILE, of a release that writes {SCHEMA}"


def parse(content: bytes, name: str) -> Gathered:
    """What a document tells.

    Args:
        content: the whole file.
        name: what messages call it.

    Raises:
        Refused: with all that is wrong with it.
    """
    title = f"{visible(name)} is not what `dockertls facts` writes"
    try:
        top = json.loads(content)
    except RecursionError:
        raise Refused(f"{title}: it is nested too deeply", _HINT) from None
    except ValueError as error:
        raise Refused(f"{title}: {visible(str(error))}", _HINT) from None
    schema = top.get("schema") if isinstance(top, dict) else None
    if schema != SCHEMA:
        raise Refused(f"{title}: its schema is {visible(str(schema))[:60]}, not {SCHEMA}", _HINT)
    reader = _Reader()
    found = reader.gathered(top.get("data"))
    refuse(title, reader.faults)
    return found


@lru_cache(maxsize=4096)
def _path(text: str) -> Path:
    """The same paths are on every host, and a path takes longer to make than to look up."""
    return Path(text)


class _Reader:
    """Takes values as what they should be, and notes those that are not."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def _wrong(self, where: str, wanted: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Fault(f"{visible(where)[:200]} is not {wanted}", _HINT))

    def _as(self, value: object, kind: type[T], where: str, default: T) -> T:
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        self._wrong(
            where, {str: "a text", int: "a whole number", bool: "true or false"}.get(kind, f"a {kind.__name__}")
        )
        return default

    def _object(self, value: object, where: str) -> dict[str, object]:
        return self._as(value, dict, where, {})

    def _texts(self, value: object, where: str) -> tuple[str, ...]:
        found = self._as(value, list, where, [])
        if set(map(type, found)) <= {str}:  # as nearly all are: a host has thousands of names
            return tuple(found)
        return tuple(self._as(one, str, where, "") for one in found)

    def _names(self, value: object, where: str) -> tuple[str, ...]:
        found = self._texts(value, where)
        if not _NO_NAMES.isdisjoint(found) or any("/" in name for name in found):
            self._wrong(where, "of names in a directory")
            return ()
        return found

    def _seconds(self, value: object, where: str) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST_SECONDS:
            return float(value)
        self._wrong(where, "a time in seconds")
        return 0.0

    def _each(self, data: Mapping[str, object], part: str, read: Callable[[object, str], T]) -> Mapping[Path, T]:
        """The members of an object whose names are paths."""
        members = self._object(data.get(part), part)
        return MappingProxyType({_path(path): read(value, f"{part}: {path}") for path, value in members.items()})

    def gathered(self, value: object) -> Gathered:
        data = self._object(value, "data")
        peer = data.get("peer")
        return Gathered(
            self._as(data.get("host"), str, "host", ""),
            self._facts(data),
            self._each(data, "keys", self._key),
            MappingProxyType(dict(self._dockerds(data))),
            None if peer is None else self._as(peer, int, "peer", 0),
            tuple(map(_path, self._texts(data.get("docker_dirs"), "docker_dirs"))),
        )

    def _facts(self, data: Mapping[str, object]) -> HostFacts:
        outputs = self._as(data.get("outputs"), list, "outputs", [])
        return HostFacts(
            self._time(data.get("taken")),
            self._as(data.get("runs"), bool, "runs", default=True),
            self._each(data, "files", self._node),
            self._each(data, "links", lambda value, where: _path(self._as(value, str, where, ""))),
            self._each(data, "names", self._names),
            MappingProxyType(dict(self._output(one, f"outputs: {number}") for number, one in enumerate(outputs))),
            self._each(data, "changed", self._seconds),
            self._each(data, "statuses", self._status),
            self._each(data, "unseen", lambda value, where: self._as(value, str, where, "")),
            self._as(data.get("asker"), int, "asker", 0),
            saved=True,
        )

    def _time(self, value: object) -> datetime:
        try:
            found = datetime.fromisoformat(self._as(value, str, "taken", ""))
        except ValueError:
            self._wrong("taken", "a time (ISO 8601)")
            return datetime.fromtimestamp(0, UTC)
        if found.tzinfo is None:
            self._wrong("taken", "a time with a zone")
            return found.replace(tzinfo=UTC)
        return found

    def _node(self, value: object, where: str) -> Node | None:
        if value is None:
            return None
        given = self._object(value, where)
        match given.get("kind"):
            case "file":
                mode, owner = self._access(given, where)
                return File(self._content(given, where), mode, owner, attributes=tuple(self._attributes(given, where)))
            case "directory":
                return Directory(*self._access(given, where))
            case "link":
                return Link(self._as(given.get("target"), str, where, ""))
            case _:
                self._wrong(where, "a file, a directory or a link")
                return None

    def _access(self, given: Mapping[str, object], where: str) -> tuple[int, Owner]:
        mode, owner = given.get("mode"), given.get("owner")
        if not (isinstance(mode, str) and _MODE.fullmatch(mode)):
            self._wrong(where, "of a mode, such as 0644")
            mode = "0"
        match owner:
            case [int() as user, int() as group] if not isinstance(user, bool) and not isinstance(group, bool):
                return int(mode, 8), (user, group)
        self._wrong(where, "of an owner, such as [0, 0]")
        return int(mode, 8), (0, 0)

    def _content(self, given: Mapping[str, object], where: str) -> bytes:
        if "base64" not in given:
            return self._as(given.get("text"), str, where, "").encode(errors="replace")
        return self._decoded(given["base64"], where)

    def _decoded(self, value: object, where: str) -> bytes:
        try:
            return base64.b64decode(self._as(value, str, where, ""), validate=True)
        except ValueError:
            self._wrong(where, "base64")
            return b""

    def _attributes(self, given: Mapping[str, object], where: str) -> Iterator[tuple[str, bytes]]:
        for name, value in self._object(given.get("attributes", {}), where).items():
            yield name, self._decoded(value, where)

    def _status(self, value: object, where: str) -> Status | None:
        if value is None:
            return None
        given = self._object(value, where)
        kind = self._as(given.get("kind"), str, where, "")
        mode, owner = self._access(given, where)
        device = self._as(given.get("device"), int, where, 0)
        return Status(kind, mode, owner, device, self._seconds(given.get("changed"), where))

    def _output(self, value: object, where: str) -> tuple[tuple[str, ...], Output | None]:
        given = self._object(value, where)
        argv = self._texts(given.get("argv"), where)
        if "code" not in given:
            return argv, None
        code = self._as(given["code"], int, where, 0)
        out, err = (self._as(given.get(name), str, where, "") for name in ("out", "err"))
        return argv, Output(code, out, err)

    def _key(self, value: object, where: str) -> HeldKey:
        given = self._object(value, where)
        fault = given.get("fault")
        told = None if fault is None else self._fault(self._object(fault, where), where)
        digest = self._as(given.get("digest"), str, where, "")
        return HeldKey(digest, self._as(given.get("encrypted"), bool, where, default=False), told)

    def _fault(self, given: Mapping[str, object], where: str) -> Fault:
        return Fault(*(self._as(given.get(name), str, where, "") for name in ("message", "hint")))

    def _dockerds(self, data: Mapping[str, object]) -> Iterator[tuple[int, Asked]]:
        for pid, value in self._object(data.get("dockerds"), "dockerds").items():
            where = f"dockerds: {pid}"
            if not PROCESS_ID.fullmatch(pid):
                self._wrong(where, "named by a process id")
                continue
            given = self._object(value, where)
            endpoints = self._as(given.get("endpoints"), list, where, [])
            live = tuple(self._live(one, where) for one in endpoints)
            yield int(pid), Asked(self._answers(given, where), live, self._texts(given.get("untried"), where))

    def _answers(self, given: Mapping[str, object], where: str) -> Answers:
        info, version, bridge = (self._object(given.get(name), where) for name in ("info", "version", "bridge"))
        published = self._as(given.get("published"), list, where, [])
        ports = frozenset(self._as(one, int, where, 0) for one in published)
        return Answers(info, version, bridge, ports, self._as(given.get("fault"), str, where, ""))  # type: ignore[arg-type]  # what json.loads made

    def _live(self, value: object, where: str) -> Live:
        given = self._object(value, where)
        found = [self._finding(one, where) for one in self._as(given.get("findings"), list, where, [])]
        return Live(self._endpoint(given.get("endpoint"), where), MappingProxyType({one.id: one for one in found}))

    def _endpoint(self, value: object, where: str) -> Endpoint:
        try:
            return Endpoint.parse(self._as(value, str, where, ""))
        except Refused:
            self._wrong(f"{where}: endpoint", "a host and a port, such as tcp://127.0.0.1:2376")
            return Endpoint("localhost", TLS_PORT)

    def _finding(self, value: object, where: str) -> Finding:
        given = self._object(value, where)
        id_, title = (self._as(given.get(name), str, where, "") for name in ("id", "title"))
        severity = given.get("severity")
        if not isinstance(severity, str) or severity not in SEVERITIES:
            self._wrong(where, "a finding with a severity that is known")
        return Finding(id_, title, SEVERITIES.get(str(severity), Severity.HIGH), self._verdict(given, where))

    def _verdict(self, given: Mapping[str, object], where: str) -> Verdict:
        evidence = tuple(self._evidence(one, where) for one in self._as(given.get("evidence"), list, where, []))
        cause, remedy = (str(given.get(name) or "") for name in ("cause", "remedy"))
        match given.get("verdict"):
            case "passed":
                return Passed(evidence)
            case "failed":
                return Failed(evidence, cause, remedy)
            case "warned":
                return Warned(evidence, cause, remedy)
            case "not-applicable":
                return NotApplicable(cause)
            case "unknown":
                return Unknown(cause)
            case _:
                self._wrong(where, "a finding with a verdict that is known")
                return Unknown(cause)

    def _evidence(self, value: object, where: str) -> Evidence:
        given = self._object(value, where)
        return Evidence(
            *(self._as(given.get(name), str, where, "") for name in ("source", "place", "seen", "expected"))
        )
