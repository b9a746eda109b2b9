"""daemon.json and its kin: edited without loss, refused with line and column."""

from __future__ import annotations

import pytest

from dockertls.documents.json_file import Json, JsonFile
from dockertls.errors import Refused

PRETTY = '{\n    "debug": true,\n    "dns": ["8.8.8.8"]\n}\n'


def parse(text: str) -> JsonFile:
    return JsonFile.parse(text, name="/etc/docker/daemon.json")


def faults(text: str) -> list[str]:
    with pytest.raises(Refused) as refused:
        parse(text)
    return [fault.message for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ('{"a":1}', "b", 2, '{"a":1,"b":2}'),
        ('{"a": 1}', "b", [1, "x"], '{"a": 1, "b": [1, "x"]}'),
        ('{ "a": 1 }', "b", 2, '{ "a": 1, "b": 2 }'),
        ("{}", "b", 2, '{\n  "b": 2\n}'),
        ("{}\n", "b", True, '{\n  "b": true\n}\n'),
        ("{\n}\n", "b", True, '{\n  "b": true\n}\n'),
        ("", "b", 2, '{\n  "b": 2\n}\n'),
        ("\ufeff", "b", 2, '\ufeff{\n  "b": 2\n}\n'),
        (PRETTY, "debug", False, PRETTY.replace("true", "false")),
        (PRETTY, "dns", ["1.1.1.1", "9.9.9.9"], PRETTY.replace('"8.8.8.8"', '"1.1.1.1", "9.9.9.9"')),
        (PRETTY, "x", ["y"], PRETTY.replace('"]\n', '"],\n    "x": [\n        "y"\n    ]\n')),
        ('{\r\n\t"a": 1\r\n}', "b", [2], '{\r\n\t"a": 1,\r\n\t"b": [\r\n\t\t2\r\n\t]\r\n}'),
        ('{\n  "a": 1,\n\n  "b": 2\n}', "c", 3, '{\n  "a": 1,\n\n  "b": 2,\n  "c": 3\n}'),
        ('{"a" : 1 ,"b":2 }', "a", "é", '{"a" : "é" ,"b":2 }'),
        ('{"t\\u006cs": 1}', "tls", True, '{"t\\u006cs": true}'),
        ('{"a": 1.50, "b": 1}', "b", {"x": {}}, '{"a": 1.50, "b": {"x": {}}}'),
    ],
)
def test_set(before: str, key: str, value: Json, after: str) -> None:
    assert parse(before).set(key, value).text == after
    if key not in parse(before).keys:
        assert parse(before).set(key, value).without(key).text == before


@pytest.mark.parametrize("text", ['{"a": 1.0e0, "b": "\\u0041", "c": {"x":1,  "y":2}, "d": 1e999}'])
def test_an_equal_value_changes_nothing(text: str) -> None:
    document = parse(text)
    for key in document.keys:
        assert document.set(key, document.get(key)).text == text
    assert document.set("c", {"y": 2, "x": 1}).text == text


@pytest.mark.parametrize(("old", "new"), [("1", True), ("1", 1.0), ("true", 1), ("null", False), ("[1]", [True])])
def test_values_of_another_kind_are_not_equal(old: str, new: Json) -> None:
    after = parse(f'{{"a": {old}}}').set("a", new)
    assert repr(after.get("a")) == repr(new)


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ('{"a":1,"b":2,"c":3}', "a", '{"b":2,"c":3}'),
        ('{"a":1,"b":2,"c":3}', "b", '{"a":1,"c":3}'),
        ('{"a":1,"b":2,"c":3}', "c", '{"a":1,"b":2}'),
        ('{\n  "a": 1,\n  "b": 2\n}\n', "a", '{\n  "b": 2\n}\n'),
        ('{\n  "a": 1,\n  "b": 2\n}\n', "b", '{\n  "a": 1\n}\n'),
        ('{ "a": 1 }', "a", "{}"),
        ('{"a":1}', "z", '{"a":1}'),
    ],
)
def test_without(before: str, key: str, after: str) -> None:
    assert parse(before).without(key).text == after


def test_keys_lines_and_values() -> None:
    document = parse('\ufeff{"a":\n1,\n\n  "b": null, "big": ' + "9" * 6000 + "}")
    assert document.keys == ("a", "b", "big")
    assert [document.line(key) for key in ("a", "b", "none")] == [1, 4, 0]
    assert document.get("b") is None
    assert document.get("big") == float("inf")
    assert parse("").keys == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{\n  // why\n  "a": 1 # b\n/* c\n */}', [(2, 3, "comment"), (3, 10, "comment"), (4, 1, "comment")]),
        ('{"a": 1,}', [(1, 8, "trailing comma")]),
        ('{"a": [1,\n2,\n],}', [(2, 2, "trailing comma"), (3, 2, "trailing comma")]),
        ('{"a": 1,\n"b": 2, "a": 3}', [(2, 9, '"a" stands here and on line 1')]),
        ("[1]", [(1, 1, "a list stands at the top")]),
        ("17", [(1, 1, "stands at the top")]),
        ('{"a": NaN, "b": -Infinity}', [(1, 7, "NaN is no JSON value"), (1, 17, "-Infinity is no JSON value")]),
        ('{"a": "\t", "b": "\\x"}', [(1, 7, "no JSON string"), (1, 17, "no JSON string")]),
        ('{"a": "b\n}', [(1, 7, "no JSON string")]),
        ('{"a" 1}', [(1, 6, "where a ':' must stand")]),
        ('{"a": 1 "b": 2}', [(1, 9, "where a ',' must stand")]),
        ("{a: 1}", [(1, 2, "where a name must stand")]),
        ('{"a": 1', [(1, 1, "never closed")]),
        ('{"a": 1}}', [(1, 9, "unexpected }")]),
        ('{"a": 1} x', [(1, 10, "after the end")]),
        ('{"a": 01}', [(1, 7, "01 is no JSON value")]),
        ('\ufeff{"a": }', [(1, 7, "a name without a value")]),
        ('{"a": ' + "[" * 200, [(1, 106, "nested deeper than 100")]),
        ('{,"a": 1}', [(1, 2, "where a name must stand")]),
        ('{"a": \x1b[2J}', [(1, 7, "unexpected \\x1b")]),
    ],
)
def test_refused_with_line_and_column(text: str, expected: list[tuple[int, int, str]]) -> None:
    told = faults(text)
    for message, (line, column, what) in zip(told, expected, strict=False):
        assert message.startswith(f"line {line}, column {column}: ")
        assert what in message
    assert len(told) >= len(expected)


def test_all_faults_are_told_at_once() -> None:
    assert len(faults('{\n // a\n "tls": NaN,\n "tls": 1,\n}')) == 4


def test_not_utf8() -> None:
    with pytest.raises(Refused, match="line 2, column 3: "):
        JsonFile.decode(b'{\n "\xff": 1}', "daemon.json")
    assert JsonFile.decode(b'\xef\xbb\xbf{"a": 1}', "daemon.json").get("a") == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")], 10**5000, {"a": {1, 2}}], ids=range(5))
def test_what_json_cannot_say_is_refused(value: Json) -> None:
    with pytest.raises(Refused, match="nothing that JSON can say"):
        parse("{}").set("a", value)
