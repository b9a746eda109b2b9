"""A load of fresh connections over mutual TLS, as a program: how many were answered, refused, or cut in flight."""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PATIENCE = 20.0  # seconds: over a restart a connection waits in the kernel's queue
REJECTIONS = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "KEY_VALUES_MISMATCH",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    }
)
"""OpenSSL's words where a certificate is not believed."""
REQUEST = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"


def context(folder: Path) -> ssl.SSLContext:
    """A client's, with the files of a ~/.docker."""
    made = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


def ask(address: tuple[str, int], folder: Path) -> str:
    """One connection and one request, with the files that lie there at that moment.

    Returns:
        "answered", "refused" (nobody took it), "rejected" (one side does not believe the other's certificate), or
        "cut" (taken, and ended early).
    """
    try:
        client = context(folder)
        raw = socket.create_connection(address, timeout=PATIENCE)
    except ssl.SSLError:
        return "rejected"
    except OSError:
        return "refused"
    try:
        with raw, client.wrap_socket(raw, server_hostname=address[0]) as wrapped:
            wrapped.sendall(REQUEST)
            answer = b""
            while piece := wrapped.recv(4096):
                answer += piece
    except TimeoutError:
        return "refused"
    except ssl.SSLError as error:
        return "rejected" if error.reason in REJECTIONS else "cut"
    except OSError:
        return "cut"
    return "answered" if answer.endswith(b"OK") else "cut"


def load(
    address: tuple[str, int], folder: Path, *, rate: float, seconds: float, until: Path | None = None
) -> Counter[str]:
    """Ask at a steady rate, whether or not earlier ones are answered, for a time or until a file is there."""
    begun = time.monotonic()
    with ThreadPoolExecutor(200) as pool:
        running = []
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            if until and until.exists():
                break
            running.append(pool.submit(ask, address, folder))
        return Counter(one.result() for one in running)


def main() -> None:
    """Print the counts as JSON when the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=2376)
    parser.add_argument("--rate", type=float, default=50.0, metavar="PER_SECOND")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--until", type=Path, metavar="FILE", help="stop when it is there")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    seen = load(("127.0.0.1", given.port), given.folder, rate=given.rate, seconds=given.seconds, until=given.until)
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
