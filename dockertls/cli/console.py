"""The only place that prints or asks, and that reads what the user hands over: named files, secrets, environment."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

from dockertls.cli.drawing import columns_of, folded, grid, padded, too_many
from dockertls.cli.files import LARGEST_INPUT, read_input
from dockertls.cli.stdout import flushed, put, unwritable
from dockertls.errors import DockerTLSError, NeedsConsent, NotReady, Refused, Usage
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from dockertls.report.tables import Table

T = TypeVar("T")
R = TypeVar("R")

FEW = 20  # fewer items need no bar
MANY = 2000  # rows: to fold and to colour one takes most of a millisecond
PIECE = 256 * 1024  # bytes
MOST_DESCRIPTORS = 2**31 - 1
PASSPHRASE_PATIENCE = 120.0  # seconds: a command may ask a person


@dataclass(frozen=True)
class Console:
    """The terminal, or the pipes in its place.

    Attributes:
        json: stdout is exactly one JSON document.
        quiet: no progress and no hints.
        verbose: more of them.
        colour: whether colours may be used where stdout is a terminal.
    """

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    colour: bool = True

    # the result: stdout

    def result(self, text: str = "") -> None:
        """A line of the result; nothing with --json, where `document` is the result."""
        if not self.json:
            put(text + "\n")

    def tell(self, text: str) -> None:
        """A line of the result, folded to the terminal's width; whole in a pipe."""
        room = self.columns
        self.result(folded(text, room) if room else text)

    def raw(self, content: bytes) -> None:
        """Bytes to stdout as they are; raises as `put`."""
        rest = memoryview(content)
        try:
            while rest:  # without a buffer (python -u), a write may take a part of it
                rest = rest[sys.stdout.buffer.write(rest) :]
            sys.stdout.buffer.flush()
        except OSError as error:
            raise unwritable(error) from error

    def flow(self) -> Callable[[bytes], None]:
        """What takes the bytes of a stream as they come, and passes them on to stdout.

        In a pipe they are what they were. A terminal must not be driven by them: it is shown control characters other
        than tab, newline and carriage return, and bytes that are no UTF-8, escaped.
        """
        if sys.stdout is None:
            raise NotReady("standard output is closed", "open it: the answer has nowhere to go")
        if not sys.stdout.isatty():
            return self._passed
        import codecs

        decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

        def show(part: bytes) -> None:
            lines = (line.split("\r") for line in decoder.decode(part).split("\n"))
            text = "\n".join("\r".join(map(visible, line)) for line in lines)
            self._passed(text.encode(sys.stdout.encoding, "backslashreplace"))

        return show

    def _passed(self, content: bytes) -> None:
        try:
            self.raw(content)
        except OSError:
            sys.stdout = None  # nothing is flushed at exit into what cannot be written
            raise

    @property
    def columns(self) -> int | None:
        """How wide the terminal is; None: standard output is none."""
        if sys.stdout is None or not sys.stdout.isatty():
            return None
        import shutil

        return shutil.get_terminal_size().columns

    def table(self, table: Table) -> tuple[str, ...]:
        """An aligned table; folded to the terminal's width, whole in a pipe and if it is very long.

        Returns:
            Heads of columns that are spare, and for which the terminal is too narrow.
        """
        if self.json:
            return ()
        if not sys.stdout.isatty() or len(table.rows) > MANY:
            self._plain_table(table)
            return ()
        from rich.console import Console as Terminal

        terminal = Terminal(file=sys.stdout, highlight=False, emoji=False, no_color=not self.colour or None)
        gone = too_many(table, terminal.width)
        drawn = grid(table.without(gone))
        with terminal.capture() as captured:
            terminal.print(drawn)
        put("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
        return tuple(table.heads[number] for number in gone)

    @staticmethod
    def _plain_table(table: Table) -> None:
        """The same for programs: no colours, nothing folded, and no time spent on either."""
        lines = [*([table.heads] if table.heads else []), *(row.cells for row in table.rows)]
        shown = [line if "".join(line).isprintable() else tuple(map(visible, line)) for line in lines]
        plain = all("".join(line).isascii() for line in shown)
        measure, pad = (len, str.ljust) if plain else (columns_of, padded)
        widths = [max(map(measure, column)) for column in zip_longest(*shown, fillvalue="")]
        put("".join("  ".join(map(pad, line, widths)).rstrip() + "\n" for line in shown))

    def document(self, kind: str, data: object, *, ok: bool = True, dense: bool = False, foreign: bool = False) -> None:
        """The one JSON document of a run with --json; nothing without it.

        Args:
            kind: in the name of its schema.
            data: what it tells.
            ok: whether all is well.
            dense: in one line.
            foreign: it holds what others wrote, and so nothing but ASCII is printed.
        """
        if self.json:
            self._dump({"schema": f"dockertls/{kind}/1", "ok": ok, "data": data}, None if dense else 2, escaped=foreign)

    @staticmethod
    def _dump(document: Mapping[str, Any], indent: int | None = 2, *, escaped: bool = False) -> None:
        import json

        put(json.dumps(document, indent=indent, ensure_ascii=escaped) + "\n")

    # what goes beside it: stderr

    def say(self, text: str) -> None:
        """Progress and hints."""
        if not self.quiet:
            sys.stderr.write(text + "\n")

    def warn(self, text: str) -> None:
        """What the user should know even with --quiet."""
        sys.stderr.write(f"warning: {text}\n")

    def fail(self, error: DockerTLSError) -> int:
        """Tell of an error, with every fault of an input and what to do next.

        Returns:
            The exit code.
        """
        if self.json and sys.stdout is not None:
            try:
                self._dump({"schema": "dockertls/error/1", "ok": False, "error": body_of(error)})
                flushed()
            except NotReady:
                pass  # it is told below, and keeps its code
            else:
                return error.exit
        sys.stderr.write(f"dockertls: {error.message}\n")
        several = error.faults if len(error.faults) > 1 else ()
        for fault in several:
            sys.stderr.write(f"  - {fault.message}\n" + (f"    {fault.hint}\n" if fault.hint else ""))
        said = {fault.hint for fault in several}
        for line in error.hint.splitlines():
            sys.stderr.write(f"  {line}\n" if line not in said else "")
        return error.exit

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show that something takes long, on a terminal."""
        if self.quiet or self.json or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console as Terminal

        with Terminal(stderr=True, no_color=not self.colour or None).status(what):
            yield

    def progress(self, items: Sequence[T], work: Callable[[T], R], what: str) -> list[R]:
        """Do some work for each item, with a bar on a terminal if there are many."""
        if len(items) < FEW or self.quiet or self.json or not sys.stderr.isatty():
            return [work(item) for item in items]
        from rich.console import Console as Terminal
        from rich.progress import track

        terminal = Terminal(stderr=True, no_color=not self.colour or None)
        return [work(item) for item in track(items, what, console=terminal, transient=True)]

    @contextmanager
    def bar(self, total: int, what: str) -> Iterator[Callable[[], None]]:
        """Yields what to call after each of many; what is printed meanwhile stands above the bar, on a terminal."""
        if total < FEW or self.quiet or not sys.stderr.isatty():
            yield lambda: None
            return
        from rich.console import Console as Terminal
        from rich.progress import Progress

        terminal = Terminal(stderr=True, no_color=not self.colour or None)
        with Progress(console=terminal, transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
            task = bar.add_task(what, total=total)
            yield lambda: bar.advance(task)

    @contextmanager
    def refreshed(self) -> Iterator[Callable[[str, Table], None]]:
        """Yields what shows a line and a table in the place of those that were shown before.

        Raises:
            Usage: if standard output is no terminal.
        """
        if self.json or not sys.stdout.isatty():
            raise Usage("a view that refreshes needs a terminal", "leave --watch out; --json and --format tell it once")
        from rich.console import Console as Terminal
        from rich.console import Group
        from rich.live import Live
        from rich.text import Text

        terminal = Terminal(file=sys.stdout, highlight=False, emoji=False, no_color=not self.colour or None)
        with Live(console=terminal, auto_refresh=False, vertical_overflow="ellipsis") as live:
            yield lambda line, table: live.update(Group(Text(line), grid(table)), refresh=True)

    # asking

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody to ask."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty() and not self.json

    def confirm(self, question: str) -> bool:
        """A yes or no from the terminal; no is the default.

        Raises:
            NeedsConsent: if there is nobody to ask.
        """
        if not self.can_ask:
            raise NeedsConsent(f"there is nobody to ask: {question}", "nothing was done; say yes with --yes")
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def ask_secret(self, question: str, *, twice: bool, instead: str) -> bytes:
        """A passphrase from the terminal.

        Args:
            question: what is asked for.
            twice: whether it is to be typed twice.
            instead: what to do where there is nobody to ask.

        Raises:
            NotReady: if there is nobody to ask, or no answer.
            Refused: if it is empty, or the second answer is another.
        """
        if not self.can_ask:
            raise NotReady(f"the {question} is needed and there is nobody to ask", instead)
        from getpass import getpass

        try:
            first = getpass(f"{question}: ", sys.stderr)
            again = getpass("once more: ", sys.stderr) if twice else first
        except EOFError:
            raise NotReady(f"the {question} was not typed", instead) from None
        if again != first:
            raise Refused("the two passphrases differ", "run the command again")
        return _not_empty(first.encode())


@dataclass(frozen=True)
class PassphraseSource:
    """Where the passphrase of the authority's key comes from; at most one of file, fd and command is set.

    `options` is how their options begin, `what` is what it opens.
    """

    file: str | None = None
    fd: int | None = None
    command: str | None = None
    options: str = "--passphrase"
    what: str = "the authority's key"

    @property
    def is_given(self) -> bool:
        """Whether there is a source, so that nobody has to be asked."""
        return any(value is not None for value in (self.file, self.fd, self.command))

    def checked(self, environment: Mapping[str, str]) -> PassphraseSource:
        """The source in force: the one given, else DOCKERTLS_PASSPHRASE_FILE. Raises Usage if several are given."""
        given = [value for value in (self.file, self.fd, self.command) if value is not None]
        if len(given) > 1:
            raise Usage("more than one passphrase source is given", "give one of them")
        return self if given else replace(self, file=environment.get("DOCKERTLS_PASSPHRASE_FILE") or None)

    def read(self, console: Console, *, new: bool) -> bytes:
        """The passphrase, without the newline at its end.

        Args:
            console: to ask on, where no source is given.
            new: it is made now, so it is asked for twice.

        Raises:
            NotReady, Refused, Usage: it cannot be had, or it is empty.
        """
        if self.file is not None:
            return _first_line(read_input(self.file, "the passphrase file"))
        if self.fd is not None:
            return _first_line(_read_fd(self.fd))
        if self.command is not None:
            return _first_line(_ask_command(self.command))
        question = f"new passphrase for {self.what}" if new else f"passphrase of {self.what}"
        instead = (
            f"give it with {', '.join(f'{self.options}-{way}' for way in ('file', 'fd'))} or {self.options}-command"
        )
        return console.ask_secret(question, twice=new, instead=f"{instead}, or use --no-passphrase" if new else instead)


def body_of(error: DockerTLSError) -> dict[str, object]:
    """An error as a document has it."""
    body = {"kind": error.kind, "message": error.message, "hint": error.hint, "exit": error.exit}
    faults = [{"message": fault.message, "hint": fault.hint} for fault in error.faults]
    return body | ({"faults": faults} if faults else {})


def _not_empty(secret: bytes) -> bytes:
    if not secret:
        raise Refused("the passphrase is empty", "give one, or make a key without one by --no-passphrase")
    return secret


def _first_line(content: bytes) -> bytes:
    return _not_empty(content.split(b"\n", 1)[0].removesuffix(b"\r"))


def _read_fd(number: int) -> bytes:
    hint = "open it, as in: --passphrase-fd 3 3<file"
    if not 0 <= number <= MOST_DESCRIPTORS:
        raise NotReady(f"file descriptor {number} cannot be read: there is no such number", hint)
    try:
        with os.fdopen(number, "rb", closefd=False) as file:
            return file.read(LARGEST_INPUT)
    except OSError as error:
        raise NotReady(f"file descriptor {number} cannot be read: {error.strerror}", hint) from error


def _ask_command(command: str) -> bytes:
    import shlex
    import subprocess

    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise Usage(f"--passphrase-command cannot be split into words: {error}", "quote it as for a shell") from error
    if not argv:
        raise Usage("--passphrase-command is empty", "give a program and its arguments, such as 'pass show docker-ca'")
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, check=False, timeout=PASSPHRASE_PATIENCE)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NotReady(f"the passphrase command failed: {visible(str(error))}", "try it by hand") from error
    if done.returncode:
        raise NotReady(f"the passphrase command failed with exit code {done.returncode}", "try it by hand")
    return done.stdout


def now() -> datetime:
    """The time, UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC)


def pause(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def environment() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ


def working_directory() -> Path:
    """Where relative paths begin."""
    from pathlib import Path

    return Path.cwd()


def absolute(*parts: str) -> str:
    """A path of these parts; a relative one begins at `working_directory`."""
    return os.path.join(os.getcwd(), *parts)  # noqa: PTH109, PTH118 - pathlib takes longer to load than all that is asked


def program() -> tuple[str, ...]:
    """What starts this very program, from whichever folder: an argument a word."""
    return (sys.executable, "-P", "-m", "dockertls")


def program_files() -> tuple[Path, Path]:
    """What runs when this program does: the interpreter, and the folder of its modules."""
    from pathlib import Path

    return Path(sys.executable), Path(__file__).resolve().parents[1]


def platform() -> str:
    """The operating system, as sys.platform."""
    return sys.platform


def is_root() -> bool:
    """Whether this process may do everything."""
    return os.geteuid() == 0


def user_id() -> int:
    """Who runs this."""
    return os.geteuid()


def user_name() -> str:
    """The name of who runs this; the number if there is no name."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def arguments() -> Sequence[str]:
    """The command line, without the program's name."""
    return sys.argv[1:]
