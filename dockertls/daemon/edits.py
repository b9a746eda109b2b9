"""The edits of other people's files that set dockerd's options: the environment file and daemon.json."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from dockertls.daemon.flags import render
from dockertls.daemon.homes import Home
from dockertls.daemon.hosts import is_tcp
from dockertls.daemon.options import BadValue
from dockertls.daemon.wanted import OURS
from dockertls.documents.env_file import EnvFile, join, split, words
from dockertls.documents.json_file import JsonFile
from dockertls.errors import Fault, refuse
from dockertls.facts import missing_directories
from dockertls.plan import Change, Directory, File

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath as Path

    from dockertls.daemon.flags import Flags, Occurrence
    from dockertls.daemon.homes import Homes
    from dockertls.daemon.situation import Situation
    from dockertls.daemon.wanted import Wanted
    from dockertls.documents.env_file import Dialect
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts
    from dockertls.plan import Owner

COMMENT = "# Options of dockerd, with TLS by dockertls\n"


def environment_words(here: Situation, wanted: Wanted, places: Homes) -> tuple[str, ...]:
    """The words that the variable shall have."""
    own = here.own
    settings = {key: value for key, value in wanted.settings.items() if own.of(key)}
    changes: dict[Occurrence, tuple[str, ...]] = {}
    for key, value in settings.items():
        changes |= _set(own, key, value)
    if places.tls is Home.JSON:
        gone = own.of(*OURS) if here.missing_hosts(wanted) else own.of(*(key for key in OURS if key != "hosts"))
        return own.replaced(changes | dict.fromkeys(gone, ()))
    at_home = places.tls is Home.ENVIRONMENT
    tls = here.missing_tls(wanted) if at_home else {}
    added: list[str] = []
    for key, value in tls.items():
        changes |= _set(own, key, value)
        added += () if own.of(key) else render(key, value)
    kept = {*tls, "hosts", *(("tls",) if at_home else ())}
    stale = [*own.of(*(key for key in OURS if key not in kept)), *_switched_off(own)]
    hosts, new = _hosts(here, here.missing_hosts(wanted) if places.hosts is Home.ENVIRONMENT else ())
    local = _more_local(here) if at_home else ()
    return (*own.replaced(changes | hosts | dict.fromkeys(stale, ())), *_as_flags((*local, *new)), *added)


def command_words(here: Situation, wanted: Wanted, places: Homes) -> tuple[str, ...]:
    """The words that a drop-in shall add to the unit's own command line."""
    if places.tls is not Home.COMMAND:
        return ()
    hosts = here.missing_hosts(wanted) if places.hosts is Home.COMMAND else ()
    tls = (word for key, value in here.missing_tls(wanted).items() for word in render(key, value))
    return (*_as_flags((*_more_local(here), *hosts)), *tls)


def _as_flags(hosts: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for host in hosts for word in ("-H", host))


def _switched_off(own: Flags) -> list[Occurrence]:
    """`--tls=false`, which says the opposite of `--tlsverify`."""
    return [item for item in own.of("tls") if item.text not in {"1", "t", "T", "true", "TRUE", "True"}]


def _set(own: Flags, key: str, value: Json) -> dict[Occurrence, tuple[str, ...]]:
    """Give an option that is among the flags a value: nothing where it has it, else its first place, and no other."""
    found = own.of(key)
    once = len(found) == 1 or isinstance(value, list | dict)
    if not found or (once and own.values().get(key) == value):
        return {}
    words = render(key, value)
    if len(words) == 1 and not isinstance(value, list | dict):
        words = found[0].written("true" if value is True else "false" if value is False else str(value))
    return {found[0]: words} | dict.fromkeys(found[1:], ())


def with_setting(own: Flags, settings: Mapping[str, Json]) -> tuple[str, ...]:
    """The words of the own flags once options among them have other values; None: they are gone."""
    changes: dict[Occurrence, tuple[str, ...]] = {}
    for key, value in settings.items():
        changes |= dict.fromkeys(own.of(key), ()) if value is None else _set(own, key, value)
    return own.replaced(changes)


def _hosts(here: Situation, wanted: Sequence[str]) -> tuple[dict[Occurrence, tuple[str, ...]], tuple[str, ...]]:
    """Changes of the tcp hosts among the own flags, which become those that are wanted, and those to be added."""
    missing = list(wanted)
    changes: dict[Occurrence, tuple[str, ...]] = {}
    tcp = [item for item in here.own.of("hosts") if is_tcp(item.text)]
    kept = [item for item in tcp if item.text in missing]
    kept = [item for at, item in enumerate(kept) if item.text not in {other.text for other in kept[:at]}]
    missing = [host for host in missing if host not in {item.text for item in kept}]
    for item in tcp:
        if item not in kept:
            changes[item] = item.written(missing.pop(0)) if missing else ()
    return changes, tuple(missing)


def _more_local(here: Situation) -> tuple[str, ...]:
    """The local hosts to be named beside those that stay: daemon.json's, our drop-in's, and one at least."""
    there = here.local_flags
    more = (*here.file_hosts(tcp=False), *here.hosts(here.current.flags, tcp=False))
    return tuple(host for host in here.local_hosts(there, more) if host not in there)


def environment_file(here: Situation, arguments: tuple[str, ...]) -> Change | None:
    """The change of the environment file that gives the variable these words; None: it has them.

    Raises:
        Refused: if the file's reader cannot be given them.
    """
    variable = here.reading.packaging.variable
    if variable is None or arguments == here.own.words:
        return None
    place, before = found_file(here.facts, variable.file)
    text = before.content.decode() if before else COMMENT
    value = respelled(variable.value or "", arguments, variable.dialect)
    file = EnvFile.parse(text, variable.dialect, name=str(variable.file)).set(variable.name, value)
    return Change(place, before, with_text(before, file.text), f"dockerd's flags, {variable.name}")


