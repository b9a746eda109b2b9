"""Rules about single options: twice, unknown, ignored, of the wrong kind, or not of this release."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dockertls.daemon.options import BY_FLAG, BY_KEY, MERGED_KEYS, fits
from dockertls.daemon.releases import lacks, shown
from dockertls.errors import Fault
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.daemon.flags import Occurrence
    from dockertls.daemon.options import Option
    from dockertls.daemon.reading import Reading


VALIDATE = "validate"


def in_two_places(reading: Reading) -> Iterator[Fault]:
    """A flag and a key of daemon.json say the same thing."""
    for key, said in reading.by_flags().items():
        if key in reading.named and key not in MERGED_KEYS:
            yield Fault(
                f"{key} is given as a flag ({said.origin}) and in {reading.named[key].origin}: dockerd does not start",
                "remove one of the two; equal values are a conflict too",
            )


def repeated_flags(reading: Reading) -> Iterator[Fault]:
    """One flag twice: of most the last one counts, of a list each."""
    for key in dict.fromkeys(item.key for item in reading.flags.occurrences if item.option):
        found = reading.flags.of(key)
        for said, several in _repeated(found).items():
            places = ", ".join(dict.fromkeys(str(reading.origin(item)) for item in several))
            last = " and the last one counts" if not said else ""
            flag = found[0].option.flag if found[0].option else key
            what = f"--{flag}{f' {visible(said)}' if said else ''}"
            yield Fault(f"{what} is given {len(several)} times ({places}){last}", "keep one of them")


def _repeated(found: tuple[Occurrence, ...]) -> dict[str, tuple[Occurrence, ...]]:
    """The occurrences that repeat each other, by the value that they have in common; of one-value flags no value."""
    option = found[0].option
    if option is None or not option.kind.repeats:
        return {"": found} if len(found) > 1 else {}
    counts = Counter(item.text for item in found)
    return {text: tuple(item for item in found if item.text == text) for text, count in counts.items() if count > 1}


def of_others(reading: Reading) -> Iterator[Fault]:
    """Options that only some vendor's dockerd has, given to another one."""
    name = reading.packaging.name
    for item in reading.flags.occurrences:
        if item.option and item.option.only and name not in item.option.only:
            yield Fault(f"{reading.origin(item)}: only {item.option.only[0]} has --{item.option.flag}", "remove it")
    for key, said in reading.file.items():
        if key in BY_KEY and BY_KEY[key].only and name not in BY_KEY[key].only:
            yield Fault(f"{said.origin}: only {BY_KEY[key].only[0]} has {key}: dockerd does not start", "remove it")


def unknown_keys(reading: Reading) -> Iterator[Fault]:
    """Keys that no release has."""
    for key, said in reading.named.items():
        if key not in BY_KEY and key not in BY_FLAG:
            yield Fault(
                f"{said.origin}: {visible(key)} is not a key of daemon.json: dockerd does not start",
                "correct its spelling (capitals count), or remove it",
            )


def ignored_keys(reading: Reading) -> Iterator[Fault]:
    """Keys that dockerd lets pass and does not look at."""
    for key, said in reading.dropped.items():
        if key != VALIDATE and (key in BY_KEY or key in BY_FLAG):
            yield Fault(f"{said.origin}: dockerd takes {visible(key)} without a word and ignores it", _instead(key))


def never_runs(reading: Reading) -> Iterator[Fault]:
    """A key that makes dockerd judge its configuration and end; releases before 23.0 refuse it."""
    if VALIDATE in reading.dropped:
        said = reading.dropped[VALIDATE]
        yield Fault(f"{said.origin}: with {VALIDATE}, dockerd ends at once instead of running", "remove it")


def _instead(key: str) -> str:
    option = BY_KEY.get(key)
    if option is not None:
        return f'write it in "{option.inside}": {{...}}' if option.inside else "write it at the top of the file"
    right = BY_FLAG[key].key
    return f"write {right}" if right else "give it as a flag, or remove it"


def nested_switches(reading: Reading) -> Iterator[Fault]:
    """An object that dockerd does not know, whose switches it takes all the same."""
    if reading.document is None:
        return
    for holder in reading.document.keys:
        value = reading.document.get(holder)
        if not isinstance(value, dict) or holder in BY_KEY:
            continue
        taken = [key for key, item in value.items() if key in BY_KEY and isinstance(item, bool)]
        if taken:
            yield Fault(
                f"{reading.file[taken[0]].origin}: {visible(holder)} is no key, and dockerd takes"
                f" {', '.join(taken)} from the object all the same",
                "write each option at the top of the file",
            )


def wrong_kinds(reading: Reading) -> Iterator[Fault]:
    """Values that are not of their key's kind."""
    for key, said in reading.file.items():
        if key in BY_KEY and said.value is not None and not fits(BY_KEY[key].kind, said.value):
            kind = BY_KEY[key].kind.name.lower()
            yield Fault(f"{said.origin}: {key} is of the wrong type: dockerd does not start", f"it must be a {kind}")


def not_of_this_release(reading: Reading) -> Iterator[Fault]:
    """Options that this dockerd does not know: not yet, or no longer."""
    if reading.release is None:
        return
    for name, origin, option, flag in _given(reading):
        if why := lacks(reading.release, option, flag=flag):
            yield Fault(
                f"{origin}: Docker {shown(reading.release)} does not know {name}: dockerd does not start ({why})",
                "remove it, or take a release that has it",
            )


def soon_removed(reading: Reading) -> Iterator[Fault]:
    """Options that a later release refuses, so that an upgrade keeps dockerd from starting."""
    for name, origin, option, flag in _given(reading):
        if option.removed and not (reading.release and lacks(reading.release, option, flag=flag)):
            yield Fault(
                f"{origin}: {name} is removed in Docker {option.removed}: from there on dockerd does not start with it",
                "remove it before an upgrade",
            )


def of_some_releases(reading: Reading) -> tuple[str, ...]:
    """What cannot be told where the release is not known."""
    if reading.release is not None:
        return ()
    newer = {
        f"{name} (since {option.flag_since if flag and option.flag_since else option.since})": None
        for name, _, option, flag in _given(reading)
        if option.since or (flag and option.flag_since)
    }
    return (f"whether this dockerd knows {', '.join(newer)}",) if newer else ()


def _given(reading: Reading) -> Iterator[tuple[str, str, Option, bool]]:
    """Each option that is given: how it is written, where, its row, and whether it is a flag."""
    for item in reading.flags.occurrences:
        if item.option:
            yield f"--{item.option.flag}", str(reading.origin(item)), item.option, True
    for key, said in reading.named.items():
        if key in BY_KEY:
            yield key, said.origin, BY_KEY[key], False


def plugins_lost(reading: Reading) -> Iterator[Fault]:
    """Authorization plugins as a flag: a reload takes the list of the file, which is empty (moby daemon/reload.go)."""
    said = reading.by_flags().get("authorization-plugins")
    if said:
        yield Fault(
            f"authorization plugins are given as a flag ({said.origin}): a reload switches them off without a word",
            "give them as authorization-plugins in daemon.json",
        )
