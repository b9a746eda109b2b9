"""Tell deploy hooks of what was renewed, until each of them has taken it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.apply import apply
from dockertls.escaping import visible
from dockertls.pki import hooks
from dockertls.plan import Command, Plan, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockertls.cli.session import Session


@dataclass(frozen=True)
class Ran:
    """A deploy hook that was run, and how it ended; an empty text: well."""

    program: str
    failure: str = ""


def run_hooks(session: Session, programs: Sequence[str]) -> tuple[Ran, ...]:
    """Tell every hook of what was renewed and not told yet; it is told again by the next run if one of them fails."""
    renewed = hooks.pending(session.store)
    if not programs or not renewed:
        return ()
    told = [one for pair in renewed if (one := session.store.current(*pair))]
    variables = {
        "DOCKERTLS_STORE": session.store_shown,
        "DOCKERTLS_NAMES": "\n".join(f"{one.role} {one.name}" for one in told),
        "DOCKERTLS_PATHS": "\n".join(shown(one.path) for one in told),
    }
    ran = tuple(_run_hook(session, program, variables) for program in programs)
    if not any(one.failure for one in ran):
        struck = Plan("deploy hooks were told", (hooks.note(session.store, ()),))
        apply(struck, session.host, session.run())
    return ran


def to_be_told(session: Session, programs: Sequence[str]) -> tuple[Command, ...]:
    """The hooks of a file tree, in which nothing is run, if there is anything to tell them."""
    return tuple(map(_hook, programs)) if hooks.pending(session.store) else ()


def _hook(program: str) -> Command:
    return Command((program,), "deploy hook")


def _run_hook(session: Session, program: str, variables: Mapping[str, str]) -> Ran:
    with session.console.working(f"running {program}"):
        output = session.host.run(_hook(program), variables)
    if output.code == 0:
        return Ran(program)
    last = (output.err or output.out).strip().splitlines()[-1:]
    return Ran(program, f"exit code {output.code}" + "".join(f": {visible(line)}" for line in last))
