"""Many server certificates in one process, on one core: keys, certificates, and all of it durable on disk.

usage: python batch.py COUNT FOLDER; prints the certificates a second, and how many the file system alone would take:
the same directories, files and links by bare system calls. Runs where nothing but dockertls is installed.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from cryptography.x509 import random_serial_number

from dockertls.apply import Run, apply
from dockertls.host import LocalHost
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import generate, private_pem
from dockertls.pki.names import display, folder, parse_names
from dockertls.pki.profiles import TABLE
from dockertls.pki.store import StoreState, new_generation, plan_authority, plan_generation
from dockertls.plan import Plan, combined

KIND = "ecdsa-p256"
NOW = datetime.now(UTC)


def authority(store: StoreState) -> Issued:
    """A new authority, stored."""
    key = generate(KIND)
    made = issue(Request(TABLE["ca"], "bench CA"), key, None, now=NOW, serial=random_serial_number())
    generation = new_generation(store, "ca", "", made, private_pem(key))
    apply(plan_authority(store, generation), store.host, Run(NOW, append_only=(store.path,)))
    return store.issuer(lambda: None)


def planned(store: StoreState, issuer: Issued, text: str) -> Plan:
    """A key and a certificate for one server."""
    names = parse_names([text])
    key = generate(KIND)
    request = Request(TABLE["server"], display(names[0]), names)
    made = issue(request, key, issuer, now=NOW, serial=random_serial_number())
    return plan_generation(store, new_generation(store, "server", folder(names[0]), made, private_pem(key)))


def rate(count: int, root: str) -> float:
    """Certificates a second."""
    store = StoreState(LocalHost(root), PurePosixPath("/etc/dockertls"))
    issuer = authority(store)
    begin = time.perf_counter()
    with store.near() as near:
        plans = [planned(near, issuer, f"host{number}.example.org") for number in range(count)]
    apply(combined(f"issue {count}", plans), store.host, Run(NOW, append_only=(store.path,)))
    taken = time.perf_counter() - begin
    made = sum(1 for _ in Path(root).glob("etc/dockertls/servers/*/current/cert.pem"))
    if made != count:
        raise SystemExit(f"{made} of {count} certificates are there")
    return count / taken


def bare_rate(count: int, root: str) -> float:
    """How many certificates a second the file system takes."""
    folder = Path(root) / "bare"
    folder.mkdir()
    begin = time.perf_counter()
    for number in range(count):
        place = folder / f"host{number}" / "0001"
        place.mkdir(parents=True)
        for name in ("cert.pem", "key.pem"):
            (place / name).write_bytes(bytes(800))
        place.with_name("current").symlink_to("0001")
    os.sync()
    return count / (time.perf_counter() - begin)


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sys.stdout.write(f"{rate(int(sys.argv[1]), sys.argv[2])} {bare_rate(int(sys.argv[1]), sys.argv[2])}\n")
