"""The law of policies: whatever the bytes, there is a policy or a refusal that helps, and it does not take long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockertls.audit.policy import Policy, parse
from dockertls.audit.policy_file import EXAMPLES, MOST
from dockertls.documents.yaml_file import LARGEST
from dockertls.errors import attempt
from dockertls.findings import SEVERITIES
from dockertls.report.audited import Waiver

if TYPE_CHECKING:
    from datetime import date

KNOWN = ("DMN-02", "DMN-09", "NET-01", "TLS-06")
LONGEST = 30.0
"""Seconds that no policy may take, on a machine that is busy: those that take longest need about two."""

law = settings(max_examples=300, deadline=None)

PARTS = st.sampled_from(
    [
        *EXAMPLES, *EXAMPLES.values(), *KNOWN, *SEVERITIES, "check", "daemon", "reason", "until", "warn", "rsa",
        ": ", ":", "\n", "\n  ", "\n- ", "- ", "? ", "[", "]", "{", "}", ", ", "&a ", "*a", "!!str ", "!x ", "<<",
        "---", "...", "%YAML 1.1", "%TAG ! a", "|", ">", "|9", ">-", "'", '"', "\\", "\\x00", "\\U00110000", "\\ud800",
        "#", " #", "\t", "~", "no", "010", "12:30", "\r", "\x85", "\u2028", "\ufeff", "\x00", "@", "`",
    ]
)  # fmt: skip
TEXTS = st.lists(PARTS | st.text(max_size=3), max_size=30).map("".join)


def read(content: bytes) -> Policy | None:
    policy, faults = attempt(lambda: parse(content, "policy.yaml", KNOWN))
    assert (policy is None) == (len(faults) > 0)
    assert len(faults) <= MOST + 1
    assert all(fault.hint and fault.message.startswith("policy.yaml:") for fault in faults)
    assert all(fault.message.isprintable() for fault in faults)
    return policy


@given(st.binary(max_size=200) | TEXTS.map(lambda text: text.encode(errors="surrogatepass")))
@law
def test_any_bytes_are_a_policy_or_refused(content: bytes) -> None:
    assert isinstance(read(content), Policy | None)


@given(
    st.dictionaries(st.sampled_from(KNOWN), st.sampled_from(sorted(SEVERITIES))),
    st.dictionaries(
        st.tuples(st.sampled_from(KNOWN), st.sampled_from(["", "docker.service", "no", "1:2"])),
        st.tuples(st.from_regex(r"[a-z:#'\"{\[ ]{0,20}[a-z]", fullmatch=True), st.dates()),
        max_size=4,
    ),
)
@law
def test_what_is_written_is_read(severities: dict[str, str], waivers: dict[tuple[str, str], tuple[str, date]]) -> None:
    lines = ["severity: {" + ", ".join(f"{check}: {name}" for check, name in severities.items()) + "}", "waive:"]
    for (check, daemon), (reason, until) in waivers.items():
        quoted = reason.replace("'", "''")
        lines += [f"- check: {check}", f"  reason: '{quoted}'", f"  until: {until}"]
        lines += [f"  daemon: {daemon}"] if daemon else []
    policy = read("\n".join(lines if waivers else lines[:1]).encode())
    assert policy
    assert policy.severities == {check: SEVERITIES[name] for check, name in severities.items()}
    assert policy.waivers == {key: Waiver(" ".join(reason.split()), until) for key, (reason, until) in waivers.items()}


@pytest.mark.parametrize(
    "part",
    [
        "[", "{a: ", "- ", "? ", "- a\n", "- &a b\n", "- *a\n", "[a: b,", "[a,", "a\n", "a ", "'\n", '"a', "|\n", "#\n",
        "\n", "\r", ":", ",", "&a", "!", "waive: [{check: DMN-0, ", "- {until: 1}\n", "severity: {a: b}\n", "\ufeff",
        "%",
    ],
)  # fmt: skip
def test_the_largest_file_is_judged_in_time(part: str) -> None:
    began = time.monotonic()
    read((part * LARGEST)[: LARGEST // 3].encode()[:LARGEST])
    read(f"waive:\n{part * LARGEST}".encode()[:LARGEST])
    assert time.monotonic() - began < LONGEST


def test_the_largest_file_of_nothing_but_misspelt_names_is_judged_in_time() -> None:
    began = time.monotonic()
    assert read("".join(f"wa{number:x}: 1\n" for number in range(6000)).encode()) is None
    checks = "".join(f"  DM-{number}: hi\n" for number in range(4000))
    assert read(f"severity:\n{checks}".encode()) is None
    assert time.monotonic() - began < LONGEST
