"""What a look at a large store costs: `status` over ten thousand certificates, its time and its memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import environment
from tests.bench.figures import Figure
from tests.bench.rounds import medians

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 10_000
TIME_TARGET, MEMORY_TARGET = 1.0, 150.0  # seconds, megabytes
FORMATS = ("table", "json", "nagios", "prometheus")


def status_figures(folder: Path, scale: float) -> list[Figure]:
    """In each format, on a file tree that has the store and nothing else."""
    root = environment.fresh(folder)
    environment.answer([str(environment.PYTHON), str(Path(__file__).with_name("batch.py")), str(COUNT), str(root)])
    commands = {form: [str(environment.DOCKERTLS), "--root", str(root), "status", "--format", form] for form in FORMATS}
    times = medians("status", max(3, round(11 * scale)), *(_run(argv, root) for argv in commands.values()))
    title = f"status over {COUNT:,} certificates"
    figures: list[Figure] = []
    for (form, argv), taken in zip(commands.items(), times, strict=True):
        wanted = (TIME_TARGET, MEMORY_TARGET) if form == "table" else (None, None)
        memory = environment.most_memory(argv, root)
        figures.append(Figure(f"{title}, {form}", f"{taken:.3f} s", taken, wanted[0], "s"))
        figures.append(Figure(f"{title}, {form}: memory", f"{memory:.0f} MB", memory, wanted[1], "MB"))
    return figures


def _run(argv: list[str], root: Path) -> Callable[[], Callable[[], None]]:
    return lambda: lambda: environment.run(argv, root)
