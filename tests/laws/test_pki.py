"""The laws of certificates: what is issued verifies throughout its life and not outside; names are read as shown."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from dockertls.errors import Refused
from dockertls.findings import Failed, NotApplicable, Passed
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import KINDS, generate, load_certificates, load_private, private_pem
from dockertls.pki.names import Name, client_name, display, folder, from_folder, parse_name, parse_names
from dockertls.pki.paths import is_mapped
from dockertls.pki.profiles import BACKDATE, CA, CLIENT, SERVER, Profile, Purpose
from dockertls.pki.requests import judge_request, load_request, make_request, request_pem
from dockertls.pki.verify import name_matches, verify

law = settings(max_examples=150, deadline=None)
SECOND = timedelta(seconds=1)
EPOCH = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = generate("ecdsa-p256")
AUTHORITY = issue(Request(CA, "authority"), generate("ecdsa-p256"), None, now=EPOCH, serial=1)
START, END = AUTHORITY.certificate.not_valid_before_utc, AUTHORITY.certificate.not_valid_after_utc


labels = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9_])?", fullmatch=True)
last_labels = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
hosts = st.tuples(st.lists(labels, max_size=4), last_labels).map(lambda parts: ".".join((*parts[0], parts[1])))
dns_names = st.tuples(st.sampled_from(["", "*."]), hosts.filter(lambda host: not host.startswith("_wildcard"))).map(
    lambda parts: x509.DNSName("".join(parts))
)
addresses = st.ip_addresses().filter(lambda address: not is_mapped(address)).map(x509.IPAddress)
names: st.SearchStrategy[Name] = st.one_of(dns_names, addresses)
moments = st.datetimes(START.replace(tzinfo=None), END.replace(tzinfo=None), timezones=st.just(UTC))
lifetimes = st.timedeltas(SECOND, SERVER.longest)


def passes(issued: Issued, roots: tuple[x509.Certificate, ...], purpose: Purpose, now: datetime) -> bool:
    """Whether all findings pass, with no margin before the end."""
    none = timedelta(0)
    found = verify(issued.certificate, issued.chain, roots, now=now, purpose=purpose, warn=none, fail=none)
    return all(isinstance(one.verdict, Passed | NotApplicable) for one in found)


@given(st.text())
@law
def test_any_text_is_a_name_or_refused(text: str) -> None:
    with suppress(Refused):
        name = parse_name(text)
        assert parse_name(display(name)) == name
        assert from_folder(folder(name)) == name
        assert "/" not in folder(name)
        assert folder(name) not in {"", ".", ".."}


@given(st.text(st.sampled_from("aé.*:[]/@%-_ 0\u0661\u0660\u3002\0\n"), max_size=12))
@law
def test_any_near_miss_is_a_name_or_refused(text: str) -> None:
    with suppress(Refused):
        name = parse_name(text)
        assert parse_name(display(name)) == name


@given(names)
@law
def test_a_name_is_read_back_from_what_is_shown_and_from_its_folder(name: Name) -> None:
    assert parse_name(display(name)) == name
    assert from_folder(folder(name)) == name


@given(st.lists(names, min_size=2, unique=True, max_size=6))
@law
def test_no_two_names_share_a_folder(several: list[Name]) -> None:
    assert len({folder(name) for name in several}) == len(several)


@given(st.text())
@law
def test_any_text_is_a_client_or_refused_and_reading_twice_is_reading_once(text: str) -> None:
    with suppress(Refused):
        name = client_name(text)
        assert client_name(name) == name
        assert issue(Request(CLIENT, name), KEY, AUTHORITY, now=EPOCH, serial=1)


@given(st.sampled_from([SERVER, CLIENT]), moments, lifetimes, st.data())
@law
def test_what_is_issued_verifies_throughout_its_life_and_not_outside(
    profile: Profile, now: datetime, lifetime: timedelta, data: st.DataObject
) -> None:
    wanted = parse_names(["web1.example"]) if profile is SERVER else ()
    leaf = issue(Request(profile, "web1", wanted, lifetime), KEY, AUTHORITY, now=now, serial=2)
    start, end = leaf.certificate.not_valid_before_utc, leaf.certificate.not_valid_after_utc
    assert START <= start <= now
    assert now.replace(microsecond=0) <= end <= END
    inside = data.draw(st.datetimes(start.replace(tzinfo=None), end.replace(tzinfo=None), timezones=st.just(UTC)))
    purpose = profile.purposes[0]
    roots = (AUTHORITY.certificate,)
    assert all(passes(leaf, roots, purpose, moment) for moment in (start, inside, end))
    assert not any(passes(leaf, roots, purpose, moment) for moment in (start - SECOND, end + SECOND))
    assert not passes(leaf, roots, purpose.other, inside)


@given(moments, lifetimes)
@law
def test_a_leaf_never_outlives_its_authority_and_lives_no_longer_than_asked(now: datetime, lifetime: timedelta) -> None:
    leaf = issue(Request(CLIENT, "alice", (), lifetime), KEY, AUTHORITY, now=now, serial=2).certificate
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= lifetime + BACKDATE
    assert START <= leaf.not_valid_before_utc <= leaf.not_valid_after_utc <= END


@given(st.timedeltas(SECOND, timedelta(days=9000)), st.sampled_from([-1, 1]))
@law
def test_an_authority_signs_nothing_outside_its_life(distance: timedelta, side: int) -> None:
    now = END + distance if side > 0 else START - distance
    with pytest.raises(Refused):
        issue(Request(CLIENT, "alice"), KEY, AUTHORITY, now=now, serial=2)


@given(st.lists(names, min_size=1, max_size=6, unique=True), addresses)
@law
def test_a_server_is_for_its_names_and_for_no_other(wanted: list[Name], other: x509.IPAddress) -> None:
    leaf = issue(Request(SERVER, "x", tuple(wanted)), KEY, AUTHORITY, now=EPOCH, serial=2).certificate
    for name in wanted:
        host = display(name).replace("*", "any")
        assert name_matches(leaf, host)
        assert name_matches(leaf, host.upper())
    assert name_matches(leaf, display(other)) is (other in wanted)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("rsa-3072", "rsa-4096")])
def test_every_kind_of_key_signs_and_is_signed(kind: str) -> None:
    root = issue(Request(CA, "root"), generate(kind), None, now=EPOCH, serial=1)
    for other in ("ecdsa-p256", kind):
        leaf = issue(Request(CLIENT, "alice"), generate(other), root, now=EPOCH, serial=2)
        assert passes(leaf, (root.certificate,), Purpose.CLIENT, EPOCH)
        assert not passes(leaf, (AUTHORITY.certificate,), Purpose.CLIENT, EPOCH)


@given(st.binary())
@law
def test_any_bytes_are_keys_and_certificates_or_refused(content: bytes) -> None:
    for read in (load_private, load_certificates):
        with pytest.raises(Refused):
            read(content)


@given(st.integers(0, 400), st.binary(max_size=4), st.sampled_from([KEY]))
@law
def test_a_damaged_key_is_refused_or_still_a_key(place: int, noise: bytes, key: object) -> None:
    pem = private_pem(KEY)
    place = min(place, len(pem))
    with suppress(Refused):
        assert type(load_private(pem[:place] + noise + pem[place + len(noise) :])) is type(key)


def test_the_verdict_of_a_stranger_is_a_failure_of_the_chain_alone() -> None:
    stranger = issue(Request(CA, "authority"), generate("ecdsa-p256"), None, now=EPOCH, serial=1)
    leaf = issue(Request(CLIENT, "alice"), KEY, stranger, now=EPOCH, serial=2)
    found = verify(leaf.certificate, (), (AUTHORITY.certificate,), now=EPOCH, purpose=Purpose.CLIENT)
    assert [one.id for one in found if isinstance(one.verdict, Failed)] == ["chain"]


@given(st.lists(names, min_size=1, unique=True, max_size=6))
@law
def test_a_request_asks_for_the_names_that_it_was_made_for_and_nothing_is_left_out(wanted: list[Name]) -> None:
    first = display(wanted[0])
    request = make_request(Request(SERVER, first, tuple(wanted)), KEY)
    asked = judge_request(load_request(request_pem(request)), SERVER, named=False)
    assert (sorted(asked.names), asked.left_out) == (sorted(map(display, wanted)), ())
    assert asked.names[0] == first
    assert asked.key == KEY.public_key()
