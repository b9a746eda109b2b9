"""Laws of the daemon's configuration: configure twice is once, its inverse restores, flags are kept to the byte."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dockertls.daemon.configure import Style, Wanted, configure
from dockertls.daemon.edits import respelled
from dockertls.daemon.effective import effective, problems
from dockertls.daemon.flags import parse, render
from dockertls.daemon.hosts import is_tcp
from dockertls.daemon.model import ANN, from_files, packaged_files
from dockertls.daemon.options import BY_KEY, TABLE, Kind
from dockertls.daemon.reading import hosts_of, read
from dockertls.documents.env_file import Dialect, split
from dockertls.errors import Refused
from dockertls.plan import Directory, File
from dockertls.platforms import BY_NAME, at_home
from dockertls.platforms import TABLE as PLATFORMS

if TYPE_CHECKING:
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts
    from dockertls.plan import Plan

DOCKER = Path("/etc/docker")
MANY = settings(max_examples=100, deadline=None)

WORDS = st.sampled_from(
    [
        "-H",
        "--host",
        "-D",
        "-Dl",
        "--",
        "-",
        "--tlsverify",
        "--tlsverify=false",
        "--x=1",
        "a b",
        "x",
        "-Hy",
        "-l=info",
        "--tls",
    ]
)
OPTIONS = [
    "--icc=false", "--label a=b", "--init", "--dns=192.0.2.1", "--live-restore", "-H unix:///x", "-H unix://",
    "--log-opt max-size=1m",
    "-H tcp://127.0.0.1:2375", "--host=tcp://[::1]:1", "--tlsverify", "--tls", "--tlscacert=/old", "--tlskey /old",
    "--storage-driver overlay2", "-l warn", "--tlsverify=false",
]  # fmt: skip
FLAGS = st.lists(st.sampled_from(OPTIONS), max_size=6, unique=True).map(" ".join)
HOSTS: list[Json] = [["fd://"], ["unix://", "tcp://0.0.0.0:2375"], [], ["tcp://127.0.0.1:2376", "unix:///y"]]
KEYS: st.SearchStrategy[dict[str, Json]] = st.fixed_dictionaries(
    {},
    optional={
        "debug": st.booleans(),
        "bip": st.just("192.0.2.1/24"),
        "tlsverify": st.booleans(),
        "tls": st.booleans(),
        "tlscacert": st.sampled_from(["/old", "/etc/docker/ca.pem"]),
        "tlscert": st.just("/old"),
        "tlskey": st.just("/old"),
        "hosts": st.sampled_from(HOSTS),
    },
)
WISHES = st.builds(
    Wanted,
    st.just(DOCKER / "ca.pem"),
    st.just(DOCKER / "server-cert.pem"),
    st.just(DOCKER / "server-key.pem"),
    port=st.sampled_from([2376, 12376]),
    listen=st.sampled_from([(), ("127.0.0.1",), ("192.0.2.1", "::1")]),
    style=st.sampled_from(Style),
)


@st.composite
def hosts(draw: st.DrawFn) -> HostFacts:
    row = draw(st.sampled_from(PLATFORMS))
    files = packaged_files(row, draw(FLAGS) if row.variable else "")
    keys = draw(KEYS)
    config = at_home(row.daemon_json, ANN.home)
    return from_files({**files, **({config: json.dumps(keys)} if keys else {})})


def carried_out(facts: HostFacts, plan: Plan) -> HostFacts:
    """The facts of the same tree after a plan."""
    nodes = dict(facts.files)
    for change in plan.changes:
        assert nodes.get(change.path) == change.before
        nodes[change.path] = change.after
    return from_files({path: node.content.decode() for path, node in nodes.items() if isinstance(node, File)})


def contents(facts: HostFacts) -> dict[Path, bytes]:
    return {path: node.content for path, node in facts.files.items() if isinstance(node, File)}


@given(hosts(), WISHES)
@MANY
def test_configure_twice_is_once_and_the_result_is_what_was_wanted(facts: HostFacts, wanted: Wanted) -> None:
    try:
        first = configure(facts, wanted)
    except Refused as error:
        told = [fault.message for fault in error.faults]
        expected = ("does not work here", "no docker.socket", "rootlesskit is only known to forward IPv4")
        assert all(any(part in text for part in expected) for text in told)
        return
    after = carried_out(facts, first.plan)
    for style in {wanted.style, Style.AUTO}:
        assert not configure(after, replace(wanted, style=style)).plan, "the second time there is nothing to do"
    reading = read(after)
    said = reading.both()
    assert {key: said[key].value for key in wanted.tls} == wanted.tls
    assert sorted(host for host, _ in reading.reached()) == sorted(wanted.hosts)
    assert any(not is_tcp(host) for host in hosts_of(said["hosts"])), "the local socket is never lost"
    homes = {said[key].origin.partition(":")[0] for key in wanted.tls}
    assert len(homes) == 1, "all TLS options stand in one place"
    lasting = ("beside fd://", "beside tlscacert")  # what a user did to his socket is kept; so is an old release
    assert all(any(text in fault.message for text in lasting) for fault in problems(after))


@given(hosts(), WISHES)
@MANY
def test_the_inverse_restores(facts: HostFacts, wanted: Wanted) -> None:
    try:
        plan = configure(facts, wanted).plan
    except Refused:
        assume(False)
    after = carried_out(facts, plan)
    nodes = {**after.files, **{change.path: change.after for change in plan.changes}}
    for change in plan.inverse().changes:
        assert nodes.get(change.path) == change.before
        nodes[change.path] = change.after
    assert {path: node.content for path, node in nodes.items() if isinstance(node, File)} == contents(facts)
    assert not any(isinstance(nodes[change.path], Directory) for change in plan.changes if change.before is None)


@given(hosts(), WISHES)
@MANY
def test_options_that_are_not_asked_for_are_kept(facts: HostFacts, wanted: Wanted) -> None:
    try:
        after = carried_out(facts, configure(facts, wanted).plan)
    except Refused:
        assume(False)
    ours = {*wanted.tls, "tls", "hosts"}
    before, now = effective(facts), effective(after)
    assert {key: before[key].value for key in before if key not in ours} == {
        key: now[key].value for key in now if key not in ours
    }
    old, new = ([str(host) for host in said_hosts(said)] for said in (before, now))
    assert {host for host in old if "tcp" not in host} <= set(new) | {"unix://"}


def said_hosts(said: object) -> list[object]:
    found = said.get("hosts") if hasattr(said, "get") else None
    return list(found.value) if found else []


@given(st.lists(WORDS))
@MANY
def test_flags_are_kept_to_the_byte(words: list[str]) -> None:
    flags = parse(words)
    assert flags.without(()) == tuple(words)
    assert flags.replaced({}) == tuple(words)
    spans = [(item.start, item.stop) for item in flags.occurrences]
    assert spans == sorted(spans)


@given(st.lists(WORDS), st.data())
@MANY
def test_removing_one_flag_keeps_the_values_of_the_others(words: list[str], data: st.DataObject) -> None:
    flags = parse(words)
    assume(flags.occurrences and not flags.faults)
    gone = data.draw(st.sampled_from(flags.occurrences))
    left = parse(flags.without({gone}))
    kept = [item for item in flags.occurrences if item != gone]
    assert [(item.key, item.text) for item in left.occurrences] == [(item.key, item.text) for item in kept]
    assert not left.faults


VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.BOOL: st.booleans(),
    Kind.STRING: st.text(),
    Kind.INT: st.integers(-(2**63), 2**63 - 1),
    Kind.LIST: st.lists(st.text(), min_size=1),
    Kind.MAP: st.dictionaries(st.text(min_size=1).filter(lambda key: "=" not in key), st.text(), min_size=1),
}


@given(st.sampled_from([row.key for row in TABLE if row.key and row.flag and row.kind in VALUES]), st.data())
@MANY
def test_what_is_rendered_is_parsed_back(key: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[BY_KEY[key].kind])
    flags = parse(render(key, value))
    assert not flags.faults
    assert flags.values() == {key: value}


@given(st.lists(st.sampled_from(["a", "b", "c d", "e"])), st.lists(st.sampled_from(["a", "b", "c d", "x y", "z"])))
@MANY
def test_a_value_becomes_the_arguments_that_were_wanted(old: list[str], new: list[str]) -> None:
    value = "  ".join(f"'{word}'" if " " in word else word for word in old)
    edited = respelled(value, tuple(new), Dialect.SYSTEMD)
    assert split(edited, Dialect.SYSTEMD) == tuple(new)
    if old == new:
        assert edited == value


def test_the_platforms_of_these_laws_are_all() -> None:
    assert {row.id for row in PLATFORMS} <= set(BY_NAME)
