"""What is run once a day, and what opens the authority's key while nobody is there to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.plan import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

CREDENTIAL = "dockertls-passphrase"
"""How systemd calls it."""
CREDENTIAL_FILE = Path("/etc/credstore.encrypted") / CREDENTIAL
"""The passphrase, encrypted for this host alone; the folder is systemd's own (systemd.exec(5))."""
HANDED_OVER = f"${{CREDENTIALS_DIRECTORY}}/{CREDENTIAL}"
"""Where a service finds its credential; the one word of a job that is not taken literally."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

ENCRYPT = Command(
    ("systemd-creds", "encrypt", f"--name={CREDENTIAL}", "-", "-"), "encrypt the passphrase for this host"
)
DECRYPT = Command(
    ("systemd-creds", "decrypt", f"--name={CREDENTIAL}", "--transcode=base64", str(CREDENTIAL_FILE), "-"),
    "see whether the credential opens the authority's key",
)


@dataclass(frozen=True)
class Job:
    """A renewal that nobody watches.

    Attributes:
        program: what starts this program, an argument a word.
        store: its folder.
        passphrase: the file that holds it, or HANDED_OVER; None: none is needed.
        hooks: programs that are run after a renewal.
    """

    program: tuple[str, ...]
    store: Path
    passphrase: Path | str | None = None
    hooks: tuple[Path, ...] = ()

    @property
    def credential(self) -> bool:
        """Whether systemd hands the passphrase over."""
        return self.passphrase == HANDED_OVER

    def words(self, *, quiet: bool = False) -> tuple[str, ...]:
        """Program and arguments; what stops containers is left for somebody who is there.

        Args:
            quiet: nothing is said where nothing is done.
        """
        secret = ("--passphrase-file", str(self.passphrase)) if self.passphrase else ()
        hooks = (word for hook in self.hooks for word in ("--deploy-hook", str(hook)))
        renew = ("renew", "--yes", "--restart", "safe", *secret, *hooks)
        return (*self.program, *(("--quiet",) if quiet else ()), "--store", str(self.store), *renew)

    @property
    def trial(self) -> Command:
        """What shows that the program starts by itself, without this process's environment."""
        return Command(("env", "-i", f"PATH={PATH}", *self.program, "--version"), "the program starts by itself")


def passphrase_word(words: Sequence[str]) -> str | None:
    """The file that the words of a job name for the passphrase; None: none."""
    return next((value for name, value in pairwise(words) if name == "--passphrase-file"), None)
