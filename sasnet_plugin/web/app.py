"""What the pages show: curves, images and tags of one server, each opened when it is first looked at."""

from __future__ import annotations

import contextlib
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jinja2
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from ..extensions import has_service, service
from ..types import SasnetError
from ..wording import Surface, speak_to
from . import routes
from .access import Guard, Keys, listening
from .curves.bench import Bench

# --- What the pages show: curves, images and tags of one server, each opened when it is first
# --- looked at.


class Tagging(Protocol):
    """Tags of a folder of images, as an extension has them."""

    @property
    def workspace(self) -> Any:
        """What people do to labels."""

    @property
    def retraining(self) -> Any:
        """Retraining of the images' model."""

    def close(self) -> None:
        """End what is under way."""


@dataclass(frozen=True)
class Tabs:
    """What a server may show."""

    bench: Callable[[], Bench] | None = None  #: Opens curves and images; None: there are none.
    #: Opens the tags of images of a kind; None: there are none.
    tagging: Callable[[str], Tagging] | None = None
    folder: Path | None = None  #: Of the images that are tagged.
    kind: str = ""  #: Of the images, where it is known; empty: whoever opens the tab says it.
    user: str = "somebody"  #: Whose name the page of tags begins with.


class Opened:
    """Those that were opened."""

    def __init__(self, tabs: Tabs) -> None:
        speak_to(Surface.PAGE)
        self.tabs, self._lock = tabs, threading.Lock()
        self._bench: Bench | None = None
        self._tagging: Tagging | None = None

    @property
    def bench(self) -> Bench | None:
        """Curves and images, opened by the first user. Raises SasnetError without work folder."""
        with self._lock:
            if self._bench is None and self.tabs.bench is not None:
                self._bench = self.tabs.bench()
            return self._bench

    @property
    def tagging(self) -> Tagging | None:
        """Tags, where somebody has opened them, or may without being asked of which kind the images are."""
        if self._tagging is None and self.tabs.kind:
            self.tag(self.tabs.kind)
        return self._tagging

    def tag(self, kind: str) -> Tagging | None:
        """Open the tags of a kind, in place of one that no command has given. SasnetError if unreadable."""
        with self._lock:
            if self._tagging is not None and not self.tabs.kind and self._tagging.workspace.domain != kind:
                self._tagging.close()
                self._tagging = None
            if self._tagging is None and self.tabs.tagging is not None:
                self._tagging = self.tabs.tagging(kind)
            return self._tagging

    def hush(self) -> None:
        """Answer no question any more that takes long."""
        if self._bench is not None:
            self._bench.hush()

    def close(self) -> None:
        for opened in (self._tagging, self._bench):
            if opened is not None:
                opened.close()


# --- The server of the pages: an application of FastAPI behind its guard, on this machine alone.

_HERE = Path(__file__).parent
#: Between two looks at whether the server is to end, s.
_LOOK = 0.2


def application(opened: Opened, keys: Keys) -> Any:
    """The pages, as an ASGI application that answers nobody without a key."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        opened.close()

    app = FastAPI(title="sasnet", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.opened, app.state.keys = opened, keys
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True)
    app.state.templates = Jinja2Templates(env=environment)
    app.mount("/static", StaticFiles(directory=_HERE / "static"))
    extra = service("routers")() if has_service("routers") else ()
    for router in (routes.router, *extra):
        app.include_router(router)

    @app.exception_handler(SasnetError)
    async def report_problem(request: Request, error: SasnetError) -> JSONResponse:
        return JSONResponse({"problem": str(error)}, 400)

    @app.exception_handler(RequestValidationError)
    async def report_malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        return JSONResponse({"problem": f"The request is malformed ({place}: {first['msg'][:120]})."}, 422)

    return Guard(app, keys)


def serve(
    tabs: Tabs,
    *,
    port: int = 0,
    browser: bool = True,
    path: str = "",
    fragment: str = "",
    ready: Callable[[str], None],
) -> None:
    """Serve the pages until Ctrl-C and close what was opened; port 0 takes a free one. `path` and `fragment`
    open first, `ready` gets the address. Raises SasnetError if the port is taken.
    """
    import uvicorn

    with listening(port) as sock:
        sock.listen(128)
        keys, opened = Keys(sock.getsockname()[1], "127.0.0.1", path), Opened(tabs)
        config = uvicorn.Config(
            application(opened, keys), log_level="warning", access_log=False,
            proxy_headers=False, server_header=False, timeout_graceful_shutdown=2, ws="none",
        )  # fmt: skip
        ready(f"{keys.address}{fragment}")
        if browser:
            first = keys.address_once(fragment)
            threading.Thread(target=webbrowser.open_new_tab, args=(first,), daemon=True).start()
        server = uvicorn.Server(config)
        threading.Thread(target=_hush, args=(server, opened), daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[sock])


def _hush(server: Any, opened: Opened) -> None:
    """Once the server is to end, leave nobody waiting for an answer that takes longer than it waits."""
    while not server.should_exit:
        time.sleep(_LOOK)
    opened.hush()
