"""Look at endpoints and report what was found."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import typer

from dockertls.cli.console import now, pause
from dockertls.cli.endpoints import kept, listed, targets, user_contexts
from dockertls.cli.files import read_input
from dockertls.cli.known import Known
from dockertls.cli.live import others
from dockertls.cli.looking import Crew
from dockertls.cli.telling_check import teller
from dockertls.client.agreement import contexts_agree
from dockertls.client.environment import environment
from dockertls.client.judging import client_files, unfit
from dockertls.errors import DockerTLSError, Negative, Usage
from dockertls.escaping import visible
from dockertls.facts import NotSeen
from dockertls.findings import Finding, Severity, Unknown
from dockertls.pki.keys import certificate_pem
from dockertls.probe.grade import grade
from dockertls.probe.kit import Kit
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.observing import observing
from dockertls.probe.remedies import explain
from dockertls.report.check import Checked, not_after, overview
from dockertls.report.findings import exit_code, worst_code
from dockertls.report.metrics import failed

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Sequence

    from dockertls.cli.daemons import MaterialOptions, Target
    from dockertls.cli.session import Session
    from dockertls.client.contexts import Context
    from dockertls.client.copies import ClientCopy
    from dockertls.client.judging import Kept
    from dockertls.probe.observation import Observation


EVERY = 2.0  # seconds between two rounds of --watch


@dataclass(frozen=True)
class Terms:
    """How to look and how to judge.

    Attributes:
        warn_days: a certificate that ends within this is warned of.
        fail_days: one that ends within this fails.
        timeout: seconds for each endpoint.
        strict: what could not be told is a failure.
        passive: nothing is asked but what the client itself would ask.
        jobs: endpoints at the same time.
        form: of the output.
    """

    warn_days: int
    fail_days: int
    timeout: float
    strict: bool
    passive: bool
    jobs: int
    form: str

    @property
    def warn(self) -> timedelta:
        """As a time."""
        return timedelta(days=self.warn_days)

    @property
    def fail(self) -> timedelta:
        """As a time."""
        return timedelta(days=self.fail_days)


@dataclass(frozen=True)
class Wanted:
    """What is to be checked.

    Attributes:
        named: endpoints on the command line.
        source: a file of endpoints; "-" is standard input.
        files: the client's files, as named.
    """

    named: Sequence[str]
    source: str | None
    files: MaterialOptions


@dataclass(frozen=True)
class _Client:
    """A client's files and all that is made of them, for every endpoint that is looked at with them."""

    session: Session
    kept: Kept
    terms: Terms
    known: Known

    @cached_property
    def material(self) -> ClientMaterial:
        cert, key = self.kept.cert.content, self.kept.key.content
        pair = (None, None) if cert is None or key is None else (cert, key)  # docker shows neither without the other
        return ClientMaterial(certificate_pem(self.kept.authorities), *pair)

    @cached_property
    def kit(self) -> Kit:
        server = self.known.server(self.kept.authorities)
        kit = Kit.of(self.material, others(self.material, self.session.started, server))
        return kit.passive if self.terms.passive else kit

    @cached_property
    def files(self) -> Finding:
        now, terms = self.session.started, self.terms
        return client_files(self.kept, now=now, warn=terms.warn, fail=terms.fail)

    def judged(self, seen: Observation) -> tuple[Finding, ...]:
        roots, terms = self.kept.authorities, self.terms
        return grade(
            seen,
            roots,
            now=self.session.started,
            warn=terms.warn,
            fail=terms.fail,
            client=self.kept.chain,
            unfit=unfit(self.kept, self.session.started),
            current=self.known.current(seen.endpoint, roots),
        )


