"""`python -m tests.cases.record`: write base.json anew, the facts of a real host that was bootstrapped and hardened."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.lab import PROGRAM, host

BASE = Path(__file__).with_name("base.json")
TOLD = ("docker", "audit", "containerd", "runc")
HARDENED = ("DMN-02", "DMN-08", "DMN-13", "DMN-14", "DMN-16")


def main() -> None:
    """Needs root, and what the hosts of the end-to-end tests need."""
    with host("recorded") as lab:
        lab.write("/etc/passphrase", "a passphrase of the record's\n", 0o600)
        lab.output(*PROGRAM, "bootstrap", "recorded", "--passphrase-file", "/etc/passphrase", "--yes")
        lab.output(*PROGRAM, "harden", "--yes", *(word for one in HARDENED for word in ("--opt-in", one)))
        document = json.loads(lab.output(*PROGRAM, "facts"))
    programs = {path: names for path, names in document["data"]["names"].items() if path.endswith("bin")}
    kept = {path: [name for name in names if any(one in name for one in TOLD)] for path, names in programs.items()}
    document["data"]["names"] |= kept  # thousands of others say nothing
    BASE.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
