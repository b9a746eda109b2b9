"""The units that renew certificates, as each systemd reads them."""

from __future__ import annotations

from pathlib import PurePosixPath as Path

import pytest

from dockertls.documents.unit_file import UnitFile, command_line
from dockertls.timer.job import CREDENTIAL_FILE, HANDED_OVER, Job
from dockertls.timer.units import SANDBOX, SCHEDULE, Units

PROGRAM = ("/opt/dockertls/bin/python", "-P", "-m", "dockertls")
FOLDER = Path("/etc/systemd/system")


def values(text: str, key: str) -> list[str]:
    return [one.value for one in UnitFile.parse(text, name="unit").assignments if one.key == key]


def settings(text: str) -> set[str]:
    return {one.key for one in UnitFile.parse(text, name="unit").assignments}


def test_what_is_run_is_run_word_by_word() -> None:
    job = Job(PROGRAM, Path('/srv/a store/100%/$HOME "q"'), Path("/root/pass phrase"), (Path("/usr/local/sbin/a b"),))
    (line,) = values(Units(FOLDER, 252).service_text(job.words()), "ExecStart")
    words = [word.replace("%%", "%").replace("$$", "$") for word in command_line(line).words]
    assert words == list(job.words())
    assert not command_line(line).specifiers


def test_only_the_credential_is_filled_in_by_systemd() -> None:
    job = Job(PROGRAM, Path("/etc/dockertls"), HANDED_OVER)
    text = Units(FOLDER, 252).service_text(job.words(), credential=job.credential)
    assert values(text, "LoadCredentialEncrypted") == [f"dockertls-passphrase:{CREDENTIAL_FILE}"]
    assert values(text, "ExecStart")[0].endswith("--passphrase-file ${CREDENTIALS_DIRECTORY}/dockertls-passphrase")
    assert values(Units(FOLDER, 252).service_text(job.words()), "LoadCredentialEncrypted") == []


@pytest.mark.parametrize("version", [187, 219, 231, 239, 244, 247, 252])
def test_a_systemd_is_told_what_it_knows(version: int) -> None:
    units = Units(FOLDER, version)
    service, timer = settings(units.service_text(PROGRAM)), settings(units.timer_text())
    for table, told in ((SANDBOX, service), (SCHEDULE, timer)):
        assert {one.key for one in table if one.key in told} == {one.key for one in table if one.since <= version}
    assert units.has_credentials is (version >= 250)


def test_a_systemd_that_nobody_asked_is_told_all_of_it() -> None:
    service = settings(Units(FOLDER).service_text(PROGRAM))
    assert {one.key for one in SANDBOX} <= service
    assert not Units(FOLDER).has_credentials


def test_a_users_systemd_is_told_what_it_may_do() -> None:
    units = Units(Path("/home/ann/.config/systemd/user"), 252, user=True)
    service = settings(units.service_text(PROGRAM))
    assert not service & {one.key for one in SANDBOX if one.system}
    assert "NoNewPrivileges" in service
    assert not units.has_credentials
    assert units.start.argv[:2] == ("systemctl", "--user")


def test_the_timer_makes_up_for_what_was_slept_through() -> None:
    text = Units(FOLDER, 252).timer_text()
    assert (values(text, "OnCalendar"), values(text, "Persistent")) == (["daily"], ["yes"])
    assert values(text, "WantedBy") == ["timers.target"]
