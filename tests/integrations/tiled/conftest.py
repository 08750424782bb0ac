"""A real Tiled server on this machine, in a process of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tiledplaces import KEY, TiledServer, free_port

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def tiled_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TiledServer]:
    server = TiledServer(tmp_path_factory.mktemp("tiled"), free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture
def address(tiled_server: TiledServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of the server; its key is in the environment."""
    monkeypatch.setenv("TILED_API_KEY", KEY)
    return f"http://127.0.0.1:{tiled_server.port}"


@pytest.fixture
def new_place(address: str) -> Iterator[Callable[..., Any]]:
    """Makes a container with metadata, by Tiled's own client."""
    from tiled.client import from_uri

    root = from_uri(address, api_key=KEY)
    yield lambda **metadata: root.create_container(f"place{next(_NUMBERS)}", metadata=metadata)
    root.context.http_client.close()


@pytest.fixture
def place(new_place: Callable[..., Any]) -> Any:
    """A new container."""
    return new_place()
