"""Environment files of real packagings, in both dialects; expected values were taken from systemd 252 and from sh."""

from __future__ import annotations

import pytest

from dockertls.documents.env_file import Dialect, EnvFile, Word, join, split, words
from dockertls.errors import Refused

FEDORA = """# /etc/sysconfig/docker

# Modify these options if you want to change the way the docker daemon runs
OPTIONS="--selinux-enabled \\
  --log-driver=journald \\
  --live-restore"
"""
RHEL7 = """# Modify these options
OPTIONS='--selinux-enabled --log-driver=journald --signature-verification=false'
if [ -z "${DOCKER_CERT_PATH}" ]; then
    DOCKER_CERT_PATH=/etc/docker
fi
"""
DEBIAN = """# Docker Upstart and SysVinit configuration file

# Use DOCKER_OPTS to modify the daemon startup options.
#DOCKER_OPTS="--dns 8.8.8.8 --dns 8.8.4.4"

# If you need Docker to use an HTTP proxy, it can also be specified here.
#export http_proxy="http://127.0.0.1:3128/"
"""


def systemd(text: str) -> EnvFile:
    return EnvFile.parse(text, Dialect.SYSTEMD, name="/etc/sysconfig/docker")


def shell(text: str) -> EnvFile:
    return EnvFile.parse(text, Dialect.SHELL, name="/etc/conf.d/docker")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("X=1 # c", "1 # c"),
        ("X=", ""),
        (" X = a b \t\n", "a b"),
        ("X='a\nb'", "a\nb"),
        ('X="a \\\n  b"', "a   b"),
        ("X=a\\\nb", "ab"),
        ('X="\\" \\\\ \\` \\$ \\n"', '" \\ ` $ \\n'),
        ('X="a b" c', "a bc"),
        ("X='a'\"b\"", "ab"),
        ('X=a"b"', 'a"b"'),
        ("X=a\\ ", "a "),
        ("X=1\n;X=2\n#X=3\n", "1"),
        ("X=1\nX=2", "2"),
        ("X=$Y", "$Y"),
        ("export X=1", None),
        ("X", None),
        ("=X=1", None),
        ("X=1\r\nY=2\r\n", "1"),
        ("# c \\\n\nX=1", "1"),
    ],
)
def test_systemd_values(text: str, value: str | None) -> None:
    assert systemd(text).get("X") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("X=1 # c", "1"),
        ("X=1#c", "1#c"),
        ("export X='a b'", "a b"),
        ("X=1; Y=2", "1"),
        ("Y=$(case a in a) echo ')';; esac); X=1", "1"),
        ('X="a \\\n b"', "a  b"),
        ('X=a\\ b\'c d\'"e\\""', 'a bc de"'),
        ("X=1\r\n", "1\r"),
        ("cat <<E\nX=2\nE\nX=1", "1"),
        ("X=$", "$"),
        ("X=$OTHER\nX=1", "1"),
        ("if true; then\n Y=1\nfi\nX=1", "1"),
        ("f() {\n Y=1\n}\nX=1", "1"),
        ("X=*", "*"),
        ("[ -f /x ] && . /x\nX=1", "1"),
        ("echo X=1", None),
        ("$(X=1)", "refused"),
        ("X =1", None),
    ],
)
def test_shell_values(text: str, value: str | None) -> None:
    if value == "refused":
        with pytest.raises(Refused):
            shell(text).get("X")
    else:
        assert shell(text).get("X") == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('X="$(id)"', 1),
        ("\nX=`id`", 2),
        ("X=1\nX=$X", 2),
        ('X="${Y:-z}"', 1),
        ("X=~/a", 1),
        ("if a; then X=1; fi", 1),
        ("true &&\nX=1", 2),
        ("X=1 || true", 1),
        ("f() { X=1; }\nX=2\nf", 1),
        ("case a in\na) X=1;;\nesac", 2),
        ("X=1\n. /etc/other", 2),
        ("X=1\neval foo", 2),
        ("X=1\nunset X", 2),
        ("exit\nX=1", 1),
        ("X=1\n: ${X:=2}", 2),
        ("X=1 | cat", 1),
        ("(X=1)", 1),
        ("while read X; do :; done", 1),
        ("for X in a; do :; done", 1),
        ("export X=*", 1),
        ("X=1 true", 1),
        ("readonly X\nX=1", 1),
    ],
)
def test_a_value_that_a_shell_must_work_out_is_refused_with_its_line(text: str, line: int) -> None:
    file = shell(text)
    for deed in (lambda: file.get("X"), lambda: file.set("X", "new"), lambda: file.without("X")):
        with pytest.raises(Refused, match=f"line {line}: ") as refused:
            deed()
        assert refused.value.hint


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("text", ['Y=1\nX="a\nb\n', "Y=1\nX='a\n"])
def test_an_open_quote_is_refused_with_the_line_where_it_begins(dialect: Dialect, text: str) -> None:
    with pytest.raises(Refused, match=r"line 2: the quote|line 2: .* opened here"):
        EnvFile.parse(text, dialect, name="x")


