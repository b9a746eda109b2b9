"""The law of what is not seen: it never makes a fault, or a doubt, into something that is fine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from dockertls.facts import PIDOF
from dockertls.host import Output
from dockertls.look import NAMES
from tests.cases.auditing import Case, cases

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.audit.gathered import Gathered

T = TypeVar("T")

DENIED = "Permission denied"
WRONG = [case for case in cases() if case.verdict in {"failed", "warned", "unknown"}]
OTHERWISE_KNOWN = {
    ("NET-01", "next-start"): "whoever connects is refused now: that was tried, and files speak of the next start",
    ("NET-03", "next-start"): "likewise",
    ("DMN-14", "live-alone"): "the API says it, and files speak of the next start",
    ("DMN-15", "live-alone"): "likewise",
    ("DMN-22", "lowered"): "the program itself says that it is an older release",
}
"""Cases that something else answers where files are not seen, and why that is right."""


class Noted(dict["Path", Any]):
    """A mapping that notes what it is asked for."""

    def __init__(self, content: Mapping[Path, Any]) -> None:
        super().__init__(content)
        self.asked: set[Path] = set()

    def __getitem__(self, key: Path) -> Any:  # noqa: ANN401 - of any part of the facts
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: Path, default: Any = None) -> Any:  # noqa: ANN401 - likewise
        self.asked.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.asked.add(key)  # type: ignore[arg-type]  # only paths are asked for
        return super().__contains__(key)

    @property
    def used(self) -> list[Path]:
        return sorted(path for path in self.asked if dict.__contains__(self, path))


def less(mapping: Mapping[Path, T], path: Path) -> dict[Path, T]:
    return {key: value for key, value in mapping.items() if key != path}


def without_file(found: Gathered, path: Path) -> Gathered:
    facts = found.facts
    keys = less(found.keys, facts.place(path))
    hidden = replace(
        facts,
        files=less(facts.files, path),
        statuses=less(facts.statuses, path),
        changed=less(facts.changed, path),
        unseen={**facts.unseen, path: DENIED},
    )
    return replace(found, keys=less(keys, path), facts=hidden)


def without_names(found: Gathered, path: Path) -> Gathered:
    facts = found.facts
    hidden = replace(facts, names=less(facts.names, path), unseen={**facts.unseen, path / NAMES: DENIED})
    return replace(found, facts=hidden)


def unanswered(found: Gathered, argv: tuple[str, ...]) -> Iterator[tuple[str, Gathered]]:
    """With one answer that is not there, is that of a shell that found nothing, or is an error's."""
    others = {key: answer for key, answer in found.facts.outputs.items() if key != argv}
    codes = (127,) if argv == PIDOF else (1, 127)  # to pidof, 1 is an answer: there is none
    answers = {"none": others, **{str(code): {**others, argv: Output(code, "", "no")} for code in codes}}
    for name, outputs in answers.items():
        yield f"{' '.join(argv)}: {name}", replace(found, facts=replace(found.facts, outputs=outputs))


def blinded(case: Case) -> Iterator[tuple[str, Gathered]]:
    """The facts of a case with one thing hidden, of all that the check looks at."""
    found = case.gathered()
    facts = found.facts
    files, statuses, names = Noted(facts.files), Noted(facts.statuses), Noted(facts.names)
    case.judged(replace(found, facts=replace(facts, files=files, statuses=statuses, names=names)))
    for path in sorted({*files.used, *statuses.used}):
        yield str(path), without_file(found, path)
    for path in names.used:
        yield f"{path}/{NAMES}", without_names(found, path)
    for argv in facts.outputs:
        yield from unanswered(found, argv)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case.check}-{case.name}")
def test_what_is_hidden_makes_nothing_fine(case: Case) -> None:
    fine = [what for what, found in blinded(case) if case.judged(found)["verdict"] in {"passed", "not-applicable"}]
    assert bool(fine) is ((case.check, case.name) in OTHERWISE_KNOWN), fine
