from __future__ import annotations

import pytest

from dockertls.documents.yaml_file import BOM, DEEPEST, LARGEST, Document, Items, Members, Nothing, Text, parse


def flaws(text: str) -> list[tuple[int, str]]:
    return [(flaw.line, flaw.message) for flaw in parse(text.encode()).flaws]


@pytest.mark.parametrize("word", ["no", "Yes", "010", "0x1F", "12:30", "1_000", "2027-01-01", "null", "~", ".inf", "="])
def test_a_scalar_is_the_text_that_stands_there(word: str) -> None:
    assert parse(f"a: {word}\n".encode()).root == Members(((Text("a", 1), Text(word, 1)),), 1)


def test_lists_and_members_have_the_lines_on_which_they_begin() -> None:
    root = parse(b"# first\na:\n  - b\n  - {c: 'd'}\ne: [f,\n  g]\nh: |\n  i\n  j\n").root
    assert root == Members(
        (
            (Text("a", 2), Items((Text("b", 3), Members(((Text("c", 4), Text("d", 4)),), 4)), 3)),
            (Text("e", 5), Items((Text("f", 5), Text("g", 6)), 5)),
            (Text("h", 7), Text("i\nj\n", 7)),
        ),
        2,
    )


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "--- # nothing\n...\n", BOM, f"{BOM}\n"])
def test_a_file_that_says_nothing_is_no_fault(text: str) -> None:
    assert parse(text.encode()) == Document(None)


def test_an_empty_text_in_quotes_says_something() -> None:
    assert parse(b"''\n").root == Text("", 1)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(f"{BOM}a: b\n".encode()) == parse(b"a: b\n")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: &x 2\n", 2, "&x: anchors are not taken"),
        ("a: 1\nb: &x [2]\n", 2, "&x: anchors are not taken"),
        ("a: 1\nb: *x\n", 2, "*x: aliases are not taken"),
        ("a: 1\nb: !!str 2\n", 2, "tag:yaml.org,2002:str: tags are not taken"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            1,
            "tag:yaml.org,2002:python/object/apply:os.system: tags are not",
        ),
        ("a: ! 2\n", 1, "!: tags are not taken"),
        ("a:\n  <<: {b: c}\n", 2, "<<: merge keys are not taken"),
        ("a: 1\nb: 2\na: 3\n", 3, "a stands here and on line 1"),
        ("b: {a: 1, 'a': 3}\n", 1, "a stands here and on line 1"),
        ("a: 1\n--- \nb: 2\n", 2, "a second document begins here"),
        ("%YAML 1.2\n---\na: 1\n", 1, "directives are not taken"),
        ("a: 1\n? [b]\n: c\n", 2, "a name must stand here"),
        ("? \n: c\n", 1, "a name must stand here"),
        ("a:\n\tb: 1\n", 2, "this is not YAML: while scanning for the next token, found character '\\t'"),
        ("a: b: c\n", 1, "this is not YAML: mapping values are not allowed here"),
        ("a: 1\nb: [\n", 3, "this is not YAML: while parsing a flow node"),
        ("a: 1\nb: !x!y 1\n", 2, "this is not YAML: while parsing a node, found undefined tag handle"),
        ("a: 1\nb: \x00\n", 2, "a control character stands here"),
        ('a: 1\nb: "\\U00110000"\n', 2, "this is not YAML: a number out of range"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', 2, "this is not YAML: a number out of range"),
        (f"%YAML 1.{'1' * 5000}\n---\na\n", 1, "this is not YAML: a number out of range"),
        ('a: 1\nb: "\\ud800"\n', 2, "an escape that stands for no character"),
    ],
)
def test_what_is_refused_is_told_with_its_line(text: str, line: int, message: str) -> None:
    found = flaws(text)
    assert len(found) == 1
    assert found[0][0] == line
    assert found[0][1].startswith(message)


def test_all_flaws_are_told_and_the_rest_is_still_read() -> None:
    document = parse(b"a: &x 1\nb: *x\nc: !!int 2\na: 3\n")
    assert [flaw.line for flaw in document.flaws] == [1, 2, 3, 4]
    assert document.root == Members(
        ((Text("a", 1), Text("1", 1)), (Text("b", 2), Nothing(2)), (Text("c", 3), Text("2", 3))), 1
    )


def test_what_ends_before_it_is_no_longer_yaml_is_still_read() -> None:
    document = parse(b"a: 1\na: 2\nb:\n  - c\nd: [e\nf: g\n")
    assert [(flaw.line, flaw.message[:16]) for flaw in document.flaws] == [
        (6, "this is not YAML"),
        (2, "a stands here an"),
    ]
    assert document.root == Members(((Text("a", 1), Text("1", 1)), (Text("b", 3), Items((Text("c", 4),), 4))), 1)


def test_of_two_documents_the_first_is_still_read() -> None:
    document = parse(b"a: 1\n---\nb: 2\n")
    assert [flaw.line for flaw in document.flaws] == [2]
    assert document.root == Members(((Text("a", 1), Text("1", 1)),), 1)


def test_a_billion_laughs_are_refused_and_never_made() -> None:
    lines = ["a0: &a0 [lol]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))]
    document = parse("\n".join(lines).encode())
    assert len(document.flaws) == 10 + 9 * 9
    assert isinstance(document.root, Members)
    assert document.root.pairs[9][1] == Items((Nothing(10),) * 9, 10)


def test_an_anchor_that_holds_itself_is_refused() -> None:
    assert flaws("a: &a [*a]\n") == [(1, "&a: anchors are not taken"), (1, "*a: aliases are not taken")]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_what_is_nested_too_deep_is_refused(opening: str) -> None:
    found = parse((opening * 10_000).encode())
    assert found.root is None
    assert [flaw.message for flaw in found.flaws] == [f"nested deeper than {DEEPEST}"]
    assert not parse(("- " * DEEPEST + "a\n").encode()).flaws


def test_a_file_that_is_too_large_is_refused_without_reading_it() -> None:
    assert flaws("[" * (LARGEST + 1)) == [(1, "the file is larger than 64 KiB")]
    assert not flaws("#" * LARGEST)


@pytest.mark.parametrize("content", [b"a: 1\nb: \xe4\n", "a: 1\nb: ä\n".encode("latin-1")])
def test_what_is_not_utf_8_is_refused(content: bytes) -> None:
    assert [(flaw.line, flaw.message) for flaw in parse(content).flaws] == [(2, "this is not UTF-8")]


def test_what_is_shown_of_a_file_cannot_drive_a_terminal() -> None:
    assert flaws('"\\e[2J": 1\n"\\e[2J": 2\n') == [(2, "\\x1b[2J stands here and on line 1")]
