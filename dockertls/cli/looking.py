"""Ask many endpoints at the same time: a bounded number of them, each with its own time limit, results as they come.

Half of what a look costs is the arithmetic of TLS and the other half Python's, which uses one core at a time: so the
endpoints are shared out among as many processes as there are cores. One endpoint alone is looked at in this process.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import signal
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from dockertls.cli.growing import INTERRUPTS, held_back
from dockertls.errors import NotReady
from dockertls.probe.wire import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 12  # of one process that are asked everything: about twenty connections each
WORTH_A_PROCESS = 25  # endpoints
FIRST_LOOK, FULL_LOOK, OTHER_FILES = 4, 20, 64  # open files of an endpoint in either round, and of the process


class Crew(Generic[T, R]):
    """Processes that look at endpoints; they are forked, so that certificates and keys are made once.

    Args:
        items: what is to be examined.
        examine: one of them; the semaphore is shared by all of a process.
        jobs: how many are under way at most.
    """

    def __init__(self, items: Sequence[T], examine: Callable[[T, asyncio.Semaphore], Awaitable[R]], jobs: int) -> None:
        self._items, self._examine = items, examine
        self._size = min(multiprocessing.cpu_count(), jobs, 1 + (len(items) - 1) // WORTH_A_PROCESS)
        self._jobs = _with_room(-(-jobs // self._size))

    @contextmanager
    def at_work(self) -> Iterator[Iterator[R]]:
        """Yields the results as they come.

        Raises:
            NotReady: if a process was killed.
        """
        if len(self._items) == 1:
            yield iter([run(self._alone())])
            return
        context = multiprocessing.get_context("fork")
        ends = [context.Pipe(duplex=False) for _ in range(self._size)]
        crew = [
            context.Process(target=self._work, args=(number, there), daemon=True)
            for number, (_, there) in enumerate(ends)
        ]
        with held_back():  # until they are told what to do about an interrupt
            for process in crew:
                process.start()
        for _, there in ends:
            there.close()
        try:
            yield self._results([here for here, _ in ends])
        finally:
            for process in crew:
                process.kill()  # they hold nothing that would have to be put in order
                process.join()

    async def _alone(self) -> R:
        return await self._examine(self._items[0], asyncio.Semaphore(1))

    def _results(self, open_ends: list[Connection]) -> Iterator[R]:
        left = len(self._items)
        while open_ends:
            for end in cast("list[Connection]", wait(open_ends)):
                try:
                    yield end.recv()
                    left -= 1
                except EOFError:
                    open_ends.remove(end)
        if left:
            raise NotReady(
                f"{left} endpoints were not looked at: a process was killed", "run it again, with less --jobs"
            )

    def _work(self, number: int, there: Connection) -> None:
        """What a process does: its share of the items, one after the other as there is room."""
        for interrupt in INTERRUPTS:
            signal.signal(interrupt, signal.SIG_IGN)  # the one who began it ends it
        try:
            asyncio.run(self._share(iter(self._items[number :: self._size]), there))
        except* BrokenPipeError:
            pass  # nobody waits for it any more

    async def _share(self, items: Iterator[T], there: Connection) -> None:
        many = asyncio.Semaphore(min(self._jobs, AT_ONCE))

        async def some() -> None:
            for item in items:
                there.send(await self._examine(item, many))

        async with asyncio.TaskGroup() as group:
            for _ in range(self._jobs):
                group.create_task(some())


def _with_room(jobs: int) -> int:
    """So many of them as a process may have connections for; the limit is raised as far as it is this process's own."""
    spare, each = OTHER_FILES + AT_ONCE * FULL_LOOK, FIRST_LOOK
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = spare + jobs * each
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return jobs if soft == resource.RLIM_INFINITY else max(1, min(jobs, (soft - spare) // each))
