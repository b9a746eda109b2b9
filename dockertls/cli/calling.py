"""Ask a daemon's API one thing, and pass its answer on."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, NoReturn

from dockertls.cli.daemons import Target, daemon, judged, paths, read_files
from dockertls.errors import Fault, Interrupted, Negative, NotReady, Refused, attempt, refuse
from dockertls.escaping import visible
from dockertls.probe.complaint import LONGEST_LINE, complaint, last_line, message_of
from dockertls.probe.message import ApiRequest, Body
from dockertls.probe.request import ERROR, Unusable, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dockertls.cli.console import Console
    from dockertls.cli.daemons import ClientFiles, MaterialOptions
    from dockertls.cli.session import Session
    from dockertls.probe.endpoint import Endpoint, UnixSocket
    from dockertls.probe.request import Answer

LARGEST_DOCUMENT = 8 * 1024 * 1024
"""Bytes of a body that become one JSON document."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
JSON, TAR = "application/json", "application/x-tar"


@dataclass(frozen=True)
class Call:
    """What was said on the command line.

    Attributes:
        method: such as "GET".
        path: such as "/containers/json".
        data: a body; None: none was given.
        data_file: the file that holds it; "-" is standard input.
        headers: each `Name: value`.
        query: each `K=V`.
        endpoint: whom to ask; None: whoever is meant by default.
        files: the client's.
        timeout: seconds; see `asked`.
    """

    method: str
    path: str
    data: str | None
    data_file: str | None
    headers: Sequence[str]
    query: Sequence[str]
    endpoint: str | None
    files: MaterialOptions
    timeout: float


@dataclass(frozen=True)
class Caller:
    """Who asks: the terminal, the variables that count, and what looks at this host if that is needed."""

    console: Console
    variables: Mapping[str, str]
    session: Callable[[], Session]


def carry_out(call: Call, caller: Caller) -> None:
    """Ask, and pass the answer on while it comes. Ctrl-C is how a stream is ended, and told in a document alone.

    Raises:
        Interrupted: with --json, if there is no whole answer yet.
        SystemExit: without; also if whoever reads stdout goes away.
        Negative: if the API says no.
        Refused: if something of the call cannot be sent, or the answer cannot be passed on.
        NotReady: if a file cannot be read.
        Unreachable: if there is no answer, or not all of it.
    """
    request, where = _understood(call, caller)
    target = where.endpoint if isinstance(where, Target) else where
    files = None
    if isinstance(where, Target):
        files = read_files(paths(caller.session, caller.variables, where.folder, call.files), where)
        if where.endpoint.note:
            caller.console.say(f"note: {where.endpoint.note}")
    try:
        _ask(call, request, target, files, caller.console)
    except Unusable:
        if files:
            judged(files)  # it knows which of them it is, and why
        raise
    except KeyboardInterrupt:
        if not caller.console.json:
            raise SystemExit(Interrupted.exit) from None
        raise Interrupted("interrupted", "whether the daemon has done what it was asked for was not told") from None


def _understood(call: Call, caller: Caller) -> tuple[ApiRequest, Target | UnixSocket]:
    """What to ask, and whom. Raises Refused with everything that is wrong with it."""
    request, faults = attempt(lambda: ApiRequest.parse(call.method, call.path, call.query, call.headers))
    if call.data is not None and call.data_file is not None:
        faults = (*faults, Fault("there are two bodies", "give --data or --data-file"))
    if isnan(call.timeout):
        faults = (*faults, Fault("--timeout is no number", "give seconds, such as 60"))
    where, others = attempt(lambda: daemon(caller.session, caller.variables, call.endpoint))
    refuse("the request", (*faults, *others))
    if request is None or where is None:
        raise AssertionError("what was refused has no faults")
    return request, where


def _ask(
    call: Call, request: ApiRequest, target: Endpoint | UnixSocket, files: ClientFiles | None, console: Console
) -> None:
    with ExitStack() as stack:
        body = _body(call, stack)
        answer = stack.enter_context(asked(target, files, request, body, timeout=call.timeout))
        status = answer.head.status
        if status >= ERROR:
            _fail(answer)
        if status in REDIRECTS:
            place = visible(dict(answer.head.headers).get("location", "nowhere"))
            raise Negative(
                f"the answer is a redirect to {place}", f"status {status}: ask for that path; none is followed"
            )
        if console.json:
            _tell(answer, console)
        else:
            _pass_on(answer, console)


def _body(call: Call, stack: ExitStack) -> Body | None:
    if call.data is not None:
        content = call.data.encode("utf-8", "surrogateescape")
        return Body((content,) if content else (), len(content), JSON)
    if call.data_file is None:
        return None
    from dockertls.cli.files import opened

    parts, size = stack.enter_context(opened(call.data_file, "the body"))
    return Body(parts, size, TAR)


def _fail(answer: Answer) -> NoReturn:
    status, said = answer.head.status, b""
    for part in answer.parts():
        said += part
        if len(said) > LONGEST_LINE:
            break
    raise Negative(message_of(said) or "the API says no more than its status", f"status {status} of {answer.source}")


def _pass_on(answer: Answer, console: Console) -> None:
    """Each part to stdout when it comes; the last line of JSON is looked at, for it may say that all was in vain."""
    flow, last = console.flow(), b""
    for part in answer.parts():
        try:
            flow(part)
        except BrokenPipeError:  # whoever read it went away, and has what was wanted
            raise SystemExit(0) from None
        except OSError as error:
            raise NotReady(f"standard output cannot be written: {error.strerror}", "is the disk full?") from error
        last = last_line(last, part) if answer.head.is_json else b""
    _judge(last, answer)


def _judge(last: bytes, answer: Answer) -> None:
    if words := complaint(last):
        raise Negative(words, f"status {answer.head.status}, and an error at the end of the stream of {answer.source}")


def _tell(answer: Answer, console: Console) -> None:
    """The whole answer as one document."""
    parts, size = [], 0
    for part in answer.parts():
        parts.append(part)
        size += len(part)
        if size > LARGEST_DOCUMENT:
            message = f"the answer is larger than {LARGEST_DOCUMENT >> 20} MiB, too large for one document"
            raise Refused(message, "leave --json out: the body is passed on as it comes")
    whole = b"".join(parts)
    if answer.head.is_json:
        _judge(last_line(b"", whole), answer)
    headers: dict[str, str] = {}
    for name, value in answer.head.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    data = {"status": answer.head.status, "headers": headers, "body": _decoded(whole, is_json=answer.head.is_json)}
    console.document("api", data, dense=True, foreign=True)


def _decoded(body: bytes, *, is_json: bool) -> object:
    """JSON, a list of what a stream of JSON holds, or text; None: there is no body."""
    import json

    if not body:
        return None
    if is_json:
        for read in (_whole, _lines):
            try:
                found = read(body)
                # what is nested so deeply, or is so large a number, that it cannot be written again is text
                json.dumps([[[found]]], allow_nan=False)
            except (ValueError, RecursionError):
                continue
            return found
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused("the body is neither JSON nor text", "leave --json out, and let a file take it") from None


def _whole(body: bytes) -> object:
    import json

    return json.loads(body, parse_constant=_no_number)


def _lines(body: bytes) -> list[object]:
    return [_whole(line) for line in body.splitlines() if line.strip()]


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
