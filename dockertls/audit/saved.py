"""What was gathered as a document: `dockertls facts` writes it, and `audit --facts` judges it elsewhere."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import TYPE_CHECKING

from dockertls.audit.redacted import redacted
from dockertls.plan import Directory, File, Link
from dockertls.report.findings import as_json

if TYPE_CHECKING:
    from dockertls.audit.gathered import Asked, Gathered
    from dockertls.host import Output
    from dockertls.pki.held import HeldKey
    from dockertls.plan import Node, Status


def document(gathered: Gathered) -> dict[str, object]:
    """The data of a document "dockertls/facts/1"; nothing secret is in it.

    Args:
        gathered: of a host, with all its secrets.
    """
    safe = redacted(gathered)
    facts = safe.facts
    return {
        "host": safe.host,
        "taken": facts.taken.isoformat(),
        "runs": facts.runs,
        "asker": facts.asker,
        "peer": safe.peer,
        "docker_dirs": list(map(str, safe.docker_dirs)),
        "files": {str(path): _node(node) for path, node in facts.files.items()},
        "links": {str(path): str(end) for path, end in facts.links.items()},
        "names": {str(path): list(names) for path, names in facts.names.items()},
        "outputs": [_output(argv, answer) for argv, answer in facts.outputs.items()],
        "changed": {str(path): time for path, time in facts.changed.items()},
        "statuses": {str(path): _status(one) for path, one in facts.statuses.items()},
        "unseen": {str(path): why for path, why in facts.unseen.items()},
        "keys": {str(path): _key(one) for path, one in safe.keys.items()},
        "dockerds": {str(pid): _dockerd(one) for pid, one in safe.asked.items()},
    }


def _node(node: Node | None) -> dict[str, object] | None:
    match node:
        case None:
            return None
        case File():
            more = {"attributes": {name: _base64(value) for name, value in node.attributes}} if node.attributes else {}
            return {"kind": "file", **_access(node), **_content(node.content), **more}
        case Directory():
            return {"kind": "directory", **_access(node)}
        case Link():
            return {"kind": "link", "target": node.target}


def _access(node: File | Directory | Status) -> dict[str, object]:
    return {"mode": f"{node.mode:04o}", "owner": list(node.owner)}


def _content(content: bytes) -> dict[str, object]:
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": _base64(content)}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _status(one: Status | None) -> dict[str, object] | None:
    return {"kind": one.kind, **_access(one), "device": one.device, "changed": one.changed} if one else None


def _output(argv: tuple[str, ...], answer: Output | None) -> dict[str, object]:
    return {"argv": list(argv), **(asdict(answer) if answer else {})}


def _key(one: HeldKey) -> dict[str, object]:
    return asdict(one)


def _dockerd(one: Asked) -> dict[str, object]:
    said = one.answers
    return {
        "info": dict(said.info),
        "version": dict(said.version),
        "bridge": dict(said.bridge),
        "published": sorted(said.published),
        "fault": said.fault,
        "endpoints": [
            {"endpoint": live.endpoint.url, "findings": [as_json(finding) for finding in live.findings.values()]}
            for live in one.live
        ],
        "untried": list(one.untried),
    }
