"""Facts that leave the host: nothing secret goes with them, and they are judged as before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import Any

import pytest

from dockertls.audit.catalogue import judged
from dockertls.audit.gathered import Gathered, keys_in, seen
from dockertls.audit.loaded import SCHEMA, parse
from dockertls.audit.redacted import redacted
from dockertls.audit.saved import document
from dockertls.audit.seen import Expected
from dockertls.errors import Refused
from dockertls.host import Output
from dockertls.masking import masked
from dockertls.pki.keys import generate, private_pem
from dockertls.plan import File
from tests.cases.auditing import base, pid

KEY = private_pem(generate("ecdsa-p256"))
HIDDEN = "hunter2-do-not-tell"


def written(data: dict[str, Any]) -> bytes:
    return json.dumps({"schema": SCHEMA, "ok": True, "data": data}).encode()


def loaded(data: dict[str, Any]) -> Gathered:
    return parse(written(data), "facts.json")


def with_files(found: Gathered, **texts: bytes) -> Gathered:
    files = {**found.facts.files, **{Path(path): File(text) for path, text in texts.items()}}
    return replace(found, facts=replace(found.facts, files=files))


def test_what_is_written_is_read_again() -> None:
    found = loaded(base())
    assert loaded(json.loads(json.dumps(document(found)))) == found


SECRETS = {
    "/etc/docker/tls/0001/server-key.pem": KEY,
    "/root/.docker/config.json": json.dumps({"auths": {"r": {"auth": HIDDEN}}, "currentContext": "far"}).encode(),
    "/etc/default/docker": f'DOCKER_OPTS="--log-opt splunk-token={HIDDEN} -H fd://"\nAPI_TOKEN={HIDDEN}\n'.encode(),
    "/etc/docker/daemon.json": json.dumps(
        {"log-opts": {"splunk-token": HIDDEN}, "proxies": {"http-proxy": f"http://me:{HIDDEN}@proxy:3128"}}
    ).encode(),
    "/etc/systemd/system/docker.service.d/proxy.conf": (
        f'[Service]\nEnvironment="HTTP_PROXY=http://me:{HIDDEN}@p:1" "DB_PASSWORD={HIDDEN}"\n'.encode()
    ),
    "/proc/7/environ": f"HTTPS_PROXY=http://u:{HIDDEN}@p\0AWS_SECRET_ACCESS_KEY={HIDDEN}\0PATH=/bin\0".encode(),
    "/proc/7/cmdline": f"dockerd\0--log-opt\0splunk-token={HIDDEN}\0--http-proxy=http://a:{HIDDEN}@p\0".encode(),
    "/etc/passwd": f"old:{HIDDEN}:1000:1000::/home/old:/bin/sh\n".encode(),
    "/etc/group": f"old:{HIDDEN}:1000:\n".encode(),
}


@pytest.mark.parametrize("path", SECRETS)
def test_no_secret_leaves_the_host(path: str) -> None:
    found = with_files(loaded(base()), **{path: SECRETS[path]})
    text = json.dumps(document(found))
    assert HIDDEN not in text
    assert "PRIVATE KEY" not in text.replace("(a private key: withheld)", "")


def test_answers_are_redacted_too() -> None:
    data = base()
    data["dockerds"][pid(data)]["info"]["HttpProxy"] = f"http://me:{HIDDEN}@p:1"
    data["outputs"].append({"argv": ["x"], "code": 0, "out": f"TOKEN={HIDDEN}", "err": f"http://u:{HIDDEN}@h/"})
    assert HIDDEN not in json.dumps(document(loaded(data)))


def test_what_is_harmless_stays() -> None:
    found = with_files(loaded(base()), **{"/root/.docker/config.json": SECRETS["/root/.docker/config.json"]})
    safe = redacted(found)
    assert safe.facts.file(Path("/root/.docker/config.json")) == File(b'{"currentContext": "far"}')
    same = [path for path, node in found.facts.files.items() if safe.facts.files[path] == node]
    assert len(same) > len(found.facts.files) - 8  # tables of sockets, and what is tested above


def test_what_is_no_utf8_is_redacted_and_kept() -> None:
    odd = b'{"a": "\xff", "splunk-token": "' + HIDDEN.encode() + b'"}'
    safe = redacted(with_files(loaded(base()), **{"/etc/docker/daemon.json": odd}))
    assert safe.facts.file(Path("/etc/docker/daemon.json")) == File(b'{"a": "\xff", "splunk-token": "(secret)"}')


def test_a_process_that_is_gone_stays_gone() -> None:
    safe = redacted(with_files(loaded(base()), **{"/proc/7/cmdline": b""}))
    assert safe.facts.files[Path("/proc/7/cmdline")] == File(b"")


def test_redacting_twice_is_redacting_once() -> None:
    safe = redacted(with_files(loaded(base()), **SECRETS))
    assert redacted(safe) == safe


def test_a_host_is_judged_as_before() -> None:
    found = loaded(base())
    files = dict(found.facts.files)
    key = Path("/etc/docker/tls/0001/server-key.pem")
    files[key] = File(KEY, 0o600)
    found = replace(found, facts=replace(found.facts, files=files))
    found = replace(found, keys=keys_in(found.facts))
    before = list(judged(seen(found, Expected())))
    assert list(judged(seen(loaded(json.loads(json.dumps(document(found)))), Expected()))) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a=b token: x", "a=b token: (secret)"),
        ('"registry_password": "x y"', '"registry_password": "(secret)"'),
        ("https://u:p@h/x", "https://(secret)@h/x"),
        ("--authorization-plugin=opa", "--authorization-plugin=opa"),
        ('"authorization-plugins": ["opa"]', '"authorization-plugins": ["opa"]'),
        ("SECRET_FILE=/run/secret", "SECRET_FILE=/run/secret"),
        ("MYSQL_PWD=hunter2", "MYSQL_PWD=(secret)"),
        ("DB_PASS: x", "DB_PASS: (secret)"),
        ("PWD=/root", "PWD=/root"),
        ("--pass-credentials", "--pass-credentials"),
        ("enable-secrets=true", "enable-secrets=true"),
        ("API_KEY='it is'", "API_KEY='(secret)'"),
    ],
)
def test_text_is_redacted_by_names_and_urls(text: str, told: str) -> None:
    assert masked(text) == told


def test_redacting_takes_no_time_that_grows_as_a_square() -> None:
    for text in ("token" * 100_000, "a" * 500_000, "token" + " " * 500_000, '"' * 300_000):
        masked(text)


# documents that are none


def without(*keys: str) -> dict[str, Any]:
    data = base()
    for key in keys:
        del data[key]
    return data


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is not what `dockertls facts` writes: Expecting value"),
        (b"\xff\xfe\x00", "is not what"),
        (b'{"schema": "dockertls/facts/2", "data": {}}', "its schema is dockertls/facts/2"),
        (b'{"schema": "dockertls/audit/1", "data": {}}', "its schema is dockertls/audit/1"),
        (b'{"schema": ["x"], "data": {}}', "its schema is"),
        (b"[]", "its schema is None"),
        (written(base())[:-40], "is not what"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"schema": "dockertls/facts/1", "data": ' + b'{"a":' * 100_000, "nested too deeply"),
        (written({}), "faults"),
        (b'{"schema": "\\u001b[31m"}', "its schema is \\x1b[31m"),
    ],
)
def test_what_is_no_document_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(Refused) as raised:
        parse(content, "facts.json")
    assert told in raised.value.message
    assert "\x1b" not in raised.value.message


def test_all_faults_are_told_at_once_and_not_too_many() -> None:
    with pytest.raises(Refused) as raised:
        loaded({**base(), "host": 7, "taken": "yesterday", "files": {f"/{n}": {"kind": "x"} for n in range(1000)}})
    told = [fault.message for fault in raised.value.faults]
    assert told[:2] == ["host is not a text", "taken is not a time (ISO 8601)"]
    assert len(told) == 20


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"/x": {"kind": "file", "mode": "99", "owner": [0, 0], "text": ""}}},
        {"files": {"/x": {"kind": "file", "mode": "0644", "owner": [0], "text": ""}}},
        {"files": {"/x": {"kind": "file", "mode": "0644", "owner": [0, 0], "base64": "*"}}},
        {"files": {"/x": {"kind": "link", "target": 7}}},
        {"files": []},
        {"names": {"/x": "abc"}},
        {"outputs": [7]},
        {"outputs": [{"argv": [7]}]},
        {"changed": {"/x": True}},
        {"statuses": {"/x": {"kind": "file"}}},
        {"keys": {"/x": {"digest": "", "encrypted": "no"}}},
        {"dockerds": {"x": {}}},
        {"dockerds": {"7": []}},
        {"dockerds": {"7": {"info": [], "version": {}, "bridge": {}, "published": ["x"], "fault": 7}}},
        {"peer": "x"},
        {"taken": "2026-01-01T00:00:00"},
    ],
)
def test_a_part_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        loaded({**base(), **change})


@pytest.mark.parametrize("verdict", ["fine", None, 7])
def test_a_verdict_that_is_none_is_refused(verdict: object) -> None:
    data = base()
    data["dockerds"][pid(data)]["endpoints"][0]["findings"][0]["verdict"] = verdict
    with pytest.raises(Refused, match="a verdict that is known"):
        loaded(data)


def test_a_million_names_cost_seconds_at_most_and_are_judged() -> None:
    data = base()
    data["names"]["/opt"] = [str(number) for number in range(200_000)]
    data["unseen"] |= {f"/opt/{number}": "no" for number in range(100_000)}
    assert len(list(judged(seen(loaded(data), Expected())))) > 80


def test_what_was_withheld_is_no_key_that_was_lost() -> None:
    found = loaded(base())
    (one,) = seen(found, Expected())
    assert one.served.key is not None
    assert one.served.key.is_of(one.served.chain[0])


def test_outputs_that_were_not_run_stay_so() -> None:
    found = loaded(base())
    facts = replace(found.facts, outputs={("x",): None, ("y",): Output(1, "o", "e")})
    again = loaded(document(replace(found, facts=facts)))
    assert again.facts.outputs == {("x",): None, ("y",): Output(1, "o", "e")}