@pytest.mark.parametrize(
    "text", ["if true; then", "fi", "X=$(a", "X=${a", "X=`a", "X=(a b)", "& X=1", "f() X=1", "X=$((1"]
)
def test_what_sh_would_not_read_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="line 1"):
        shell(text)


def test_only_the_value_is_edited() -> None:
    after = systemd(RHEL7).set("OPTIONS", "--log-driver=journald -H fd://").text
    assert after == RHEL7.replace(
        "--selinux-enabled --log-driver=journald --signature-verification=false", "--log-driver=journald -H fd://"
    )
    assert systemd(RHEL7).get("DOCKER_CERT_PATH") == "/etc/docker"
    assert systemd(RHEL7).line("DOCKER_CERT_PATH") == 4
    assert systemd(RHEL7).ignored == ((3, 'if [ -z "${DOCKER_CERT_PATH}" ]; then'), (5, "fi"))
    with pytest.raises(Refused, match="under a condition"):
        shell(RHEL7).get("DOCKER_CERT_PATH")


@pytest.mark.parametrize("dialect", Dialect)
def test_line_breaks_of_the_other_words_stay(dialect: Dialect) -> None:
    file = EnvFile.parse(FEDORA, dialect, name="x")
    value = file.get("OPTIONS")
    assert value == "--selinux-enabled   --log-driver=journald   --live-restore"
    assert file.set("OPTIONS", f"{value} -H fd://").text == FEDORA.replace("restore", "restore -H fd://")
    assert file.set("OPTIONS", value.replace("journald", "none")).text == FEDORA.replace("journald", "none")


@pytest.mark.parametrize("dialect", Dialect)
def test_a_new_assignment_stands_after_its_commented_example(dialect: Dialect) -> None:
    file = EnvFile.parse(DEBIAN, dialect, name="x")
    after = file.set("DOCKER_OPTS", "-H fd:// --label a=$b")
    example = '#DOCKER_OPTS="--dns 8.8.8.8 --dns 8.8.4.4"\n'
    assert after.text == DEBIAN.replace(example, example + 'DOCKER_OPTS="-H fd:// --label a=\\$b"\n')
    assert after.without("DOCKER_OPTS").text == DEBIAN
    assert file.set("OTHER", "1").text == DEBIAN + 'OTHER="1"\n'


@pytest.mark.parametrize(
    ("dialect", "before", "value", "after"),
    [
        (Dialect.SYSTEMD, "X=1", "2", "X=2"),
        (Dialect.SYSTEMD, "X=1\n", "a b", 'X="a b"\n'),
        (Dialect.SYSTEMD, "X=--a --b  \n", "--a --c", "X=--a --c  \n"),
        (Dialect.SYSTEMD, "X='a'", "it's", 'X="it\'s"'),
        (Dialect.SYSTEMD, 'X="a"\r\nY=1\r\n', 'b"$', 'X="b\\"\\$"\r\nY=1\r\n'),
        (Dialect.SYSTEMD, "X='a' \"b\"", "c d", 'X="c d"'),
        (Dialect.SYSTEMD, "A=1", "2", 'A=1\nX="2"'),
        (Dialect.SYSTEMD, "A=1\r\n", "2", 'A=1\r\nX="2"\r\n'),
        (Dialect.SYSTEMD, "", "2", 'X="2"\n'),
        (Dialect.SYSTEMD, "X=1\nX=2\n", "3", "X=1\nX=3\n"),
        (Dialect.SHELL, "  export X=1 # why", "2", "  export X=2 # why"),
        (Dialect.SHELL, "X=1; Y=2", "a b", 'X="a b"; Y=2'),
        (Dialect.SHELL, "X='a'\n", "$(id)", "X='$(id)'\n"),
        (Dialect.SHELL, "X='a'\n", "'`$\\\"", 'X="\'\\`\\$\\\\\\""\n'),
        (Dialect.SHELL, "X=a\\ b", "a c", "X=a\\ c"),
        (Dialect.SHELL, "X=a\\ b", "a  b", 'X="a  b"'),
        (Dialect.SHELL, "#X=1", "2", '#X=1\nX="2"'),
        (Dialect.SHELL, "if a; then\n#X=1\nfi\n", "2", 'if a; then\n#X=1\nfi\nX="2"\n'),
    ],
)
def test_set(dialect: Dialect, before: str, value: str, after: str) -> None:
    file = EnvFile.parse(before, dialect, name="x")
    new = file.set("X", value)
    assert new.text == after
    assert new.get("X") == value


