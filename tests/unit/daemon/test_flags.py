"""dockerd's command line as pflag parses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.flags import parse, render
from dockertls.daemon.options import BadValue

if TYPE_CHECKING:
    from dockertls.documents.json_file import Json


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("--tlsverify", {"tlsverify": True}),
        ("--tlsverify=false", {"tlsverify": False}),
        ("-H x", {"hosts": ["x"]}),
        ("-Hx", {"hosts": ["x"]}),
        ("-H=x", {"hosts": ["x"]}),
        ("--host x", {"hosts": ["x"]}),
        ("--host=x", {"hosts": ["x"]}),
        ("--host=", {"hosts": [""]}),
        ("-H x --host=y", {"hosts": ["x", "y"]}),
        ("-H -D", {"hosts": ["-D"]}),
        ("-Dl debug", {"debug": True, "log-level": "debug"}),
        ("-Dldebug", {"debug": True, "log-level": "debug"}),
        ("-Dl=debug", {"debug": True, "log-level": "debug"}),
        ("-D=false", {"debug": False}),
        ("-D=", {"debug": True}),
        ("-l info -l debug", {"log-level": "debug"}),
        ("--label a=b --label c=d", {"labels": ["a=b", "c=d"]}),
        ("--log-opt a=b --log-opt c=d", {"log-opts": {"a": "b", "c": "d"}}),
        ("--add-runtime a=/b", {"runtimes": {"a": {"path": "/b"}}}),
        ("--config-file /x", {"config-file": "/x"}),
        ("-H x -- -D", {"hosts": ["x"]}),
    ],
)
def test_values_are_those_that_pflag_would_take(line: str, values: dict[str, Json]) -> None:
    assert dict(parse(line.split()).values()) == values


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--nonsense", "--nonsense is not a flag"),
        ("--nonsense=1", "--nonsense=1 is not a flag"),
        ("-D -x", "-x is not a flag"),
        ("-H", "-H has no argument"),
        ("--tlscert", "--tlscert has no argument"),
        ("--tlsverify false", "false is neither a flag"),
        ("--debug=yes", "--debug=yes: true or false"),
        ("-- tail", "tail is neither a flag"),
        ("- -D", "- is neither a flag"),
        ("-D=", "-= is not a flag"),
    ],
)
def test_what_pflag_would_refuse_is_told(line: str, message: str) -> None:
    faults = parse(line.split()).faults
    assert [fault for fault in faults if message in fault.message]
    assert all(fault.hint for fault in faults)


def test_every_fault_is_told_at_once() -> None:
    assert len(parse(["--nonsense", "a", "b", "--debug=x", "-H"]).faults) == 4


def test_one_occurrence_is_removed_and_the_rest_is_kept_to_the_byte() -> None:
    flags = parse(["-H", "a", "--label", "x y", "--host=b", "-D"])
    assert flags.without(flags.of("hosts")[1:]) == ("-H", "a", "--label", "x y", "-D")
    assert flags.without(()) == flags.words


def test_one_occurrence_is_written_anew_the_way_it_was_written() -> None:
    flags = parse(["-H", "a", "--host=b", "-Hc", "-H=d"])
    changes = {item: item.written("N") for item in flags.of("hosts")}
    assert flags.replaced(changes) == ("-H", "N", "--host=N", "-HN", "-H=N")


def test_a_switch_that_was_off_is_written_without_a_value() -> None:
    flags = parse(["--tlsverify=false"])
    assert flags.replaced({flags.occurrences[0]: flags.occurrences[0].written("true")}) == ("--tlsverify",)


@pytest.mark.parametrize("line", ["-DHa", "-DH a", "-DH=a"])
def test_a_flag_is_taken_out_of_a_cluster(line: str) -> None:
    flags = parse(line.split())
    assert flags.without(flags.of("hosts")) == ("-D",)
    assert parse(flags.without(flags.of("debug"))).values() == {"hosts": ["a"]}


def test_unknown_flags_are_kept() -> None:
    flags = parse(["--nonsense", "x", "-D"])
    assert flags.without(flags.of("debug")) == ("--nonsense", "x")
    assert "nonsense" not in flags.values()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("tlsverify", True, ("--tlsverify",)),
        ("icc", False, ("--icc=false",)),
        ("tlscacert", "/ca.pem", ("--tlscacert=/ca.pem",)),
        ("labels", ["a=b", "c=d"], ("--label", "a=b", "--label", "c=d")),
        ("log-opts", {"max-size": "1m"}, ("--log-opt", "max-size=1m")),
        ("mtu", 1400, ("--mtu=1400",)),
    ],
)
def test_a_setting_is_rendered_as_flags_that_say_the_same(key: str, value: Json, words: tuple[str, ...]) -> None:
    assert render(key, value) == words
    assert dict(parse(words).values()) == {key: value}


@pytest.mark.parametrize(("key", "value"), [("builder", {}), ("nonsense", 1), ("icc", "x"), ("runtimes", {"a": {}})])
def test_what_no_flag_can_say_is_refused(key: str, value: Json) -> None:
    with pytest.raises(BadValue):
        render(key, value)
