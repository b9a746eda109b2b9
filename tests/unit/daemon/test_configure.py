"""What `configure` plans: each style, what is kept, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.configure import Configuration, Style, Wanted, configure, live_restore, snippet
from dockertls.daemon.effective import effective, problems
from dockertls.daemon.model import from_files, packaged_files
from dockertls.daemon.settings import Settings
from dockertls.errors import NotReady, Refused
from dockertls.plan import File, Link
from dockertls.platforms import BY_NAME

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

DOCKER = Path("/etc/docker")
JSON = DOCKER / "daemon.json"
DEFAULT = Path("/etc/default/docker")
CONF = Path("/etc/conf.d/docker")
UNIT = Path("/usr/lib/systemd/system/docker.service")
DROP_INS = Path("/etc/systemd/system/docker.service.d")
SERVICE_DROP_IN = DROP_INS / "zz-dockertls.conf"
LISTENER = Path("/etc/systemd/system/docker.socket.d/zz-dockertls.conf")
WANTED = Wanted(DOCKER / "ca.pem", DOCKER / "server-cert.pem", DOCKER / "server-key.pem")
ENV, AS_JSON, SOCKET, DROP_IN = (
    replace(WANTED, style=style) for style in (Style.ENV, Style.JSON, Style.SOCKET, Style.DROP_IN)
)
FLAGS = (
    "--tlsverify --tlscacert=/etc/docker/ca.pem --tlscert=/etc/docker/server-cert.pem"
    " --tlskey=/etc/docker/server-key.pem"
)
HOST = "-H tcp://0.0.0.0:2376"
KEYS = {
    "tlsverify": True,
    "tlscacert": "/etc/docker/ca.pem",
    "tlscert": "/etc/docker/server-cert.pem",
    "tlskey": "/etc/docker/server-key.pem",
}


def tree(platform: str, more: dict[Path, str] | None = None) -> HostFacts:
    return from_files({**packaged_files(BY_NAME[platform]), **(more or {})})


def after(found: Configuration) -> dict[Path, str | None]:
    """The files that change, as texts."""
    return {
        change.path: change.after.content.decode() if isinstance(change.after, File) else None
        for change in found.plan.changes
        if isinstance(change.after, File) or isinstance(change.before, File)
    }


def texts(facts: HostFacts, wanted: Wanted = WANTED) -> dict[Path, str | None]:
    return after(configure(facts, wanted))


def environment(value: str) -> dict[Path, str]:
    return {DEFAULT: f'# mine\nDOCKER_OPTS="{value}"\nX=1\n'}


def edited(value: str, wanted: Wanted = ENV) -> str:
    text = texts(tree("debian", environment(value)), wanted)[DEFAULT]
    assert text
    assert text.startswith('# mine\nDOCKER_OPTS="')
    assert text.endswith('"\nX=1\n')
    return text.removeprefix('# mine\nDOCKER_OPTS="').removesuffix('"\nX=1\n')


# style env


def test_a_missing_file_is_created_with_a_comment() -> None:
    (created,) = texts(tree("fedora"), ENV).values()
    assert created
    comment, line = created.splitlines()
    assert comment.startswith("#")
    assert line == f'OPTIONS="{HOST} {FLAGS}"'


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", f"{HOST} {FLAGS}"),
        ("--icc=false", f"--icc=false {HOST} {FLAGS}"),
        ("--icc=false  --dns 192.0.2.1 ", f"--icc=false  --dns 192.0.2.1 {HOST} {FLAGS} "),
        ("-H tcp://0.0.0.0:2375", f"{HOST} {FLAGS}"),
        ("--host=tcp://0.0.0.0:2375 -D", f"--host=tcp://0.0.0.0:2376 -D {FLAGS}"),
        ("-H tcp://127.0.0.1:1 -H unix:///x -H tcp://127.0.0.1:2 -D", f"{HOST} -H unix:///x -D {FLAGS}"),
        (f"-D {HOST} --label a=b", f"-D {HOST} --label a=b {FLAGS}"),
        (f"{HOST} -H tcp://127.0.0.1:1", f"{HOST} {FLAGS}"),
        (f"{HOST} {HOST}", f"{HOST} {FLAGS}"),
        ("--tlsverify=false", f"--tlsverify {HOST} {FLAGS.removeprefix('--tlsverify ')}"),
        ("--tlsverify=false -D --tlsverify", f"--tlsverify -D {HOST} {FLAGS.removeprefix('--tlsverify ')}"),
        ("--tls=false", f"{HOST} {FLAGS}"),
        ("--tls", f"--tls {HOST} {FLAGS}"),
        (
            f"{HOST} --tlscacert /old/ca.pem --tlscert=/old/cert.pem --tlscert=/older.pem --tlsverify",
            f"{HOST} --tlscacert {WANTED.ca} --tlscert={WANTED.cert} --tlsverify --tlskey={WANTED.key}",
        ),
        ("-DH tcp://0.0.0.0:2375", f"-D {HOST} {FLAGS}"),
    ],
)
def test_other_options_their_order_and_blanks_are_kept(before: str, expected: str) -> None:
    assert edited(before) == expected


def test_quotes_of_other_options_are_kept() -> None:
    facts = tree("debian", {DEFAULT: "DOCKER_OPTS='--label \"a=b c\"'\n"})
    assert texts(facts, ENV)[DEFAULT] == f"DOCKER_OPTS='--label \"a=b c\" {HOST} {FLAGS}'\n"


def test_what_stands_in_daemon_json_moves() -> None:
    keys = {"debug": True, **KEYS, "tls": True, "icc": False}
    found = texts(tree("debian", {JSON: json.dumps(keys), DEFAULT: ""}), ENV)
    assert json.loads(found[JSON] or "") == {"debug": True, "icc": False}
    assert found[DEFAULT] == f'DOCKER_OPTS="{HOST} {FLAGS}"\n'


def test_local_hosts_of_daemon_json_move_too() -> None:
    found = texts(tree("alpine", {JSON: '{"hosts": ["unix:///x", "tcp://127.0.0.1:2376"]}', CONF: ""}))
    assert found[JSON] == "{}"
    assert found[CONF] == f'DOCKER_OPTS="-H unix:///x {HOST} {FLAGS}"\n'


def test_the_file_that_gets_tls_is_written_first() -> None:
    keys = json.dumps(KEYS)
    facts = tree("debian", {JSON: keys, DEFAULT: ""})
    assert list(texts(facts, ENV)) == [DEFAULT, JSON]
    assert list(texts(facts, DROP_IN)) == [SERVICE_DROP_IN, JSON]
    assert list(texts(tree("alpine", {CONF: f'DOCKER_OPTS="-H unix:// {HOST} {FLAGS}"\n'}), AS_JSON)) == [JSON, CONF]


def test_where_nobody_names_a_host_the_unix_socket_is_named() -> None:
    assert (texts(tree("alpine"))[CONF] or "").splitlines()[1] == f'DOCKER_OPTS="-H unix:// {HOST} {FLAGS}"'
    assert "-H unix://" not in edited("")


# style json


def test_a_unit_with_a_host_gets_a_drop_in_that_keeps_the_rest() -> None:
    found = texts(tree("docker-ce"), AS_JSON)
    assert json.loads(found[JSON] or "") == {**KEYS, "hosts": ["fd://", "tcp://0.0.0.0:2376"]}
    lines = (found[SERVICE_DROP_IN] or "").splitlines()
    assert lines[-3:] == [
        "[Service]",
        "ExecStart=",
        "ExecStart=/usr/bin/dockerd --containerd=/run/containerd/containerd.sock",
    ]


def test_the_variable_stays_in_the_drop_in_and_loses_tls_and_hosts() -> None:
    facts = tree("debian", environment(f"-D {HOST} {FLAGS} --label a=b -H unix:///x"))
    found = texts(facts, AS_JSON)
    assert found[DEFAULT] == '# mine\nDOCKER_OPTS="-D --label a=b"\nX=1\n'
    assert json.loads(found[JSON] or "")["hosts"] == ["fd://", "unix:///x", "tcp://0.0.0.0:2376"]
    assert (found[SERVICE_DROP_IN] or "").endswith(
        "ExecStart=/usr/sbin/dockerd --containerd=/run/containerd/containerd.sock $DOCKER_OPTS\n"
    )


def test_a_common_tutorial_is_kept_and_only_its_values_change() -> None:
    override = {DROP_INS / "override.conf": "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n"}
    old = {"hosts": ["tcp://0.0.0.0:2376", "unix:///var/run/docker.sock"], **KEYS, "tlscacert": "/old.pem"}
    found = texts(tree("docker-ce", {**override, JSON: json.dumps(old)}))
    assert list(found) == [JSON]
    assert json.loads(found[JSON] or "") == {**old, "tlscacert": "/etc/docker/ca.pem"}


def test_going_back_to_flags_takes_the_drop_in_away() -> None:
    first = tree("debian")
    json_style = texts(first, AS_JSON)
    second = tree("debian", {path: text for path, text in json_style.items() if text is not None})
    found = texts(second, ENV)
    assert found[SERVICE_DROP_IN] is None
    assert found[JSON] == "{}\n"
    assert (found[DEFAULT] or "").splitlines()[1] == f'DOCKER_OPTS="{HOST} {FLAGS}"'


def test_a_later_drop_in_that_brings_the_hosts_back_is_refused() -> None:
    line = "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd:// -D\n"
    with pytest.raises(Refused, match=r"zzz.conf:3"):
        configure(tree("docker-ce", {DROP_INS / "zzz.conf": line}), AS_JSON)


def test_an_earlier_drop_in_is_taken_over() -> None:
    line = '[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd:// -D --label "a=b c" --label=%H\n'
    found = texts(tree("docker-ce", {DROP_INS / "override.conf": line}), AS_JSON)
    assert (found[SERVICE_DROP_IN] or "").endswith('ExecStart=/usr/bin/dockerd -D --label "a=b c" --label=%H\n')


# somebody else's flags


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ("-H fd:// -H tcp://0.0.0.0:2375", "-H tcp://0.0.0.0:2375"),
        (f"-H fd:// {FLAGS.replace('ca.pem', 'other.pem')}", "--tlscacert"),
        ("-H fd:// --tlsverify", "--tlsverify"),
        ("-H fd:// --tls=false", "--tls=false"),
    ],
)
def test_flags_in_somebodys_drop_in_are_refused_with_their_place(flags: str, named: str) -> None:
    text = f"[Service]\nExecStart=\nExecStart=/usr/bin/dockerd {flags} $DOCKER_OPTS\n"
    with pytest.raises(Refused) as caught:
        configure(tree("debian", {DROP_INS / "machine.conf": text}), WANTED)
    (fault,) = caught.value.faults
    assert f"{DROP_INS}/machine.conf:3 ExecStart gives {named if 'tcp' not in named else '-H'}" in fault.message
    assert named.split("=", maxsplit=1)[0] in fault.hint


def test_what_somebodys_drop_in_says_already_is_left_alone() -> None:
    text = f"[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd:// {HOST} {FLAGS}\n"
    found = configure(tree("docker-ce", {DROP_INS / "machine.conf": text}), WANTED)
    assert not found.plan
    assert found.style is Style.AUTO
    assert "machine.conf:3" in found.why


def test_a_host_in_somebodys_drop_in_is_completed() -> None:
    text = f"[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd:// {HOST} $DOCKER_OPTS\n"
    found = texts(tree("debian", {DROP_INS / "machine.conf": text, DEFAULT: ""}))
    assert found == {DEFAULT: f'DOCKER_OPTS="{FLAGS}"\n'}


# choosing

OWN_SOCKET = "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H unix:///run/docker.sock\n"


@pytest.mark.parametrize(
    ("platform", "more", "style"),
    [
        ("debian", {}, Style.SOCKET),
        ("fedora", {}, Style.SOCKET),
        ("debian", environment(f"{HOST} {FLAGS}"), Style.ENV),
        ("alpine", {}, Style.ENV),
        ("sysv-debian", {}, Style.ENV),
        ("docker-ce", {}, Style.SOCKET),
        ("docker-ce", {DROP_INS / "override.conf": OWN_SOCKET}, Style.JSON),
        ("alpine", {JSON: json.dumps({**KEYS, "hosts": ["unix://", "tcp://0.0.0.0:1"]})}, Style.JSON),
        ("alpine", {JSON: json.dumps(KEYS), CONF: f'DOCKER_OPTS="-H unix:// {HOST}"\n'}, Style.ENV),
        ("alpine", {JSON: json.dumps({**KEYS, "hosts": ["unix://", "tcp://0.0.0.0:1"], "x": 1})}, None),
    ],
)
def test_auto_keeps_what_works_else_takes_the_best(platform: str, more: dict[Path, str], style: Style | None) -> None:
    if style is None:
        with pytest.raises(Refused, match="x is not a key"):
            configure(tree(platform, more), WANTED)
        return
    found = configure(tree(platform, more), WANTED)
    assert found.style is style
    assert found.why


# settings


def test_settings_go_to_daemon_json_unless_they_are_flags() -> None:
    settings = Settings.of({"icc": False, "log-driver": "journald", "labels": ["a=b"]}, "--set")
    found = texts(tree("debian", environment("--icc --label x=y --label z")), replace(ENV, settings=settings))
    assert json.loads(found[JSON] or "") == {"log-driver": "journald"}
    assert f'"--icc=false --label a=b {HOST}' in (found[DEFAULT] or "")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hosts": ["x"]}, "hosts is not to be set by hand"),
        ({"tlsverify": False}, "tlsverify is not to be set by hand"),
        ({"nonsense": 1}, "nonsense is not a key"),
        ({"debug": "yes"}, "debug cannot be yes"),
        ({"containerd": "/x"}, "gives --containerd=/run/containerd/containerd.sock"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    wanted = replace(WANTED, settings=Settings.of(settings, "--set"))  # type: ignore[arg-type]  # object is wider than Json
    with pytest.raises(Refused) as caught:
        configure(tree("debian"), wanted)
    assert any(message in fault.message for fault in caught.value.faults)


# what is refused


def test_every_fault_of_a_wish_is_told_at_once() -> None:
    bad = Wanted(Path("ca.pem"), DOCKER / "c", DOCKER / "k", port=0, listen=("x", "300.0.0.1"))
    with pytest.raises(Refused) as caught:
        configure(tree("debian"), bad)
    assert len(caught.value.faults) == 4


@pytest.mark.parametrize("text", ['{"a": 1, // x\n}', '{"debug": true, "debug": true}', "[1]", '{"debug": '])
def test_a_daemon_json_that_dockerd_would_not_read_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Refused) as caught:
        configure(tree("debian", {JSON: text}), WANTED)
    assert caught.value.faults[0].message.startswith("/etc/docker/daemon.json: line 1")


@pytest.mark.parametrize(
    "text", ['DOCKER_OPTS="$(hostname)"\n', 'DOCKER_OPTS="--debug\n', "if true; then DOCKER_OPTS=-D; fi\n"]
)
def test_a_variable_that_cannot_be_told_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Refused, match=r"/etc/conf.d/docker: line 1"):
        configure(tree("alpine", {CONF: text}), WANTED)


def test_other_variables_may_be_anything() -> None:
    found = texts(tree("alpine", {CONF: 'X="$(hostname)"\nDOCKER_OPTS=""\n'}))
    assert found[CONF] == f'X="$(hostname)"\nDOCKER_OPTS="-H unix:// {HOST} {FLAGS}"\n'


def test_a_path_that_an_init_script_cannot_hand_on_is_refused_in_style_env_only() -> None:
    wanted = replace(WANTED, ca=Path("/my docker/ca.pem"))
    with pytest.raises(Refused, match=r"/my docker/ca\.pem"):
        configure(tree("alpine"), wanted)
    assert configure(tree("alpine"), replace(wanted, style=Style.JSON)).plan
    assert "--tlscacert=/my docker/ca.pem" in str(effective_after(tree("debian"), wanted))


def effective_after(facts: HostFacts, wanted: Wanted) -> list[str]:
    """dockerd's TLS flags after the plan."""
    more = {path: text for path, text in texts(facts, wanted).items() if text is not None}
    said = effective(tree("debian", more))
    return [f"--{key}={said[key].value}" for key in ("tlscacert",)]


