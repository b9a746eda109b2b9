"""`python -m tests.bench`: beside Docker's recipe; batches, start-up, life, checks, audits, hosts; by `make bench`."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import environment
from tests.bench.audits import audit_figures, judging_figure
from tests.bench.checks import check_figures
from tests.bench.figures import Figure, table
from tests.bench.hosts import host_figures
from tests.bench.life import life_figures
from tests.bench.looks import status_figures
from tests.bench.rounds import medians
from tests.conftest import COMPONENTS

RECIPE = Path(__file__).with_name("recipe.sh")
BOOTSTRAP_TARGET = 0.6  # seconds
BATCH_TARGET = 1000.0  # certificates a second
BATCHES = ((500, 5), (5000, 3))  # how many certificates, how often

Contender = Callable[[], Callable[[], None]]


@dataclass(frozen=True)
class Pairs:
    """Three pairs of key and certificate, by the recipe and by dockertls: the ratio to be reached, and the rounds."""

    kind: str
    sealed: bool
    target: float | None
    rounds: int

    @property
    def title(self) -> str:
        """For the table."""
        return f"{self.kind}, CA key {'encrypted' if self.sealed else 'without passphrase'}"


TABLE = (
    Pairs("ecdsa-p256", sealed=False, target=2.5, rounds=31),
    Pairs("ecdsa-p256", sealed=True, target=None, rounds=31),
    Pairs("rsa-2048", sealed=False, target=0.7, rounds=31),
    Pairs("rsa-2048", sealed=True, target=1.0, rounds=31),
    Pairs("rsa-4096", sealed=False, target=0.4, rounds=15),
    Pairs("rsa-4096", sealed=True, target=0.5, rounds=15),
)
"""RSA keys are searched for at random: their times scatter, and their medians want more rounds than others."""


def recipe(pairs: Pairs, folder: Path, secret: Path) -> Contender:
    """Docker's recipe, each call of openssl a process."""
    argv = ["sh", "-e", str(RECIPE), pairs.kind, *([str(secret)] if pairs.sealed else [])]

    def prepare() -> Callable[[], None]:
        place = environment.fresh(folder)
        return lambda: environment.run(argv, place)

    return prepare


def bootstrap(options: list[str], folder: Path) -> Contender:
    """The one command that makes the same three pairs; it configures the daemon and installs the files, too."""

    def prepare() -> Callable[[], None]:
        root = environment.fresh(folder)
        argv = [str(environment.DOCKERTLS), "--root", str(root), "bootstrap", "--yes", *options]
        return lambda: environment.run(argv, root)

    return prepare


def program(path: Path, *words: str) -> Contender:
    """A program with some words."""
    return lambda: lambda: environment.run([str(path), *words], environment.PROJECT)


def pairs_figure(pairs: Pairs, folder: Path, secret: Path, scale: float) -> Figure:
    """The three pairs both ways, in turn."""
    sealing = ["--passphrase-file", str(secret)] if pairs.sealed else ["--no-passphrase"]
    ours = bootstrap(["--key", pairs.kind, *sealing], folder)
    theirs, own = medians(pairs.title, _scaled(pairs.rounds, scale), recipe(pairs, folder, secret), ours)
    return Figure(pairs.title, f"recipe {theirs:.3f} s, dockertls {own:.3f} s", own / theirs, pairs.target)


def bootstrap_figure(folder: Path, secret: Path, scale: float) -> Figure:
    """The default bootstrap of a bare tree."""
    run = bootstrap(["--passphrase-file", str(secret)], folder)
    (taken,) = medians("default bootstrap", _scaled(31, scale), run)
    return Figure("default bootstrap of an empty tree", f"{taken:.3f} s", taken, BOOTSTRAP_TARGET, "s")


def start_figures(scale: float) -> list[Figure]:
    """What every command costs before it does anything; nothing is promised for it but what a unit test asserts."""
    contenders = {f"dockertls {word}": program(environment.DOCKERTLS, word) for word in ("--version", "--help")}
    bare = program(environment.PYTHON, "-c", "pass")
    python, *times = medians("start-up", _scaled(31, scale), bare, *contenders.values())
    seen = [f"{taken:.3f} s, python alone {python:.3f} s" for taken in times]
    return [Figure(*row, unit="s") for row in zip(contenders, seen, times, strict=True)]


def batch_figure(count: int, often: int, folder: Path) -> Figure:
    """Many certificates in one process on one core."""
    script = str(Path(__file__).with_name("batch.py"))
    rates: list[tuple[float, ...]] = []
    for number in range(often):
        sys.stderr.write(f"\rbatch of {count}: {number}/{often} ")
        sys.stderr.flush()
        root = environment.fresh(folder)
        answer = environment.answer([str(environment.PYTHON), script, str(count), str(root)])
        rates.append(tuple(map(float, answer.split())))
    sys.stderr.write("\n")
    own, bare = (median(column) for column in zip(*rates, strict=True))
    seen = f"{count / own:.3f} s; the same files by bare system calls {count / bare:.3f} s"
    return Figure(f"batch of {count:,}, one core, durable", seen, own, BATCH_TARGET, "/s", more_is_better=True)


def _scaled(rounds: int, scale: float) -> int:
    return max(3, round(rounds * scale))


def main() -> int:
    """Measure all, print the table; exit 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="X times as many rounds")
    parser.add_argument("--only", default="", metavar="TEXT", help="figures whose title holds TEXT")
    given = parser.parse_args()
    environment.install()
    with environment.workplace() as folder:
        figures = _measured(folder, given.scale, given.only)
    sys.stdout.write(f"{_circumstances()}\n\n{table(figures)}\n")
    return int(not all(figure.reached for figure in figures))


def can_boot() -> bool:
    """Whether hosts can be booted here; where they cannot, their figures are left out."""
    missing = [name for name in ("nspawn", "dockerd", "docker") if not COMPONENTS[name]()]
    if missing:
        sys.stderr.write(f"hosts: left out, {', '.join(missing)} missing\n")
    return not missing


def _measured(folder: Path, scale: float, only: str) -> list[Figure]:
    secret = folder / "passphrase"
    secret.write_text("correct horse battery staple\n")
    figures = [pairs_figure(row, folder, secret, scale) for row in TABLE if only in row.title]
    if only in "default bootstrap":
        figures.append(bootstrap_figure(folder, secret, scale))
    figures += [batch_figure(*row, folder) for row in BATCHES if only in f"batch of {row[0]}"]
    figures += status_figures(folder, scale) if only in "status over 10,000 certificates" else []
    figures += start_figures(scale) if only in "start-up" else []
    figures += life_figures(folder, scale) if only in "life" else []
    figures += check_figures(folder, scale) if only in "check" and COMPONENTS["dockerd"]() else []
    figures += [judging_figure(folder)] if only in "audit of facts" else []
    figures += audit_figures(scale) if only in "audit" and can_boot() else []
    return figures + (host_figures(scale) if only in "hosts" and can_boot() else [])


def _circumstances() -> str:
    ours = "from cryptography.hazmat.backends.openssl import backend; print(backend.openssl_version_text())"
    return (
        f"recipe: {environment.answer(['openssl', 'version'])}; Python {platform.python_version()}, "
        f"{environment.answer([str(environment.PYTHON), '-c', ours])}\n"
        "Medians of rounds in turn, wall time. The recipe makes three pairs; dockertls makes them, configures the\n"
        "daemon, installs the files and writes the history, all of it durable."
    )


if __name__ == "__main__":
    sys.exit(main())
