"""`python -m tests.cases.record`: write base.json anew, the facts of a real host that was bootstrapped and hardened."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.lab import PROGRAM, host

BASE = Path(__file__).with_name("base.json")
HARDENED = ("DMN-02", "DMN-08", "DMN-13", "DMN-14", "DMN-16")


def main() -> None:
    """Needs root, and what the hosts of the end-to-end tests need."""
    with host("recorded") as lab:
        lab.output(*PROGRAM, "bootstrap", "recorded", "--no-passphrase", "--yes")
        lab.output(*PROGRAM, "harden", "--yes", *(word for one in HARDENED for word in ("--opt-in", one)))
        document = json.loads(lab.output(*PROGRAM, "facts"))
    programs = {path: names for path, names in document["data"]["names"].items() if path.endswith("bin")}
    kept = {path: [name for name in names if "docker" in name or "audit" in name] for path, names in programs.items()}
    document["data"]["names"] |= kept  # thousands of others say nothing
    BASE.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
