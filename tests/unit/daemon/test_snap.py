"""The docker snap: what its wrapper gives to dockerd, and paths that dockerd sees elsewhere."""

from __future__ import annotations

from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.configure import Style, Wanted, configure, live_restore
from dockertls.daemon.effective import effective
from dockertls.daemon.model import from_files, packaged_files
from dockertls.daemon.packaging import packaging
from dockertls.daemon.places import Places
from dockertls.daemon.recognition import recognise
from dockertls.errors import Refused
from dockertls.plan import File
from dockertls.platforms import BY_NAME

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

SNAP = BY_NAME["snap"]
SERVICE = Path("/usr/lib/systemd/system/snap.docker.dockerd.service")
CONFIG = Path("/var/snap/docker/current/config/daemon.json")
TOLD = Path("/etc/docker")
WANTED = Wanted(TOLD / "ca.pem", TOLD / "server-cert.pem", TOLD / "server-key.pem")


def host(more: dict[Path, str] | None = None) -> HostFacts:
    return from_files(packaged_files(SNAP) | (more or {}))


def test_where_its_files_lie_and_what_it_is_told() -> None:
    found = packaging(host())
    assert found.places == Places(CONFIG, Path("/var/snap/docker/current/etc/docker"), TOLD)
    assert found.service == "snap.docker.dockerd.service"
    assert not found.reloads
    said = effective(host())
    assert said["group"].value == "docker"
    assert "snap.docker.dockerd.service" in said["pidfile"].origin


def test_all_stands_in_its_daemon_json() -> None:
    plan = configure(host(), WANTED).plan
    assert [change.path for change in plan.changes if isinstance(change.after, File)] == [CONFIG]
    assert [" ".join(command.argv) for command in plan.activation] == [
        "systemctl reset-failed snap.docker.dockerd.service",
        "snap restart docker",
    ]
    assert not live_restore(host()), "nothing reloads it"


def test_options_that_its_wrapper_gives_are_a_conflict() -> None:
    with pytest.raises(Refused) as caught:
        configure(host({CONFIG: '{"group": "ours"}'}), WANTED)
    assert "group is given as a flag" in caught.value.faults[0].message


@pytest.mark.parametrize("style", [Style.SOCKET, Style.ENV, Style.DROP_IN])
def test_only_daemon_json_has_a_place_for_options(style: Style) -> None:
    wanted = Wanted(WANTED.ca, WANTED.cert, WANTED.key, style=style)
    with pytest.raises(Refused, match=f"style {style.value} does not work here"):
        configure(host(), wanted)


def test_hosts_that_somebody_gave_to_the_wrapper_are_refused_with_their_place() -> None:
    facts = host({SERVICE: "[Service]\nExecStart=/usr/bin/snap run docker.dockerd -H tcp://0.0.0.0:2375\n"})
    assert "tcp://0.0.0.0:2375" in packaging(facts).words
    with pytest.raises(Refused, match=f"{SERVICE}:2 ExecStart gives -H tcp://0.0.0.0:2375"):
        configure(facts, WANTED)


@pytest.mark.parametrize(
    "line", ["/usr/bin/snap run other.dockerd", "/usr/bin/snap list", "/usr/bin/dockerd-rootless.sh"]
)
def test_what_else_the_unit_may_run_is_not_known(line: str) -> None:
    facts = host({SERVICE: f"[Service]\nExecStart={line}\n"})
    assert "not dockerd" in packaging(facts).faults[0].message
    assert recognise(facts).id == "unknown"


def test_a_docker_service_comes_first_unless_it_is_masked() -> None:
    both = packaged_files(SNAP) | packaged_files(BY_NAME["debian"])
    assert packaging(from_files(both)).service == "docker.service"
    masked = both | {Path("/etc/systemd/system/docker.service"): ""}
    assert packaging(from_files(masked)).service == "snap.docker.dockerd.service"
