"""The laws of documents: nothing is lost, what is set is read, and what a reader sees is what we say it sees."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dockertls.documents.env_file import Dialect, EnvFile, join, split, words
from dockertls.documents.json_file import Json, JsonFile
from dockertls.documents.unit_file import UnitFile, command_line, quote, render_drop_in
from dockertls.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

law = settings(max_examples=200, deadline=None)


def assert_helpful(error: Refused) -> None:
    assert error.hint
    assert error.faults
    assert all(fault.hint for fault in error.faults)


# JSON: documents as people write them, with odd blanks everywhere

BLANKS = st.sampled_from(["", "", " ", "  ", "\n", "\n  ", "\r\n\t", "\t", "\n\n    "])
SCALARS: st.SearchStrategy[Json] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
KEYS = st.sampled_from(["hosts", "tls", "tlsverify", "a", "é", "with space", 'q"uote', "\\", "", "\n"])
ODD_VALUES = st.sampled_from(
    [
        "1e999",
        "-0",
        "1.50",
        "12345678901234567890123",
        '"\\u0041"',
        "[ ]",
        "{ }",
        '[ 1,2 , {"x" :1}]',
        '"\\/"',
        "9" * 5000,
    ]
)


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    def blank() -> str:
        return draw(BLANKS)

    keys = draw(st.lists(KEYS, unique=True, max_size=4))
    members = []
    for key in keys:
        written = draw(
            ODD_VALUES | VALUES.map(lambda value: json.dumps(value, indent=draw(st.sampled_from([None, 3]))))
        )
        members.append(f"{blank()}{json.dumps(key)}{blank()}:{blank()}{written}{blank()}")
    bom = draw(st.sampled_from(["", "", "\ufeff"]))
    return bom + blank() + "{" + (",".join(members) or blank()) + "}" + blank()


def reread(document: JsonFile) -> JsonFile:
    return JsonFile.parse(document.text, name="daemon.json")


def contents(document: JsonFile, *, but: str) -> list[tuple[str, str]]:
    return [(key, repr(document.get(key))) for key in document.keys if key != but]


@given(json_texts() | st.sampled_from(["", " \n", "\ufeff", "\ufeff\n"]), KEYS, VALUES)
@law
def test_json_set_then_get(text: str, key: str, value: Json) -> None:
    before = JsonFile.parse(text, name="daemon.json")
    assert before.text == text
    after = before.set(key, value)
    again = reread(after)
    assert repr(again.get(key)) == repr(value)
    assert contents(again, but=key) == contents(before, but=key)
    assert after.set(key, value).text == after.text
    assert reread(after).keys == tuple(dict.fromkeys((*before.keys, key)))
    if key not in before.keys:
        assert after.without(key).text == text
    gone = after.without(key)
    assert key not in reread(gone).keys
    assert contents(reread(gone), but=key) == contents(before, but=key)


@given(json_texts(), st.data())
@law
def test_json_setting_what_is_there_changes_nothing(text: str, data: st.DataObject) -> None:
    document = JsonFile.parse(text, name="daemon.json")
    assume(document.keys)
    key = data.draw(st.sampled_from(document.keys))
    assert document.set(key, document.get(key)).text == text


@given(json_texts(), KEYS, SCALARS, st.data())
@law
def test_json_an_edit_touches_one_span(text: str, key: str, value: Json, data: st.DataObject) -> None:
    """Of a member that is there, everything before and after its value stays to the byte."""
    document = JsonFile.parse(text, name="daemon.json")
    assume(document.keys)
    key = data.draw(st.sampled_from(document.keys))
    member = next(member for member in document.members if member.key == key)
    after = document.set(key, value).text
    assert after.startswith(text[: member.value])
    assert after.endswith(text[member.end :])


@given(json_texts(), st.data())
@law
def test_json_with_a_character_more_or_less_is_refused_or_read(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    broken = (
        text[:at]
        + data.draw(st.sampled_from(["", ",", "{", "}", '"', "//", "/*", "#", "\\", "[", "NaN", "0"]))
        + text[at + 1 :]
    )
    try:
        assert JsonFile.parse(broken, name="daemon.json").text == broken
    except Refused as error:
        assert_helpful(error)


# environment files: lines that each dialect reads in its own way

UGLY = [
    "X=1", "Y=2", "X=", "X", "export X=5", "export X", " X = 1", "\tY='a b'", 'X="a b" c', "X=a\\ b", "X='it''s'",
    'X="a \\\n  b"', "X=a \\\n  b", "X='a\n# b'", 'X="a\n#X=9"', "# plain", "#X=example", '# X="an example"', "; old",
    "# ends in a backslash \\", "if true; then", "fi", "  X=inside", "X=1; Y=2", "Y=2; X=3 # why", "X=$Y", 'X="$(id)"',
    "X=`id`", "Y=${X:-z}", ": ${X:=1}", "true && X=9", "f() { X=8; }", "f", "cat <<E >/dev/null", "E", "unset X", "X=~",
    "X=*", 'X="\\$ \\" \\` \\\\ \\d"', "X=a#b", "X=a #b", "export X=1 Y=2", "", "", "return", "Y=é", "X=$", "case a in",
    "a) X=1;;", "esac", "X='", 'Y="', "{ X=1; }", "(X=1)", "X=1 &", "X=1 | cat", "set -e", "X=1 true",
    "readonly Y", "=", "=X=1",
]  # fmt: skip
LINES = st.sampled_from(UGLY)
SNIPPETS = st.sampled_from(
    [*"XY=\n \t;#'\"\\$`(){}&|<>~*ab\r", "X=1\n", "X='a'\n", '"\n', "'\n", "\\\n", "export ", "\r\n"]
)
VARIABLES = st.sampled_from(["X", "Y", "Z"])
DIALECTS = st.sampled_from(Dialect)
NEW_VALUES = st.text(alphabet=st.sampled_from("ab-=/: \t\n'\"\\$`#;~*é!%"), max_size=8) | st.sampled_from(
    [
        "",
        "-H fd://",
        "-H fd:// -H tcp://[::]:2376 --tlsverify",
        "a\\",
        "\\\n",
        "'\"",
        " lead",
        "trail ",
        "$X",
        "`id`",
        "#",
    ]
)


@st.composite
def env_texts(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 3)) == 0:
        return "".join(draw(st.lists(SNIPPETS, max_size=14)))
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = newline.join(draw(st.lists(LINES, max_size=7)))
    return text + draw(st.sampled_from(["", newline]))


def parsed(text: str, dialect: Dialect) -> EnvFile | None:
    try:
        return EnvFile.parse(text, dialect, name="docker")
    except Refused:
        return None


def value_of(file: EnvFile, variable: str) -> str | None:
    """The value, or what the refusal says but for the line."""
    try:
        return file.get(variable)
    except Refused as error:
        return f"refused: {error.message.partition(': ')[2].partition(': ')[2]}"


@given(env_texts(), DIALECTS, VARIABLES, NEW_VALUES)
@settings(max_examples=500, deadline=None)
def test_env_set_then_get(text: str, dialect: Dialect, variable: str, value: str) -> None:
    before = parsed(text, dialect)
    assume(before)
    assert before is not None
    assert before.text == text
    others = {name: value_of(before, name) for name in "XYZ" if name != variable}
    try:
        old = before.get(variable)
        after = before.set(variable, value)
    except Refused as error:
        assert_helpful(error)
        return
    again = EnvFile.parse(after.text, dialect, name="docker")
    assert again.get(variable) == value
    assert {name: value_of(again, name) for name in others} == others
    assert again.set(variable, value).text == after.text
    if old is None:
        assert again.without(variable).text == text
    else:
        assert before.set(variable, old).text == text


@given(env_texts(), DIALECTS, VARIABLES)
@law
def test_env_without_then_nothing(text: str, dialect: Dialect, variable: str) -> None:
    before = parsed(text, dialect)
    assume(before)
    assert before is not None
    try:
        after = before.without(variable)
    except Refused as error:
        assert_helpful(error)
        return
    assert EnvFile.parse(after.text, dialect, name="docker").get(variable) is None
    for other in {"X", "Y", "Z"} - {variable}:
        assert value_of(after, other) == value_of(before, other)


@given(st.lists(env_texts(), min_size=60, max_size=60))
@settings(max_examples=5, deadline=None)
def test_a_shell_sees_the_values_that_we_say_it_sees(texts: list[str]) -> None:
    expected: list[tuple[str, str, str | None]] = []
    for text in texts:
        file = parsed(text, Dialect.SHELL)
        for variable in "XY":
            said = value_of(file, variable) if file else "refused: "
            if said is None or not said.startswith("refused: "):
                expected.append((text, variable, said))
    seen = sh_values([(text, variable) for text, variable, _ in expected])
    assert {index: expected[index] for index in seen} == {index: (*expected[index][:2], seen[index]) for index in seen}


def sh_values(questions: list[tuple[str, str]]) -> dict[int, str | None]:
    """What sh, each time in a subshell, has in a variable after it has sourced a text; nothing where sh gave up."""
    with tempfile.TemporaryDirectory() as folder:
        for index, (text, _) in enumerate(questions):
            (Path(folder) / str(index)).write_bytes(text.encode())
        asks = [
            f"(unset X Y; . ./{index} >/dev/null 2>&1 </dev/null;"
            f' printf \'{index}\\0%s\\0%s\\0\' "${{{name}+set}}" "${name}" >&3)'
            for index, (_, name) in enumerate(questions)
        ]
        script = "exec 3>&1\n" + "\n".join(asks)
        run = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, check=False)
    fields = run.stdout.decode().split("\0")[:-1]
    found = zip(fields[::3], fields[1::3], fields[2::3], strict=True)
    return {int(index): value if isset else None for index, isset, value in found}


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), max_size=5
    )
)
@law
def test_systemd_split_undoes_join(arguments: list[str]) -> None:
    assert split(join(arguments, Dialect.SYSTEMD), Dialect.SYSTEMD) == tuple(arguments)


@given(st.lists(st.text(max_size=8) | st.sampled_from(["-H", "tcp://[::]:2376", "--label=a"]), max_size=5))
@law
def test_shell_split_undoes_join_or_refuses(arguments: list[str]) -> None:
    try:
        value = join(arguments, Dialect.SHELL)
    except Refused:
        assert any(not word or set(word) & set("*?[\"'\\\0") or word.split() != [word] for word in arguments)
        return
    assert split(value, Dialect.SHELL) == tuple(arguments)


@given(st.text(alphabet="ab -'\"\\\t\n*", max_size=14), DIALECTS, st.data())
@law
def test_one_word_can_be_replaced_and_the_others_stay(value: str, dialect: Dialect, data: st.DataObject) -> None:
    try:
        found = words(value, dialect)
    except Refused:
        return
    assume(found)
    at = data.draw(st.integers(0, len(found) - 1))
    word = found[at]
    new = value[: word.start] + "--new" + value[word.end :]
    expected = [other.text for other in found]
    expected[at] = "--new"
    assert split(new, dialect) == tuple(expected)


@given(NEW_VALUES, st.sampled_from(["x", '"x y"', "'x'", "x\\ y", ""]))
@law
def test_shell_quoting_of_an_edit_means_the_same_to_sh(value: str, old: str) -> None:
    try:
        text = EnvFile.parse(f"X={old}\n", Dialect.SHELL, name="docker").set("X", value).text
    except Refused:
        return
    assert sh_values([(text, "X")]) == {0: value}


# units

UNIT_LINES = st.sampled_from(
    ["[Service]", "[Unit]", "ExecStart=/x", "ExecStart=", "ExecStart = /y \\", "  # in between", "; too",
     "  -H fd://", "",
     "Key", "=1", "X=\\\\", "[Broken", "Environment='A=1' \"B=2\"", "\\", "\ufeff"]
)  # fmt: skip


@given(st.lists(UNIT_LINES, max_size=8), st.sampled_from(["\n", "\r\n"]))
@law
def test_unit_keeps_its_text_and_no_value_breaks_a_line(lines: list[str], newline: str) -> None:
    text = newline.join(lines)
    try:
        unit = UnitFile.parse(text, name="docker.service")
    except Refused:
        assert "[Broken" in text
        return
    assert unit.text == text
    for item in unit.assignments:
        assert not set(item.value) & set("\r\n")
        assert item.key in "\n".join(text.splitlines()[item.line - 1 :])


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), max_size=4
    )
)
@law
def test_a_quoted_word_is_one_word_of_a_command_line(arguments: list[str]) -> None:
    line = " ".join(["/usr/bin/dockerd", *map(quote, arguments)])
    text = render_drop_in({"Service": [("ExecStart", ""), ("ExecStart", line)]})
    value = UnitFile.parse(text, name="x").assignments[-1].value
    found = command_line(value)
    assert found.words[1:] == tuple(word.replace("%", "%%").replace("$", "$$") for word in arguments)
    assert found.specifiers == ()


# anything

READERS: list[Callable[[bytes], JsonFile | EnvFile | UnitFile]] = [
    lambda content: JsonFile.decode(content, "x"),
    lambda content: EnvFile.decode(content, Dialect.SYSTEMD, "x"),
    lambda content: EnvFile.decode(content, Dialect.SHELL, "x"),
    lambda content: UnitFile.decode(content, "x"),
]
TOKENS = [
    b"{", b"}", b"[", b"]", b'"', b"'", b"\\", b"$(", b"${", b"`", b"((", b")", b"=", b"\n", b"\0", b"\xff",
    b"\xed\xa0\x80",
    b"X", b"a:", b",", b"<<E", b";;", b"case a in", b"fi", b"f()", b"%", b"\xef\xbb\xbf", b"1", b"function", b"\r",
    b"#", b"/*",
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS, ids=["json", "systemd", "shell", "unit"])
@given(content=st.binary(max_size=40) | st.lists(st.sampled_from(TOKENS), max_size=25).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(
    reader: Callable[[bytes], JsonFile | EnvFile | UnitFile], content: bytes
) -> None:
    try:
        document = reader(content)
    except Refused as error:
        assert_helpful(error)
        return
    assert document.text.encode() == content
    if isinstance(document, EnvFile):
        for name in (*document.variables, "X"):
            for deed in (document.get, document.without, lambda one: document.set(one, "new 'one' \"here\"")):
                try:
                    deed(name)
                except Refused as error:
                    assert_helpful(error)


@given(st.text(alphabet="/x -@:+!'\"\\;%$abu0189\t\n", max_size=20))
@law
def test_any_command_line_is_split_or_refused(value: str) -> None:
    try:
        found = command_line(value)
    except Refused as error:
        assert_helpful(error)
        return
    assert found.words[0]


@pytest.mark.parametrize(
    "deep", ["{" * 100_000, '{"a":' * 5000, '{"a":' + "[" * 5000, "X=" + "$(" * 5000, "X=" + '"${' * 5000]
)
def test_depth_is_bounded(deep: str) -> None:
    with pytest.raises(Refused):
        JsonFile.parse(deep, name="x")
    if deep.startswith("X="):
        with pytest.raises(Refused):
            EnvFile.parse(deep, Dialect.SHELL, name="x")
