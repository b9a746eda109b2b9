"""The program: options before the command, the commands, and the one place where an error becomes an exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from dockertls import __version__
from dockertls.cli.console import Console, arguments, environment
from dockertls.cli.signals import attend
from dockertls.cli.stdout import flushed, unwritable
from dockertls.errors import DockerTLSError, Interrupted, NotReady, Told, Usage
from dockertls.escaping import visible

if TYPE_CHECKING:
    from types import ModuleType

TAKEN_BACK = "what was half done has been taken back"
LOOKED = "nothing was changed"
LOOK_ONLY = frozenset({"audit", "check", "env", "history", "inspect", "status"})
"""Commands that never change anything."""
OF_THE_PROGRAM = frozenset({"--store", "--root", "--json", "--quiet", "-q", "--verbose", "-v", "--no-color"})
OF_HELP = frozenset({"-h", "--help"})
BUG = 70

COMMANDS = MappingProxyType(
    {
        "bootstrap": "bootstrap",
        "rehearse": "rehearse",
        "check": "check",
        "status": "status",
        "renew": "renew",
        "timer": "timer",
        "env": "env",
        "history": "history",
        "undo": "history",
        "inspect": "inspect",
        "api": "api",
        "ca": "ca",
        "server": "server",
        "client": "client",
        "daemon": "daemon",
        "audit": "audit",
        "harden": "audit",
        "facts": "audit",
    }
)
"""Every command, and the module of dockertls.cli that adds it."""


class Commands(TyperGroup):
    """The commands; a module is imported when one of its commands is asked for."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - as typer calls it
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name) for name in COMMANDS}  # known by name until one is asked for

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002 - as typer calls it
        """The command of that name; None: there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"dockertls.cli.{COMMANDS[cmd_name]}")
        found = get_group(_with(module)).commands[cmd_name]
        return cast("TyperCommand | TyperGroup", found)


def _with(module: ModuleType) -> typer.Typer:
    """A program that has the commands of one module."""
    one = typer.Typer(rich_markup_mode=None)
    module.register(one)
    return one


app = typer.Typer(
    name="dockertls",
    cls=Commands,
    rich_markup_mode=None,  # plain help: rich would be imported for it
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Make a Docker host's remote API safe: certificates, daemon configuration, client files, and the proof.",
    epilog="Start with `dockertls rehearse`, which touches nothing; then `dockertls bootstrap`.",
)


def _print_version(value: bool) -> None:
    if value:
        Console().result(f"dockertls {__version__}")
        raise typer.Exit


@app.callback()
def _begin(
    ctx: typer.Context,
    *,
    store: Annotated[
        str | None, typer.Option(metavar="DIR", help="The certificates' folder. [env: DOCKERTLS_STORE]")
    ] = None,
    root: Annotated[
        str | None, typer.Option(metavar="DIR", help="Work on a host's file tree. [env: DOCKERTLS_ROOT]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell more; show what changes.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours. [env: NO_COLOR]")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if ctx.resilient_parsing or version:
        return
    from dockertls.cli.session import Session

    colour = not no_color and not environment().get("NO_COLOR")
    console = Console(json, quiet, verbose, colour)
    ctx.obj = Session.begin(console, store=store, root=root)


def main() -> None:
    """Run the command line of this process and exit with the contract's code."""
    attend()
    sys.exit(run(list(arguments())))


def run(words: list[str]) -> int:
    """Run one command line.

    Args:
        words: as in argv, without the program's name.

    Returns:
        The exit code.
    """
    if sys.stdout is None:
        return Console().fail(NotReady("standard output is closed", "open it: the answer has nowhere to go"))
    try:
        code = app(words, prog_name="dockertls", standalone_mode=False)
        flushed()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - each has its exit code
        return told(error, words)
    if code == Interrupted.exit:  # typer swallows Ctrl-C and says nothing
        return told(KeyboardInterrupt(), words)
    return code if isinstance(code, int) else 0


def told(error: Exception | KeyboardInterrupt, words: list[str]) -> int:
    """Tell of whatever ended a command line.

    Returns:
        The exit code.
    """
    console = Console(json=_wants_json(words))
    match error:
        case Told():
            return error.exit
        case DockerTLSError():
            return console.fail(error)
        case KeyboardInterrupt() | typer.Abort():
            return console.fail(Interrupted("interrupted", LOOKED if _looks_only(words) else TAKEN_BACK))
        case BrokenPipeError():
            return _closed_pipe()
        case OSError() if OF_HELP & set(words):  # typer writes help by itself
            return told(unwritable(error), words)
        case _:  # a traceback is for developers: `-v` shows it
            return _unexpected(error, console, words)


def _wants_json(words: list[str]) -> bool:
    """Whether the result is a JSON document, and so a failure has to be one."""
    return bool({"--json", "--format=json"} & set(words)) or ("--format", "json") in pairwise(words)


def _looks_only(words: list[str]) -> bool:
    """Whether the command is one that changes nothing; no, if any word may be one that does."""
    named = {word for word in words if word in COMMANDS}
    return bool(named) and named <= LOOK_ONLY


def _usage_hint(error: Exception) -> str:
    """What to type instead."""
    option, context = getattr(error, "option_name", None), getattr(error, "ctx", None)
    if option in OF_THE_PROGRAM and context:
        _, _, rest = context.command_path.partition(" ")
        return f"it goes before the command: `dockertls {option} {rest}`"
    return f"see `{context.command_path if context else 'dockertls'} --help`"


def _closed_pipe() -> int:
    """Whoever read our output went away; that is no failure of ours."""
    sys.stdout = None  # nothing is flushed into the closed pipe at exit
    return 0


def _unexpected(error: Exception, console: Console, words: list[str]) -> int:
    show = getattr(error, "format_message", None)
    if show is not None:  # what typer says of a wrong command line
        return console.fail(Usage(show(), _usage_hint(error)))
    from dockertls.facts import NotGathered, NotSeen

    if isinstance(error, NotSeen):
        return console.fail(NotReady(f"{visible(str(error))}: nothing was done", "run it as root, with sudo"))
    if isinstance(error, NotGathered):  # an odd host leads where nobody thought to look
        hint = "is a folder there a link, or a path in a unit not absolute? write it plainly, and run it again"
        return console.fail(NotReady(f"{visible(str(error))}: it was not looked at, and nothing was done", hint))
    if "-v" in words or "--verbose" in words:
        import traceback

        traceback.print_exception(error)
    return console.fail(DockerTLSError(f"this is a bug: {type(error).__name__}: {error}", "run it with -v for details"))
