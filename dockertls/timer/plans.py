"""Set up renewals, or take them away: what runs them on this host, and the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.errors import Fault
from dockertls.facts import missing_directories
from dockertls.plan import ROOT, Change, Directory, File, Link, Plan, shown
from dockertls.timer.cron import TABLE, Cron
from dockertls.timer.job import CREDENTIAL_FILE, HANDED_OVER
from dockertls.timer.units import Units, version

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dockertls.facts import HostFacts
    from dockertls.plan import Node, Owner
    from dockertls.timer.job import Job

SYSTEM_UNITS = Path("/etc/systemd/system")
USER_UNITS = Path(".config/systemd/user")
WHY = "renews certificates that are due"
GONE = "certificates are renewed in another way, or by hand"
PROGRAMS = (Path("/usr/lib/systemd/systemd"), Path("/lib/systemd/systemd"))
RUNS_SYSTEMD = Path("/run/systemd/system")
SEEDS = (Path("/etc/machine-id"), Path("/etc/hostname"))


@dataclass(frozen=True)
class Places:
    """Where everything of ours lies that renews certificates.

    Attributes:
        units: of systemd.
        owner: of all that is made.
    """

    units: Units
    owner: Owner = ROOT

    @classmethod
    def of_user(cls, home: Path, owner: Owner) -> Places:
        """Those of an ordinary user."""
        return cls(Units(home / USER_UNITS, user=True), owner)

    @property
    def crons(self) -> tuple[Cron, ...]:
        """Those in which this user may put something."""
        return () if self.units.user else TABLE

    @property
    def files(self) -> tuple[Path, ...]:
        """All that may be there, in the order in which it is made."""
        credential = () if self.units.user else (CREDENTIAL_FILE,)
        crons = (row.file for row in self.crons)
        return (*credential, self.units.service, self.units.timer, self.units.link, *crons)

    @property
    def wanted(self) -> tuple[Path, ...]:
        """What to hand to `gather` as `also`."""
        return (*self.files, *(row.folder for row in self.crons), *SEEDS, *PROGRAMS)

    @property
    def folders(self) -> tuple[Path, ...]:
        """What to hand to `gather` as trees: folders that go when nothing else is in them."""
        return (self.units.link.parent, *(() if self.units.user else (CREDENTIAL_FILE.parent,)))


SYSTEM = Places(Units(SYSTEM_UNITS))


def chosen(facts: HostFacts, places: Places) -> Units | Cron | None:
    """What is to run the renewals; None: there is nothing that could.

    Args:
        facts: with the row "timer" and `places.wanted`.
        places: of whoever asks.
    """
    if has_systemd(facts):
        return replace(places.units, version=version(facts))
    return next((row for row in places.crons if facts.is_directory(row.folder)), None)


def has_systemd(facts: HostFacts) -> bool:
    """Whether systemd is what runs a host, or would run a file tree."""
    return facts.is_directory(RUNS_SYSTEMD) if facts.runs else any(facts.file(path) for path in PROGRAMS)


def seed(facts: HostFacts) -> str:
    """What tells this host from others, where it can be told."""
    file = next((file for path in SEEDS if (file := facts.file(path)) and file.content.strip()), None)
    return file.content.decode(errors="replace").strip() if file else ""


def when(facts: HostFacts, by: Units | Cron) -> str:
    """When renewals are run, for people."""
    return by.when(seed(facts)) if isinstance(by, Cron) else f"every day, by {by.timer}"


def opened_by(facts: HostFacts, by: Units | Cron, file: Path | None) -> tuple[str | Path | None, str]:
    """What opens an encrypted key while nobody is there: HANDED_OVER, else the file that is named.

    Args:
        facts: with the row "timer".
        by: what runs the renewals.
        file: that the user named.

    Returns:
        With a reason why only a file can, if that is so. None: it takes one, and none is named.
    """
    reason = _why_no_credential(facts, by)
    return (file, reason) if reason else (HANDED_OVER, "")


def _why_no_credential(facts: HostFacts, by: Units | Cron) -> str:
    if isinstance(by, Cron):
        return "cron keeps no secrets"
    if not facts.runs:
        return "no credential can be made for a file tree"
    if by.user:
        return "a user's own systemd keeps no credentials"
    if not by.has_credentials or facts.program("systemd-creds") is None:
        return f"systemd {by.version or 'of this release'} keeps no encrypted credentials, as 250 does"
    return ""


def in_the_way(facts: HostFacts, places: Places) -> tuple[Fault, ...]:
    """What stands where a file of ours would."""
    wrong = [
        path for path in places.files if path != places.units.link and isinstance(facts.node(path), Link | Directory)
    ]
    hint = "move it away; where it is a link to /dev/null, `systemctl unmask` it"
    return tuple(Fault(f"{shown(path)} is no file: somebody masked or replaced it", hint) for path in wrong)


def install(facts: HostFacts, places: Places, by: Units | Cron, job: Job, credential: File | None) -> Plan:
    """Set renewals up.

    Args:
        facts: with the row "timer", `places.wanted` and `places.folders`.
        places: of whoever asks.
        by: what is to run them.
        job: what they run.
        credential: the encrypted passphrase, where systemd hands it over.

    Returns:
        The plan, empty where all is as it shall be.
    """
    after = _nodes(facts, places, by, job, credential)
    missing = dict.fromkeys(one for path in after for one in missing_directories(facts, path.parent))
    modes = {CREDENTIAL_FILE.parent: 0o700}
    folders = [Change(path, None, Directory(modes.get(path, 0o755), places.owner), WHY) for path in missing]
    changes = [_change(facts, path, after.get(path)) for path in places.files]
    return Plan("set renewals up", (*folders, *(changes if isinstance(by, Cron) else _followed(changes, by))))


def _nodes(
    facts: HostFacts, places: Places, by: Units | Cron, job: Job, credential: File | None
) -> Mapping[Path, Node]:
    """All that shall be there; args as of `install`."""
    if isinstance(by, Cron):
        return {by.file: File(by.text(job.words(quiet=True), seed(facts)).encode(), by.mode, places.owner)}
    return {
        **({CREDENTIAL_FILE: credential} if credential else {}),
        by.service: File(by.service_text(job.words(), credential=job.credential).encode(), 0o644, places.owner),
        by.timer: File(by.timer_text().encode(), 0o644, places.owner),
        by.link: Link(str(by.timer)),
    }


def _change(facts: HostFacts, path: Path, after: Node | None) -> Change:
    return Change(path, facts.node(path), after, WHY if after else GONE)


def remove(facts: HostFacts, places: Places) -> Plan:
    """Take renewals away, whatever runs them, and folders in which nothing else is.

    Args:
        facts: with the row "timer", `places.wanted` and `places.folders`.
        places: of whoever asks.
    """
    files = [Change(path, None, facts.node(path), GONE) for path in places.files if facts.node(path) is not None]
    ours = {change.path for change in files}
    emptied = [folder for folder in places.folders if _is_filled_by(facts, folder, ours)]
    folders = [Change(folder, None, facts.node(folder), GONE) for folder in emptied]
    made = Plan("", (*folders, *(_followed(files, places.units) if has_systemd(facts) else files)))
    return replace(made.inverse(), title="take renewals away")


def _is_filled_by(facts: HostFacts, folder: Path, ours: Collection[Path]) -> bool:
    """Whether a folder holds something of ours, and nothing else."""
    held = [folder / name for name in facts.listed(folder)] if isinstance(facts.node(folder), Directory) else []
    return bool(held) and all(path in ours for path in held)


def _followed(changes: Sequence[Change], units: Units) -> tuple[Change, ...]:
    """The same changes with what makes systemd follow them, and with what does when they are taken back.

    Of what is new, the link is the last: the timer is stopped before anything else is taken back.
    """
    mine = [change for change in changes if change.before != change.after and change.path in _all(units)]
    if not mine:
        return tuple(changes)
    first, last = mine[0].path, mine[-1].path
    new = any(change.path == units.link and change.before is None for change in mine)
    backs = {first: (units.reload, *(() if new else (units.start,)))}
    if new:
        backs[units.link] = (units.stop, units.forget, *backs.get(units.link, ()))
    thens = {last: (units.reload, units.start)}
    return tuple(replace(one, then=thens.get(one.path, ()), back=backs.get(one.path, ())) for one in changes)


def _all(units: Units) -> tuple[Path, ...]:
    return (units.service, units.timer, units.link)


def waking(units: Units) -> Plan:
    """Make a timer run that is set up, and does not."""
    return Plan("start the timer that renews certificates", (), (), (units.reload, units.start))
