"""`dockertls audit`, `harden` and `facts`: is this host set up securely, and what can be done about it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import ChangeOptions, OutputOptions, RestartOptions, a_number, takes

if TYPE_CHECKING:
    from dockertls.cli.session import Session

Only = Annotated[list[str] | None, typer.Option(metavar="ID", help="This check alone; several are named one by one.")]
Policy = Annotated[
    str | None, typer.Option(metavar="FILE", help="What is right for this host; default: /etc/dockertls/policy.yaml.")
]
Patience = Annotated[
    float, typer.Option(min=0.1, max=600, callback=a_number, help="Seconds for each question and each endpoint.")
]


def audit(
    ctx: typer.Context,
    *,
    facts: Annotated[
        str | None, typer.Option(metavar="FILE", help="Judge what `dockertls facts` wrote; - is standard input.")
    ] = None,
    policy: Policy = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="FILE", help="An earlier --format json: only what is new or worse counts.")
    ] = None,
    fail_on: Annotated[str, typer.Option(metavar="SEVERITY", help="Exit 1 for failures from here upwards.")] = "low",
    only: Only = None,
    skip: Annotated[list[str] | None, typer.Option(metavar="ID", help="Without this check.")] = None,
    severity: Annotated[
        str, typer.Option(metavar="SEVERITY", help="Show from here upwards: info, low, medium, high or critical.")
    ] = "info",
    strict: Annotated[bool, typer.Option("--strict", help="What could not be told is a failure.")] = False,
    timeout: Patience = 5.0,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json, junit, sarif, html or markdown.")
    ] = "table",
) -> None:
    """Judge this host, every dockerd on it, their certificates and their clients' files. Nothing is changed.

    Exit code 1 if a check failed, or was waived until a day that is over. What could not be told is unknown, and never
    counted as passed.
    """
    from dockertls.cli.auditing import Scope, Terms, audit_host, severity_of

    session: Session = ctx.obj
    least, worst = severity_of("--severity", severity), severity_of("--fail-on", fail_on)
    terms = Terms(facts, policy, baseline, worst, least, timeout, form, strict)
    audit_host(session, Scope.parse(only or (), skip or ()), terms)


@takes(change=ChangeOptions, restarts=RestartOptions)
def harden(
    ctx: typer.Context,
    *,
    only: Only = None,
    opt_in: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Do what this check asks, though it may break workloads.")
    ] = None,
    policy: Policy = None,
    timeout: Patience = 5.0,
    change: ChangeOptions,
    restarts: RestartOptions,
) -> None:
    """Mend what failed in the audit and is safe to mend, as one change with a proof and an undo."""
    from dockertls.cli.decided import Restart
    from dockertls.cli.hardening import Wish, harden_host

    session: Session = ctx.obj
    wish = Wish.parse(only or (), opt_in or (), policy, timeout)
    harden_host(session, wish, change, Restart.parse(restarts.restart))


@takes(output=OutputOptions)
def facts(ctx: typer.Context, *, timeout: Patience = 5.0, output: OutputOptions) -> None:
    """Write what an audit would judge, as JSON and without secrets; `audit --facts FILE` judges it elsewhere."""
    from dockertls.cli.auditing import write_facts

    write_facts(ctx.obj, output, timeout)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(audit)
    app.command()(harden)
    app.command()(facts)
