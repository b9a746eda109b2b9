"""Ask an endpoint one thing and wait for the whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.probe.message import ApiRequest
from dockertls.probe.request import asked

if TYPE_CHECKING:
    from dockertls.probe.endpoint import Endpoint, UnixSocket
    from dockertls.probe.message import Body
    from dockertls.probe.observation import ClientMaterial

TIMEOUT = 5.0
PING = ApiRequest("GET", "/_ping")


def ask(
    target: Endpoint | UnixSocket,
    material: ClientMaterial | None,
    request: ApiRequest = PING,
    body: Body | None = None,
    *,
    timeout: float = TIMEOUT,
) -> tuple[int, bytes]:
    with asked(target, material, request, body, timeout=timeout) as answer:
        return answer.head.status, b"".join(answer.parts())


def get(target: Endpoint | UnixSocket, material: ClientMaterial | None, path: str) -> tuple[int, bytes]:
    return ask(target, material, ApiRequest.parse("GET", path))