@pytest.mark.parametrize(
    ("dialect", "before", "after"),
    [
        (Dialect.SYSTEMD, "A=1\nX='a\nb'\nX=2\nB=1", "A=1\nB=1"),
        (Dialect.SYSTEMD, "A=1\r\nX=1", "A=1"),
        (Dialect.SHELL, "X=1; Y=2", "Y=2"),
        (Dialect.SHELL, "Y=2; X=1 # c", "Y=2 # c"),
        (Dialect.SHELL, "export Y=2 X=1 Z=3", "export Y=2 Z=3"),
        (Dialect.SHELL, "A=1\nexport X=1 # c\n", "A=1\n"),
    ],
)
def test_without(dialect: Dialect, before: str, after: str) -> None:
    assert EnvFile.parse(before, dialect, name="x").without("X").text == after


def test_a_comment_that_swallows_is_ambiguous_before_v254() -> None:
    file = systemd("# see \\\nX=1\nY=2\n")
    for deed in (lambda: file.get("X"), lambda: file.set("X", "2")):
        with pytest.raises(Refused, match="ends in a backslash"):
            deed()
    assert file.set("Y", "3").text == "# see \\\nX=1\nY=3\n"
    assert systemd("# see \\\n# more\nX=1").get("X") == "1"


def test_what_systemd_ignores_is_told() -> None:
    file = systemd('export X="1"\nX\nY=1')
    assert file.ignored == ((1, 'export X="1"'), (2, "X"))
    assert file.variables == ("Y",)
    assert [file.line("Y"), file.line("X")] == [3, 0]


@pytest.mark.parametrize("content", [b"X=1\0", b"X=\xff", b"\xed\xa0\x80"])
@pytest.mark.parametrize("dialect", Dialect)
def test_nul_and_what_is_not_utf8_are_refused(content: bytes, dialect: Dialect) -> None:
    with pytest.raises(Refused, match="line 1"):
        EnvFile.decode(content, dialect, "x")


@pytest.mark.parametrize("value", ["\0", "\x1b[2J", "\ud800", "\ufdd0", "\U0001ffff"])
def test_a_value_that_no_reader_takes_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="cannot be set"):
        systemd("").set("X", value)


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="cannot be set"):
        shell("").set("X Y", "1")


def test_nothing_can_be_added_to_a_file_that_has_ended() -> None:
    with pytest.raises(Refused, match="the end of the file"):
        shell("exit 0\n").set("X", "1")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ()),
        ("a  b\tc\nd\r", ("a", "b", "c", "d")),
        ("a 'b c' d\\ e \"f\\n\" \\x41", ("a", "b c", "d e", "fn", "x41")),
        ("--label=\"a b\"'c'", ("--label=a bc",)),
        ("'' \"\"", ("", "")),
        ("'a\\'b'", ("a'b",)),
        ("$X ${Y} *", ("$X", "${Y}", "*")),
    ],
)
def test_systemd_splits_as_extract_word_does(value: str, expected: tuple[str, ...]) -> None:
    assert split(value, Dialect.SYSTEMD) == expected


@pytest.mark.parametrize("value", ["'a", 'x "a', "a\\"])
def test_systemd_open_quotes_are_refused(value: str) -> None:
    with pytest.raises(Refused):
        split(value, Dialect.SYSTEMD)


def test_sh_splits_at_blanks_alone() -> None:
    assert split("-H 'a b' \t\n\"c\"\\", Dialect.SHELL) == ("-H", "'a", "b'", '"c"\\')
    assert words(" -H  tcp://[::]:2376", Dialect.SHELL) == (Word("-H", 1, 3), Word("tcp://[::]:2376", 5, 20))


@pytest.mark.parametrize("value", ["*", "a?", "--label=a[b]", "/x*://"])
def test_sh_patterns_are_refused(value: str) -> None:
    with pytest.raises(Refused):
        split(value, Dialect.SHELL)
    with pytest.raises(Refused):
        join([value], Dialect.SHELL)


def test_sh_tells_every_argument_that_it_cannot_hand_on() -> None:
    with pytest.raises(Refused) as refused:
        join(["-H", "a b", "", "it's", "fd://"], Dialect.SHELL)
    assert len(refused.value.faults) == 3


def test_words_keep_their_places() -> None:
    assert words("a 'b c'", Dialect.SYSTEMD) == (Word("a", 0, 1), Word("b c", 2, 7))
