"""`daemon show` on file trees: whatever is wrong, odd or not to be read is told, and nothing changes."""

from __future__ import annotations

import os
import pty
import select
import struct
import termios
from fcntl import ioctl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.program import Place, Ran, command, environment

if TYPE_CHECKING:
    from collections.abc import Callable

DOCKERD = "/usr/sbin/dockerd -H fd://"
JSON, ENVIRONMENT = "etc/docker/daemon.json", "etc/default/docker"
UNIT = "etc/systemd/system/docker.service.d/x.conf"
USER = 1234
UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def start(line: str, *more: str) -> str:
    return "\n".join(["[Service]", *more, "ExecStart=", f"ExecStart={line}", ""])


def shown(place: Place, **how: Any) -> dict[str, Any]:  # noqa: ANN401 - as `Place.run`
    """What is shown; nothing is changed by it, no lock is made."""
    before = place.snapshot
    ran: Ran = place.run("--json", "daemon", "show", **how)
    assert ran.code == 0, ran
    assert place.snapshot == before
    assert ran.document["schema"] == "dockertls/daemon/1"
    data: dict[str, Any] = ran.document["data"]
    return data


def told(data: dict[str, Any]) -> str:
    return "\n".join([*(one["message"] for one in data["problems"]), *data["unknown"]])


def chown(place: Place, path: str, uid: int = USER) -> None:
    os.chown(place.root / path, uid, uid, follow_symlinks=False)


def link(place: Place, target: str, content: str | None = None) -> None:
    (place.root / JSON).parent.mkdir(parents=True, exist_ok=True)
    (place.root / JSON).symlink_to(target)
    if content is not None:
        place.put(target.lstrip("/"), content)


def by_a_stranger(place: Place) -> None:
    link(place, "/srv/daemon.json", "{}")
    chown(place, "srv/daemon.json")


def planted(place: Place) -> None:
    link(place, "/srv/daemon.json", "{}")
    chown(place, JSON)


def foreign(place: Place) -> None:
    place.put(JSON, "{}")
    chown(place, JSON)


def foreign_folder(place: Place) -> None:
    place.put(JSON, "{}")
    chown(place, "etc/docker")


FILES: dict[str, tuple[Callable[[Place], object], str]] = {
    "of another user": (foreign, "/etc/docker/daemon.json belongs to user 1234"),
    "in another user's directory": (foreign_folder, "/etc/docker belongs to user 1234"),
    "written by everybody": (
        lambda place: place.put(JSON, "{}").chmod(0o666),
        "can be written by everybody (mode 0666)",
    ),
    "in everybody's directory": (
        lambda place: place.put(JSON, "{}").parent.chmod(0o777),
        "/etc/docker can be written by everybody (mode 0777)",
    ),
    "a link to another user's file": (by_a_stranger, "/srv/daemon.json belongs to user 1234"),
    "a link that another user planted": (planted, "a link that another user could have planted"),
    "a link to nothing": (lambda place: link(place, "/srv/nothing"), "is a link to /srv/nothing, and no file is there"),
    "a link to itself": (lambda place: link(place, "daemon.json"), "is a link to daemon.json, and no file is there"),
    "a directory": (lambda place: (place.root / JSON).mkdir(parents=True), "is a directory: dockerd does not start"),
}


@pytest.mark.needs("root")
@pytest.mark.parametrize("name", FILES)
def test_who_else_decides_what_daemon_json_says_is_told(fresh: Place, name: str) -> None:
    make, message = FILES[name]
    make(fresh)
    assert message in told(shown(fresh))


