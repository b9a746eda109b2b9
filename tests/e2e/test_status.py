"""`status` tells the truth of every copy: in file trees that were spoiled, and of a dockerd that runs."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.lab import PROGRAM
from tests.e2e.rotating import ENDPOINT, SIGNED, secured
from tests.e2e.test_commands import on_a_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.lab import Lab
    from tests.e2e.program import Place, Ran

DOCKERD, CLIENT = "etc/docker", "root/.docker"
STORE = "etc/dockertls"


def copies(ran: Ran) -> dict[str, str]:
    """State by whose copy it is and where."""
    data = json.loads(ran.out)["data"]
    found = {f"{row['name']} {one['place']}": one["state"] for row in data["certificates"] for one in row["copies"]}
    return found | {one["place"]: one["state"] for one in data["other_copies"]}


def states(ran: Ran) -> dict[str, str]:
    return {row["name"]: row["state"] for row in json.loads(ran.out)["data"]["certificates"]}


GOOD = {"web1 /etc/docker": "current", "ann /root/.docker": "current"}


def test_all_is_good_and_nothing_is_changed(secured: Place) -> None:
    before = secured.snapshot
    ran = secured.done("--json", "status")
    assert (copies(ran), states(ran)) == (GOOD, {"web1": "good", "ann": "good"})
    for form in ("table", "json", "nagios", "prometheus"):
        assert secured.started("status", "--format", form).code == 0
    assert secured.snapshot == before


def _unlinked(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def _swapped_keys(root: Path) -> None:
    shutil.copy(root / STORE / "servers/web1/0001/key.pem", root / CLIENT / "key.pem")


def _forgotten_authority(root: Path) -> None:
    """What clients are told to trust is something else."""
    shutil.copy(root / STORE / "clients/ann/0001/cert.pem", root / CLIENT / "ca.pem")


SPOILT: dict[str, tuple[Callable[[Path], object], dict[str, str]]] = {
    "a client's key is gone": (_unlinked(f"{CLIENT}/key.pem"), {"ann /root/.docker": "broken"}),
    "another's key": (_swapped_keys, {"ann /root/.docker": "broken"}),
    "a client's ca.pem is gone": (_unlinked(f"{CLIENT}/ca.pem"), {"ann /root/.docker": "broken"}),
    "a client's ca.pem is another": (_forgotten_authority, {"ann /root/.docker": "stale"}),
    "a client's certificate is gone": (_unlinked(f"{CLIENT}/cert.pem"), {"/root/.docker": "broken"}),
    "dockerd's certificate is gone": (
        _unlinked(f"{DOCKERD}/tls/0001/server-cert.pem"), {"/etc/docker": "missing"},
    ),
    "dockerd's key is gone": (_unlinked(f"{DOCKERD}/tls/0001/server-key.pem"), {"web1 /etc/docker": "broken"}),
    "the store no longer has it": (
        lambda root: shutil.rmtree(root / STORE / "clients/ann"), {"/root/.docker": "stale"},
    ),
    "which is in use cannot be told": (_unlinked(f"{STORE}/clients/ann/current"), {"ann /root/.docker": "unknown"}),
    "what was revoked cannot be told": (
        lambda root: (root / STORE / "ca/0001/revoked.json").write_text("{}"),
        {"ann /root/.docker": "unknown", "web1 /etc/docker": "unknown"},
    ),
    "whom to trust cannot be told": (
        _unlinked(f"{STORE}/ca/trust.pem"), {"ann /root/.docker": "unknown", "web1 /etc/docker": "unknown"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT)
def test_what_was_spoiled_is_told_and_the_rest_goes_on(secured: Place, case: str) -> None:
    spoil, told = SPOILT[case]
    spoil(secured.root)
    ran = secured.run("--json", "status")
    assert (ran.code, ran.document["ok"]) == (1, False)
    found = copies(ran)
    places = {key.rpartition(" ")[2] for key in told}
    assert found == told | {key: state for key, state in GOOD.items() if key.rpartition(" ")[2] not in places}
    assert secured.run("status").code == 1
    assert secured.run("status", "--format", "nagios").code == 2


def test_a_generation_that_is_not_in_use_is_stale(secured: Place) -> None:
    place, folder = "bob context here in /root/.docker", secured.root / STORE / "clients/bob"
    secured.done("client", "issue", "bob", "--yes")
    secured.done("client", "install", "bob", "--context", "here", "--endpoint", "tcp://h:2376", "--yes")
    secured.done("renew", "bob", "--new-key", "--yes")
    assert copies(secured.done("--json", "status")) == GOOD | {place: "current"}
    (folder / "current").unlink()
    (folder / "current").symlink_to("0001")
    ran = secured.run("--json", "status")
    assert (ran.code, copies(ran), states(ran)["bob"]) == (1, GOOD | {place: "stale"}, "stale")
    assert "0002 lies there, 0001 is in use" in secured.run("status").out
    secured.done("renew", "--yes")
    assert copies(secured.done("--json", "status")) == GOOD | {place: "current"}


def test_what_was_revoked_is_told_where_it_still_lies(secured: Place) -> None:
    kept = {name: (secured.root / CLIENT / name).read_bytes() for name in ("ca.pem", "cert.pem", "key.pem")}
    secured.done("client", "revoke", "ann", "--yes")
    ran = secured.done("--json", "status")
    assert (copies(ran), states(ran)["ann"]) == ({"web1 /etc/docker": "current"}, "revoked")
    for name, content in kept.items():
        secured.put(f"{CLIENT}/{name}", content)
    ran = secured.run("--json", "status")
    assert (ran.code, copies(ran)["ann /root/.docker"], states(ran)["ann"]) == (1, "revoked", "revoked")
    assert secured.run("status", "--format", "nagios").code == 2


def test_a_copy_that_was_carried_away_is_followed(secured: Place, tmp_path: Path) -> None:
    export = ("client", "export", "ann", "--output", tmp_path / "ann.tar", "--force")
    place = "ann another machine"
    secured.done(*export)
    assert copies(secured.done("--json", "status"))[place] == "unconfirmed"
    secured.done("client", "confirm", "ann", "--yes")
    assert copies(secured.done("--json", "status"))[place] == "current"
    secured.done("renew", "ann", "--new-key", "--yes")
    ran = secured.run("--json", "status")
    assert (ran.code, copies(ran)[place], states(ran)["ann"]) == (1, "stale", "stale")
    secured.done(*export)
    assert copies(secured.done("--json", "status"))[place] == "unconfirmed"


def test_a_folder_that_was_written_down_is_missed(secured: Place) -> None:
    words = ("client", "install", "ann", "--docker-dir", "/opt/tools/.docker", "--yes")
    (secured.root / "opt/tools").mkdir(parents=True)
    secured.done(*words)
    assert copies(secured.done("--json", "status"))["ann /opt/tools/.docker"] == "current"
    shutil.rmtree(secured.root / "opt/tools/.docker")
    ran = secured.run("--json", "status")
    assert (ran.code, copies(ran)["/opt/tools/.docker"]) == (1, "missing")
    secured.done(*words)
    assert secured.done("status").code == 0


def test_a_rotation_is_told_in_one_line_and_its_authorities_are_shown(secured: Place) -> None:
    secured.done("ca", "rotate", "start", "--yes", "--no-passphrase")
    out = secured.run("status").out
    assert out.startswith("rotation: phase 1 of 5, ")
    data = json.loads(secured.run("--json", "status").out)["data"]
    assert [one["generation"] for one in data["authorities"]] == ["0001", "0002"]
    assert data["rotation"]["phase"] == 1
    assert copies(secured.run("--json", "status")) == GOOD


def test_prometheus_text_is_put_in_place_whole(secured: Place, tmp_path: Path) -> None:
    target = tmp_path / "dockertls.prom"
    target.write_text("old\n")
    before = secured.snapshot
    words = ("status", "--format", "prometheus", "--output", target)
    assert secured.done(*words, umask=0o077).out == ""
    assert (target.stat().st_mode & 0o777, [path.name for path in tmp_path.glob("*.prom*")]) == (0o644, [target.name])
    assert not list(tmp_path.glob(".*"))
    told = {family.name for family in text_string_to_metric_families(target.read_text())}
    assert {"dockertls_certificate_not_after_seconds", "dockertls_copy_state"} <= told
    secured.done(*words)
    assert secured.snapshot == before
    (tmp_path / "link.prom").symlink_to("/dev/stdout")
    for wrong in ("no/x.prom", "dockertls.prom/x", "link.prom", "root"):
        assert secured.run("status", "--format", "prometheus", "--output", tmp_path / wrong).code == 4


def test_nagios_has_one_thing_to_say_whatever_happens(fresh: Place) -> None:
    ran = fresh.run("status", "--format", "nagios")
    assert (ran.code, ran.out) == (3, "UNKNOWN - there are no certificates\n")
    fresh.put(STORE, "a file\n")
    assert fresh.run("status", "--format", "nagios").code == 3


def test_a_failure_with_format_json_is_a_document(house: Place) -> None:
    for words in (("--format", "json"), ("--format=json",)):
        assert house.run("status", *words, "--output", "x").document["error"]["kind"] == "usage"


def test_a_narrow_terminal_is_shown_what_matters(house: Place) -> None:
    shown, code = on_a_terminal(house, "--no-color", "status", env={"COLUMNS": "80"})
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert code == 0
    assert max(map(len, lines)) <= 80
    heads = next(line for line in lines if line.startswith("ROLE"))
    assert heads.split() == ["ROLE", "NAME", "STATE", "DAYS", "EXPIRES", "KEY", "NAMES"]
    assert "left out, for the terminal is narrow: ISSUED, ISSUER" in lines
    wide, _ = on_a_terminal(house, "--no-color", "status", env={"COLUMNS": "200"})
    assert "ISSUER" in wide
    assert "left out" not in wide


# a host that runs


def on_host(lab: Lab) -> tuple[int, dict[str, str], dict[str, str]]:
    """Exit code, and state and reason of each copy of the host's server and clients."""
    ran = lab.dockertls("--json", "status")
    rows = json.loads(ran.stdout)["data"]["certificates"]
    found = [one for row in rows for one in row["copies"]]
    return (
        ran.returncode, {one["place"]: one["state"] for one in found}, {one["place"]: one["why"] for one in found}
    )  # fmt: skip


