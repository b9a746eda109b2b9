"""Files that a command writes for the user to carry away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.cli.console import working_directory
from dockertls.errors import NotReady, Usage
from dockertls.escaping import visible
from dockertls.plan import Change, Directory, File, Plan, shown

if TYPE_CHECKING:
    from collections.abc import Collection

    from dockertls.apply import Run
    from dockertls.cli.console import Console
    from dockertls.cli.options import OutputOptions
    from dockertls.cli.session import Session
    from dockertls.host import Host

STDOUT = "-"


def format_of(console: Console, form: str, known: Collection[str]) -> str:
    """The format that is meant by --format and --json.

    Raises:
        Usage: there is no such format, or the two contradict each other.
    """
    if form not in known:
        raise Usage(f"--format {visible(form)} is not known", f"take one of: {', '.join(known)}")
    if console.json and form not in {"table", "json"}:
        raise Usage(f"--json and --format {form} both take standard output", "leave one of them out")
    return "json" if console.json else form


@dataclass(frozen=True)
class Output:
    """Where a file goes; see `OutputOptions`."""

    session: Session
    options: OutputOptions

    def __post_init__(self) -> None:
        if self.to_stdout and self.session.console.json:
            raise Usage("--json and --output - both take standard output", "write to a file, or leave --json out")

    @property
    def to_stdout(self) -> bool:
        """Whether it is printed instead of a message."""
        return self.options.output == STDOUT

    @property
    def path(self) -> Path | None:
        """The file; None: none is wanted."""
        if self.options.output is None or self.to_stdout:
            return None
        return self.session.host.beside(Path(working_directory() / self.options.output))

    @property
    def run(self) -> Run:
        """For `apply`: the file is the user's own, and no undo looks for it."""
        run = self.session.run()
        return replace(run, append_only=(*run.append_only, *([self.path] if self.path else [])))

    def beside(self, plan: Plan, content: bytes, why: str) -> Plan:
        """A plan, and the file that it makes for the user; readable by everybody."""
        if self.path is None:
            return plan
        node = File(content, 0o644, self.session.host.self_owner)
        change = file_change(self.session.host, self.path, node, why, force=self.options.force)
        return replace(plan, changes=(*plan.changes, change))


def file_change(host: Host, path: Path, node: File, why: str, *, force: bool) -> Change:
    """The change that writes a file; one that is the same already is left as it is.

    Raises:
        NotReady: if something else is there and `force` is not given, or its folder is not there; a folder stays.
    """
    before = host.node(path)
    if isinstance(before, Directory):
        raise NotReady(f"{shown(path)} is a directory", "name a file in it")
    if before not in (None, node) and not force:
        raise NotReady(f"{shown(path)} is there already", "name another file, or write over it with --force")
    if host.node(path.parent) is None:
        raise NotReady(f"{shown(path.parent)} is not there", "name a folder that exists")
    return Change(path, before, node, why)
