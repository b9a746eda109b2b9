"""Rules about TLS: off though it seems on, open to more than the own authority, or said where it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.daemon.environment import variables
from dockertls.daemon.hosts import is_fd, streamed
from dockertls.daemon.reading import MATERIAL, SWITCHES, hosts_of
from dockertls.daemon.releases import parse, shown
from dockertls.errors import Fault
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.daemon.reading import Reading

CLOSE = "run `dockertls bootstrap`, or add tlsverify, tlscacert, tlscert and tlskey in one place"
EXCLUSIVE = "17.06"
"""The first release that trusts tlscacert alone (moby 33173)."""
SWITCHED_BY_FLAG_ALONE = "20.10"
"""The first release that DOCKER_TLS_VERIFY does not switch TLS on in (moby 5f5285a6e2)."""
DEFAULT_NAMES = {"tlscacert": "ca.pem", "tlscert": "cert.pem", "tlskey": "key.pem"}


def asks_for_certificates(reading: Reading) -> bool:
    """Whether dockerd asks every TCP client for a certificate: TLS is on and verification is not switched off."""
    said = reading.both()
    verify = said.get("tlsverify")
    return verify.value is True if verify else bool(said.get("tls") and said["tls"].value is True)


def material_unused(reading: Reading) -> Iterator[Fault]:
    """Certificates are named and TLS is not switched on."""
    said = reading.both()
    given = [key for key in MATERIAL if key in said]
    if given and not SWITCHES & said.keys():
        yield Fault(
            f"{', '.join(given)} given ({said[given[0]].origin}), but neither tls nor tlsverify: TLS is off",
            "add tlsverify in the same place",
        )


def material_dropped(reading: Reading) -> Iterator[Fault]:
    """Certificates are flags and the switch is a key."""
    flags = reading.by_flags()
    given = [key for key in MATERIAL if key in flags]
    if given and not SWITCHES & flags.keys() and SWITCHES & reading.file.keys():
        yield Fault(
            f"TLS is switched on in {reading.config} alone, so dockerd drops {', '.join(given)}"
            f" of the flags ({flags[given[0]].origin}) and does not start",
            "give tlsverify, tlscacert, tlscert and tlskey in one place",
        )


def any_authority(reading: Reading) -> Iterator[Fault]:
    """Without tlscacert in the file, the pool is the system's trust store (moby daemon/command/daemon.go)."""
    flags = reading.by_flags()
    if asks_for_certificates(reading) and not SWITCHES & flags.keys() and "tlscacert" not in reading.file:
        switch = next(key for key in ("tlsverify", "tls") if key in reading.file)
        yield Fault(
            f"{reading.file[switch].origin}: {switch} without tlscacert lets in clients of every authority"
            " that the system trusts",
            "add tlscacert",
        )


def default_material(reading: Reading) -> Iterator[Fault]:
    """With the switch among the flags, dockerd looks for what is not named where a client keeps its own."""
    flags, said = reading.by_flags(), reading.both()
    switch = next((key for key in ("tlsverify", "tls") if key in flags), None)
    missing = [key for key in MATERIAL if key not in said and (key != "tlscacert" or asks_for_certificates(reading))]
    if switch and missing:
        files = ", ".join(f"{_default_folder(reading)}/{DEFAULT_NAMES[key]}" for key in missing)
        yield Fault(
            f"{switch} ({flags[switch].origin}) without {', '.join(missing)}: dockerd looks for {files}",
            "name each file: where dockerd looks otherwise depends on its environment",
        )


def _default_folder(reading: Reading) -> str:
    found = variables(reading)
    named = next((found[name].value for name in ("DOCKER_CERT_PATH", "DOCKER_CONFIG") if name in found), "")
    return visible(str(named)) or "~/.docker"


def authorities_of_the_system(reading: Reading) -> Iterator[Fault]:
    """Old releases add the system's trust store to tlscacert."""
    release = reading.release
    if release is not None and release < parse(EXCLUSIVE) and asks_for_certificates(reading):
        yield Fault(
            f"Docker {shown(release)} lets in clients of every authority that the system trusts, beside tlscacert",
            f"upgrade to {EXCLUSIVE} or later; until then let only known addresses reach the port",
        )


def switched_by_variable(reading: Reading) -> Iterator[Fault]:
    """DOCKER_TLS_VERIFY in the daemon's environment, which is a client's variable now."""
    found = variables(reading).get("DOCKER_TLS_VERIFY")
    old = reading.release is not None and reading.release < parse(SWITCHED_BY_FLAG_ALONE)
    if found and found.value and not old and not SWITCHES & reading.both().keys():
        yield Fault(
            f"DOCKER_TLS_VERIFY ({found.origin}) switches nothing on since Docker {SWITCHED_BY_FLAG_ALONE}: TLS is off",
            CLOSE,
        )


def plaintext(reading: Reading) -> Iterator[Fault]:
    """A port that lets everybody in."""
    verify = reading.both().get("tlsverify")
    if asks_for_certificates(reading):
        return
    how = f"asks no client for a certificate ({verify.origin})" if verify else "has no TLS"
    for host, origin in reading.opened():
        yield Fault(f"{visible(host)} ({origin}) {how}: whoever reaches it is root", CLOSE)


def listener_outlives_tls(reading: Reading) -> Iterator[Fault]:
    """Systemd holds the port open whatever daemon.json says; what rewrites that file takes TLS away from it."""
    hosts = hosts_of(reading.both().get("hosts"))
    if not (any(map(is_fd, hosts)) and asks_for_certificates(reading)) or SWITCHES & reading.by_flags().keys():
        return
    for listen, place in reading.packaging.listens:
        if streamed(listen):
            yield Fault(
                f"docker.socket listens on {visible(listen)} ({place}) and TLS is set in {reading.config} alone:"
                " whatever rewrites that file opens the port to everybody",
                "set TLS by flags: `dockertls daemon configure --style socket`",
            )
