from __future__ import annotations

import shlex
import subprocess
from pathlib import PurePosixPath as Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockertls.client.shell import TABLE, VARIABLES, detect, hint, render, unset, variables
from dockertls.errors import Refused, Usage

HOSTILE = (
    "it's",
    'say "hi"',
    "$(touch pwned) `touch pwned` ${HOME}",
    "a\\'b\\",
    "''",
    "=ls",
    "~root",
    "a:=ls:~",
    "two\nlines\n",
    "tab\tand  spaces ",
    "-n",
    "!! !x *?[]{}",
    "%PATH% ^& | < >",
    "\u2018typographic\u2019 \u201cquotes\u201d",
    "# no comment",
    "",
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def printed(argv: list[str], script: str) -> str:
    """What $DOCKER_CERT_PATH is for a program that is started after the script."""
    script += "\nenv printenv DOCKER_CERT_PATH\n"
    done = subprocess.run([*argv, script], capture_output=True, check=True, env={"PATH": "/usr/bin:/bin", "HOME": "/"})
    assert done.stderr == b""
    return done.stdout.decode().removesuffix("\n")


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    ("shell", "argv"),
    [
        pytest.param("bash", ["sh", "-c"], id="sh"),
        pytest.param("bash", ["bash", "-c"], id="bash"),
        pytest.param("zsh", ["zsh", "-fc"], id="zsh", marks=pytest.mark.needs("zsh")),
        pytest.param("zsh", ["zsh", "-f", "-o", "rcquotes", "-c"], id="zsh-rcquotes", marks=pytest.mark.needs("zsh")),
        pytest.param("fish", ["fish", "--no-config", "-c"], id="fish", marks=pytest.mark.needs("fish")),
    ],
)
def test_a_shell_reads_what_was_written(shell: str, argv: list[str], value: str) -> None:
    assert printed(argv, render(shell, {"DOCKER_CERT_PATH": value})) == value


@pytest.mark.parametrize("value", HOSTILE)
def test_powershell_is_not_fooled(value: str) -> None:
    assert read_powershell(render("powershell", {"A": value})) == value


@pytest.mark.parametrize("name", TABLE)
@given(value=texts)
@settings(max_examples=60, deadline=None)
def test_every_value_is_one_word_that_holds_itself(name: str, value: str) -> None:
    row = TABLE[name]
    if row.cannot.search(value):
        with pytest.raises(Refused):
            render(name, {"A": value})
    else:
        assert READERS[name](render(name, {"A": value})) == value


def read_posix(line: str) -> str:
    export, word = shlex.split(line)
    assert export == "export"
    return word.removeprefix("A=")


def read_fish(line: str) -> str:
    body = line.removeprefix("set -gx A '").removesuffix("';\n")
    return unescaped(body, "\\", stop="'")


def read_powershell(line: str) -> str:
    body = line.removeprefix('$Env:A = "').removesuffix('"\n')
    return unescaped(body, "`", stop='$"\u201c\u201d\u201e', named={"n": "\n", "r": "\r"})


def read_cmd(line: str) -> str:
    body = line.removeprefix('SET "A=').removesuffix('"\n')
    assert not set(body) & set('"%!\r\n')
    return body


def unescaped(body: str, escape: str, stop: str, named: dict[str, str] | None = None) -> str:
    """The text in quotes, by the shell's rules: an escape takes the next character, a stop ends the quotes."""
    result, rest = "", iter(body)
    for char in rest:
        assert char not in stop
        following = next(rest) if char == escape else char
        result += (named or {}).get(following, following) if char == escape else char
    return result


READERS = {"bash": read_posix, "zsh": read_posix, "fish": read_fish, "powershell": read_powershell, "cmd": read_cmd}


