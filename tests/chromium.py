"""A headless Chromium for tests, driven over a pipe by the DevTools protocol; no library needed.

Protocol: https://chromedevtools.github.io/devtools-protocol/, messages as JSON, each ended by a
zero byte, on descriptors 3 and 4 of the browser (``--remote-debugging-pipe``).
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.programs import PATIENCE_S

NAMES = ("chromium", "chromium-browser", "google-chrome")
KEYS = {"ArrowRight": 39, "ArrowDown": 40, "Delete": 46, "Insert": 45, "Tab": 9}


class Page:
    """One page of the browser."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming, self._outgoing = os.fdopen(incoming, "rb"), outgoing
        self._number, self._session = 0, ""
        self._pending = b""

    def open(self, url: str, width: int, height: int) -> None:
        """Open *url* in a window of that size, pixels."""
        made = self.call("Target.createTarget", url="about:blank")
        attached = self.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        self._session = attached["sessionId"]
        self.resize(width, height)
        self.call("Page.navigate", url=url)

    def resize(self, width: int, height: int) -> None:
        """Make the window that large, pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result; events are passed over."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._outgoing, json.dumps(asked).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _read(self) -> Any:
        while b"\0" not in self._pending:
            read = os.read(self._incoming.fileno(), 1 << 16)
            assert read, "the browser is gone"
            self._pending += read
        message, _, self._pending = self._pending.partition(b"\0")
        return json.loads(message)

    def value(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript; a promise is waited for."""
        asked = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        got = self.call("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def centre(self, selector: str) -> tuple[float, float]:
        """Return where on the window the middle of an element is, after scrolling to it."""
        x, y = self.value(
            f"(() => {{ const e = document.querySelector({selector!r});"
            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        return x, y

    def click(self, selector: str) -> None:
        """Click on the middle of an element."""
        self.drag(self.centre(selector), self.centre(selector))

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Pull the mouse with its left button held."""
        for kind, (x, y), held in (
            ("mouseMoved", begin, 0),
            ("mousePressed", begin, 1),
            ("mouseMoved", end, 1),
            ("mouseReleased", end, 0),
        ):
            button = {"button": "left" if kind != "mouseMoved" or held else "none"}
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                buttons=held,
                clickCount=1,
                **button,
            )

    def swipe(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Pull a finger."""
        for kind, points in (("touchStart", [begin]), ("touchMove", [end]), ("touchEnd", [])):
            at = [{"x": x, "y": y} for x, y in points]
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=at)

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press a key; *modifiers*: 8 for Shift."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, modifiers=modifiers, **about)

    def screenshot(self) -> bytes:
        """Return the whole page as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def close(self) -> None:
        """Close the pipe."""
        self._incoming.close()


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Start a browser whose profile lies in *folder*; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"needs a browser, one of {', '.join(NAMES)}")
    to_browser, from_browser = os.pipe(), os.pipe()
    command = [
        program,
        "--headless",
        "--no-sandbox",
        "--hide-scrollbars",
        "--remote-debugging-pipe",
    ]
    command += ["--no-first-run", "--disable-dev-shm-usage", "--disable-crash-reporter"]
    command += [f"--user-data-dir={folder}", "about:blank"]
    piped = f'exec "$0" "$@" 3<&{to_browser[0]} 4>&{from_browser[1]}'
    process = subprocess.Popen(
        ["bash", "-c", piped, *command],
        pass_fds=(to_browser[0], from_browser[1]),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    os.close(to_browser[0])
    os.close(from_browser[1])
    page = Page(from_browser[0], to_browser[1])
    try:
        yield page
        page._session = ""
        page.call("Browser.close")
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
        page.close()
        os.close(to_browser[1])
