"""`dockertls api` as a process, before a unix socket that says what a test wants."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import threading
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import command, dockertls, environment
from tests.e2e.terminal import in_a_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.program import Ran

    Serve = Callable[..., str]

OK = b"HTTP/1.1 200 OK\r\n"
JSON = OK + b"Content-Type: application/json\r\n\r\n"
TEXT = OK + b"Content-Type: text/plain\r\n\r\n"
TIMEOUT = 20.0


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Listen, answer one request with these bytes, and keep what was asked in `tmp_path/asked`."""
    with contextlib.ExitStack() as stack:

        def started(raw: bytes, *, until: threading.Event | None = None) -> str:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(tmp_path / "d.sock"))
            listener.listen()

            def once() -> None:
                caller, _ = listener.accept()
                with caller, contextlib.suppress(OSError):
                    asked = b""
                    while not _is_whole(asked):
                        asked += caller.recv(65536)
                    (tmp_path / "asked").write_bytes(asked)
                    caller.sendall(raw)
                    if until:
                        until.wait(TIMEOUT)

            thread = threading.Thread(target=once)
            thread.start()
            stack.callback(thread.join)
            return f"unix://{tmp_path}/d.sock"

        yield started


def _is_whole(asked: bytes) -> bool:
    head, mark, rest = asked.partition(b"\r\n\r\n")
    if b"Transfer-Encoding" in head:
        return rest.endswith(b"0\r\n\r\n")
    length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
    return bool(mark) and len(rest) >= length


def api(endpoint: str, *words: object, before: tuple[str, ...] = (), **how: object) -> Ran:
    return dockertls(*before, "api", *words, "--endpoint", endpoint, **how)  # type: ignore[arg-type]  # as it takes them


def test_the_body_and_nothing_else_is_on_stdout(serve: Serve) -> None:
    ran = api(serve(JSON + b'[{"a" : 1}]\n'), "GET", "/containers/json")
    assert (ran.code, ran.out, ran.err) == (0, '[{"a" : 1}]\n', "")