UNITS: dict[str, tuple[dict[str, str], tuple[str, ...], str]] = {
    "continued": ({UNIT: start("/usr/sbin/dockerd \\\n -H fd:// \\\n# a comment\n --label \\\n a=b")}, ("a=b",), ""),
    "several resets": (
        {UNIT: start(f"{DOCKERD} --label=a") + f"ExecStart=\nExecStart={DOCKERD} --label=b\n"},
        ("b",),
        "",
    ),
    "a specifier": ({UNIT: start(f"{DOCKERD} --label=%H")}, ("%H",), "what systemd puts in place of %H"),
    "no specifier": ({UNIT: start("/usr/sbin/dockerd -H fd:// --label=p=100%%")}, ("p=100%",), ""),
    "a dash": ({UNIT: start(f"-{DOCKERD} --label=a")}, ("a",), ""),
    "an at": ({UNIT: start("@/usr/sbin/dockerd docker-daemon -H fd:// --label=a")}, ("a",), ""),
    "a plus": ({UNIT: start("+/usr/sbin/dockerd -H fd:// --label=a")}, ("a",), ""),
    "two bangs": ({UNIT: start("-!!/usr/sbin/dockerd -H fd:// --label=a")}, ("a",), ""),
    "a colon": ({UNIT: start(":/usr/sbin/dockerd -H fd:// --label=$A", "Environment=A=b")}, ("$A",), ""),
    "quotes": (
        {UNIT: start("/usr/sbin/dockerd -H fd:// \"--label=a=b c\" '--label=\"d\"' --label=e\\x20f")},
        ("a=b c", '"d"', "e f"),
        "",
    ),
    "an open quote": ({UNIT: start('/usr/sbin/dockerd -H fd:// "--label=a')}, (), "is never closed"),
    "no program": ({UNIT: start("-")}, (), "no program is named"),
    "a shell": ({UNIT: start("/bin/sh -c 'exec dockerd'")}, (), "runs /bin/sh, not dockerd"),
    "two commands": ({UNIT: "[Service]\nExecStart=/usr/sbin/dockerd\n"}, (), "more than one ExecStart="),
    "a missing file": ({UNIT: "[Service]\nEnvironmentFile=/etc/x\n"}, (), "/etc/x is missing, and docker.service"),
    "a missing file with a dash": ({UNIT: "[Service]\nEnvironmentFile=-/etc/x\n"}, (), ""),
    "a file elsewhere": (
        {UNIT: start("/usr/sbin/dockerd -H fd:// $X", "EnvironmentFile=/etc/x"), "etc/x": "X=--label=a\n"},
        ("a",),
        "",
    ),
    "files by a pattern": (
        {UNIT: start("/usr/sbin/dockerd -H fd:// $X", "EnvironmentFile=-/etc/x/*"), "etc/x/a": "X=--label=a\n"},
        (),
        "what /etc/x/* sets: it was not looked at",
    ),
    "a variable twice": (
        {ENVIRONMENT: "DOCKER_OPTS=--label=a\nDOCKER_OPTS=--label=b\n"},
        ("b",),
        "DOCKER_OPTS is set on line 1 and again on line 2",
    ),
    "a variable of another": (
        {ENVIRONMENT: 'MORE=a\nDOCKER_OPTS="--label=${MORE}"\n'},
        ("${MORE}",),
        "systemd puts nothing in place of --label=${MORE}",
    ),
    "an exported variable": ({ENVIRONMENT: "export DOCKER_OPTS=--label=a\n"}, (), "systemd knows no `export`"),
    "a second unit": (
        {"etc/systemd/system/docker-test.service": start("/usr/sbin/dockerd --data-root=/srv")},
        (),
        "/etc/systemd/system/docker-test.service starts a dockerd too",
    ),
    "daemon.json elsewhere": (
        {ENVIRONMENT: "DOCKER_OPTS=--config-file=/srv/d\n", "srv/d": '{"labels": ["a"]}', JSON: '{"debug": true}'},
        ("a",),
        "/etc/docker/daemon.json is there, and dockerd reads /srv/d (",
    ),
    "a name twice": ({JSON: '{"labels": ["a"],\n "labels": ["b"]}'}, ("b",), "stands here and on line 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_read_as_systemd_reads_it(fresh: Place, name: str) -> None:
    files, labels, message = UNITS[name]
    for path, text in files.items():
        fresh.put(path, text)
    data = shown(fresh)
    assert tuple(data["options"].get("labels", {"value": ()})["value"]) == labels
    assert message in told(data)
    problems = [one["message"] for one in data["problems"] if "DOCKER_OPTS is set, and" not in one["message"]]
    assert message or not problems


def test_a_variable_of_another_in_a_script_cannot_be_told(tmp_path: Path) -> None:
    place = Place.recorded("alpine", tmp_path / "root")
    place.put("etc/conf.d/docker", 'MORE=a\nDOCKER_OPTS="--label=${MORE}"\n')
    assert "/etc/conf.d/docker: line 2" in told(shown(place))


def test_no_docker_and_no_unit_of_docker(tmp_path: Path) -> None:
    (tmp_path / "root/usr/bin").mkdir(parents=True)
    place = Place(tmp_path / "root")
    assert place.run("daemon", "show").code == 4
    place.put("usr/bin/dockerd", "")
    assert "no unit and no init script that starts it" in told(shown(place))


def test_systemd_without_docker_socket(fresh: Place) -> None:
    (fresh.root / "lib/systemd/system/docker.socket").unlink()
    assert "docker.service requires docker.socket, which is not there" in told(shown(fresh))


def test_a_tree_tells_what_it_cannot_tell(fresh: Place) -> None:
    fresh.put(JSON, '{"nri-opts": {"enable": true}}')
    data = shown(fresh)
    assert (data["release"], data["running"], data["others"]) == (None, None, [])
    assert data["unknown"] == [
        "which release /usr/sbin/dockerd is: this is a file tree",
        "whether this dockerd knows nri-opts (since 29.0)",
        "whether dockerd runs: this is a file tree",
    ]


def test_what_may_be_a_credential_is_not_shown(fresh: Place) -> None:
    fresh.put(
        JSON,
        '{"proxies": {"http-proxy": "http://u:hidden@p"}, "log-opts": {"splunk-token": "hidden"},'
        ' "registry-mirrors": ["https://u:hidden@m"]}',
    )
    fresh.put(ENVIRONMENT, "DOCKER_OPTS='--https-proxy http://u:hidden@p --http-proxy=http://u:hidden@p'\n")
    assert "hidden" not in repr(shown(fresh))
    out = fresh.done("daemon", "show").out
    assert "hidden" not in out
    assert "(secret)" in out


def test_what_is_shown_is_one_line_a_thing_in_a_pipe(fresh: Place) -> None:
    fresh.put(ENVIRONMENT, "DOCKER_OPTS='-H tcp://127.0.0.1:2375 --label a=b --label c=d'\n")
    lines = fresh.done("daemon", "show").out.splitlines()
    assert lines[0] == "packaging: Debian, docker.io (by what /lib/systemd/system/docker.service runs)"
    assert lines[1].startswith("started by systemd: /lib/systemd/system/docker.service:")
    place = ["/etc/default/docker:1", "DOCKER_OPTS"]
    assert ["tcp://127.0.0.1:2375", *place] in [line.split() for line in lines], "a further value of hosts"
    assert ["labels", "a=b", *place] in [line.split() for line in lines]
    assert any(line.startswith("problem  tcp://127.0.0.1:2375 (") for line in lines)


@pytest.mark.needs("root", "setpriv")
def test_an_ordinary_user_sees_what_he_may_and_is_told_the_rest(fresh: Place, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if folder != Path("/tmp"):  # noqa: S108 - pytest's own folders in it are closed to others
            folder.chmod(0o755)
    fresh.put(ENVIRONMENT, "DOCKER_OPTS=-D\n").chmod(0o600)
    fresh.put(JSON, "{}").chmod(0o600)
    ran = fresh.started("--json", "daemon", "show", prefix=UNPRIVILEGED)
    assert ran.code == 0, ran
    data = ran.document["data"]
    assert data["options"]["hosts"]["value"] == ["fd://"]
    assert "what /etc/default/docker sets: /etc/default/docker: Permission denied" in told(data)
    assert "what /etc/docker/daemon.json says: /etc/docker/daemon.json: Permission denied" in told(data)
    fresh.put(UNIT, start("/usr/sbin/dockerd")).chmod(0o600)
    ran = fresh.started("--json", "daemon", "show", prefix=UNPRIVILEGED)
    assert ran.code == 4
    assert "sudo" in ran.document["error"]["hint"]


def test_eighty_columns_are_enough(fresh: Place) -> None:
    fresh.put(ENVIRONMENT, f"DOCKER_OPTS='-H tcp://127.0.0.1:2375 --tlscacert=/etc/{'a-long-folder/' * 6}ca.pem'\n")
    number, handle = pty.fork()
    if number == 0:  # pragma: no cover - the other process
        os.execve(command()[0], command(*fresh.words, "daemon", "show"), environment({"TERM": "xterm"}))  # noqa: S606 - no shell is wanted
    ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    out = b""
    while select.select([handle], [], [], 60)[0]:
        try:
            out += os.read(handle, 4096)
        except OSError:
            break
    os.close(handle)
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0
    lines = out.decode().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert any("whoever reaches it" in line for line in lines)
    assert max(map(len, lines)) <= 80
