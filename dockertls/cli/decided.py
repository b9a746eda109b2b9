"""What a command that changes the daemon has decided, how it may go about it, and how that ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from dockertls.errors import Usage
from dockertls.escaping import visible

if TYPE_CHECKING:
    from dockertls.apply import Receipt
    from dockertls.findings import Finding
    from dockertls.pki.store import Generation
    from dockertls.plan import Command, Plan
    from dockertls.probe.endpoint import Endpoint
    from dockertls.probe.observation import ClientMaterial


class Restart(Enum):
    """What may happen to a running daemon."""

    SAFE = "safe"
    ALWAYS = "always"
    NEVER = "never"

    @classmethod
    def parse(cls, text: str) -> Restart:
        """Raises Usage if it is none of them."""
        try:
            return cls(text)
        except ValueError:
            raise Usage(f"--restart {visible(text)} is not known", "take one of: safe, always, never") from None


class Trial(Protocol):
    """A live check; see `live.Proof`."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, once it was asked."""

    def __call__(self) -> None:
        """Raises if the change is to be taken back."""


class Decided(Protocol):
    """What a command that changes the daemon has decided."""

    @property
    def plan(self) -> Plan:
        """What to do."""

    @property
    def endpoint(self) -> Endpoint | None:
        """Where the daemon listens afterwards; None: its certificate is not what changes."""

    @property
    def material(self) -> ClientMaterial | None:
        """A client that is let in afterwards; without a certificate, if there is none here; None: nobody is let in."""

    @property
    def refused(self) -> ClientMaterial | None:
        """A client that must not be let in afterwards; None: strangers are proof enough."""

    @property
    def accepted(self) -> ClientMaterial | None:
        """Another client that must be let in afterwards; None: there is none."""

    @property
    def server(self) -> Generation | None:
        """The certificate that the daemon serves afterwards; None: the same as before."""

    @property
    def trial(self) -> Trial | None:
        """What proves the change where no certificate does; None: nothing."""

    @property
    def restart(self) -> tuple[Command, ...]:
        """What restarts the daemon on this host."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know before he says yes, one line each."""


_Decided = TypeVar("_Decided", bound=Decided)


@dataclass(frozen=True)
class Outcome(Generic[_Decided]):
    """How a change that needs a restart ended.

    Attributes:
        decided: what was decided.
        receipt: of the change; None if there was nothing to do.
        findings: of the live check; none if there was none.
        pending: commands that are still to be run, by whom and whenever it suits.
        stopped_by: why nothing was restarted although it was wanted; empty if that is not so.
    """

    decided: _Decided
    receipt: Receipt | None
    findings: tuple[Finding, ...] = ()
    pending: tuple[Command, ...] = ()
    stopped_by: str = ""


@dataclass(frozen=True)
class Terms:
    """What else matters to a change of the daemon.

    Attributes:
        eager: whether a daemon that does not follow its files yet is restarted, whatever the reason; else only one
            that shows another certificate than the one that is installed.
        whole: whether nothing at all is done where the daemon may not be restarted, and all of it is proven live.
        group: a name that the history's entries of one command share; empty: a new one.
    """

    eager: bool = True
    whole: bool = False
    group: str = ""


PLAIN = Terms()