def test_style_env_is_refused_where_no_file_is_read() -> None:
    with pytest.raises(Refused, match="style env does not work here"):
        configure(tree("docker-ce"), ENV)


def test_a_flag_apart_from_its_value_is_refused() -> None:
    line = "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd --label $DOCKER_OPTS\n"
    with pytest.raises(Refused, match="different places"):
        configure(tree("debian", {DROP_INS / "10.conf": line, **environment("a=b")}), WANTED)


def test_flags_that_dockerd_would_not_take_are_refused() -> None:
    with pytest.raises(Refused, match="--nonsense is not a flag"):
        configure(tree("debian", environment("--nonsense")), WANTED)


def test_no_docker_is_told() -> None:
    nothing = from_files({Path("/etc/hostname"): "x"})
    with pytest.raises(NotReady, match="no Docker"):
        configure(replace(nothing, runs=True), WANTED)


def test_a_tree_without_docker_gets_a_daemon_json_and_is_told_so() -> None:
    found = configure(from_files({Path("/etc/hostname"): "x"}), WANTED)
    assert [change.path for change in found.plan.changes] == [Path("/etc/docker"), JSON]
    assert not found.plan.activation
    assert "no Docker here yet" in found.notes[0]


def test_other_faults_of_the_configuration_stop_the_plan() -> None:
    with pytest.raises(Refused, match="debug is given as a flag"):
        configure(tree("debian", {**environment("--debug"), JSON: '{"debug": true}'}), WANTED)