def test_an_error_is_its_own_message_and_exit_code_one(serve: Serve) -> None:
    raw = b'HTTP/1.1 404 X\r\nContent-Type: application/json\r\n\r\n{"message":"No such image: x"}\n'
    ran = api(serve(raw), "GET", "/images/x/json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[0] == "dockertls: No such image: x"
    assert "status 404" in ran.err


def test_an_error_as_a_document(serve: Serve) -> None:
    ran = api(serve(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"), "GET", "/x", before=("--json",))
    assert ran.code == 1
    assert ran.document["error"]["kind"] == "negative"
    assert "status 500" in ran.document["error"]["hint"]


STREAM = b'{"status":"Pulling"}\r\n{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}\r\n'


def test_a_stream_that_ends_with_an_error_is_passed_on_and_has_failed(serve: Serve) -> None:
    ran = api(serve(JSON + STREAM), "POST", "/images/create")
    assert (ran.code, ran.out) == (1, STREAM.decode())
    assert ran.err.splitlines()[0] == "dockertls: manifest unknown"


def test_a_stream_that_ends_with_an_error_as_a_document(serve: Serve) -> None:
    ran = api(serve(JSON + STREAM), "POST", "/images/create", before=("--json",))
    assert ran.code == 1
    assert ran.document["error"]["message"] == "manifest unknown"


def test_what_a_container_writes_is_no_error_of_the_api(serve: Serve) -> None:
    line = b'{"error":"of a container"}\n'
    ran = api(serve(OK + b"Content-Type: application/vnd.docker.raw-stream\r\n\r\n" + line), "GET", "/logs")
    assert (ran.code, ran.out, ran.err) == (0, line.decode(), "")


def test_a_body_that_is_cut_off_is_exit_code_seven(serve: Serve) -> None:
    ran = api(serve(OK + b"Content-Length: 10\r\n\r\n01234"), "GET", "/x")
    assert (ran.code, ran.out) == (7, "01234")
    assert "after 5 of 10 bytes" in ran.err


def test_a_redirect_is_told_and_not_followed(serve: Serve) -> None:
    ran = api(serve(b"HTTP/1.1 301 X\r\nLocation: /\x41\r\nContent-Length: 0\r\n\r\n"), "GET", "//x")
    assert ran.code == 1
    assert "redirect to /A" in ran.err


def test_what_is_already_so_is_no_failure(serve: Serve) -> None:
    ran = api(serve(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "POST", "/containers/x/start")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_attach_is_refused_with_an_explanation(serve: Serve) -> None:
    ran = api(serve(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n"), "POST", "/containers/x/attach")
    assert ran.code == 3
    assert "attach" in ran.err


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("--data", '{"a":1}'), b"", (b"Content-Type: application/json", b"Content-Length: 7", b'\r\n\r\n{"a":1}')),
        (("--data", ""), b"", (b"Content-Length: 0",)),
        (("--data", "@-"), b"secret", (b"\r\n\r\n@-",)),
        (("--data-file", "{tar}"), b"", (b"Content-Type: application/x-tar", b"Content-Length: 5", b"\r\n\r\nabcde")),
        (("--data-file", "-"), b"xyz", (b"Content-Length: 3", b"\r\n\r\nxyz")),
        (("--data-file", "/proc/self/comm"), b"", (b"Transfer-Encoding: chunked",)),
        (("--data-file", "/dev/null"), b"", (b"Transfer-Encoding: chunked", b"\r\n\r\n0\r\n\r\n")),
        (("--data", "a", "--header", "Content-Type: text/x", "--header", "X-A: b"), b"", (b"Content-Type: text/x",)),
        (("--query", "a=b c", "--query", "d=\u00fc"), b"", (b"POST /x?a=b%20c&d=%C3%BC HTTP/1.1",)),
    ],
)
def test_what_is_sent(
    serve: Serve, tmp_path: Path, words: tuple[str, ...], stdin: bytes, said: tuple[bytes, ...]
) -> None:
    (tmp_path / "tar").write_bytes(b"abcde")
    given = [word.replace("{tar}", str(tmp_path / "tar")) for word in words]
    ran = api(serve(OK + b"\r\n"), "post", "/x", *given, stdin=stdin)
    assert ran.code == 0, ran
    asked = (tmp_path / "asked").read_bytes()
    assert all(one in asked for one in said), asked
    assert asked.count(b"Content-Type") == (0 if words[0] == "--query" else 1)


def test_a_pipe_is_sent_as_it_comes(serve: Serve, tmp_path: Path) -> None:
    with subprocess.Popen(["printf", "%s", "x" * 100_000], stdout=subprocess.PIPE) as writer:
        ran = subprocess.run(
            command("api", "POST", "/load", "--data-file", "-", "--endpoint", serve(OK + b"\r\n")),
            stdin=writer.stdout, env=environment(), check=False, timeout=TIMEOUT,
        )  # fmt: skip
    assert ran.returncode == 0
    asked = (tmp_path / "asked").read_bytes()
    assert b"Transfer-Encoding: chunked" in asked
    assert asked.count(b"x") >= 100_000


BAD = (
    (("G T", "/x"), 3, "no method"),
    (("GET", "x"), 3, "does not begin with /"),
    (("GET", "/x\r\nX: y"), 3, "cannot stand in a request"),
    (("GET", "/x", "--header", "X: y\r\nZ: z"), 3, "control character"),
    (("GET", "/x", "--query", "all"), 3, "not K=V"),
    (("GET", "/x", "--data", "a", "--data-file", "b"), 3, "two bodies"),
    (("GET", "/x", "--data-file", "/nonexistent"), 4, "cannot be read: No such file"),
    (("GET", "/x", "--data-file", "/"), 4, "cannot be read: Is a directory"),
    (("GET", "/x", "--endpoint", "unix://relative"), 3, "not absolute"),
    (("GET", "/x", "--endpoint", "ssh://web1"), 3, "ssh"),
    (("GET", "/x", "--endpoint", "https://web1"), 3, "tcp://"),
    (("GET", "/x", "--timeout", "0"), 2, "timeout"),
    (("GET", "/x", "--timeout", "nan"), 3, "--timeout is no number"),
    (("GET",), 2, "PATH"),
)


@pytest.mark.parametrize(("words", "code", "told"), BAD)
def test_bad_input(words: tuple[str, ...], code: int, told: str) -> None:
    given = words if "--endpoint" in words else (*words, "--endpoint", "unix:///nonexistent.sock")
    ran = dockertls("api", *given)
    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err
    assert "\r" not in ran.err
    assert dockertls("--json", "api", *given).document["error"]["exit"] == code


def test_all_faults_are_told_at_once() -> None:
    words = ("--query", "x", "--header", "y", "--data", "", "--data-file", "", "--endpoint", "ssh://web1")
    ran = dockertls("api", "1", "x", *words)
    assert ran.code == 3
    assert "6 faults" in ran.err


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (JSON + b'{"a":[1]}\n', {"a": [1]}),
        (JSON + b'{"a":1}\r\n\r\n{"b":2}\r\n', [{"a": 1}, {"b": 2}]),
        (JSON + b"null", None),
        (JSON, None),
        (JSON + b"{", "{"),
        (JSON + b"NaN", "NaN"),
        (JSON + b'{"a":1e999}', '{"a":1e999}'),
        (JSON + b"1" * 5000, "1" * 5000),
        (JSON + b"[" * 20_000 + b"]" * 20_000, "[" * 20_000 + "]" * 20_000),
        (JSON + b'["\\ud800", "\\u001b\\u009b"]', ["\ud800", "\x1b\x9b"]),
        (TEXT + b"OK", "OK"),
        (TEXT + b'{"a":1}', '{"a":1}'),
        (OK + b"\r\n\x01\x00\x00\x00\x00\x00\x00\x01a", "\x01\x00\x00\x00\x00\x00\x00\x01a"),
    ],
)
def test_one_document(serve: Serve, raw: bytes, body: object) -> None:
    ran = api(serve(raw), "GET", "/x", before=("--json",))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.isascii()
    assert ran.document["schema"] == "dockertls/api/1"
    assert ran.document["data"]["status"] == 200
    assert ran.document["data"]["body"] == body


def test_headers_in_the_document(serve: Serve) -> None:
    raw = OK + b"Api-Version: 1.41\r\nX: a\r\nx: b\r\nContent-Length: 0\r\n\r\n"
    headers = api(serve(raw), "HEAD", "/x", before=("--json",)).document["data"]["headers"]
    assert headers == {"api-version": "1.41", "x": "a, b", "content-length": "0"}


@pytest.mark.parametrize(
    ("raw", "told"), [(TEXT + b"x" * (8 << 20) + b"y", "8 MiB"), (TEXT + b"\xff", "neither JSON nor text")]
)
def test_what_is_no_document_is_refused_with_a_hint(serve: Serve, raw: bytes, told: str) -> None:
    ran = api(serve(raw), "GET", "/x", before=("--json",))
    assert ran.code == 3
    assert told in ran.document["error"]["message"]
    assert "leave --json out" in ran.document["error"]["hint"]


def test_a_pipe_gets_the_bytes_and_a_terminal_is_not_driven(serve: Serve, tmp_path: Path) -> None:
    body = "a\tb\r\n\x1b]0;x\x07\u009b2J\u202e\u00fc\x00".encode() + b"\xff"
    raw = OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"1\r\n%c\r\n" % one for one in body) + b"0\r\n\r\n"
    words = command("api", "GET", "/x", "--endpoint", serve(raw))
    done = subprocess.run(words, env=environment(), capture_output=True, check=False, timeout=TIMEOUT)
    assert (done.returncode, done.stdout, done.stderr) == (0, body, b"")
    (tmp_path / "d.sock").unlink()
    words = command("api", "GET", "/x", "--endpoint", serve(raw))
    code, seen = in_a_terminal(words, tmp_path)
    assert code == 0
    assert "a\tb" in seen
    assert r"\x1b]0;x\x07\x9b2J\u202e" in seen
    assert "\u00fc" in seen
    assert seen.rstrip().endswith(r"\x00\xff")
    assert "\x1b" not in seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stream_ends_quietly_when_the_user_says_so(serve: Serve, number: signal.Signals) -> None:
    over = threading.Event()
    words = command("api", "GET", "/events", "--endpoint", serve(JSON + b'{"a":1}\n', until=over))
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b'{"a":1}\n'
        process.send_signal(number)
        assert (process.wait(TIMEOUT), process.stdout.read(), process.stderr.read()) == (130, b"", b"")
    over.set()


