"""Options that many commands share, written once: a command takes a group of them as one value."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

IssuedName = Annotated[str, typer.Argument(metavar="NAME", help="The name it was issued for.")]
RequestName = Annotated[str, typer.Argument(metavar="NAME", help="Whose request it was.")]
RequestFile = Annotated[str, typer.Argument(metavar="CSR", help="The file with the request; - is standard input.")]
SignedFile = Annotated[str, typer.Argument(metavar="FILE", help="What was signed, and intermediate ones; - is stdin.")]
MoreNames = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Another name or address for the same certificate.")
]


def a_number(value: float) -> float:
    """A time as it was given. Raises BadParameter if it is nan, which is neither too small nor too large for typer."""
    if isnan(value):
        raise typer.BadParameter("nan is not a number of seconds")
    return value


@dataclass(frozen=True)
class ChangeOptions:
    """How a command that changes something goes about it."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False
    check: Annotated[bool, typer.Option("--check", help="As --dry-run; exit 1 if there is anything to do.")] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False

    @property
    def looks_only(self) -> bool:
        """Whether nothing is to be changed."""
        return self.dry_run or self.check


@dataclass(frozen=True)
class KindOptions:
    """What kind of key is made."""

    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="KIND",
            help="ecdsa-p256 (the default), ecdsa-p384, ed25519, rsa-2048, rsa-3072 or rsa-4096.",
        ),
    ] = None


@dataclass(frozen=True)
class LifeOptions:
    """How long a certificate lives."""

    days: Annotated[int | None, typer.Option("--days", min=1, help="Lifetime; default: 397, of an authority 3650.")] = (
        None
    )


@dataclass(frozen=True)
class KeyOptions(LifeOptions, KindOptions):
    """What is made anew."""


@dataclass(frozen=True)
class OpeningOptions:
    """Where a passphrase comes from."""

    passphrase_file: Annotated[
        str | None, typer.Option("--passphrase-file", metavar="FILE", help="Its first line is the passphrase.")
    ] = None
    passphrase_fd: Annotated[
        int | None, typer.Option("--passphrase-fd", metavar="N", help="An open file descriptor to read it from.")
    ] = None
    passphrase_command: Annotated[
        str | None, typer.Option("--passphrase-command", metavar="CMD", help="A command that prints it; no shell.")
    ] = None


@dataclass(frozen=True)
class PassphraseOptions(OpeningOptions):
    """Where the passphrase of the authority's key comes from; else it is asked for."""

    no_passphrase: Annotated[bool, typer.Option("--no-passphrase", help="A new authority's key is not encrypted.")] = (
        False
    )


@dataclass(frozen=True)
class OutputOptions:
    """A file that the user carries away."""

    output: Annotated[
        str | None, typer.Option("--output", metavar="FILE", help="Where to write it; - is standard output.")
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False


@dataclass(frozen=True)
class NewPassphraseOptions:
    """Where the passphrase comes from that the authority's key shall have; else it is asked for twice."""

    new_passphrase_file: Annotated[
        str | None, typer.Option("--new-passphrase-file", metavar="FILE", help="Its first line is the new one.")
    ] = None
    new_passphrase_fd: Annotated[
        int | None, typer.Option("--new-passphrase-fd", metavar="N", help="An open file descriptor to read it from.")
    ] = None
    new_passphrase_command: Annotated[
        str | None, typer.Option("--new-passphrase-command", metavar="CMD", help="A command that prints it; no shell.")
    ] = None


@dataclass(frozen=True)
class RestartOptions:
    """What may happen to the daemon."""

    restart: Annotated[
        str,
        typer.Option("--restart", metavar="WHEN", help="safe (ask if containers would stop), always, or never."),
    ] = "safe"


def takes(**groups: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of whole groups; each arrives as one value under its name.

    Args:
        groups: parameter name -> dataclass whose fields are annotated options.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name not in groups]
        shared = [parameter for group in groups.values() for parameter in _parameters(group)]

        @wraps(command)
        def flat(**values: Any) -> None:  # noqa: ANN401 - what the command line holds
            for name, group in groups.items():
                values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
            command(**values)

        flat.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined] # inspect.signature reads it
        flat.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *shared]}
        del flat.__wrapped__  # the hints are those of the flat signature
        return flat

    return decorate


def _parameters(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(field.name, kind, default=field.default, annotation=hints[field.name])
        for field in fields(group)
        if field.default is not MISSING
    ]