@pytest.mark.parametrize("wanted", [AS_JSON, DROP_IN])
def test_faults_that_stay_are_told_where_they_stand_now(wanted: Wanted) -> None:
    """Lines of a file that is only planned would send the reader to the wrong one, or to none."""
    started = packaged_files(BY_NAME["docker-ce"])[UNIT].replace("--containerd=", "--iptables=false --containerd=")
    texts = {UNIT: started, JSON: '{\n  "tlsverify": false,\n  "iptables": true\n}\n'}
    with pytest.raises(Refused) as caught:
        configure(tree("docker-ce", texts), wanted)
    told = f"iptables is given as a flag ({UNIT}:5 ExecStart) and in {JSON}:3: dockerd does not start"
    assert [fault.message for fault in caught.value.faults] == [told]


def test_a_unix_host_beside_systemds_is_kept_and_noted_but_never_made() -> None:
    found = configure(tree("debian", environment("-H unix:///var/run/docker.sock")), WANTED)
    assert any("beside fd://" in note for note in found.notes)
    assert "-H unix:///var/run/docker.sock -H tcp" in edited("-H unix:///var/run/docker.sock")
    moved = texts(tree("docker-ce", {JSON: '{"hosts": ["unix:///var/run/docker.sock"]}'}), AS_JSON)
    assert json.loads(moved[JSON] or "")["hosts"] == ["fd://", "tcp://0.0.0.0:2376"]


