"""Settings: daemon.json keys with their values and who asked for each; two of them merge, a conflict names both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from dockertls.daemon.options import BY_FLAG, BY_KEY, BadValue, Kind, fits, join_values, read_value
from dockertls.documents.json_file import Json
from dockertls.errors import Fault, refuse
from dockertls.escaping import visible


@dataclass(frozen=True)
class Source:
    """A value and who says so.

    Attributes:
        value: as daemon.json would hold it.
        origin: for people, such as "/etc/default/docker:9 DOCKER_OPTS" or "--set".
    """

    value: Json
    origin: str


@dataclass(frozen=True)
class Settings(Mapping[str, Json]):
    """Values by daemon.json key, each with its source; frozen.

    Attributes:
        sources: by key.
    """

    sources: Mapping[str, Source] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Json], origin: str) -> Settings:
        """Settings that all come from one place."""
        return cls({key: Source(value, origin) for key, value in values.items()})

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))

    def __getitem__(self, key: str) -> Json:
        return self.sources[key].value

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources)

    def __len__(self) -> int:
        return len(self.sources)

    def __or__(self, other: Settings) -> Settings:
        """Both; the same key with the same value keeps its first source.

        Raises:
            Refused: if they want different values for a key; both sources are named.
        """
        both = [key for key in self if key in other and not _same(self[key], other[key])]
        refuse("settings", [_conflict(key, self.sources[key], other.sources[key]) for key in both])
        return Settings({**other.sources, **self.sources})


EMPTY = Settings()


def _same(one: Json, other: Json) -> bool:
    """Equal as JSON: unlike in Python, `true` is not 1."""
    return type(one) is type(other) and one == other


def _conflict(key: str, one: Source, other: Source) -> Fault:
    shown = (f"{_shown(key, source.value)} ({visible(source.origin)})" for source in (one, other))
    return Fault(f"{key} is wanted as {' and as '.join(shown)}", "decide for one of them")


def _shown(key: str, value: Json) -> str:
    """A value for a message; one that may hold credentials is not shown."""
    option = BY_KEY.get(key)
    return "a secret" if option and option.secret else visible(str(value))


def read_settings(words: Sequence[str], origin: str = "--set") -> Settings:
    """Settings from words such as `log-driver=journald`; a list or map option may be named several times.

    The key may be daemon.json's (`labels`) or the flag's (`label`); the value is written as for the flag.

    Args:
        words: KEY=VALUE.
        origin: who asks, for messages.

    Raises:
        Refused: with every word that is not of that form, names no option, or has a value that dockerd would refuse.
    """
    said: dict[str, Json] = {}
    faults: list[Fault] = []
    for word in words:
        try:
            key, value = _read_word(word)
        except BadValue as error:
            faults.append(Fault(f"{visible(word)}: {error}", "write KEY=VALUE as in `dockertls daemon show`"))
            continue
        if key in said and not BY_KEY[key].kind.repeats and not _same(said[key], value):
            faults.append(Fault(f"{key} is given twice with different values", "decide for one of them"))
        said[key] = join_values(said[key], value) if key in said else value
    refuse(origin, faults)
    return Settings.of(said, origin)


def _read_word(word: str) -> tuple[str, Json]:
    name, equals, text = word.partition("=")
    option = BY_KEY.get(name) or BY_FLAG.get(name)
    if not equals:
        raise BadValue("there is no `=` in it")
    if option is None or not option.key:
        raise BadValue(f"dockerd has no setting {name!r} for daemon.json")
    if option.kind is Kind.OBJECT:
        raise BadValue("an object cannot be given in one line: edit daemon.json itself")
    return option.key, read_value(option.kind, text)


def setting_faults(settings: Settings) -> tuple[Fault, ...]:
    """What dockerd would refuse in settings: unknown keys and values of the wrong kind."""
    unknown = [
        Fault(f"{visible(key)} is not a key of daemon.json", _spelling(key)) for key in settings if key not in BY_KEY
    ]
    wrong = [
        Fault(f"{key} cannot be {_shown(key, value)}", f"it needs a value of the kind {BY_KEY[key].kind.name.lower()}")
        for key, value in settings.items()
        if key in BY_KEY and not fits(BY_KEY[key].kind, value)
    ]
    return (*unknown, *wrong)


def _spelling(key: str) -> str:
    flag = BY_FLAG.get(key)
    return f"write {flag.key}" if flag and flag.key else "see `dockerd --help` for the names"
