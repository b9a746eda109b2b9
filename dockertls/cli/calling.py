"""Put a question to Docker's remote API and hand on what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dockertls.cli.console import opened
from dockertls.cli.endpoints import Target, material, targets
from dockertls.errors import Interrupted, Negative, Refused, Told, Usage
from dockertls.plan import visible
from dockertls.probe.api import LARGEST_ANSWER
from dockertls.probe.request import Answer, Body, Call, over_tls, over_unix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from dockertls.cli.endpoints import MaterialOptions
    from dockertls.cli.session import Session

FAILURES = range(400, 600)
JSON, TAR = "application/json", "application/x-tar"
LONGEST_LINE = 256 * 1024
UNIX = "unix://"


@dataclass(frozen=True)
class Question:
    """What is asked, as it stands on the command line."""

    method: str
    path: str
    query: Sequence[str]
    headers: Sequence[str]
    data: str | None
    data_file: str | None


def ask(
    session: Session, question: Question, endpoint: str | None, files: MaterialOptions, *, timeout: float, wait: float
) -> None:
    """Ask, and write the answer to standard output.

    Raises:
        Usage, Refused, NotReady: what is wrong with the question or with the client's files.
        Unreachable: no connection, no handshake, or an answer that is cut off.
        Negative: the API says that it failed.
    """
    if question.data is not None and question.data_file is not None:
        raise Usage("--data and --data-file are two bodies", "give one of them")
    way = _way(session, endpoint, files)
    with opened(question.data_file) as file:
        body, kind = _body(question, file)
        call = Call.of((question.method, question.path), question.query, question.headers, body, kind)
        try:
            with way(call, timeout=timeout, wait=wait) as answer:
                _hand_on(session, answer)
        except KeyboardInterrupt:  # how a stream without end is left: nothing was half done
            if session.console.json:
                raise
            raise Told(Interrupted.exit) from None


def _body(question: Question, file: tuple[Iterator[bytes], int | None] | None) -> tuple[Body | None, str]:
    if file is not None:
        return Body(*file), TAR
    if question.data is None:
        return None, ""
    content = question.data.encode(errors="surrogateescape")
    return Body(iter([content]), len(content)), JSON


def _way(session: Session, named: str | None, files: MaterialOptions) -> Callable[..., AbstractContextManager[Answer]]:
    """How the daemon is reached."""
    text = named or session.environment.get("DOCKER_HOST") or ""
    if text.startswith(UNIX):
        return partial(over_unix, text.removeprefix(UNIX))
    target: Target = targets(session, [named] if named else ())[0]
    return partial(over_tls, target.endpoint, material(session, target, files))


def _hand_on(session: Session, answer: Answer) -> None:
    if answer.status in FAILURES:
        raise _failure(answer)
    last = b""
    if session.console.json:
        last = _document(session, answer)
    else:
        for piece in answer.pieces():
            session.console.through(piece)
            last = _last_lines(last + piece)
    reason = _told_at_the_end(last)
    if reason:
        raise Negative(f"the API says: {reason}", "what it did before that stands above")


def _document(session: Session, answer: Answer) -> bytes:
    content = b""
    for piece in answer.pieces():
        content += piece
        if len(content) > LARGEST_ANSWER:
            raise Refused(
                f"the answer is larger than {LARGEST_ANSWER >> 20} MiB", "leave --json out: it comes as it is"
            )
    reason = _told_at_the_end(content)
    if not reason:
        headers = {name.lower(): value for name, value in answer.headers}
        session.console.document("api", {"status": answer.status, "headers": headers, "body": _decoded(content)})
    return _last_lines(content)


def _decoded(content: bytes) -> object:
    """JSON, a list of JSON of each line, or text."""
    text = content.decode(errors="replace")
    for read in (json.loads, lambda one: [json.loads(line) for line in one.splitlines() if line.strip()]):
        try:
            return read(text) if text.strip() else text
        except (ValueError, RecursionError):
            continue
    return text


def _failure(answer: Answer) -> Negative:
    """The API's own message, of an answer that is no success."""
    content = b""
    for piece in answer.pieces():
        content += piece
        if len(content) > LONGEST_LINE:
            break
    decoded = _decoded(content)
    message = decoded.get("message") if isinstance(decoded, dict) else None
    told = visible(str(message or content[:200].decode(errors="replace").strip() or "nothing more"))
    return Negative(
        f"the API says: {told}", f"status {answer.status}; dockerd's log may say more: journalctl -u docker"
    )


def _last_lines(content: bytes) -> bytes:
    """As much of the end as can hold the last line of a stream of JSON."""
    return content[-LONGEST_LINE:]


def _told_at_the_end(content: bytes) -> str:
    """A build or a pull that has failed says so in the last line of a stream that began with 200 OK."""
    line = content.rstrip().rpartition(b"\n")[2]
    if not line.startswith(b"{") or b'"error' not in line:
        return ""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return visible(found["error"]) if isinstance(found, dict) and isinstance(found.get("error"), str) else ""