@pytest.mark.needs("nspawn", "dockerd", "docker")
def test_what_dockerd_shows_is_told_until_it_is_restarted() -> None:
    with secured() as (lab, _):
        lab.output(*PROGRAM, "client", "install", "client", "--context", "here", "--endpoint", ENDPOINT, "--yes")
        disk, context = "/etc/docker", "context here in /root/.docker"
        good = {disk: "current", ENDPOINT: "current", "/root/.docker": "current", context: "current"}
        assert on_host(lab)[:2] == (0, good)

        log = lab.shell("journalctl --unit docker --no-pager | grep -c 'TLS handshake error' || true")
        on_host(lab)
        assert lab.shell("journalctl --unit docker --no-pager | grep -c 'TLS handshake error' || true") == log

        waiting = lab.dockertls("renew", "--all", *SIGNED, "--restart", "never")
        code, found, why = on_host(lab)
        assert (code, found) == (1, good | {ENDPOINT: "restart-pending"}), waiting.stderr
        assert why[ENDPOINT] == "it shows 0001, 0002 is in use"
        lab.shell("systemctl reset-failed docker.service docker.socket; systemctl restart docker.service")
        assert on_host(lab)[:2] == (0, good)

        lab.shell("sleep 3; cp -a /etc/docker/tls/0002 /etc/docker/tls/0003; ln -sfn 0003 /etc/docker/tls/current")
        code, found, why = on_host(lab)
        assert (code, found[ENDPOINT], found[disk]) == (1, "restart-pending", "current")
        assert why[ENDPOINT].startswith("changed since it started: ")

        lab.shell("systemctl stop docker.service docker.socket")
        code, found, why = on_host(lab)
        assert (code, found) == (0, good | {ENDPOINT: "unknown"})
        assert why[ENDPOINT].startswith("no connection")
        assert "warning: " in lab.dockertls("status").stderr
