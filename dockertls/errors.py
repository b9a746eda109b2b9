"""What can go wrong, and what each of it means to a script: a class has an exit code, an error has a hint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input: what it is, and what to do about it."""

    message: str
    hint: str = ""


class DockerTLSError(Exception):
    """The root of every error that dockertls raises on purpose.

    Attributes:
        kind: the name of the error in JSON output.
        exit: the process's exit code.
        message: one line, what happened.
        hint: one line, what to do next.
        faults: everything that is wrong with the input, where more than one thing can be.
    """

    kind: ClassVar[str] = "bug"
    exit: ClassVar[int] = 70

    def __init__(self, message: str, hint: str = "", *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.faults = tuple(faults)


class Negative(DockerTLSError):
    """The answer is no: a finding failed, a certificate is due, there are changes to make."""

    kind = "negative"
    exit = 1


class Usage(DockerTLSError):
    """The command line is wrong."""

    kind = "usage"
    exit = 2


class Refused(DockerTLSError):
    """An input is refused: a bad name, file, passphrase or policy, or settings that conflict."""

    kind = "refused"
    exit = 3


class NotReady(DockerTLSError):
    """The host is not ready: no Docker, no permission, something missing or in the way. Nothing was done."""

    kind = "not-ready"
    exit = 4


class Denied(NotReady):
    """The operating system refused a read or a write."""

    kind = "denied"


class Locked(NotReady):
    """Another dockertls is at work on this host."""

    kind = "locked"


class Drifted(NotReady):
    """The host is not as it was when the plan was made."""

    kind = "drifted"


class NeedsConsent(NotReady):
    """There is nobody to ask."""

    kind = "needs-consent"


class Undone(DockerTLSError):
    """The change failed and was taken back: the host is as it was."""

    kind = "undone"
    exit = 5


class UndoFailed(DockerTLSError):
    """The change failed and so did taking it back: the journal and each path are named."""

    kind = "undo-failed"
    exit = 6


class Unreachable(DockerTLSError):
    """No connection, or no handshake."""

    kind = "unreachable"
    exit = 7


class Interrupted(DockerTLSError):
    """Somebody ended the run."""

    kind = "interrupted"
    exit = 130


class Told(Exception):
    """The run has failed, and its output says so already: a document that was written while it grew.

    Attributes:
        exit: the process's exit code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.exit = code


def attempt(read: Callable[[], T]) -> tuple[T | None, tuple[Fault, ...]]:
    """What was read; or None, and everything that was refused in it, to be told together with the rest.

    Args:
        read: raises Refused if its input is wrong.
    """
    try:
        return read(), ()
    except Refused as error:
        return None, error.faults or (Fault(error.message, error.hint),)


def refuse(what: str, faults: Sequence[Fault], *, most: int | None = None) -> None:
    """Raise one Refused with every fault, or return if there is none.

    Args:
        what: names the input in the error, such as "daemon.json".
        faults: what is wrong with it.
        most: of them are told, and how many more there are; None: all.

    Raises:
        Refused: if `faults` is not empty.
    """
    if not faults:
        return
    if len(faults) == 1:
        raise Refused(f"{what}: {faults[0].message}", faults[0].hint, faults=faults)
    told = faults if most is None or len(faults) <= most else (*faults[:most], Fault(f"and {len(faults) - most} more"))
    raise Refused(f"{what}: {len(faults)} faults", "mend each of them and run the command again", faults=told)
