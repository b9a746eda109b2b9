"""What systemd says of the renewals, as it says it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dockertls.facts import HostFacts, renewal_show
from dockertls.host import Output
from dockertls.plan import File, Link, Node
from dockertls.timer.plans import SYSTEM
from dockertls.timer.state import Renewals, renewals

if TYPE_CHECKING:
    from pathlib import PurePosixPath as Path

UNITS = SYSTEM.units
RAN = "ExecMainExitTimestamp=Tue 2026-11-24 03:05:00 UTC\nExecMainStatus={status}\n"
TIMER = (
    "NextElapseUSecRealtime=Wed 2026-11-25 03:00:18 UTC\nLastTriggerUSec={last}\nResult=success\n"
    "Id=dockertls-renew.timer\nLoadState=loaded\nActiveState={active}\nNeedDaemonReload=no\n"
)
SERVICE = (
    "Result={result}\n{ran}Id=dockertls-renew.service\nLoadState=loaded\nActiveState={active}\nNeedDaemonReload=no\n"
)
LAST = "Tue 2026-11-24 03:00:18 UTC"


def seen(answer: str | None, *, without: Path | None = None) -> Renewals:
    service = UNITS.service_text(("/opt/python", "-m", "dockertls"))
    nodes: dict[Path, Node | None] = dict.fromkeys(SYSTEM.wanted)
    nodes |= {UNITS.service: File(service.encode()), UNITS.timer: File(b""), UNITS.link: Link(str(UNITS.timer))}
    outputs = {renewal_show(user=False): None if answer is None else Output(0, answer, "")}
    nodes |= {without: None} if without else {}
    return renewals(HostFacts(datetime.now(UTC), files=nodes, outputs=outputs), SYSTEM)


def said(
    *, last: str = "", active: str = "active", result: str = "success", ran: str = "", running: str = "inactive"
) -> Renewals:
    return seen(TIMER.format(last=last, active=active) + "\n" + SERVICE.format(result=result, ran=ran, active=running))


def test_one_that_never_ran() -> None:
    found = said()
    assert found.by == "systemd"
    assert found.words == ("/opt/python", "-m", "dockertls")
    assert found.next == datetime(2026, 11, 25, 3, 0, 18, tzinfo=UTC)
    assert (found.last, found.result, found.good) == (None, "never", True)


def test_one_that_went_well() -> None:
    found = said(last=LAST, ran=RAN.format(status=0))
    assert (found.last, found.result, found.exit) == (datetime(2026, 11, 24, 3, 5, tzinfo=UTC), "success", 0)
    assert found.good


def test_how_it_ended_is_not_known_after_the_host_was_started_anew() -> None:
    found = said(last=LAST)
    assert (found.last, found.result, found.good) == (datetime(2026, 11, 24, 3, 0, 18, tzinfo=UTC), "unknown", True)


@pytest.mark.parametrize(("result", "code"), [("exit-code", 4), ("timeout", None), ("signal", None)])
def test_one_that_failed(result: str, code: int | None) -> None:
    found = said(last=LAST, result=result, ran=RAN.format(status=4), running="failed")
    assert (found.result, found.exit, found.failed, found.good) == (result, code, True, False)


def test_one_that_runs_now() -> None:
    assert said(last=LAST, running="activating").result == "running"


def test_a_timer_that_was_stopped_is_not_good() -> None:
    assert said(active="inactive").good is False


def test_what_nobody_can_be_asked_of_is_not_known() -> None:
    found = seen(None)
    assert (found.by, found.active, found.next, found.result) == ("systemd", None, None, "unknown")


@pytest.mark.parametrize("missing", [UNITS.service, UNITS.timer, UNITS.link])
def test_half_of_it_is_not_set_up(missing: Path) -> None:
    assert seen("", without=missing).by == ""
