"""Units as systemd reads them; command lines were compared with systemd 252's own extract_first_word."""

from __future__ import annotations

import pytest

from dockertls.documents.unit_file import Assignment, CommandLine, UnitFile, command_line, merged, quote, render_drop_in
from dockertls.errors import Refused

UNIT = """\ufeff; a unit
Ignored=1
[Unit]
After=network.target
[Service]
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/bin/dockerd \\
  # a comment in between
  -H fd:// \\
; another

not a setting
 ExecReload = /bin/kill -s HUP $MAINPID
X=a\\\\
[Install]
"""


def parse(text: str, name: str = "docker.service") -> UnitFile:
    return UnitFile.parse(text, name=name)


def test_assignments() -> None:
    unit = parse(UNIT)
    assert unit.text == UNIT
    assert [(item.section, item.key, item.value, item.line) for item in unit.assignments] == [
        ("Unit", "After", "network.target", 4),
        ("Service", "EnvironmentFile", "-/etc/default/docker", 6),
        ("Service", "ExecStart", "/usr/bin/dockerd    -H fd://", 7),
        ("Service", "ExecReload", "/bin/kill -s HUP $MAINPID", 13),
        ("Service", "X", "a\\\\", 14),
    ]


def test_carriage_returns_end_lines_too() -> None:
    assert parse("[S]\r\nA=1\r\nB=2\\\r\n3").assignments == (
        Assignment("S", "A", "1", 2, "docker.service"),
        Assignment("S", "B", "2 3", 3, "docker.service"),
    )


@pytest.mark.parametrize("content", [b"[Service\nA=1", b"[S]\nA=\0", b"[S]\nA=\xff"])
def test_what_systemd_would_not_load_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        UnitFile.decode(content, "docker.service")


def test_an_empty_assignment_takes_back_all_before_it() -> None:
    unit = parse("[Service]\nExecStart=/a\nEnvironmentFile=/e\n[Unit]\nExecStart=/x\n")
    first = parse("[Service]\nExecStart=\nExecStart=/b\nType=notify\n", "10.conf")
    second = parse("[Service]\nEnvironmentFile=/f\nExecStart=/c\nType=\n", "20.conf")
    whole = merged([unit, first, second])
    assert [(item.value, item.origin) for item in whole.get_all("Service", "ExecStart")] == [
        ("/b", "10.conf"),
        ("/c", "20.conf"),
    ]
    assert [item.value for item in whole.get_all("Service", "EnvironmentFile")] == ["/e", "/f"]
    last = whole.last("Service", "Type")
    assert last is not None
    assert (last.value, last.origin, last.line) == ("", "20.conf", 4)
    assert whole.last("Service", "None") is None
    assert whole.get_all("Socket", "ListenStream") == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/a -H fd:// $OPTS ${X} $$", CommandLine("", ("/a", "-H", "fd://", "$OPTS", "${X}", "$$"), ())),
        ("-@/a argv0 b", CommandLine("-@", ("/a", "argv0", "b"), ())),
        ("!!:/a", CommandLine("!!:", ("/a",), ())),
        ("+!/a", CommandLine("+", ("!/a",), ())),
        ("--/a", CommandLine("-", ("-/a",), ())),
        ("/a %i%% %%i %n", CommandLine("", ("/a", "%i%%", "%%i", "%n"), ("%i", "%n"))),
        ("/a \"b c\"'d' \\x41\\101\\s\\u00e9 \\q \\;", CommandLine("", ("/a", "b cd", "AA é", "\\q", ";"), ())),
        ('/a ";" b;c \\\\;', CommandLine("", ("/a", ";", "b;c", "\\;"), ())),
        ("/a \\xc3\\xa9", CommandLine("", ("/a", "é"), ())),
    ],
)
def test_command_line(value: str, expected: CommandLine) -> None:
    assert command_line(value) == expected


@pytest.mark.parametrize("value", ["", " ", "-@", "/a 'b", '/a "', "/a ; /b", "/a ;", "/a \\xff"])
def test_a_command_line_that_cannot_be_told_is_refused(value: str) -> None:
    with pytest.raises(Refused) as refused:
        command_line(value)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("--tlscert=/etc/docker/server-cert.pem", "--tlscert=/etc/docker/server-cert.pem"),
        ("", '""'),
        ("a b", '"a b"'),
        ("50%", '"50%%"'),
        ("$HOME", '"$$HOME"'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("a\nb\t\x01é", '"a\\nb\\t\\x01é"'),
        (";", '";"'),
    ],
)
def test_quote(word: str, written: str) -> None:
    assert quote(word) == written


def test_nul_cannot_be_quoted() -> None:
    with pytest.raises(Refused):
        quote("\0")


def test_render_drop_in() -> None:
    text = render_drop_in(
        {"Unit": [("After", "a.service")], "Service": [("ExecStart", ""), ("ExecStart", "/a -H fd://")]},
        comment="made by dockertls\nsee dockertls history",
    )
    assert text == (
        "# made by dockertls\n# see dockertls history\n[Unit]\nAfter=a.service\n\n[Service]\nExecStart=\n"
        "ExecStart=/a -H fd://\n"
    )


@pytest.mark.parametrize("value", ["a\nb", "a\\", " a", "a ", "a\0"])
def test_a_value_that_would_be_read_otherwise_is_refused(value: str) -> None:
    with pytest.raises(Refused):
        render_drop_in({"Service": [("ExecStart", value), ("X", "1")]})