def test_an_interrupted_document_says_what_is_not_known(serve: Serve, tmp_path: Path) -> None:
    over = threading.Event()
    words = command("--json", "api", "GET", "/events", "--endpoint", serve(JSON, until=over))
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE) as process:
        while not (tmp_path / "asked").exists():
            assert process.poll() is None
            threading.Event().wait(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=TIMEOUT)
    over.set()
    assert process.returncode == 130
    assert json.loads(out)["error"]["kind"] == "interrupted"


def test_whoever_reads_may_go_away(serve: Serve) -> None:
    words = command("api", "GET", "/x", "--endpoint", serve(TEXT + b"x\n" * 5_000_000))
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(TIMEOUT), process.stderr.read()) == (0, b"")


def test_a_full_disk_is_told(serve: Serve) -> None:
    words = command("api", "GET", "/x", "--endpoint", serve(TEXT + b"x" * 100))
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            words, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False, timeout=TIMEOUT
        )
    assert done.returncode == 4
    assert b"No space left" in done.stderr


def test_closed_standard_streams_are_told(serve: Serve) -> None:
    endpoint = serve(TEXT + b"OK")
    for closed, words in (("<&-", ("POST", "/x", "--data-file", "-")), (">&-", ("GET", "/x"))):
        script = f'exec "$@" {closed}'
        argv = ["sh", "-c", script, "sh", *command("api", *words, "--endpoint", endpoint)]
        done = subprocess.run(argv, env=environment(), stderr=subprocess.PIPE, check=False, timeout=TIMEOUT)
        assert done.returncode == 4
        assert b"is closed" in done.stderr


