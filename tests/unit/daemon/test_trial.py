"""The question to dockerd: asked as its unit starts it, of copies that nobody else reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.model import from_files, packaged_files
from dockertls.daemon.trial import Trial, can_validate, trial
from dockertls.host import LocalHost
from dockertls.plan import Change, Directory, File
from dockertls.platforms import BY_NAME
from dockertls.rows import gather

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

FOLDER = Path("/var/lib/dockertls/trial")
JSON = Path("/etc/docker/daemon.json")
KEY = Path("/etc/docker/server-key.pem")


@pytest.mark.parametrize(
    ("told", "knows"),
    [
        ("Docker version 26.1.5+dfsg1, build 411e817", True),
        ("Docker version 23.0.0, build e92dd87", True),
        ("Docker version 20.10.24+dfsg1, build 5d6db84", False),
        ("Docker version 1.13.1, build 7d71120/1.13.1", False),
        ("Docker version 100.0.0, build 0000000", True),
        ("Docker version unknown-version", False),
        ("", False),
    ],
)
def test_only_a_dockerd_that_knows_the_question_is_asked(told: str, knows: bool) -> None:
    assert can_validate(told) is knows


def asked(facts: HostFacts) -> Trial:
    found = trial(facts, FOLDER)
    assert found is not None
    return found


def host(platform: str, options: str = "", document: str | None = None) -> HostFacts:
    more = {JSON: document} if document is not None else {}
    facts = from_files({**packaged_files(BY_NAME[platform]), **more})
    environment = BY_NAME[platform].environment
    text = File(f'{BY_NAME[platform].variable}="{options}"\n'.encode())
    changes = [Change(environment, None, text, "")] if environment else []
    return facts.after([*changes, Change(KEY, None, File(b"secret", 0o600, secret=True), "")])


def contents(found: Trial) -> dict[str, str]:
    return {str(path): node.content.decode() for path, node in found.nodes.items() if isinstance(node, File)}


def test_it_is_the_dockerd_of_the_unit_with_the_flags_of_the_unit() -> None:
    found = asked(host("fedora", f"--log-driver json-file --tlsverify --tlskey={KEY} --tlscert=/elsewhere/cert.pem"))
    assert found.version.argv == ("/usr/bin/dockerd", "--version")
    assert found.question.argv == (
        "/usr/bin/dockerd",
        "--validate",
        "--config-file=/var/lib/dockertls/trial/daemon.json",
        "--host=fd://",
        "--exec-opt",
        "native.cgroupdriver=systemd",
        "--log-driver",
        "json-file",
        "--tlsverify",
        "--tlskey=/var/lib/dockertls/trial/tlskey.pem",
        "--tlscert=/elsewhere/cert.pem",
    )
    assert contents(found) == {f"{FOLDER}/tlskey.pem": "secret", f"{FOLDER}/daemon.json": "{}\n"}


def test_daemon_json_is_a_copy_that_names_the_copies() -> None:
    found = asked(host("docker-ce", document=json.dumps({"tlsverify": True, "tlskey": str(KEY), "debug": True})))
    copied = json.loads(contents(found)[f"{FOLDER}/daemon.json"])
    assert copied == {"tlsverify": True, "tlskey": f"{FOLDER}/tlskey.pem", "debug": True}


def test_what_dockerd_would_choke_on_is_left_to_it() -> None:
    assert contents(asked(host("docker-ce", document="{broken")))[f"{FOLDER}/daemon.json"] == "{broken"


def gathered(root: DiskPath, files: dict[Path, str]) -> HostFacts:
    """A host that was looked at, of which not everything is known."""
    for path, text in files.items():
        place = root / str(path)[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return gather(LocalHost(str(root)), ["daemon", "certificates"], now=datetime(2026, 11, 23, tzinfo=UTC))


def test_a_configuration_file_that_is_not_known_is_read_where_it_lies(tmp_path: DiskPath) -> None:
    options = "--config-file=/opt/daemon.json --tlsverify --tlskey=/opt/key.pem"
    found = asked(gathered(tmp_path, packaged_files(BY_NAME["debian"], options)))
    assert "--tlskey=/opt/key.pem" in found.question.argv
    assert "--config-file=/opt/daemon.json" in found.question.argv
    assert contents(found) == {}


def test_nothing_is_readable_to_others() -> None:
    found = asked(host("debian", f"--tlsverify --tlskey={KEY}"))
    folder, *files = found.nodes.values()
    assert (next(iter(found.nodes)), folder) == (FOLDER, Directory(0o700))
    assert [node.mode for node in files if isinstance(node, File)] == [0o600, 0o600]


@pytest.mark.parametrize(
    ("options", "document"), [("--userns-remap=default", "{}"), ("", '{"userns-remap": "default", "debug": true}')]
)
def test_what_would_make_a_user_is_left_out(options: str, document: str) -> None:
    found = asked(host("debian", options, document))
    assert not any("userns-remap" in text for text in (*found.question.argv, *contents(found).values()))


def test_the_answer_is_told_of_the_real_places() -> None:
    found = asked(host("debian", f"--tlsverify --tlskey={KEY}"))
    answer = f"unable to configure the Docker daemon with file {FOLDER}/daemon.json: {FOLDER}/tlskey.pem"
    assert found.told(answer) == f"unable to configure the Docker daemon with file {JSON}: {KEY}"


def test_nobody_is_asked_where_it_is_not_known_what_starts_dockerd(tmp_path: DiskPath) -> None:
    assert trial(gathered(tmp_path, {}), FOLDER) is None