# the plan


def test_modes_and_owners_are_kept() -> None:
    facts = tree("debian", environment("-D"))
    file = File(facts.files[DEFAULT].content, 0o640, (0, 4))  # type: ignore[union-attr]  # it is a file
    (change,) = configure(replace(facts, files={**facts.files, DEFAULT: file}), ENV).plan.changes
    assert isinstance(change.after, File)
    assert (change.after.mode, change.after.owner) == (0o640, (0, 4))


def test_a_link_is_edited_where_it_ends() -> None:
    facts = tree("docker-ce", {JSON: "", Path("/srv/daemon.json"): '{"debug": true}'})
    files = {**facts.files, JSON: Link("/srv/daemon.json")}
    found = configure(replace(facts, files=files, links={JSON: Path("/srv/daemon.json")}), AS_JSON)
    paths = [change.path for change in found.plan.changes]
    assert Path("/srv/daemon.json") in paths
    assert JSON not in paths


RELOAD, FORGET = "systemctl daemon-reload", "systemctl reset-failed docker.service docker.socket"


@pytest.mark.parametrize(
    ("platform", "wanted", "commands"),
    [
        ("docker-ce", AS_JSON, [RELOAD, FORGET, "systemctl restart docker.service"]),
        ("docker-ce", SOCKET, [RELOAD, FORGET, "systemctl restart docker.socket docker.service"]),
        ("debian", ENV, [FORGET, "systemctl restart docker.service"]),
        ("alpine", WANTED, ["rc-service docker restart"]),
        ("sysv-debian", WANTED, ["service docker restart"]),
    ],
)
def test_dockerd_is_restarted_the_hosts_way(platform: str, wanted: Wanted, commands: list[str]) -> None:
    plan = configure(tree(platform), wanted).plan
    assert [" ".join(command.argv) for command in plan.activation] == commands
    assert [command.tolerated for command in plan.activation] == ["reset-failed" in text for text in commands]


