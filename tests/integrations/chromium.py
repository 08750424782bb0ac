"""A headless Chromium, driven through its own DevTools protocol: what a user would see and click."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from shared_machine import install_debian

#: Seconds after which something that was to happen never will.
PATIENCE = 60.0
#: The shell without windows takes a third of the processor's time of the browser, with the same engine.
SHELL = "chromium-headless-shell"
WHOLE = ("chromium", "chromium-browser", "google-chrome", "chrome")


@cache
def chromium() -> str:
    """The browser's path; where there is no shell, Debian's is installed (as root)."""
    whole = next(filter(None, map(shutil.which, WHOLE)), None)
    if shell := shutil.which(SHELL):
        return shell
    # Where there is no such package, or no right to install it, a whole browser does as well.
    with contextlib.suppress(*([AssertionError, OSError] if whole else [])):
        install_debian(SHELL, "fonts-dejavu-core")
    path = shutil.which(SHELL) or whole
    assert path, "apt-get has installed Chromium under another name."
    return path


class Page:
    """One page of a browser of its own.

    Parameters
    ----------
    home : Path
        Folder for the browser's profile.
    size : (int, int)
        Width and height, pixels.
    """

    def __init__(self, home: Path, size: tuple[int, int] = (1200, 760)) -> None:
        self.home, self.size = home, size
        self.errors: list[str] = []
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Page:
        from aiohttp import ClientSession

        self._browser = subprocess.Popen(
            [
                chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0",
                f"--user-data-dir={self.home}", f"--window-size={self.size[0]},{self.size[1]}", "about:blank",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self._browser.stderr is not None
        port = await asyncio.wait_for(asyncio.to_thread(self._port), PATIENCE)
        self._drain = asyncio.get_running_loop().run_in_executor(None, self._browser.stderr.read)
        self._session = ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json") as answer:
            target = next(t for t in await answer.json() if t["type"] == "page")
        self._socket = await self._session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0)
        self._listener = asyncio.create_task(self._listen())
        await self.call("Page.enable")
        await self.call("Runtime.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=self.size[0], height=self.size[1], deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.cancel()
        await self._session.close()
        os.killpg(self._browser.pid, signal.SIGTERM)  # Debian starts it by a script, which would end alone
        await asyncio.to_thread(self._browser.wait, PATIENCE)
        await self._drain
        assert self._browser.stderr is not None
        self._browser.stderr.close()

    def _port(self) -> int:
        assert self._browser.stderr is not None
        for line in self._browser.stderr:
            if found := re.search(rb"DevTools listening on ws://[^:]+:(\d+)/", line):
                return int(found[1])
        raise AssertionError("Chromium did not start.")

    async def _listen(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said["method"] == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(said["params"]["exceptionDetails"]))
            elif said["method"] == "Page.javascriptDialogOpening":
                # "Reloading overwrites current state: continue?"
                await self._send(next(self._ids), "Page.handleJavaScriptDialog", {"accept": True}, wait=False)

    async def _send(self, id: int, method: str, params: dict[str, Any], *, wait: bool = True) -> Any:
        future = self._answers[id] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": id, "method": method, "params": params})
        return await asyncio.wait_for(future, PATIENCE) if wait else None

    async def call(self, method: str, **params: Any) -> Any:
        """A command of the DevTools protocol."""
        answer = await self._send(next(self._ids), method, params)
        assert "error" not in answer, answer
        return answer["result"]

    async def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def open(self, address: str) -> None:
        """Go to a page."""
        await self.call("Page.navigate", url=address)

    async def until(self, script: str) -> Any:
        """Wait until an expression is true; its value."""
        for _ in range(int(10 * PATIENCE)):
            if found := await self.run(script):
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(f"never true: {script}\n{await self.run('document.body.innerText')}")

    async def screenshot(self, path: Path, *, scale: float = 0.75) -> None:
        """Write what is seen as a PNG, smaller by `scale`."""
        clip = {"x": 0, "y": 0, "width": self.size[0], "height": self.size[1], "scale": scale}
        answer = await self.call("Page.captureScreenshot", format="png", clip=clip)
        path.write_bytes(base64.b64decode(answer["data"]))