@dataclass(frozen=True)
class _Check:
    """One run over all endpoints."""

    session: Session
    wanted: Wanted
    terms: Terms
    targets: Sequence[Target]
    clients: dict[str | None, _Client] = field(default_factory=dict)

    @classmethod
    def begun(cls, session: Session, wanted: Wanted, terms: Terms, found: Sequence[Target]) -> _Check:
        """With all that is made once: what is wrong with what was named is told before anybody is asked."""
        run = cls(session, wanted, terms, found)
        for target in found:
            _ = run.client(target).kit
        return run

    @property
    def crew(self) -> Crew[Target, Checked]:
        """Who looks at them."""
        return Crew(self.targets, self.examine, min(self.terms.jobs, len(self.targets)))

    @cached_property
    def known(self) -> Known:
        return Known.of(self.session)

    @cached_property
    def contexts(self) -> tuple[tuple[Context, ...], dict[str, ClientCopy]] | str:
        """Those of the user, and their files; or why they cannot be read."""
        try:
            return user_contexts(self.session)
        except (NotSeen, DockerTLSError) as error:
            return visible(str(error))

    def client(self, target: Target) -> _Client:
        """What the target is looked at with; made once a folder."""
        if target.folder not in self.clients:
            held = kept(self.session, target, self.wanted.files)
            self.clients[target.folder] = _Client(self.session, held, self.terms, self.known)
        return self.clients[target.folder]

    async def examine(self, target: Target, many: asyncio.Semaphore) -> Checked:
        """Look at one endpoint and judge it."""
        client, endpoint, patience = self.client(target), target.endpoint, self.terms.timeout
        seen = await observing(endpoint, client.kit, patience=patience, many=many)
        found = (*client.judged(seen), *self.own(target))
        code = exit_code(found, strict=self.terms.strict)
        return Checked(endpoint.url, found, code, endpoint.note, not_after(seen.chain))

    def own(self, target: Target) -> Iterator[Finding]:
        """Findings about this side: files, environment, contexts."""
        client = self.client(target)
        yield client.files
        if self.session.host.runs and len(self.targets) == 1:
            yield environment(self.session.environment)
        if self.session.host.runs and self.wanted.source is None:
            yield self._contexts(target, client)

    def _contexts(self, target: Target, client: _Client) -> Finding:
        if isinstance(self.contexts, str):
            return Finding("contexts", "Docker contexts agree", Severity.MEDIUM, Unknown(self.contexts))
        return contexts_agree(*self.contexts, target.endpoint.url, client.kept, self.session.started)


def _targets(session: Session, wanted: Wanted) -> Sequence[Target]:
    return targets(session, wanted.named, listed(wanted.source) if wanted.source else ())


@contextmanager
def _for_monitoring(session: Session, terms: Terms) -> Iterator[None]:
    """What keeps a plugin from looking is UNKNOWN, on standard output: the program's own codes mean other things there.

    Raises:
        typer.Exit: it was told so.
    """
    try:
        yield
    except DockerTLSError as error:
        if session.console.json or terms.form != "nagios":
            raise
        text, state = failed(error.message)
        session.console.result(text.rstrip("\n"))
        raise typer.Exit(state.value) from error


def check_all(session: Session, wanted: Wanted, terms: Terms) -> None:
    """Check every endpoint and report.

    Raises:
        typer.Exit: with the worst exit code of all of them.
    """
    with _for_monitoring(session, terms):
        run = _Check.begun(session, wanted, terms, _targets(session, wanted))
    total = len(run.targets)
    with (
        teller(session, terms.form, total) as told,
        run.crew.at_work() as results,
        session.console.bar(total, "looking") as step,
    ):
        for checked in results:
            told.one(checked)
            step()
    raise typer.Exit(told.code)


def watch_all(session: Session, wanted: Wanted, terms: Terms) -> None:
    """Check every endpoint again and again, and show how each is.

    Raises:
        typer.Exit: at Ctrl-C, with the worst exit code of the last round.
        Usage: if there is no terminal, or another format is wanted.
    """
    if terms.form != "table":
        raise Usage(f"--watch and --format {terms.form} both take standard output", "leave one of them out")
    found, code = _targets(session, wanted), 0
    with session.console.refreshed() as show:
        try:
            while True:
                with _Check.begun(replace(session, started=now()), wanted, terms, found).crew.at_work() as results:
                    seen = list(results)
                code = worst_code({one.code for one in seen})
                total, table = overview(seen)
                show(f"{now():%Y-%m-%dT%H:%M:%SZ}  {total}  Ctrl-C ends it", table)
                pause(EVERY)
        except KeyboardInterrupt:
            raise typer.Exit(code) from None


def explain_text(session: Session, text: str) -> None:
    """Name cause and remedy of an error message; "-" is standard input.

    Raises:
        Negative: if none is known.
        Usage: if there is nothing to explain.
    """
    if text == "-":
        text = read_input(text, "the message").decode(errors="replace")
    if not text.strip():
        raise Usage("there is no message to explain", "paste it whole, as the client or dockerd's log has it")
    found = explain(text)
    if found is None:
        raise Negative("this message is not known", "paste it whole, as the client or dockerd's log has it")
    session.console.tell(f"cause:  {found.cause}")
    session.console.tell(f"remedy: {found.remedy}")
    session.console.document("explain", {"id": found.id, "cause": found.cause, "remedy": found.remedy})
