"""What a shell must be told so that every Docker client uses TLS: a table of shells and how each of them quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PureWindowsPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.errors import Fault, Usage, refuse
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import PurePosixPath as Path

VARIABLES = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
"""What the docker CLI, docker-py and Go's client all read (docker/cli, cli/flags/options.go)."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PLAIN_WORD = re.compile(r"[A-Za-z0-9_@%+:,./-]+")


@dataclass(frozen=True)
class Shell:
    """How one shell sets a variable.

    Attributes:
        name: as `--shell` takes it.
        set: line that sets `{name}` to the quoted `{value}`.
        unset: line that removes `{name}`, which need not be there.
        hint: comment that says how to run `{command}` so that its lines take effect.
        quote: a value as `set` takes it.
        word: a value as one word of a command.
        cannot: what no value may hold, for want of a way to write it.
        programs: what $SHELL is called where this row is meant.
    """

    name: str
    set: str
    unset: str
    hint: str
    quote: Callable[[str], str]
    word: Callable[[str], str]
    cannot: re.Pattern[str]
    programs: tuple[str, ...]


def _posix(value: str) -> str:
    """Always in quotes: zsh expands a bare word that begins with an equals sign."""
    return "'" + value.replace("'", "'\\''") + "'"


def _fish(value: str) -> str:
    return "'" + re.sub(r"([\\'])", r"\\\1", value) + "'"


def _powershell(value: str) -> str:
    """Double quotes, backtick escapes; PowerShell takes typographic quotation marks for plain ones."""
    escaped = re.sub('([`$"\u201c\u201d\u201e])', r"`\1", value)
    return '"' + escaped.replace("\n", "`n").replace("\r", "`r") + '"'


_NUL = re.compile("\0")
_CMD_CANNOT = re.compile(r'[\0\r\n"%!]|\A\Z')
"""cmd.exe has no escape for these that holds both at the prompt and in a batch file, and no empty variables."""

TABLE: Mapping[str, Shell] = MappingProxyType(
    {
        shell.name: shell
        for shell in (
            Shell(
                "bash",
                set="export {name}={value}",
                unset="unset {name}",
                hint='# eval "$({command})"',
                quote=_posix,
                word=_posix,
                cannot=_NUL,
                programs=("bash", "sh", "dash", "ash", "ksh", "mksh", "busybox"),
            ),
            Shell(
                "zsh",
                set="export {name}={value}",
                unset="unset {name}",
                hint='# eval "$({command})"',
                quote=_posix,
                word=_posix,
                cannot=_NUL,
                programs=("zsh",),
            ),
            Shell(
                "fish",
                set="set -gx {name} {value};",
                unset="set -e {name};",
                hint="# {command} | source",
                quote=_fish,
                word=_fish,
                cannot=_NUL,
                programs=("fish",),
            ),
            Shell(
                "powershell",
                set="$Env:{name} = {value}",
                unset="Remove-Item Env:\\{name} -ErrorAction SilentlyContinue",
                hint="# & {command} | Out-String | Invoke-Expression",
                quote=_powershell,
                word=_powershell,
                cannot=_NUL,
                programs=("powershell", "pwsh"),
            ),
            Shell(
                "cmd",
                set='SET "{name}={value}"',
                unset="SET {name}=",
                hint="REM @FOR /f \"tokens=*\" %i IN ('{command}') DO @%i",
                quote=str,
                word='"{}"'.format,
                cannot=_CMD_CANNOT,
                programs=("cmd",),
            ),
        )
    }
)


def variables(endpoint_url: str, cert_path: Path | str) -> Mapping[str, str]:
    """What to set for one endpoint.

    Args:
        endpoint_url: such as tcp://web1:2376.
        cert_path: folder of ca.pem, cert.pem and key.pem. Always told: what is left from another host must not count.

    DOCKER_CONTEXT is left alone, since DOCKER_HOST wins over it (docker/cli, resolveContextName).
    """
    return MappingProxyType(dict(zip(VARIABLES, (endpoint_url, "1", str(cert_path)), strict=True)))


def unset() -> Mapping[str, None]:
    """What to remove to be back at the local daemon."""
    return MappingProxyType(dict.fromkeys(VARIABLES))


def render(shell: str, variables: Mapping[str, str | None]) -> str:
    """Lines that a shell evaluates to set and unset variables.

    Args:
        shell: a name of TABLE.
        variables: value of each variable; None removes it.

    Raises:
        Usage: no such shell.
        Refused: every name that is no name of a variable, and every value that this shell cannot express.
    """
    row = _row(shell)
    faults = [fault for name, value in variables.items() for fault in _faults(row, name, value)]
    refuse(f"environment for {row.name}", faults)
    return "".join(_line(row, name, value) + "\n" for name, value in variables.items())


def hint(shell: str, command: Sequence[str] = ("dockertls", "env")) -> str:
    """A comment of the shell that says how to make the lines take effect.

    Args:
        shell: a name of TABLE.
        command: the words that the user typed. A line break in one of them is escaped: it would end the comment.

    Raises:
        Usage: no such shell.
    """
    row = _row(shell)
    words = " ".join(word if PLAIN_WORD.fullmatch(word) else row.word(word) for word in command)
    return row.hint.format(command=visible(words)) + "\n"


def detect(shell_env: str | None, platform: str) -> str:
    """The name of the user's shell.

    Args:
        shell_env: $SHELL, if set.
        platform: as sys.platform; Windows sets no $SHELL outside of its Unix-like shells.

    Raises:
        Usage: it is a shell that TABLE does not have.
    """
    if not shell_env:
        return "powershell" if platform == "win32" else "bash"
    program = PureWindowsPath(shell_env).name.lower().removesuffix(".exe")
    found = next((row.name for row in TABLE.values() if program in row.programs), None)
    if found is None:
        raise Usage(f"no lines are known for your shell, {visible(program)}", f"name one: --shell {'|'.join(TABLE)}")
    return found


def _row(shell: str) -> Shell:
    if shell not in TABLE:
        raise Usage(f"there is no shell {visible(shell)!r} here", f"name one of {', '.join(TABLE)}")
    return TABLE[shell]


def _faults(row: Shell, name: str, value: str | None) -> list[Fault]:
    faults = []
    if not NAME.fullmatch(name):
        faults.append(Fault(f"{visible(name)!r} is no name of a variable", "use letters, digits and underscores"))
    if value is not None and (found := row.cannot.search(value)):
        what = f"the character {found[0]!r}" if found[0] else "an empty value"
        faults.append(
            Fault(f"{row.name} cannot hold {what} in {visible(name)}", "use another folder, or another --shell")
        )
    return faults


def _line(row: Shell, name: str, value: str | None) -> str:
    form = row.unset if value is None else row.set
    return form.format(name=name, value=row.quote(value or ""))
