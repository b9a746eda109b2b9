"""The catalogue as a table: what every row must have."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dockertls.audit.catalogue import BY_ID, TABLE, judged
from dockertls.audit.checks.configuration import BY_RULE
from dockertls.audit.gathered import seen
from dockertls.audit.loaded import parse
from dockertls.audit.model import Area, Check, Fix
from dockertls.audit.repairs import TABLE as REPAIRS
from dockertls.audit.seen import Expected
from dockertls.daemon.rules import TABLE as RULES
from dockertls.findings import Failed, Warned
from tests.cases.auditing import base, pid
from tests.unit.audit.test_saved import written


@pytest.mark.parametrize("check", TABLE, ids=lambda check: check.id)
def test_a_row_is_whole(check: Check) -> None:
    assert re.fullmatch(r"[A-Z]{2,3}-\d\d", check.id)
    assert check.area in Area
    assert check.title[0].isupper() or check.title.startswith(("dockerd", "containerd", "daemon.json")), check.title
    assert not check.title.endswith(".")
    assert set(check.references) <= {"CIS 1.6/1.7", "CIS 1.8", "STIG"}
    assert (check.id in REPAIRS) is (check.fix is not Fix.ADVICE), "what harden does, and whether it does something"


def test_ids_are_told_apart() -> None:
    assert len(BY_ID) == len(TABLE)
    assert REPAIRS.keys() <= BY_ID.keys()


def test_the_catalogue_is_whole() -> None:
    numbers = {"NET": 13, "TLS": 13, "CLI": 4, "CFG": 12, "DMN": 22, "FS": 9, "HST": 3, "AUD": 17}
    wanted = {f"{area}-{number:02}" for area, last in numbers.items() for number in range(1, last + 1)}
    assert wanted - BY_ID.keys() == {"FS-04"}, "which is TLS-09 and TLS-10"
    assert BY_ID.keys() <= wanted


def test_every_rule_of_the_configuration_is_told_by_a_check() -> None:
    assert {rule.id for rule in RULES} == BY_RULE.keys()
    assert set(BY_RULE.values()) <= BY_ID.keys()


def test_several_dockerds_are_judged_each_and_the_host_once() -> None:
    (one,) = seen(parse(written(base()), ""), Expected())
    results = list(judged((one, replace(one))))
    of_host = [found for found in results if not found.daemon]
    assert len(of_host) == sum(check.of_host for check in TABLE)
    assert len(results) == 2 * len(TABLE) - len(of_host)


def test_who_mends_it_is_told_where_something_is_left_to_be_done() -> None:
    data = base()
    data["files"]["/etc/docker/daemon.json"]["text"] = "{}"
    data["dockerds"][pid(data)]["info"]["LiveRestoreEnabled"] = False
    (one,) = seen(parse(written(data), ""), Expected())
    told = {found.finding.id: found.finding.verdict for found in judged([one])}
    for id_, way in (("DMN-15", "--only"), ("DMN-14", "--opt-in"), ("DMN-13", "--opt-in")):
        verdict = told[id_]
        assert isinstance(verdict, Failed | Warned)
        assert f"dockertls harden {way} {id_}" in verdict.remedy
    data["files"]["/etc/docker/daemon.json"]["text"] = '{"log-opts": {"max-size": "1m", "max-file": "3"}}'
    (one,) = seen(parse(written(data), ""), Expected())
    (logs,) = judged([one], [BY_ID["DMN-13"]])
    assert isinstance(logs.finding.verdict, Warned), "they stay on the host"
    assert "harden" not in logs.finding.verdict.remedy, "which does nothing about that"
