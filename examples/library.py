"""Make an authority, a server's and a client's certificate with the library, and judge them.

Run it with a folder to write to: python examples/library.py DIR
"""

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from cryptography.x509 import random_serial_number

from dockertls import (
    CA,
    CLIENT,
    SERVER,
    LocalHost,
    Request,
    Run,
    ca_name,
    generate,
    issue,
    parse_names,
    private_pem,
    verify,
)
from dockertls.apply import apply
from dockertls.pki.profiles import Purpose
from dockertls.pki.store import StoreState, new_generation, plan_authority, plan_generation
from dockertls.plan import combined

if not sys.argv[1:]:
    sys.exit("usage: python examples/library.py DIR")
now = datetime.now(UTC)

# An authority. Give private_pem a passphrase, and the key is encrypted with 600,000 rounds of PBKDF2.
ca_key = generate("ecdsa-p256")
authority = issue(Request(CA, ca_name(now, secrets.token_hex(4))), ca_key, None, now=now, serial=random_serial_number())

# A server's certificate serves as a server's and a client's as a client's, and as nothing else.
server_key, client_key = generate("ecdsa-p256"), generate("ecdsa-p256")
names = parse_names(["web1.example.com", "192.0.2.7"])
server = issue(
    Request(SERVER, "web1.example.com", names), server_key, authority, now=now, serial=random_serial_number()
)
client = issue(Request(CLIENT, "ann"), client_key, authority, now=now, serial=random_serial_number())

# Every verdict is a value: passed, failed, warned, unknown or not applicable.
roots = [authority.certificate]
for finding in verify(server.certificate, [], roots, now=now, purpose=Purpose.SERVER, names=["web1.example.com"]):
    print(f"{type(finding.verdict).__name__:8} {finding.id}")

# Nothing is written but by a plan, which is applied whole or not at all.
host = LocalHost(root=str(Path(sys.argv[1]).resolve()))
store = StoreState(host, PurePosixPath("/etc/dockertls"))
plan = combined(
    "three certificates",
    [
        plan_authority(store, new_generation(store, "ca", "", authority, private_pem(ca_key, b"a passphrase"))),
        plan_generation(store, new_generation(store, "server", "web1.example.com", server, private_pem(server_key))),
        plan_generation(store, new_generation(store, "client", "ann", client, private_pem(client_key))),
    ],
)
print(plan.diff())
receipt = apply(plan, host, Run(now))
print(f"done, number {receipt.id} of the history")
