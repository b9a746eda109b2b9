"""How a certificate and its copies stand: each rule, and which of two holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dockertls.errors import Fault
from dockertls.pki.elsewhere import Elsewhere
from dockertls.pki.inventory import Entry
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import generate
from dockertls.pki.profiles import CA
from dockertls.report.standing import (
    BROKEN,
    CURRENT,
    DUE,
    EARLY,
    EXPIRED,
    GOOD,
    MISSING,
    OF_COPIES,
    PENDING,
    REVOKED,
    RULES,
    STALE,
    STATES,
    UNCONFIRMED,
    UNKNOWN,
    WITHDRAWN,
    Copy,
    Found,
    Served,
    State,
    Wanted,
    away,
    judged,
    served,
    standing,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
CERTIFICATE = issue(Request(CA, "root", lifetime=90 * DAY), generate("ed25519"), None, now=NOW, serial=5).certificate
ENTRY = Entry("server", "web1", "0002", CERTIFICATE)


@pytest.mark.parametrize(
    ("after", "entry", "state"),
    [
        (timedelta(), ENTRY, GOOD),
        (-2 * DAY, ENTRY, EARLY),
        (61 * DAY, ENTRY, DUE),
        (90 * DAY, ENTRY, EXPIRED),
        (timedelta(), replace(ENTRY, fault=Fault("cut off")), BROKEN),
        (timedelta(), Entry("ca", "0001", "0001", CERTIFICATE), GOOD),
        (61 * DAY, Entry("ca", "0001", "0001", CERTIFICATE), DUE),
        (DAY, Entry("ca", "0001/1", "0001", CERTIFICATE), DUE),
    ],
)
def test_a_certificate_by_itself(after: timedelta, entry: Entry, state: State) -> None:
    assert standing(entry, (), NOW + after).own is state


@pytest.mark.parametrize(
    ("after", "copies", "state"),
    [
        (0, (CURRENT, STALE), STALE),
        (0, (PENDING, STALE), STALE),
        (0, (UNKNOWN, UNCONFIRMED, CURRENT), GOOD),
        (61, (UNKNOWN, CURRENT), DUE),
        (61, (PENDING,), PENDING),
        (90, (PENDING, STALE), EXPIRED),
        (90, (BROKEN,), BROKEN),
    ],
)
def test_the_worst_of_a_certificate_and_its_copies(after: int, copies: tuple[State, ...], state: State) -> None:
    found = standing(ENTRY, tuple(Copy("disk", "/x", one) for one in copies), NOW + after * DAY)
    assert found.state is state


WHOLE = Found("client", "ann", "disk", "/root/.docker", "0002", trusts=frozenset({"new"}))
WANTED = Wanted("0002", frozenset({"new"}), frozenset({"old", "new"}))
CASES: dict[str, tuple[Found, Wanted, State, str]] = {
    "all as it shall be": (WHOLE, WANTED, CURRENT, ""),
    "a foreign authority besides": (replace(WHOLE, trusts=frozenset({"new", "theirs"})), WANTED, CURRENT, ""),
    "not to be seen": (replace(WHOLE, fault="denied"), WANTED, UNKNOWN, "denied"),
    "revoked": (replace(WHOLE, revoked="at noon"), WANTED, REVOKED, "at noon"),
    "no key": (replace(WHOLE, has_key=False), WANTED, BROKEN, "its key does not lie beside it"),
    "no longer in the store": (replace(WHOLE, number=""), WANTED, STALE, "the store no longer has it"),
    "the store is damaged": (WHOLE, replace(WANTED, number=""), UNKNOWN, "which generation is in use cannot be told"),
    "older": (replace(WHOLE, number="0001"), WANTED, STALE, "0001 lies there, 0002 is in use"),
    "trust.pem is damaged": (WHOLE, replace(WANTED, trusts=None), UNKNOWN, "whom it shall trust cannot be told"),
    "its record is damaged": (
        WHOLE, replace(WANTED, records=False), UNKNOWN, "whether it was revoked cannot be told",
    ),
    "no ca.pem": (replace(WHOLE, trusts=None), WANTED, BROKEN, "its ca.pem is missing or cannot be read"),
    "lacks": (replace(WHOLE, trusts=frozenset({"old"})), WANTED, STALE, "its ca.pem lacks an authority in use"),
    "keeps": (
        replace(WHOLE, trusts=frozenset({"old", "new"})), WANTED, STALE, "its ca.pem holds an authority that was left",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_copy_on_this_host(case: str) -> None:
    found, wanted, state, why = CASES[case]
    copy = judged(found, wanted)
    assert (copy.kind, copy.place) == ("disk", "/root/.docker")
    assert (copy.state, copy.why) == (state, why)


def test_every_rule_has_a_case() -> None:
    first = [next((rule for rule in RULES if rule.why(found, wanted)), None) for found, wanted, _, _ in CASES.values()]
    assert set(first) == {None, *RULES}


URL = "tcp://127.0.0.1:2376"
DISK = Copy("disk", "/etc/docker", CURRENT)


@pytest.mark.parametrize(
    ("seen", "disk", "state", "why"),
    [
        (Served(URL, "web1", "0002"), DISK, CURRENT, ""),
        (Served(URL, "web1", "0002"), None, CURRENT, ""),
        (Served(URL, "web1", "0002", waits=("ca.pem",)), DISK, PENDING, "changed since it started: ca.pem"),
        (Served(URL, "web1", "0001"), DISK, PENDING, "it shows 0001, 0002 is in use"),
        (Served(URL, "web1"), DISK, PENDING, "it shows another certificate, 0002 is in use"),
        (Served(URL, "web1", "0001"), replace(DISK, state=STALE), STALE, "it shows 0001, 0002 is in use"),
        (Served(URL, "web1", "0001"), None, STALE, "it shows 0001, 0002 is in use"),
        (Served(URL, "web1", "0002", revoked="at noon"), DISK, REVOKED, "at noon"),
        (Served(URL, "web1", fault="no connection"), DISK, UNKNOWN, "no connection"),
    ],
)  # fmt: skip
def test_what_a_daemon_shows(seen: Served, disk: Copy | None, state: State, why: str) -> None:
    copy = served(seen, disk, WANTED)
    assert (copy.kind, copy.place, copy.state, copy.why) == ("served", URL, state, why)


def test_what_a_daemon_shows_is_not_judged_by_a_damaged_store() -> None:
    assert served(Served(URL, "web1", "0002"), DISK, replace(WANTED, number="")).state is UNKNOWN


@pytest.mark.parametrize(
    ("known", "state"),
    [
        (None, UNCONFIRMED),
        (Elsewhere("0002", "noon"), UNCONFIRMED),
        (Elsewhere("0002", "noon", "0001", ("new",)), UNCONFIRMED),
        (Elsewhere("0002", "noon", "0002", ("new", "theirs")), CURRENT),
        (Elsewhere("", "", "0002", ("new",)), CURRENT),
        (Elsewhere("0001", "noon", "0002", ("old",)), STALE),
        (Elsewhere("0001", "noon"), STALE),
        (Elsewhere("0001", "noon", "0001", ("new",)), STALE),
    ],
)
def test_a_copy_on_another_machine(known: Elsewhere | None, state: State) -> None:
    assert away(known, WANTED).state is state


def test_what_was_revoked_matters_where_it_still_lies() -> None:
    late = NOW + 400 * DAY
    assert standing(ENTRY, (), late, revoked=True).state is WITHDRAWN
    gone = away(Elsewhere("0002", "noon"), WANTED, revoked="at noon")
    assert (gone.state, standing(ENTRY, (gone,), late, revoked=True).state) == (WITHDRAWN, WITHDRAWN)
    here = judged(replace(WHOLE, revoked="at noon"), WANTED)
    assert standing(ENTRY, (here,), NOW, revoked=True).state is REVOKED


def test_every_state_has_a_rank_and_copies_are_in_some_of_them() -> None:
    assert len(set(STATES)) == len(STATES)
    assert {state.word for state in OF_COPIES} == {state.word for state in {*STATES} - {GOOD, DUE, EXPIRED, EARLY}}
    good = [state for state in STATES if not state.is_bad]
    assert good == [UNKNOWN, WITHDRAWN, UNCONFIRMED, CURRENT, GOOD]
    assert MISSING.is_bad
