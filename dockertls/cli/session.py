"""One run of the program: what was said before the command, the host it works on, and how a change is carried out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING, NoReturn

import typer

from dockertls.apply import Run, apply, recover
from dockertls.cli.console import (
    Console,
    PassphraseSource,
    environment,
    is_root,
    now,
    user_id,
    user_name,
    working_directory,
)
from dockertls.documents.passwd import User, parse_passwd
from dockertls.errors import Drifted, NeedsConsent, NotReady, Usage
from dockertls.facts import STORE, users
from dockertls.host import LocalHost
from dockertls.journal import unfinished
from dockertls.plan import Command, shown
from dockertls.rows import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from dockertls.apply import Receipt
    from dockertls.cli.options import ChangeOptions, PassphraseOptions
    from dockertls.facts import HostFacts
    from dockertls.pki.store import StoreState
    from dockertls.plan import Plan

MOST_ATTEMPTS = 9  # so many other runs may be faster, one after the other


@dataclass(frozen=True)
class Session:
    """What every command works with.

    Attributes:
        console: where to print and ask.
        host: what to look at and to change.
        store_path: the store's folder, as the host names it.
        started: the time of this run, UTC.
        environment: the process's environment.
        said: warnings that were given already.
    """

    console: Console
    host: LocalHost
    store_path: Path
    started: datetime
    environment: Mapping[str, str]
    said: set[str] = field(default_factory=set, compare=False, repr=False)

    @classmethod
    def begin(cls, console: Console, *, store: str | None, root: str | None) -> Session:
        """From the options before the command, and the environment.

        Raises:
            NotReady: if the root is no directory.
            Usage: if it is named and empty, as by a variable that is not set: that is not this host.
        """
        if root == "":
            raise Usage("--root is empty", "name the folder; without --root, this host itself is meant")
        variables = environment()
        tree = root or variables.get("DOCKERTLS_ROOT") or "/"
        named = store or variables.get("DOCKERTLS_STORE")
        path = Path(working_directory() / named) if named else _default_store(variables, tree)
        host = LocalHost(str(working_directory() / tree), _home_state(variables))
        if not host.is_there:
            raise NotReady(f"{tree} is not a directory", "name an existing folder with --root")
        store_path = host.beside(_normal(path)) if named else path
        return cls(console, host, store_path, now(), variables)

    @property
    def store_shown(self) -> str:
        """The store's folder, for messages."""
        return shown(self.store_path)

    @property
    def store(self) -> StoreState:
        """The store; nothing of it is read yet."""
        from dockertls.pki.store import StoreState

        return StoreState(self.host, self.store_path, self.started, self.warn_once)

    def warn_once(self, text: str) -> None:
        """Tell the user what he should know, once a run."""
        if text not in self.said:
            self.said.add(text)
            self.console.warn(text)

    def passphrase_source(self, given: PassphraseOptions) -> PassphraseSource:
        """Where a passphrase comes from: what was given, else the environment. Raises Usage if several were given."""
        source = PassphraseSource(given.passphrase_file, given.passphrase_fd, given.passphrase_command)
        return source.checked(self.environment)

    def facts(
        self,
        *wanted: str,
        trees: Sequence[Path] = (),
        also: Sequence[Path] = (),
        bare: Sequence[Path] = (),
        dates: Sequence[Path] = (),
        stats: Sequence[Path] = (),
        bears: bool = False,
        beside: HostFacts | None = None,
    ) -> HostFacts:
        """Gather rows of facts; see `gather`."""
        return gather(
            self.host, wanted, trees=trees, also=also, bare=bare, dates=dates, stats=stats, bears=bears,
            beside=beside, now=self.started,
        )  # fmt: skip

    def user(self) -> User:
        """Whose ~/.docker it is: the one who called sudo, else the one who runs this; in a tree, the tree's.

        Raises:
            NotReady: if sudo names somebody whom the host does not know.
        """
        known = users(self.facts("users"))
        name = self.environment.get("SUDO_USER") or self.environment.get("DOAS_USER")
        if name and name != "root" and is_root():
            found = next((user for user in known if user.name == name), None) or self._from_name_service(name)
            if found is None and self.host.runs:
                raise NotReady(f"sudo was called by {name}, whom this host does not know", "name a --docker-dir")
            if found:
                return self._own(found)
        uid = user_id() if self.host.runs else 0
        found = next((user for user in known if user.uid == uid), User("root", 0, 0, Path("/root")))
        home = self.environment.get("HOME") if self.host.runs else None
        return self._own(replace(found, home=Path(home)) if home and home.startswith("/") else found)

    def _own(self, user: User) -> User:
        """In a tree whose owners cannot be set, all belongs to the one who works on it."""
        return replace(user, uid=0, gid=0) if self.host.squashed else user

    def _from_name_service(self, name: str) -> User | None:
        """A user of a directory service, who is not in /etc/passwd."""
        if not self.host.runs:
            return None
        return next(iter(parse_passwd(self.host.run(Command(("getent", "passwd", name), "look")).out)), None)

    def docker_dir(self, named: str | None, user: User) -> Path:
        """The folder of the client's files: as named, else DOCKER_CONFIG of the user himself, else ~/.docker."""
        if named:
            return self.host.real(self.inside(named))
        config = self.environment.get("DOCKER_CONFIG")
        if config and self.host.runs and user.uid == user_id():
            return self.host.real(_normal(Path(working_directory() / config)))
        return self.host.real(user.home) / ".docker"

    def inside(self, named: str) -> Path:
        """How the host calls a file of its own that the user named; in a tree, names begin at its root."""
        return _normal(Path(working_directory() / named) if self.host.runs else Path("/") / named)

    def recover(self, change: ChangeOptions) -> None:
        """Take back what a killed run left, before anything is looked at.

        Raises:
            NotReady: if nothing may be changed now.
        """
        if change.looks_only:
            if unfinished(self.host):
                with self.host.lock():  # another run may be at work, and done soon
                    if unfinished(self.host):
                        hint = f"run the command without --{'check' if change.check else 'dry-run'}: it is taken back"
                        raise NotReady("an earlier run was killed half-way", hint)
            return
        if title := recover(self.host):
            self.console.say(f"taken back: an earlier run was killed half-way ({title})")

    def run(self, group: str = "", undoes: tuple[int, ...] = ()) -> Run:
        """Clock and names for the history."""
        who = self.environment.get("SUDO_USER") or user_name()
        return Run(self.started, who, group, (self.store_path,), undoes)

    def change(
        self,
        make: Callable[[], Plan],
        options: ChangeOptions,
        *,
        proof: Callable[[], None] | None = None,
        run: Run | None = None,
    ) -> Receipt | None:
        """Carry out a command's plan: show, ask, apply. Every command that changes something ends here.

        Args:
            make: makes the plan; asked again if another run was faster and nobody has consented to a certain plan.
            options: how to go about it.
            proof: as for `apply`.
            run: as for `apply`.

        Returns:
            The receipt; None if nothing was to be done.

        Raises:
            typer.Exit: with --dry-run or --check, after the plan was shown.
            NeedsConsent: if there is nobody to ask, or the answer is no.
        """
        self.recover(options)
        plan = make()
        if not self.consider(plan, options):
            return None
        for _ in range(MOST_ATTEMPTS):
            try:
                return self._told(apply(plan, self.host, run or self.run(), proof=proof))
            except Drifted:
                if not options.yes:
                    raise
                plan = make()
        return self._told(apply(plan, self.host, run or self.run(), proof=proof))

    def consider(self, plan: Plan, options: ChangeOptions, *, first: Plan | None = None) -> bool:
        """Show a plan, and ask for consent unless it was given.

        Args:
            plan: what is to be done.
            options: how to go about it.
            first: what is done before it, under the same consent.

        Returns:
            Whether there is anything to do.

        Raises:
            typer.Exit: with --dry-run or --check, after the plan was shown.
            NeedsConsent: if there is nobody to ask, or the answer is no.
        """
        plans = (first, plan) if first else (plan,)
        diff = "".join(part.diff() for part in plans).rstrip()
        if options.looks_only:
            self._show(plans, diff, options)
        if not plan:
            self.console.say("nothing to do")
            return False
        if not options.yes or self.console.verbose:
            self.console.say(diff)
        if not options.yes and not self.console.confirm("Make these changes?"):
            raise NeedsConsent("nothing was done", "run it again and say yes")
        return True

    def _show(self, plans: Sequence[Plan], diff: str, options: ChangeOptions) -> NoReturn:
        """The end of a run that only looks."""
        due = bool(diff) and options.check
        self.console.result(diff or "nothing to do")
        changes = [{"path": shown(change.path), "why": change.why} for plan in plans for change in plan.changes]
        self.console.document("plan", {"title": plans[-1].title, "changes": changes, "diff": diff}, ok=not due)
        raise typer.Exit(int(due))

    def tell_pending(self, commands: Iterable[Command]) -> None:
        """What is still to be run, by whom and whenever it suits."""
        for command in commands:
            self.console.result(f"still to be run: {' '.join(command.argv)}")

    def tell_undo(self, receipt: Receipt | None) -> None:
        """How to take a change back, if there was one."""
        if receipt:
            self.console.say(f"take it back: dockertls undo {receipt.id}")

    def _told(self, receipt: Receipt) -> Receipt:
        for command in receipt.not_run:
            self.console.say(f"not run, this is a file tree: {' '.join(command.argv)}")
        return receipt


def _default_store(variables: Mapping[str, str], tree: str) -> Path:
    if is_root() or tree != "/":
        return STORE
    data = variables.get("XDG_DATA_HOME") or f"{variables.get('HOME', '/')}/.local/share"
    return Path(data) / "dockertls"


def _home_state(variables: Mapping[str, str]) -> Path:
    state = variables.get("XDG_STATE_HOME") or f"{variables.get('HOME', '/')}/.local/state"
    return Path(state) / "dockertls"


def _normal(path: Path) -> Path:
    """Without `.` and `..`, by the words alone: nothing is followed yet."""
    parts: list[str] = []
    for part in path.parts[1:]:
        if part == "..":
            del parts[-1:]
        else:
            parts.append(part)
    return Path("/").joinpath(*parts)
