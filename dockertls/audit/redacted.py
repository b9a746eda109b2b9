"""What was gathered, without what is secret: it may leave the host, and is judged as before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from dockertls.audit.sockets import takes_connections
from dockertls.daemon import redaction
from dockertls.daemon.flags import parse
from dockertls.facts import PASSWD, PROC
from dockertls.masking import masked
from dockertls.plan import File

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePosixPath as Path

    from dockertls.audit.gathered import Asked, Gathered
    from dockertls.documents.json_file import Json
    from dockertls.host import Output
    from dockertls.plan import Node

WITHHELD = b"(a private key: withheld)\n"
_SHOWN_OF_CLIENTS = "currentContext"


def redacted(gathered: Gathered) -> Gathered:
    """The same, with private keys, passwords and tokens left out.

    Args:
        gathered: as it was, or redacted already: then nothing changes.
    """
    facts = gathered.facts
    files = {path: _node(path, node) for path, node in facts.files.items()}
    outputs = {argv: _output(answer) for argv, answer in facts.outputs.items()}
    asked = {pid: _asked(one) for pid, one in gathered.asked.items()}
    return replace(gathered, facts=replace(facts, files=files, outputs=outputs), asked=asked)


def _node(path: Path, node: Node | None) -> Node | None:
    if not isinstance(node, File):
        return node
    if b"PRIVATE KEY" in node.content:
        return replace(node, content=WITHHELD, secret=True, attributes=node.attributes)
    encoding = "utf-8" if _is_utf8(node.content) else "latin-1"  # in which every byte is something
    return replace(node, content=_way(path)(node.content.decode(encoding)).encode(encoding))


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _way(path: Path) -> Callable[[str], str]:
    """How a file is redacted."""
    if path.parent.parent == PROC and path.name == "cmdline":
        return _arguments
    if path.parent.name == "net" and path.is_relative_to(PROC):
        return _listening
    if path in {PASSWD, PASSWD.with_name("group")}:
        return _without_hashes
    return _of_client if path.name == "config.json" else masked


def _listening(text: str) -> str:
    """Of the kernel's tables of sockets those that take connections: who is connected to whom is nobody's matter."""
    head, *lines = text.splitlines(keepends=True) or [""]
    return head + "".join(line for line in lines if takes_connections(line))


def _arguments(text: str) -> str:
    if not text:  # it is gone
        return text
    program, *words = text.removesuffix("\0").split("\0")
    return "\0".join((program, *redaction.arguments(parse(words)), ""))


def _without_hashes(text: str) -> str:
    """The second field of passwd(5) and group(5) may hold a password's hash."""
    lines = (line.split(":") for line in text.splitlines())
    return "".join(f"{':'.join((*one[:1], 'x', *one[2:]) if len(one) > 1 else one)}\n" for one in lines)


def _of_client(text: str) -> str:
    """Of docker's ~/.docker/config.json, which holds logins at registries, the context in use alone."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "{}"
    context = value.get(_SHOWN_OF_CLIENTS) if isinstance(value, dict) else None
    return json.dumps({_SHOWN_OF_CLIENTS: context} if isinstance(context, str) else {})


def _output(answer: Output | None) -> Output | None:
    return replace(answer, out=masked(answer.out), err=masked(answer.err)) if answer else None


def _asked(one: Asked) -> Asked:
    said = one.answers
    info, version, bridge = map(_object, (said.info, said.version, said.bridge))
    return replace(one, answers=replace(said, info=info, version=version, bridge=bridge))


def _object(value: object) -> dict[str, Json]:
    shown = redaction.value("", dict(value) if isinstance(value, dict) else {})
    return shown if isinstance(shown, dict) else {}
