"""Settings merge, and a conflict names both who asked."""

from __future__ import annotations

import pytest

from dockertls.daemon.settings import EMPTY, Settings, Source, read_settings, setting_faults
from dockertls.errors import Refused


def test_two_settings_merge() -> None:
    both = Settings.of({"debug": True}, "--set") | Settings.of({"icc": False}, "policy")
    assert dict(both) == {"debug": True, "icc": False}
    assert both.sources["icc"] == Source(False, "policy")


def test_the_same_wish_twice_is_no_conflict() -> None:
    one = Settings.of({"debug": True}, "one")
    assert (one | Settings.of({"debug": True}, "other")).sources["debug"].origin == "one"
    assert EMPTY | one == one


def test_a_conflict_names_both_sources() -> None:
    with pytest.raises(Refused, match=r"debug is wanted as True \(--set\) and as 1 \(policy\)"):
        Settings.of({"debug": True}, "--set") | Settings.of({"debug": 1}, "policy")


def test_every_conflict_is_told_at_once() -> None:
    one, other = (Settings.of({"debug": value, "icc": value}, str(value)) for value in (True, False))
    with pytest.raises(Refused) as caught:
        one | other
    assert len(caught.value.faults) == 2


def test_a_value_that_may_hold_a_password_is_not_shown() -> None:
    one, other = (Settings.of({"http-proxy": f"http://u:{word}@p"}, word) for word in ("hunter2", "swordfish"))
    with pytest.raises(Refused) as caught:
        one | other
    assert "http://" not in caught.value.message


def test_words_are_read_by_the_kind_of_their_option() -> None:
    words = ["live-restore=true", "mtu=1400", "label=a=b", "labels=c=d", "log-opts=max-size=1m", "log-driver=journald"]
    assert dict(read_settings(words)) == {
        "live-restore": True,
        "mtu": 1400,
        "labels": ["a=b", "c=d"],
        "log-opts": {"max-size": "1m"},
        "log-driver": "journald",
    }


def test_every_bad_word_is_told_at_once() -> None:
    bad = ["debug", "nonsense=1", "debug=maybe", "mtu=many", "config-file=/x", "builder={}", "icc=true", "icc=false"]
    with pytest.raises(Refused) as caught:
        read_settings(bad)
    assert len(caught.value.faults) == 7
    assert all(fault.hint for fault in caught.value.faults)


def test_what_dockerd_would_refuse_is_found() -> None:
    faults = setting_faults(Settings.of({"label": ["a"], "tlsverfy": True, "debug": "yes", "icc": True}, "x"))
    assert [fault.message.split()[0] for fault in faults] == ["label", "tlsverfy", "debug"]
    assert faults[0].hint == "write labels"