def respelled(value: str, arguments: tuple[str, ...], dialect: Dialect) -> str:
    """A value that becomes these arguments; those that it had keep their quotes and the blanks between them.

    Raises:
        Refused: if the reader cannot be given the arguments.
    """
    old = words(value, dialect)
    new, at = "", 0
    alignment = SequenceMatcher(None, [word.text for word in old], arguments, autojunk=False)
    for kind, first, last, start, stop in alignment.get_opcodes():
        blanks = value[at : old[first].start] if first < last else " "
        at = old[last - 1].end if first < last else at
        if kind == "delete":
            continue
        # what stood before this is gone, or there never was anything
        blanks = (blanks or " ") if new else blanks if first < last and first == 0 else ""
        new += blanks + (value[old[first].start : at] if kind == "equal" else join(arguments[start:stop], dialect))
    new += value[at:] if new else ""
    return new if split(new, dialect) == arguments else join(arguments, dialect)


def daemon_json(here: Situation, wanted: Wanted, places: Homes) -> Change | None:
    """The change of daemon.json; None: it says what it shall."""
    there = here.reading.document.keys if here.reading.document else ()
    keys = _keys(here, wanted, places)
    gone = [key for key in OURS if key in there and _is_stale(here, key, keys, places)]
    why = f"{', '.join(gone)} move to the flags" if gone and places.tls is not Home.JSON else "dockerd's settings"
    return set_keys(here, keys, why, gone)


def set_keys(here: Situation, keys: Mapping[str, Json], why: str, gone: Sequence[str] = ()) -> Change | None:
    """The change of daemon.json that sets some keys and takes others away; None: nothing changes."""
    place, before = found_file(here.facts, here.reading.config)
    new = here.reading.document or JsonFile.parse("", name=str(here.reading.config))
    for key, value in keys.items():
        new = new.set(key, value)
    for key in gone:
        new = new.without(key)
    if before is not None and new.text.encode() == before.content:
        return None
    return Change(place, before, with_text(before, new.text), why) if keys or gone else None


def _keys(here: Situation, wanted: Wanted, places: Homes) -> dict[str, Json]:
    """What daemon.json shall say."""
    flags = {item.key for item in (*here.own.occurrences, *here.fixed.occurrences)}
    keys = {key: value for key, value in wanted.settings.items() if key not in flags or key == "runtimes"}
    if places.tls is not Home.JSON:
        return keys
    tls = here.missing_tls(wanted)
    hosts = _file_hosts(here, wanted) if here.missing_hosts(wanted) else None
    return {**tls, **({"hosts": list(hosts)} if hosts else {}), **keys}


def _file_hosts(here: Situation, wanted: Wanted) -> tuple[str, ...]:
    old = here.file_hosts(tcp=False)
    flags = (here.fixed, here.own, here.current.flags)
    local = [host for one in flags for host in here.hosts(one, tcp=False)]
    new = (*here.local_hosts(old, tuple(local)), *wanted.hosts)
    there = here.reading.document.get("hosts") if here.reading.document else None
    same = isinstance(there, list) and len(there) == len(new) and {str(host) for host in there} == set(new)
    return tuple(str(host) for host in there) if same and isinstance(there, list) else new


def _is_stale(here: Situation, key: str, keys: Mapping[str, Json], places: Homes) -> bool:
    """Whether a key of ours must go from daemon.json."""
    if places.tls is not Home.JSON:
        return True
    if key == "tls":
        return here.reading.file["tls"].value is not True
    return key not in keys


def with_folders(facts: HostFacts, changes: Sequence[Change]) -> list[Change]:
    """Changes, each after the directories that must be made for it: they get their names together."""
    made: dict[Path, None] = {}
    whole: list[Change] = []
    for change in changes:
        missing = missing_directories(facts, change.path.parent) if change.after is not None else ()
        whole += [Change(path, None, Directory(), "folder of the next file") for path in missing if path not in made]
        made |= dict.fromkeys(missing)
        whole.append(change)
    return whole


def owned(changes: Sequence[Change], owner: Owner) -> list[Change]:
    """Changes whose new files and directories belong to somebody."""
    return [
        replace(change, after=replace(change.after, owner=owner))
        if change.before is None and isinstance(change.after, File | Directory)
        else change
        for change in changes
    ]


def value_faults(here: Situation, wanted: Wanted) -> tuple[Fault, ...]:
    """Settings that stand among the flags and that no flag can say."""
    faults: list[Fault] = []
    for key, value in wanted.settings.items():
        if here.own.of(key):
            try:
                render(key, value)
            except BadValue as error:
                faults.append(Fault(str(error), f"remove it from {here.reading.packaging.variable} first"))
    return tuple(faults)


def found_file(facts: HostFacts, path: Path) -> tuple[Path, File | None]:
    """Where a file really lies, through a link, and the file. Raises Refused if something else is there."""
    place = facts.place(path)
    node = facts.node(place) if facts.node(path) is not None else None
    if node is not None and not isinstance(node, File):
        refuse(str(path), [Fault("it is not a file", "move it away and run the command again")])
    return place, facts.file(path)


def with_text(before: File | None, text: str) -> File:
    """A file with another text; a new one is everybody's to read."""
    content = text.encode()
    return replace(before, content=content) if before else File(content)
