"""Chromium without a window, spoken to over its DevTools protocol: no driver whose version must fit."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # containers run as root
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
)
_LARGEST_MESSAGE = 64 * 1024 * 1024
_ANSWER_WITHIN = 45.0


AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"


def executable() -> str | None:
    """Where Chromium lies; None: not installed."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Page:
    """One tab.

    Attributes:
        complaints: console errors, uncaught exceptions and refusals of the browser, as text.
    """

    def __init__(self, socket: ClientConnection, session: str, numbers: Iterator[int]) -> None:
        self._socket = socket
        self._session = session
        self._numbers = numbers
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the protocol, and its result."""
        message = {"id": next(self._numbers), "method": method, "params": params, "sessionId": self._session}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(timeout=_ANSWER_WITHIN))
            if answer.get("id") == message["id"]:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self._note(answer.get("method", ""), answer.get("params", {}))

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.complaints.append(json.dumps(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    def resize(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """The size of the window in CSS pixels."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Go there, and wait until everything has loaded or failed."""
        self.send("Page.navigate", url=url)
        self.until(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def get(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = 10.0) -> None:
        """Wait until an expression holds."""
        for _ in range(3):  # a promise dies with the document that a navigation replaces
            answer = self.send(
                "Runtime.evaluate",
                awaitPromise=True,
                returnByValue=True,
                expression=f"""new Promise((done) => {{
                  const end = performance.now() + {seconds * 1000};
                  const look = () => ({expression}) ? done(true)
                    : performance.now() > end ? done(false) : setTimeout(look, 20);
                  look();
                }})""",
            )
            if "value" in answer["result"]:
                assert answer["result"]["value"], f"not within {seconds} s: {expression}"
                return
        raise AssertionError(f"the page went away while waiting for {expression}")

    def click(self, x: float, y: float) -> None:
        """A click of the mouse, in CSS pixels of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """A screenshot as PNG."""
        data = self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))


class Browser:
    """A running Chromium."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    def _send(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self._socket.recv(timeout=_ANSWER_WITHIN))).get("id") != number:
            pass
        return dict(answer["result"])

    @contextmanager
    def page(self) -> Iterator[Page]:
        """A tab of its own."""
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            yield Page(self._socket, session, self._numbers)
        finally:
            self._send("Target.closeTarget", targetId=target)


@contextmanager
def chromium(program: str, folder: Path, *flags: str) -> Iterator[Browser]:
    """Start Chromium with its profile in a folder, and end it with everything that it started; `flags` are added."""
    command = [program, *_FLAGS, *flags, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said: list[str] = []
        for line in process.stderr:  # ends when Chromium does; the test's own time limit bounds it
            said.append(line)
            if line.startswith("DevTools listening on "):
                break
        else:
            raise RuntimeError("Chromium did not start: " + "".join(said[-5:]))
        # What it says later is let go: a full pipe would stop it.
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        address = said[-1].removeprefix("DevTools listening on ").strip()
        with connect(address, max_size=_LARGEST_MESSAGE, compression=None, proxy=None) as socket:
            browser = Browser(socket)
            yield browser
            browser._send("Browser.close")
        drain.join(timeout=5)
    finally:
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()


def serious(page: Page) -> list[str]:
    """What keeps somebody from using a page, as axe-core finds it; the test is skipped where that is not installed."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci")
    page.get(AXE.read_text(encoding="utf-8") + "; 0")
    found = page.get(
        "axe.run({resultTypes: ['violations']}).then((result) => result.violations.map((one) => "
        "`${one.impact} ${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`))"
    )
    return [one for one in found if one.startswith(("serious", "critical"))]