def test_where_nothing_starts_dockerd_the_user_is_told_to() -> None:
    found = configure(from_files({Path("/usr/local/bin/dockerd"): ""}), WANTED)
    assert found.style is Style.JSON
    assert not found.plan.activation
    assert "by hand" in found.notes[0]


def test_a_treacherous_but_working_setting_is_noted() -> None:
    found = configure(tree("alpine", {JSON: '{"label": ["a=b"]}'}), WANTED)
    assert any("ignores it" in note for note in found.notes)


# live-restore


def test_live_restore_is_set_by_a_reload() -> None:
    plan = live_restore(tree("debian", {DEFAULT: ""}))
    assert [str(change.path) for change in plan.changes] == ["/etc/docker", "/etc/docker/daemon.json"]
    assert [command.argv for command in plan.activation] == [("systemctl", "reload", "docker.service")]


@pytest.mark.parametrize(
    ("platform", "more"),
    [
        ("debian", {JSON: '{"live-restore": false}'}),
        ("debian", environment("--live-restore")),
        ("debian", environment("--authorization-plugin=x")),
        ("debian", {**environment("--debug"), JSON: '{"debug": true}'}),
        ("alpine", {}),
        ("sysv-debian", {}),
    ],
)
def test_live_restore_is_left_alone_where_it_is_set_or_a_reload_would_not_do(
    platform: str, more: dict[Path, str]
) -> None:
    assert not live_restore(tree(platform, more))