@given(values=st.lists(texts, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_sh_is_not_fooled(values: list[str]) -> None:
    script = render("bash", {f"V{index}": value for index, value in enumerate(values)})
    script += "".join(f'printf "%s\\0" "$V{index}"\n' for index in range(len(values)))
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == values


@pytest.mark.parametrize("value", ["100%", 'a"b', "wow!", "two\nlines", "two\rlines", ""])
def test_cmd_refuses_what_it_cannot_hold(value: str) -> None:
    with pytest.raises(Refused, match="cmd cannot hold") as caught:
        render("cmd", {"DOCKER_CERT_PATH": value})
    assert caught.value.exit == 3
    assert "--shell" in caught.value.hint


@pytest.mark.parametrize("shell", TABLE)
def test_every_fault_is_told_at_once(shell: str) -> None:
    with pytest.raises(Refused) as caught:
        render(shell, {"A;B": "x", "C": "\0", "D\n": None})
    assert len(caught.value.faults) == 3
    assert "\n" not in "".join(fault.message for fault in caught.value.faults)


def test_the_lines_of_every_shell() -> None:
    wanted = {"A": "tcp://h:2376", "B": None}
    assert {name: render(name, wanted) for name in TABLE} == {
        "bash": "export A='tcp://h:2376'\nunset B\n",
        "zsh": "export A='tcp://h:2376'\nunset B\n",
        "fish": "set -gx A 'tcp://h:2376';\nset -e B;\n",
        "powershell": '$Env:A = "tcp://h:2376"\nRemove-Item Env:\\B -ErrorAction SilentlyContinue\n',
        "cmd": 'SET "A=tcp://h:2376"\nSET B=\n',
    }


@pytest.mark.parametrize(
    ("shell", "argv"),
    [
        ("bash", ["sh", "-eu", "-c"]),
        pytest.param("zsh", ["zsh", "-fec"], marks=pytest.mark.needs("zsh")),
        pytest.param("fish", ["fish", "--no-config", "-c"], marks=pytest.mark.needs("fish")),
    ],
)
def test_unset_removes_all_of_it_and_may_be_run_twice(shell: str, argv: list[str]) -> None:
    script = render(shell, variables("tcp://h:1", Path("/x"))) + render(shell, unset()) * 2 + "env\n"
    done = subprocess.run([*argv, script], capture_output=True, check=True, text=True)
    assert "DOCKER_" not in done.stdout
    assert done.stderr == ""


def test_variables_are_always_all_three() -> None:
    assert variables("tcp://web1:2376", Path("/home/ann/.docker")) == {
        "DOCKER_HOST": "tcp://web1:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": "/home/ann/.docker",
    }
    assert tuple(unset().items()) == tuple((name, None) for name in VARIABLES)


@pytest.mark.parametrize(
    ("shell", "argv"),
    [
        ("bash", ["bash", "-ic"]),
        pytest.param("zsh", ["zsh", "-fic"], marks=pytest.mark.needs("zsh")),
        pytest.param("fish", ["fish", "--no-config", "-c"], marks=pytest.mark.needs("fish")),
    ],
)
def test_the_hint_works_and_is_silent(shell: str, argv: list[str]) -> None:
    """The comment, followed to the letter, evaluates the output that it is a part of."""
    output = render(shell, {"DOCKER_CERT_PATH": "a b'c"}) + hint(shell, ("sample", "it's"))
    advice = hint(shell, ("cat", "-")).removeprefix("# ").strip()
    script = f"{advice}; env printenv DOCKER_CERT_PATH"
    done = subprocess.run([*argv, script], input=output, capture_output=True, check=True, text=True)
    assert done.stdout == "a b'c\n"
    assert "#" not in done.stderr


@pytest.mark.parametrize("shell", TABLE)
def test_a_hint_stays_a_comment_of_one_line(shell: str) -> None:
    text = hint(shell, ("dockertls", "env", "a\nrm -rf x\r\x1b[2J"))
    assert text.startswith("REM " if shell == "cmd" else "# ")
    assert text.count("\n") == 1
    assert text[:-1].isprintable()


def test_the_default_hints() -> None:
    assert hint("bash") == '# eval "$(dockertls env)"\n'
    assert hint("fish") == "# dockertls env | source\n"
    assert hint("powershell") == "# & dockertls env | Out-String | Invoke-Expression\n"
    assert hint("cmd") == "REM @FOR /f \"tokens=*\" %i IN ('dockertls env') DO @%i\n"


@pytest.mark.parametrize(
    ("env", "platform", "shell"),
    [
        ("/bin/bash", "linux", "bash"),
        ("/bin/dash", "linux", "bash"),
        ("/usr/local/bin/zsh", "darwin", "zsh"),
        ("/usr/bin/fish", "linux", "fish"),
        ("/usr/bin/pwsh", "linux", "powershell"),
        (r"C:\Program Files\Git\usr\bin\BASH.EXE", "win32", "bash"),
        (None, "linux", "bash"),
        ("", "linux", "bash"),
        (None, "win32", "powershell"),
    ],
)
def test_detect(env: str | None, platform: str, shell: str) -> None:
    assert detect(env, platform) == shell


def test_a_shell_that_is_not_known_is_told_and_not_guessed() -> None:
    with pytest.raises(Usage, match="tcsh") as caught:
        detect("/bin/tcsh", "linux")
    assert "--shell bash|zsh|fish|powershell|cmd" in caught.value.hint
    with pytest.raises(Usage, match="nu"):
        render("nu", {})


def test_no_program_belongs_to_two_shells() -> None:
    programs = [program for row in TABLE.values() for program in row.programs]
    assert len(programs) == len(set(programs))
    assert {"bash", "zsh", "fish", "powershell", "cmd"} == set(TABLE)
