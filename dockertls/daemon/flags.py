"""dockerd's command line: words <-> settings as pflag parses them, each occurrence known by the words it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.daemon.options import BY_FLAG, BY_KEY, BY_SHORT, BadValue, Kind, fits, join_values, read_value
from dockertls.errors import Fault
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dockertls.daemon.options import Option
    from dockertls.documents.json_file import Json


@dataclass(frozen=True)
class Occurrence:
    """One flag as it stands on a command line.

    Attributes:
        option: its row; None: dockerd is not known to have such a flag.
        head: the flag as it is written, up to its value: `--host=`, `--host`, `-H`, `-D`.
        value: its argument; None: it stands without one, which is `true` for a switch.
        start: index of its first word.
        stop: index after its last word. Several short flags may share a word, and then have the same span.
    """

    option: Option | None
    head: str
    value: str | None
    start: int
    stop: int

    @property
    def key(self) -> str:
        """The key that daemon.json has for it, else the flag's name."""
        return (self.option.key or self.option.flag) if self.option else self.head.strip("-=")

    @property
    def text(self) -> str:
        """Its argument as pflag takes it."""
        return "true" if self.value is None else self.value

    def alone(self) -> tuple[str, ...]:
        """The words that say the same when it shares its word with no other flag."""
        if self.value is None:
            return (self.head,)
        return (self.head, self.value) if self.stop - self.start > 1 else (f"{self.head}{self.value}",)

    def read(self) -> Json:
        """Its value as daemon.json would hold it. Raises BadValue."""
        return read_value(self.option.kind if self.option else Kind.STRING, self.text)

    def written(self, value: str) -> tuple[str, ...]:
        """The words that give this flag another value, written the way it is written now."""
        if self.option and self.option.kind is Kind.BOOL:
            return (f"--{self.option.flag}" if value == "true" else f"--{self.option.flag}={value}",)
        return replace(self, value=value).alone()


@dataclass(frozen=True)
class Flags:
    """A command line, without the program.

    Attributes:
        words: as given.
        occurrences: the flags among them, in their order.
        faults: what pflag would refuse: unknown flags, missing arguments, words that belong to no flag.
    """

    words: tuple[str, ...]
    occurrences: tuple[Occurrence, ...]
    faults: tuple[Fault, ...]

    def of(self, *keys: str) -> tuple[Occurrence, ...]:
        """The occurrences of options with these daemon.json keys."""
        return tuple(item for item in self.occurrences if item.key in keys)

    def values(self) -> Mapping[str, Json]:
        """What the flags say together, by daemon.json key; flags that are unknown or have a bad value are left out."""
        return self._values

    @cached_property
    def _values(self) -> Mapping[str, Json]:
        said: dict[str, Json] = {}
        for item in self.occurrences:
            try:
                value = item.read()
            except BadValue:
                continue
            if item.option and item.option.kind.repeats and item.key in said:
                value = join_values(said[item.key], value)
            if item.option:
                said[item.key] = value
        return MappingProxyType(said)

    def replaced(self, changes: Mapping[Occurrence, tuple[str, ...]]) -> tuple[str, ...]:
        """The words with some occurrences written anew, or removed where the new words are none; others as given."""
        words: list[str] = []
        done = 0
        for (start, stop), shared in groupby(self.occurrences, key=lambda item: (item.start, item.stop)):
            group = tuple(shared)
            words += self.words[done:start]
            if any(item in changes for item in group):
                words += [word for item in group for word in changes.get(item, item.alone())]
            else:
                words += self.words[start:stop]
            done = stop
        return (*words, *self.words[done:])

    def without(self, gone: Collection[Occurrence]) -> tuple[str, ...]:
        """The words without some occurrences."""
        return self.replaced(dict.fromkeys(gone, ()))


