"""What the tests of `sasnet mcp` share: a folder of curves, a server on a port, the official client."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import numpy as np
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

RADIUS, SLD, SOLVENT = 60.0, 3.47, 6.36
KEY = "a-key-for-tests"


def sphere(q: np.ndarray, radius: float = RADIUS, solvent: float = SOLVENT) -> np.ndarray:
    """I(q) of sphere in cm⁻¹, volume fraction 1 % (Rayleigh 1911)."""
    x, volume = q * radius, 4 / 3 * np.pi * radius**3
    form = 3 * (np.sin(x) - x * np.cos(x)) / x**3
    return np.asarray(0.01 * volume * (SLD - solvent) ** 2 * 1e-4 * form**2 + 0.02)


def written(path: Path, clean: np.ndarray, q: np.ndarray, seed: int, unit: str = "1/A") -> None:
    """A curve with 2 % noise."""
    error = 0.02 * clean
    noisy = clean + error * np.random.default_rng(seed).standard_normal(q.size)
    np.savetxt(path, np.column_stack([q, noisy, error]), header=f"q({unit}) I dI")


def command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "sasnet_plugin", "mcp", str(folder), "--workers", "1", *more]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server on a port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        command(folder, "--port", str(port)),
        stderr=subprocess.DEVNULL,
        env=os.environ | {"SASNET_MCP_KEY": KEY},
    )
    until = time.monotonic() + 240  # on a busy machine
    while time.monotonic() < until:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.terminate()
        server.wait(timeout=20)


@asynccontextmanager
async def by_stdio(folder: Path, address: str) -> AsyncIterator[Client]:
    del address
    program, *arguments = command(folder)
    parameters = StdioServerParameters(command=program, args=arguments, env=dict(os.environ))
    async with Client(stdio_client(parameters)) as client:
        yield client


@asynccontextmanager
async def by_http(folder: Path, address: str) -> AsyncIterator[Client]:
    del folder
    import httpx2

    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=300) as http,
        Client(streamable_http_client(address, http_client=http)) as client,
    ):
        yield client


def asked(by: Any, folder: Path, address: str, tasks: Callable[[Client], Awaitable[None]]) -> None:
    async def run() -> None:
        async with by(folder, address) as client:
            await tasks(client)

    anyio.run(run)


async def answer(client: Client, tool: str, progress: Any = None, /, **given: Any) -> dict[str, Any]:
    found = await client.call_tool(tool, given, progress_callback=progress)
    assert not found.is_error, found.content[0].text
    assert found.structured_content is not None
    return dict(found.structured_content)


async def refusal(client: Client, tool: str, **given: Any) -> str:
    found = await client.call_tool(tool, given)
    assert found.is_error
    return str(found.content[0].text)
