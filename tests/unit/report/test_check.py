"""How a check of endpoints is told where there is little room."""

from __future__ import annotations

from dockertls.findings import Evidence, Failed, Finding, Passed, Severity, Unknown, Verdict, Warned
from dockertls.report.check import Checked, and_more, in_a_line, overview, troubles

SEEN = (Evidence("look", "tcp://h:2376", "x"),)
FAILED, WARNED = Failed(SEEN, "it is open", "close it"), Warned(SEEN, "it ends soon", "renew it")


def checked(url: str = "tcp://h:2376", /, **verdicts: Verdict) -> Checked:
    named = ((name.replace("_", "-"), verdict) for name, verdict in verdicts.items())
    return Checked(url, tuple(Finding(name, "title", Severity.HIGH, verdict) for name, verdict in named))


def wrong(one: Checked) -> list[str]:
    return [finding.id for finding in troubles(one)]


def test_what_only_follows_goes_without_saying() -> None:
    follows: dict[str, Verdict] = {
        name: Unknown("nobody comes so far", "tls-version") for name in ("chain", "name", "expiry")
    }
    assert wrong(checked(reachable=Passed(), tls_version=FAILED, **follows)) == ["tls-version"]
    assert wrong(checked(reachable=FAILED, clock=Unknown("no answer"))) == ["reachable"]
    assert wrong(checked(tls_version=Passed(), **follows)) == ["chain", "name", "expiry"], "it is told somewhere"
    assert wrong(checked(api=FAILED, plain=Unknown("silence"))) == ["api", "plain"], "it does not follow"


def test_the_worst_comes_first() -> None:
    one = checked(expiry=WARNED, clock=Unknown("?"), chain=Passed(), api=FAILED, name=FAILED)
    assert wrong(one) == ["api", "name", "expiry", "clock"]
    first, *rest = troubles(one)
    assert in_a_line(first) == "api: failed: it is open"
    assert and_more(rest) == "and 3 more: name, expiry, clock"
    assert and_more([]) == ""


def test_an_overview_has_little_room_for_each_and_the_worst_on_top() -> None:
    long = Failed(SEEN, "because " * 50, "mend it")
    bad = checked("tcp://z:1", reachable=Passed(), **dict.fromkeys(map("check_{}".format, range(15)), long))
    every = [checked("tcp://a:1", api=Passed()), checked("tcp://b:1", expiry=WARNED), bad]
    total, table = overview(every)
    assert total == "3 endpoints: 1 critical, 1 warning, 1 ok"
    assert [row.cells[:2] for row in table.rows] == [
        ("tcp://z:1", "CRITICAL"), ("tcp://b:1", "WARNING"), ("tcp://a:1", "OK"),
    ]  # fmt: skip
    said = [row.cells[2] for row in table.rows]
    assert said[0].startswith("check-0: because")
    assert said[0].endswith(" ...; and 14 more")
    assert len(said[0]) < 90
    assert said[1:] == ["expiry: it ends soon", "1 passed"]
