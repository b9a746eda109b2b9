"""Every row of the table of symptoms: the symptom is produced, and its own words are explained rightly."""

from __future__ import annotations

import contextlib
import json
import re
import textwrap
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from dockertls.probe.remedies import TABLE, explain
from tests.e2e.program import dockertls
from tests.e2e.symptoms import connections, files, gos, javas, refusals, servers
from tests.e2e.symptoms.answers import ANSWERS
from tests.e2e.symptoms.papers import Papers
from tests.e2e.symptoms.stage import NEWER, TLS, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.symptoms.clients import Asked
    from tests.e2e.symptoms.producer import Producer

FAMILIES = (servers, refusals, files, connections, javas, gos)
PRODUCERS: tuple[Producer, ...] = tuple(one for family in FAMILIES for one in family.PRODUCERS)
ROWS = {row.id: row for row in TABLE}
ONE = {one.row: one for sure in (False, True) for one in reversed(PRODUCERS) if one.row and (not one.racing) is sure}
"""Of each row one producer; wherever there is one, such as always comes to it."""


def _marked(producer: Producer) -> object:
    marks = [pytest.mark.needs(*producer.needs)] if producer.needs else []
    return pytest.param(producer, id=producer.id, marks=marks)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with contextlib.ExitStack() as stack:
        folder = tmp_path_factory.mktemp("stage")
        yield Stage(folder, Papers(tmp_path_factory.mktemp("papers")), stack)


def told(stage: Stage, producer: Producer) -> Asked:
    asked: Asked = stage.once(producer, lambda: producer.make(stage))
    return asked


@pytest.mark.parametrize("producer", [_marked(one) for one in PRODUCERS])
def test_a_symptom_that_really_happens_is_explained(stage: Stage, producer: Producer) -> None:
    asked = told(stage, producer)
    if not producer.row:
        assert asked.ok, asked.text
        return
    assert not asked.ok, f"it is content: {asked.text}"
    found = explain(asked.text)
    assert found, asked.text
    assert found.id in (producer.row, *producer.racing), asked.text
    cause, remedy = ANSWERS[found.id]
    assert [word for word in cause if word not in found.cause] == []
    assert [word for word in remedy if word not in found.remedy] == []


def test_every_row_has_a_producer() -> None:
    assert set(ONE) == set(ROWS)
    assert set(ANSWERS) == set(ROWS)


@pytest.mark.needs("newer-dockerd")
def test_a_name_with_a_dot_at_its_end_is_refused_by_some(stage: Stage) -> None:
    """By which Go is built into it: were it one that refuses, this is the row."""
    papers = stage.papers
    shown = papers.material(papers.named(x509.DNSName("localhost.")))
    done = stage.started(NEWER, *TLS, "--validate", other={"cert": shown.cert, "key": shown.key})
    found = explain(done.stdout)
    assert (found.id if found else done.stdout.strip()) == ("trailing-dot" if done.returncode else "configuration OK")


@pytest.mark.parametrize("producer", [_marked(one) for one in ONE.values()])
def test_what_is_pasted_along_does_not_matter(stage: Stage, producer: Producer) -> None:
    text = told(stage, producer).text
    row = explain(text)
    coloured = re.sub(r"(\S+)", "\x1b[1;31m\\1\x1b[0m", text)
    broken = "\n".join(textwrap.wrap(text, 60, break_long_words=False, break_on_hyphens=False))
    around = f"root@web1:~# docker info\n\n$ export DOCKER_HOST=tcp://web1:2376\r\n{text}\r\nroot@web1:~# echo $?\n1\n"
    logged = f'Nov 24 12:00:00 web1 dockerd[812]: level=info msg="{text.replace(chr(34), chr(92) + chr(34))}"'
    for pasted in (coloured, broken, around, logged, f"\x1b]0;root@web1\x07{text}"):
        assert explain(pasted) == row, pasted


@pytest.mark.parametrize("producer", [_marked(one) for one in ONE.values()])
def test_the_program_says_the_same(stage: Stage, producer: Producer) -> None:
    text = told(stage, producer).text
    ran = dockertls("--json", "check", "--explain", text)
    assert ran.code == 0, ran
    row = explain(text)
    assert row
    assert json.loads(ran.out)["data"] == {"id": row.id, "cause": row.cause, "remedy": row.remedy}
