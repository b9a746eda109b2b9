from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.client.contexts import Context, context_id, contexts, current, install_context, lack
from dockertls.errors import NotReady, Refused
from dockertls.plan import Directory, File, Link

if TYPE_CHECKING:
    from dockertls.client.files import ClientFiles
    from dockertls.facts import HostFacts
    from dockertls.plan import Node, Plan
    from tests.unit.client.conftest import After, FactsOf, People

DOCKER = "/home/ann/.docker"
ANN = (1000, 1000)
WEB1 = hashlib.sha256(b"web1").hexdigest()
META = f"{DOCKER}/contexts/meta/{WEB1}/meta.json"
TLS = f"{DOCKER}/contexts/tls/{WEB1}/docker"
AS_WRITTEN = b'{"Name":"web1","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://web1:2376","SkipTLSVerify":false}}}'


def planned(
    facts: HostFacts, files: ClientFiles, *, name: str = "web1", url: str = "tcp://web1:2376", replace: bool = False
) -> Plan:
    return install_context(facts, files, Path(DOCKER), ANN, name=name, endpoint_url=url, replace=replace)


def laid(files: ClientFiles, meta: bytes = AS_WRITTEN) -> dict[str, Node]:
    pems = {"ca": files.ca, "cert": files.cert, "key": files.key}
    nodes: dict[str, Node] = {f"{TLS}/{name}.pem": File(content, 0o600, ANN) for name, content in pems.items()}
    return nodes | {META: File(meta, 0o644, ANN)}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_new_context_is_as_docker_writes_it(host: FactsOf, people: People, after: After) -> None:
    made = after({}, planned(host({}), people.files))
    assert made == laid(people.files) | {
        DOCKER: Directory(0o700, ANN),
        f"{DOCKER}/contexts": Directory(0o755, ANN),
        f"{DOCKER}/contexts/meta": Directory(0o755, ANN),
        f"{DOCKER}/contexts/meta/{WEB1}": Directory(0o755, ANN),
        f"{DOCKER}/contexts/tls": Directory(0o700, ANN),
        f"{DOCKER}/contexts/tls/{WEB1}": Directory(0o700, ANN),
        TLS: Directory(0o700, ANN),
    }


def test_directories_come_before_what_they_hold_and_the_endpoint_last(host: FactsOf, people: People) -> None:
    paths = [change.path for change in planned(host({}), people.files).changes]
    assert all(parent not in paths[index:] for index, path in enumerate(paths) for parent in path.parents)
    assert paths[-1] == Path(META)


def test_the_second_time_there_is_nothing_to_do(host: FactsOf, people: People) -> None:
    assert not planned(host(laid(people.files)), people.files)


def test_the_key_is_secret_and_named_in_the_store(host: FactsOf, people: People) -> None:
    key = next(change.after for change in planned(host({}), people.files).changes if change.path.name == "key.pem")
    assert isinstance(key, File)
    assert key.secret
    assert key.stored == Path("/store/clients/ann/0001/key.pem")


def test_an_update_keeps_what_others_wrote(host: FactsOf, people: People) -> None:
    before = (
        b'{"Name":"web1","Metadata":{"Description":"<ours> \xc3\xa9","GODEBUG":"x=1"},"Endpoints":{"docker":{"Host":'
        b'"tcp://old:2376","SkipTLSVerify":true,"More":[1]},"kubernetes":{"Host":"k"}},"Other":null}'
    )
    nodes = laid(people.files, before) | {META: File(before, 0o600, (0, 0))}
    (change,) = planned(host(nodes), people.files).changes
    assert isinstance(change.after, File)
    assert (change.after.mode, change.after.owner) == (0o600, ANN)
    assert json.loads(change.after.content) == {
        "Name": "web1",
        "Metadata": {"Description": "<ours> é", "GODEBUG": "x=1"},
        "Endpoints": {
            "docker": {"Host": "tcp://web1:2376", "SkipTLSVerify": False, "More": [1]},
            "kubernetes": {"Host": "k"},
        },
        "Other": None,
    }
    assert b'"Metadata":{"Description":"<ours> \xc3\xa9","GODEBUG":"x=1"}' in change.after.content