def parse(words: Sequence[str]) -> Flags:
    """Parse a command line as pflag does for dockerd: flags and other words may be mixed, `--` ends the flags.

    Args:
        words: the arguments, without the program.

    Returns:
        The flags; what pflag would refuse is told in `faults`, and never dropped from the words.
    """
    given = tuple(words)
    found: list[Occurrence] = []
    faults: list[Fault] = []
    at = 0
    while at < len(given):
        word = given[at]
        if word == "--":
            faults += [_stray(rest) for rest in given[at + 1 :]]
            break
        if len(word) < 2 or not word.startswith("-"):  # noqa: PLR2004 - a lone dash is an argument to pflag too
            faults.append(_stray(word))
            at += 1
            continue
        group = tuple(_long(given, at) if word.startswith("--") else _short(given, at))
        found += group
        faults += [fault for item in group for fault in _faults(item)]
        at = max((item.stop for item in group), default=at + 1)
    return Flags(given, tuple(found), tuple(faults))


def render(key: str, value: Json) -> tuple[str, ...]:
    """The words that say on a command line what daemon.json would say as `key: value`.

    Raises:
        BadValue: if no flag can say it.
    """
    option = BY_KEY.get(key)
    if option is None or not option.flag or not fits(option.kind, value):
        raise BadValue(f"{key} cannot be given as a flag with this value")
    match value:
        case bool():
            return (f"--{option.flag}" if value else f"--{option.flag}=false",)
        case list() if option.kind is Kind.LIST:
            return tuple(word for item in value for word in (f"--{option.flag}", str(item)))
        case dict() if option.kind is Kind.MAP:
            return tuple(word for name, item in value.items() for word in (f"--{option.flag}", f"{name}={item}"))
        case str() | int():
            return (f"--{option.flag}={value}",)
        case _:
            raise BadValue(f"{key} cannot be given as a flag with this value")


def _long(words: tuple[str, ...], at: int) -> Iterator[Occurrence]:
    name, equals, value = words[at][2:].partition("=")
    option = BY_FLAG.get(name)
    if equals:
        yield Occurrence(option, f"--{name}=", value, at, at + 1)
    elif option and option.kind is Kind.BOOL:
        yield Occurrence(option, f"--{name}", None, at, at + 1)
    else:
        yield _with_next(words, at, option, f"--{name}")


def _with_next(words: tuple[str, ...], at: int, option: Option | None, head: str) -> Occurrence:
    """A flag whose argument is the next word; an unknown flag takes it only if it is no flag itself."""
    rest = words[at + 1 : at + 2]
    if rest and (option or not rest[0].startswith("-")):
        return Occurrence(option, head, rest[0], at, at + 2)
    return Occurrence(option, head, None, at, at + 1)


def _short(words: tuple[str, ...], at: int) -> list[Occurrence]:
    """The flags of one word of short flags: all but the last are switches; all get the span of the whole."""
    found: list[Occurrence] = []
    letters = words[at][1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        option = BY_SHORT.get(letter)
        switch = option is not None and option.kind is Kind.BOOL
        if letters.startswith("=") and len(letters) > 1:
            found.append(Occurrence(option, f"-{letter}=", letters[1:], at, at + 1))
            letters = ""
        elif switch:
            found.append(Occurrence(option, f"-{letter}", None, at, at + 1))
        elif letters:
            found.append(Occurrence(option, f"-{letter}", letters, at, at + 1))
            letters = ""
        else:
            found.append(_with_next(words, at, option, f"-{letter}"))
    return [replace(item, stop=found[-1].stop) for item in found]


def _faults(item: Occurrence) -> Iterator[Fault]:
    shown = visible(item.alone()[0])
    if item.option is None:
        yield Fault(f"{shown} is not a flag that dockerd is known to have", "check its spelling in `dockerd --help`")
    elif item.value is None and item.option.kind is not Kind.BOOL:
        yield Fault(f"{shown} has no argument", "give its value, or remove the flag")
    else:
        try:
            item.read()
        except BadValue as error:
            yield Fault(f"{shown}: {error}", f"correct or remove --{item.option.flag}")


def _stray(word: str) -> Fault:
    return Fault(
        f"{visible(word)} is neither a flag nor the value of one",
        "dockerd takes no other arguments; a switch takes its value after an equals sign: --tlsverify=false",
    )
