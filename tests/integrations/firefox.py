"""A headless Firefox of Debian, driven by WebDriver BiDi, which it speaks itself: no driver is needed.

Playwright's own Firefox is not to be had from a package registry, and its BiDi asks Firefox for media
features that the ESR does not know.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from chromium import PATIENCE
from shared_machine import install_debian

NAMES = ("firefox-esr", "firefox")


def firefox() -> str:
    """The browser's path; where there is none, Debian's is installed (as root)."""
    for _ in range(2):
        for name in NAMES:
            if path := shutil.which(name):
                return path
        install_debian("firefox-esr", "fonts-dejavu-core")
    raise AssertionError("apt-get has installed Firefox under another name.")


class Firefox:
    """One page of a browser of its own.

    Parameters
    ----------
    home : Path
        Folder for the browser's profile.
    size : (int, int)
        Width and height, pixels.
    """

    def __init__(self, home: Path, size: tuple[int, int] = (1300, 860)) -> None:
        self.home, self.size = home, size
        self.errors: list[str] = []
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Firefox:
        from aiohttp import ClientSession

        self.home.mkdir(parents=True)
        self._browser = subprocess.Popen(
            [firefox(), "--headless", "--no-remote", "--profile", str(self.home), "--remote-debugging-port=0",
             "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._browser.stderr is not None
        port = await asyncio.wait_for(asyncio.to_thread(self._port), PATIENCE)
        self._drain = asyncio.get_running_loop().run_in_executor(None, self._browser.stderr.read)
        self._session = ClientSession()
        self._socket = await self._session.ws_connect(f"ws://127.0.0.1:{port}/session", max_msg_size=0)
        self._listener = asyncio.create_task(self._listen())
        await self.call("session.new", capabilities={})
        await self.call("session.subscribe", events=["log.entryAdded"])
        tree = await self.call("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]
        viewport = {"width": self.size[0], "height": self.size[1]}
        await self.call("browsingContext.setViewport", context=self._context, viewport=viewport)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.cancel()
        await self._session.close()
        self._browser.terminate()
        await asyncio.to_thread(self._browser.wait, PATIENCE)
        await self._drain
        assert self._browser.stderr is not None
        self._browser.stderr.close()

    def _port(self) -> int:
        assert self._browser.stderr is not None
        for line in self._browser.stderr:
            if found := re.search(rb"WebDriver BiDi listening on ws://[^:]+:(\d+)", line):
                return int(found[1])
        raise AssertionError("Firefox did not start.")

    async def _listen(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if said.get("id") in self._answers:
                self._answers.pop(said["id"]).set_result(said)
            elif said.get("method") == "log.entryAdded" and said["params"]["level"] == "error":
                self.errors.append(str(said["params"]["text"]))

    async def call(self, method: str, **params: Any) -> Any:
        """A command of WebDriver BiDi."""
        id = next(self._ids)
        future = self._answers[id] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": id, "method": method, "params": params})
        answer = await asyncio.wait_for(future, PATIENCE)
        assert answer["type"] == "success", answer
        return answer["result"]

    async def _evaluated(self, script: str) -> Any:
        answer = await self.call(
            "script.evaluate", expression=script, target={"context": self._context}, awaitPromise=True,
            userActivation=True,
        )  # fmt: skip
        assert answer["type"] == "success", answer
        return answer["result"]

    async def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = await self._evaluated(
            f"Promise.resolve({script}).then((found) => JSON.stringify(found ?? null))"
        )
        return json.loads(found["value"])

    async def open(self, address: str) -> None:
        """Go to a page."""
        await self.call("browsingContext.navigate", context=self._context, url=address, wait="complete")

    async def until(self, script: str, *, patience: float = 1.0) -> Any:
        """Wait until an expression is true, `patience` times as long as usual; its value."""
        for _ in range(int(10 * patience * PATIENCE)):
            if found := await self.run(script):
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(f"never true: {script}\n{await self.run('document.body.innerText')}")

    async def element(self, selector: str) -> dict[str, Any]:
        """The one of a CSS selector, as commands name it."""
        found = await self._evaluated(f"document.querySelector({json.dumps(selector)})")
        assert "sharedId" in found, f"There is no {selector}."
        return {"sharedId": found["sharedId"]}

    async def files(self, selector: str, paths: list[Path]) -> None:
        """Choose files as a person does."""
        element, names = await self.element(selector), [str(path) for path in paths]
        await self.call("input.setFiles", context=self._context, element=element, files=names)

    async def click(self, selector: str) -> None:
        """Move to an element, press and let go."""
        element = await self.element(selector)
        await self.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        origin = {"type": "element", "element": element}
        await self._pointer([{"type": "pointerMove", "x": 0, "y": 0, "origin": origin}, *_PRESS])

    async def drag(self, selector: str, across: int) -> None:
        """Drag an element by so many pixels to the right."""
        origin = {"type": "element", "element": await self.element(selector)}
        steps = [{"type": "pointerMove", "x": across // 8, "y": 0, "origin": "pointer", "duration": 30}] * 8
        first = {"type": "pointerMove", "x": 0, "y": 0, "origin": origin}
        await self._pointer([first, _PRESS[0], *steps, _PRESS[1]])

    async def hover(self, selector: str, right: int = 0, down: int = 0) -> None:
        """Move the mouse so many pixels beside an element's centre."""
        origin = {"type": "element", "element": await self.element(selector)}
        await self._pointer([{"type": "pointerMove", "x": right, "y": down, "origin": origin}])

    async def _pointer(self, actions: list[dict[str, Any]]) -> None:
        source = {
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions
        }  # fmt: skip
        await self.call("input.performActions", context=self._context, actions=[source])

    async def press(self, key: str, times: int = 1) -> None:
        """Press a key; its character, or WebDriver's code of it."""
        one = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        source = {"type": "key", "id": "keys", "actions": one * times}
        await self.call("input.performActions", context=self._context, actions=[source])

    async def screenshot(self, path: Path) -> None:
        """Write what is seen as a PNG."""
        found = await self.call("browsingContext.captureScreenshot", context=self._context)
        path.write_bytes(base64.b64decode(found["data"]))


_PRESS = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
#: WebDriver's code of an arrow key.
RIGHT = "\ue014"
