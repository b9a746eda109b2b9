"""A real browser: headless Chromium, driven by the DevTools protocol over a pair of pipes (no port, no driver)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever a page asks for, it does not leave the machine
    "--remote-debugging-pipe",
)
TAB = {"Tab": ("Tab", 9, ""), "Space": ("Space", 32, " "), "Enter": ("Enter", 13, "\r")}


@dataclass
class Browser:
    """One page in one Chromium.

    Attributes:
        to: commands go there, each ended by NUL.
        back: answers and events come from there.
        events: those that came so far: method and parameters.
    """

    to: IO[bytes]
    back: IO[bytes]
    session: str = ""
    number: int = 0
    rest: bytes = b""
    events: list[tuple[str, Any]] = field(default_factory=list)

    def call(self, method: str, **parameters: object) -> Any:  # noqa: ANN401 - as the protocol answers
        """Ask for something and wait for the answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        self.to.write(json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        self.to.flush()
        while (answer := self._next()).get("id") != self.number:
            self._keep(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _keep(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self.events.append((message["method"], message.get("params", {})))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            part = os.read(self.back.fileno(), 1 << 16)
            assert part, "chromium has ended"
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def open(self, path: Path) -> None:
        """Load a file and wait until that is done."""
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(method == "Page.loadEventFired" for method, _ in self.events):
            self._keep(self._next())

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True) -> None:
        """How the window is."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def ask(self, expression: str) -> Any:  # noqa: ANN401 - as the page answers
        """The value of an expression in the page; DevTools may ask though the page may run nothing."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """A key of the keyboard."""
        code, number, text = TAB[key]
        named = {"key": text if key == "Space" else code, "code": code, "windowsVirtualKeyCode": number}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **named)
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def click(self, selector: str) -> None:
        """The mouse, in the middle of an element."""
        x, y = self.ask(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self) -> bytes:
        """The whole page as PNG."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(found["data"])


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A Chromium with an empty profile, which is ended in the end."""
    assert CHROMIUM
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    argv = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    # DevTools has descriptors 3 and 4
    shell = ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *argv]
    process = subprocess.Popen(
        shell, pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(theirs_in)
    os.close(theirs_out)
    with os.fdopen(ours_out, "wb") as to, os.fdopen(ours_in, "rb") as back:
        try:
            found = Browser(to, back)
            [target, *_] = [one for one in found.call("Target.getTargets")["targetInfos"] if one["type"] == "page"]
            found.session = found.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
            for room in ("Page", "Runtime", "Network", "Log"):
                found.call(f"{room}.enable")
            yield found
        finally:
            process.terminate()
            process.wait(timeout=20)