# whom to ask


def test_docker_host_is_asked_and_what_is_named_comes_first(serve: Serve) -> None:
    endpoint = serve(TEXT + b"OK")
    assert dockertls("api", "GET", "/x", env={"DOCKER_HOST": "unix:///nonexistent.sock"}).code == 7
    ran = dockertls("api", "GET", "/x", "--endpoint", endpoint, env={"DOCKER_HOST": "unix:///nonexistent.sock"})
    assert (ran.code, ran.out) == (0, "OK")


def test_an_empty_folder_of_certificates_is_none(tmp_path: Path) -> None:
    env = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CERT_PATH": ""}
    ran = dockertls("api", "GET", "/x", "--endpoint", "tcp://127.0.0.1:1", env=env)
    assert ran.code == 4
    assert f"{tmp_path}/ca.pem" in ran.err, "docker takes its own folder then, and not the working directory"


def test_an_endpoint_without_a_name_is_no_other_one() -> None:
    ran = dockertls("api", "DELETE", "/x", "--endpoint", "", env={"DOCKER_HOST": "unix:///nonexistent.sock"})
    assert (ran.code, ran.out) == (3, "")
    assert "it is empty" in ran.err


def with_context(folder: Path, name: str, host: str) -> dict[str, str]:
    meta = folder / "contexts/meta" / sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}))
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))
    return {"DOCKER_CONFIG": str(folder)}


def test_the_docker_context_is_asked(serve: Serve, tmp_path: Path) -> None:
    env = with_context(tmp_path / "docker", "here", serve(TEXT + b"OK"))
    ran = dockertls("api", "GET", "/x", env=env)
    assert (ran.code, ran.out) == (0, "OK")


def test_a_context_that_cannot_be_used_is_not_replaced_by_another_daemon(tmp_path: Path) -> None:
    env = with_context(tmp_path / "docker", "far", "ssh://far.example.com")
    ran = dockertls("api", "POST", "/containers/prune", env=env)
    assert ran.code == 3
    assert "ssh://far.example.com" in ran.err
    ran = dockertls("api", "POST", "/containers/prune", env=env | {"DOCKER_CONTEXT": "none"})
    assert ran.code == 3
    assert "there is none of that name" in ran.err


@pytest.mark.parametrize("words", [("api", "GET", "/x"), ("check",)])
def test_a_context_without_tls_is_told_to_be_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    env = with_context(tmp_path / "docker", "far", "tcp://192.0.2.1:2375")
    ran = dockertls(*words, env=env)
    assert ran.code == 4
    assert "the docker context far has no TLS: docker speaks plain HTTP with it" in ran.err
    assert 'docker context update far --docker "host=tcp://192.0.2.1:2375,ca=ca.pem,' in ran.err
    named = dockertls(*words, "--cert-path", tmp_path / "none", env=env)
    assert named.code == 4
    assert f"{tmp_path}/none/ca.pem cannot be read" in named.err, "the files that are named are what is meant"


def test_in_a_file_tree_this_machines_daemon_is_not_asked(tmp_path: Path) -> None:
    ran = dockertls("--root", tmp_path, "api", "POST", "/containers/prune", env={"DOCKER_HOST": "tcp://192.0.2.1:2376"})
    assert ran.code == 4
    assert "a file tree has no daemon" in ran.err