def test_another_authoritys_context_is_kept(host: FactsOf, people: People, after: After) -> None:
    nodes = laid(people.strangers_files)
    with pytest.raises(NotReady, match="CN=bob") as caught:
        planned(host(nodes), people.files)
    assert caught.value.exit == 4
    assert "--replace" in caught.value.hint
    assert after(nodes, planned(host(nodes), people.files, replace=True)) == laid(people.files)


def test_a_past_authority_is_ours(host: FactsOf, people: People) -> None:
    from dockertls.pki.keys import fingerprint  # noqa: PLC0415 - used here only

    plan = install_context(
        host(laid(people.strangers_files)),
        people.files,
        Path(DOCKER),
        ANN,
        name="web1",
        endpoint_url="tcp://web1:2376",
        replace=False,
        known={fingerprint(people.stranger.certificate)},
    )
    assert len(plan.changes) == 3


@pytest.mark.parametrize("name", ["default", "", "a", "-ab", "a b", "a/b", "../x", "ab\n", "é1", ".ab"])
def test_names_that_docker_refuses(host: FactsOf, people: People, name: str) -> None:
    with pytest.raises(Refused, match="docker context"):
        planned(host({}), people.files, name=name)


@pytest.mark.parametrize("name", ["ab", "A1_.+-", "9z", "default2"])
def test_names_that_docker_takes(host: FactsOf, people: People, name: str) -> None:
    assert planned(host({}), people.files, name=name).changes[-1].path.parent.name == context_id(name)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "web1",
        "web1:2376",
        "tcp://web1",
        "tcp://:2376",
        "tcp://web1:0",
        "tcp://web1:65536",
        "tcp://web1:2376/x",
        "https://web1:2376",
        "unix:///var/run/docker.sock",
        "tcp://u@web1:2376",
        "tcp://::1:2376",
        "tcp://web1:2376\n",
    ],
)
def test_urls_that_docker_could_not_use(host: FactsOf, people: People, url: str) -> None:
    with pytest.raises(Refused) as caught:
        planned(host({}), people.files, url=url)
    assert "tcp://HOST:PORT" in caught.value.hint


@pytest.mark.parametrize("url", ["tcp://10.0.0.1:2376", "tcp://[fe80::1%25eth0]:1", "tcp://a-b.example:65535"])
def test_urls_that_docker_can_use(host: FactsOf, people: People, url: str) -> None:
    meta = planned(host({}), people.files, url=url).changes[-1].after
    assert isinstance(meta, File)
    assert json.loads(meta.content)["Endpoints"]["docker"]["Host"] == url


def test_name_and_url_are_judged_at_once(host: FactsOf, people: People) -> None:
    with pytest.raises(Refused) as caught:
        planned(host({}), people.files, name="x", url="y")
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        DOCKER,
        f"{DOCKER}/contexts",
        f"{DOCKER}/contexts/meta",
        f"{DOCKER}/contexts/meta/{WEB1}",
        META,
        f"{DOCKER}/contexts/tls",
        f"{DOCKER}/contexts/tls/{WEB1}",
        TLS,
        f"{TLS}/key.pem",
    ],
)
def test_no_link_is_followed_or_replaced(host: FactsOf, people: People, path: str, *, replace: bool) -> None:
    nodes = {key: node for key, node in laid(people.files).items() if not Path(key).is_relative_to(path)}
    with pytest.raises(NotReady, match=f"{path} is a link"):
        planned(host(nodes | {path: Link("/etc")}), people.files, replace=replace)


@pytest.mark.parametrize(
    "meta",
    [b"", b"{}", b"[]", b"{", b'{"Name":"web1","Endpoints":[]}', b'{"Name":"web1","Endpoints":{"docker":"tcp://x:1"}}'],
)
def test_a_context_that_cannot_be_read_is_not_overwritten(host: FactsOf, people: People, meta: bytes) -> None:
    with pytest.raises(Refused, match=r"meta\.json"):
        planned(host(laid(people.files, meta)), people.files, replace=True)
    (context,) = contexts(host(laid(people.files, meta)), Path(DOCKER))
    assert context.name == WEB1
    assert context.fault


def test_a_context_in_a_folder_of_another_name(host: FactsOf, people: People) -> None:
    meta = AS_WRITTEN.replace(b'"web1"', b'"web2"')
    with pytest.raises(Refused, match="does not belong to the context web1"):
        planned(host(laid(people.files, meta)), people.files)
    (context,) = contexts(host(laid(people.files, meta)), Path(DOCKER))
    assert "does not belong" in context.fault


