"""What Java says of all this; its cases are asked in one run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.e2e.symptoms.clients import java
from tests.e2e.symptoms.connections import WHERE, silent
from tests.e2e.symptoms.producer import Producer
from tests.e2e.symptoms.refusals import BY_PROXY, REFUSED, before_proxy
from tests.e2e.symptoms.servers import SERVERS
from tests.e2e.symptoms.stage import OLDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.symptoms.clients import Where
    from tests.e2e.symptoms.stage import Stage

CASES: dict[object, Callable[[Stage], Where]] = {
    **{shown.name: shown.where for shown in SERVERS},
    **{("refused", one.name): partial(one.where, program=OLDER) for one in REFUSED},
    **{name: where for _, name, where in WHERE},
    **{("proxy", one.name): partial(before_proxy, one) for one in BY_PROXY},
    "silent": silent,
}
NEEDS = ("java", "dockerd")

PRODUCERS: tuple[Producer, ...] = (
    *(Producer(shown.row_of("java"), f"java-{shown.name}", java(shown.name, CASES), NEEDS) for shown in SERVERS),
    *(
        Producer("java-broken-pipe", f"java-{one.name}", java(("refused", one.name), CASES), NEEDS,
                 ("closed", "client-refused"))
        for one in REFUSED
    ),
    *(Producer(row, f"java-{name}", java(name, CASES), NEEDS) for row, name, _ in WHERE),
    *(
        Producer(row, f"java-proxy-{one.name}", java(("proxy", one.name), CASES), NEEDS)
        for one, row in BY_PROXY.items()
    ),
    Producer("timed-out", "java-silent", java("silent", CASES), NEEDS),
)  # fmt: skip
