"""Who gets in and who does not.

A client that was not let in was refused only if the user's own certificate is let in with the same version of TLS:
otherwise nobody can tell a daemon that refuses strangers from one that refuses everybody, or from a broken wire.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from dockertls.findings import Evidence, Failed, NotApplicable, Passed, Unknown, Verdict, Warned
from dockertls.probe.authorities import Malformed, named, readable
from dockertls.probe.case import NOT_ASKED, Case, let_in, of_version, spoken, told
from dockertls.probe.observation import Outcome
from dockertls.probe.stranger import OUR_SERVER, SERVING, WHO

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dockertls.probe.observation import Handshake, Observation, Pair, Version

_REFUSALS = (Outcome.HANDSHAKE_REFUSED, Outcome.REFUSED_AFTER_HANDSHAKE, Outcome.CLOSED)
_CLIENT_ERROR = range(400, 500)
_DOCKERD = "Docker/"
MOST_NAMES = 5  # are told; a system's store has 140
_ASK = "let dockerd ask for certificates: tlsverify with tlscacert, in one place; then restart it (dockertls bootstrap)"
_OWN_ALONE = (
    "let tlscacert name your own authority alone (without it dockerd trusts the whole system's); then restart dockerd"
)
_SERVERS = "see that dockerd itself listens there: it lets no server's certificate in as a client"


class _Entry(Enum):
    """What became of a client that should not get in, with one version of TLS."""

    LET_IN = "let in"
    REFUSED = "refused"
    HTTP = "let in by TLS, refused by HTTP"
    NOT_SPOKEN = "not spoken"
    UNTOLD = "untold"


def without_client(observation: Observation) -> Verdict:
    """Finding `client-required` where there is no client that the daemon lets in, to compare with.

    The daemon's own word has to do: an alert that tells of certificates, or any once it has shown its own.
    """
    if observation.none is None:
        return NOT_ASKED
    looks = dict(observation.none.both)
    place = observation.endpoint.url
    evidence = tuple(Evidence(version, place, told(look), "refused") for version, look in looks.items())
    if any(look.outcome is Outcome.ACCEPTED for look in looks.values()):
        return Failed(evidence, "a client without a certificate is let in: whoever reaches the port is root", _ASK)
    speaking = [look for look in looks.values() if spoken(look)]
    if speaking and all(look.alert for look in speaking):
        return Passed(evidence)
    return Unknown("; ".join(f"{version}: {told(look)}" for version, look in looks.items()))


def client_required(case: Case) -> Verdict:
    """A client without a certificate is refused."""
    if case.seen.none is None:
        return NOT_ASKED
    unusable = any(look.outcome is Outcome.UNUSABLE for _, look in case.seen.good.both)
    if not case.client and not unusable:
        return without_client(case.seen)
    return _refused({"without a certificate": case.seen.none}, _ASK, case)


def stranger_refused(case: Case) -> Verdict:
    """Whoever is of another authority is refused, whatever his certificate looks like."""
    return _others(case, _OWN_ALONE, lambda name: name not in (SERVING, OUR_SERVER))


def purpose_required(case: Case) -> Verdict:
    """A server's certificate lets nobody in as a client.

    One of an unknown authority would be refused anyway: that it is proves nothing about its purpose.
    """
    verdict = _others(case, _SERVERS, lambda name: name in (SERVING, OUR_SERVER))
    if isinstance(verdict, Passed) and OUR_SERVER not in case.seen.visitors:
        return NotApplicable("a stranger's server is refused; yours can be tried where its key is: on the Docker host")
    return verdict


def _others(case: Case, remedy: str, of: Callable[[str], bool]) -> Verdict:
    pairs = {WHO[name]: pair for name, pair in case.seen.visitors.items() if of(name)}
    return _refused(pairs, remedy, case) if pairs else NOT_ASKED


def _refused(pairs: Mapping[str, Pair], remedy: str, case: Case) -> Verdict:
    """Every one of these is refused, with every version of TLS that the server speaks."""
    entries = {
        (who, version): _entry(look, control, of_version(case.seen, version))
        for who, pair in pairs.items()
        for (version, look), (_, control) in zip(pair.both, case.seen.good.both, strict=True)
    }
    evidence = tuple(
        case.evidence(f"{version}, {who}", told(look), "refused")
        for who, pair in pairs.items()
        for version, look in pair.both
    )
    found = set(entries.values())
    if _Entry.LET_IN in found:
        inside = {who: [v for w, v in entries if w == who and entries[w, v] is _Entry.LET_IN] for who in pairs}
        who = "; ".join(f"{who} ({', '.join(versions)})" for who, versions in inside.items() if versions)
        return Failed(evidence, f"a client is let in {who}: whoever reaches the port is root", remedy)
    if _Entry.UNTOLD in found or found == {_Entry.NOT_SPOKEN}:
        doubtful = [one for one, entry in entries.items() if entry is _Entry.UNTOLD]
        doubts = dict.fromkeys(_doubt(*one, case, pairs) for one in doubtful)
        shut = {version for version, control in case.seen.good.both if not let_in(control)}
        follows = "api" if doubtful and all(version in shut for _, version in doubtful) else ""
        return Unknown("; ".join(doubts) or "no version of TLS came as far as certificates", follows)
    if _Entry.HTTP in found:
        cause = "TLS lets the client in, and only HTTP refuses it: a proxy, or an authorization plugin"
        return Warned(evidence, cause, remedy)
    return Passed(evidence)


def _entry(look: Handshake, control: Handshake, all_of_version: tuple[Handshake, ...]) -> _Entry:
    if let_in(look):
        return _Entry.LET_IN
    if not any(spoken(one) for one in all_of_version) and all(one.outcome in _REFUSALS for one in all_of_version):
        return _Entry.NOT_SPOKEN
    if not let_in(control):
        return _Entry.UNTOLD
    if look.outcome in _REFUSALS:
        return _Entry.REFUSED
    return _Entry.HTTP if look.status in _CLIENT_ERROR else _Entry.UNTOLD


def _doubt(who: str, version: Version, case: Case, pairs: Mapping[str, Pair]) -> str:
    control, look = (dict(one.both)[version] for one in (case.seen.good, pairs[who]))
    if not let_in(control):
        return f"{version}: your own certificate is not let in either ({told(control)}), so a refusal proves nothing"
    return f"{version}, {who}: {told(look)}"


# whom the server says it lets in


def accepted_authorities(case: Case) -> Verdict:
    """The authorities that the server names are those that the client trusts, and its own is among them."""
    if case.seen.none is None:
        return NOT_ASKED
    if not case.seen.hears:
        return Unknown("this Python cannot hear whom the server lets in")
    asked = {version: look.request for version, look in case.seen.none.both if look.request is not None}
    if not asked:
        if any(spoken(look) for _, look in case.seen.none.both):
            return NotApplicable("the server asks for no certificate")
        return Unknown("no handshake came far enough", "tls-version")
    try:
        names = {version: named(request, version) for version, request in asked.items()}
    except Malformed as error:
        return Unknown(f"what the server asks for cannot be read: {error}")
    evidence = tuple(case.evidence(version, _listed(found), "your authority alone") for version, found in names.items())
    every = tuple(dict.fromkeys(name for found in names.values() for name in found))
    return _accepted(case, evidence, every, none=not all(names.values()))


def _accepted(case: Case, evidence: tuple[Evidence, ...], names: tuple[bytes, ...], *, none: bool) -> Verdict:
    """What is to be said of the names; `none`: with some version there is none."""
    if none:
        return _nobody_named(case, evidence)
    if case.client and not {one.issuer.public_bytes() for one in case.client} & set(names):
        cause = (
            f"the server does not let your authority in, but {_listed(names)}: docker shows your certificate to no such"
        )
        return Failed(
            evidence, cause, "give dockerd the authority of your client as tlscacert, or get a client of its own"
        )
    mine = {one.subject.public_bytes() for one in case.roots} | {one.issuer.public_bytes() for one in case.client}
    if not mine:
        return Unknown(f"no authority of yours is known to compare with; it lets in clients of {_listed(names)}")
    foreign = [name for name in names if name not in mine]
    if foreign:
        return Warned(evidence, f"it lets in clients of authorities that are not yours: {_listed(foreign)}", _OWN_ALONE)
    return Passed(evidence)


def _nobody_named(case: Case, evidence: tuple[Evidence, ...]) -> Verdict:
    """Dockerd names its authorities, unless it has none of its own; of other servers it says nothing."""
    api = case.seen.api
    if api.status and not api.software.startswith(_DOCKERD):
        who = f"a server that calls itself {api.software}" if api.software else "no dockerd by its answers"
        return Unknown(f"no authority is named, and it is {who}: whom it trusts cannot be seen")
    cause = "no authority is named: dockerd has no tlscacert, and any that its system trusts vouches for root"
    return Failed(evidence, cause, "set tlscacert to your authority's ca.pem, beside tlsverify; then restart dockerd")


def _listed(names: Collection[bytes]) -> str:
    shown = [readable(name) for name in list(names)[:MOST_NAMES]]
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return "; ".join((*shown, *more)) or "none is named"