def test_contexts_are_read(host: FactsOf, people: People) -> None:
    plain = b'{"Name":"a1","Metadata":{},"Endpoints":{"docker":{"Host":"ssh://u@h","SkipTLSVerify":true}}}'
    nodes = laid(people.files) | {
        f"{DOCKER}/contexts/meta/{context_id('a1')}/meta.json": File(plain),
        f"{DOCKER}/contexts/meta/{context_id('none')}/meta.json": File(b'{"Name":"none"}'),
        f"{DOCKER}/contexts/meta/empty": Directory(),
        f"{DOCKER}/contexts/meta/stray": File(b""),
    }
    files = people.files
    assert contexts(host(nodes), Path(DOCKER)) == (
        Context("a1", "ssh://u@h", skip_tls_verify=True),
        Context("none"),
        Context("web1", "tcp://web1:2376", False, digest(files.ca), digest(files.cert), digest(files.key)),
    )


def test_what_is_written_is_what_is_read(host: FactsOf, people: People, after: After) -> None:
    made = after({}, planned(host({}), people.files))
    (context,) = contexts(host(made), Path(DOCKER))
    assert (context.name, context.host, context.fault) == ("web1", "tcp://web1:2376", "")
    assert context.key == digest(people.files.key)


def test_no_contexts(host: FactsOf) -> None:
    assert contexts(host({}), Path(DOCKER)) == ()


@pytest.mark.parametrize("path", [f"{DOCKER}/contexts/meta/{WEB1}", f"{DOCKER}/contexts/tls/{WEB1}", TLS])
@pytest.mark.parametrize("node", [Link("/x"), File(b"")])
def test_what_lies_behind_a_link_is_told_and_not_taken_for_nothing(
    host: FactsOf, people: People, path: str, node: Node
) -> None:
    nodes = {key: value for key, value in laid(people.files).items() if not Path(key).is_relative_to(path)}
    found = contexts(host(nodes | {path: node}), Path(DOCKER))
    if "meta" in path and isinstance(node, File):
        assert found == ()
    else:
        assert "link" in found[0].fault
        assert found[0].ca is None


def test_contexts_behind_a_link_are_refused(host: FactsOf) -> None:
    with pytest.raises(NotReady, match="a link is not followed"):
        contexts(host({f"{DOCKER}/contexts/meta": Link("/x")}), Path(DOCKER))


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (b'{"currentContext": "web1"}', "web1"),
        (b'{\n\t"auths": {},\n\t"currentContext": "a.b"\n}', "a.b"),
        (b'{"currentContext": "default"}', None),
        (b'{"currentContext": ""}', None),
        (b"{}", None),
        (b"", None),  # docker takes it for no settings (docker/cli, cli/config/configfile: io.EOF)
    ],
)
def test_current(host: FactsOf, config: bytes, name: str | None) -> None:
    assert current(host({f"{DOCKER}/config.json": File(config)}), Path(DOCKER)) == name


def test_current_without_a_config(host: FactsOf) -> None:
    assert current(host({}), Path(DOCKER)) is None


@pytest.mark.parametrize(
    ("context", "told"),
    [
        (Context("far", "tcp://web1:2375"), "has no TLS: docker speaks plain HTTP"),
        (Context("far", "tcp://web1:2376", skip_tls_verify=True), "believes any server"),
        (Context("far", "tcp://web1:2376", cert="c", key="k"), "this host's system believes"),
        (Context("far", "tcp://web1:2376", ca="a"), ""),
        (Context("far", "tcp://web1:2376", fault="contexts/tls is a link"), ""),
    ],
)
def test_what_a_context_lacks(context: Context, told: str) -> None:
    found = lack(context)
    assert told in (found.message if found else "")
    assert (found is None) is (told == "")


@pytest.mark.parametrize("config", [b"{", b"[]", b'{"currentContext": 5}', b'{"currentContext": ["a"]}'])
def test_a_config_that_cannot_be_read_is_told(host: FactsOf, config: bytes) -> None:
    with pytest.raises(Refused, match=r"config\.json"):
        current(host({f"{DOCKER}/config.json": File(config)}), Path(DOCKER))
