"""The page of a folder, opened without a network or a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tagpages import HOME, Page

from sasnet_plugin.images.tagging.events import Log
from sasnet_plugin.images.tagging.retraining import Retraining
from sasnet_plugin.images.tagging.thumbnails import Thumbnails
from sasnet_plugin.images.tagging.workspace import Tagging, Workspace
from sasnet_plugin.web.access import Keys
from sasnet_plugin.web.app import Opened, Tabs, application


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open the page of a folder, on the same database each time."""
    pages = []

    def make(folder: Path, **how: Any) -> Page:
        log = Log(str(tmp_path / "labels.sqlite"))
        thumbnails = Thumbnails(tmp_path / "cache" / "thumbnails.sqlite")
        desk = Workspace(folder, "diffraction", log, thumbnails, live=False)
        keys = Keys(8000, "127.0.0.1", "tags")
        trainer = Retraining(tmp_path / "retrained", "diffraction", [folder], **how)
        tabs = Tabs(tagging=lambda _: Tagging(desk, trainer), kind="diffraction", user="anna")
        client = TestClient(application(Opened(tabs), keys), base_url=HOME)
        client.__enter__()
        assert client.get(keys.address).status_code == 200  # gets the cookie
        pages.append(client)
        return Page(client, desk, keys)

    yield make
    for client in pages:
        client.__exit__(None, None, None)