def test_that_an_old_dockerd_trusts_the_systems_authorities_is_told() -> None:
    told = {name: " ".join(configure(tree(name), WANTED).notes) for name in ("rhel7", "fedora")}
    assert "every authority that the system trusts" in told["rhel7"]
    assert "authority" not in told["fedora"]


# snippets


def test_the_snippet_for_fedora_is_the_one_that_everybody_knows() -> None:
    ((path, file),) = snippet("fedora", WANTED, Style.ENV, existing="--selinux-enabled")
    assert path == Path("/etc/sysconfig/docker")
    assert file.content.decode() == f'OPTIONS="--selinux-enabled {HOST} {FLAGS}"\n'
    ((_, new),) = snippet("fedora", WANTED, Style.ENV)
    assert new.content.decode().splitlines()[-1] == f'OPTIONS="{HOST} {FLAGS}"'


@pytest.mark.parametrize("platform", BY_NAME)
def test_every_snippet_is_without_problems(platform: str) -> None:
    for style in (Style.AUTO, Style.JSON):
        files = {path: file.content.decode() for path, file in snippet(platform, WANTED, style)}
        assert files
        found = [fault.message for fault in problems(tree(platform, files))]
        lasting = ["Docker 1.13 lets in clients of every authority that the system trusts, beside tlscacert"]
        assert found == (lasting if BY_NAME[platform].id == "rhel7" else [])
        assert effective(tree(platform, files))["tlsverify"].value is True


def test_an_unknown_packaging_is_refused_with_the_list() -> None:
    with pytest.raises(Refused) as caught:
        snippet("beos", WANTED)
    assert "debian, docker-ce, docker-ce-deb" in caught.value.hint
