"""The program as a user starts it: a process of its own, on a file tree of a host."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any, NoReturn

import dockertls as package
from dockertls.cli.app import main, run
from tests.roots.recorded import planted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

REPOSITORY = Path(__file__).parents[2]
# All that a run may load is loaded before any is counted, or a first one would be like no later one.
for module in walk_packages(package.__path__, "dockertls."):
    if module.name != "dockertls.__main__":
        import_module(module.name)
for loaded in ("cryptography.hazmat.backends.openssl.backend", "rich.console", "rich.markup", "rich.table"):
    import_module(loaded)
with contextlib.redirect_stdout(io.StringIO()):
    run(["status", "--help"])
PATIENCE = 60.0  # seconds: the machine may be busy
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document of a run with --json."""
        document: dict[str, Any] = json.loads(self.out)
        assert document["schema"].startswith("dockertls/")
        assert document["ok"] is (self.code == 0)
        return document


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "dockertls", *map(str, words)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    return ENVIRONMENT | dict(extra or {})


def started(
    *words: object,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    umask: int = -1,
    prefix: tuple[str, ...] = (),
    cwd: Path | None = None,
) -> Ran:
    """Run the program to its end, started as a shell would.

    Args:
        words: of its command line.
        env: variables besides those that every run has.
        stdin: what its standard input holds; never a terminal.
        umask: of the process; -1: as ours.
        prefix: a command that runs the program, such as setpriv.
        cwd: where it is started.
    """
    done = subprocess.run(
        [*prefix, *command(*words)], input=stdin, capture_output=True, env=environment(env), umask=umask, cwd=cwd,
        check=False, timeout=PATIENCE,
    )  # fmt: skip
    return judged(Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")))


def dockertls(
    *words: object,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    umask: int = -1,
    cwd: Path | None = None,
) -> Ran:
    """As `started`, forked from this process: the modules are loaded already, which is most of a run's time."""
    return judged(forked(program(*words), env=env, stdin=stdin, umask=umask, cwd=cwd))


def program(*words: object) -> Callable[[], object]:
    """What a process does that is the program."""

    def act() -> None:
        sys.argv = ["dockertls", *map(str, words)]
        main()

    return act


def forked(
    act: Callable[[], object],
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    umask: int = -1,
    cwd: Path | None = None,
    watched: Callable[[int], AbstractContextManager[object]] = contextlib.nullcontext,
) -> Ran:
    """Let a process of its own act, however it ends; the rest is as for `started`.

    Args:
        watched: entered with the number of the process before it begins, and left when it is gone.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        source.write(stdin)
        source.seek(0)
        gate, opener = os.pipe()
        number = os.fork()
        if number == 0:
            os.close(opener)
            os.read(gate, 1)
            _become(act, environment(env), umask, cwd, (source.fileno(), out.fileno(), err.fileno()))
        os.close(gate)
        with watched(number):
            os.close(opener)
            code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
        out.seek(0)
        err.seek(0)
        return Ran(code, out.read().decode(errors="replace"), err.read().decode(errors="replace"))


def _become(
    act: Callable[[], object], env: dict[str, str], umask: int, cwd: Path | None, handles: tuple[int, int, int]
) -> NoReturn:
    """Act, in the forked process, and end."""
    code = 70
    try:
        signal.alarm(int(PATIENCE))
        for number, handle in enumerate(handles):
            os.dup2(handle, number)
        sys.stdin, sys.stdout, sys.stderr = (open(n, "w" if n else "r", closefd=False) for n in range(3))  # noqa: SIM115 - until the end of the process
        if umask >= 0:
            os.umask(umask)
        os.chdir(cwd or "/")
        os.environ.clear()
        os.environ.update(env)
        act()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 70
    except BaseException:  # noqa: BLE001 - it is told on standard error, which the test looks at
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, AttributeError):
                stream.flush()
        os._exit(code)


def judged(ran: Ran) -> Ran:
    """What holds for every run, whatever its input was."""
    assert "Traceback" not in ran.err + ran.out, ran
    assert "this is a bug" not in ran.err + ran.out, ran
    assert ran.code in {0, 1, 2, 3, 4, 5, 6, 7, 130}, ran
    assert ran.code in {0, 1} or ran.err or ran.out, "it failed without a word"
    return ran


@dataclass(frozen=True)
class Place:
    """A file tree of a host, the store in it, and the program that works on it."""

    root: Path
    options: tuple[str, ...] = field(default=())

    @classmethod
    def recorded(cls, packaging: str, root: Path) -> Place:
        """A copy of a recorded tree."""
        return cls(planted(packaging, root))

    def copied(self, root: Path) -> Place:
        shutil.copytree(self.root, root, symlinks=True)
        return Place(root, self.options)

    @property
    def store(self) -> Path:
        named = dict(zip(self.options, self.options[1:], strict=False)).get("--store")
        return Path(named) if named else self.root / "etc/dockertls"

    @property
    def words(self) -> tuple[str, ...]:
        return ("--root", str(self.root), *self.options)

    def run(self, *words: object, **how: Any) -> Ran:  # noqa: ANN401 - as `dockertls`
        return dockertls(*self.words, *words, **how)

    def started(self, *words: object, **how: Any) -> Ran:  # noqa: ANN401 - as `started`
        return started(*self.words, *words, **how)

    def done(self, *words: object, **how: Any) -> Ran:  # noqa: ANN401 - as `dockertls`
        ran = self.run(*words, **how)
        assert ran.code == 0, ran
        return ran

    def put(self, path: str, content: str | bytes) -> Path:
        """Write a file of the host."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        return place

    @property
    def snapshot(self) -> dict[str, tuple[object, ...]]:
        """Every node of the tree: kind, mode, owner, content, extended attributes."""
        return snapshot(self.root)

    @property
    def untouched(self) -> dict[str, tuple[object, ...]]:
        """Every node but the lock and the history."""
        state = "var/lib/dockertls"
        return {path: node for path, node in self.snapshot.items() if not state.startswith(path) and state not in path}


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    return {str(path.relative_to(root)): _node(path) for path in sorted(root.rglob("*"))}


def _node(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    kind = stat.S_IFMT(status.st_mode)
    owner = (status.st_uid, status.st_gid)
    if kind == stat.S_IFLNK:
        return kind, owner, str(path.readlink())
    content = path.read_bytes() if kind == stat.S_IFREG else b""
    attributes = tuple((name, os.getxattr(path, name)) for name in sorted(os.listxattr(path)))
    return kind, owner, stat.S_IMODE(status.st_mode), content, *attributes
