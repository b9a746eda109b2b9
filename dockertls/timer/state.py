"""What became of the renewals: whether they are set up, when the last one was, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dockertls.documents.unit_file import UnitFile, command_line
from dockertls.errors import Refused
from dockertls.facts import renewal_show
from dockertls.timer.plans import seed
from dockertls.timer.units import SERVICE, TIMER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.facts import HostFacts
    from dockertls.timer.cron import Cron
    from dockertls.timer.plans import Places
    from dockertls.timer.units import Units

MOMENT = "%a %Y-%m-%d %H:%M:%S UTC"
SUCCESS, RUNNING, NEVER, UNKNOWN = "success", "running", "never", "unknown"


@dataclass(frozen=True)
class Renewals:
    """What is known of the renewals of a host.

    Attributes:
        by: "systemd", the id of a cron's row, or empty: they are not set up.
        files: that make them.
        words: what is run.
        active: whether the timer runs; None: nobody can say.
        next: when it runs next, UTC; None: that is not known.
        told: when it runs, where a time is not known.
        last: when it ran last, UTC; None: never, or that is not known.
        result: SUCCESS, RUNNING, NEVER, UNKNOWN, or how it failed, in systemd's word, such as "exit-code".
        exit: its exit code; None: it is not known.
        stale: systemd has not read the units as they are now.
    """

    by: str = ""
    files: tuple[Path, ...] = ()
    words: tuple[str, ...] = ()
    active: bool | None = None
    next: datetime | None = None
    told: str = ""
    last: datetime | None = None
    result: str = UNKNOWN
    exit: int | None = None
    stale: bool = False

    @property
    def failed(self) -> bool:
        """Whether the last one did."""
        return self.result not in {SUCCESS, RUNNING, NEVER, UNKNOWN}

    @property
    def good(self) -> bool:
        """Whether they are set up, and nothing is known against them."""
        return bool(self.by) and self.active is not False and not self.failed


def renewals(facts: HostFacts, places: Places) -> Renewals:
    """What renews certificates, whatever it is.

    Args:
        facts: with the row "timer" and `places.wanted`.
        places: of whoever asks.
    """
    found = (by_systemd(facts, places.units), *(by_cron(facts, row, seed(facts)) for row in places.crons))
    return next((one for one in found if one.by), Renewals())


def by_systemd(facts: HostFacts, units: Units) -> Renewals:
    """What systemd does, by its files and by its word.

    Args:
        facts: with the row "timer" and the files of `units`.
        units: where they lie.
    """
    files = tuple(path for path in (units.timer, units.service, units.link) if facts.node(path) is not None)
    service = facts.file(units.service)
    if len(files) < len((units.service, units.timer, units.link)) or service is None:
        return Renewals()
    said = _said(facts, user=units.user)
    timer, run = said.get(TIMER, {}), said.get(SERVICE, {})
    last = max(filter(None, (_moment(timer, "LastTriggerUSec"), _moment(run, "ExecMainExitTimestamp"))), default=None)
    return Renewals(
        "systemd",
        files,
        _words(service.content, str(units.service)),
        timer["ActiveState"] == "active" if "ActiveState" in timer else None,
        _moment(timer, "NextElapseUSecRealtime"),
        "when this systemd runs" if not said else "",
        last,
        *_ended(run, last),
        any(one.get("NeedDaemonReload") == "yes" for one in said.values()),
    )


def by_cron(facts: HostFacts, row: Cron, seed: str) -> Renewals:
    """What a cron does, by its file: it keeps no record of what became of it.

    Args:
        facts: with the file of `row`.
        row: which cron.
        seed: as for `Cron.text`.
    """
    file = facts.file(row.file)
    if file is None:
        return Renewals()
    text = file.content.decode(errors="replace")
    words = row.words(text)
    told = row.when(seed) if row.text(words, seed) == text else f"when {row.file} says: somebody changed it"
    return Renewals(row.id, (row.file,), words, told=told)


def _ended(run: Mapping[str, str], last: datetime | None) -> tuple[str, int | None]:
    """How the last run of the service ended; systemd forgets it when the host starts."""
    if run.get("ActiveState") in {"activating", "active"}:
        return RUNNING, None
    if (result := run.get("Result", SUCCESS)) != SUCCESS:
        return result, _number(run) if result == "exit-code" else None
    if not run.get("ExecMainExitTimestamp"):
        return (NEVER if run and last is None else UNKNOWN), None
    return SUCCESS, _number(run)


def _number(run: Mapping[str, str]) -> int | None:
    code = run.get("ExecMainStatus", "")
    return int(code) if code.isdigit() else None


def answers(facts: HostFacts, *, user: bool) -> bool:
    """Whether systemd, or that of the user who asks, tells of its units."""
    return bool(_said(facts, user=user))


def _said(facts: HostFacts, *, user: bool) -> Mapping[str, Mapping[str, str]]:
    """What systemd says of each unit; nothing where it cannot be asked."""
    answer = facts.outputs.get(renewal_show(user=user))
    if answer is None or answer.code:
        return {}
    blocks = (
        dict(line.split("=", 1) for line in part.splitlines() if "=" in line) for part in answer.out.split("\n\n")
    )
    return {block["Id"]: block for block in blocks if "Id" in block}


def _moment(said: Mapping[str, str], name: str) -> datetime | None:
    """A time as systemd writes it; None: never, or it is none."""
    try:
        return datetime.strptime(said.get(name, ""), MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _words(content: bytes, name: str) -> tuple[str, ...]:
    """What a service runs; none if somebody made of it what cannot be read."""
    try:
        lines = [one.value for one in UnitFile.decode(content, name).assignments if one.key == "ExecStart"]
        return command_line(lines[-1]).words if lines else ()
    except Refused:
        return ()
