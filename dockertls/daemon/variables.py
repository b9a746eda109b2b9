"""The variables that a command line uses: what environment files and the unit give them, and what that expands to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockertls.daemon.started import Part, Place, Variable, named
from dockertls.documents.env_file import EnvFile, split
from dockertls.errors import Fault, Refused
from dockertls.escaping import visible
from dockertls.facts import ENVIRONMENT_FILES, NotGathered, NotSeen
from dockertls.platforms import SERVICE, TABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.documents.env_file import Dialect
    from dockertls.facts import HostFacts

KNOWN_VARIABLES = tuple(dict.fromkeys(row.variable for row in TABLE if row.variable))
NOT_EDITED = {("/", "run"), ("/", "usr"), ("/", "lib")}
"""What is generated anew by a program, or is the package's own."""
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_DOLLAR = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Variables:
    """The variables that a command line may use; what is wrong with their files is collected."""

    def __init__(
        self,
        facts: HostFacts,
        files: list[tuple[Path, bool]],
        unit: Mapping[str, tuple[str, Place]],
        dialect: Dialect,
        *,
        expands: bool = True,
    ) -> None:
        self.dialect = dialect
        self.unit = unit
        self.expands = expands
        self.faults: list[Fault] = []
        self.unknown: list[str] = []
        self.unseen: list[Path] = []
        self.files: dict[Path, EnvFile | None] = {}
        for path, optional in files:
            try:
                self._read(facts, path, optional=optional)
            except NotGathered as error:
                self.unseen.append(path)
                why = str(error) if isinstance(error, NotSeen) else "it was not looked at"
                self.unknown.append(f"what {visible(str(path))} sets: {why}")
            except Refused as error:
                self.faults += named(path, error)

    def _read(self, facts: HostFacts, path: Path, *, optional: bool) -> None:
        file = facts.file(path)
        self.files.pop(path, None)
        self.files[path] = EnvFile.decode(file.content, self.dialect, str(path)) if file else None
        if file is None and not optional:
            hint = f"create it, or write EnvironmentFile=-{path} in the unit"
            self.faults.append(Fault(f"{visible(str(path))} is missing, and {SERVICE} does not start without it", hint))

    def _setter(self, name: str) -> tuple[Path, EnvFile] | None:
        """The file whose value for a variable counts: the last that sets it."""
        found = [(path, file) for path, file in self.files.items() if file and name in file.variables]
        return found[-1] if found else None

    def value(self, name: str) -> tuple[str, Place] | None:
        """A variable's value and where it stands; a file beats the unit."""
        found = self._setter(name)
        if found is None:
            return self.unit.get(name)
        path, file = found
        try:
            return file.get(name) or "", Place(path, file.line(name), name)
        except Refused as error:
            self.faults += [fault for fault in named(path, error) if fault not in self.faults]
            return None

    def expand(self, word: str, start: Place) -> Iterator[Part]:
        """The arguments that a word of the command line becomes (systemd.service(5), COMMAND LINES)."""
        if not self.expands:
            yield Part((word.replace("%%", "%"),), start, word)
            return
        alone = _VARIABLE.fullmatch(word)
        if alone:
            value, place = self.value(alone[1]) or ("", start)
            try:
                yield Part(split(value, self.dialect), place, word)
            except Refused as error:
                self.faults += named(place, error)
            return
        braced = _DOLLAR.fullmatch(word)
        _, place = (self.value(braced[1]) if braced and braced[1] else None) or ("", start)
        whole = _DOLLAR.sub(lambda found: self._substitute(found, start), word)
        yield Part((whole.replace("%%", "%"),), place, word)

    def _substitute(self, found: re.Match[str], start: Place) -> str:
        return (self.value(found[1]) or ("", start))[0] if found[1] else "$"

    def editable(self, arguments: Collection[str]) -> Variable | None:
        """The variable to edit: unbraced, read from a file that we know, those of known packagings first."""
        found = [match[1] for word in arguments if self.expands and (match := _VARIABLE.fullmatch(word))]
        known = [path for path in self.files if path in ENVIRONMENT_FILES]
        for name in sorted(found, key=lambda name: name not in KNOWN_VARIABLES):
            setter = self._setter(name)
            path = setter[0] if setter else None if name in self.unit else next(iter(known), None)
            if path and found.count(name) == 1 and path.parts[:2] not in NOT_EDITED:
                value = self.value(name)
                return Variable(name, path, self.dialect, value[0] if setter and value else None)
        return None
