"""How dockerd is started, by systemd's rules of units, drop-ins and environment files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.model import as_packaged, from_files
from dockertls.daemon.packaging import Packaging, packaging
from dockertls.plan import Directory, Link
from dockertls.platforms import TABLE, Init, Platform

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

ETC = "/etc/systemd/system"
USR = "/usr/lib/systemd/system"
SERVICE = f"{USR}/docker.service"


def tree(files: dict[str, str]) -> HostFacts:
    return from_files({Path(path): text for path, text in files.items()})


def unit(line: str, *more: str) -> str:
    return "[Service]\n" + "".join(f"{text}\n" for text in (*more, f"ExecStart={line}"))


def found(files: dict[str, str]) -> Packaging:
    return packaging(tree(files))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_each_packaging_is_recognised_as_its_row_says(row: Platform) -> None:
    here = packaging(as_packaged(row, "--debug" if row.variable else ""))
    assert here.init is row.init
    assert here.installed
    assert not here.faults
    assert not here.unknown
    assert (here.variable.name if here.variable else "") == row.variable
    assert ("--debug" in here.words) == bool(row.variable)
    assert here.socket is ("fd://" in row.command)


def test_the_strongest_folder_has_the_unit() -> None:
    assert found(
        {SERVICE: unit("/usr/bin/dockerd -a"), f"{ETC}/docker.service": unit("/usr/bin/dockerd -D")}
    ).words == ("-D",)


def test_drop_ins_of_all_folders_apply_by_name_and_the_strongest_of_a_name_counts() -> None:
    here = found(
        {
            SERVICE: unit("/usr/bin/dockerd"),
            f"{USR}/docker.service.d/20.conf": unit("/usr/bin/dockerd weak", "ExecStart="),
            f"{ETC}/docker.service.d/20.conf": unit("/usr/bin/dockerd strong", "ExecStart="),
            f"{ETC}/docker.service.d/10.conf": unit("/usr/bin/dockerd early", "ExecStart="),
            f"{ETC}/docker.service.d/30.txt": unit("/usr/bin/dockerd none", "ExecStart="),
        }
    )
    assert here.words == ("strong",)
    assert str(here.start) == f"{ETC}/docker.service.d/20.conf:3 ExecStart"


def test_an_empty_drop_in_masks_the_one_of_its_name() -> None:
    here = found(
        {
            SERVICE: unit("/usr/bin/dockerd packaged"),
            f"{USR}/docker.service.d/20.conf": unit("/usr/bin/dockerd weak", "ExecStart="),
            f"{ETC}/docker.service.d/20.conf": "",
        }
    )
    assert here.words == ("packaged",)


def test_a_link_to_dev_null_masks_the_unit() -> None:
    facts = tree({SERVICE: unit("/usr/bin/dockerd"), f"{ETC}/other": ""})
    mask = Path(f"{ETC}/docker.service")
    files = {**facts.files, mask: Link("/dev/null"), Path("/dev/null"): None}
    here = packaging(replace(facts, files=files, links={mask: Path("/dev/null")}))
    assert here.installed
    assert "masked" in here.faults[0].message
    assert "unmask" in here.faults[0].hint


def test_two_command_lines_are_a_fault() -> None:
    assert "more than one" in found({SERVICE: unit("/usr/bin/dockerd", "ExecStart=/usr/bin/dockerd")}).faults[0].message


def test_a_unit_without_a_command_line_is_a_fault() -> None:
    assert found({SERVICE: "[Service]\n"}).faults


@pytest.mark.parametrize(
    "line", ["/bin/sh -c 'exec dockerd'", "/usr/bin/docker daemon", "/usr/bin/dockerd-rootless.sh"]
)
def test_another_program_than_dockerd_is_of_unknown_shape(line: str) -> None:
    here = found({SERVICE: unit(line)})
    assert line.split(maxsplit=1)[0] in here.faults[0].message


def test_continued_lines_are_one() -> None:
    assert found({SERVICE: unit("/usr/bin/dockerd \\\n   --host=fd:// \\\n   -D")}).words == ("--host=fd://", "-D")


def test_a_variable_of_an_environment_file_is_split_into_words() -> None:
    here = found(
        {
            SERVICE: unit("/usr/bin/dockerd $OPTIONS -D", "EnvironmentFile=-/etc/sysconfig/docker"),
            "/etc/sysconfig/docker": "# comment\nOPTIONS='--icc=false --label \"a=b c\"'\n",
        }
    )
    assert here.words == ("--icc=false", "--label", "a=b c", "-D")
    assert here.variable
    assert here.variable.file == Path("/etc/sysconfig/docker")
    assert str(here.place_of(0)) == "/etc/sysconfig/docker:2 OPTIONS"
    assert [here.editable(part) for part in here.parts] == [True, False]


def test_a_braced_variable_is_one_word_and_is_not_edited() -> None:
    here = found(
        {
            SERVICE: unit("/usr/bin/dockerd --label=${OPTIONS}", "EnvironmentFile=/etc/sysconfig/docker"),
            "/etc/sysconfig/docker": "OPTIONS='a=b c'\n",
        }
    )
    assert here.words == ("--label=a=b c",)
    assert here.variable is None


def test_a_word_that_is_a_braced_variable_stands_where_that_is_set() -> None:
    line = "/usr/bin/dockerd ${ALONE} --label=${ALONE} ${UNSET}"
    here = found(
        {
            SERVICE: unit(line, "Environment=ALONE=-D", "EnvironmentFile=-/etc/sysconfig/docker"),
            "/etc/sysconfig/docker": "# comment\nALONE=--label=a=b c\n",
        }
    )
    assert here.words == ("--label=a=b c", "--label=--label=a=b c", "")
    places = [str(here.place_of(index)) for index in range(3)]
    assert places == ["/etc/sysconfig/docker:2 ALONE", str(here.start), str(here.start)]
    assert not any(here.editable(part) for part in here.parts)


def test_a_file_without_a_dash_must_be_there() -> None:
    line = "/usr/sbin/dockerd $DOCKER_OPTS"
    assert (
        "/etc/sysconfig/docker"
        in found({SERVICE: unit(line, "EnvironmentFile=/etc/sysconfig/docker")}).faults[0].message
    )
    here = found({SERVICE: unit(line, "EnvironmentFile=-/etc/sysconfig/docker")})
    assert not here.faults
    assert here.variable
    assert here.variable.value is None


def test_the_reset_of_environment_files_counts() -> None:
    here = found(
        {
            SERVICE: unit("/usr/bin/dockerd $OPTIONS", "EnvironmentFile=-/etc/sysconfig/docker"),
            f"{ETC}/docker.service.d/a.conf": "[Service]\nEnvironmentFile=\n",
            "/etc/sysconfig/docker": "OPTIONS=-D\n",
        }
    )
    assert here.variable is None
    assert here.words == ()


def test_a_file_beats_the_units_own_environment() -> None:
    line = unit("/usr/bin/dockerd $OPTIONS", "EnvironmentFile=-/etc/sysconfig/docker", 'Environment="OPTIONS=-D" X=1')
    assert found({SERVICE: line, "/etc/sysconfig/docker": "OPTIONS=--icc=false\n"}).words == ("--icc=false",)
    here = found({SERVICE: line})
    assert here.words == ("-D",)
    assert here.variable is None, "writing the file would drop what the unit says"


def test_the_later_file_wins() -> None:
    more = ("EnvironmentFile=-/etc/default/docker", "EnvironmentFile=-/etc/sysconfig/docker")
    here = found(
        {
            SERVICE: unit("/usr/bin/dockerd $OPTIONS", *more),
            "/etc/default/docker": "OPTIONS=-D\n",
            "/etc/sysconfig/docker": "OPTIONS=--icc=false\n",
        }
    )
    assert here.words == ("--icc=false",)
    assert here.variable
    assert here.variable.file == Path("/etc/sysconfig/docker")


def test_a_file_that_was_not_looked_at_is_said_to_be_unknown() -> None:
    facts = tree(
        {
            SERVICE: unit(
                "/usr/bin/dockerd $OPTIONS $X",
                "EnvironmentFile=-/etc/other/x",
                "EnvironmentFile=-/etc/sysconfig/docker",
            )
        }
    )
    files, names = dict(facts.files), dict(facts.names)
    files[Path("/etc")] = Directory()
    names[Path("/etc")] = ("other",)
    files[Path("/etc/sysconfig/docker")] = None
    here = packaging(replace(facts, files=files, names=names))
    assert any("/etc/other/x" in line for line in here.unknown)
    assert here.variable
    assert here.variable.file == Path("/etc/sysconfig/docker")


def test_two_dollars_are_one() -> None:
    assert found({SERVICE: unit("/usr/bin/dockerd --label=a=$$b")}).words == ("--label=a=$b",)


def test_what_the_socket_unit_listens_on_is_known() -> None:
    here = found(
        {
            SERVICE: "[Unit]\nRequires=docker.socket\n" + unit("/usr/bin/dockerd -H fd://"),
            f"{USR}/docker.socket": "[Socket]\nListenStream=/run/docker.sock\n",
            f"{ETC}/docker.socket.d/a.conf": "[Socket]\nListenStream=\nListenStream=2375\n",
        }
    )
    assert here.socket
    assert here.socket_required
    assert [address for address, _ in here.listens] == ["2375"]


def test_no_docker_is_said_to_be_none() -> None:
    here = found({"/etc/hostname": "x"})
    assert not here.installed
    assert here.init is Init.NONE


def test_a_program_that_nothing_starts_is_installed_and_unknown() -> None:
    here = found({"/usr/local/bin/dockerd": ""})
    assert here.installed
    assert "/usr/local/bin/dockerd" in here.unknown[0]


def test_an_init_script_of_unknown_shape_is_said_to_be() -> None:
    here = found({"/etc/init.d/docker": "#!/bin/sh\nexec dockerd\n"})
    assert here.init is Init.SYSV
    assert "/etc/init.d/docker" in here.faults[0].message


def test_a_running_machine_without_systemd_is_started_by_its_script() -> None:
    files = {
        SERVICE: unit("/usr/bin/dockerd"),
        "/etc/init.d/docker": "start-stop-daemon /etc/default/docker $DOCKER_OPTS",
    }
    assert packaging(tree(files)).init is Init.SYSTEMD
    running = replace(tree(files), runs=True)
    assert packaging(running).init is Init.SYSV
    openrc = tree({**files, "/run/openrc/softlevel": "", "/etc/init.d/docker": "supervise-daemon $DOCKER_OPTS"})
    assert packaging(replace(openrc, runs=True)).init is Init.OPENRC
    systemd = tree({**files, "/run/systemd/system/x": ""})
    assert packaging(replace(systemd, runs=True)).init is Init.SYSTEMD
