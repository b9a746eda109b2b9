"""The edits of each document that sets dockerd's options: the environment file, daemon.json, the drop-in."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from dockertls.daemon.flags import parse, render
from dockertls.daemon.hosts import is_tcp
from dockertls.daemon.options import BadValue
from dockertls.daemon.packaging import DROP_IN
from dockertls.daemon.wanted import OURS, Style, Wanted
from dockertls.documents.env_file import EnvFile, join, split, words
from dockertls.documents.json_file import JsonFile
from dockertls.documents.unit_file import render_drop_in
from dockertls.errors import Fault, refuse
from dockertls.facts import missing_directories
from dockertls.plan import Change, Directory, File, Node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath as Path

    from dockertls.daemon.flags import Flags, Occurrence
    from dockertls.daemon.situation import Situation
    from dockertls.documents.env_file import Dialect
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts

COMMENT = "# Options of dockerd, with TLS by dockertls\n"
DROP_IN_COMMENT = "By dockertls: the hosts are in daemon.json, so -H must not be here."


def environment_words(here: Situation, wanted: Wanted, style: Style) -> tuple[str, ...]:
    """The words that the variable shall have."""
    own = here.own
    settings = {key: value for key, value in wanted.settings.items() if own.of(key)}
    changes: dict[Occurrence, tuple[str, ...]] = {}
    for key, value in settings.items():
        changes |= _set(own, key, value)
    if style is Style.JSON:
        gone = own.of(*OURS) if here.missing_hosts(wanted) else own.of(*(key for key in OURS if key != "hosts"))
        return own.replaced(changes | dict.fromkeys(gone, ()))
    tls = here.missing_tls(wanted)
    added: list[str] = []
    for key, value in tls.items():
        changes |= _set(own, key, value)
        added += () if own.of(key) else render(key, value)
    stale = [*own.of(*(key for key in OURS if key not in {*tls, "tls", "hosts"})), *_switched_off(own)]
    hosts, new = _hosts(here, wanted)
    return (*own.replaced(changes | hosts | dict.fromkeys(stale, ())), *new, *added)


def _switched_off(own: Flags) -> list[Occurrence]:
    """`--tls=false`, which says the opposite of `--tlsverify`."""
    return [item for item in own.of("tls") if item.text not in {"1", "t", "T", "true", "TRUE", "True"}]


def _set(own: Flags, key: str, value: Json) -> dict[Occurrence, tuple[str, ...]]:
    """Give an option that is among the flags a value: nothing where it has it, else its first place, and no other."""
    found = own.of(key)
    if not found or own.values().get(key) == value:
        return {}
    words = render(key, value)
    if len(words) == 1 and not isinstance(value, list | dict):
        words = found[0].written("true" if value is True else "false" if value is False else str(value))
    return {found[0]: words} | dict.fromkeys(found[1:], ())


def _hosts(here: Situation, wanted: Wanted) -> tuple[dict[Occurrence, tuple[str, ...]], tuple[str, ...]]:
    """Changes of the host flags, and the words to append: local hosts stay, tcp hosts become those that are wanted."""
    missing = list(here.missing_hosts(wanted))
    changes: dict[Occurrence, tuple[str, ...]] = {}
    tcp = [item for item in here.own.of("hosts") if is_tcp(item.text)]
    kept = [item for item in tcp if item.text in missing]
    kept = [item for at, item in enumerate(kept) if item.text not in {other.text for other in kept[:at]}]
    missing = [host for host in missing if host not in {item.text for item in kept}]
    for item in tcp:
        if item not in kept:
            changes[item] = item.written(missing.pop(0)) if missing else ()
    there = (*here.hosts(here.fixed, tcp=False), *here.hosts(here.own, tcp=False))
    local = [host for host in here.local_hosts(there, here.file_hosts(tcp=False)) if host not in there]
    return changes, tuple(word for host in (*local, *missing) for word in ("-H", host))


def environment_file(here: Situation, arguments: tuple[str, ...]) -> Change | None:
    """The change of the environment file that gives the variable these words; None: it has them.

    Raises:
        Refused: if the file's reader cannot be given them.
    """
    variable = here.reading.packaging.variable
    if variable is None or arguments == here.own.words:
        return None
    place, before = _found(here.facts, variable.file)
    text = before.content.decode() if before else COMMENT
    value = respelled(variable.value or "", arguments, variable.dialect)
    file = EnvFile.parse(text, variable.dialect, name=str(variable.file)).set(variable.name, value)
    return Change(place, before, _with(before, file.text), f"dockerd's flags, {variable.name}")


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


def daemon_json(here: Situation, wanted: Wanted, style: Style) -> Change | None:
    """The change of daemon.json; None: it says what it shall."""
    there = here.reading.document.keys if here.reading.document else ()
    gone = [key for key in OURS if key in there and _is_stale(here, key, wanted, style)]
    why = f"{', '.join(gone)} move to the flags" if gone and style is not Style.JSON else "dockerd's settings"
    return set_keys(here, _keys(here, wanted, style), why, gone)


def set_keys(here: Situation, keys: Mapping[str, Json], why: str, gone: Sequence[str] = ()) -> Change | None:
    """The change of daemon.json that sets some keys and takes others away; None: nothing changes."""
    place, before = _found(here.facts, here.reading.config)
    new = here.reading.document or JsonFile.parse("", name=str(here.reading.config))
    for key, value in keys.items():
        new = new.set(key, value)
    for key in gone:
        new = new.without(key)
    if before is not None and new.text.encode() == before.content:
        return None
    return Change(place, before, _with(before, new.text), why) if keys or gone else None


def _keys(here: Situation, wanted: Wanted, style: Style) -> dict[str, Json]:
    """What daemon.json shall say."""
    flags = {item.key for item in (*here.own.occurrences, *here.fixed.occurrences)}
    keys = {key: value for key, value in wanted.settings.items() if key not in flags or key == "runtimes"}
    if style is not Style.JSON:
        return keys
    tls = here.missing_tls(wanted)
    hosts = _file_hosts(here, wanted) if here.missing_hosts(wanted) else None
    return {**tls, **({"hosts": list(hosts)} if hosts else {}), **keys}


def _file_hosts(here: Situation, wanted: Wanted) -> tuple[str, ...]:
    old = here.file_hosts(tcp=False)
    flags = (*here.hosts(here.fixed, tcp=False), *here.hosts(here.own, tcp=False))
    new = (*here.local_hosts(old, flags), *wanted.hosts)
    there = here.reading.document.get("hosts") if here.reading.document else None
    same = isinstance(there, list) and len(there) == len(new) and {str(host) for host in there} == set(new)
    return tuple(str(host) for host in there) if same and isinstance(there, list) else new


def _is_stale(here: Situation, key: str, wanted: Wanted, style: Style) -> bool:
    """Whether a key of ours must go from daemon.json."""
    if style is not Style.JSON:
        return True
    if key == "tls":
        return here.reading.file["tls"].value is not True
    return key not in _keys(here, wanted, style)


def drop_in(here: Situation, wanted: Wanted, style: Style) -> Change | None:
    """The change of the drop-in that takes `-H` out of the unit's command line, which daemon.json cannot share."""
    before = here.facts.file(DROP_IN)
    needed = style is Style.JSON and here.missing_hosts(wanted) and here.fixed.of("hosts")
    if not needed:
        return Change(DROP_IN, before, None, "the unit's own command line is right again") if before else None
    found = here.reading.packaging
    line = parse([part.written for part in found.parts])
    commands = [("ExecStart", ""), ("ExecStart", found.line_of(line.without(line.of("hosts"))))]
    text = render_drop_in({"Service": commands}, DROP_IN_COMMENT)
    return Change(DROP_IN, before, _with(before, text), "hosts stand in daemon.json: -H would be a conflict")


def folder_changes(facts: HostFacts, changes: list[Change]) -> list[Change]:
    """The directories that must be made for some changes."""
    missing: dict[Path, Node] = {}
    for change in changes:
        if change.after is not None:
            missing |= dict.fromkeys(missing_directories(facts, change.path.parent), Directory())
    return [Change(path, None, node, "folder of the next file") for path, node in missing.items()]


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


def _found(facts: HostFacts, path: Path) -> tuple[Path, File | None]:
    """Where a file lies, through a link, and the file. Raises Refused if something else is there."""
    place = facts.place(path)
    node = facts.node(place) if facts.node(path) is not None else None
    if node is not None and not isinstance(node, File):
        refuse(str(path), [Fault("it is not a file", "move it away and run the command again")])
    return place, facts.file(path)


def _with(before: File | None, text: str) -> File:
    content = text.encode()
    return replace(before, content=content) if before else File(content)
